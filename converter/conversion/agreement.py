"""What to do where a quantized model answers otherwise than the float one too often."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.converter.budgeting.sensitivity import measure_sensitivity
from edgeseg.converter.conversion.parity import compare
from edgeseg.converter.conversion.pictures import spread
from edgeseg.converter.quantization.quantize import Quantization
from edgeseg.converter.recipes import load_recipe
from edgeseg.devices import EdgesegError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.converter.conversion.packaging import Packaging
    from edgeseg.converter.quantization.ranges import Ranges
    from edgeseg.devices.types import Json
    from edgeseg.runtime import Segmenter

# Trained DeepLabs keep 98 to 99.5 % of the labels; below this something costs more
LEAST_AGREEMENT = 0.97
_OTHERS = ("int8-mixed", "int16x8")
_NAMED, _PICTURES = 4, 4
_LIMIT_S = 30.0


@dataclass(frozen=True)
class LowAgreement:
    """Why labels differ, and what keeps more of them.

    Parameters
    ----------
    agreement : float
        Share of equal labels, 0..1.
    layers : tuple of str
        Tensors whose quantization costs most, the dearest first.
    recipes : dict of str to float
        Share of equal labels with other recipes.
    """

    agreement: float
    layers: tuple[str, ...]
    recipes: dict[str, float]

    def to_dict(self) -> Json:
        """Return JSON values."""
        return {**dataclasses.asdict(self), "text": self.text}

    @property
    def text(self) -> str:
        """What to tell a user, in one line."""
        kept = sorted(self.recipes.items(), key=lambda entry: -entry[1])
        better = [
            f"--recipe {name} keeps {share:.2%}"
            for name, share in kept
            if share > self.agreement
        ]
        options = ", ".join(better) + "; " if better else ""
        return (
            f"only {self.agreement:.2%} of the float model's labels are kept; it costs "
            f"most to quantize {', '.join(self.layers)}: {options}with --dataset and "
            "--max-drop as few operators as possible stay in float"
        )


def examine_agreement(
    agreement: float,
    quantization: Quantization,
    ranges: Ranges | None,
    reference: Segmenter,
    packaging: Packaging,
    frames: Sequence[NDArray[np.uint8]],
    progress: Callable[[str], None],
) -> LowAgreement | None:
    """Find what costs labels, and what keeps them; None where enough are kept.

    Parameters
    ----------
    agreement : float
        Share of equal labels.
    quantization : Quantization
        Of the float model.
    ranges : Ranges or None
        From calibration.
    reference : Segmenter
        Open on the float model.
    packaging : Packaging
        Opens what is made.
    frames : sequence of ndarray
        ``(H, W, 3)`` uint8 pictures to compare on.
    progress : callable
        Called with a line for each step.
    """
    if agreement >= LEAST_AGREEMENT or ranges is None:
        return None
    progress(f"{agreement:.2%} of labels agree: looking for what costs most")
    tensors = [reference.tensor(f).copy() for f in spread(frames, _PICTURES)]
    found = measure_sensitivity(quantization, tensors, limit_s=_LIMIT_S)
    names = [each.name for each in found.ranking]
    shares = {}
    plain = dataclasses.replace(packaging, io=None)  # int16 has no uint8 ends
    for recipe in _OTHERS:
        if recipe == quantization.recipe.name:
            continue
        try:
            other = Quantization(
                quantization.flat.to_bytes(), load_recipe(recipe), ranges
            )
            with plain.open_quantized(other.make()) as made:
                shares[recipe] = compare(reference, made, frames).agreement
        except EdgesegError:
            continue  # it does not fit this network
    return LowAgreement(agreement, tuple(names[:_NAMED]), shares)
