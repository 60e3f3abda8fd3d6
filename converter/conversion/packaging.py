"""The last step: type, class ids and manifest around a model's scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.converter.isolation.folder import temporary_folder
from edgeseg.converter.quantization.heads import join_argmax, set_interface
from edgeseg.devices import ConversionError, ModelError
from edgeseg.runtime import Segmenter
from edgeseg.runtime.model.embedded import append_manifest

if TYPE_CHECKING:
    from edgeseg.runtime import Manifest


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

    def wrapped(self, scores: bytes) -> bytes:
        """Return a quantized model with its outer type and head, without manifest."""
        content = join_argmax(scores) if self.labels else scores
        return content if self.io is None else set_interface(content, self.io)

    def open_quantized(self, scores: bytes) -> Segmenter:
        """Open a quantized model as it will be written."""
        return self._open(self.wrapped(scores))

    def open_float(self, scores: bytes) -> Segmenter:
        """Open the float model, with class ids where the result has them."""
        return self._open(join_argmax(scores) if self.labels else scores)

    def _open(self, content: bytes) -> Segmenter:
        """Open what is not a file yet through the very path that a file takes."""
        with temporary_folder() as folder:
            path = folder / "model.tflite"
            path.write_bytes(append_manifest(content, self.manifest))
            try:
                return Segmenter.open(path)
            except ModelError as error:
                # the path is of a temporary file, which means nothing to a user
                reason = str(error).replace(f"{path}", "it").removeprefix("it ")
                raise ConversionError(
                    f"the converted model cannot be run: it {reason}; another --recipe "
                    "may do"
                ) from error
