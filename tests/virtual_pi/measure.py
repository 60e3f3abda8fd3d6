"""What the boards' kernels make of real models and photos, beside this machine's."""

from __future__ import annotations

import json
import platform
import sys
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from emulated.environment import run
from virtual_pi.agreement import share_of_equal_labels, write_masks
from virtual_pi.userland import EMULATOR

from edgeseg.runtime.model.embedded import sha256
from edgeseg.runtime.shipped import model_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from virtual_pi.pi import VirtualPi

NATIVE = Path(sys.executable).with_name("edgeseg")
_SEVEN = "background,cat,cow,dog,horse,person,sheep"
_SCORED = ("deeplabv3_mnv2_pascal_quant", "deeplabv3_mnv2_dm05_pascal_quant", "animals")


@dataclass(frozen=True)
class Amount:
    """How much is measured.

    Parameters
    ----------
    agreement_pictures, scored_pictures : int
        Of the data set, its first.
    """

    agreement_pictures: int
    scored_pictures: int


def measure(
    pis: Sequence[VirtualPi], shared: Path, amount: Amount, tell: Callable[[str], None]
) -> dict[str, Any]:
    """Return a record of label agreement and scores.

    Parameters
    ----------
    pis : sequence of VirtualPi
        The boards.
    shared : Path
        Folder of real models and photos.
    amount : Amount
        How many pictures.
    tell : callable
        Called with a line on what has been found.
    """
    voc = shared / "data" / "voc-animals" / "val"
    models = [model_file(), *_models(shared)]
    return {
        "conditions": _conditions(pis),
        "amount": vars(amount),
        "dataset": "the first pictures of voc-animals/val; of samples those of "
        "mlperf-ade20k-tiny for ade20k models, the street for the cityscapes model",
        "models": {path.stem: sha256(path) for path in models},
        "agreement": [
            _agreement(model, _pictures(model, shared, amount), pis, tell)
            for model in models
        ],
        "scores": [
            _scores(model, voc, amount.scored_pictures, pis, tell)
            for model in models
            if model.stem in _SCORED
        ],
    }


def _models(shared: Path) -> list[Path]:
    found = (shared / "models" / "tflite").glob("*/*.tflite")
    return sorted(path for path in found if not path.stem.endswith("_edgetpu"))


def _pictures(model: Path, shared: Path, amount: Amount) -> list[Path]:
    """Return photos of the kind that a model was made for."""
    samples = shared / "data" / "samples"
    if "ade20k" in model.stem:
        found = sorted((samples / "mlperf-ade20k-tiny").glob("*.jpg"))
    elif "cityscapes" in model.stem:
        found = [samples / "cityscapes_segmentation.bmp"]
    else:
        voc = shared / "data" / "voc-animals" / "val"
        names = (voc / "val.txt").read_text().split()
        found = [voc / "JPEGImages" / f"{name}.jpg" for name in names]
    return found[: amount.agreement_pictures]


def _agreement(
    model: Path,
    pictures: Sequence[Path],
    pis: Sequence[VirtualPi],
    tell: Callable[[str], None],
) -> dict[str, Any]:
    entry: dict[str, Any] = {"model": model.stem, "pictures": len(pictures)}
    with TemporaryDirectory() as folder:
        try:
            here = write_masks(NATIVE, model, pictures, Path(folder) / "here")
        except RuntimeError as error:
            tell(f"{model.stem} does not run here: {error}")
            return {**entry, "refused": str(error).rpartition("Error: ")[2]}
        first = here
        for number, pi in enumerate(pis):
            name = pi.folder.name
            masks = write_masks(pi.edgeseg, model, pictures, Path(folder) / name)
            first = first if number else masks
            share, least = share_of_equal_labels(here, masks)
            among, _ = share_of_equal_labels(first, masks)
            entry[name] = {"equal": share, "least": least, "equal_to_first": among}
            tell(f"{model.stem} on {name}: {share:.3%} of labels equal")
    return entry


def _scores(
    model: Path,
    voc: Path,
    limit: int,
    pis: Sequence[VirtualPi],
    tell: Callable[[str], None],
) -> dict[str, Any]:
    programs = {"here": NATIVE, **{pi.folder.name: pi.edgeseg for pi in pis}}
    labels = () if model.stem == "animals" else ("--labels", "pascal-voc")
    entry: dict[str, Any] = {"model": model.stem, "pictures": limit}
    with TemporaryDirectory() as folder:
        for name, program in programs.items():
            record = Path(folder) / f"{name}.json"
            chosen = ("--classes", _SEVEN, "--merge-others", "--limit", str(limit))
            command = [program, "eval", model, voc, *chosen, *labels, "--json", record]
            done = run(command, timeout=3600)
            if done.returncode:
                raise RuntimeError(f"{name}: eval {model}: {done.stderr.strip()}")
            entry[name] = json.loads(record.read_text())["miou"]
            tell(f"{model.stem} on {name}: mIoU {entry[name]:.2%}")
    return entry


def _conditions(pis: Sequence[VirtualPi]) -> dict[str, Any]:
    told = run([EMULATOR, "--version"]).stdout.splitlines()[0]
    return {
        "date": f"{datetime.now(timezone.utc):%Y-%m-%d}",
        "boards": {pi.folder.name: pi.board.model for pi in pis},
        "emulator": told,
        "here": platform.machine(),
        "versions": {
            name: metadata.version(name)
            for name in ("edgeseg", "ai-edge-litert", "numpy")
        },
        "packages": {
            pi.folder.name: run([pi.python, "-c", _PACKAGES]).stdout.split()
            for pi in pis
        },
    }


_PACKAGES = """\
from importlib import metadata
for name in ("edgeseg", "ai-edge-litert", "tflite-runtime", "numpy"):
    try:
        print(name + "==" + metadata.version(name))
    except metadata.PackageNotFoundError:
        pass
"""
