"""What a model file does not say by itself: labels, colours, preprocessing."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgeseg.devices import ManifestError
from edgeseg.devices.plain_text import encodable
from edgeseg.runtime.json_text import json_text

if TYPE_CHECKING:
    from typing_extensions import Self

    from edgeseg.devices.types import Json, JsonValue

FORMAT_VERSION = 1
FITS = ("letterbox", "stretch")
RESIZES = ("align-corners", "half-pixel", "legacy")
HEADS = ("labels", "logits", "probability", "logit")


@dataclass(frozen=True)
class Manifest:
    """How to feed a segmentation model and how to read what it gives.

    Parameters
    ----------
    labels : tuple of str
        One name a class id; empty where unknown.
    palette : tuple of (int, int, int)
        One RGB colour a class id.
    input_size : (int, int) or None
        Height and width of the input in pixels; None takes the tensor's.
    mean, std : (float, float, float)
        The network sees ``(pixel - mean) / std``, pixel in 0..255, one value a
        channel in the order of ``channels``.
    channels : {"rgb", "bgr"}
        Channel order that the network was trained with.
    fit : {"letterbox", "stretch"}
        How a picture is brought to the input size: aspect kept, placed top left
        and padded, or stretched.
    pad : int
        Pixel value of the letterbox's padding.
    resize : {"align-corners", "half-pixel", "legacy"}
        How a logits grid's cells are aligned with the input, as TensorFlow's
        ``resize_bilinear`` names it.
    head : {"labels", "logits", "probability", "logit"} or None
        Class ids; one score a class; one channel of probabilities or of logits.
        None leaves it to the output tensor.
    provenance : mapping of str to JSON value
        Where the model came from: tool versions, recipe, hashes.

    Raises
    ------
    ManifestError
        A value is not one of those named.

    Examples
    --------
    >>> manifest = Manifest(labels=("background", "cat"), input_size=(257, 257))
    >>> Manifest.from_json(manifest.to_json()) == manifest
    True
    """

    labels: tuple[str, ...] = ()
    palette: tuple[tuple[int, int, int], ...] = ()
    input_size: tuple[int, int] | None = None
    mean: tuple[float, float, float] = (127.5, 127.5, 127.5)
    std: tuple[float, float, float] = (127.5, 127.5, 127.5)
    channels: str = "rgb"
    fit: str = "letterbox"
    pad: int = 127
    resize: str = "half-pixel"
    head: str | None = None
    provenance: Mapping[str, JsonValue] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _one_of("channels", self.channels, ("rgb", "bgr"))
        _one_of("fit", self.fit, FITS)
        _one_of("resize", self.resize, RESIZES)
        if self.head is not None:
            _one_of("head", self.head, HEADS)
        if not 0 <= self.pad <= 255:
            raise ManifestError(f"manifest: pad must be 0..255, got {self.pad}")
        if len(self.labels) > 256:
            raise ManifestError(
                f"manifest: at most 256 labels (class ids are uint8), got "
                f"{len(self.labels)}"
            )
        if len(self.mean) != 3 or len(self.std) != 3 or 0 in self.std:
            raise ManifestError(
                "manifest: mean and std must be three numbers each, std without 0; "
                f"got mean {list(self.mean)}, std {list(self.std)}"
            )

    def to_dict(self) -> Json:
        """Return the manifest as JSON values."""
        values = dataclasses.asdict(self)
        return {"version": FORMAT_VERSION, **json.loads(json.dumps(values))}

    @classmethod
    def from_dict(cls, values: JsonValue) -> Self:
        """Build a manifest from what `to_dict` gave.

        Raises
        ------
        ManifestError
            Unknown or missing keys, a newer version, or values of a wrong type.
        """
        if not isinstance(values, dict):
            raise ManifestError(
                f"manifest: expected an object, got {type(values).__name__}"
            )
        version = values.get("version")
        if version != FORMAT_VERSION:
            raise ManifestError(
                f"manifest: expected version {FORMAT_VERSION}, got {version!r:.80}; a "
                "newer edgeseg may have written it: pip install --upgrade edgeseg"
            )
        known = {entry.name for entry in dataclasses.fields(cls)}
        unknown = sorted(set(values) - known - {"version"})
        if unknown:
            raise ManifestError(
                f"manifest: unknown keys {unknown!s:.200}; known: {sorted(known)}"
            )
        try:
            return cls(**{key: _READ[key](values[key]) for key in known & set(values)})
        except (TypeError, ValueError, OverflowError) as error:
            if isinstance(error, ManifestError):
                raise
            raise ManifestError(f"manifest: a value is malformed: {error}") from error

    def to_json(self) -> str:
        """Return the manifest as JSON text, keys sorted."""
        return json_text(self.to_dict(), indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Build a manifest from JSON text; see `from_dict`."""
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ManifestError(f"manifest: not JSON: {error}") from error
        return cls.from_dict(values)

    def label(self, class_id: int) -> str:
        """Return the name of a class id, ``"class N"`` where it has none.

        Examples
        --------
        >>> Manifest().label(7)
        'class 7'
        """
        if class_id < len(self.labels):
            return self.labels[class_id]
        return f"class {class_id}"


def _one_of(key: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ManifestError(
            f"manifest: {key} must be one of {', '.join(allowed)}; got {value!r:.80}"
        )


def _strings(values: JsonValue) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
        raise ValueError(f"expected a list of strings, got {values!r:.80}")
    return tuple(map(encodable, values))


def _colours(values: JsonValue) -> tuple[tuple[int, int, int], ...]:
    colours = tuple((int(r), int(g), int(b)) for r, g, b in values)
    if len(colours) > 256:
        raise ValueError(f"a palette has at most 256 colours, got {len(colours)}")
    if any(not 0 <= v <= 255 for colour in colours for v in colour):
        raise ValueError("palette colours must be 0..255")
    return colours


def _size(values: JsonValue) -> tuple[int, int] | None:
    if values is None:
        return None
    height, width = (int(value) for value in values)
    if height < 1 or width < 1:
        raise ValueError(f"input_size must be positive, got {height}x{width}")
    return height, width


def _three(values: JsonValue) -> tuple[float, float, float]:
    first, second, third = (float(value) for value in values)
    if not all(map(math.isfinite, (first, second, third))):
        raise ValueError(f"expected three finite numbers, got {values!r:.80}")
    return first, second, third


def _mapping(values: JsonValue) -> Mapping[str, JsonValue]:
    if not isinstance(values, dict):
        raise ValueError(f"provenance must be an object, got {values!r:.80}")
    return values


def _text(value: JsonValue) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ValueError(f"expected a string, got {value!r:.80}")
    return value


_READ: dict[str, Callable[[JsonValue], JsonValue]] = {
    "labels": _strings,
    "palette": _colours,
    "input_size": _size,
    "mean": _three,
    "std": _three,
    "channels": _text,
    "fit": _text,
    "pad": int,
    "resize": _text,
    "head": _text,
    "provenance": _mapping,
}
