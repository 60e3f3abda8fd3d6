"""Networks with fewer channels in their inverted residuals, for smaller models.

An inverted residual widens few channels to many, filters each of these alone and sums
them up to few again. The wide channels are most of MobileNetV2's weights and time.
Those that the sum can best do without are taken out, one after the other, each time
with the weights of all that stay moved so that the sum changes least: a least-squares
problem whose matrix comes from a few pictures. What is left knows nearly what the whole
network knew, so that a short training brings it back, where a narrow network from
nothing has all to learn. Which residual loses how many is decided by what its output
loses for each multiply-add that is saved.

References
----------
M. Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need, third_party
from edgeseg.converter.networks.graph import LayerGraph
from edgeseg.converter.training.start.elimination import eliminate
from edgeseg.converter.training.start.residuals import inverted_residuals
from edgeseg.devices import InputError, TensorSpec
from edgeseg.runtime.model.manifest import Manifest
from edgeseg.runtime.segmentation.input_tensor import InputTensor
from edgeseg.runtime.segmentation.letterbox import encoding_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.converter.frameworks import KerasModel
    from edgeseg.converter.training.start.batch_graph import Start
    from edgeseg.converter.training.start.residuals import Residual
    from edgeseg.devices.types import Array
    from edgeseg.runtime.accuracy.dataset import Dataset

_STEP = 8  # channels that processors take at once
_PICTURES = 64
_POSITIONS = 1024  # of each picture and residual
_TINY = 1e-12


def narrowed(
    start: Start, share: float, pictures: Dataset, report: Callable[[str], None]
) -> Start:
    """Return a start of a share of the work; see `narrow`.

    Parameters
    ----------
    start : Start
        Its norms folded.
    share : float
        Of the multiply-adds of its inverted residuals.
    pictures : Dataset
        Some of them, evenly spread, show what can go.
    report : callable
        Called with a line before and after.

    Raises
    ------
    InputError
        The start has not been trained, or has no inverted residuals.
    """
    if not start.settled:
        raise InputError(
            "--narrow needs a start that was trained: with --from none choose "
            "--width-multiplier"
        )
    names = pictures.ids[:: max(1, len(pictures.ids) // _PICTURES)][:_PICTURES]
    report(f"looking for channels that {len(names)} pictures need least")
    manifest, shape = Manifest(), tuple(start.model.input.shape)
    table = encoding_table(TensorSpec("image", shape, "float32"), manifest)
    fed = InputTensor((shape[1], shape[2]), table, manifest)
    tensors = (fed.fill(pictures.picture(name)) for name in names)
    model = narrow(start.model, share, tensors)
    before, after = start.model.count_params(), model.count_params()
    note = (
        f"narrowed to {share:g} of the work of its inverted residuals: {after} weights "
        f"of {before}"
    )
    return replace(start, model=model, notes=(*start.notes, note))


def narrow(model: KerasModel, share: float, tensors: Iterable[Array]) -> KerasModel:
    """Return a network whose inverted residuals do a share of their multiply-adds.

    Parameters
    ----------
    model : keras.Model
        Its norms folded, see `fold`. Left as it is.
    share : float
        Above 0, up to 1. What stays of each residual is a multiple of 8 channels.
    tensors : iterable of ndarray
        Pictures as the network takes them, ``(1, H, W, 3)`` float32 -1..1; each is
        used before the next one is asked for.

    Returns
    -------
    keras.Model
        Layers of the same names.

    Raises
    ------
    InputError
        The network has no inverted residuals, or they cannot do with so little.
    """
    graph = LayerGraph.of(model)
    residuals = inverted_residuals(graph)
    if not residuals:
        raise InputError(
            "no inverted residuals to narrow: expected 1x1 convolutions around "
            "depthwise ones, as MobileNetV2 has them"
        )
    moments = _moments(model, residuals, tensors)
    changed: dict[str, list[Array]] = {}
    counts = _allocate(residuals, moments, share)
    for residual, moment, count in zip(residuals, moments, counts, strict=True):
        changed |= _narrowed(residual, moment, residual.channels - count)
    return graph.copy(changed)


def _allocate(
    residuals: list[Residual], moments: list[NDArray[np.float64]], share: float
) -> list[int]:
    """Return how many channels each residual keeps.

    Eight at a time go where the output's loss, relative to its variance, is least for
    each multiply-add.
    """
    losses = [_losses(r, m) for r, m in zip(residuals, moments, strict=True)]
    keep = [residual.channels for residual in residuals]
    work = [residual.work for residual in residuals]
    now = sum(k * w for k, w in zip(keep, work, strict=True))
    wanted = share * now
    while now > wanted:
        prices = {
            i: (losses[i][keep[i] - _STEP] - losses[i][keep[i]]) / work[i]
            for i in range(len(keep))
            if keep[i] > 2 * _STEP
        }
        if not prices:
            raise InputError(
                f"cannot narrow to {share:g} of the work: no more than "
                f"{2 * _STEP} channels are left of any inverted residual"
            )
        cheapest = min(prices, key=prices.__getitem__)
        keep[cheapest] -= _STEP
        now -= _STEP * work[cheapest]
    return keep


def _losses(residual: Residual, moment: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what a residual's output loses, by the number of channels that stay.

    The mean square of the change over the variance of the output, ``(C + 1,)``; 0 for
    all channels, infinite for fewer than 8.
    """
    import numpy as np

    weights, channels = residual.sum_weights, residual.channels
    variance = np.einsum("io,ij,jo->", weights, moment, weights)
    variance -= ((moment[-1] @ weights) ** 2).sum()
    costs = eliminate(weights, moment, channels - _STEP).costs
    losses = np.full(channels + 1, np.inf)
    losses[channels] = 0
    losses[channels - 1 : _STEP - 1 : -1] = np.cumsum(costs) / max(variance, _TINY)
    return losses


