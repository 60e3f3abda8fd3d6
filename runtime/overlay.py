"""From a picture and class ids to a picture that shows both: pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.manifest import Manifest
    from edgeseg.runtime.segmenter import Segmentation


def colour_table(
    palette: Sequence[tuple[int, int, int]],
) -> NDArray[np.uint8]:
    """Return ``(256, 3)`` uint8 RGB: the palette, then the VOC colour map."""
    import numpy as np

    from edgeseg.runtime.labels import voc_palette

    table = np.array(voc_palette(), np.uint8)
    if palette:
        table[: len(palette)] = palette
    return table


def blend(
    frame: NDArray[np.uint8],
    ids: NDArray[np.uint8],
    table: NDArray[np.uint8],
    *,
    alpha: float = 0.5,
    hidden: Sequence[int] = (0,),
) -> NDArray[np.uint8]:
    """Tint every pixel with the colour of its class.

    Parameters
    ----------
    frame : ndarray
        ``(H, W, 3)`` uint8 RGB, left as it is.
    ids : ndarray
        ``(H, W)`` uint8 class ids.
    table : ndarray
        ``(256, 3)`` uint8 RGB, from `colour_table`.
    alpha : float
        0 shows the frame, 1 the colours.
    hidden : sequence of int
        Class ids whose pixels stay exactly as they are.

    Returns
    -------
    ndarray
        A new frame.
    """
    import cv2
    import numpy as np

    tinted = cv2.addWeighted(frame, 1 - alpha, table[ids], alpha, 0)
    np.copyto(tinted, frame, where=_in(ids, hidden)[..., None])
    return np.asarray(tinted, np.uint8)


def outline(
    frame: NDArray[np.uint8],
    ids: NDArray[np.uint8],
    table: NDArray[np.uint8],
    *,
    hidden: Sequence[int] = (0,),
) -> NDArray[np.uint8]:
    """Draw the border of every area in its class's full colour.

    Parameters are those of `blend`; the line runs inside the areas and grows with
    the picture, one pixel for every 400 of its shorter side.
    """
    import cv2
    import numpy as np

    reach = 1 + 2 * max(1, min(ids.shape) // 400)
    kernel = np.ones((reach, reach), np.uint8)
    differs = cv2.dilate(ids, kernel) != cv2.erode(ids, kernel)
    drawn = frame.copy()
    border = differs & ~_in(ids, hidden)
    drawn[border] = table[ids[border]]
    return drawn


def legend(
    frame: NDArray[np.uint8], names: Sequence[str], colours: Sequence[Sequence[int]]
) -> NDArray[np.uint8]:
    """Write names beside their colours on a dark box in the top left corner.

    Parameters
    ----------
    frame : ndarray
        ``(H, W, 3)`` uint8 RGB, left as it is.
    names : sequence of str
        One line each; what does not fit into the picture is left out.
    colours : sequence of (int, int, int)
        RGB, one a name.
    """
    import cv2

    drawn = frame.copy()
    line = max(14, min(frame.shape[:2]) // 22)
    scale, font = line / 32, cv2.FONT_HERSHEY_SIMPLEX
    shown = list(zip(names, colours, strict=True))[: max(0, frame.shape[0] // line - 1)]
    if not shown:
        return drawn
    widest = max(cv2.getTextSize(_ascii(n), font, scale, 1)[0][0] for n, _ in shown)
    box = drawn[: line * len(shown) + line // 2, : int(line * 1.8) + widest]
    box //= 3
    for row, (name, colour) in enumerate(shown):
        top = row * line + line // 4
        swatch = tuple(int(value) for value in colour)
        cv2.rectangle(drawn, (4, top + 2), (line, top + line - 2), swatch, -1)
        origin = (int(line * 1.3), top + int(line * 0.75))
        white = (255, 255, 255)
        cv2.putText(drawn, _ascii(name), origin, font, scale, white, 1, cv2.LINE_AA)
    return drawn


def draw_overlay(
    frame: NDArray[np.uint8],
    segmentation: Segmentation,
    manifest: Manifest,
    *,
    alpha: float = 0.5,
    contours: bool = False,
    with_legend: bool = False,
) -> NDArray[np.uint8]:
    """Return the picture with its classes tinted, outlined and named as asked.

    Parameters
    ----------
    frame : ndarray
        ``(H, W, 3)`` uint8 RGB, left as it is.
    segmentation : Segmentation
        Of that frame.
    manifest : Manifest
        Gives names and colours; background stays untouched.
    alpha : float
        Strength of the tint, 0..1.
    contours, with_legend : bool
        Draw borders; write the names and shares of the classes found.
    """
    from edgeseg.runtime.labels import background_ids

    hidden = background_ids(manifest.labels)
    table = colour_table(manifest.palette)
    ids = segmentation.ids
    drawn = blend(frame, ids, table, alpha=alpha, hidden=hidden)
    if contours:
        drawn = outline(drawn, ids, table, hidden=hidden)
    if with_legend:
        areas = segmentation.areas
        found = sorted((i for i in areas if i not in hidden), key=lambda i: -areas[i])
        names = [f"{manifest.label(i)} {areas[i] / ids.size:.0%}" for i in found]
        drawn = legend(drawn, names, [table[i] for i in found])
    return drawn


def _in(ids: NDArray[np.uint8], chosen: Sequence[int]) -> NDArray[np.bool_]:
    import numpy as np

    member = np.zeros(256, np.bool_)
    member[list(chosen)] = True
    return member[ids]


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()
