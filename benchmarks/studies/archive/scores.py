"""Whether ``edgeseg eval`` finds on three nodes what it finds on one machine."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from edgeseg.benchmarks.studies.archive.nodes import COUNT, Nodes
from edgeseg.devices import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.types import Json


def compare_scores(model: Path, dataset: Path, folder: Path) -> Json:
    """Return whether records and what is printed are the same, byte for byte.

    Parameters
    ----------
    model : Path
        The model file.
    dataset : Path
        A folder that ``edgeseg eval`` takes.
    folder : Path
        Gets the records.
    """
    command = [sys.executable, "-m", "edgeseg", "eval", str(model), str(dataset)]
    one, many = folder / "one.json", folder / "many.json"
    alone = subprocess.run(
        [*command, "--json", str(one)],
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    with Nodes() as nodes:
        kind = nodes.kind
        driver = nodes.start([*command, "--json", str(many), "--ray", nodes.address])
        text, errors = driver.communicate()
    for each in (
        alone.stderr * bool(alone.returncode),
        errors * bool(driver.returncode),
    ):
        if each:
            raise InputError(f"edgeseg eval: {each.strip()}")
    record = json.loads(one.read_text("utf-8"))
    return {
        "nodes": COUNT,
        "in": kind,
        "pictures": record["images"],
        "same_record": one.read_bytes() == many.read_bytes(),
        "record_bytes": one.stat().st_size,
        "same_text": text == alone.stdout,
        "text": text.splitlines()[:6],
    }
