"""Networks of other kinds than DeepLab, trained here: what int8 costs, what helps.

``python -m edgeseg.benchmarks.studies.architectures.trained DATASET FOLDER RECORD.json
[NAME ...]``
trains each network from nothing with `finetune`, converts it with the defaults of
`convert`, and scores float and int8 on the pictures that were held out: the last fifth
by name, so that neighbouring pictures stay together. Where `convert` warns that labels
are lost, what it advises is tried as well. DATASET is in the plain layout. FOLDER keeps
the trainings; a second call goes on from there.

Run from a checkout; see `edgeseg.benchmarks.studies`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeseg.benchmarks.record import write_record
from edgeseg.benchmarks.studies.architectures import encoders_decoders, pyramids
from edgeseg.benchmarks.studies.conversions import machine
from edgeseg.converter import convert
from edgeseg.converter.conversion.request import Scoring
from edgeseg.converter.frameworks import need, third_party
from edgeseg.converter.training.finetune import finetune
from edgeseg.converter.training.settings import Network, Pictures, Settings
from edgeseg.devices import ConversionError
from edgeseg.runtime import Overrides
from edgeseg.runtime.commands.options import PATH
from edgeseg.runtime.pictures.atomic import write_text

if TYPE_CHECKING:
    from edgeseg.converter import Conversion
    from edgeseg.converter.training.finetune import Finetuned
    from edgeseg.devices.types import Json

NETWORKS = {
    build.__name__: build
    for build in (
        pyramids.lraspp_mobilenet_v3,
        encoders_decoders.unet_efficientnet_b0,
        encoders_decoders.unet_narrow,
    )
}
_SEED = 16
_HELD = 5  # one part in so many is held out
_BUDGET = 0.5  # points of mIoU
_PLAIN = ("images", "masks", "labels.txt")


@dataclass(frozen=True)
class TrainingPlan:
    """How networks are trained.

    Parameters
    ----------
    size : int
        Side of the input.
    zoom : float
        See `Settings`.
    minutes, epochs : float, int or None
        When a training ends; see `Settings`.
    limit : int or None
        Pictures to train on; None takes all.
    """

    size: int
    zoom: float = 1.5
    minutes: float | None = None
    epochs: int | None = None
    limit: int | None = None


def lay_out(dataset: Path, folder: Path) -> Path:
    """Return a plain data set with lists of its own: the last fifth is held out.

    Parameters
    ----------
    dataset : Path
        In the plain layout.
    folder : Path
        Gets links to its folders, ``train.txt`` and ``val.txt``, and in
        ``calibration`` links to the pictures to train on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in _PLAIN:
        if not (folder / name).exists():
            (folder / name).symlink_to((dataset / name).resolve())
    names = sorted(path.stem for path in (dataset / "images").iterdir())
    held = len(names) // _HELD
    (folder / "calibration").mkdir(exist_ok=True)
    for path in sorted((dataset / "images").iterdir())[:-held]:
        link = folder / "calibration" / path.name
        if not link.exists():
            link.symlink_to(path.resolve())
    write_text(folder / "train.txt", "\n".join(names[:-held]) + "\n")
    write_text(folder / "val.txt", "\n".join(names[-held:]) + "\n")
    return folder


def train(name: str, data: Path, folder: Path, plan: TrainingPlan) -> Finetuned:
    """Train a network from nothing, or go on where it was left.

    Parameters
    ----------
    name : str
        Key of `NETWORKS`.
    data : Path
        From `lay_out`.
    folder : Path
        Keeps the network as it was before, and the training.
    plan : TrainingPlan
        When it ends.
    """
    start = folder / "untrained.keras"
    if not start.exists():
        folder.mkdir(parents=True, exist_ok=True)
        need("keras").utils.set_random_seed(_SEED)
        with third_party():
            NETWORKS[name]().save(start)
    settings = Settings(
        start=str(start),
        pictures=Pictures(data, limit=plan.limit),
        network=Network(size=(plan.size, plan.size)),
        epochs=plan.epochs,
        minutes=plan.minutes,
        new_rate=2e-3,
        balance=True,
        validate_every=10_000,  # at the end only: nothing is chosen by the held out
        zoom=plan.zoom,
        threads=1,
        workers=1,
    )
    return finetune(settings, folder / "training", progress=_say)


