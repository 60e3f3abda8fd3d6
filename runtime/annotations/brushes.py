"""Label Studio's brush strokes, which are run lengths of an RGBA picture in bits.

After 32 bits with the number of values, 5 with the width of one, and 4 with 4 bits for
the widths of lengths, come blocks: one bit (1 repeats a value, 0 lists them), two bits
that choose a width, the length less one, and the values.

References
----------
https://github.com/thi-ng/umbrella, ``packages/rle-pack`` (the packing).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.annotations.areas import Area

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import JsonValue

_CHANNELS = 4  # red, green, blue, opacity


@dataclass
class _Bits:
    """Bits that are read one after the other, the highest of a byte first."""

    bits: NDArray[np.uint8]
    at: int = 0

    def take(self, count: int) -> int:
        """Return the number in the next bits."""
        return int(self.values(1, count)[0])

    def values(self, count: int, width: int) -> NDArray[np.int64]:
        """Return so many numbers of a width in bits."""
        import numpy as np

        taken = self.bits[self.at : self.at + count * width]
        if taken.size < count * width:
            raise EOFError
        self.at += count * width
        weights = 1 << np.arange(width - 1, -1, -1, dtype=np.int64)
        numbers: NDArray[np.int64] = taken.reshape(count, width) @ weights
        return numbers


def brush(packed: list[JsonValue], size_hw: tuple[int, int], where: str) -> Area:
    """Return the pixels of a brush stroke.

    Parameters
    ----------
    packed : list of int
        Bytes of the packed picture.
    size_hw : (int, int)
        Of the picture.
    where : str
        File and place, for messages.

    Raises
    ------
    InputError
        The bytes are none, end too early, or are those of another size.
    """
    import numpy as np

    height, width = size_hw
    try:
        bits = _Bits(np.unpackbits(np.frombuffer(bytes(packed), np.uint8)))
        total = bits.take(32)
        if total != height * width * _CHANNELS:
            raise ValueError(f"{total} values")
        values = _unpacked(bits, total)
    except (ValueError, TypeError, EOFError) as error:
        raise InputError(
            f"{where}: expected a brush stroke on {width}x{height} pixels, got bytes "
            f"that do not unpack to that {error}".rstrip()
        ) from error
    opacity = values.reshape(height, width, _CHANNELS)[..., -1]
    return Area(0, 0, opacity > 0)


def _unpacked(bits: _Bits, total: int) -> NDArray[np.uint8]:
    import numpy as np

    word = bits.take(5) + 1
    widths = [bits.take(4) + 1 for _ in range(4)]
    values = np.zeros(total, np.uint8)
    at = 0
    while at < total:
        repeats = bits.take(1)
        end = at + 1 + bits.take(widths[bits.take(2)])
        if end > total:
            raise ValueError("with a block that is too long")
        block = bits.values(1 if repeats else end - at, word)
        values[at:end] = block & 0xFF
        at = end
    return values
