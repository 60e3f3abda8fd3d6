"""What is known of a peer before it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PYTHON = "python3.11"  # the newest that every pinned wheel exists for


@dataclass(frozen=True)
class Step:
    """A model made from another one, with a peer's own tools.

    Parameters
    ----------
    worker : str
        Module of ``_workers`` with ``make(source, output, calibration)``.
    file : str
        Name of what it makes.
    requirements : tuple of str
        Pinned pip requirements of its environment.
    python : str
        Interpreter that the environment is made with.
    """

    worker: str
    file: str
    requirements: tuple[str, ...]
    python: str = PYTHON


@dataclass(frozen=True)
class Peer:
    """Another way to run a segmentation network.

    Parameters
    ----------
    about : str
        What runs, for the table.
    worker : str
        Module of ``_workers`` with ``open_loop(settings)``.
    model : str
        The model it starts from; see `make_model`.
    threads : str
        How its two threads are set.
    requirements : tuple of str
        Pinned pip requirements of its environment.
    packages : tuple of str
        Distributions whose versions belong in the record.
    steps : tuple of Step
        What is made of the model first.
    settings : mapping of str to JSON value
        Handed to the worker.
    reference : str
        The model that edgeseg runs beside it.
    python : str
        Interpreter that the environment is made with.
    """

    about: str
    worker: str
    model: str
    threads: str
    requirements: tuple[str, ...]
    packages: tuple[str, ...]
    steps: tuple[Step, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    reference: str = "int8-513"
    python: str = PYTHON
