"""Well-known networks converted, one process each, and a record after each.

``python -m edgeseg.benchmarks.studies.architectures PHOTOS RECORD.json [NAME ...]``
makes the rows that the record lacks, or those that are named anew.

Run from a checkout; see `edgeseg.benchmarks.studies`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from edgeseg.benchmarks.record import write_record
from edgeseg.benchmarks.studies.architectures import hub
from edgeseg.benchmarks.studies.architectures.row import NETWORKS
from edgeseg.benchmarks.studies.conversions import machine


def main(arguments: list[str]) -> None:
    """Convert the networks that are named, or all; rows that are there stay."""
    photos, target, *chosen = arguments
    path = Path(target)
    rows = json.loads(path.read_text("utf-8"))["networks"] if path.is_file() else {}
    for name in chosen or NETWORKS:
        if name in rows and not chosen:
            continue
        print(f"== {name}", file=sys.stderr)
        if NETWORKS[name] in hub.NETWORKS and hub.is_missing():
            print("   skipped: keras-hub is not installed", file=sys.stderr)
            continue
        module = "edgeseg.benchmarks.studies.architectures.row"
        done = subprocess.run(
            ["nice", "-n", "5", sys.executable, "-m", module, name, photos],
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        if done.returncode:
            lines = done.stderr.strip().splitlines() or ["no message"]
            rows[name] = {"error": lines[-1]}
        else:
            rows[name] = json.loads(done.stdout.strip().splitlines()[-1])
        write_record(path, {"machine": machine(), "networks": rows})
        print(f"   {json.dumps(rows[name])[:300]}", file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1].startswith("-"):
        sys.exit(f"{__doc__}\nnetworks: {', '.join(NETWORKS)}")
    main(sys.argv[1:])
