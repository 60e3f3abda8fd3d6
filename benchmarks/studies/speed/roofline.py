"""Every operator's time against what the processor can do: the roofline.

``python -m edgeseg.benchmarks.studies.speed.roofline RECORD.json MODEL...`` cuts each
operator out of an int8 model, runs it alone with all its threads, and holds its time
against the larger of two bounds that the same run measures: its multiply-adds at the
rate of the fastest convolution, and the bytes that it reads and writes at the rate of
a copy or an addition of as many, whichever is faster. MODEL is a ``.tflite`` file or
the name of a model that comes with edgeseg.

An operator alone pays for an invocation of its own; that of an operator that does
nothing is measured too, and taken off. Run from a checkout; see
`edgeseg.benchmarks.studies`.

References
----------
S. Williams, A. Waterman, D. Patterson, "Roofline: An Insightful Visual Performance
Model for Multicore Architectures", Communications of the ACM 52(4), 2009.
"""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeseg.benchmarks.record import write_record
from edgeseg.benchmarks.studies.conversions import machine
from edgeseg.benchmarks.studies.speed.operators import (
    cut_out,
)
from edgeseg.benchmarks.studies.speed.processor import (
    Roof,
    in_turns,
    processor_cases,
    roof_of,
    runner,
)
from edgeseg.devices.cores import usable_processors
from edgeseg.devices.litert import find_runtime
from edgeseg.devices.placement.graph import macs, moved_bytes
from edgeseg.devices.placement.reading import read_model_graph
from edgeseg.runtime.model.embedded import sha256
from edgeseg.runtime.shipped import find_model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeseg.devices.placement.graph import ModelGraph, Operator
    from edgeseg.devices.types import Json

_FARTHEST = 3
_KB = 1024
_LEAST_US = 0.1  # what a clock tells apart


@click.command()
@click.argument("target", type=click.Path(path_type=Path), metavar="RECORD.json")
@click.argument("models", nargs=-1, required=True)
@click.option("--threads", default=2, show_default=True, help="Of an inference.")
@click.option("--rounds", default=7, show_default=True, help="All are timed in turns.")
@click.option("--runs", default=20, show_default=True, help="Invocations in a turn.")
@click.option("--note", default="", help="Kept in the record: what else ran.")
def main(
    target: Path,
    models: tuple[str, ...],
    threads: int,
    rounds: int,
    runs: int,
    note: str,
) -> None:
    """Measure every model and write the record."""
    before = os.getloadavg()[0]
    done: Json = {}
    for name in models:
        path = find_model(name)
        done[path.stem] = measure(path, threads=threads, rounds=rounds, runs=runs)
        click.echo(table(path.stem, done[path.stem]))
    record = {
        "load_average": {"before": before, "after": os.getloadavg()[0]},
        "machine": machine(),
        "models": done,
        "note": note,
        "threads": threads,
        "cores": len(usable_processors()),
    }
    write_record(target, record)


def measure(path: Path, *, threads: int, rounds: int, runs: int) -> Json:
    """Time every operator of a model, alone, and the whole network, in turns.

    Returns
    -------
    dict
        ``roof``, ``network_us``, ``operators`` (each with ``us``, ``least_us``, the
        ``share`` of the roofline that it reaches), sums by ``kinds``, and the
        ``farthest`` operators, by the time that they lose. JSON values.
    """
    content = path.read_bytes()
    graph = read_model_graph(path)
    cases = processor_cases(threads)
    cases["network"] = runner(content, threads)
    for operator in graph.operators:
        alone = cut_out(content, operator.index)
        cases[_case(operator)] = runner(alone, threads)
    times = in_turns(cases, rounds, runs)
    roof = roof_of(times)
    rows = [_row(graph, o, times[_case(o)], roof) for o in graph.operators]
    by_loss = sorted(rows, key=lambda row: float(row["least_us"] - row["us"]))
    rates = {str(n): round(r / 1000, 1) for n, r in roof.bytes_per_us.items()}
    return {
        "model_sha256": sha256(path),
        "runtime": find_runtime().version,
        "rounds": rounds,
        "runs": runs,
        "roof": {
            "gmacs_per_s": round(roof.macs_per_us / 1000, 1),
            "gbytes_per_s": rates,
            "invocation_us": round(roof.invocation_us, 1),
        },
        "network_us": round(times["network"], 1),
        "operators_us": round(sum(row["us"] for row in rows), 1),
        "least_us": round(sum(row["least_us"] for row in rows), 1),
        "kinds": _by_kind(rows),
        "farthest": [row["index"] for row in by_loss[:_FARTHEST]],
        "operators": rows,
    }


def _case(operator: Operator) -> str:
    return f"operator {operator.index}"


def _row(graph: ModelGraph, operator: Operator, alone_us: float, roof: Roof) -> Json:
    multiply_adds, moved = macs(graph, operator), moved_bytes(graph, operator)
    spent = max(alone_us - roof.invocation_us, _LEAST_US)
    least = roof.least_us(multiply_adds, moved)
    computes = multiply_adds / roof.macs_per_us >= least
    return {
        "index": operator.index,
        "op": operator.kind,
        "shapes": [list(t.shape) for t in graph.activations(operator)],
        "macs": multiply_adds,
        "bytes": moved,
        "us": round(spent, 1),
        "least_us": round(least, 1),
        "share": round(least / spent, 3),
        "bound": "arithmetic" if computes else "memory",
    }


def table(name: str, measured: Json) -> str:
    """Return the figures as lines for a terminal."""
    roof = measured["roof"]
    rates = ", ".join(
        f"{int(size) // _KB} kB {rate}" for size, rate in roof["gbytes_per_s"].items()
    )
    lines = [
        f"{name}: {measured['network_us'] / 1000:.2f} ms; its operators alone, in sum, "
        f"{measured['operators_us'] / 1000:.2f} ms; the roofline "
        f"{measured['least_us'] / 1000:.2f} ms",
        f"  {roof['gmacs_per_s']} G multiply-adds/s; GB/s of bytes moved: {rates}",
    ]
    for kind, row in measured["kinds"].items():
        lines.append(
            f"  {kind:20} {row['count']:3}  {row['us'] / 1000:7.2f} ms, "
            f"{100 * row['share']:3.0f} % of the roofline"
        )
    by_index = {row["index"]: row for row in measured["operators"]}
    for index in measured["farthest"]:
        row = by_index[index]
        shapes = " -> ".join("x".join(map(str, shape)) for shape in row["shapes"])
        lines.append(
            f"  farthest: {index} {row['op']} {shapes}: {row['us']} us, "
            f"{row['least_us']} by {row['bound']}"
        )
    return "\n".join(lines)


def _by_kind(rows: Sequence[Json]) -> Json:
    sums: dict[str, Json] = defaultdict(
        lambda: {"count": 0, "us": 0.0, "least_us": 0.0}
    )
    for row in rows:
        one = sums[row["op"]]
        one["count"] += 1
        one["us"] += row["us"]
        one["least_us"] += row["least_us"]
    for one in sums.values():
        one["share"] = round(one["least_us"] / one["us"], 3)
        one["us"], one["least_us"] = round(one["us"], 1), round(one["least_us"], 1)
    return dict(sorted(sums.items(), key=lambda item: -float(item[1]["us"])))


if __name__ == "__main__":
    main()
