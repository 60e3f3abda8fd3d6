"""A conversion request; JSON-serialisable, because the work runs in a child process."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

from edgeseg.converter.conversion.hailo import check_hailo
from edgeseg.converter.loading.format import Loading
from edgeseg.converter.quantization.heads import HEADS, INTERFACES
from edgeseg.converter.quantization.pooling import POOLING
from edgeseg.converter.recipes import load_recipe, recipe_names
from edgeseg.converter.setting import Setting, json_value, setting
from edgeseg.devices import InputError
from edgeseg.runtime import Overrides
from edgeseg.runtime.accuracy.matching import SHARED, Matching

if TYPE_CHECKING:
    from typing_extensions import Self

    from edgeseg.devices.types import Json


_FLOAT = "float32"
RUNTIMES = ("edgeseg", "mediapipe", "onnxruntime", "hailo")
_ONNX_RECIPES = (_FLOAT, "int8")
# Files that the process that converts leaves in its folder
RANGES = "ranges.json"
RESULTS = {"tflite": "result.tflite", "onnx": "result.onnx"}


@dataclass(frozen=True)
class Scoring:
    """Pictures with truth that float and result are scored on.

    Parameters
    ----------
    dataset : Path
        Their folder; see `open_dataset`.
    split : str
        Name of the list.
    matching : Matching
        Which classes count, and how.
    max_drop : float or None
        Points of mIoU, 0..100, that may be lost; None does not mind.
    """

    dataset: Path
    split: str = "val"
    matching: Matching = SHARED
    max_drop: float | None = setting(
        None,
        Setting(
            "Points of mIoU that may be lost on --dataset; where more are, as few "
            "operators as possible stay in float. Not reachable: nothing is written.",
            metavar="POINTS",
            least=0,
            most=100,
        ),
    )

    def to_dict(self) -> Json:
        """Return JSON values."""
        values = {
            "dataset": self.dataset,
            "split": self.split,
            **dataclasses.asdict(self.matching),
            "max_drop": self.max_drop,
        }
        return cast("Json", json_value(values))

    @classmethod
    def from_dict(cls, values: Json) -> Self:
        """Build what `to_dict` wrote."""
        classes = values["classes"]
        return cls(
            Path(values["dataset"]),
            values["split"],
            Matching(
                None if classes is None else tuple(classes), values["merge_others"]
            ),
            values["max_drop"],
        )


@dataclass(frozen=True)
class Request:
    """Everything that decides what comes out of a conversion."""

    model: Path  # the Keras model
    calibration: Path | None = setting(
        None,
        Setting(
            "Folder of at least 32 photos like those the camera will give, or ranges "
            "that --save-ranges wrote.",
            metavar="DIR|FILE",
        ),
    )
    recipe: str = setting(
        "int8",
        Setting(
            "int8, int8-mixed, int16x8, float16, dynamic-int8 or float32.  "
            "[default: int8; of onnx float32]",
            words=recipe_names,
            computed=True,
        ),
    )
    head: str = setting(
        "auto",
        Setting(
            "Scores at the input's size (logits); scores at the network's grid, which "
            "the host upsamples (logits-stride: less work everywhere, and most on a "
            "Coral); or class ids (labels). auto takes the grid where the network ends "
            "in an upsampling.",
            choices=HEADS,
        ),
    )
    runtime: str = setting(
        "edgeseg",
        Setting(
            "The program that the file is for. mediapipe (Android, iOS): uint8 pixels, "
            "and scores at the input's size. onnxruntime, for int8 .onnx files: zero "
            "points, which use all 8 bits; without it steps are symmetric, since "
            "TensorRT takes no others. hailo (.onnx): what its compiler takes.",
            flag="--for",
            choices=RUNTIMES,
        ),
    )
    io: str | None = setting(
        None,
        Setting(
            "Type of the input, and of scores; MediaPipe (Android, iOS) takes uint8 "
            "and float32.  [default: the recipe's]",
            choices=INTERFACES,
        ),
    )
    pooling: str = setting(
        "resize",
        Setting(
            "How the pooled picture of a DeepLab comes back to the grid: as the "
            "model does; repeated by TILE; or by a convolution cut in two and ADD. The "
            "latter two are exact, and let an Edge TPU run what follows.",
            choices=POOLING,
        ),
    )
    loading: Loading = field(default_factory=Loading)
    overrides: Overrides = field(default_factory=Overrides)
    scoring: Scoring | None = None
    report: Path | None = setting(
        None, Setting("Write report.html and report.json.", metavar="DIR")
    )
    format: str = setting(
        "tflite",
        Setting(
            "onnx is for jetson:tensorrt: float32, computed in half precision there, "
            "or int8 steps with --recipe int8.  [default: by the output's suffix]",
            choices=tuple(RESULTS),
            computed=True,
        ),
    )

    def check(self) -> None:
        """Raise `InputError` on what is wrong whatever the files hold."""
        _one_of("head", self.head, HEADS)
        _one_of("pooling", self.pooling, POOLING)
        if self.io is not None:
            _one_of("io", self.io, INTERFACES)
        _one_of("format", self.format, tuple(RESULTS))
        _one_of("for", self.runtime, RUNTIMES)
        if self.runtime == "mediapipe":
            self._check_mediapipe()
        made = f"--format {self.format} --recipe {self.recipe}"
        if self.runtime == "onnxruntime" and made != "--format onnx --recipe int8":
            raise InputError(
                f"--for onnxruntime goes with --format onnx --recipe int8, got {made}"
            )
        if self.runtime == "hailo":
            check_hailo(self.format, self.recipe, self.head, self.calibration)
        recipe = load_recipe(self.recipe)
        if self.format == "onnx":
            self._check_onnx()
        if recipe.needs_calibration and self.calibration is None:
            raise InputError(
                f"recipe {self.recipe!r} needs --calibration: a folder of photos like "
                "those the camera will give, or a file that --save-ranges wrote"
            )
        if self.io in ("int8", "uint8") and "float32" in recipe.activations[:1]:
            raise InputError(
                f"recipe {self.recipe!r} computes in float: --io {self.io} needs a "
                "recipe with integer activations, such as int8"
            )

    def _check_mediapipe(self) -> None:
        if self.head == "labels" or self.io == "int8" or self.format == "onnx":
            raise InputError(
                "--for mediapipe: it runs .tflite files that take uint8 or float32 "
                "pixels and give scores; leave --head, --io and --format out"
            )

    def for_its_runtime(self) -> Request:
        """Return the request with what its runtime needs in place of what is open."""
        if self.runtime != "mediapipe":
            return self
        computes_in_float = "float32" in load_recipe(self.recipe).activations[:1]
        return dataclasses.replace(
            self,
            head="logits" if self.head == "auto" else self.head,
            io=self.io or (_FLOAT if computes_in_float else "uint8"),
        )

    def _check_onnx(self) -> None:
        if self.recipe not in _ONNX_RECIPES or self.io not in (None, _FLOAT):
            raise InputError(
                f"--format onnx takes --recipe {' or '.join(_ONNX_RECIPES)} (the board "
                "makes half precision) and float32 at its ends, got --recipe "
                f"{self.recipe}{f' --io {self.io}' if self.io else ''}"
            )
        if self.report is not None:
            raise InputError(
                "--report compares the layers of .tflite files: take --json for .onnx"
            )
        if self.saved_ranges is not None and self.recipe == _FLOAT:
            raise InputError(
                f"--recipe {_FLOAT} quantizes nothing: --calibration takes a folder of "
                f"photos to compare on, not the ranges in {self.calibration}"
            )

    @property
    def saved_ranges(self) -> Path | None:
        """The calibration where it is a file of ranges."""
        if self.calibration is not None and self.calibration.is_file():
            return self.calibration
        return None

    def to_dict(self) -> Json:
        """Return JSON values."""
        scoring = None if self.scoring is None else self.scoring.to_dict()
        values = json_value({**dataclasses.asdict(self), "scoring": scoring})
        return cast("Json", values)

    @classmethod
    def from_dict(cls, values: Json) -> Self:
        """Build a request from what `to_dict` gave."""
        loading, overrides = dict(values["loading"]), dict(values["overrides"])
        if loading["size"] is not None:
            loading["size"] = tuple(loading["size"])
        if overrides["normalize"] is not None:
            overrides["normalize"] = tuple(overrides["normalize"])
        scoring = values["scoring"]
        return cls(
            model=Path(values["model"]),
            calibration=_path(values["calibration"]),
            recipe=values["recipe"],
            head=values["head"],
            runtime=values["runtime"],
            io=values["io"],
            pooling=values["pooling"],
            loading=Loading(**loading),
            overrides=Overrides(**overrides),
            scoring=None if scoring is None else Scoring.from_dict(scoring),
            report=_path(values["report"]),
            format=values["format"],
        )


def format_of(output: Path, wanted: str | None) -> str:
    """Return the format of a result: the requested one, else that of the suffix.

    Raises
    ------
    InputError
        The two contradict each other.

    Examples
    --------
    >>> format_of(Path("model.onnx"), None)
    'onnx'
    """
    suffix = output.suffix.lower().removeprefix(".")
    chosen = wanted or (suffix if suffix in RESULTS else "tflite")
    _one_of("format", chosen, tuple(RESULTS))
    contradicts = suffix in RESULTS and suffix != chosen
    if contradicts or (chosen == "onnx" and output.suffix != ".onnx"):
        raise InputError(f"--format {chosen} writes a .{chosen} file, got -o {output}")
    return chosen


def default_recipe(chosen: str) -> str:
    """Return the recipe that a format gets where none is named."""
    return _FLOAT if chosen == "onnx" else "int8"


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def _one_of(option: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise InputError(
            f"--{option} must be one of {', '.join(allowed)}; got {value!r}"
        )
