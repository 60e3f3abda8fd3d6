"""A Keras model lowered to float TFLite, and compared with Keras."""

from __future__ import annotations

import dataclasses
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from edgeseg.converter.cause import cause
from edgeseg.converter.conversion.keras_device import segmenter_of
from edgeseg.converter.conversion.original import compare_with_original
from edgeseg.converter.conversion.packaging import Packaging
from edgeseg.converter.conversion.parity import Parity, check_parity, compare
from edgeseg.converter.conversion.preprocessing import prepare_input
from edgeseg.converter.conversion.tensor_names import name_by_layer
from edgeseg.converter.frameworks import need, third_party
from edgeseg.converter.loading.load import load_model
from edgeseg.converter.networks.folding import fold_for_inference
from edgeseg.converter.quantization.heads import apply_head
from edgeseg.converter.quantization.nearest import join_repeats
from edgeseg.converter.quantization.origin import Origin, processor, weights_digest
from edgeseg.converter.quantization.pooling import rewrite_pooling
from edgeseg.devices import ConversionError
from edgeseg.runtime.model.embedded import sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from edgeseg.converter.conversion.pictures import ConversionPictures
    from edgeseg.converter.conversion.request import Request
    from edgeseg.converter.frameworks import KerasModel
    from edgeseg.converter.loading.format import Loaded, Original
    from edgeseg.converter.quantization.ranges_file import SavedRanges
    from edgeseg.devices.types import Json
    from edgeseg.runtime import Manifest, Segmenter


_PACKAGES = ("edgeseg", "tensorflow", "keras", "ai-edge-quantizer", "ai-edge-litert")
_AUTO = {
    "logits": "head: scores at the network's own end, where it has no upsampling",
    "logits-stride": "head: scores at the network's grid, upsampled by the host "
    "(--head logits: at the input's size)",
}


@dataclass(frozen=True)
class FloatModel:
    """The reference of a conversion.

    Parameters
    ----------
    content : bytes
        Float TFLite model with the requested head; its output is scores.
    manifest : Manifest
        How to feed and read it, and everything made of it.
    parity : Parity
        The whole model against Keras.
    origin : Origin
        Weights and options that it was made of.
    notes : tuple of str
        What a user should know of how it was loaded.
    original : Original or None
        The file that it was read from, where that can be run itself.
    original_parity : Parity or None
        That file against the network.
    preprocessing : str
        What the network sees of a picture, and how that is known, in words.
    head : str
        Which of `HEADS` it has, where ``auto`` left it open.
    """

    content: bytes
    manifest: Manifest
    parity: Parity
    origin: Origin
    notes: tuple[str, ...]
    original: Original | None = None
    original_parity: Parity | None = None
    preprocessing: str = ""
    head: str = "logits"


def make_float_model(
    request: Request, pictures: ConversionPictures, progress: Callable[[str], None]
) -> FloatModel:
    """Load a Keras model, lower it and compare the two; see `open_float_model`."""
    with open_float_model(request, pictures, progress) as (model, _):
        return model


