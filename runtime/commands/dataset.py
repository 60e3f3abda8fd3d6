"""The command `dataset`: parse, call, print."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from edgeseg.runtime.commands.options import PATH

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.runtime.accuracy.dataset import Dataset


@click.command()
@click.argument("path", type=PATH)
@click.option(
    "--split", metavar="NAME", help="Look at one split only.  [default: all of them]"
)
@click.option(
    "--labels",
    metavar="NAME|FILE",
    help="Class names of the class ids.  [default: the data set's own]",
)
@click.option(
    "-o",
    "sheet",
    type=PATH,
    metavar="SHEET.jpg",
    help="Draw pictures with their masks.",
)
@click.option(
    "--to", "copy", type=PATH, metavar="FOLDER", help="Write the data set anew there."
)
@click.option(
    "--as",
    "layout",
    type=click.Choice(["plain", "cvat"]),
    default="plain",
    show_default=True,
    help="Layout of --to: images/ masks/ labels.txt, or what CVAT imports as "
    '"Segmentation mask".',
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def dataset(
    path: Path,
    split: str | None,
    labels: str | None,
    sheet: Path | None,
    copy: Path | None,
    layout: str,
    as_json: bool,
) -> None:
    """Show what is in a data set, and what is wrong with it.

    Its layout, its classes with their pixels and pictures, sizes, masks that do not
    fit, pictures and masks without each other, and pictures that are there twice. The
    exit status is 1 where a picture cannot be used.

    PATH is a folder in any layout that eval and finetune read: COCO, CVAT, Roboflow,
    LabelMe, YOLO, Supervisely, Label Studio, masks in colour, PASCAL VOC, ADE20K,
    Cityscapes, or images/ masks/ labels.txt.
    """
    from edgeseg.devices import InputError
    from edgeseg.runtime.json_text import json_text
    from edgeseg.runtime.pictures.atomic import check_writable
    from edgeseg.runtime.pictures.files import write_picture
    from edgeseg.runtime.pictures.originals import check_apart
    from edgeseg.runtime.survey.copy import write_copy
    from edgeseg.runtime.survey.sheet import contact_sheet
    from edgeseg.runtime.survey.survey import survey
    from edgeseg.runtime.survey.text import survey_text
    from edgeseg.runtime.terminal.progress import ProgressLine

    check_apart(sheet, path, labels)
    check_apart(copy, path, labels, option="--to")
    if sheet is not None:
        check_writable(sheet)
    opened = _open(path, split, labels)
    line = ProgressLine(sum(len(each.ids) for _, each in opened))
    try:
        found = survey(path, opened, whole=split is None, progress=line.show)
        if copy is not None and found.faults:
            raise InputError(
                f"nothing is written to {copy}, as {len(found.faults)} pictures cannot "
                f"be used; the first: {found.faults[0]}"
            )
        if sheet is not None:
            write_picture(sheet, contact_sheet(opened))
        if copy is not None:
            write_copy(opened, copy, layout, progress=line.show)
    finally:
        line.end()
    click.echo(json_text(found.to_dict(), indent=2) if as_json else survey_text(found))
    if found.faults:
        raise click.exceptions.Exit(1)


def _open(
    root: Path, split: str | None, labels: str | None
) -> list[tuple[str, Dataset]]:
    from edgeseg.devices import InputError
    from edgeseg.runtime.accuracy.open import find_layout

    layout = find_layout(root)
    names = layout.splits(root) if split is None else (split,)
    if not names:
        raise InputError(f"no pictures in {root}: expected {layout.LAYOUT}")
    return [(name, layout(root, name, labels)) for name in names]
