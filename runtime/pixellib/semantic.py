"""PixelLib's `semantic_segmentation`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.pixellib.frames import draw, picture_of, process
from edgeseg.runtime.pixellib.model import ADE20K_HINT, Model, overlay_look

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Array, Json, Untyped
    from edgeseg.runtime.segmentation.segmenter import Segmentation

    Drawn = NDArray[np.uint8]


class semantic_segmentation:
    """Finds the classes of pictures, videos and cameras.

    Parameters
    ----------
    model_type : str
        Taken for PixelLib's sake; the file says what it is.
    """

    def __init__(self, model_type: str = "h5") -> None:
        self._pascal: Model | None = None
        self._ade20k: Model | None = None

    def load_pascalvoc_model(self, model_path: Path | str) -> None:
        """Choose the model of the Pascalvoc methods; see the module for which."""
        self._pascal = Model.load(model_path, "pascal-voc", shipped=True)

    def load_ade20k_model(self, model_path: Path | str) -> None:
        """Choose the model of the Ade20k methods: a ``.tflite`` file.

        Its class ids are ADE20K's 150 where it has those, else its own.
        """
        self._ade20k = Model.load(model_path, "ade20k", shipped=False)

    def segmentAsPascalvoc(
        self,
        image_path: Path | str | Array,
        process_frame: bool = False,
        output_image_name: Path | str | None = None,
        overlay: bool = False,
        verbose: object = None,
    ) -> tuple[Json, Drawn]:
        """Segment a picture.

        Parameters
        ----------
        image_path : Path, str or ndarray
            A file, or with `process_frame` a frame ``(H, W, 3)`` uint8 BGR.
        process_frame : bool
            `image_path` is a frame.
        output_image_name : Path, str or None
            Write the drawing there.
        overlay : bool
            Draw the classes over the picture; else their colours on black.
        verbose : object
            Not used.

        Returns
        -------
        dict, ndarray
            ``class_ids``, those that occur; ``masks``, ``(H, W)`` bool, all but
            background; and, more than PixelLib, ``ids``, ``(H, W)`` uint8. Then the
            drawing ``(H, W, 3)`` uint8 BGR.
        """
        model, look = self._pascalvoc(), overlay_look(overlay)
        frame = picture_of(image_path, is_frame=process_frame)
        result, drawn = draw(model, frame, look, output_image_name, image_path)
        return _pascal_values(model, result), drawn

    def segmentFrameAsPascalvoc(
        self,
        frame: Array,
        output_frame_name: Path | str | None = None,
        overlay: bool = False,
        verbose: object = None,
    ) -> tuple[Json, Drawn]:
        """Segment a frame ``(H, W, 3)`` uint8 BGR; see `segmentAsPascalvoc`."""
        return self.segmentAsPascalvoc(frame, True, output_frame_name, overlay)

    def process_video_pascalvoc(
        self,
        video_path: Path | str,
        overlay: bool = False,
        frames_per_second: float | None = None,
        output_video_name: Path | str | None = None,
    ) -> tuple[Json, Drawn]:
        """Segment a video; return what `segmentAsPascalvoc` does of its last frame."""
        model = self._pascalvoc()
        result, drawn = process(
            model,
            video_path,
            overlay_look(overlay),
            fps=frames_per_second,
            output=output_video_name,
        )
        return _pascal_values(model, result), drawn

    def process_camera_pascalvoc(
        self,
        cam: Untyped,
        overlay: bool = False,
        check_fps: bool = False,
        frames_per_second: float | None = None,
        output_video_name: Path | str | None = None,
        show_frames: bool = False,
        frame_name: str | None = None,
        verbose: object = None,
    ) -> tuple[Json, Drawn]:
        """Segment a camera until Ctrl-C; see `process_video_pascalvoc`.

        Parameters
        ----------
        cam : cv2.VideoCapture, int or str
            What OpenCV has open, a camera's number, or a source such as ``picamera``.
        overlay, frames_per_second, output_video_name
            See `process_video_pascalvoc`.
        check_fps : bool
            Print how many frames a second were done.
        show_frames : bool
            Show what is drawn on the screen, through GStreamer.
        frame_name, verbose : object
            Not used.
        """
        model = self._pascalvoc()
        result, drawn = process(
            model,
            cam,
            overlay_look(overlay),
            fps=frames_per_second,
            output=output_video_name,
            show=show_frames,
            check_fps=check_fps,
        )
        return _pascal_values(model, result), drawn

    def segmentAsAde20k(
        self,
        image_path: Path | str | Array,
        output_image_name: Path | str | None = None,
        overlay: bool = False,
        extract_segmented_objects: bool = False,
        process_frame: bool = False,
        verbose: object = None,
    ) -> tuple[Json, Drawn] | tuple[Json, list[Json], Drawn]:
        """Segment a picture; see `segmentAsPascalvoc` for the parameters.

        Returns
        -------
        dict, ndarray
            ``class_ids``, ``class_names``, ``class_colors`` (RGB) and ``ratios``
            (percent), the largest class first; ``masks`` and ``ids`` as in
            `segmentAsPascalvoc`. With `extract_segmented_objects` a list follows with
            ``class_id``, ``class_name``, ``class_color``, ``masks`` ``(H, W)`` bool
            and ``ratio`` of each class. Then the drawing.
        """
        model, look = self._ade(), overlay_look(overlay)
        frame = picture_of(image_path, is_frame=process_frame)
        result, drawn = draw(model, frame, look, output_image_name, image_path)
        return _ade20k_values(model, result, drawn, extract_segmented_objects)

    def segmentFrameAsAde20k(
        self,
        frame: Array,
        output_frame_name: Path | str | None = None,
        overlay: bool = False,
        verbose: object = None,
        extract_segmented_objects: bool = False,
    ) -> tuple[Json, Drawn] | tuple[Json, list[Json], Drawn]:
        """Segment a frame ``(H, W, 3)`` uint8 BGR; see `segmentAsAde20k`."""
        return self.segmentAsAde20k(
            frame, output_frame_name, overlay, extract_segmented_objects, True
        )

    def process_video_ade20k(
        self,
        video_path: Path | str,
        overlay: bool = False,
        frames_per_second: float | None = None,
        output_video_name: Path | str | None = None,
        extract_segmented_objects: bool = False,
    ) -> tuple[Json, Drawn] | tuple[Json, list[Json], Drawn]:
        """Segment a video; return what `segmentAsAde20k` does of its last frame."""
        model = self._ade()
        result, drawn = process(
            model,
            video_path,
            overlay_look(overlay),
            fps=frames_per_second,
            output=output_video_name,
        )
        return _ade20k_values(model, result, drawn, extract_segmented_objects)

    def process_camera_ade20k(
        self,
        cam: Untyped,
        overlay: bool = False,
        check_fps: bool = False,
        frames_per_second: float | None = None,
        output_video_name: Path | str | None = None,
        show_frames: bool = False,
        frame_name: str | None = None,
        verbose: object = None,
        extract_segmented_objects: bool = False,
    ) -> tuple[Json, Drawn] | tuple[Json, list[Json], Drawn]:
        """Segment a camera; see `process_camera_pascalvoc` and `segmentAsAde20k`."""
        model = self._ade()
        result, drawn = process(
            model,
            cam,
            overlay_look(overlay),
            fps=frames_per_second,
            output=output_video_name,
            show=show_frames,
            check_fps=check_fps,
        )
        return _ade20k_values(model, result, drawn, extract_segmented_objects)

    def _pascalvoc(self) -> Model:
        if self._pascal is None:
            raise InputError("no model: call load_pascalvoc_model first")
        return self._pascal

    def _ade(self) -> Model:
        if self._ade20k is None:
            raise InputError(f"no model: {ADE20K_HINT} with load_ade20k_model")
        return self._ade20k


def _pascal_values(model: Model, result: Segmentation) -> Json:
    import numpy as np

    ids = model.ids(result)
    return {"class_ids": np.unique(ids), "masks": ids != 0, "ids": ids}


def _ade20k_values(
    model: Model, result: Segmentation, drawn: Drawn, extract: bool
) -> tuple[Json, Drawn] | tuple[Json, list[Json], Drawn]:
    from edgeseg.runtime.drawing.overlay import colour_table
    from edgeseg.runtime.model.labels import background_ids

    colours, total = colour_table(model.manifest.palette), result.ids.size
    found = sorted(result.areas, key=lambda class_id: -result.areas[class_id])
    objects = [
        {
            "class_id": int(model.numbers[class_id]),
            "class_name": model.manifest.label(class_id),
            "class_color": colours[class_id],
            "masks": result.ids == class_id,
            "ratio": 100 * result.areas[class_id] / total,
        }
        for class_id in found
    ]
    import numpy as np

    values = {
        "class_ids": [each["class_id"] for each in objects],
        "class_names": [each["class_name"] for each in objects],
        "class_colors": [each["class_color"] for each in objects],
        "masks": ~np.isin(result.ids, background_ids(model.manifest.labels)),
        "ratios": [each["ratio"] for each in objects],
        "ids": model.ids(result),
    }
    return (values, objects, drawn) if extract else (values, drawn)
