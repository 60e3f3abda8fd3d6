"""A reference: what one model, usually the float one, answered on a data set.

A folder that `make_reference` fills::

    REF/reference.json    scores, device, backend, versions, hashes
    REF/pictures.jsonl    which run it is, then the counts of each picture
    REF/ids/NAME.png      label maps at the pictures' own size, palette PNGs
    REF/dataset.txt       where the data set was

The record is written last: a folder without it is a run that was stopped, and goes on
when the same is asked for again. Label maps hold the model's own class ids.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.devices.plain_text import encodable, reason_of
from edgeseg.runtime.accuracy.counts import Counts, digest_of
from edgeseg.runtime.model.embedded import sha256
from edgeseg.runtime.model.labels import same_name
from edgeseg.runtime.pictures.files import read_ids

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Json


RECORD, PICTURES, DATASET, IDS = (
    "reference.json",
    "pictures.jsonl",
    "dataset.txt",
    "ids",
)
KIND = "edgeseg reference"
_NEEDED = ("model", "model_sha256", "sources", "split", "data_sha256", "data_labels")


@dataclass(frozen=True)
class Reference:
    """A finished reference.

    Parameters
    ----------
    folder : Path
        Where it is.
    record : mapping of str to JSON value
        ``reference.json``.
    digests : mapping of str to str
        Hash of each picture's label map, in the data set's order.
    sha256 : str
        Of ``pictures.jsonl``: names this reference.
    """

    folder: Path
    record: Json
    digests: Mapping[str, str]
    sha256: str

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the pictures, as `encodable` has them."""
        return tuple(self.digests)

    def ids(self, name: str) -> NDArray[np.uint8]:
        """Return the label map of a picture, ``(H, W)`` uint8.

        Raises
        ------
        InputError
            It is missing, unreadable or not the one that was made.
        """
        name = encodable(name)
        if name not in self.digests:
            raise InputError(f"the reference {self.folder} has no picture {name}")
        path = map_path(self.folder, name)
        found = read_ids(path)
        if digest_of(found) != self.digests[name]:
            raise InputError(
                f"{path} is not the label map that the reference was made with: make "
                "the reference again"
            )
        return found

    def check_data(
        self, labels: Sequence[str], split: str, data_sha256: str, names: Sequence[str]
    ) -> None:
        """Raise unless the reference was made with these pictures and this truth.

        Parameters
        ----------
        labels : sequence of str
            Of the data set.
        split : str
            Name of its list.
        data_sha256 : str
            From `fingerprint`.
        names : sequence of str
            Pictures that are needed.

        Raises
        ------
        InputError
            Something differs; the message says what.
        """
        expected = list(labels), split, data_sha256
        words = "other class names of the truth", "another split", "another data set"
        for word, key, value in zip(words, _KEYS, expected, strict=True):
            if self.record[key] != value:
                raise InputError(
                    f"the reference {self.folder} was made with {word}: "
                    f"expected {_short(value)}, got {_short(self.record[key])}; make "
                    "a reference on these pictures"
                )
        missing = [name for name in names if encodable(name) not in self.digests]
        if missing:
            raise InputError(
                f"the reference {self.folder} has {len(self.digests)} pictures, "
                f"{len(missing)} of those asked for are not among them: use --limit "
                f"{len(self.digests)}, or make it again"
            )

    def check_model(
        self, labels: Sequence[str], sources: Sequence[str], *, any_model: bool = False
    ) -> None:
        """Raise unless a model can be held against this reference.

        Parameters
        ----------
        labels : sequence of str
            Names of its class ids.
        sources : sequence of str
            Its hash, and that of the model which it was made of, where it says so.
        any_model : bool
            Take a model that says it was made of another one.

        Raises
        ------
        InputError
            Class ids do not mean the same, or it was made of another model.
        """
        theirs = self.record["model_labels"]
        if [*map(same_name, labels)] != [*map(same_name, theirs)]:
            raise InputError(
                f"the reference {self.folder} was made with a model of other classes: "
                f"expected {_short(list(labels))}, got {_short(theirs)}"
            )
        apart = len(sources) > 1 and not set(sources) & set(self.record["sources"])
        if apart and not any_model:
            raise InputError(
                f"the reference {self.folder} was made with another model "
                f"({self.record['model']}, sha256 {self.record['model_sha256'][:16]}) "
                f"than this one was converted from (sha256 {sources[1][:16]}): make a "
                "reference of that one, or compare the two with --other-model"
            )


_KEYS = ("data_labels", "split", "data_sha256")


def open_reference(folder: Path) -> Reference:
    """Open a finished reference.

    Raises
    ------
    InputError
        The folder holds none, it is unfinished or damaged.
    """
    path, pictures = folder / RECORD, folder / PICTURES
    if not path.is_file():
        hint = (
            "it is unfinished: repeat the same edgeseg reference, it goes on"
            if pictures.is_file()
            else f"expected {RECORD}, made by edgeseg reference"
        )
        raise InputError(f"no reference in {folder}: {hint}")
    try:
        record = json.loads(path.read_text("utf-8"))
        lines = pictures.read_text("utf-8").splitlines()[1:]
        rows = [Counts.from_dict(json.loads(line)) for line in lines]
        good = record["kind"] == KIND and all(key in record for key in _NEEDED)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"cannot read the reference {folder}: {error}") from error
    digest = sha256(pictures)
    if not good or record.get("pictures_sha256") != digest:
        raise InputError(
            f"the reference {folder} is damaged or not of this version: {PICTURES} "
            f"and {RECORD} do not belong together; make it again"
        )
    return Reference(folder, record, {row.name: row.digest for row in rows}, digest)


def map_path(folder: Path, name: str) -> Path:
    """Return the path of a picture's label map."""
    # bytes of UTF-8 in every locale, so that the folder can be taken to another machine
    return folder / IDS / os.fsdecode(f"{encodable(name)}.png".encode())


def dataset_of(folder: Path) -> Path:
    """Return where a reference's data set was when it was made.

    Raises
    ------
    InputError
        The folder does not say so.
    """
    path = folder / DATASET
    try:
        return Path(path.read_text("utf-8", "surrogateescape").strip())
    except OSError as error:
        raise InputError(
            f"cannot read {path}: {reason_of(error)}; say where the pictures are with "
            "--dataset"
        ) from error


def sources_of(model_digest: str, provenance: Mapping[str, object]) -> tuple[str, ...]:
    """Return a model's hash and, where it says so, that of what it was made of."""
    source = provenance.get("source_sha256")
    return (model_digest, str(source)) if source else (model_digest,)


def _short(value: object) -> str:
    if not isinstance(value, list):
        return str(value)[:16]
    return f"{len(value)} ({', '.join(map(str, value[:3]))}, ...)"
