"""The whole way from a Keras model to one self-describing TFLite or ONNX file."""

from __future__ import annotations

import dataclasses
import shutil
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.converter.conversion.hailo import HAILO_FILES, targets_for
from edgeseg.converter.conversion.parity import Parity
from edgeseg.converter.conversion.request import (
    RANGES,
    RESULTS,
    Request,
    Scoring,
    default_recipe,
    format_of,
)
from edgeseg.converter.frameworks import require_extra, require_onnx_extra
from edgeseg.converter.isolation.child import run_isolated
from edgeseg.converter.isolation.folder import temporary_folder
from edgeseg.converter.loading.format import Loading
from edgeseg.converter.recipes import load_recipe
from edgeseg.converter.shipped import find_keras, labels_of
from edgeseg.devices import InputError
from edgeseg.runtime import Overrides
from edgeseg.runtime.model.embedded import sha256
from edgeseg.runtime.pictures.atomic import check_writable, replacing
from edgeseg.runtime.pictures.originals import check_apart
from edgeseg.runtime.pipeline.stopping import stopping_on_signals

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.devices.types import Json

# Limits of the process that converts: Xception-65 at 513 needs a third of each
TIMEOUT_S = 3600.0
MEMORY_GB = 12.0
_JOBS = {
    "tflite": "edgeseg.converter.conversion.tflite:run_job",
    "onnx": "edgeseg.converter.conversion.onnx:run_onnx_job",
}


