"""Whether MediaPipe's ImageSegmenter runs a file, and what to convert with if not.

It takes a picture of three channels as uint8 or float32, feeds RGB pixels, stretched to
the input, and reads the output as one score a class. Of normalization it knows one mean
and one standard deviation for all channels, and applies them to float inputs alone.

References
----------
"Image segmentation guide", https://ai.google.dev/edge/mediapipe/solutions/vision/image_segmenter
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.converter.quantization.pixel_input import stores_pixels
from edgeseg.runtime.model.head import head_of
from edgeseg.runtime.model.tensors import colours_of, is_nchw

if TYPE_CHECKING:
    from edgeseg.devices import TensorSpec
    from edgeseg.runtime import Manifest
    from edgeseg.runtime.model.graph import OperatorSummary

_TYPES = ("uint8", "float32")


@dataclass(frozen=True)
class Obstacle:
    """Why MediaPipe does not run a file.

    Parameters
    ----------
    text : str
        The reason, and what to convert with.
    is_silent : bool
        It would run the file, or try to, and be wrong.
    """

    text: str
    is_silent: bool = False


def mediapipe_obstacle(graph: OperatorSummary, manifest: Manifest) -> Obstacle | None:
    """Return why MediaPipe does not run a model, or None where it does.

    Parameters
    ----------
    graph : OperatorSummary
        The model, from `read_graph`.
    manifest : Manifest
        How it is fed.
    """
    source, output = graph.inputs[0], graph.outputs[0]
    if is_nchw(source.shape) or colours_of(source) != 3:
        return Obstacle(f"it feeds pictures (1, H, W, 3), not {source.shape}", True)
    if head_of(output).kind == "labels":
        return Obstacle("it reads scores, not class ids: take --head logits", True)
    if {source.dtype, output.dtype} - {*_TYPES}:
        return Obstacle(
            f"it takes uint8 and float32, not {source.dtype}: take --io "
            f"{'float32' if source.dtype == 'int16' else 'uint8'}"
        )
    return _pixel_obstacle(source, manifest)


def _pixel_obstacle(source: TensorSpec, manifest: Manifest) -> Obstacle | None:
    if source.dtype == "uint8" and not stores_pixels(source, manifest):
        return Obstacle("the bytes that the input stores are not RGB pixels", True)
    if manifest.channels != "rgb":
        return Obstacle("it feeds RGB, the input takes BGR: take --io uint8", True)
    is_one = len({*manifest.mean}) == len({*manifest.std}) == 1
    if source.dtype == "float32" and not is_one:
        return Obstacle("it normalizes all channels alike: take --io uint8")
    return None
