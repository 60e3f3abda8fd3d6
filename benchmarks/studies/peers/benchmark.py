"""The whole measurement as JSON: everyone opened, raced and judged, medians, ratios."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.benchmarks.studies.conversions import machine
from edgeseg.benchmarks.studies.peers.agreement import score_labels
from edgeseg.benchmarks.studies.peers.peers import find_peer
from edgeseg.benchmarks.studies.peers.race import REPEAT, WARM, race
from edgeseg.benchmarks.studies.peers.worker import (
    THREADS,
    Opened,
    open_edgeseg,
    open_peer,
)
from edgeseg.devices import EdgesegError
from edgeseg.runtime.accuracy.open import open_dataset
from edgeseg.runtime.pictures.atomic import replacing
from edgeseg.runtime.pictures.files import read_picture

if TYPE_CHECKING:
    from edgeseg.benchmarks.studies.peers.peers import Peer
    from edgeseg.benchmarks.studies.peers.race import Turn
    from edgeseg.devices.types import Json


_DATA = "data/voc-animals/val"
_FLOAT, _INT8 = "float-513", "int8-513"
_MOMENTS = ("before", "after")  # the race
# What is compared -> the figure of a turn that it is taken from
_RATIOS = (("invoke", "invoke"), ("picture_to_labels", "total"))


@dataclass(frozen=True)
class RacePlan:
    """What to measure.

    Parameters
    ----------
    shared : Path
        Folder with ``models`` and ``data``.
    cache : Path
        For environments, models and pictures.
    peers : tuple of str
        Their names.
    rounds : int
        Times that every picture has its turn.
    pictures : int
        Pictures that are timed, the first of the split ``val``.
    scored : int
        Pictures that labels are compared on, likewise.
    """

    shared: Path
    cache: Path
    peers: tuple[str, ...]
    rounds: int = 5
    pictures: int = 8
    scored: int = 50


def measure(plan: RacePlan, progress: Callable[[str], None]) -> Json:
    """Return the record, as JSON values.

    Parameters
    ----------
    plan : RacePlan
        What to measure.
    progress : callable
        Called with a line for each step.
    """
    described = {name: find_peer(name) for name in plan.peers}
    dataset = open_dataset(plan.shared / _DATA, "val")
    names = dataset.ids[: max(plan.pictures, plan.scored)]
    frames = [_frame(dataset.picture_path(name), plan.cache) for name in names]
    scored = frames[: plan.scored], dataset, names[: plan.scored]
    with _opened(described, plan, progress) as (references, peers, failures):
        raced = {name: references[name] for name in _networks(peers)}
        timed = frames[: plan.pictures]
        load = [os.getloadavg()]
        turns, failed = race(raced, peers, timed, plan.rounds, progress=progress)
        load.append(os.getloadavg())
        failures |= failed
        left = {name: one for name, one in peers.items() if name not in failures}
        exact = references[_FLOAT]
        rows, failed = score_labels(raced, left, exact, *scored, progress=progress)
        failures |= failed
    left = {name: one for name, one in left.items() if name not in failures}
    return {
        "machine": {
            **machine(),
            "load_average": dict(zip(_MOMENTS, load, strict=True)),
        },
        "protocol": _protocol(plan, names),
        "edgeseg": {
            name: _reference_row(one, turns.get(name), rows[f"edgeseg {name}"])
            for name, one in references.items()
        },
        "peers": {
            name: _peer_row(name, one, turns[one.reference], rows[name])
            for name, one in left.items()
        },
        "failures": failures,
    }


def _networks(peers: Mapping[str, Opened]) -> list[str]:
    """Return the networks that edgeseg runs beside these peers."""
    return sorted({peer.reference for peer in peers.values()} | {_INT8})


def _reference_row(opened: Opened, turns: list[Turn] | None, labels: Json) -> Json:
    timed = reference_figures(turns) if turns else {}
    return {**opened.about, **timed, **labels}


def _peer_row(name: str, opened: Opened, turns: list[Turn], labels: Json) -> Json:
    figures = peer_figures(name, turns)
    return {**opened.about, "reference": opened.reference, **figures, **labels}


@contextlib.contextmanager
def _opened(
    described: Mapping[str, Peer], plan: RacePlan, progress: Callable[[str], None]
) -> Iterator[tuple[dict[str, Opened], dict[str, Opened], dict[str, str]]]:
    """Yield edgeseg on each network, the peers that opened, and why others did not."""
    peers, references, failures = {}, {}, {}
    with contextlib.ExitStack() as stack:
        for name, peer in described.items():
            progress(f"opening {name}")
            try:
                peers[name] = open_peer(name, peer, plan.shared, plan.cache)
            except EdgesegError as error:
                failures[name] = str(error)
                continue
            stack.enter_context(peers[name].worker)
        for name in sorted({*_networks(peers), _FLOAT}):
            references[name] = open_edgeseg(name, plan.shared, plan.cache)
            stack.enter_context(references[name].worker)
        yield references, peers, failures


def _frame(path: Path, cache: Path) -> Path:
    import numpy as np

    target = cache / "pictures" / f"{path.stem}.npy"
    if not target.exists():
        with replacing(target) as temporary, temporary.open("wb") as file:
            np.save(file, read_picture(path))
    return target


def _protocol(plan: RacePlan, names: Sequence[str]) -> Json:
    return {
        "command": "python -m edgeseg.benchmarks.studies.peers SHARED RECORD.json "
        f"--peers {','.join(plan.peers)} --rounds {plan.rounds} "
        f"--pictures {plan.pictures} --scored {plan.scored}",
        "network": "DeepLabv3 MobileNetV2 a1.0, 513x513, 21 VOC classes; "
        "float-257: the same of a0.5 at 257x257; google-uint8: a1.0 trained for uint8, "
        "class ids out; mlperf-int8: with decoder, 512x512, 32 ADE20K classes, ids out",
        "threads": THREADS,
        "plain_loops": "float letterbox, scores upsampled in full, argmax in numpy; "
        "half-pixel, where edgeseg follows the network's own alignment",
        "turn": "edgeseg, each peer, edgeseg, on one picture, the peers in an order "
        f"that rotates from turn to turn: {WARM} warm-up run and {REPEAT} timed ones "
        "each, the median of these; every process stays open",
        "ratio": "peer over the mean of edgeseg before and after, per turn; median "
        "and quartiles over turns",
        "precision": "each runtime's own default: OpenVINO takes bfloat16 for float "
        "where the processor has it",
        "invoke": "the network alone; MediaPipe's also holds its own resizing, "
        "normalizing and argmax",
        "picture_to_labels": "RGB picture in memory to class ids at its own size; "
        "the Keras loop's also to the overlay",
        "rounds": plan.rounds,
        "pictures": list(names[: plan.pictures]),
        "scored": f"the first {plan.scored} pictures of voc-animals/val, 7 classes, "
        "own size, one confusion matrix, void dropped",
    }


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return median and quartiles.

    Parameters
    ----------
    values : sequence of float
        At least one.

    Examples
    --------
    >>> spread([1.0, 2.0, 3.0, 4.0, 5.0])
    {'median': 3.0, 'q1': 2.0, 'q3': 4.0}
    """
    import numpy as np

    low, middle, high = np.percentile(values, [25, 50, 75]).round(4).tolist()
    return {"median": middle, "q1": low, "q3": high}


