"""A model, its manifest and a device: picture in, class ids out."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError, ManifestError, open_device
from edgeseg.devices.base import Closing
from edgeseg.devices.plain_files import check_file_or_folder
from edgeseg.runtime.model.head import head_of
from edgeseg.runtime.model.overrides import Overrides, manifest_for
from edgeseg.runtime.model.tensors import (
    colours_of,
    image_input,
    input_hw_of,
    scores_output,
)
from edgeseg.runtime.segmentation.class_ids import class_ids
from edgeseg.runtime.segmentation.letterbox import Letterbox
from edgeseg.runtime.segmentation.other_inputs import tensor_writer
from edgeseg.runtime.segmentation.segmentation import Segmentation
from edgeseg.runtime.shipped import find_model

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray
    from typing_extensions import Self

    from edgeseg.devices import Device, TensorSpec
    from edgeseg.devices.types import Array
    from edgeseg.runtime.model.manifest import Manifest


__all__ = ["Segmentation", "Segmenter", "check_frame"]

_WITH_MASK = 4  # channels: RGB and the mask


class Segmenter(Closing):
    """Segments pictures of any size with one model on one device.

    Used by one thread at a time: the input tensor's memory serves every picture. What
    it returns is the caller's own.

    Parameters
    ----------
    device : Device
        Open, with the model loaded; closed together with the segmenter.
    manifest : Manifest
        How to feed the model and how to read its output.
    output_name : str or None
        Of a model with several outputs, the one to read; see `scores_output`.

    Attributes
    ----------
    output : TensorSpec
        The output that is read, with the shape of a map.

    Raises
    ------
    ModelError
        The model is no segmentation model.
    ManifestError
        The manifest contradicts the model's tensors.
    """

    def __init__(
        self, device: Device, manifest: Manifest, output_name: str | None = None
    ) -> None:
        self.device = device
        self.manifest = manifest
        self._input = image_input(device.inputs)
        labels = len(manifest.labels)
        self._place, self.output = scores_output(
            device.outputs, self.input_hw, output_name, labels
        )
        self.head = head_of(self.output, manifest.head, labels)
        self._check_manifest()
        self._tensor = tensor_writer(self._input, manifest)

    @classmethod
    def open(
        cls,
        path: Path | str,
        *,
        device: str = "auto",
        threads: int | None = None,
        overrides: Overrides | None = None,
    ) -> Self:
        """Open a ``.tflite`` file.

        Parameters
        ----------
        path : Path or str
            The model file, or ``"animals"``, the one that ships. Its own manifest is
            used, else its sidecar's, else what its tensors say.
        device : str
            Device string; see `open_device`.
        threads : int or None
            Threads of an inference; None takes the physical cores.
        overrides : Overrides or None
            What to use instead of what the file says.

        Raises
        ------
        ModelError, ManifestError, UnknownPluginError, MissingDriverError
            The model cannot be used here; the message says why.
        """
        path = find_model(path)
        check_file_or_folder(path)
        opened = open_device(device, path, threads=threads)
        said = overrides or Overrides()
        name = said.output_name
        try:
            manifest = manifest_for(path, opened.inputs, opened.outputs, name)
            return cls(opened, said.apply(manifest), name)
        except BaseException:
            opened.close()
            raise

    @property
    def input_hw(self) -> tuple[int, int]:
        """Height and width of the network's input in pixels."""
        return input_hw_of(self._input)

    @property
    def takes_mask(self) -> bool:
        """Whether the network sees the mask of the frame before; see `PreviousMask`."""
        return colours_of(self._input) == _WITH_MASK

    def tensor(self, frame: NDArray[np.uint8]) -> Array:
        """Return a fresh input tensor for a picture; see `segment` for its form.

        Calibration uses this, so that it sees exactly what the board will see.
        """
        check_frame(frame)
        return self._tensor.fill(frame).copy()

    def infer(self, tensor: Array) -> Array:
        """Return the output that is read, with the shape of a map.

        Parameters
        ----------
        tensor : ndarray
            From `tensor`.
        """
        return self.device.infer(tensor)[self._place].reshape(self.output.shape)

    def ids_from(
        self,
        output: Array,
        picture_hw: tuple[int, int],
        spec: TensorSpec | None = None,
    ) -> NDArray[np.uint8]:
        """Return class ids ``(H, W)`` uint8 from an output tensor, `output` or another.

        Parameters
        ----------
        output : ndarray
            From `infer`.
        picture_hw : (int, int)
            Height and width of the picture.
        spec : TensorSpec or None
            How the tensor stores scores; None as the model does.
        """
        letterbox = Letterbox.of(picture_hw, self.input_hw, self.manifest.fit)
        return class_ids(
            output, spec or self.output, self.head, letterbox, self.manifest.resize
        )

    def segment(
        self,
        frame: NDArray[np.uint8],
        *,
        steadied: Callable[[Array], Array] | None = None,
        mask: NDArray[np.float32] | None = None,
        answer: Array | None = None,
        last: bool = False,
    ) -> Segmentation:
        """Segment one picture.

        Parameters
        ----------
        frame : ndarray
            ``(H, W, 3)`` uint8 RGB, any size; left as it is.
        steadied : callable or None
            Takes the output tensor and returns what is read in its place, such as
            `Smoother.smooth`.
        mask : ndarray or None
            Of the frame before, for a model that takes it; see `PreviousMask`.
        answer : ndarray or None
            Real scores ``(1, h, w, C)`` that a network in the camera gave to this
            picture: read in place of an inference.
        last : bool
            Close the device once it has answered: its memory is then free for what
            follows, which a large photo needs.

        Returns
        -------
        Segmentation
            Class ids at the picture's own size.

        Raises
        ------
        InputError
            The array is not of that form.
        ModelError
            The device failed.
        """
        times, spec = [time.perf_counter()], self.output
        check_frame(frame)
        if answer is None:
            tensor = self._tensor.fill(frame, mask)
            times.append(time.perf_counter())
            output = self.infer(tensor)
        else:
            # few runs need it
            from edgeseg.runtime.segmentation.camera_answer import answered

            times.append(time.perf_counter())
            output, spec = answered(answer, self.output, self.head)
        times.append(time.perf_counter())
        if last:
            self.device.close()
        resumed = time.perf_counter()
        steady = output if steadied is None else steadied(output)
        ids = self.ids_from(steady, _hw(frame), spec)
        spent_s = {
            "preprocess": times[1] - times[0],
            "invoke": times[2] - times[1],
            "postprocess": time.perf_counter() - resumed,
        }
        spent = {stage: 1000 * seconds for stage, seconds in spent_s.items()}
        return Segmentation(ids, self.manifest.labels, spent)

    def close(self) -> None:
        """Close the device."""
        self.device.close()

    def _check_manifest(self) -> None:
        size = self.manifest.input_size
        if size is not None and tuple(size) != self.input_hw:
            raise ManifestError(
                f"the manifest says input size {size[0]}x{size[1]}, the model takes "
                f"{self.input_hw[0]}x{self.input_hw[1]}: is it another model's?"
            )
        labels, classes = len(self.manifest.labels), self.head.classes
        if labels and classes > 1 and labels != classes:
            raise ManifestError(
                f"expected {classes} labels for a model with {classes} classes, got "
                f"{labels}: choose another --labels"
            )


