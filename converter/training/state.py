"""The state of a training in one file, which a kill cannot damage.

``state.npz`` holds weights, optimizer, average and, as JSON, everything else. It is
written to a temporary name and renamed, so that a kill at any moment leaves the last
good one. A lock keeps a second training out of the folder.
"""

from __future__ import annotations

import fcntl
import json
import math
import tokenize
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from edgeseg.devices import InputError, OutputError
from edgeseg.devices.archives import DAMAGED, check_methods, open_archive
from edgeseg.devices.plain_text import reason_of
from edgeseg.runtime.pictures.atomic import replacing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from edgeseg.devices.types import Array, Json


_FORMAT = 1
# What numpy and json raise on a file that is not whole; numpy reads the head of an
# array with Python's tokenizer
_UNREADABLE: tuple[type[BaseException], ...] = (
    *DAMAGED,
    AttributeError,
    LookupError,
    MemoryError,
    SyntaxError,
    TypeError,
    tokenize.TokenError,
)
# What a training reads again of a row, with an example
_IN_A_ROW = {"epoch": 0, "loss": 0.0, "val_miou": 0.0, "seconds": 0.0}


@dataclass
class Progress:
    """The progress of a training, updated while it runs.

    Parameters
    ----------
    step : int
        Steps taken.
    total : int
        Steps in all; by the clock, as far as one can say.
    seconds : float
        Time spent, earlier parts included.
    losses : float
        Sum of the losses of the epoch that is under way.
    counted : int
        Steps in that sum.
    best_miou : float or None
        The best validation, 0..1.
    best_epoch : int
        Its epoch.
    updates : int
        Of the average.
    done : bool
        Nothing is left to do.
    rows : list of dict
        The log, a row an epoch.
    """

    step: int = 0
    total: int = 0
    seconds: float = 0.0
    losses: float = 0.0
    counted: int = 0
    best_miou: float | None = None
    best_epoch: int = 0
    updates: int = 0
    done: bool = False
    rows: list[Json] = field(default_factory=list)


def write_state(
    path: Path,
    identity: Json,
    progress: Progress,
    arrays: Mapping[str, Sequence[Array]],
) -> None:
    """Write a state; see `read_state`.

    Raises
    ------
    OutputError
        It cannot be written; the state before is still there.
    """
    import numpy as np

    record = {"format": _FORMAT, "settings": identity, "progress": asdict(progress)}
    named = {
        f"{group}_{index}": value
        for group, values in arrays.items()
        for index, value in enumerate(values)
    }
    text = np.frombuffer(json.dumps(record).encode(), np.uint8)
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, meta=text, **named)


def read_state(
    path: Path, identity: Json
) -> tuple[Progress, dict[str, list[Array]]] | None:
    """Read a state, or return None where there is none.

    Parameters
    ----------
    path : Path
        The file.
    identity : mapping of str to JSON value
        What the training is that shall go on.

    Returns
    -------
    Progress, dict of str to list of ndarray
        As they were written.

    Raises
    ------
    InputError
        The file is damaged, or of a training with other settings.
    """
    import numpy as np

    if not path.exists():
        return None
    try:
        with open_archive(path) as archive:
            check_methods(archive)
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            record = json.loads(stored["meta"].tobytes())
            groups: dict[str, list[Array]] = {}
            for key in stored.files:
                if key != "meta":
                    group = groups.setdefault(key.rsplit("_", 1)[0], [])
                    group.append(_array(stored[key]))
        _check_same(path, record["settings"], json.loads(json.dumps(identity)))
        return _progress(record["progress"]), groups
    except InputError:
        raise
    except _UNREADABLE as error:
        raise damaged_state(path) from error


def damaged_state(path: Path) -> InputError:
    """Return the error that a file holds no state that a training can go on from."""
    return InputError(
        f"{path} is no state of a training, or damaged: begin anew with --restart"
    )


def _array(value: Array) -> Array:
    """Return an array of numbers; numpy gives other files of an archive as bytes."""
    if getattr(value, "dtype", None) is None or value.dtype.kind not in "fiub":
        raise TypeError("a file of the archive is no array of numbers")
    return value


def _progress(stored: Json) -> Progress:
    """Return a progress, once each value is of the type that is written.

    Raises
    ------
    TypeError, LookupError
        One is not.
    """
    progress = Progress(**stored)
    for name, written in asdict(Progress(best_miou=0.0)).items():
        value = getattr(progress, name)
        missing = name == "best_miou" and value is None
        if not missing and not _is_like(value, written):
            raise TypeError(f"{name} is {value!r}")
    for row in progress.rows:
        for name, example in _IN_A_ROW.items():
            missing = row[name] is None and name in ("loss", "val_miou")
            if not (missing or _is_like(row[name], example)):
                raise TypeError(f"{name} of a row is {row[name]!r}")
        if row["val_miou"] is not None and not all(
            value is None or _is_like(value, 0.0)
            for value in dict(row["val_iou"]).values()
        ):
            raise TypeError(f"val_iou of a row is {row['val_iou']!r}")
    return progress


def _is_like(value: object, written: object) -> bool:
    """Return whether a value may stand where `written` stood; JSON's 1 may be 1.0."""
    if isinstance(written, float) and not isinstance(value, bool):
        return isinstance(value, (int, float)) and math.isfinite(value)
    return type(value) is type(written)


def _check_same(path: Path, old: Json, new: Json) -> None:
    differing = sorted(
        key for key in old.keys() | new.keys() if old.get(key) != new.get(key)
    )
    if differing:
        shown = ", ".join(
            f"{key} was {old.get(key)!r}, now {new.get(key)!r}" for key in differing[:3]
        )
        raise InputError(
            f"{path.parent} holds a training with other settings ({shown}): repeat "
            "the command that it was begun with, begin anew with --restart, or name "
            "another -o"
        )


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold a lock file for a with-block; it goes with the process, even by a kill.

    Parameters
    ----------
    path : Path
        The lock file; its folder is made.

    Raises
    ------
    OutputError
        Another process holds it, or it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("wb")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {reason_of(error)}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OutputError(
                f"{path.parent.parent} is in use: another training writes there; wait "
                "for it, or name another -o"
            ) from error
        except OSError:
            pass  # a file system without locks
        yield
