"""Count a model's answers on actors of Ray: the counts of one machine, from many.

Counts are whole numbers a picture, so that it makes no difference where and in which
order they are made: scores and intervals are made of them on the machine that asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

from edgeseg.benchmarks.accuracy.reference import open_reference
from edgeseg.benchmarks.record import open_model
from edgeseg.devices import InputError
from edgeseg.devices.base import Closing
from edgeseg.runtime.accuracy.evaluation import evaluate
from edgeseg.runtime.accuracy.open import open_dataset
from edgeseg.runtime.archive.actors import Actors, Lost
from edgeseg.runtime.archive.cluster import check_installed, connected
from edgeseg.runtime.commands.options import overrides_of
from edgeseg.runtime.pipeline.stopping import Stop

if TYPE_CHECKING:
    from edgeseg.benchmarks.accuracy.subject import EvalScope
    from edgeseg.devices.types import Json
    from edgeseg.runtime import Overrides
    from edgeseg.runtime.accuracy.counts import Counts

    CountPictures: TypeAlias = Callable[[Sequence[str]], Iterable[Counts]]

_PICTURES = 8  # of a batch
_DEATHS = 3  # of processes at one batch, before it is an error


@dataclass(frozen=True)
class Scoring:
    """What each actor opens; all machines see its files under the same paths.

    Parameters
    ----------
    model, root : Path
        The model file and the data set's folder, absolute.
    scope : EvalScope
        Which pictures, and how they count.
    truth_labels : str or None
        See `open_dataset`.
    device, threads, overrides
        See `open_model`.
    reference : Path or None
        Absolute; see `open_reference`.
    """

    model: Path
    root: Path
    scope: EvalScope
    truth_labels: str | None
    device: str
    threads: int | None
    overrides: Overrides
    reference: Path | None = None

    @classmethod
    def of(
        cls,
        model: Path,
        root: Path,
        scope: EvalScope,
        values: Json,
        reference: Path | None,
    ) -> Scoring:
        """Return what a command's values say, which are left as they are."""
        return cls(
            model.absolute(),
            root.absolute(),
            scope,
            values["truth_labels"],
            values["device"],
            values["threads"],
            overrides_of(dict(values)),
            None if reference is None else reference.absolute(),
        )


class ScoringWorker(Closing):
    """Counts the pictures that it is given the names of.

    Parameters
    ----------
    scoring : Scoring
        What to open.
    """

    def __init__(self, scoring: Scoring) -> None:
        self._matching = scoring.scope.matching
        self._dataset = open_dataset(
            scoring.root, scoring.scope.split, labels=scoring.truth_labels
        )
        path = scoring.reference
        self._reference = None if path is None else open_reference(path)
        self._stack = ExitStack()
        self._segmenter = self._stack.enter_context(
            open_model(
                scoring.model,
                scoring.device,
                scoring.threads or 1,  # an actor has one core
                scoring.overrides,
            )
        )

    def __call__(self, names: Sequence[str]) -> tuple[Counts, ...]:
        """Return the counts of pictures, in the order of their names."""
        return evaluate(
            self._segmenter,
            self._dataset,
            names=names,
            matching=self._matching,
            detailed=True,
            reference=None if self._reference is None else self._reference.ids,
        ).pictures

    def close(self) -> None:
        """Close the model."""
        self._stack.close()


def counted_on_ray(address: str | None, scoring: Scoring) -> CountPictures:
    """Return a function that counts pictures on a cluster; see `connected`.

    Raises
    ------
    MissingDriverError
        Ray is not installed.
    """
    check_installed()

    def count(names: Sequence[str]) -> Iterator[Counts]:
        if not names:
            return
        with ExitStack() as stack:
            ray = stack.enter_context(connected(address))
            actors: Actors[_Names] = Actors(
                ray, ScoringWorker, (scoring,), threads=scoring.threads
            )
            stack.callback(actors.close)
            yield from _in_order(actors, names)

    return count


@dataclass(frozen=True)
class _Names(Sequence[str]):
    """A part of the names, which knows its place among them."""

    names: tuple[str, ...]
    place: int
    deaths: int = 0

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> str:  # type: ignore[override]
        return self.names[index]


def _in_order(actors: Actors[_Names], names: Sequence[str]) -> Iterator[Counts]:
    parts = (
        _Names(tuple(names[start : start + _PICTURES]), start // _PICTURES)
        for start in range(0, len(names), _PICTURES)
    )
    waiting: dict[int, tuple[Counts, ...]] = {}
    following = 0
    for each in actors.results(parts, Stop()):
        if each is None:
            continue
        part, result = each
        if isinstance(result, Lost):
            if part.deaths + 1 >= _DEATHS:
                raise InputError(
                    f"{_DEATHS} processes died at {part[0]} or one of the "
                    f"{len(part) - 1} pictures after it: {result.reason}"
                )
            actors.again(_Names(part.names, part.place, part.deaths + 1))
            continue
        waiting[part.place] = cast("tuple[Counts, ...]", result)
        while following in waiting:
            yield from waiting.pop(following)
            following += 1
