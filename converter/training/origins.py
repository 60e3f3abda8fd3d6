"""What a training was made of: hashes, versions, settings, and how it went."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeseg.converter._frameworks import need
from edgeseg.converter.training.record import write_json
from edgeseg.converter.training.start import NOTHING, Start
from edgeseg.runtime.datasets import fingerprint
from edgeseg.runtime.modelfile import sha256

if TYPE_CHECKING:
    from edgeseg.converter.training.classes import ChosenClasses
    from edgeseg.converter.training.settings import Settings
    from edgeseg.converter.training.state import Progress


def origins_of(
    settings: Settings,
    train: ChosenClasses,
    validation: ChosenClasses,
    counts: list[int],
) -> dict[str, Any]:
    """Return what decides a training beside its settings, as JSON values.

    Parameters
    ----------
    settings : Settings
        All of them.
    train, validation : ChosenClasses
        The pictures.
    counts : list of int
        Pixels of each class to train on.
    """
    teacher = settings.teaching.model
    start = None if settings.start == NOTHING else Path(settings.start)
    return {
        "classes": list(train.labels),
        "pixels": dict(zip(train.labels, counts, strict=True)),
        "train": {"pictures": len(train.ids), "fingerprint": fingerprint(train)},
        "validation": {
            "pictures": len(validation.ids),
            "fingerprint": fingerprint(validation),
        },
        "start_sha256": sha256(start) if start and start.is_file() else None,
        "teacher_sha256": sha256(teacher) if teacher else None,
        "versions": {
            name: version(name) for name in ("edgeseg", "keras", "numpy", "tensorflow")
        },
        "backend": need("keras").backend.backend(),
    }


def write_log(
    path: Path,
    settings: Settings,
    origins: dict[str, Any],
    start: Start,
    progress: Progress,
) -> None:
    """Write all that is needed to judge a training, or to repeat it.

    Parameters
    ----------
    path : Path
        The JSON file.
    settings : Settings
        All of them.
    origins : dict
        From `origins_of`.
    start : Start
        What it started from.
    progress : Progress
        How far it got.
    """
    write_json(
        path,
        {
            **origins,
            "settings": settings.to_dict(),
            "notes": list(start.notes),
            "new_layers": sorted(start.new_layers),
            "progress": asdict(progress),
        },
    )


def hashes(origins: dict[str, Any]) -> dict[str, Any]:
    """Return what tells that files are those that a training was begun with."""
    return {
        "training pictures": origins["train"]["fingerprint"],
        "validation pictures": origins["validation"]["fingerprint"],
        "start's sha256": origins["start_sha256"],
        "teacher's sha256": origins["teacher_sha256"],
    }
