"""What a hostile input is: files in a folder, a command, and what it may write."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

MODEL = "model.tflite"  # a good one, in the folder where a case asks for it
PICTURE = "photo.png"


@dataclass(frozen=True)
class Case:
    """One hostile input and the command that meets it.

    Parameters
    ----------
    argv : tuple of str
        What follows ``edgeseg``; the input is in the current folder.
    outputs : tuple of str
        Files and folders that the command may write, relative to the current folder.
    name : str
        What was changed, for a person.
    timeout_s : float
        When it counts as hanging.
    attendant : callable
        Returns a context manager; what it gives is formatted into `argv` in the place
        of ``{}``: a hostile server, for instance.
    environ : dict
        Variables besides those that every case gets.
    talk : str
        A regular expression of lines on standard error besides errors and warnings.
    may : tuple of str
        More files and folders that it may write, and need not: what is in them is
        decided by the input, so that any content is right.
    needed : bool
        Whether exit status 0 means that all of `outputs` are there.
    """

    argv: tuple[str, ...]
    outputs: tuple[str, ...] = ()
    name: str = ""
    timeout_s: float = 30.0
    attendant: Callable[[], contextlib.AbstractContextManager] | None = None
    environ: dict[str, str] = field(default_factory=dict)
    talk: str | None = None
    may: tuple[str, ...] = ()
    needed: bool = True


@dataclass(frozen=True)
class Kind:
    """A kind of hostile input; `kinds` has a file for each.

    Parameters
    ----------
    make : callable
        Gets an empty folder, random numbers and the number of the case; writes the
        input there and returns the case. Equal random numbers make equal inputs.
    warm : {"runtime", "keras", "none"}
        Which warm process runs it; see `fork_server`.
    share : float
        Of the long run, relative to other kinds.
    short : int
        How many the short part of the tests takes.
    needs : tuple of str
        Modules without which the kind is left out.
    """

    make: Callable[[Path, Random, int], Case]
    warm: str = "runtime"
    share: float = 1.0
    short: int = 10
    needs: tuple[str, ...] = ()
