"""Pictures that are there twice, the same or almost the same.

A picture has two prints. The SHA-256 of its pixels is equal where nothing differs. The
other is 64 bits of a *difference hash*: shrunk to 9x8 grey pixels, each bit says
whether a pixel is darker than the one to its right. Two pictures are almost the same
where 4 bits differ at most, and their 16x16 thumbnails by 6 grey levels on average: one
photo compressed or scaled again, or two frames of a video that hardly moves. Cut or
mirrored copies are not found.

References
----------
N. Krawetz, "Kind of Like That" (2013), for the difference hash.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Json

_BITS, _GREY = 4, 6.0


@dataclass(frozen=True)
class Print:
    """What is kept of a picture to find it again.

    Parameters
    ----------
    sha256 : str
        Of its pixels.
    bits : int
        The difference hash.
    thumbnail : ndarray
        ``(16, 16)`` uint8 grey.
    """

    sha256: str
    bits: int
    thumbnail: NDArray[np.uint8]


@dataclass(frozen=True)
class Double:
    """Two pictures that are one.

    Parameters
    ----------
    first, second : (str, str)
        Split and name of each.
    same : bool
        Every pixel is equal.
    """

    first: tuple[str, str]
    second: tuple[str, str]
    same: bool

    @property
    def across(self) -> bool:
        """Whether they are in two splits, so that a score on one knows the other."""
        return self.first[0] != self.second[0]

    def to_dict(self) -> Json:
        """Return JSON values."""
        return {
            "first": list(self.first),
            "second": list(self.second),
            "same_pixels": self.same,
            "across_splits": self.across,
        }


def print_of(sha256: str, frame: NDArray[np.uint8]) -> Print:
    """Return the prints of a picture ``(H, W, 3)`` uint8 RGB."""
    import cv2
    import numpy as np

    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (9, 8), interpolation=cv2.INTER_AREA).astype(np.int16)
    packed = np.packbits(small[:, 1:] > small[:, :-1])
    thumbnail = cv2.resize(grey, (16, 16), interpolation=cv2.INTER_AREA)
    return Print(
        sha256, int.from_bytes(packed.tobytes(), "big"), np.asarray(thumbnail, np.uint8)
    )


def doubles_of(prints: Sequence[tuple[str, str, Print]]) -> list[Double]:
    """Return the doubles among pictures, those across splits first.

    Parameters
    ----------
    prints : sequence of (str, str, Print)
        Split, name and print of each picture. Of more than two that are one, each is
        paired with the first.
    """
    import numpy as np

    if not prints:
        return []
    bits = np.array([each.bits for _, _, each in prints], np.uint64)
    small = np.stack([each.thumbnail for _, _, each in prints]).astype(np.int16)
    found: list[Double] = []
    paired: set[int] = set()
    for index, (split, name, own) in enumerate(prints[:-1]):
        if index in paired:
            continue
        near = np.flatnonzero(_distances(bits[index], bits[index + 1 :]) <= _BITS)
        for other in (near + index + 1).tolist():
            grey = float(np.abs(small[index] - small[other]).mean())
            if grey <= _GREY:
                split2, name2, print2 = prints[other]
                same = own.sha256 == print2.sha256
                found.append(Double((split, name), (split2, name2), same))
                paired.add(other)
    return sorted(found, key=lambda each: (not each.across, not each.same))


def _distances(one: np.uint64, others: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return in how many bits a hash differs from each of the others."""
    import numpy as np

    differ = np.unpackbits((one ^ others).view(np.uint8).reshape(-1, 8), axis=1)
    distances: NDArray[np.int64] = differ.sum(axis=1, dtype=np.int64)
    return distances