def check_frame(frame: Array) -> None:
    """Raise `InputError` unless an array is ``(H, W, 3)`` uint8 and not empty."""
    shape, dtype = getattr(frame, "shape", None), str(getattr(frame, "dtype", ""))
    if shape is None or len(shape) != 3 or shape[2] != 3 or dtype != "uint8":
        raise InputError(
            f"expected a frame (H, W, 3) uint8 RGB, got {dtype} {shape or type(frame)}"
            f"{_frame_hint(shape or (), dtype)}"
        )
    if 0 in shape:
        raise InputError(f"expected a frame with pixels, got shape {shape}")


def _frame_hint(shape: tuple[int, ...], dtype: str) -> str:
    """Return what makes a frame of an array that looks like one, or nothing."""
    if len(shape) == 4 and shape[0] == 1:
        return ": one picture, without an axis for several, is frame[0]"
    if len(shape) == 2 or (len(shape) == 3 and shape[2] == 1):
        return ": of grey, cv2.cvtColor(frame, cv2.COLOR_GRAY2RGB) makes RGB"
    if len(shape) == 3 and shape[2] == 4:
        return ": without the fourth channel it is np.ascontiguousarray(frame[..., :3])"
    if len(shape) == 3 and shape[0] == 3 and shape[2] != 3:
        return ": with channels last it is frame.transpose(1, 2, 0)"
    if dtype.startswith("float"):
        return ": of floats 0..1, (frame * 255).round().astype('uint8')"
    return ""


def _hw(frame: Array) -> tuple[int, int]:
    return int(frame.shape[0]), int(frame.shape[1])
