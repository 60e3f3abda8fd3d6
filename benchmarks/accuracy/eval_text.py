"""A record of `edgeseg eval` or `edgeseg reference` as text for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHOWN = {
    "mIoU": "miou",
    "pixel accuracy": "pixel_accuracy",
    "mean accuracy": "mean_accuracy",
    "frequency-weighted IoU": "fw_iou",
}
_CHANGES = 6  # class changes shown


def eval_text(record: Mapping[str, Any]) -> str:
    """Return the lines that a user sees.

    Parameters
    ----------
    record : mapping of str to JSON value
        As `run_eval` returns it.
    """
    lines = [_line(name, record[key]) for name, key in _SHOWN.items()]
    lines += [_line(f"  {name}", iou) for name, iou in record["per_class_iou"].items()]
    lines += _beside(record)
    if "against" in record:
        lines += _against(record["against"])
    lines.append(
        f"{record['images']} pictures of {record['dataset']}/{record['split']}, "
        f"{len(record['classes'])} classes; model sha256 {record['model_sha256'][:16]}"
    )
    return "\n".join(lines)


def _beside(record: Mapping[str, Any]) -> list[str]:
    """Return the other protocols, each labelled."""
    height, width = record["network_size"]["input_hw"]
    network = record["network_size"]["miou"]
    return [
        _line("boundary IoU", record["boundary"]["miou"]),
        _line("mIoU at network size", network)
        + f"  ({width}x{height}, truth by nearest pixel; not the own size)",
    ]


def _against(told: Mapping[str, Any]) -> list[str]:
    made, drop, edge = told["made_with"], told["drop"], told["boundary"]
    lines = [
        f"against {made['model']} (sha256 {made['model_sha256'][:16]}):",
        _line("  its mIoU", told["reference"]["miou"]),
        f"{'  reference - model':24} " + _interval(drop),
        f"{'  near edges':24} " + _interval(edge),
        _line("  equal labels", told["agreement"]),
    ]
    flips = told["flips"]
    changes = [
        (pixels, flips["classes"][i], flips["classes"][j])
        for i, row in enumerate(flips["pixels"])
        for j, pixels in enumerate(row)
        if i != j and pixels
    ]
    total = sum(map(sum, flips["pixels"]))
    for pixels, first, second in sorted(changes, reverse=True)[:_CHANGES]:
        change = f"    {first} -> {second}"
        lines.append(f"{change:34} {100 * pixels / total:6.3f} % of pixels")
    return lines


def _interval(told: Mapping[str, Any]) -> str:
    return (
        f"{100 * told['difference']:6.2f} points, 95 % interval "
        f"{100 * told['low']:.2f} to {100 * told['high']:.2f}"
    )


def _line(name: str, share: float | None) -> str:
    return f"{name:24} " + ("no truth" if share is None else f"{100 * share:6.2f} %")
