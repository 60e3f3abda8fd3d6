"""A survey as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeseg.runtime.survey.survey import SplitSurvey, Survey

_LINES = 8  # of a kind


def survey_text(found: Survey) -> str:
    """Return what a survey found, for people."""
    lines = [f"{found.root}: {found.layout}"]
    for split in found.splits:
        lines += ["", *_split_lines(split)]
    lines += _other_classes(found.splits)
    lines += _doubles(found)
    lines += _listed("pictures of no split (without a mask?)", found.unused_pictures)
    lines += _listed("masks of no picture", found.unused_masks)
    if not found.faults:
        lines += ["", "every picture has a mask that fits"]
    return "\n".join(lines)


def _split_lines(split: SplitSurvey) -> list[str]:
    total = sum(split.pixels) + split.void
    widest = max(len(label) for label in (*split.labels, "class"))
    lines = [
        f"{split.name}: {split.count} pictures, {_sizes(split)}",
        f"  id  {'class':{widest}}  {'pixels':>14}  {'share':>6}  pictures",
    ]
    rows = zip(split.labels, split.pixels, split.pictures, strict=True)
    for class_id, (label, pixels, pictures) in enumerate(rows):
        share = f"{pixels / total:.1%}" if total else "-"
        lines.append(
            f"{class_id:4}  {label:{widest}}  {pixels:14,}  {share:>6}  {pictures:8}"
        )
    if split.void:
        share = f"{split.void / total:.1%}"
        lines.append(f"   -  {'(void)':{widest}}  {split.void:14,}  {share:>6}")
    return [*lines, *_listed("pictures that cannot be used", split.faults, blank=False)]


def _sizes(split: SplitSurvey) -> str:
    if not split.sizes:
        return "no size known"
    shown = [f"{w}x{h} ({n})" for w, h, n in split.sizes[:3]]
    more = len(split.sizes) - 3
    if len(split.sizes) == 1:
        return f"all {split.sizes[0][0]}x{split.sizes[0][1]}"
    return ", ".join(shown) + (f" and {more} other sizes" if more > 0 else "")


def _other_classes(splits: Sequence[SplitSurvey]) -> list[str]:
    others = [s for s in splits if s.labels != splits[0].labels]
    return [
        f"\n{other.name} names other classes than {splits[0].name}" for other in others
    ]


def _doubles(found: Survey) -> list[str]:
    lines: list[str] = []
    for across, where in ((True, "in two splits"), (False, "in one split")):
        rows = [
            f"{'/'.join(d.first)} and {'/'.join(d.second)}"
            + ("" if d.same else " (almost)")
            for d in found.doubles
            if d.across == across
        ]
        lines += _listed(f"pictures that are there twice, {where}", rows)
    return lines


def _listed(title: str, rows: Sequence[str], *, blank: bool = True) -> list[str]:
    if not rows:
        return []
    more = [f"  ... and {len(rows) - _LINES} more"] if len(rows) > _LINES else []
    head = [""] if blank else []
    return [*head, f"{len(rows)} {title}:", *(f"  {r}" for r in rows[:_LINES]), *more]
