"""Whether a class is in a zone: only what lasts counts, in both directions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edgeseg.runtime.zones.tracking import Track
    from edgeseg.runtime.zones.zone import Zone

# sums of frame intervals are not exact: half a second may come as 0.49999...
_ROUNDING_S = 1e-6
# A class that covers more than the threshold is present until it covers less than this
# part of it: shares of masks vary by some percent between frames of a still scene
_STAYS_FROM = 0.5
# how long something that has not entered yet may be unseen
_FLICKER_S = 0.5


@dataclass
class Lasting:
    """A yes or no that changes when the other has held for some time.

    Parameters
    ----------
    on_s, off_s : float
        Seconds for which a yes, or a no, has to hold.

    Examples
    --------
    >>> there = Lasting(on_s=0.5, off_s=1.0)
    >>> [there.update(True, at) for at in (0.0, 0.25, 0.5)], there.value
    ([False, False, True], True)
    """

    on_s: float
    off_s: float
    value: bool = False
    since_s: float = 0.0
    # since when the other has held
    other_s: float | None = field(default=None, repr=False)

    def update(self, seen: bool, now_s: float) -> bool:
        """Take what is seen now; return whether the value has changed."""
        if seen == self.value:
            self.other_s = None
            return False
        if self.other_s is None:
            self.other_s = now_s
        wait = self.on_s if seen else self.off_s
        if now_s - self.other_s < wait - _ROUNDING_S:
            return False
        self.value, self.since_s, self.other_s = seen, self.other_s, None
        return True


@dataclass
class Stay:
    """One thing in a zone."""

    there: Lasting
    seen_s: float
    dwells: bool = False


@dataclass(frozen=True)
class Change:
    """What has happened to a class in a zone.

    Parameters
    ----------
    kind : {"enter", "leave", "dwell", "count"}
        See `Event`.
    since_s : float
        When it began.
    seconds : float or None
        How long the class, or the thing, was there.
    thing : int or None
        Number of the thing that dwells.
    """

    kind: str
    since_s: float
    seconds: float | None = None
    thing: int | None = None


class Presence:
    """One class in one zone, over time.

    Parameters
    ----------
    zone : Zone
        Gives the times and the threshold.
    """

    def __init__(self, zone: Zone) -> None:
        self._zone = zone
        self._stays: dict[int, Stay] = {}
        self._class = Lasting(zone.enter_s, zone.leave_s)
        self.count = 0
        self.present = False
        self._present_s = 0.0

    def update(
        self, inside: Sequence[tuple[Track, bool]], share: float, now_s: float
    ) -> Iterator[Change]:
        """Take a frame, and yield what has changed.

        Parameters
        ----------
        inside : sequence of (Track, bool)
            The things of the class that are seen, and whether they are in the zone.
        share : float
            Of the zone.
        now_s : float
            Seconds on the frames' clock.
        """
        began, ended = self._follow(inside, now_s)
        before, self.count = self.count, self._counted()
        yield from self._presence(share, now_s, began, ended)
        if self.count != before:
            since = min(began) if self.count > before and began else now_s
            if self.count < before and ended:
                since = max(ended)
            yield Change("count", since)
        yield from self._dwelling(now_s)

    def _follow(
        self, inside: Sequence[tuple[Track, bool]], now_s: float
    ) -> tuple[list[float], list[float]]:
        """Move every stay on; return when some began and others ended."""
        began: list[float] = []
        ended: list[float] = []
        seen = {track.id for track, _ in inside}
        for track, is_inside in inside:
            stay = self._stay_of(track, is_inside, seen, now_s)
            if stay is None:
                continue
            stay.seen_s = now_s
            if stay.there.update(is_inside, now_s):
                (began if is_inside else ended).append(stay.there.since_s)
        for number, stay in list(self._stays.items()):
            if number not in seen:
                there = stay.there
                patience = self._zone.leave_s if there.value else _FLICKER_S
                # it may have been outside already when it was seen last
                outside_s = there.other_s if there.value else None
                since_s = stay.seen_s if outside_s is None else outside_s
                if now_s - since_s < patience - _ROUNDING_S:
                    continue
                if there.value:
                    ended.append(since_s)
                del self._stays[number]
            elif not stay.there.value and not _is_inside(inside, number):
                del self._stays[number]
        return began, ended

    def _stay_of(
        self, track: Track, is_inside: bool, seen: set[int], now_s: float
    ) -> Stay | None:
        """Return the stay of a thing, which may begin now."""
        stay = self._stays.get(track.id)
        if stay is not None or not is_inside:
            return stay
        # one that appears where another was lost is the same, seen again
        lost = [n for n in self._stays if n not in seen] if track.age_s == 0 else []
        if lost:
            stay = self._stays.pop(min(lost))
        else:
            stay = Stay(Lasting(self._zone.enter_s, self._zone.leave_s), now_s)
        self._stays[track.id] = stay
        return stay

    def _counted(self) -> int:
        return sum(stay.there.value for stay in self._stays.values())

    def _presence(
        self, share: float, now_s: float, began: list[float], ended: list[float]
    ) -> Iterator[Change]:
        threshold = self._zone.threshold
        if threshold is not None:
            least = threshold * (_STAYS_FROM if self._class.value else 1)
            self._class.update(share >= least, now_s)
            present, since = self._class.value, self._class.since_s
        else:
            present = self.count > 0
            since = max(ended, default=now_s) if self.present else min(began, default=0)
        if present == self.present:
            return
        self.present = present
        if present:
            self._present_s = since
            yield Change("enter", since)
        else:
            yield Change("leave", since, since - self._present_s)

    def _dwelling(self, now_s: float) -> Iterator[Change]:
        limit = self._zone.dwell_s
        if limit is None:
            return
        for number, stay in self._stays.items():
            since = stay.there.since_s
            lasts = now_s - since >= limit - _ROUNDING_S
            if stay.there.value and not stay.dwells and lasts and stay.seen_s == now_s:
                stay.dwells = True
                yield Change("dwell", since, now_s - since, number)


def _is_inside(inside: Sequence[tuple[Track, bool]], number: int) -> bool:
    return any(track.id == number and there for track, there in inside)
