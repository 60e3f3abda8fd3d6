"""The readings of a run, in Prometheus's text format 0.0.4.

References
----------
https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgeseg.devices.plain_text import encodable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from edgeseg.devices.types import Json
    from edgeseg.runtime.pipeline.meter import Readings, Spread

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass
class _Text:
    lines: list[str] = field(default_factory=list)

    def add(
        self, name: str, kind: str, text: str, values: Mapping[str, float | None]
    ) -> None:
        """Add one metric; `values` maps label text to value, None is left out."""
        known = {labels: value for labels, value in values.items() if value is not None}
        if not known:
            return
        self.lines += [f"# HELP edgeseg_{name} {text}", f"# TYPE edgeseg_{name} {kind}"]
        for labels, value in known.items():
            shown = f"{{{labels}}}" if labels else ""
            self.lines.append(f"edgeseg_{name}{shown} {float(value)!r}")

    def summary(
        self,
        name: str,
        text: str,
        spread: Spread | None,
        readings: Readings,
        sum_s: float,
    ) -> None:
        """Add quantiles of recent frames, and sum and count of all."""
        if spread is None:
            return
        values = {"0.5": spread.p50, "0.9": spread.p90}
        self.add(
            name,
            "summary",
            text,
            {_labels(quantile=q): ms / 1000 for q, ms in values.items()},
        )
        self.lines.append(f"edgeseg_{name}_sum {sum_s!r}")
        self.lines.append(f"edgeseg_{name}_count {float(readings.frames)!r}")


def metrics_text(
    readings: Readings,
    label: Callable[[int], str],
    classes: Iterable[int],
    *,
    version: str,
    temperature_c: float | None,
    streams: int,
    connections: int,
    watched: Json | None = None,
) -> str:
    """Return all metrics of a run.

    Parameters
    ----------
    readings : Readings
        What the meter shows.
    label : callable
        Returns a class id's name.
    classes : iterable of int
        Class ids that are shown, with 0 where the last frame has none of them.
    version : str
        Of edgeseg.
    temperature_c : float or None
        Of the machine.
    streams, connections : int
        Clients that watch; connections that are open.
    watched : dict or None
        ``zones`` and ``lines`` of the newest frame; see `Watched.to_dict`.
    """
    text = _Text()
    _add_frames(text, readings)
    ids = sorted({*classes, *readings.shares})
    shares = {_labels(id=i, name=label(i)): readings.shares.get(i, 0.0) for i in ids}
    help_ = "Share of the last frame's pixels that are of a class."
    text.add("class_share", "gauge", help_, shares)
    help_ = "Temperature of the machine's hottest zone."
    text.add("temperature_celsius", "gauge", help_, {"": temperature_c})
    text.add("web_streams", "gauge", "Clients that watch the stream.", {"": streams})
    help_ = "Connections to the page that are open."
    text.add("web_connections", "gauge", help_, {"": connections})
    _add_watched(text, watched or {})
    text.add("build_info", "gauge", "The version.", {_labels(version=version): 1})
    return encodable("\n".join([*text.lines, ""]))


def _add_watched(text: _Text, watched: Json) -> None:
    inside = {
        _labels(zone=zone, name=label): found
        for zone, classes in watched.get("zones", {}).items()
        for label, found in classes.items()
    }
    help_ = "Things of a class that are in a zone."
    counts = {key: found["count"] for key, found in inside.items()}
    text.add("zone_things", "gauge", help_, counts)
    help_ = "Share of a zone's pixels that are of a class."
    shares = {key: found["share"] for key, found in inside.items()}
    text.add("zone_share", "gauge", help_, shares)
    crossed = {
        _labels(line=line, direction=way): count
        for line, ways in watched.get("lines", {}).items()
        for way, count in ways.items()
    }
    help_ = "Things that have crossed a line."
    text.add("line_crossings_total", "counter", help_, crossed)


def join_metrics(texts: Mapping[str, str]) -> str:
    r"""Return the metrics of several cameras, told apart by the label ``camera``.

    All samples of a metric stand together, as the format asks for.

    Parameters
    ----------
    texts : mapping of str to str
        From `metrics_text`, by the camera's name.

    Examples
    --------
    >>> one = "# HELP a_b Text.\n# TYPE a_b gauge\na_b 1.0\n"
    >>> print(join_metrics({"door": one, "yard": one}), end="")
    # HELP a_b Text.
    # TYPE a_b gauge
    a_b{camera="door"} 1.0
    a_b{camera="yard"} 1.0
    """
    families: dict[str, list[str]] = {}
    for camera, text in texts.items():
        label = _labels(camera=camera)
        family: list[str] = []
        for line in text.splitlines():
            if line.startswith("# HELP"):
                family = families.setdefault(line, [line])
            elif line.startswith("#"):
                family += [line] if line not in family else []
            else:
                family.append(_with_label(line, label))
    return "\n".join([*(line for each in families.values() for line in each), ""])


def _with_label(sample: str, label: str) -> str:
    """Return a sample's line with one more label."""
    name, brace, rest = sample.partition("{")
    if brace:
        return f"{name}{{{label},{rest}"
    name, _, value = sample.partition(" ")
    return f"{name}{{{label}}} {value}"


def _add_frames(text: _Text, readings: Readings) -> None:
    add = text.add
    add("frames_total", "counter", "Frames finished.", {"": readings.frames})
    help_ = "Live frames that newer ones replaced."
    add("dropped_frames_total", "counter", help_, {"": readings.dropped})
    add("fps", "gauge", "Frames a second, last two seconds.", {"": readings.fps})
    help_ = "Preprocessing, inference and postprocessing, recent frames."
    latency, ages = readings.latency_ms, readings.age_ms
    text.summary("latency_seconds", help_, latency, readings, readings.latency_sum_s)
    help_ = "From a frame's capture until it was finished, recent frames."
    text.summary("frame_age_seconds", help_, ages, readings, readings.age_sum_s)
    help_ = "Seconds since the last frame."
    add("last_frame_seconds", "gauge", help_, {"": readings.last_frame_s})
    help_ = "1 while the run is paused."
    add("paused", "gauge", help_, {"": readings.paused})
    help_ = "1 while the source gives frames."
    add("source_connected", "gauge", help_, {"": readings.connected})
    help_ = "Times that the source connected again."
    add("source_reconnects_total", "counter", help_, {"": readings.reconnects})
    states = {_labels(output=name): each for name, each in readings.outputs.items()}
    help_ = "1 while an output that connects is connected."
    values = {key: each["connected"] for key, each in states.items()}
    add("output_connected", "gauge", help_, values)
    help_ = "Times that an output connected again."
    values = {key: each["reconnects"] for key, each in states.items()}
    add("output_reconnects_total", "counter", help_, values)
    add("uptime_seconds", "gauge", "Seconds of this run.", {"": readings.uptime_s})


def _labels(**values: object) -> str:
    """Return label text; backslash, quote and line feed are escaped.

    Examples
    --------
    >>> _labels(quantile=0.5, name="cat")
    'quantile="0.5",name="cat"'
    """
    table = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
    return ",".join(f'{k}="{str(v).translate(table)}"' for k, v in values.items())
