"""Batches on actors, as many as a cluster has cores for, each batch once.

Ray starts the actors, carries the batches and says when a process or machine is gone.
What is done then is decided here: a new actor takes the place, and the batch that it
was at goes to another. A batch that kills whoever takes it is cut into pictures, and
a picture that does is given up: Ray's own retries would go on for ever.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from edgeseg.devices import EdgesegError, InputError
from edgeseg.devices.plain_text import one_line
from edgeseg.runtime.archive.holder import Failure, Holder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edgeseg.devices.types import Untyped
    from edgeseg.runtime.pipeline.stopping import Stop

_AHEAD = 2  # batches of an actor, so that it never waits for the next one
_TICK_S = 0.5
_LOOK_S = 5.0  # between looks for cores that have come
_BYTES = 512 << 20  # of memory that an actor is given at least
_STARTS = 3  # of actors that fail one after the other, before it is an error

B = TypeVar("B")


@dataclass(frozen=True)
class Lost(Generic[B]):
    """A batch whose process died.

    Parameters
    ----------
    batch : object
        As it was given.
    reason : str
        What is known of it.
    """

    batch: B
    reason: str


@dataclass(eq=False)
class _Actor:
    handle: Untyped
    opening: Untyped  # a reference while it opens, None when it is open
    flying: deque[Untyped] = field(default_factory=deque)


class Actors(Generic[B]):
    """Actors that each hold one worker, and what they are at.

    Parameters
    ----------
    ray : module
        Connected; see `edgeseg.runtime.archive.cluster.connected`.
    make : callable
        Makes a worker from the arguments, in the actor's process; a worker is called
        with a batch and returns its result. Found there by its name.
    arguments : tuple
        Sent once to each machine.
    threads : int or None
        Cores of an actor; None lets each have one, or more where there is not the
        memory for so many actors.
    most : int or None
        Actors; None takes as many as there are cores for.
    """

    def __init__(
        self,
        ray: Untyped,
        make: Callable[..., Untyped],
        arguments: tuple[object, ...],
        *,
        threads: int | None = None,
        most: int | None = None,
    ) -> None:
        self._ray = ray
        self._make = make
        self._arguments = ray.put(arguments)
        cpus, memory = self._capacity(threads)
        self.threads = threads or max(1, round(cpus / max(1, memory // _BYTES)))
        self._most = most
        self._actors: list[_Actor] = []
        self._batches: dict[Untyped, tuple[_Actor, B]] = {}
        self._urgent: deque[B] = deque()
        self._failed_starts = 0
        self._looked_s = 0.0

    @property
    def open(self) -> int:
        """How many actors are at work."""
        return sum(actor.opening is None for actor in self._actors)

    def again(self, batch: B) -> None:
        """Take a batch before all others."""
        self._urgent.append(batch)

    def results(
        self, batches: Iterator[B], stop: Stop
    ) -> Iterator[tuple[B, object] | None]:
        """Yield each batch with its result, or with `Lost`; None now and then.

        Parameters
        ----------
        batches : iterator
            Taken as they are needed.
        stop : Stop
            When it is asked for, no further batch is taken.

        Raises
        ------
        EdgesegError
            A worker cannot be made, or has raised it.
        """
        self._batches_left = batches
        while True:
            self._look_for_cores()
            more = not stop.asked and self._fill()
            waiting = [*self._batches, *self._opening()]
            if not self._batches and not more:
                return
            ready, _ = self._ray.wait(waiting, num_returns=1, timeout=_TICK_S)
            if not ready:
                yield None
            for reference in ready:
                if reference in self._batches:
                    yield from self._take(reference)
                else:
                    self._opened(reference)

    def close(self) -> None:
        """End the actors."""
        for actor in self._actors:
            self._ray.kill(actor.handle)
        self._actors = []

    def _opening(self) -> list[Untyped]:
        return [a.opening for a in self._actors if a.opening is not None]

    def _fill(self) -> bool:
        """Give batches to actors with room; return whether there may be more."""
        for depth in range(_AHEAD):  # everybody has one before anybody has two
            for actor in self._actors:
                if actor.opening is not None or len(actor.flying) > depth:
                    continue
                batch = self._next()
                if batch is None:
                    return False
                reference = actor.handle.work.remote(batch)
                actor.flying.append(reference)
                self._batches[reference] = actor, batch
        return True

    def _next(self) -> B | None:
        return (
            self._urgent.popleft() if self._urgent else next(self._batches_left, None)
        )

    def _take(self, reference: Untyped) -> Iterator[tuple[B, object]]:
        actor, batch = self._batches.pop(reference)
        actor.flying.remove(reference)
        try:
            result = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError:
            raise  # a mistake in the worker
        except self._ray.exceptions.RayError as error:
            # it was at the oldest batch; the others had not been begun
            for other in actor.flying:
                self.again(self._batches.pop(other)[1])
            self._replace(actor)
            yield batch, Lost(batch, _reason(error))
            return
        if isinstance(result, Failure):
            raise result.error()
        yield batch, result

    def _opened(self, reference: Untyped) -> None:
        actor = next(a for a in self._actors if a.opening == reference)
        try:
            failure = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            self._failed_starts += 1
            if self._failed_starts >= _STARTS:
                raise InputError(
                    f"{_STARTS} processes could not start in the cluster: "
                    f"{_reason(error)}; is edgeseg[archive] of this version and the "
                    "same Python installed on each machine?"
                ) from error
            self._replace(actor)
            return
        if failure is not None:
            raise failure.error()
        actor.opening = None
        self._failed_starts = 0

    def _replace(self, actor: _Actor) -> None:
        if actor in self._actors:
            self._ray.kill(actor.handle)  # if it is only out of reach
            self._actors[self._actors.index(actor)] = self._started()

    def _started(self) -> _Actor:
        kind = self._ray.remote(Holder).options(
            num_cpus=self.threads,
            max_restarts=0,
            max_task_retries=0,
            scheduling_strategy="SPREAD",
        )
        handle = kind.remote()
        return _Actor(handle, handle.open.remote(self._make, self._arguments))

    def _look_for_cores(self) -> None:
        """Start actors for cores that are there, or have come."""
        now = time.monotonic()
        if self._actors and now - self._looked_s < _LOOK_S:
            return
        self._looked_s = now
        wanted = sum(
            int(node["Resources"].get("CPU", 0)) // self.threads
            for node in self._nodes()
        )
        wanted = max(1, wanted if self._most is None else min(wanted, self._most))
        while len(self._actors) < wanted:
            self._actors.append(self._started())
        for actor in [a for a in self._actors if a.opening is not None][::-1]:
            if len(self._actors) <= wanted:
                break
            self._actors.remove(actor)  # its machine has gone
            self._ray.kill(actor.handle)

    def _nodes(self) -> list[Untyped]:
        return [node for node in self._ray.nodes() if node["Alive"]]

    def _capacity(self, threads: int | None) -> tuple[float, float]:
        """Return the cores and the bytes of the machine that has least for a core.

        Raises
        ------
        InputError
            No machine has so many cores, or any.
        """
        found = [
            (
                float(node["Resources"].get("CPU", 0)),
                float(node["Resources"].get("memory", 0)),
            )
            for node in self._nodes()
        ]
        found = [(cpus, memory) for cpus, memory in found if cpus >= 1]
        if not found:
            raise InputError("the cluster has no cores to work on")
        most = int(max(cpus for cpus, _ in found))
        if threads is not None and threads > most:
            raise InputError(
                f"--threads: no machine has so many cores: expected at most {most}, "
                f"got {threads}"
            )
        return min(found, key=lambda each: each[1] / each[0])


def _reason(error: Exception) -> str:
    text = one_line(error, 2000)
    for part in text.replace("\t", " ").split("  "):
        if "ModuleNotFoundError" in part or "Error:" in part:
            text = part
    return text[:300]


__all__ = ["Actors", "EdgesegError", "Lost"]
