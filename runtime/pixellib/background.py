"""PixelLib's `alter_bg`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.runtime.pixellib.frames import process
from edgeseg.runtime.pixellib.picture_background import (
    PictureBackground,
    blur_look,
    colour_look,
    look_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Untyped
    from edgeseg.runtime.drawing.look import Look

    Drawn = NDArray[np.uint8]


class alter_bg(PictureBackground):
    """Changes the background of pictures, videos and cameras.

    `detect` is the name of the class that stays, all classes if None; an unknown name
    is an error. Frames are ``(H, W, 3)`` uint8 BGR, and so is what is returned: of
    videos and cameras the last frame. `frames_per_second`, `show_frames` and
    `check_fps` are those of `semantic_segmentation`; `verbose` and `frame_name` are not
    used.

    Parameters
    ----------
    model_type : str
        Taken for PixelLib's sake; the file says what it is.
    """

    def change_video_bg(
        self,
        video_path: Path | str,
        b_image_path: Path | str,
        frames_per_second: float | None = None,
        output_video_name: Path | str | None = None,
        detect: str | None = None,
    ) -> Drawn:
        """Put a picture behind the subject of a video."""
        look = look_of(f"picture:{b_image_path}", detect)
        return self._process(video_path, look, frames_per_second, output_video_name)

    def change_camera_bg(
        self,
        cam: Untyped,
        b_image_path: Path | str,
        frames_per_second: float | None = None,
        check_fps: bool = False,
        show_frames: bool = False,
        frame_name: str | None = None,
        verbose: object = None,
        output_video_name: Path | str | None = None,
        detect: str | None = None,
    ) -> Drawn:
        """Put a picture behind the subject of a camera."""
        look = look_of(f"picture:{b_image_path}", detect)
        shown = check_fps, show_frames
        return self._process(cam, look, frames_per_second, output_video_name, *shown)

    def color_video(
        self,
        video_path: Path | str,
        colors: Sequence[int],
        frames_per_second: float | None = None,
        output_video_name: Path | str | None = None,
        detect: str | None = None,
    ) -> Drawn:
        """Put one colour behind the subject of a video."""
        look = colour_look(colors, detect)
        return self._process(video_path, look, frames_per_second, output_video_name)

    def color_camera(
        self,
        cam: Untyped,
        colors: Sequence[int],
        frames_per_second: float | None = None,
        check_fps: bool = False,
        show_frames: bool = False,
        frame_name: str | None = None,
        verbose: object = None,
        output_video_name: Path | str | None = None,
        detect: str | None = None,
    ) -> Drawn:
        """Put one colour behind the subject of a camera."""
        look, shown = colour_look(colors, detect), (check_fps, show_frames)
        return self._process(cam, look, frames_per_second, output_video_name, *shown)

    def blur_video(
        self,
        video_path: Path | str,
        low: bool = False,
        moderate: bool = False,
        extreme: bool = False,
        frames_per_second: float | None = None,
        output_video_name: Path | str | None = None,
        detect: str | None = None,
    ) -> Drawn:
        """Blur the background of a video."""
        look = blur_look(low, moderate, extreme, detect)
        return self._process(video_path, look, frames_per_second, output_video_name)

    def blur_camera(
        self,
        cam: Untyped,
        low: bool = False,
        moderate: bool = False,
        extreme: bool = False,
        frames_per_second: float | None = None,
        check_fps: bool = False,
        show_frames: bool = False,
        frame_name: str | None = None,
        verbose: object = None,
        output_video_name: Path | str | None = None,
        detect: str | None = None,
    ) -> Drawn:
        """Blur the background of a camera."""
        look, shown = (
            blur_look(low, moderate, extreme, detect),
            (check_fps, show_frames),
        )
        return self._process(cam, look, frames_per_second, output_video_name, *shown)

    def gray_video(
        self,
        video_path: Path | str,
        frames_per_second: float | None = None,
        output_video_name: Path | str | None = None,
        detect: str | None = None,
    ) -> Drawn:
        """Take the colour out of the background of a video."""
        look = look_of("grey", detect)
        return self._process(video_path, look, frames_per_second, output_video_name)

    def gray_camera(
        self,
        cam: Untyped,
        frames_per_second: float | None = None,
        check_fps: bool = False,
        show_frames: bool = False,
        frame_name: str | None = None,
        verbose: object = None,
        output_video_name: Path | str | None = None,
        detect: str | None = None,
    ) -> Drawn:
        """Take the colour out of the background of a camera."""
        look, shown = look_of("grey", detect), (check_fps, show_frames)
        return self._process(cam, look, frames_per_second, output_video_name, *shown)

    def _process(
        self,
        video: Untyped,
        look: Look,
        fps: float | None,
        output: Path | str | None,
        check_fps: bool = False,
        show: bool = False,
    ) -> Drawn:
        return process(
            self._loaded(),
            video,
            look,
            fps=fps,
            output=output,
            show=show,
            check_fps=check_fps,
        )[1]
