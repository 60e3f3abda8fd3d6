"""The support table: board x system image x Python x interpreter, as data.

``edgeseg doctor`` and the README read the same rows. Where wheels are concerned it
follows from what PyPI holds: ai-edge-litert 2.3 for CPython 3.10 to 3.14, glibc 2.27
or later, x86-64 and aarch64; tflite-runtime 2.14.0 for CPython 3.9 to 3.11, on aarch64
with glibc 2.34 or later, and numpy below 2.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeseg.devices.types import Json

OLDEST_PYTHON = (3, 10)
NEWEST_PYTHON = (3, 14)
OLDEST_GLIBC = (2, 27)
_LITERT = "ai-edge-litert"
_BOTH = "ai-edge-litert, tflite-runtime 2.14"
_NONE = "none"


@dataclass(frozen=True)
class Support:
    """One row.

    Parameters
    ----------
    kinds : tuple of str
        Kinds of board (see `Board.kind`).
    boards, image : str
        Names of boards, and of the system image.
    python : str
        What the image brings.
    interpreter : str
        Packages with wheels for that Python.
    works : str
        ``"yes"``, ``"no"`` or ``"own Python"``: only with a Python that the image
        does not bring.
    note : str
        Why, or what to do.
    system : str
        Pattern of the image's id and version in ``/etc/os-release``.
    """

    kinds: tuple[str, ...]
    boards: str
    image: str
    python: str
    interpreter: str
    works: str
    note: str = ""
    system: str = ""

    def to_dict(self) -> Json:
        """Return the fields as JSON values."""
        return asdict(self)


_PI = ("raspberry_pi",)
_PI_64 = "Pi 3, 4, 5, 400, 500, Zero 2 W, CM3, CM4, CM5"
_OWN = "install Python 3.10 to 3.14, for example `uv python install 3.12`"
SUPPORT = (
    Support(
        _PI,
        _PI_64,
        "Raspberry Pi OS 13 (trixie), 64 bit",
        "3.13",
        _LITERT,
        "yes",
        system="debian 13",
    ),
    Support(
        _PI,
        _PI_64,
        "Raspberry Pi OS 12 (bookworm), 64 bit",
        "3.11",
        _BOTH,
        "yes",
        system="debian 12",
    ),
    Support(
        _PI,
        _PI_64,
        "Raspberry Pi OS 11 (bullseye), 64 bit",
        "3.9",
        _NONE,
        "own Python",
        f"{_OWN}; Picamera2 stays with the image's Python: better a newer image",
        system="debian 11",
    ),
    Support(
        _PI,
        _PI_64,
        "Ubuntu 24.04, 64 bit",
        "3.12",
        _LITERT,
        "yes",
        system="ubuntu 24",
    ),
    Support(
        _PI, _PI_64, "Ubuntu 22.04, 64 bit", "3.10", _BOTH, "yes", system="ubuntu 22"
    ),
    Support(
        _PI,
        "all",
        "any 32-bit image (armhf), also under a 64-bit kernel",
        "any",
        _NONE,
        "no",
        "no wheels for 32-bit ARM: write a 64-bit image",
        system="raspbian",
    ),
    Support(
        _PI,
        "Pi 1, 2 (before rev 1.2), Zero, Zero W, CM1",
        "any",
        "any",
        _NONE,
        "no",
        "the processor has no 64-bit mode",
    ),
    Support(
        ("coral_dev_board",),
        "Coral Dev Board, Dev Board Mini",
        "Mendel 5 (Debian 10)",
        "3.7",
        _NONE,
        "own Python",
        f"{_OWN}; the image's libedgetpu 16.0 crashes with such interpreters "
        "(google-coral/edgetpu #812): build libedgetpu for a later TensorFlow",
        system="mendel",
    ),
    Support(
        ("jetson",),
        "Jetson Orin",
        "JetPack 6 (Ubuntu 22.04)",
        "3.10",
        _BOTH,
        "yes",
        system="ubuntu 22",
    ),
    Support(
        ("jetson",),
        "Jetson Xavier",
        "JetPack 5 (Ubuntu 20.04)",
        "3.8",
        _NONE,
        "own Python",
        f"{_OWN}; NVIDIA's own wheels (ONNX Runtime) stay with Python 3.8",
        system="ubuntu 20",
    ),
    Support(
        ("jetson",),
        "Jetson Nano, TX2",
        "JetPack 4 (Ubuntu 18.04)",
        "3.6",
        _NONE,
        "own Python",
        f"{_OWN}; glibc 2.27 is just enough for ai-edge-litert; no `jetson:gpu`",
        system="ubuntu 18",
    ),
    Support(
        ("generic",),
        "Rock, Odroid and other aarch64 boards",
        "Armbian or Debian 12, 13; Ubuntu 22.04, 24.04",
        "3.10 - 3.13",
        _LITERT,
        "yes",
        system="debian 1[23]|ubuntu 2[24]",
    ),
    Support(
        ("desktop",),
        "x86-64 or aarch64 computer",
        "Linux with glibc 2.27 or later",
        "3.10 - 3.14",
        _LITERT,
        "yes",
        system="debian 1[23]|ubuntu 2[2-9]|fedora|arch",
    ),
    Support(
        ("desktop", "generic", "raspberry_pi"),
        "all",
        "Alpine and others with musl",
        "any",
        _NONE,
        "no",
        "wheels need glibc: use Debian, Ubuntu or Raspberry Pi OS",
        system="alpine",
    ),
)


def support_of(kind: str) -> tuple[Support, ...]:
    """Return the rows for a kind of board.

    Examples
    --------
    >>> {row.works for row in support_of("jetson")} == {"yes", "own Python"}
    True
    """
    return tuple(row for row in SUPPORT if kind in row.kinds)


def support_row(kind: str, system_id: str | None) -> Support | None:
    """Return the row of a board's kind and image, None where the table has none.

    Examples
    --------
    >>> support_row("raspberry_pi", "debian 11").works
    'own Python'
    """
    for row in support_of(kind):
        if row.system and re.match(row.system, system_id or ""):
            return row
    return None


def support_markdown() -> str:
    """Return the table as Markdown, as it stands in the README."""
    head = "| Board | System image | its Python | Interpreter | Works | |"
    rows = [
        (row.boards, row.image, row.python, row.interpreter, row.works, row.note)
        for row in SUPPORT
    ]
    lines = (f"| {' | '.join(cells)} |" for cells in rows)
    return "\n".join([head, "|---|---|---|---|---|---|", *lines])