@dataclass(frozen=True)
class Conversion:
    """The result of a conversion, with its figures.

    Parameters
    ----------
    path : Path
        The file written.
    float_parity : Parity
        Float TFLite against Keras.
    int8_parity : Parity
        The result against float TFLite; of an ``.onnx`` file, against what
        ``details["onnx_parity"]`` says.
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
    seconds : float
        Time that the conversion took.
    peak_bytes : int
        Largest resident memory of its process.
    details : dict of str to JSON value
        Everything else: calibration, accuracy, budget, versions, hashes.
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
    seconds: float
    peak_bytes: int
    details: Json = field(repr=False)

    def to_dict(self) -> Json:
        """Return JSON values."""
        return {
            **self.details,
            "path": str(self.path),
            "sha256": self.sha256,
            "seconds": self.seconds,
            "peak_bytes": self.peak_bytes,
        }


def convert(
    model: Path | str,
    *,
    output: Path | str,
    calibration: Path | str | None = None,
    overrides: Overrides | None = None,
    format: str | None = None,
    recipe: str | None = None,
    head: str = "auto",
    io: str | None = None,
    runtime: str = "edgeseg",
    pooling: str = "resize",
    loading: Loading | None = None,
    scoring: Scoring | None = None,
    report: Path | str | None = None,
    save_ranges: Path | str | None = None,
    timeout_s: float = TIMEOUT_S,
    memory_gb: float = MEMORY_GB,
    progress: Callable[[str], None] | None = None,
) -> Conversion:
    """Convert a Keras segmentation model to int8 TFLite, or to ONNX, and verify it.

    The work is done in a child process: a crash, a time-out or too little memory
    there is an error here, and nothing is left at the output.

    Parameters
    ----------
    model : Path or str
        A ``.keras`` file, an ``.h5`` file or a SavedModel folder; ``"animals"`` is the
        float model that ships, with its labels.
    output : Path or str
        The file to write; nothing is there until everything was verified.
    calibration : Path or str or None
        A folder of at least 32 photos like those the camera will give, or a file that
        `save_ranges` wrote. Recipes that compute in float can do without.
    overrides : Overrides or None
        Labels and preprocessing that the model was trained with.
    format : {"tflite", "onnx"} or None
        None goes by the output's suffix. An ``.onnx`` file holds the float network, or
        with ``"int8"`` one with int8 steps for TensorRT.
    recipe : str or None
        Name of a recipe; see `recipe_names`. None is ``"int8"``, of ONNX
        ``"float32"``; ONNX has these two.
    head : {"auto", "logits", "logits-stride", "labels"}
        Scores at the input's size, at the network's own grid, or class ids; ``auto``
        takes the grid where the network ends in an upsampling.
    io : {"int8", "uint8", "float32"} or None
        Type of the input, and of the output where that is scores.
    runtime : {"edgeseg", "mediapipe", "onnxruntime", "hailo"}
        The program that the file is for; for Hailo's compiler three more are written.
    pooling : {"resize", "tile", "split"}
        How the pooled picture is brought back to the grid; ``split`` and ``tile`` are
        exact rewrites that an Edge TPU maps.
    loading : Loading or None
        Architecture, size and trust; see there.
    scoring : Scoring or None
        Pictures with truth to score float and result on, and what may be lost.
    report : Path or str or None
        Folder that gets ``report.html`` and ``report.json``; also when the budget
        cannot be met.
    save_ranges : Path or str or None
        File that the ranges are written to.
    timeout_s : float
        Limit in seconds.
    memory_gb : float
        Limit of resident memory, in 10**9 bytes.
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
        A step failed, its result differs from what it was made of, the budget cannot
        be met, or a limit was passed.
    OutputError
        The result cannot be written.
    MissingDriverError
        The extra ``convert``, or ``onnx`` for that format, is not installed.
    """
    require_extra()
    chosen = format_of(Path(output), format)
    request = Request(
        model=find_keras(model),
        calibration=None if calibration is None else Path(calibration),
        recipe=recipe or default_recipe(chosen),
        head=head,
        io=io,
        runtime=runtime,
        pooling=pooling,
        loading=loading or Loading(),
        overrides=overrides or Overrides(),
        scoring=scoring,
        report=None if report is None else Path(report),
        format=chosen,
    )
    return convert_request(
        request,
        Path(output),
        save_ranges=None if save_ranges is None else Path(save_ranges),
        timeout_s=timeout_s,
        memory_gb=memory_gb,
        progress=progress,
    )


def convert_request(
    request: Request,
    output: Path,
    *,
    save_ranges: Path | None = None,
    timeout_s: float = TIMEOUT_S,
    memory_gb: float = MEMORY_GB,
    progress: Callable[[str], None] | None = None,
) -> Conversion:
    """Do what a request says; see `convert`."""
    known = labels_of(request.model)
    if known is not None and request.overrides.labels is None:
        named = dataclasses.replace(request.overrides, labels=str(known))
        request = dataclasses.replace(request, overrides=named)
    request.check()
    request = request.for_its_runtime()
    if request.format == "onnx":
        require_onnx_extra()
    if save_ranges is not None and not load_recipe(request.recipe).needs_calibration:
        raise InputError(f"recipe {request.recipe!r} measures no ranges to save")
    targets = {RESULTS[request.format]: output}
    if save_ranges is not None:
        targets[RANGES] = save_ranges
    if request.runtime == "hailo":
        targets |= dict(zip(HAILO_FILES, targets_for(output), strict=True))
    _check_targets(request, targets)
    with stopping_on_signals(), temporary_folder() as folder:
        record = run_isolated(
            _JOBS[request.format],
            {"request": request.to_dict(), "folder": str(folder)},
            progress=progress or (lambda line: None),
            timeout_s=timeout_s,
            memory_bytes=int(memory_gb * 1e9),
            folder=folder,
        )
        with ExitStack() as written:  # all get their names, or none does
            for source, target in targets.items():
                temporary = written.enter_context(replacing(target))
                shutil.copyfile(folder / source, temporary)
    return _conversion(output, record)


def _check_targets(request: Request, targets: dict[str, Path]) -> None:
    scored = None if request.scoring is None else request.scoring.dataset
    read = request.model, request.overrides.labels, scored
    for source, target in targets.items():
        option = "--save-ranges" if source == RANGES else "-o"
        check_writable(target)
        check_apart(target, *read, request.saved_ranges, option=option)
    if request.report is not None:
        for name in ("report.html", "report.json"):
            check_writable(request.report / name)
            check_apart(request.report / name, *read, option="--report")


def _conversion(path: Path, record: Json) -> Conversion:
    parity = record.get("onnx_parity") or record["int8_parity"]
    figures = {f.name: parity[f.name] for f in dataclasses.fields(Parity)}
    seconds, peak = record.pop("seconds"), record.pop("peak_bytes")
    return Conversion(
        path=path,
        float_parity=Parity(**record["parity"]),
        int8_parity=Parity(**figures),
        operators=record["operators"]["result"],
        activations=record["activations"],
        input_dtype=record["input_dtype"],
        output_dtype=record["output_dtype"],
        bytes_float=record["sizes"]["float_bytes"],
        bytes_out=record["sizes"]["result_bytes"],
        sha256=sha256(path),
        seconds=seconds,
        peak_bytes=peak,
        details=record,
    )
