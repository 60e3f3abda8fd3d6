"""Measure peers: ``python -m edgeseg.benchmarks.studies.peers SHARED RECORD``.

Makes an environment for each peer in the cache (pip, binary wheels only), makes the
models, runs everyone interleaved, writes the record and prints a table. SHARED holds
``models`` and ``data/voc-animals``. Every peer that is not named is left out, and one
that cannot run is named with its reason.

Run from a checkout; see `edgeseg.benchmarks.studies`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.benchmarks.record import write_record
from edgeseg.benchmarks.studies.peers.benchmark import RacePlan, measure
from edgeseg.benchmarks.studies.peers.peers import PEERS
from edgeseg.devices import EdgesegError
from edgeseg.runtime.pictures.atomic import check_writable

if TYPE_CHECKING:
    from edgeseg.devices.types import Json

_HEAD = (
    "",
    "invoke, ms",
    "x edgeseg",
    "to labels, ms",
    "x edgeseg",
    "same labels, %",
    "mIoU, %",
)


def main(arguments: list[str]) -> int:
    """Run the command; return its exit status."""
    parsed = _parser().parse_args(arguments)
    chosen = parsed.peers.split(",") if parsed.peers else PEERS
    plan = RacePlan(
        parsed.shared.absolute(),
        parsed.cache.expanduser().absolute(),
        tuple(chosen),
        parsed.rounds,
        parsed.pictures,
        parsed.scored,
    )
    try:
        check_writable(parsed.record)
        record = measure(plan, lambda line: print(line, file=sys.stderr))
        write_record(parsed.record, record)
    except EdgesegError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    print(table_of(record))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m edgeseg.benchmarks.studies.peers", description="Measure peers."
    )
    parser.add_argument("shared", type=Path, help="folder with models and data")
    parser.add_argument("record", type=Path, help="JSON file to write")
    parser.add_argument(
        "--peers", help=f"comma-separated: {', '.join(PEERS)} (default: all)"
    )
    cache = Path("~/.cache/edgeseg-peers")
    parser.add_argument("--cache", type=Path, default=cache, help=f"default: {cache}")
    parser.add_argument("--rounds", type=_count, default=5, help="default: 5")
    parser.add_argument(
        "--pictures", type=_count, default=8, help="pictures timed, default: 8"
    )
    parser.add_argument(
        "--scored", type=_count, default=50, help="pictures scored, default: 50"
    )
    return parser


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("expected at least 1")
    return number


def table_of(record: Json) -> str:
    """Return lines of Markdown; ratios have their quartiles in brackets.

    Parameters
    ----------
    record : dict
        From `measure`.
    """
    rows = [_HEAD, ("---",) * len(_HEAD)]
    timed = {name: row for name, row in record["edgeseg"].items() if "ms" in row}
    for name, row in timed.items():
        rows.append(_row(row, "ratio_to_itself"))
        for peer in record["peers"].values():
            if peer["reference"] == name:
                rows.append(_row(peer, "ratio_to_edgeseg"))
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines += [f"{name}: {why}" for name, why in record["failures"].items()]
    return "\n".join(lines)


def _row(row: Json, ratios: str) -> tuple[str, ...]:
    miou = row["miou_7_classes"]
    return (
        row["about"],
        f"{row['ms']['invoke']['median']:.1f}",
        _ratio(row[ratios]["invoke"]),
        f"{row['ms']['total']['median']:.1f}",
        _ratio(row[ratios]["picture_to_labels"]),
        f"{100 * row['agreement_with_edgeseg']:.2f}",
        "-" if miou is None else f"{100 * miou:.2f}",
    )


def _ratio(spread: dict[str, float]) -> str:
    return f"{spread['median']:.2f} ({spread['q1']:.2f}-{spread['q3']:.2f})"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
