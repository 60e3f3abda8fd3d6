"""The last step: type, class ids and manifest around a model's scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from edgeseg.converter.isolation.folder import temporary_folder
from edgeseg.converter.quantization.heads import join_argmax, set_interface
from edgeseg.converter.quantization.pixel_input import (
    pixel_manifest,
    stores_pixels,
    take_pixels,
)
from edgeseg.devices import ConversionError, ModelError
from edgeseg.runtime import Segmenter
from edgeseg.runtime.model.embedded import append_manifest
from edgeseg.runtime.model.inspection import read_graph

if TYPE_CHECKING:
    from edgeseg.runtime import Manifest


class WrappedModel(NamedTuple):
    """A model with the type and head of its file, and its manifest."""

    content: bytes
    manifest: Manifest


@dataclass(frozen=True)
class Packaging:
    """The types, head and manifest that a model gets so that a camera app can use it.

    Parameters
    ----------
    manifest : Manifest
        Stored with the model.
    labels : bool
        Whether ARG_MAX turns scores into class ids.
    io : {"int8", "uint8", "float32"} or None
        Type of input and scores; None leaves them.
    """

    manifest: Manifest
    labels: bool = False
    io: str | None = None

    def wrapped(self, scores: bytes) -> WrappedModel:
        """Return a quantized model with its outer type and head, without manifest."""
        content = join_argmax(scores) if self.labels else scores
        if self.io is None:
            return WrappedModel(content, self.manifest)
        wrapped = set_interface(content, self.io)
        source = read_graph(wrapped).inputs[0]
        if self.io != "uint8" or stores_pixels(source, self.manifest):
            return WrappedModel(wrapped, self.manifest)
        if read_graph(content).inputs[0].dtype != "int8" or source.shape[3] != 3:
            return WrappedModel(wrapped, self.manifest)
        return WrappedModel(
            set_interface(take_pixels(content, self.manifest), self.io),
            pixel_manifest(self.manifest),
        )

    def open_quantized(self, scores: bytes) -> Segmenter:
        """Open a quantized model as it will be written."""
        return self._open(self.wrapped(scores))

    def open_float(self, scores: bytes) -> Segmenter:
        """Open the float model, with class ids where the result has them."""
        content = join_argmax(scores) if self.labels else scores
        return self._open(WrappedModel(content, self.manifest))

    def _open(self, model: WrappedModel) -> Segmenter:
        """Open what is not a file yet through the very path that a file takes."""
        with temporary_folder() as folder:
            path = folder / "model.tflite"
            path.write_bytes(append_manifest(model.content, model.manifest))
            try:
                return Segmenter.open(path)
            except ModelError as error:
                # the path is of a temporary file, which means nothing to a user
                reason = str(error).replace(f"{path}", "it").removeprefix("it ")
                raise ConversionError(
                    f"the converted model cannot be run: it {reason}; another --recipe "
                    "may do"
                ) from error
