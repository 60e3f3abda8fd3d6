"""The report of a conversion: one page that stands alone, and the same as JSON.

Every section is optional. What was not measured is said to be so; no figure is made
up. Shares are in 0..1 in the JSON and in percent or points on the page.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeseg.converter.reporting.page import render_page
from edgeseg.converter.reporting.panels import (
    Panel,
    difference_swatches,
    draw_row,
    swatches,
)
from edgeseg.converter.reporting.plots import plot_classes, plot_curve, plot_layers
from edgeseg.devices import InputError
from edgeseg.devices.plain_text import encodable
from edgeseg.runtime import Manifest
from edgeseg.runtime.json_text import json_text
from edgeseg.runtime.pictures.atomic import check_writable, replacing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeseg.devices.types import Array, Json

    PanelValues = tuple[str, Array, Array | None, Array, Array]


def write_report(
    folder: Path,
    report: Json,
    *,
    panels: Sequence[PanelValues] = (),
    manifest: Manifest | None = None,
) -> None:
    """Write ``report.html`` and ``report.json``, both whole or neither.

    Parameters
    ----------
    folder : Path
        Made where it is missing.
    report : mapping
        ``title`` and the sections ``model``, ``versions``, ``sizes``, ``hashes``,
        ``operators``, ``float_tensors``, ``parity``, ``int8_parity``, ``layers``,
        ``accuracy``, ``budget``, ``remedies``, ``calibration`` and ``timings``.
    panels : sequence of (str, ndarray, ndarray or None, ndarray, ndarray)
        Name, photo, truth, the reference's ids, the result's; see `Panel`.
    manifest : Manifest or None
        The model's labels and colours.

    Raises
    ------
    InputError
        A panel's arrays differ in size.
    OutputError
        The files cannot be written.
    """
    paths = (folder / "report.html", folder / "report.json")
    for path in paths:
        check_writable(path)
    values = json_values(report)
    page = render(values, panels=panels, manifest=manifest)
    text = json_text(values, indent=2) + "\n"
    with replacing(paths[0]) as html, replacing(paths[1]) as plain:
        html.write_text(encodable(page), "utf-8")
        plain.write_text(text, "utf-8")


def render(
    report: Json,
    *,
    panels: Sequence[PanelValues] = (),
    manifest: Manifest | None = None,
) -> str:
    """Return the page; parameters are those of `write_report`."""
    shown = [_checked(Panel(*panel)) for panel in panels]
    labels = manifest or Manifest()
    budget, accuracy = report.get("budget") or {}, report.get("accuracy") or {}
    return render_page(
        "edgeseg.converter.reporting",
        "report.html",
        report=report,
        rows=[draw_row(panel, labels.palette) for panel in shown],
        losses={w["name"]: w for w in accuracy.get("worst") or ()},
        classes=swatches(shown, labels),
        differences=difference_swatches(),
        layers_plot=plot_layers(report.get("layers") or ()),
        classes_plot=plot_classes(accuracy.get("per_class") or ()),
        curve_plot=plot_curve(
            budget.get("curve") or (),
            max_drop=budget.get("max_drop"),
            chosen=budget.get("chosen"),
        ),
    )


def json_values(value: Any) -> Any:
    """Return a value as JSON has it: paths as text, numbers that are none as null.

    Examples
    --------
    >>> json_values({"a": (1, float("nan")), 2: Path("b")})
    {'a': [1, None], '2': 'b'}
    """
    if isinstance(value, dict):
        return {str(key): json_values(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_values(entry) for entry in value]
    if hasattr(value, "tolist"):  # numpy's numbers and arrays
        return json_values(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value) if isinstance(value, Path) else value


def _checked(panel: Panel) -> Panel:
    maps = (panel.truth, panel.reference, panel.result)
    shapes = {panel.photo.shape[:2], *(m.shape for m in maps if m is not None)}
    if len(shapes) > 1:
        raise InputError(
            f"expected photo and class ids of one size for {panel.name}, got "
            f"{', '.join(map(str, sorted(shapes)))}"
        )
    return panel
