"""One operator to draw, and what the functions that draw them share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need, third_party
from edgeseg.devices import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    from edgeseg.converter.frameworks import KerasLayer, KerasTensor
    from edgeseg.devices.types import Array, Untyped

    # A Keras tensor, known values, or None for an input that is left out
    Value: TypeAlias = KerasTensor | Array | None
    Draw: TypeAlias = Callable[["Call"], Value | tuple[Value, ...]]

# Padding of the schema
SAME, VALID = 0, 1
# Fused activations of the schema
ACTIVATIONS = {0: None, 1: "relu", 2: "relu_n1_to_1", 3: "relu6", 4: "tanh"}


@dataclass(frozen=True)
class Call:
    """An operator with what it reads.

    Parameters
    ----------
    name : str
        For its layer; no other has it.
    kind : str
        Name in the schema.
    options : mapping
        By the schema's names.
    values : tuple
        What it reads: Keras tensors, known real values, None.
    shapes : tuple of tuple of int
        Of what it writes, in the file.
    """

    name: str
    kind: str
    options: Mapping[str, Untyped]
    values: tuple[Value, ...]
    shapes: tuple[tuple[int, ...], ...]

    @property
    def x(self) -> KerasTensor:
        """The first input, which must be computed."""
        return self.tensor(0)

    def tensor(self, slot: int) -> KerasTensor:
        """Return an input that must be computed.

        Raises
        ------
        ModelError
            It is a constant or left out.
        """
        value = self.values[slot] if slot < len(self.values) else None
        if not isinstance(value, need("keras").KerasTensor):
            raise self.unsupported(f"input {slot} is not computed from the picture")
        return value

    def known(self, slot: int) -> Array:
        """Return an input that must be known beforehand.

        Raises
        ------
        ModelError
            It depends on the picture.
        """
        import numpy as np

        value = self.values[slot] if slot < len(self.values) else None
        if not isinstance(value, np.ndarray):
            raise self.unsupported(f"input {slot} depends on the picture")
        return value

    def optional(self, slot: int) -> Array | None:
        """Return an input that is known beforehand, or None where it is left out."""
        left_out = slot >= len(self.values) or self.values[slot] is None
        return None if left_out else self.known(slot)

    def option(self, name: str, default: int = 0) -> int:
        """Return a number of the options."""
        value = self.options.get(name)
        return default if value is None else int(value)

    def numbers(self, slot: int) -> list[int]:
        """Return a known input as whole numbers."""
        return [int(n) for n in self.known(slot).ravel()]

    def unsupported(self, why: str) -> ModelError:
        """Return the error for an operator that cannot be drawn as it is."""
        return ModelError(
            f"{self.kind} ({self.name}) cannot be converted: {why}; convert the model "
            "that the file was made of, or export it without that operator"
        )


def with_weights(
    layer: KerasLayer, x: KerasTensor, weights: list[Array]
) -> KerasTensor:
    """Call a layer and give it its weights."""
    with third_party():
        output = layer(x)
        layer.set_weights(weights)
    return output
