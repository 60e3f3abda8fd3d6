"""Measure peers beside edgeseg: ``python -m edgeseg.benchmarks.peers SHARED RECORD``.

Makes an environment for each peer in the cache (pip, binary wheels only), makes the
models, runs everyone interleaved, writes the record and prints a table. SHARED holds
``models`` and ``data/voc-animals``. Every peer that is not named is left out, and one
that cannot run is told with its reason.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from edgeseg.benchmarks.peers import PEERS
from edgeseg.benchmarks.peers._benchmark import Plan, measure
from edgeseg.benchmarks.peers._table import table_of
from edgeseg.benchmarks.record import write_record
from edgeseg.devices import EdgesegError
from edgeseg.runtime.atomic import check_writable


def main(arguments: list[str]) -> int:
    """Run the command; return its exit status."""
    parsed = _parser().parse_args(arguments)
    chosen = parsed.peers.split(",") if parsed.peers else PEERS.names()
    plan = Plan(
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
        prog="python -m edgeseg.benchmarks.peers", description="Measure peers."
    )
    parser.add_argument("shared", type=Path, help="folder with models and data")
    parser.add_argument("record", type=Path, help="JSON file to write")
    parser.add_argument(
        "--peers", help=f"comma-separated: {', '.join(PEERS.names())} (default: all)"
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
