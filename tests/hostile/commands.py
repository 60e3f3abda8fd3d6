"""Cases whose input is a model file: the commands that take one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostile.case import MODEL, PICTURE, Case
from hostile.good_files import put_dataset, put_picture

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

RESULTS = ("-o", "out.png", "-o", "found.jsonl", "-o", "masks:ids/")
JOURNAL = "eval.json.journal"  # stays where an eval is to go on
WRITTEN = ("out.png", "found.jsonl", "ids/")


def model_case(folder: Path, rng: Random, what: str, model: str = MODEL) -> Case:
    """Return a case of a command on a hostile model file that is there already."""
    draw = rng.random()
    if draw < 0.2:
        flags = rng.choice(((), ("--json",), ("--manifest",)))
        return Case(("info", model, *flags), name=what)
    put_picture(folder)
    if draw < 0.75:
        flags = rng.choice(((), (), ("--threads", "1"), ("--legend", "--contours")))
        return Case(("run", model, PICTURE, *RESULTS, *flags), WRITTEN, what)
    if draw < 0.9:
        put_dataset(folder)
        words = ("eval", model, "data", "--json", "eval.json")
        return Case(words, ("eval.json",), what, may=(JOURNAL,))
    device = rng.choice(("coral", "jetson", "desktop"))
    return Case(("check", model, "--device", device, "--json"), name=what)
