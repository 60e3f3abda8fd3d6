"""Freed memory, given back to the system."""

from __future__ import annotations

import ctypes


def give_back_memory() -> None:
    """Return what was freed, which glibc would keep for later, to the system.

    Once a block of many megabytes was freed, as a decoded photo is, glibc keeps up to
    twice its size instead of returning it (mallopt(3), ``M_TRIM_THRESHOLD``). Worth
    its millisecond before something large comes, not for every frame. With another C
    library nothing happens.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(ctypes.c_size_t(0))
