"""From a picture and class ids to a picture that shows both: pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.runtime.drawing.compositing import compose

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray


def colour_table(
    palette: Sequence[tuple[int, int, int]],
) -> NDArray[np.uint8]:
    """Return ``(256, 3)`` uint8 RGB: the palette, then the VOC colour map."""
    import numpy as np

    from edgeseg.runtime.model.labels import voc_palette

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
    shown: NDArray[np.bool_],
) -> NDArray[np.uint8]:
    """Tint every pixel of the shown classes with the colour of its class.

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
    shown : ndarray
        ``(256,)`` bool; pixels of all other class ids stay exactly as they are.

    Returns
    -------
    ndarray
        A new frame.
    """
    import cv2

    drawn = frame.copy()
    mask = mask_of(ids, shown)
    x, y, width, height = cv2.boundingRect(mask)
    if not width:
        return drawn
    # everything in OpenCV, which lets other threads run and takes no Python memory
    part = (slice(y, y + height), slice(x, x + width))
    tint = cv2.applyColorMap(ids[part], table[:, None])
    tinted = cv2.addWeighted(frame[part], 1 - alpha, tint, alpha, 0)
    cv2.copyTo(tinted, mask[part], drawn[part])
    return drawn


def outline(
    frame: NDArray[np.uint8],
    ids: NDArray[np.uint8],
    table: NDArray[np.uint8],
    *,
    shown: NDArray[np.bool_],
) -> NDArray[np.uint8]:
    """Draw the border of every area in its class's full colour.

    Parameters are those of `blend`; the line runs inside the areas and grows with
    the picture, one pixel for every 400 of its shorter side.
    """
    import cv2
    import numpy as np

    reach = 1 + 2 * max(1, min(ids.shape) // 400)
    kernel = np.ones((reach, reach), np.uint8)
    differs = cv2.compare(cv2.dilate(ids, kernel), cv2.erode(ids, kernel), cv2.CMP_NE)
    border = cv2.bitwise_and(differs, mask_of(ids, shown))
    drawn = frame.copy()
    cv2.copyTo(cv2.applyColorMap(ids, table[:, None]), border, drawn)
    return drawn


def legend(
    frame: NDArray[np.uint8],
    names: Sequence[str],
    colours: Sequence[Sequence[int] | NDArray[np.uint8]],
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


def on_black(cut: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return ``(H, W, 4)`` uint8 with alpha as ``(H, W, 3)`` on a black ground."""
    import cv2
    import numpy as np

    colour = np.asarray(cv2.cvtColor(cut, cv2.COLOR_RGBA2RGB), np.uint8)
    return compose(colour, np.zeros_like(colour), cut[..., 3])


def mask_of(ids: NDArray[np.uint8], shown: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return ``(H, W)`` uint8: 255 where a class is shown, 0 elsewhere."""
    import cv2
    import numpy as np

    return np.asarray(cv2.LUT(ids, shown.astype(np.uint8) * 255), np.uint8)


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()
