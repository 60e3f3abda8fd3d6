"""Keep the threads of an inference on some processors, and only those threads.

Linux keeps the mask for each thread: a thread inherits that of the one which starts
it. So the mask is set while an interpreter starts its threads and while it computes,
and is put back afterwards: readers, writers and the rest of the process never see it.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def pinned(processors: frozenset[int]) -> Iterator[None]:
    """Run the block, and threads started in it, on these processors.

    Parameters
    ----------
    processors : frozenset of int
        Linux's numbers; empty leaves everything as it is. Processors outside the
        thread's own mask are left out.
    """
    if not processors or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)  # 0: the calling thread
    os.sched_setaffinity(0, before & processors or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
