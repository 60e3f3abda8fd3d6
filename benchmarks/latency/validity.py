"""Whether a latency may be trusted: one flag a condition, each with its reason."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from edgeseg.benchmarks.latency.single_stream import Rules

if TYPE_CHECKING:
    from edgeseg.devices.types import Json

MOST_DRIFT = 0.05  # of the median, between the first and the last quarter
MOST_WARMING_K = 10.0  # a board that warms more has not settled
MOST_OTHERS = 0.05  # of the machine's processor time, taken by other processes


@dataclass(frozen=True)
class Flag:
    """One condition.

    Parameters
    ----------
    name : str
        What should hold.
    ok : bool or None
        Whether it does; None where the machine does not say.
    reason : str
        The figures behind it.
    """

    name: str
    ok: bool | None
    reason: str

    def to_dict(self) -> Json:
        """Return JSON values."""
        return asdict(self)


def validity_flags(facts: Json, rules: Rules) -> list[Flag]:
    """Return the flags of a measurement.

    Parameters
    ----------
    facts : mapping
        ``queries``, ``seconds``, ``drift``, ``load_before`` (1 minute),
        ``processors``, ``others`` (share of processor time), ``emulated``, and the
        conditions ``before`` and ``after``.
    rules : Rules
        What was asked for.
    """
    return [
        _enough(facts, rules),
        _long(rules),
        _native(facts["emulated"]),
        _idle_before(facts["load_before"], facts["processors"]),
        _undisturbed(facts["others"]),
        _temperature(facts["before"], facts["after"]),
        _unthrottled(facts["before"], facts["after"]),
        _steady(facts["drift"]),
    ]


def is_valid(flags: list[Flag]) -> bool:
    """Return whether no condition is known to be broken."""
    return all(flag.ok is not False for flag in flags)


def _enough(facts: Json, rules: Rules) -> Flag:
    enough = facts["queries"] >= rules.queries and facts["seconds"] >= rules.seconds
    return Flag(
        "enough queries and seconds",
        enough,
        f"{facts['queries']} queries in {facts['seconds']:.1f} s; at least "
        f"{rules.queries} and {rules.seconds:g} s were asked for",
    )


def _long(rules: Rules) -> Flag:
    quick = Rules.quick()
    reason = {
        "mlperf": "MLPerf's figures: 1024 queries and 60 s",
        "quick": "the quick form, 128 queries and 10 s: not MLPerf's length",
    }.get(rules.name, "figures of the user's own: not MLPerf's length")
    enough = rules.queries >= quick.queries and rules.seconds >= quick.seconds
    return Flag("at least the quick form", enough, reason)


def _native(emulated: str | None) -> Flag:
    reason = f"emulated: {emulated}" if emulated else "no sign of an emulator"
    return Flag("real machine", emulated is None, reason)


def _idle_before(load: float | None, processors: int) -> Flag:
    if load is None:
        return Flag("idle before the start", None, "load average unknown")
    reason = f"load average {load:.2f} before the start, {processors} processors"
    return Flag("idle before the start", load <= processors, reason)


def _undisturbed(others: float | None) -> Flag:
    name = "machine to itself"
    if others is None:
        return Flag(name, None, "processor time of others unknown")
    reason = f"other processes took {others:.1%} of the processors' time meanwhile"
    return Flag(name, others <= MOST_OTHERS, reason)


def _temperature(before: Json, after: Json) -> Flag:
    name = "temperature stable"
    first, last = before["temperature_c"], after["temperature_c"]
    if first is None or last is None:
        return Flag(name, None, "temperature unknown")
    reason = f"{first:.1f} degrees C before, {last:.1f} after"
    return Flag(name, abs(last - first) <= MOST_WARMING_K, reason)


def _unthrottled(before: Json, after: Json) -> Flag:
    name = "not throttled"
    flags = [state["throttling"] for state in (before, after)]
    counts = [state["throttle_count"] for state in (before, after)]
    if None not in flags:
        added = set(flags[1]["since_start"]) - set(flags[0]["since_start"])
        found = sorted(added.union(flags[0]["now"], flags[1]["now"]))
        return Flag(name, not found, ", ".join(found) or "the firmware tells of none")
    if None not in counts:
        events = counts[1] - counts[0]
        return Flag(name, events == 0, f"{events} thermal throttle events")
    return Flag(name, None, "throttling unknown")


def _steady(drift: float | None) -> Flag:
    name = "steady"
    if drift is None:
        return Flag(name, None, "too few queries to see a drift")
    reason = f"median of the last quarter {drift:+.1%} against the first"
    return Flag(name, abs(drift) <= MOST_DRIFT, reason)
