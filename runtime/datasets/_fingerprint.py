"""A data set's hash: whether two runs, on two machines, saw the same pictures."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.devices._wording import encodable

if TYPE_CHECKING:
    from edgeseg.runtime.datasets._base import Dataset


def fingerprint(dataset: Dataset) -> str:
    """Return a SHA-256 over labels, names, and the bytes that each file takes.

    Sizes instead of contents: a board would read gigabytes for the latter, and two
    photos or masks of equal size under one name are all but always the same.

    Parameters
    ----------
    dataset : Dataset
        Open.

    Raises
    ------
    InputError
        A picture or mask is missing.
    """
    digest = hashlib.sha256(json.dumps(dataset.labels).encode())
    for name in dataset.ids:
        try:
            picture = dataset.picture_path(name).stat().st_size
            mask = dataset.mask_path(name).stat().st_size
        except OSError as error:
            raise InputError(
                f"cannot read {error.filename}: {error.strerror}"
            ) from error
        digest.update(json.dumps([encodable(name), picture, mask]).encode())
    return digest.hexdigest()
