"""A record as a table to read."""

from __future__ import annotations

from typing import Any

_HEAD = (
    "",
    "invoke, ms",
    "x edgeseg",
    "to labels, ms",
    "x edgeseg",
    "same labels, %",
    "mIoU, %",
)


def table_of(record: dict[str, Any]) -> str:
    """Return lines of Markdown; ratios have their quartiles in brackets.

    Parameters
    ----------
    record : dict
        From `measure`.
    """
    rows = [_HEAD, ("---",) * len(_HEAD)]
    timed = {name: row for name, row in record["edgeseg"].items() if "ms" in row}
    for name, row in timed.items():
        rows.append(_row(row, "ratio_to_itself"))
        for peer in record["peers"].values():
            if peer["reference"] == name:
                rows.append(_row(peer, "ratio_to_edgeseg"))
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines += [f"{name}: {why}" for name, why in record["failures"].items()]
    return "\n".join(lines)


def _row(row: dict[str, Any], ratios: str) -> tuple[str, ...]:
    miou = row["miou_7_classes"]
    return (
        row["about"],
        f"{row['ms']['invoke']['median']:.1f}",
        _ratio(row[ratios]["invoke"]),
        f"{row['ms']['total']['median']:.1f}",
        _ratio(row[ratios]["picture_to_labels"]),
        f"{100 * row['agreement_with_edgeseg']:.2f}",
        "-" if miou is None else f"{100 * miou:.2f}",
    )


def _ratio(spread: dict[str, float]) -> str:
    return f"{spread['median']:.2f} ({spread['q1']:.2f}-{spread['q3']:.2f})"