def _moments(
    model: KerasModel, residuals: list[Residual], tensors: Iterable[Array]
) -> list[NDArray[np.float64]]:
    """Return the mean products of what each sum takes: ``(C + 1, C + 1)``.

    The last row and column are those of a channel that is always 1, the bias.
    """
    import numpy as np

    keras = need("keras")
    rng = np.random.default_rng(0)
    totals = [np.zeros((r.channels + 1, r.channels + 1)) for r in residuals]
    counts = [0] * len(residuals)
    with third_party():
        probe = keras.Model(model.inputs, [r.project.input for r in residuals])
        for tensor in tensors:
            for i, wide in enumerate(probe(tensor, training=False)):
                rows = keras.ops.convert_to_numpy(wide).reshape(-1, wide.shape[-1])
                if len(rows) > _POSITIONS:
                    rows = rows[rng.choice(len(rows), _POSITIONS, replace=False)]
                rows = np.pad(rows.astype(np.float64), ((0, 0), (0, 1)))
                rows[:, -1] = 1
                totals[i] += rows.T @ rows
                counts[i] += len(rows)
    return [total / count for total, count in zip(totals, counts, strict=True)]


def _narrowed(
    residual: Residual, moment: NDArray[np.float64], count: int
) -> dict[str, list[Array]]:
    """Return the weights of a residual's layers with so many channels taken out."""
    import numpy as np

    left = eliminate(residual.sum_weights, moment, count)
    stay, rows = left.stay, left.weights.astype(np.float32)
    wide, wide_bias = residual.expand.get_weights()
    filters, *filter_bias = residual.depthwise.get_weights()
    return {
        residual.expand.name: [wide[..., stay], wide_bias[stay]],
        residual.depthwise.name: [filters[:, :, stay], *(b[stay] for b in filter_bias)],
        residual.project.name: [rows[None, None, stay], rows[-1]],
    }
