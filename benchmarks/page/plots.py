"""Plots of the page of records, as SVG in data URIs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.benchmarks.latency.trip import STAGES
from edgeseg.converter.reporting.figures import (
    new_figure,
    plain_text,
    shorten_middle,
    svg_uri,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from edgeseg.benchmarks.page.pareto import PlotPoint
    from edgeseg.benchmarks.page.rows import AccuracyRow, LatencyRow

# Okabe and Ito (2008): the colour-blind distinguish them too
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#999999")
_MOST_CLASSES = 40  # bars of more cannot be read; the table has them all


def plot_meeting(points: Sequence[PlotPoint]) -> str:
    """Draw mIoU over latency, a number a point, and the Pareto front.

    Hollow points are of runs whose conditions did not hold.

    Parameters
    ----------
    points : sequence of PlotPoint
        Of one machine and one data set, at least one.
    """
    figure, axes = new_figure(3.4)
    front = [_place(point) for point in points if point.on_front]
    axes.step(*zip(*front, strict=True), where="post", color="#999999", linewidth=1)
    for number, point in enumerate(points, 1):
        x, y = _place(point)
        colour = _COLOURS[0] if point.on_front else _COLOURS[5]
        fill = colour if point.latency.run["valid"] else "white"
        axes.plot([x], [y], "o", color=colour, markerfacecolor=fill, markersize=6)
        axes.annotate(
            str(number),
            (x, y),
            xytext=(5, 4 if number % 2 else -11),  # neighbours apart
            textcoords="offset points",
            fontsize=8,
        )
    emulated = any(point.latency.run["emulated"] for point in points)
    axes.set_xlabel("p90 latency, ms" + (" (emulated)" if emulated else ""), fontsize=8)
    axes.set_ylabel("mIoU, %", fontsize=8)
    axes.margins(0.12)
    axes.grid(linewidth=0.3)
    return svg_uri(figure)


def plot_classes(rows: Sequence[AccuracyRow]) -> str | None:
    """Draw IoU by class, a bar a row.

    Parameters
    ----------
    rows : sequence of AccuracyRow
        Of one data set; at most seven.
    """
    names = list(dict.fromkeys(n for row in rows for n in row.per_class))
    names = names[:_MOST_CLASSES]
    if not names:
        return None
    thickness = 0.84 / len(rows)
    figure, axes = new_figure(1.0 + len(names) * max(0.26, 0.12 * len(rows)))
    for index, row in enumerate(rows):
        offset = (index - (len(rows) - 1) / 2) * thickness
        axes.barh(
            [place + offset for place in range(len(names))],
            [100 * (row.per_class.get(name) or 0.0) for name in names],
            height=thickness,
            color=_COLOURS[index % len(_COLOURS)],
            label=_label(row),
        )
    labels = [plain_text(shorten_middle(name, 22)) for name in names]
    axes.set_yticks(range(len(names)), labels, fontsize=8)
    axes.set(ylim=(len(names) - 0.5, -0.5), xlim=(0, 100))
    axes.set_xlabel("IoU, %", fontsize=8)
    _legend(figure, len(rows))
    return svg_uri(figure)


def plot_histograms(rows: Sequence[LatencyRow]) -> str:
    """Draw how the queries' latencies are spread, a line a run.

    Parameters
    ----------
    rows : sequence of LatencyRow
        At most seven.
    """
    figure, axes = new_figure(3.0 + 0.16 * len(rows))
    for index, row in enumerate(rows):
        histogram = row.run["histogram"]
        total = sum(histogram["counts"]) or 1
        edges = [
            10 ** ((histogram["first"] + place) / histogram["bins_per_decade"])
            for place in range(len(histogram["counts"]) + 1)
        ]
        shares = [100 * count / total for count in histogram["counts"]]
        colour = _COLOURS[index % len(_COLOURS)]
        axes.stairs(shares, edges, color=colour, linewidth=1.2, label=_run_label(row))
        axes.axvline(row.p90, color=colour, linestyle=":", linewidth=1)
    axes.set_xscale("log")
    _plain_ticks(axes)
    axes.set_xlabel("latency of a query, ms (dotted: p90)", fontsize=8)
    axes.set_ylabel("queries, %", fontsize=8)
    _legend(figure, len(rows))
    return svg_uri(figure)


def plot_stages(rows: Sequence[LatencyRow]) -> str:
    """Draw the medians of each stage from file to overlay, a stacked bar a run.

    Parameters
    ----------
    rows : sequence of LatencyRow
        At least one.
    """
    figure, axes = new_figure(1.1 + 0.42 * len(rows))
    left = [0.0] * len(rows)
    for index, stage in enumerate(STAGES):
        medians = [row.run["trip"]["stages_ms"].get(stage) for row in rows]
        widths = [float(t["p50"]) if t else 0.0 for t in medians]
        axes.barh(
            range(len(rows)),
            widths,
            left=left,
            color=_COLOURS[index],
            height=0.7,
            label=stage,
        )
        left = [a + b for a, b in zip(left, widths, strict=True)]
    labels = [_run_label(row, "\n", 30) for row in rows]
    axes.set_yticks(range(len(rows)), labels, fontsize=6.5)
    axes.set(ylim=(len(rows) - 0.5, -0.5))
    axes.set_xlabel("median of each stage, ms", fontsize=8)
    figure.legend(loc="outside upper center", ncols=5, fontsize=7, frameon=False)
    return svg_uri(figure)


def _place(point: PlotPoint) -> tuple[float, float]:
    return point.latency.p90, 100 * float(point.accuracy.scores["miou"])


def _plain_ticks(axes: Axes) -> None:
    """Label a logarithmic axis with plain numbers, also within a decade."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    low, high = axes.get_xlim()
    near = high / low < 12
    subs = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0) if near else (1.0, 2.0, 5.0)
    axes.xaxis.set_major_locator(LogLocator(subs=subs))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _run_label(row: LatencyRow, between: str = ", ", longest: int = 44) -> str:
    name = _of_board(row, shorten_middle(row.model, longest))
    return f"{plain_text(name)}{between}{plain_text(row.title)}"


def _label(row: AccuracyRow) -> str:
    recipe = f" ({row.recipe})" if row.recipe else ""
    return plain_text(_of_board(row, shorten_middle(row.model)) + recipe)


def _of_board(row: AccuracyRow | LatencyRow, name: str) -> str:
    """Return what a row is called among those of many boards."""
    board = row.record.board
    return f"{shorten_middle(board, 22)}: {name}" if board else name


def _legend(figure: Figure, entries: int) -> None:
    figure.legend(
        loc="outside upper left",
        ncols=1 if entries < 9 else 2,
        fontsize=7,
        frameon=False,
    )
