"""Records of every kind on one page that stands alone: tables, plots, hashes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.benchmarks.page.boards import FEWEST, LOWER, SLOWER, boards_of
from edgeseg.benchmarks.page.pareto import meeting_points
from edgeseg.benchmarks.page.records import (
    CONVERSIONS,
    OTHER,
    PEERS,
    REMEDIES,
    Record,
    find_records,
    read_record,
)
from edgeseg.benchmarks.page.rows import accuracy_rows, latency_rows
from edgeseg.converter.reporting.page import render_page, require_page_packages
from edgeseg.devices import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from edgeseg.benchmarks.page.rows import AccuracyRow, LatencyRow, Row
    from edgeseg.devices.types import Json

_MOST_IN_PLOT = 7  # lines or bars of one plot: as many as there are colours


def write_report(records: Sequence[Path], output: Path) -> int:
    """Write the page of some records and return how many it shows.

    Parameters
    ----------
    records : sequence of Path
        JSON files, or folders with a folder for each board; a file that is given twice
        is shown once.
    output : Path
        The page.

    Raises
    ------
    InputError
        A file is no record, or lacks what its kind has.
    MissingDriverError
        matplotlib or jinja2 is not installed.
    OutputError
        The page cannot be written.
    """
    from edgeseg.runtime.pictures.atomic import check_writable, write_text

    require_page_packages()
    check_writable(output)
    named = [each for path in records for each in find_records(path)]
    read = [read_record(path, board) for path, board in named]
    found = list({(record.sha256, record.board): record for record in read}.values())
    write_text(output, render(found))
    return len(found)


def render(records: Sequence[Record]) -> str:
    """Return the page.

    Parameters
    ----------
    records : sequence of Record
        From `read_record`.

    Raises
    ------
    InputError
        A record lacks what its kind has; it is named.
    """
    from jinja2 import TemplateError

    accuracy, latency = accuracy_rows(records), latency_rows(records)
    of_kind = {
        kind: [record for record in records if record.kind == kind]
        for kind in (CONVERSIONS, REMEDIES, PEERS, OTHER)
    }
    try:
        return render_page(
            "edgeseg.benchmarks.page",
            "report.html",
            records=records,
            accuracy=accuracy,
            latency=latency,
            boards=boards_of(records, accuracy, latency),
            rule={"slower": SLOWER, "lower": LOWER, "fewest": FEWEST},
            models={row.model_sha256 for row in accuracy}
            | {row.model_sha256 for row in latency},
            meetings=list(_meetings(accuracy, latency)),
            class_plots=list(_class_plots(accuracy)),
            histograms=list(_histograms(latency)),
            stages=_stages(latency),
            **of_kind,
        )
    except (KeyError, TypeError, ValueError, AttributeError, TemplateError) as error:
        names = ", ".join(record.name for record in records)
        raise InputError(
            f"one of {names} holds something unexpected: {type(error).__name__} {error}"
        ) from error


def _meetings(
    accuracy: Iterable[AccuracyRow], latency: Iterable[LatencyRow]
) -> Iterator[Json]:
    from edgeseg.benchmarks.page.plots import plot_meeting

    for (machine, data), points in meeting_points(accuracy, latency).items():
        yield {
            "machine": machine,
            "data": data,
            "points": points,
            "plot": plot_meeting(points),
        }


def _class_plots(rows: Iterable[AccuracyRow]) -> Iterator[Json]:
    from edgeseg.benchmarks.page.plots import plot_classes

    groups: dict[str, list[AccuracyRow]] = {}
    for row in rows:
        groups.setdefault(row.data, []).append(row)
    for data, members in groups.items():
        for shown in _chunks(members):
            yield {"data": data, "rows": shown, "plot": plot_classes(shown)}


def _histograms(rows: Sequence[LatencyRow]) -> Iterator[Json]:
    from edgeseg.benchmarks.page.plots import plot_histograms

    for shown in _chunks(rows):
        yield {"rows": shown, "plot": plot_histograms(shown)}


def _stages(rows: Sequence[LatencyRow]) -> str | None:
    from edgeseg.benchmarks.page.plots import plot_stages

    return plot_stages(rows) if rows else None


def _chunks(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    for start in range(0, len(rows), _MOST_IN_PLOT):
        yield rows[start : start + _MOST_IN_PLOT]
