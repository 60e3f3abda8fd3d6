"""The whole way from a .keras file to one self-describing int8 TFLite file."""

from __future__ import annotations

import dataclasses
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeseg.converter._frameworks import require_extra
from edgeseg.converter.calibrate import CalibrationTensors, calibration_pictures
from edgeseg.converter.keras_device import open_keras
from edgeseg.converter.lower import lower
from edgeseg.converter.quantize import check_dtypes, quantize
from edgeseg.converter.recipes import load_recipe
from edgeseg.converter.verify import Parity, compare
from edgeseg.devices import ConversionError
from edgeseg.runtime import Overrides, Segmenter
from edgeseg.runtime.atomic import check_writable, write_bytes
from edgeseg.runtime.inspection import read_graph
from edgeseg.runtime.modelfile import append_manifest, sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgeseg.runtime import Manifest

# Pictures that the float model and Keras are compared on
_PARITY_PICTURES = 16
# Keras and float TFLite do the same arithmetic in another order: more than rounding
# at a few borders means a wrong graph (a failed lowering was seen at 81 % and 59 %).
_LEAST_AGREEMENT = 0.999
_LARGEST_DIFFERENCE = 0.01  # of the largest score


@dataclass(frozen=True)
class Conversion:
    """What a conversion made and how it compares.

    Parameters
    ----------
    path : Path
        The file written.
    float_parity : Parity
        Float TFLite against Keras.
    int8_parity : Parity
        The result against float TFLite.
    operators : dict of str to int
        Operators of the result.
    activations : dict of str to int
        Tensors that operators write, by dtype.
    input_dtype, output_dtype : str
        Of the result.
    bytes_float, bytes_out : int
        Sizes of the float TFLite model and of the result.
    sha256 : str
        Of the result.
    """

    path: Path
    float_parity: Parity
    int8_parity: Parity
    operators: dict[str, int]
    activations: dict[str, int]
    input_dtype: str
    output_dtype: str
    bytes_float: int
    bytes_out: int
    sha256: str

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {**dataclasses.asdict(self), "path": str(self.path)}


def convert(
    model: Path | str,
    *,
    calibration: Path | str,
    output: Path | str,
    overrides: Overrides | None = None,
    recipe: str = "int8",
    progress: Callable[[str], None] | None = None,
) -> Conversion:
    """Convert a Keras segmentation model to int8 TFLite and verify it.

    Parameters
    ----------
    model : Path or str
        A ``.keras`` file of fixed input size.
    calibration : Path or str
        A folder of at least 32 photos like those the camera will give.
    output : Path or str
        The file to write; nothing is there until everything was verified.
    overrides : Overrides or None
        Labels and preprocessing that the model was trained with.
    recipe : str
        Name of a recipe; see `recipe_names`.
    progress : callable or None
        Called with a line for each step.

    Returns
    -------
    Conversion
        Figures of the result.

    Raises
    ------
    ModelError, InputError, ManifestError
        Something that was given cannot be used.
    ConversionError
        A step failed, or its result differs from what it was made of.
    MissingDriverError
        The extra ``convert`` is not installed.
    """
    require_extra()
    tell = progress or (lambda line: None)
    source, target = Path(model), Path(output)
    rules = load_recipe(recipe)
    pictures = calibration_pictures(Path(calibration))
    check_writable(target)
    if target.exists() and source.exists() and target.samefile(source):
        raise ConversionError(f"the output {target} is the model itself")
    tell(f"loading {source.name}")
    with open_keras(source, overrides) as reference:
        manifest = dataclasses.replace(
            reference.manifest,
            provenance=_provenance(source, recipe, len(pictures)),
        )
        tell("lowering to float TFLite")
        float_model = lower(reference.device.model)  # type: ignore[attr-defined]
        few = _spread(pictures, _PARITY_PICTURES)
        with _opened(float_model, manifest) as lowered:
            tell(f"comparing with Keras on {len(few)} pictures")
            float_parity = compare(reference, lowered, few)
            _check_parity(float_parity)
            tell(f"calibrating on {len(pictures)} pictures, quantizing")
            tensors = CalibrationTensors(lowered, pictures)
            quantized = quantize(float_model, rules, tensors)
            graph = read_graph(quantized)
            check_dtypes(graph.activations, {"int8"})
            with _opened(quantized, manifest) as result:
                tell(f"comparing int8 with float on {len(few)} pictures")
                int8_parity = compare(lowered, result, few)
    content = append_manifest(quantized, manifest)
    write_bytes(target, content)
    return Conversion(
        path=target,
        float_parity=float_parity,
        int8_parity=int8_parity,
        operators=graph.operators,
        activations={dtype: len(names) for dtype, names in graph.activations.items()},
        input_dtype=graph.inputs[0].dtype,
        output_dtype=graph.outputs[0].dtype,
        bytes_float=len(float_model),
        bytes_out=len(content),
        sha256=sha256(target),
    )


def _opened(model: bytes, manifest: Manifest) -> Segmenter:
    """Open a model that is not a file yet, through the very path a file takes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(append_manifest(model, manifest))
        return Segmenter.open(path)


def _spread(pictures: Sequence[Path], count: int) -> list[Path]:
    return [pictures[i * len(pictures) // count] for i in range(count)]


def _check_parity(parity: Parity) -> None:
    limit = _LARGEST_DIFFERENCE * parity.score_range
    if parity.agreement < _LEAST_AGREEMENT or parity.largest_difference > limit:
        raise ConversionError(
            "the float TFLite model does not answer like Keras: "
            f"{parity.agreement:.2%} of labels agree (at least {_LEAST_AGREEMENT:.1%} "
            f"expected), scores differ by up to {parity.largest_difference:.3g} "
            f"(at most {limit:.3g} expected)"
        )


def _provenance(source: Path, recipe: str, pictures: int) -> dict[str, Any]:
    packages = ("edgeseg", "tensorflow", "keras", "ai-edge-quantizer")
    return {
        "source": source.name,
        "source_sha256": sha256(source) if source.is_file() else "",
        "recipe": recipe,
        "calibration_images": pictures,
        "versions": {name: version(name) for name in packages},
    }
