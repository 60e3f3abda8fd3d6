"""Plots of the report of a conversion, as SVG in data URIs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeseg.converter.reporting.figures import (
    is_finite,
    new_figure,
    plain_text,
    shorten_middle,
    svg_uri,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from edgeseg.devices.types import Json


_WEAK, _FAIR = "#e9967a", "#9ec5e8"
_BLUE, _RED, _GREY = "#1f5f99", "#b5341f", "#666666"
_WEAKEST = 5


def plot_layers(layers: Sequence[Json]) -> str | None:
    """Draw each layer's signal-to-quantization-noise ratio as a bar.

    Parameters
    ----------
    layers : sequence of mapping
        ``name``, ``operator`` and ``sqnr_db`` (decibels) in the network's order.

    Returns
    -------
    str or None
        A data URI; None where no layer has a finite value.
    """
    shown = [layer for layer in layers if is_finite(layer.get("sqnr_db"))]
    if not shown:
        return None
    values = [float(layer["sqnr_db"]) for layer in shown]
    threshold = sorted(values)[: min(_WEAKEST, len(values))][-1]
    colours = [_WEAK if value <= threshold else _FAIR for value in values]
    figure, axes = new_figure(0.7 + 0.17 * len(shown))
    rows = range(len(shown))
    axes.barh(rows, values, color=colours, height=0.86)
    left = min(0.0, *values)
    for row, layer in zip(rows, shown, strict=True):
        text = f"{shorten_middle(str(layer['name']))}  {layer.get('operator', '')}"
        axes.text(left, row, f" {plain_text(text)}", va="center", fontsize=6.5)
    axes.set(ylim=(len(shown) - 0.4, -0.6), yticks=[], xlabel="SQNR, dB")
    return svg_uri(figure)


def plot_classes(rows: Sequence[Json]) -> str | None:
    """Draw each class's drop in IoU with its interval.

    Parameters
    ----------
    rows : sequence of mapping
        ``label``, ``difference``, ``low`` and ``high``, the last three in 0..1.
    """
    keys = ("difference", "low", "high")
    shown = [row for row in rows if all(is_finite(row.get(key)) for key in keys)]
    if not shown:
        return None
    figure, axes = new_figure(0.8 + 0.24 * len(shown))
    for place, row in enumerate(shown):
        middle, low, high = (100 * float(row[key]) for key in keys)
        colour = _RED if low > 0 else _BLUE if high < 0 else _GREY
        axes.plot([low, high], [place, place], color=colour, linewidth=2)
        axes.plot([middle], [place], "o", color=colour, markersize=5)
    axes.axvline(0, color="black", linewidth=0.8)
    labels = [plain_text(shorten_middle(str(row["label"]), 22)) for row in shown]
    axes.set_yticks(range(len(shown)), labels)
    axes.set(ylim=(len(shown) - 0.5, -0.5))
    axes.set_xlabel("IoU lost, points (95 % interval)")
    return svg_uri(figure)


def plot_curve(
    curve: Sequence[Json], *, max_drop: float | None, chosen: int | None
) -> str | None:
    """Draw what operators kept in float buy, and what they cost.

    Parameters
    ----------
    curve : sequence of mapping
        ``kept`` operators, ``drop`` in mIoU (0..1) and ``latency_ms``.
    max_drop : float or None
        The budget in 0..1, drawn as a line.
    chosen : int or None
        Operators kept in what was written.
    """
    points = sorted(curve, key=lambda point: int(point["kept"]))
    if sum(is_finite(point.get("drop")) for point in points) < 2:
        return None  # one point is no curve: the table says it
    figure, axes = new_figure(3.2)
    _line(axes, points, "drop", 100, _BLUE, "o-", "mIoU lost, points")
    axes.set_xlabel("operators kept in float")
    locator: Any = axes.xaxis.get_major_locator()
    locator.set_params(integer=True)
    if max_drop is not None:
        axes.axhline(100 * max_drop, color=_BLUE, linestyle=":", linewidth=1)
    if chosen is not None:
        axes.axvline(chosen, color=_GREY, linestyle="--", linewidth=1)
    if any(is_finite(point.get("latency_ms")) for point in points):
        second = axes.twinx()
        _line(second, points, "latency_ms", 1, _RED, "s--", "latency, ms")
        second.set_ylim(bottom=0)
    return svg_uri(figure)


def _line(
    axes: Axes,
    points: Sequence[Json],
    key: str,
    scale: float,
    colour: str,
    style: str,
    label: str,
) -> None:
    known = [point for point in points if is_finite(point.get(key))]
    across = [int(point["kept"]) for point in known]
    up = [scale * float(point[key]) for point in known]
    axes.plot(across, up, style, color=colour, markersize=4)
    axes.set_ylabel(label, color=colour, fontsize=8)
    axes.tick_params(axis="y", labelcolor=colour, labelsize=8)
