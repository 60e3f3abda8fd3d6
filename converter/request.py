"""What a conversion is asked for, as values that travel to another process."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeseg.converter.loading.load import Loading
from edgeseg.converter.quantization.heads import HEADS
from edgeseg.converter.quantization.interface import INTERFACES
from edgeseg.converter.quantization.rewrites import POOLING
from edgeseg.converter.recipes import load_recipe
from edgeseg.devices import InputError
from edgeseg.runtime import Overrides

if TYPE_CHECKING:
    from typing_extensions import Self


# Files that the process that converts leaves in its folder
RESULT, RANGES = "result.tflite", "ranges.json"


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

    def check(self) -> None:
        """Raise `InputError` on what can be told wrong without loading anything."""
        _one_of("head", self.head, HEADS)
        _one_of("pooling", self.pooling, POOLING)
        if self.io is not None:
            _one_of("io", self.io, INTERFACES)
        recipe = load_recipe(self.recipe)
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

    @property
    def saved_ranges(self) -> Path | None:
        """The calibration where it is a file of ranges."""
        if self.calibration is not None and self.calibration.is_file():
            return self.calibration
        return None

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {**_plain(dataclasses.asdict(self))}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
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
        )


def _scoring(values: dict[str, Any]) -> Scoring:
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
