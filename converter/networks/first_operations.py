"""The first operations of a network, tried out on a few numbers.

What they do is read from what they make of them, not from what they are called: a
layer, an operator of Python and somebody's own code may all do the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need, third_party
from edgeseg.converter.loading.trust.known import INERT_LAYERS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.converter.frameworks import KerasTensor
    from edgeseg.converter.networks.graph import LayerCall, LayerGraph

    Channels = NDArray[np.float64]  # one number a channel
    Pixels = NDArray[np.float32]  # (1, h, w, C)

_CHANNELS = 3
PADDING, _NORM = "ZeroPadding2D", "BatchNormalization"
_PROBES = 24
_TRIED = 16  # operations at the input; ImageNet's mean in BGR takes five


@dataclass(frozen=True)
class Affine:
    """``x * factor + offset`` for each channel, behind a turn of the channels."""

    factor: Channels
    offset: Channels
    turned: bool = False

    def then(self, other: Affine) -> Affine:
        """Return what both do, one after the other."""
        turn = slice(None, None, -1 if other.turned else 1)
        return Affine(
            self.factor[turn] * other.factor,
            self.offset[turn] * other.factor + other.offset,
            self.turned != other.turned,
        )

    @property
    def does_nothing(self) -> bool:
        """Whether it leaves all as it is."""
        alike = bool((self.factor == 1).all() and (self.offset == 0).all())
        return alike and not self.turned


class FirstOperations:
    """The first operations of a network, done on a few numbers."""

    def __init__(self, graph: LayerGraph) -> None:
        import numpy as np

        numbers = np.random.default_rng(0)
        probes = numbers.uniform(-300, 300, (1, _PROBES, _PROBES, _CHANNELS))
        probes[:, 0], probes[:, 1] = 0, 255
        self.probes: Pixels = probes.astype(np.float32)
        self.graph = graph
        # what each tensor is, and what it would be had no norm learned
        self._made = {id(graph.start): (self.probes, self.probes)}
        self.calls = [call for call in graph.calls[:_TRIED] if self._does(call)]

    def made(self, call: LayerCall) -> tuple[Pixels, Pixels]:
        """Return what a call made of the probes, and what without learned numbers."""
        return self._made[id(call.output)]

    def _does(self, call: LayerCall) -> bool:
        """Do an operation if all that it reads is known, and it is none that learns."""
        kind = type(call.layer).__name__
        learns = bool(getattr(call.layer, "trainable_weights", ()))
        unknown = any(id(tensor) not in self._made for tensor in call.inputs)
        if unknown or not call.inputs or (learns and kind != _NORM):
            return False
        given = self._made[id(call.inputs[0])]
        if hands_on(call):
            self._made[id(call.output)] = given
            return True
        try:
            made = self._called(call, 0)
            seen = (
                _standardized(call, given[1])
                if kind == _NORM
                else made
                if all(one is other for one, other in map(self._pair, call.inputs))
                else self._called(call, 1)
            )
        except Exception:  # a stranger's code; whatever it raises, it is no such step
            return False
        self._made[id(call.output)] = (made, seen)
        return True

    def _pair(self, tensor: KerasTensor) -> tuple[Pixels, Pixels]:
        return self._made[id(tensor)]

    def _called(self, call: LayerCall, which: int) -> Pixels:
        keras = need("keras")
        with third_party():
            args, kwargs = keras.tree.map_structure(
                lambda leaf: (
                    self._made[id(leaf)][which] if id(leaf) in self._made else leaf
                ),
                (call.args, call.kwargs),
            )
            made: Pixels = keras.ops.convert_to_numpy(call.layer(*args, **kwargs))
        return made


def hands_on(call: LayerCall) -> bool:
    """Return whether an operation leaves values as they are in inference.

    Those for training may take a call on its own for one.
    """
    return type(call.layer).__name__ in (*INERT_LAYERS, PADDING, "Identity", "Cast")


def _standardized(call: LayerCall, given: Pixels) -> Pixels:
    """Return what a norm makes of its input before what it learned.

    What it learned says how its output is wanted; mean and variance are the input's.
    """
    import numpy as np

    with third_party():
        mean = np.asarray(call.layer.moving_mean.numpy(), np.float64)
        variance = np.asarray(call.layer.moving_variance.numpy(), np.float64)
    made: Pixels = (given - mean) / np.sqrt(variance + call.layer.epsilon)
    return made


def fitted(probes: Pixels, made: Pixels) -> Affine | None:
    """Return what turns the probes into what was made; None for anything else."""
    import numpy as np

    if made.shape != probes.shape or not np.isfinite(made).all():
        return None
    for turned in (False, True):
        given = probes[..., ::-1] if turned else probes
        offset = made[0, 0, 0].astype(np.float64)
        factor = (made[0, 1, 0].astype(np.float64) - offset) / 255
        expected = given * factor + offset
        room = 1e-5 * max(float(np.abs(expected).max()), 1e-6)
        if (factor != 0).all() and np.abs(made - expected).max() <= room:
            return Affine(factor, offset, turned)
    return None


def ancestors(graph: LayerGraph, call: LayerCall) -> list[LayerCall] | None:
    """Return all calls that lead to a call, itself included.

    None where something else reads what is before it too, so that the network does not
    begin with it.
    """
    found, front = [call], list(call.inputs)
    while front:
        maker = graph.maker(front.pop())
        if maker is not None and maker not in found:
            found.append(maker)
            front += maker.inputs
    inner = [graph.start, *(one.output for one in found[1:])]
    alone = all(reader in found for t in inner for reader in graph.readers(t))
    ends = any(tensor is graph.end for tensor in inner)
    return found if alone and not ends else None
