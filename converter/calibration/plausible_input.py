"""A look at how a network answers photos that are scaled in one way and in others.

A file does not say what pixels its network was trained on, and one that is fed
wrongly still answers something. Two things tell:

* A batch normalization keeps mean and variance of what it saw in training. Photos that
  are scaled rightly reproduce both.
* A network that is fed rightly is sure of single pixels and gives many classes over
  all: the information that its answers hold (entropy of their mean, less the mean of
  their entropies) is large. One that is fed wrongly mostly gives one class. Sharp
  noise holds much information too, so that the labels, which do not depend on how
  large the scores are, must also be more varied, and equal on mirrored photos.

=======================  ==========================================
network (8 VOC photos)   information in nats, by what it was fed
                         0..255  0..1   -1..1  ImageNet  mean off
=======================  ==========================================
VOC a0.5 257             0.01    0.77   0.78   0.79      0.21
VOC a1.0 513             0.00    0.82   0.91   0.88      0.44
ADE20K 513               0.18    1.69   1.73   1.71      0.74
animals 385              0.00    0.70   0.77   0.69      0.18
=======================  ==========================================

All four were trained on -1..1.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need, third_party
from edgeseg.converter.networks.graph import LayerGraph
from edgeseg.devices import ModelError
from edgeseg.runtime import Segmenter
from edgeseg.runtime.model.overrides import IMAGENET

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.converter.frameworks import KerasModel
    from edgeseg.runtime import Manifest

    Pixels = NDArray[np.float32]
    Frames = Sequence[NDArray[np.uint8]]

# A choice is clearly better with so many times the information of the one taken, plus
_TIMES, _MORE = 1.3, 0.1
# Distances of a norm's statistics: close enough to believe, far enough to doubt
_CLOSE, _FAR = 0.6, 0.6
_LEAST_SPREAD = 0.05  # of a norm's log variances; fresh ones are all alike


@dataclass(frozen=True)
class InputChoice:
    """One way to scale pixels.

    Parameters
    ----------
    name : str
        Such as ``"pixel/255"``.
    option : str
        What a user adds to the command.
    mean, std : (float, float, float)
        Of a `Manifest`, in the order of `channels`.
    channels : {"rgb", "bgr"}
        The order; ``rgb`` leaves it as it is.
    """

    name: str
    option: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    channels: str = "rgb"

    def fed(self, manifest: Manifest) -> Manifest:
        """Return a manifest that scales in this way."""
        channels = "bgr" if self.channels == "bgr" else manifest.channels
        return dataclasses.replace(
            manifest, mean=self.mean, std=self.std, channels=channels
        )


_CAFFE = (103.939, 116.779, 123.68)
CHOICES = (
    InputChoice("pixel/127.5-1", "--normalize 127.5,127.5", (127.5,) * 3, (127.5,) * 3),
    InputChoice("pixel/255", "--normalize 0,255", (0.0,) * 3, (255.0,) * 3),
    InputChoice("pixels 0..255", "--normalize 0,1", (0.0,) * 3, (1.0,) * 3),
    InputChoice(
        "ImageNet's mean and deviation",
        "--normalize imagenet",
        IMAGENET[:3],
        IMAGENET[3:],
    ),
    InputChoice(
        "BGR without ImageNet's mean",
        f"--normalize {','.join(map(str, _CAFFE))},1,1,1 --bgr",
        _CAFFE,
        (1.0,) * 3,
        "bgr",
    ),
)


def doubt_by_answers(
    segmenter: Segmenter, frames: Frames, fed: Callable[[InputChoice], Manifest]
) -> str | None:
    """Return a warning where another choice gives clearly better answers.

    Parameters
    ----------
    segmenter : Segmenter
        Open on a float model that gives scores.
    frames : sequence of ndarray
        ``(H, W, 3)`` uint8 photos.
    fed : callable
        Returns the manifest of a choice.
    """
    if segmenter.head.kind == "labels" or not frames:
        return None
    own = _Answers(segmenter, segmenter.manifest, frames)
    others = [(choice, fed(choice)) for choice in CHOICES]
    better = [
        (other.information, choice, other)
        for choice, manifest in others
        if not _is_same(manifest, segmenter.manifest)
        and _is_clear(
            (other := _Answers(segmenter, manifest, frames)).information,
            own.information,
        )
    ]
    better.sort(key=lambda entry: -entry[0])
    for information, choice, other in better:
        if _is_clear(other.variety(), own.variety()):
            return (
                f"{choice.name} fits the network better: on {len(frames)} calibration "
                f"photos its answers hold {information:.2f} nats of information, "
                f"instead of {own.information:.2f}; if it was trained so, add "
                f"{choice.option}"
            )
    return None


def doubt_by_norm(
    model: KerasModel, segmenter: Segmenter, frames: Frames
) -> str | None:
    """Return a warning where a batch norm saw other numbers in training.

    Parameters
    ----------
    model : keras.Model
        From `load_model`, with its batch norms.
    segmenter : Segmenter
        Feeds it.
    frames : sequence of ndarray
        ``(H, W, 3)`` uint8 photos.
    """
    norm = _first_norm(model)
    if norm is None:
        return None
    used = norm.distance(_pixels(segmenter, segmenter.manifest, frames))
    found = sorted(
        (norm.distance(_pixels(segmenter, manifest, frames)), place)
        for place, manifest in enumerate(c.fed(segmenter.manifest) for c in CHOICES)
    )
    distance, choice = found[0][0], CHOICES[found[0][1]]
    if distance > _CLOSE or used - distance < _FAR:
        return None
    return (
        f"{choice.name} fits the network better: the batch normalization "
        f"'{norm.name}' keeps mean and variance of what it saw in training, and "
        f"calibration photos come {used - distance:.1f} deviations closer to them; if "
        f"it was trained so, add {choice.option}"
    )


def _is_clear(better: float, own: float) -> bool:
    return better > _TIMES * own + _MORE


def _is_same(one: Manifest, other: Manifest) -> bool:
    keys = ("mean", "std", "channels")
    return all(getattr(one, key) == getattr(other, key) for key in keys)


def _pixels(segmenter: Segmenter, manifest: Manifest, frames: Frames) -> list[Pixels]:
    """Return input tensors ``(1, H, W, 3)``, without the grey of a letterbox."""
    whole = dataclasses.replace(manifest, fit="stretch")
    feeder = Segmenter(segmenter.device, whole)  # not closed: the device is another's
    return [feeder.tensor(frame).copy() for frame in frames]


class _Answers:
    """What a network says of photos that are scaled in one way."""

    def __init__(self, segmenter: Segmenter, manifest: Manifest, frames: Frames):
        self._device = segmenter.device
        self._kind = segmenter.head.kind
        self._tensors = _pixels(segmenter, manifest, frames)
        shares = [self._shares(tensor) for tensor in self._tensors]
        self._labels = [each.argmax(-1) for each in shares]
        self.information = _information(shares)

    def variety(self) -> float:
        """Return the entropy of the labels, as far as mirrored photos confirm them."""
        import numpy as np

        mirrored = [
            self._shares(np.ascontiguousarray(tensor[:, :, ::-1]))[:, :, ::-1]
            for tensor in self._tensors
        ]
        labels = np.stack(self._labels)
        others = np.stack([each.argmax(-1) for each in mirrored])
        classes = mirrored[0].shape[-1]
        first, second = (
            np.bincount(each.ravel(), minlength=classes) / each.size
            for each in (labels, others)
        )
        by_chance = float((first * second).sum())
        if by_chance >= 1:
            return 0.0
        kappa = (float((labels == others).mean()) - by_chance) / (1 - by_chance)
        return _entropy(first) * max(kappa, 0.0)

    def _shares(self, tensor: Pixels) -> NDArray[np.float64]:
        """Return the probability of each class ``(1, h, w, C)``."""
        import numpy as np

        scores = np.nan_to_num(self._device.infer(tensor)[0].astype(np.float64))
        if scores.shape[-1] == 1:
            if self._kind == "logit":
                scores = 1 / (1 + np.exp(-np.clip(scores, -40, 40)))
            return np.concatenate([1 - scores, scores], -1)
        if scores.min() >= 0 and np.abs(scores.sum(-1) - 1).max() < 0.01:
            return scores
        powers = np.exp(scores - scores.max(-1, keepdims=True))
        shares: NDArray[np.float64] = powers / powers.sum(-1, keepdims=True)
        return shares


def _information(shares: Sequence[NDArray[np.float64]]) -> float:
    import numpy as np

    mean = np.mean([each.mean((0, 1, 2)) for each in shares], 0)
    return _entropy(mean) - float(np.mean([_entropy(each) for each in shares]))


def _entropy(shares: NDArray[np.float64]) -> float:
    """Return the mean entropy over all places, in nats."""
    import numpy as np

    safe = np.clip(shares, 1e-12, 1)
    return float(-(safe * np.log(safe)).sum(-1).mean())


@dataclass(frozen=True)
class _Norm:
    """The first batch normalization of a network, and what comes to it."""

    name: str
    model: KerasModel
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    def distance(self, tensors: Sequence[Pixels]) -> float:
        """Return how far photos are from its statistics, in deviations and octaves."""
        import numpy as np

        with third_party():
            made = np.concatenate([self.model.predict_on_batch(t) for t in tensors])
        axes = tuple(range(made.ndim - 1))
        mean, deviation = made.mean(axes), made.std(axes) + 1e-9
        by_size = np.abs(np.log(deviation / self.deviation))
        by_place = np.abs(mean - self.mean) / self.deviation
        return float(np.median(by_size + np.minimum(by_place, 5)))


def _first_norm(model: KerasModel) -> _Norm | None:
    import numpy as np

    layers = getattr(model, "layers", ())
    if not any(type(layer).__name__ == "BatchNormalization" for layer in layers):
        return None
    try:
        graph = LayerGraph.of(model, share_layers=True)
    except ModelError:
        return None
    call = next(
        one for one in graph.calls if type(one.layer).__name__ == "BatchNormalization"
    )
    layer = call.layer
    with third_party():
        mean = np.asarray(layer.moving_mean.numpy(), np.float64)
        variance = np.asarray(layer.moving_variance.numpy(), np.float64)
        if layer.axis not in (-1, 3) or np.log(variance).std() < _LEAST_SPREAD:
            return None
        before = need("keras").Model(graph.start, call.inputs[0])
    return _Norm(layer.name, before, mean, np.sqrt(variance))
