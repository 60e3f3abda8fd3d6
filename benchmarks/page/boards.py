"""Many boards beside each other: what each found, and whose figures stand out."""

from __future__ import annotations

import statistics
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgeseg.benchmarks.page.records import DOCTOR
from edgeseg.devices import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from edgeseg.benchmarks.page.records import Record
    from edgeseg.benchmarks.page.rows import AccuracyRow, LatencyRow

SLOWER = 1.5  # times the median of its kind: such a board is marked
LOWER = 0.01  # of mIoU below the median of all boards
FEWEST = 3  # boards that a median is taken of
_GRAVE = ("error", "warning")
_SHORT = 8  # of a hash: a name may be that of several versions


@dataclass
class Cell:
    """One figure of one board.

    Parameters
    ----------
    value : float
        Milliseconds, or mIoU in 0..1.
    group : str
        Boards of one group are compared.
    record : Record
        Where it stands.
    is_emulated : bool
        It is the figure of an emulator, which is compared with nothing.
    middle : float or None
        Median of the group, None where there are too few.
    stands_out : bool
        Worse than the rule allows.
    """

    value: float
    group: str
    record: Record
    is_emulated: bool = False
    middle: float | None = None
    stands_out: bool = False


@dataclass
class BoardRow:
    """One board.

    Parameters
    ----------
    name : str
        Of the board.
    machine : str
        What it is.
    worst : str
        The gravest severity that `edgeseg doctor` found; empty where it was not asked.
    findings : list of str
        The errors and warnings, a line each.
    latency, accuracy : dict of str to Cell
        By the key of a column.
    """

    name: str
    machine: str = ""
    worst: str = ""
    findings: list[str] = field(default_factory=list)
    latency: dict[str, Cell] = field(default_factory=dict)
    accuracy: dict[str, Cell] = field(default_factory=dict)

    @property
    def stands_out(self) -> bool:
        """Whether anything of it is marked."""
        cells = [*self.latency.values(), *self.accuracy.values()]
        return self.worst in _GRAVE or any(cell.stands_out for cell in cells)


@dataclass(frozen=True)
class Boards:
    """The table.

    Parameters
    ----------
    rows : list of BoardRow
        Those that stand out first, then by name.
    latency, accuracy : dict of str to str
        Key of a column, and what it is called.
    """

    rows: list[BoardRow]
    latency: dict[str, str]
    accuracy: dict[str, str]


def boards_of(
    records: Sequence[Record],
    accuracy: Iterable[AccuracyRow],
    latency: Iterable[LatencyRow],
) -> Boards:
    """Return the boards that records name, compared.

    Parameters
    ----------
    records : sequence of Record
        Those with a board, and what `edgeseg doctor` wrote.
    accuracy, latency
        Rows of the same records.

    Raises
    ------
    InputError
        A doctor's record lacks what it has.
    """
    rows: dict[str, BoardRow] = {}

    def row_of(record: Record) -> BoardRow:
        name = record.board or record.name
        return rows.setdefault(name, BoardRow(name))

    for record in records:
        if record.kind == DOCTOR:
            _examined(row_of(record), record)
    columns: tuple[dict[str, str], dict[str, str]] = {}, {}
    for run in latency:
        if run.record.board:
            key = f"{run.model_sha256} {run.title} {run.pictures}"
            columns[0][key] = f"{run.model} {run.model_sha256[:_SHORT]}, {run.title}"
            row = row_of(run.record)
            row.machine = run.machine
            emulated = bool(run.run.get("emulated"))
            cell = Cell(run.p90, f"{key} {run.machine}", run.record, emulated)
            row.latency[key] = cell
    for score in accuracy:
        miou = score.scores["miou"]
        if score.record.board and miou is not None:
            key = f"{score.model_sha256} {score.data}"
            columns[1][key] = (
                f"{score.model} {score.model_sha256[:_SHORT]}, {score.data}"
            )
            row_of(score.record).accuracy[key] = Cell(miou, key, score.record)
    found = list(rows.values())
    _mark(
        [c for row in found for c in row.latency.values()], lambda v, m: v > SLOWER * m
    )
    _mark(
        [c for row in found for c in row.accuracy.values()], lambda v, m: v < m - LOWER
    )
    found.sort(key=lambda row: (not row.stands_out, row.name))
    return Boards(found, *columns)


def _mark(cells: Sequence[Cell], is_worse: Callable[[float, float], bool]) -> None:
    groups: defaultdict[str, list[Cell]] = defaultdict(list)
    for cell in cells:
        if not cell.is_emulated:
            groups[cell.group].append(cell)
    for members in groups.values():
        if len(members) >= FEWEST:
            middle = statistics.median(cell.value for cell in members)
            for cell in members:
                cell.middle = middle
                cell.stands_out = is_worse(cell.value, middle)


def _examined(row: BoardRow, record: Record) -> None:
    try:
        board = record.content.get("board") or {}
        parts = [board.get("model"), board.get("processor"), board.get("architecture")]
        row.machine = row.machine or ", ".join(str(part) for part in parts if part)
        row.worst = str(record.content["worst"])
        row.findings += [
            f"{finding['severity']}: {finding['found']}"
            for finding in record.content["findings"]
            if finding["severity"] in _GRAVE
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{record.name}: a record of kind {DOCTOR!r} lacks something or holds "
            f"something unexpected: {type(error).__name__} {error}"
        ) from error
