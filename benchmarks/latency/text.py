"""A latency record as a person reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.benchmarks.latency.trip import STAGES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeseg.devices.types import Json


_REST = ("p50", "p95", "p97", "p99", "p99.9", "mean", "min")


def record_text(record: Json) -> str:
    """Return the record of `bench` in a few lines."""
    board, pictures, rules = record["board"], record["pictures"], record["rules"]
    system = f"{board['system']} {board['kernel']}"
    machine = [board["model"], board["processor"], f"{board['cores']} cores", system]
    versions = ", ".join(f"{k} {v}" for k, v in record["versions"].items())
    marked = "" if rules["mlperf"] else ", not MLPerf's length"
    lines = [
        f"{record['model']}  {record['model_bytes']:,} bytes  "
        f"sha256 {record['model_sha256'][:16]}",
        "; ".join(part for part in machine if part),
        versions,
        f"{pictures['count']} pictures of {pictures['source']} "
        f"({sizes_text(pictures['sizes'])}); at least {rules['queries']} queries and "
        f"{rules['seconds']:g} s{marked}",
    ]
    for run in record["runs"]:
        lines += ["", *_run_lines(run)]
    return "\n".join(lines)


def sizes_text(sizes: Sequence[str]) -> str:
    """Return picture sizes for a reader.

    Examples
    --------
    >>> sizes_text(["640x480"]), sizes_text(["1x1", "2x2", "3x3", "4x4"])
    ('640x480', '4 sizes such as 1x1')
    """
    if len(sizes) > 3:
        return f"{len(sizes)} sizes such as {sizes[0]}"
    return ", ".join(sizes)


def run_title(run: Json) -> str:
    """Return what distinguishes a run from the others of a record.

    Examples
    --------
    >>> device = {"device": "desktop", "threads": 2, "xnnpack": "off"}
    >>> run_title({"device": device, "emulated": None})
    'desktop, 2 threads, XNNPACK off'
    """
    device = run["device"]
    threads = device.get("threads")
    parts = [
        str(device.get("device")),
        f"{threads} thread{'' if threads == 1 else 's'}" if threads else "",
        f"XNNPACK {device['xnnpack']}" if "xnnpack" in device else "",
        "emulated" if run["emulated"] else "",
    ]
    return ", ".join(part for part in parts if part)


def _run_lines(run: Json) -> list[str]:
    latency = run["latency_ms"]
    mark = " emulated" if run["emulated"] else ""
    rest = ", ".join(f"{key} {latency[key]:.2f}" for key in _REST)
    warm = run["warm_up"]
    return [
        run_title(run),
        f"  p90{mark:10} {latency['p90']:9.2f} ms   {rest}{mark}",
        f"  queries       {run['queries']} in {run['seconds']:.1f} s; warm-up "
        f"{warm['queries']} in {warm['seconds']:.1f} s apart",
        f"  load          {run['load_ms']:.1f} ms, first run "
        f"{run['first_run_ms']:.1f} ms{mark}",
        *_stage_lines(run, mark),
        f"  memory        {_megabytes(run['memory']['peak_bytes'])} at most, "
        f"{_megabytes(run['memory']['before_load_bytes'])} before the model",
        *(f"  {when:13} {_state(run[when])}" for when in ("before", "after")),
        *_verdict(run),
    ]


def _stage_lines(run: Json, mark: str) -> list[str]:
    trip, core = run["trip"], run["stages_ms"]
    medians = ", ".join(
        f"{stage} {trip['stages_ms'][stage]['p50']:.2f}"
        for stage in STAGES
        if trip["stages_ms"][stage]
    )
    ours = core["preprocess"]["p50"] + core["postprocess"]["p50"]
    share = ours / core["invoke"]["p50"] if core["invoke"]["p50"] else 0.0
    return [
        f"  query         preprocess + postprocess {ours:.2f} ms{mark}, {share:.1%} of "
        f"invoke; stages are {run['stages_share']:.1%} of the wall time",
        f"  to overlay    {medians} ms{mark}; stages are {trip['stages_share']:.1%} of "
        f"the wall time, {trip['wall_ms']['p50']:.2f} ms{mark}",
    ]


def _state(state: Json) -> str:
    heat, clock = state["temperature_c"], state["frequency_mhz"]
    load = state["load_average"]
    throttling = state["throttling"]
    now = "unknown" if throttling is None else ", ".join(throttling["now"]) or "none"
    return (
        f"governor {state['governor'] or 'unknown'}, "
        f"{'clock unknown' if clock is None else f'{clock:.0f} MHz'}, "
        f"{'temperature unknown' if heat is None else f'{heat:.1f} degrees C'}, "
        f"throttling {now}, load {'unknown' if load is None else load[0]}"
    )


def _verdict(run: Json) -> list[str]:
    broken = [flag for flag in run["validity"] if flag["ok"] is False]
    unknown = [flag["reason"] for flag in run["validity"] if flag["ok"] is None]
    lines = [f"  NOT VALID     {flag['name']}: {flag['reason']}" for flag in broken]
    if not broken:
        lines = ["  valid         every condition that can be known holds"]
    return [*lines, *([f"  not known     {'; '.join(unknown)}"] if unknown else [])]


def _megabytes(count: int | None) -> str:
    return "unknown" if count is None else f"{count / 1e6:.1f} MB"
