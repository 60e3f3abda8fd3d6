"""The smallest number from which on everything tried meets a condition."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def fewest(meets: Callable[[int], bool], most: int) -> int | None:
    """Return the smallest number that meets, as do all larger ones that were tried.

    0, 1, 2, 4, ... and the largest are tried, then the gap below the smallest of
    those that meet is halved. One that meets below another that does not is taken for
    luck. Each number is tried once at most, some ``2 log2(most)`` of them.

    Parameters
    ----------
    meets : callable
        Tries a number in ``0..most``.
    most : int
        The largest number allowed.

    Returns
    -------
    int or None
        None where the largest does not meet.

    Examples
    --------
    >>> fewest(lambda number: number >= 5, 20)
    5
    >>> fewest(lambda number: number == 2 or number > 16, 20)  # 2 is luck: 4 fails
    17
    """
    failed, met = -1, None
    for number in _doubling(most):
        if not meets(number):
            failed, met = number, None
        elif met is None:
            met = number
    while met is not None and met - failed > 1:
        middle = (failed + met) // 2
        if meets(middle):
            met = middle
        else:
            failed = middle
    return met


def _doubling(most: int) -> Iterator[int]:
    """Yield 0, 1, 2, 4, ... below ``most``, then ``most``."""
    yield 0
    number = 1
    while number < most:
        yield number
        number *= 2
    if most > 0:
        yield most
