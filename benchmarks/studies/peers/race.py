"""Everyone on the same picture, one after the other, between two runs of edgeseg.

What disturbs the machine for longer than a turn disturbs all of them alike, so that
ratios of one turn hold where milliseconds of different minutes would not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from edgeseg.devices import ModelError

if TYPE_CHECKING:
    from edgeseg.benchmarks.studies.peers.worker import Opened

STAGES = ("preprocess", "invoke", "postprocess")
WARM = 1
REPEAT = 3


@dataclass(frozen=True)
class Turn:
    """One picture in one round, for the peers that share a reference.

    Parameters
    ----------
    before, after : dict of str to float
        Median milliseconds of edgeseg's stages, and of ``total``.
    peers : dict of str to dict
        The same of each peer.
    """

    before: dict[str, float]
    after: dict[str, float]
    peers: dict[str, dict[str, float]]


def race(
    references: Mapping[str, Opened],
    peers: Mapping[str, Opened],
    pictures: Sequence[Path],
    rounds: int,
    *,
    progress: Callable[[str], None],
) -> tuple[dict[str, list[Turn]], dict[str, str]]:
    """Run everyone, round by round and picture by picture.

    Parameters
    ----------
    references : mapping of str to Opened
        edgeseg on each network that peers are compared with.
    peers : mapping of str to Opened
        The peers.
    pictures : sequence of Path
        ``.npy`` files of ``(H, W, 3)`` uint8 RGB.
    rounds : int
        Times that every picture has its turn.
    progress : callable
        Called with a line at the start of a round.

    Returns
    -------
    dict of str to list of Turn
        The turns of each reference.
    dict of str to str
        Why a peer failed; its earlier turns stay.
    """
    turns: dict[str, list[Turn]] = {name: [] for name in references}
    failed: dict[str, str] = {}
    for number in range(rounds):
        progress(f"round {number + 1} of {rounds}")
        for picture in pictures:
            for name, reference in references.items():
                beside = {
                    other: peers[other]
                    for other in _rotated(list(peers), len(turns[name]))
                    if peers[other].reference == name and other not in failed
                }
                turns[name].append(_turn(reference, beside, picture, failed))
    return turns, failed


def _rotated(names: list[str], by: int) -> list[str]:
    """Let nobody always follow the same one."""
    start = by % len(names) if names else 0
    return names[start:] + names[:start]


def _turn(
    reference: Opened,
    peers: Mapping[str, Opened],
    picture: Path,
    failed: dict[str, str],
) -> Turn:
    before = _medians(reference, picture)
    measured = {}
    for name, peer in peers.items():
        try:
            measured[name] = _medians(peer, picture)
        except ModelError as error:
            failed[name] = str(error)
    return Turn(before, _medians(reference, picture), measured)


def _medians(opened: Opened, picture: Path) -> dict[str, float]:
    runs = opened.worker.times(picture, warm=WARM, repeat=REPEAT)
    totals = [sum(run.values()) for run in runs]
    stages = {stage: median(run[stage] for run in runs) for stage in STAGES}
    return {**stages, "total": median(totals)}