def row_of(trained: Finetuned, data: Path, folder: Path) -> Json:
    """Convert a network with the defaults, and with what is advised where they fail.

    Parameters
    ----------
    trained : Finetuned
        From `train`.
    data : Path
        Its pictures.
    folder : Path
        Gets the files.
    """
    row: Json = {
        "training": {
            "steps": trained.steps,
            "seconds": round(trained.seconds),
            "settings": _settings(trained),
        },
        "int8": _converted(trained, data, folder / "int8.tflite", "int8"),
    }
    if row["int8"]["warning"] is not None:
        mixed = folder / "mixed.tflite"
        row["int8-mixed"] = _converted(trained, data, mixed, "int8-mixed")
        within = folder / "budget.tflite"
        row["budget"] = _converted(trained, data, within, "int8", _BUDGET)
    return row


def _settings(trained: Finetuned) -> Json:
    written = json.loads((trained.path.parent / "log.json").read_text("utf-8"))
    settings: Json = written["settings"]
    del settings["start"], settings["pictures"]["root"]
    return settings


def _converted(
    trained: Finetuned,
    data: Path,
    output: Path,
    recipe: str,
    max_drop: float | None = None,
) -> Json:
    try:
        result = convert(
            trained.path,
            calibration=data / "calibration",
            output=output,
            recipe=recipe,
            overrides=Overrides(labels=str(trained.labels)),
            scoring=Scoring(data, max_drop=max_drop),
            progress=_say,
        )
    except ConversionError as error:
        return {"error": str(error), "warning": None}
    return _kept(result)


def _kept(result: Conversion) -> Json:
    details = result.details
    accuracy, low = details["accuracy"], details["low_agreement"]
    return {
        "preprocessing": details["preprocessing"],
        "float_parity": result.float_parity.agreement,
        "int8_parity": result.int8_parity.agreement,
        "float_miou": accuracy["reference"]["miou"],
        "miou": accuracy["result"]["miou"],
        "drop": accuracy["drop"],
        "agreement": accuracy["agreement"],
        "pictures": accuracy["images"],
        "per_class": accuracy["per_class"],
        "budget": details["budget"],
        "warning": None if low is None else low,
        "bytes": result.bytes_out,
        "seconds": round(result.seconds, 1),
    }


@click.command()
@click.argument("dataset", type=PATH)
@click.argument("folder", type=PATH)
@click.argument("record", type=PATH)
@click.argument("names", nargs=-1, type=click.Choice(list(NETWORKS)))
@click.option("--size", default=128, show_default=True, help="Side of the input.")
@click.option("--zoom", default=1.5, show_default=True, help="As of finetune.")
@click.option("--minutes", type=float, help="Train each about so long.")
@click.option("--epochs", type=int, help="Times that every picture is seen.")
@click.option("--limit", type=int, help="Train on so many pictures.")
def main(
    dataset: Path,
    folder: Path,
    record: Path,
    names: tuple[str, ...],
    *,
    size: int,
    zoom: float,
    minutes: float | None,
    epochs: int | None,
    limit: int | None,
) -> None:
    """Train networks, convert them, and write a record after each."""
    rows: Json = {}
    if record.is_file():
        rows = json.loads(record.read_text("utf-8"))["networks"]
    plan = TrainingPlan(size, zoom, minutes, epochs, limit)
    data = lay_out(dataset, folder / "data")
    for name in names or NETWORKS:
        _say(f"== {name}")
        trained = train(name, data, folder / name, plan)
        rows[name] = row_of(trained, data, folder / name)
        values = {"machine": machine(), "dataset": dataset.name, "networks": rows}
        write_record(record, values)


def _say(line: str) -> None:
    click.echo(line, err=True)


if __name__ == "__main__":
    main()