@contextmanager
def open_float_model(
    request: Request, pictures: ConversionPictures, progress: Callable[[str], None]
) -> Iterator[tuple[FloatModel, Segmenter]]:
    """Load a Keras model, lower it, compare the two, and keep Keras open.

    Yields
    ------
    FloatModel, Segmenter
        The float model, and Keras to hold other models against.

    Raises
    ------
    ModelError, InputError, ManifestError
        The file or what was said of it cannot be used.
    ConversionError
        It does not lower, or answers differently from Keras.
    """
    progress(f"loading {request.model.name}")
    loaded = load_model(request.model, request.loading)
    for note in loaded.notes:
        progress(f"note: {note}")
    with segmenter_of(loaded, request.overrides) as keras:
        prepared = prepare_input(
            loaded.model,
            keras.manifest,
            request.overrides,
            is_known=loaded.original is not None and loaded.original.says_input,
        )
        progress(prepared.text)
        progress("lowering to float TFLite")
        fold = not _is_of_version_1(pictures.saved_ranges)
        content = join_repeats(lower(prepared.model, fold=fold))
        lowered = rewrite_pooling(content, request.pooling)
        frames = pictures.compared()
        notes, file_parity = list(loaded.notes), None
        if loaded.original is not None:
            progress(f"comparing with {request.model.name} itself")
            file = compare_with_original(loaded.original, keras, request, frames)
            file_parity = None if file is None else file.parity
            if file is not None and file.note is not None:
                progress(f"note: {file.note}")
                notes.append(file.note)
        progress(f"comparing with Keras on {len(frames)} {pictures.compared_with}")
        with Packaging(prepared.manifest).open_float(lowered) as candidate:
            parity = compare(keras, candidate, frames)
            doubt = prepared.doubt(loaded.model, candidate, frames)
        check_parity(parity)
        if doubt is not None:
            notes.append(doubt)
            progress(f"warning: {doubt}")
        saved = pictures.saved_ranges
        wanted = request.head if saved is None else saved.head(request.head)
        headed = apply_head(lowered, wanted)
        request = dataclasses.replace(request, head=headed.chosen)
        if wanted == "auto":
            progress(_AUTO[headed.chosen])
        manifest = dataclasses.replace(
            prepared.manifest, provenance=_provenance(request)
        )
        if headed.resize is not None:
            manifest = dataclasses.replace(manifest, resize=headed.resize)
        if headed.head is not None:
            manifest = dataclasses.replace(manifest, head=headed.head)
        origin = _origin(request, loaded)
        model = FloatModel(
            headed.content,
            manifest,
            parity,
            origin,
            tuple(notes),
            loaded.original,
            file_parity,
            prepared.text,
            headed.chosen,
        )
        yield model, keras


def _is_of_version_1(ranges: SavedRanges | None) -> bool:
    """Return whether ranges go by a graph whose batch norms TensorFlow folded."""
    return ranges is not None and ranges.version == 1


def _origin(request: Request, loaded: Loaded) -> Origin:
    options = {
        "--size": list(loaded.model.inputs[0].shape[1:3]),
        "--head": request.head,
        "--pooling": request.pooling,
        "--arch": request.loading.arch,
        "--output-stride": request.loading.output_stride,
        "--resize": loaded.resize,
    }
    made_with = {**_versions(), "processor": processor()}
    return Origin(weights_digest(loaded.model), options, made_with)


def _versions() -> dict[str, str]:
    return {name: version(name) for name in _PACKAGES}


def _provenance(request: Request) -> Json:
    return {
        "source": request.model.name,
        "source_sha256": _digest(request.model),
        "recipe": request.recipe,
        "head": request.head,
        "pooling": request.pooling,
        "versions": _versions(),
    }


def _digest(model: Path) -> str:
    """Return the SHA-256 of a file, or of a SavedModel's graph."""
    return sha256(model / "saved_model.pb" if model.is_dir() else model)


def lower(model: KerasModel, *, fold: bool = True) -> bytes:
    """Return a Keras model of fixed shape as a float TFLite flatbuffer.

    Batch norms are folded before, and tensors named after, so that the bits and names
    of the result depend on the model alone: see `fold_for_inference` and
    `name_by_layer`.

    The model itself is handed to TensorFlow's converter: going through a concrete
    function was measured to give NaN without an error on Keras 3 models.

    Parameters
    ----------
    model : keras.Model
        From `load_keras`.
    fold : bool
        False leaves both to TensorFlow, whose bits depend on the processor.

    Raises
    ------
    ConversionError
        TensorFlow cannot convert it.
    """
    if not fold:
        return _lowered(model)
    folded = fold_for_inference(model)
    operations = getattr(folded, "operations", ()) or getattr(folded, "layers", ())
    return name_by_layer(_lowered(folded), [each.name for each in operations])


def _lowered(model: KerasModel) -> bytes:
    tf = need("tensorflow")
    convert: Callable[[], bytes] = tf.lite.TFLiteConverter.from_keras_model(
        model
    ).convert
    try:
        with third_party():
            return convert()
    except (ValueError, RuntimeError, TypeError, NotImplementedError) as error:
        raise ConversionError(
            f"TensorFlow cannot convert the model: {cause(error)}"
        ) from error
    except Exception as error:
        # ConverterError derives from Exception alone and lives in a private module
        if type(error).__name__ != "ConverterError":
            raise
        raise ConversionError(
            f"TensorFlow cannot convert the model: {cause(error)}"
        ) from error