def reference_figures(turns: Sequence[Turn]) -> Json:
    """Return edgeseg's milliseconds, and its ratio to itself within a turn.

    Parameters
    ----------
    turns : sequence of Turn
        Of one reference. The ratio, after over before, is what chance alone gives.
    """
    measured = [one for turn in turns for one in (turn.before, turn.after)]
    itself = {
        kind: spread([turn.after[key] / turn.before[key] for turn in turns])
        for kind, key in _RATIOS
    }
    return {"ms": _milliseconds(measured), "ratio_to_itself": itself}


def peer_figures(name: str, turns: Sequence[Turn]) -> Json:
    """Return a peer's milliseconds and its ratios to edgeseg in the same turns.

    Parameters
    ----------
    name : str
        The peer's.
    turns : sequence of Turn
        Of its reference. A ratio is over the mean of edgeseg before and after.
    """
    taken = [turn for turn in turns if name in turn.peers]
    ratios = {}
    for kind, key in _RATIOS:
        values = [
            2 * turn.peers[name][key] / (turn.before[key] + turn.after[key])
            for turn in taken
        ]
        ratios[kind] = spread(values)
    return {
        "ms": _milliseconds([turn.peers[name] for turn in taken]),
        "ratio_to_edgeseg": ratios,
        "turns": len(taken),
    }


def _milliseconds(measured: Sequence[dict[str, float]]) -> Json:
    return {key: spread([one[key] for one in measured]) for key in measured[0]}
