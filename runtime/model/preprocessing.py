"""What happens to a picture before a network sees it, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeseg.runtime.model.manifest import Manifest

_FITS = {"letterbox": "letterboxed", "stretch": "stretched"}


def preprocessing_text(manifest: Manifest) -> str:
    """Return what a network sees of a pixel 0..255, and of the picture.

    Parameters
    ----------
    manifest : Manifest
        Of the model.

    Examples
    --------
    >>> from edgeseg.runtime.model.manifest import Manifest
    >>> preprocessing_text(Manifest())
    'pixel/127.5-1; letterboxed; RGB'
    >>> preprocessing_text(Manifest(mean=(0, 0, 0), std=(1, 1, 1), channels="bgr"))
    'pixel; letterboxed; BGR'
    """
    scaling = _scaling(manifest.mean, manifest.std)
    return f"{scaling}; {_FITS[manifest.fit]}; {manifest.channels.upper()}"


def _scaling(mean: tuple[float, ...], std: tuple[float, ...]) -> str:
    if len({*mean}) == len({*std}) == 1:
        return _of_all(mean[0], std[0])
    minus = f"(pixel-{_numbers(mean)})"
    return minus if {*std} == {1} else f"{minus}/{_numbers(std)}"


def _of_all(mean: float, std: float) -> str:
    divided = "pixel" if std == 1 else f"pixel/{std:.6g}"
    if mean == 0:
        return divided
    if mean == std:
        return f"{divided}-1"
    minus = f"(pixel-{mean:.6g})" if mean > 0 else f"(pixel+{-mean:.6g})"
    return minus if std == 1 else f"{minus}/{std:.6g}"


def _numbers(values: tuple[float, ...]) -> str:
    if len({*values}) == 1:
        return f"{values[0]:.6g}"
    return "[" + ", ".join(f"{value:.6g}" for value in values) + "]"
