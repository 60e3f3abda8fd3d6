"""From records to the rows of the page's tables: accuracy and latency."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from edgeseg.benchmarks.latency.bench import KIND as BENCH
from edgeseg.benchmarks.latency.text import run_title, sizes_text
from edgeseg.benchmarks.page.records import ACCURACY, CONVERSIONS, PAIR
from edgeseg.devices import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from edgeseg.benchmarks.page.records import Record
    from edgeseg.devices.types import Json

Row = TypeVar("Row")
_SCORES = ("miou", "pixel_accuracy", "mean_accuracy", "fw_iou")


@dataclass(frozen=True)
class AccuracyRow:
    """Scores of one model on one set of pictures.

    Parameters
    ----------
    record : Record
        Where they stand.
    model, model_sha256 : str
        The file.
    recipe : str
        How it was quantized, as far as that is known.
    data : str
        Data set, pictures and classes: rows are comparable where it is the same.
    scores : mapping
        ``miou``, ``pixel_accuracy``, ``mean_accuracy``, ``fw_iou`` in 0..1.
    per_class : mapping of str to float or None
        IoU of each class.
    device : str
        What ran the model.
    protocol : str
        How it was counted.
    drop : mapping or None
        ``difference``, ``low``, ``high`` against a reference.
    """

    record: Record
    model: str
    model_sha256: str
    recipe: str
    data: str
    scores: Json
    per_class: Mapping[str, float | None]
    device: str = ""
    protocol: str = ""
    drop: Json | None = None


@dataclass(frozen=True)
class LatencyRow:
    """One run of a latency record."""

    record: Record
    model: str
    model_sha256: str
    recipe: str
    machine: str
    pictures: str
    run: Json
    title: str = field(default="")

    @property
    def p90(self) -> float:
        """The headline in milliseconds."""
        return float(self.run["latency_ms"]["p90"])


def accuracy_rows(records: Iterable[Record]) -> list[AccuracyRow]:
    """Return the rows of all records that score models.

    Raises
    ------
    InputError
        A record of a known kind lacks what that kind has; it is named.
    """
    records = list(records)
    recipes = known_recipes(records)
    makers: dict[str, Callable[[Record], Iterator[AccuracyRow]]] = {
        ACCURACY: lambda record: iter([_accuracy(record, record.content, recipes)]),
        PAIR: lambda record: _pair(record, recipes),
        CONVERSIONS: _converted,
    }
    return _collect(records, makers)


def latency_rows(records: Iterable[Record]) -> list[LatencyRow]:
    """Return a row for every run of every latency record; see `accuracy_rows`."""
    records = list(records)
    recipes = known_recipes(records)
    return _collect(records, {BENCH: lambda record: _runs(record, recipes)})


def known_recipes(records: Iterable[Record]) -> dict[str, str]:
    """Return how models were quantized, by the hash of their file."""
    return dict(_collect(records, {BENCH: _own_recipe, CONVERSIONS: _made}))


def _collect(
    records: Iterable[Record], makers: Mapping[str, Callable[[Record], Iterator[Row]]]
) -> list[Row]:
    rows: list[Row] = []
    for record in records:
        if record.kind not in makers:
            continue
        try:
            rows += makers[record.kind](record)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(
                f"{record.name}: a record of kind {record.kind!r} lacks something or "
                f"holds something unexpected: {type(error).__name__} {error}"
            ) from error
    return rows


def _own_recipe(record: Record) -> Iterator[tuple[str, str]]:
    if record.content.get("recipe"):
        yield str(record.content["model_sha256"]), str(record.content["recipe"])


def _made(record: Record) -> Iterator[tuple[str, str]]:
    for conversion in record.content[CONVERSIONS].values():
        yield str(conversion["hashes"]["result"]), str(conversion.get("recipe", "int8"))
        yield str(conversion["hashes"]["float"]), "float"


def _accuracy(
    record: Record,
    values: Json,
    recipes: Mapping[str, str],
    outer: Json | None = None,
) -> AccuracyRow:
    around = {**(outer or {}), **values}
    device = dict(around.get("device") or {})
    digest = str(values["model_sha256"])
    against = around.get("against") or {}
    return AccuracyRow(
        record=record,
        model=str(values["model"]),
        model_sha256=digest,
        recipe=recipes.get(digest, ""),
        data=_data(around),
        scores={key: _score(values.get(key)) for key in _SCORES},
        per_class={str(k): _score(v) for k, v in values["per_class_iou"].items()},
        device=_device(device),
        protocol=str(around.get("protocol", "")),
        drop=against.get("drop"),
    )


def _pair(record: Record, recipes: Mapping[str, str]) -> Iterator[AccuracyRow]:
    for side in ("reference", "candidate"):
        yield _accuracy(record, record.content[side], recipes, record.content)


def _converted(record: Record) -> Iterator[AccuracyRow]:
    for name, conversion in record.content[CONVERSIONS].items():
        accuracy = conversion.get("accuracy")
        if not accuracy:
            continue
        for side, digest in (("reference", "float"), ("result", "result")):
            scores = accuracy[side]
            yield AccuracyRow(
                record=record,
                model=str(name),
                model_sha256=str(conversion["hashes"][digest]),
                recipe="float"
                if side == "reference"
                else str(conversion.get("recipe", "int8")),
                data=_data(accuracy),
                scores={key: _score(scores.get(key)) for key in _SCORES},
                per_class={
                    str(k): _score(v) for k, v in scores["per_class_iou"].items()
                },
                protocol=str(accuracy.get("protocol", "")),
                drop=accuracy.get("drop") if side == "result" else None,
            )


def _runs(record: Record, recipes: Mapping[str, str]) -> Iterator[LatencyRow]:
    content = record.content
    board = content["board"]
    parts = (board.get("model"), board.get("processor"), board.get("architecture"))
    machine = ", ".join(str(part) for part in parts if part)
    if content.get("emulated"):
        machine = f"emulated: {machine}"
    pictures = content["pictures"]
    for run in content["runs"]:
        float(run["latency_ms"]["p90"])
        sizes = sizes_text([str(size) for size in pictures["sizes"]])
        yield LatencyRow(
            record=record,
            model=str(content["model"]),
            model_sha256=str(content["model_sha256"]),
            recipe=recipes.get(str(content["model_sha256"]), ""),
            machine=machine,
            pictures=f"{pictures['source']} ({sizes})",
            run=run,
            title=run_title(run),
        )


def _data(values: Json) -> str:
    classes = values.get("classes") or ()
    split = f"/{values['split']}" if values.get("split") else ""
    dataset = f"{values.get('dataset') or 'unnamed'}{split}"
    merged = ", others merged" if values.get("merge_others") else ""
    pictures = f"{values.get('images', '?')} pictures"
    return f"{dataset}, {pictures}, {len(classes)} classes{merged}"


def _device(device: Json) -> str:
    parts = [device.get("device"), device.get("runtime"), device.get("version")]
    return " ".join(str(part) for part in parts if part)


def _score(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value)
