"""The methods of PixelLib's `alter_bg` for pictures and frames."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.drawing.look import Look
from edgeseg.runtime.pictures.originals import check_apart
from edgeseg.runtime.pixellib.frames import draw, picture_of
from edgeseg.runtime.pixellib.model import Model

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Array

    Drawn = NDArray[np.uint8]

# Strengths of the effect `blur` that look like PixelLib's on a picture of 640x480: its
# means over 21, 39 and 81 pixels have the deviation of Gaussians of 6, 11 and 23
_LOW, _MODERATE, _EXTREME = 19, 35, 73


class PictureBackground:
    """Changes the background of pictures; see `alter_bg`."""

    def __init__(self, model_type: str = "h5") -> None:
        self._model: Model | None = None

    def load_pascalvoc_model(self, model_path: Path | str) -> None:
        """Choose the model; see the module for which."""
        self._model = Model.load(model_path, "pascal-voc", shipped=True)

    def segmentAsPascalvoc(
        self, image_path: Path | str | Array, process_frame: bool = False
    ) -> tuple[NDArray[np.uint8], Drawn]:
        """Return the class ids ``(H, W)`` uint8 of a picture, and their colours BGR."""
        model = self._loaded()
        frame = picture_of(image_path, is_frame=process_frame)
        result, drawn = draw(model, frame, Look("mask"), None)
        return model.ids(result), drawn

    def change_bg_img(
        self,
        f_image_path: Path | str,
        b_image_path: Path | str,
        output_image_name: Path | str | None = None,
        verbose: object = None,
        detect: str | None = None,
    ) -> Drawn:
        """Put the picture `b_image_path` behind the subject of `f_image_path`.

        It fills the picture with its aspect kept, where PixelLib stretches it.
        """
        look = look_of(f"picture:{b_image_path}", detect)
        if output_image_name is not None:
            path = Path(output_image_name)
            check_apart(path, b_image_path, option="output_image_name")
        return self._draw(f_image_path, look, output_image_name)

    def change_frame_bg(
        self,
        frame: Array,
        b_image_path: Path | str,
        verbose: object = None,
        detect: str | None = None,
    ) -> Drawn:
        """Put a picture behind the subject of a frame."""
        return self._draw_frame(frame, look_of(f"picture:{b_image_path}", detect))

    def color_bg(
        self,
        image_path: Path | str,
        colors: Sequence[int],
        output_image_name: Path | str | None = None,
        verbose: object = None,
        detect: str | None = None,
    ) -> Drawn:
        """Put one colour (red, green, blue) behind the subject of a picture."""
        return self._draw(image_path, colour_look(colors, detect), output_image_name)

    def color_frame(
        self,
        frame: Array,
        colors: Sequence[int],
        verbose: object = None,
        detect: str | None = None,
    ) -> Drawn:
        """Put one colour behind the subject of a frame."""
        return self._draw_frame(frame, colour_look(colors, detect))

    def blur_bg(
        self,
        image_path: Path | str,
        low: bool = False,
        moderate: bool = False,
        extreme: bool = False,
        output_image_name: Path | str | None = None,
        verbose: object = None,
        detect: str | None = None,
    ) -> Drawn:
        """Blur the background of a picture; moderately if nothing is said."""
        look = blur_look(low, moderate, extreme, detect)
        return self._draw(image_path, look, output_image_name)

    def blur_frame(
        self,
        frame: Array,
        low: bool = False,
        moderate: bool = False,
        extreme: bool = False,
        verbose: object = None,
        detect: str | None = None,
    ) -> Drawn:
        """Blur the background of a frame."""
        return self._draw_frame(frame, blur_look(low, moderate, extreme, detect))

    def gray_bg(
        self,
        image_path: Path | str,
        output_image_name: Path | str | None = None,
        verbose: object = None,
        detect: str | None = None,
    ) -> Drawn:
        """Take the colour out of the background of a picture."""
        return self._draw(image_path, look_of("grey", detect), output_image_name)

    def gray_frame(
        self, frame: Array, verbose: object = None, detect: str | None = None
    ) -> Drawn:
        """Take the colour out of the background of a frame."""
        return self._draw_frame(frame, look_of("grey", detect))

    def _loaded(self) -> Model:
        if self._model is None:
            raise InputError("no model: call load_pascalvoc_model first")
        return self._model

    def _draw(self, image: Path | str, look: Look, output: Path | str | None) -> Drawn:
        model = self._loaded()
        frame = picture_of(image, is_frame=False)
        return draw(model, frame, look, output, image)[1]

    def _draw_frame(self, frame: Array, look: Look) -> Drawn:
        model = self._loaded()
        return draw(model, picture_of(frame, is_frame=True), look, None)[1]


def look_of(effect: str, detect: str | None) -> Look:
    """Return the look of an effect around one class, or all."""
    return Look(effect, classes=() if detect is None else (detect,))


def blur_look(low: bool, moderate: bool, extreme: bool, detect: str | None) -> Look:
    """Return the look of PixelLib's three blurs; moderate if none is named."""
    chosen = ((extreme, _EXTREME), (moderate, _MODERATE), (low, _LOW))
    strength = next((strength for is_it, strength in chosen if is_it), _MODERATE)
    return look_of(f"blur:{strength}", detect)


def colour_look(colors: Sequence[int], detect: str | None) -> Look:
    """Return the look of one colour: red, green, blue."""
    values = [int(value) for value in colors]
    if len(values) != 3 or not all(0 <= value <= 255 for value in values):
        raise InputError(f"colors: expected red, green, blue 0..255, got {colors}")
    return look_of("colour:#" + "".join(f"{value:02X}" for value in values), detect)
