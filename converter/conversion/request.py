"""What a conversion is asked for, as values that travel to another process."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeseg.converter.loading.loading import Loading
from edgeseg.converter.quantization.heads import HEADS, INTERFACES
from edgeseg.converter.quantization.rewrites import POOLING
from edgeseg.converter.recipes import load_recipe
from edgeseg.devices import InputError
from edgeseg.runtime import Overrides

if TYPE_CHECKING:
    from typing_extensions import Self

    from edgeseg.devices.types import Json


_FLOAT = "float32"
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
    classes : tuple of str or None
        Names to average over; None takes all that model and data set share.
    merge_others : bool
        See `match_labels`.
    max_drop : float or None
        Points of mIoU, 0..100, that may be lost; None does not mind.
    """

    dataset: Path
    split: str = "val"
    classes: tuple[str, ...] | None = None
    merge_others: bool = False
    max_drop: float | None = None


@dataclass(frozen=True)
class Request:
    """Everything that decides what comes out of a conversion.

    Parameters
    ----------
    model : Path
        The Keras model.
    calibration : Path or None
        A folder of photos, or a file of saved ranges; a recipe that computes in
        float can do without.
    recipe : str
        See `recipe_names`.
    head : {"logits", "logits-stride", "labels"}
        See `edgeseg.converter.quantization.heads`.
    io : {"int8", "uint8", "float32"} or None
        Type of input and scores; None leaves what the recipe gives.
    pooling : {"resize", "tile", "split"}
        See `edgeseg.converter.quantization.rewrites`.
    loading : Loading
        How the model is loaded.
    overrides : Overrides
        Labels and preprocessing.
    scoring : Scoring or None
        Pictures with truth.
    report : Path or None
        Folder for the report.
    format : {"tflite", "onnx"}
        What comes out.
    """

    model: Path
    calibration: Path | None = None
    recipe: str = "int8"
    head: str = "logits"
    io: str | None = None
    pooling: str = "resize"
    loading: Loading = field(default_factory=Loading)
    overrides: Overrides = field(default_factory=Overrides)
    scoring: Scoring | None = None
    report: Path | None = None
    format: str = "tflite"

    def check(self) -> None:
        """Raise `InputError` on what can be told wrong without loading anything."""
        _one_of("head", self.head, HEADS)
        _one_of("pooling", self.pooling, POOLING)
        if self.io is not None:
            _one_of("io", self.io, INTERFACES)
        _one_of("format", self.format, tuple(RESULTS))
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

    def _check_onnx(self) -> None:
        if self.recipe != _FLOAT or self.io not in (None, "float32"):
            raise InputError(
                f"--format onnx takes --recipe {_FLOAT} alone: the network stays in "
                "float32, and TensorRT makes half precision of it on the board; got "
                f"--recipe {self.recipe}{f' --io {self.io}' if self.io else ''}"
            )
        if self.report is not None:
            raise InputError(
                "--report shows what quantization changed: an .onnx file has none of it"
            )
        if self.saved_ranges is not None:
            raise InputError(
                "--format onnx quantizes nothing: --calibration takes a folder of "
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
        return {**_plain(dataclasses.asdict(self))}

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
            io=values["io"],
            pooling=values["pooling"],
            loading=Loading(**loading),
            overrides=Overrides(**overrides),
            scoring=None if scoring is None else _scoring(scoring),
            report=_path(values["report"]),
            format=values["format"],
        )


def format_of(output: Path, asked: str | None) -> str:
    """Return what is to be written: as asked, else as the suffix says.

    Raises
    ------
    InputError
        The two contradict each other.

    Examples
    --------
    >>> format_of(Path("model.onnx"), None)
    'onnx'
    """
    told = output.suffix.lower().removeprefix(".")
    chosen = asked or (told if told in RESULTS else "tflite")
    _one_of("format", chosen, tuple(RESULTS))
    contradicts = told in RESULTS and told != chosen
    if contradicts or (chosen == "onnx" and output.suffix != ".onnx"):
        raise InputError(f"--format {chosen} writes a .{chosen} file, got -o {output}")
    return chosen


def default_recipe(chosen: str) -> str:
    """Return the recipe that a format gets where none is named."""
    return _FLOAT if chosen == "onnx" else "int8"


def _scoring(values: Json) -> Scoring:
    classes = values["classes"]
    return Scoring(
        **{
            **values,
            "dataset": Path(values["dataset"]),
            "classes": None if classes is None else tuple(classes),
        }
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    # absolute: the process that reads it may stand in another folder
    return str(value.absolute()) if isinstance(value, Path) else value


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def _one_of(option: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise InputError(
            f"--{option} must be one of {', '.join(allowed)}; got {value!r}"
        )
