"""The command `bench`: parse, call, print."""

from __future__ import annotations

from pathlib import Path

import click

from edgeseg.runtime.commands.options import (
    MODEL,
    PATH,
    FloatRange,
    override_options,
    overrides_of,
)
from edgeseg.runtime.json_text import json_text
from edgeseg.runtime.terminal.completion import complete_file
from edgeseg.runtime.terminal.console import show
from edgeseg.runtime.terminal.progress import OverwrittenLine


class ThreadsParam(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """``1,2,4``: whole numbers of threads."""

    name = "N,N,..."

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Parse the text."""
        if isinstance(value, tuple):
            return value
        parts = [part.strip() for part in str(value).split(",")]
        if not all(p.isascii() and p.isdigit() and 0 < int(p) <= 1024 for p in parts):
            self.fail(f"expected numbers from 1 to 1024 such as 1,2,4; got {value!r}")
        return tuple(dict.fromkeys(int(part) for part in parts))


class DelegatesParam(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """``on``, ``off`` or ``on,off``."""

    name = "on,off"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[bool, ...]:
        """Parse the text."""
        if isinstance(value, tuple):
            return value
        parts = [part.strip() for part in str(value).split(",")]
        if not set(parts) <= {"on", "off"}:
            self.fail(f"expected on, off or on,off; got {value!r}")
        return tuple(dict.fromkeys(part == "on" for part in parts))


class SyntheticSizeParam(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """``WIDTHxHEIGHT`` in pixels."""

    name = "WIDTHxHEIGHT"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Check the text."""
        parts = str(value).split("x")
        if len(parts) != 2 or not all(
            part.isascii() and part.isdigit() and 8 <= int(part) <= 8192
            for part in parts
        ):
            self.fail(f"expected WIDTHxHEIGHT, 8 to 8192 each; got {value!r}")
        return str(value)


@click.command()
@click.argument("model", type=MODEL)
@click.argument("source", required=False, shell_complete=complete_file)
@click.option(
    "--frame",
    type=SyntheticSizeParam(),
    default="640x480",
    show_default=True,
    help="Size of the drawn pictures that are taken without SOURCE.",
)
@click.option("--quick", is_flag=True, help="128 queries and 10 s instead.")
@click.option(
    "--queries", type=click.IntRange(1, 10**8), help="At least so many; not MLPerf's."
)
@click.option(
    "--seconds", type=FloatRange(0, 10**6), help="At least so long; not MLPerf's."
)
@click.option(
    "--device",
    default="auto",
    show_default=True,
    help="What runs the model: NAME or NAME:UNIT, such as desktop:cpu.",
)
@click.option(
    "--threads",
    type=ThreadsParam(),
    help="Threads of an inference, a run each.  [default: the physical cores]",
)
@click.option(
    "--delegate",
    "delegates",
    type=DelegatesParam(),
    help="With XNNPACK, without it, or a run each.  [default: as the device has it]",
)
@override_options
@click.option("--json", "json_path", type=PATH, help="Also write a JSON record there.")
def bench(
    model: Path,
    source: str | None,
    json_path: Path | None,
    *,
    frame: str,
    quick: bool,
    queries: int | None,
    seconds: float | None,
    device: str,
    threads: tuple[int, ...] | None,
    delegates: tuple[bool, ...] | None,
    **overrides: object,
) -> None:
    """Measure how long a picture takes.

    One query at a time by MLPerf's rules (SingleStream): at least 1,024 queries
    and 60 seconds, p90 the headline; stages, load time, first run, memory and the
    machine's state apart, and whether the figures may be trusted.

    SOURCE is what `edgeseg run` takes; its pictures are decoded beforehand.
    """
    from edgeseg.benchmarks.latency.bench import bench as measure
    from edgeseg.benchmarks.latency.setup import Setup
    from edgeseg.benchmarks.latency.single_stream import Rules
    from edgeseg.benchmarks.latency.text import record_text
    from edgeseg.runtime.pictures.atomic import check_writable, write_text
    from edgeseg.runtime.pictures.originals import check_apart

    if json_path is not None:
        check_writable(json_path)
        read = model, source, str(overrides["labels"] or "")
        check_apart(json_path, *read, option="--json")
    rules = Rules.quick() if quick else Rules.full()
    setup = Setup(
        model,
        source or f"synthetic:{frame},frames=16",
        device=device,
        threads=threads or (None,),
        delegates=delegates or (None,),
        rules=rules.changed(queries=queries, seconds=seconds),
        overrides=overrides_of(overrides),
    )
    line = _StatusLine()
    try:
        record = measure(setup, progress=line.show)
    finally:
        line.end()
    if json_path is not None:
        write_text(json_path, json_text(record, indent=1, sort_keys=True) + "\n")
    show(record_text(record))


class _StatusLine:
    """A line on standard error, written over on a terminal, now and then elsewhere."""

    def __init__(self) -> None:
        self._line = OverwrittenLine()
        self._shown = 0

    def show(self, text: str) -> None:
        if self._line.is_terminal or self._shown % 20 == 0:  # every ten seconds
            self._line.write(text)
        self._shown += 1

    def end(self) -> None:
        self._line.end()
