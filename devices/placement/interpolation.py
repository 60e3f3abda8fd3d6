"""Which resizes an Edge TPU interpolates precisely enough.

Google publishes no number, only that a resize "might not be mapped, depending on
input/output size, to avoid loss in precision", and that the compiler refuses what
would lose more than a threshold. What its compiled files and its compiler's public
logs show is explained by three limits:

steps
    Values between cells are weighted sums of four neighbours. Where an axis grows by
    ``n / d`` (lowest terms) the weights are multiples of ``1 / d``, of both axes
    together of ``1 / (d_y * d_x)``. Seven bits, those of an int8 weight, hold
    multiples of 1/128. Twofold and fourfold enlargements fit; sixteenfold (33 -> 513)
    does not.
extent
    An axis of one cell has no step at all: 1x1 -> 33x33 stayed on the CPU in both of
    Google's VOC files.
memory
    What comes out must fit the on-chip memory beside everything else. Users report
    that a U-Net at 128 maps and one at 256 does not; reckoned from such networks, that
    is about 1 MB (64x64x32 -> 128x128x32) against 4.2 MB and more (256x256x32 ->
    512x512x32). The limit is taken as 2 MiB, a quarter of the memory; what is
    between them is not known.

None of the three is published: they are the simplest rules that agree with what was
seen.

References
----------
"TensorFlow models on the Edge TPU", table of supported operations,
https://coral.ai/docs/edgetpu/models-intro/ ; google-coral/edgetpu issues 31, 63, 187
and 597.
"""

from __future__ import annotations

from fractions import Fraction

STEPS = 128  # int8 weights hold multiples of 1/128
MEMORY = 2 << 20  # bytes of output


def refused_interpolation(
    before: tuple[int, int], after: tuple[int, int], corners: bool, half: bool
) -> str:
    """Return why a bilinear resize is not precise enough; empty where it is.

    Parameters
    ----------
    before, after : (int, int)
        Height and width of input and output.
    corners, half : bool
        ``align_corners`` and ``half_pixel_centers``.

    Examples
    --------
    >>> refused_interpolation((33, 33), (129, 129), True, False)
    ''
    >>> refused_interpolation((33, 33), (513, 513), True, False)
    'its weights come in steps of 1/256, int8 holds 1/128'
    """
    steps = 1
    for cells, length in zip(before, after, strict=True):
        if cells == 1 and length > 1:
            return "a map of one cell has nothing to interpolate between"
        steps *= _denominator(cells, length, corners, half)
    if steps > STEPS:
        return f"its weights come in steps of 1/{steps}, int8 holds 1/{STEPS}"
    return ""


def refused_memory(size: int) -> str:
    """Return why an output of so many bytes is too large; empty where it is not."""
    if size <= MEMORY:
        return ""
    return (
        f"its output of {size / 1e6:.1f} MB is too large for the on-chip memory (users "
        "report about 1 MB to map, 4.2 MB to be refused)"
    )


def _denominator(cells: int, length: int, corners: bool, half: bool) -> int:
    """Return the common denominator of all positions that one axis reads from."""
    if corners:
        return Fraction(cells - 1, max(length - 1, 1)).denominator
    scale = Fraction(cells, length)
    if half:  # position (i + 1/2) * scale - 1/2
        first = scale / 2 - Fraction(1, 2)
        return max(scale.denominator, first.denominator)
    return scale.denominator
