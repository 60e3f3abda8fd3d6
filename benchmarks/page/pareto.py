"""Where a score and a latency of one model meet, and which are on the Pareto front."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgeseg.benchmarks.page.rows import AccuracyRow, LatencyRow


@dataclass(frozen=True)
class PlotPoint:
    """A model with both figures, measured by two records."""

    accuracy: AccuracyRow
    latency: LatencyRow
    on_front: bool


def meeting_points(
    accuracy: Iterable[AccuracyRow], latency: Iterable[LatencyRow]
) -> dict[tuple[str, str], list[PlotPoint]]:
    """Return models with both figures, grouped by machine and data.

    Only figures of one group may be compared: another machine is another latency,
    another data set another score. Of many boards, each has its own points. A point is
    on the front where no other of its group is both at least as fast and more accurate.
    """
    groups: dict[tuple[str, str], list[tuple[AccuracyRow, LatencyRow]]] = {}
    latency = list(latency)
    for row in accuracy:
        for run in latency:
            boards = {row.record.board, run.record.board} - {""}
            is_one = run.model_sha256 == row.model_sha256 and len(boards) < 2
            if is_one and row.scores["miou"] is not None:
                groups.setdefault((run.machine, row.data), []).append((row, run))
    return {key: _with_front(pairs) for key, pairs in groups.items()}


def _with_front(pairs: list[tuple[AccuracyRow, LatencyRow]]) -> list[PlotPoint]:
    ordered = sorted(pairs, key=lambda p: (p[1].p90, -float(p[0].scores["miou"])))
    points, best = [], -1.0
    for row, run in ordered:
        score = float(row.scores["miou"])
        points.append(PlotPoint(row, run, on_front=score > best))
        best = max(best, score)
    return points
