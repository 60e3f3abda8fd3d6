"""What a training says while it runs, one line at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from edgeseg.converter.training.pace import Pace
    from edgeseg.converter.training.settings import Settings
    from edgeseg.converter.training.state import Progress


def step_line(progress: Progress, steps: int, batch: int, pace: Pace) -> str:
    """Return where an epoch stands, how fast it goes and how long is left.

    Parameters
    ----------
    progress : Progress
        Of the training.
    steps : int
        Of an epoch.
    batch : int
        Pictures of a step.
    pace : Pace
        Of the last steps.
    """
    loss = progress.losses / max(progress.counted, 1)
    left = pace.seconds(progress.total - progress.step)
    return (
        f"epoch {progress.step // steps + 1}/{-(-progress.total // steps)} "
        f"step {progress.step}/{progress.total} loss {loss:.4f} "
        f"{batch / pace.step_s:.1f} images/s, {_duration(left)} left"
    )


def epoch_line(row: Mapping[str, Any], progress: Progress) -> str:
    """Return what an epoch came to, from its row of the log."""
    parts = ["before training" if row["epoch"] == 0 else f"epoch {row['epoch']}"]
    if row["loss"] is not None:
        parts.append(f"loss {row['loss']:.4f}")
    if row["val_miou"] is not None and progress.best_miou is not None:
        parts.append(
            f"validation mIoU {100 * row['val_miou']:.2f} % (best "
            f"{100 * progress.best_miou:.2f} %, epoch {progress.best_epoch})"
        )
    return ", ".join(parts)


def diverged(loss: float, progress: Progress, settings: Settings, best: Path) -> str:
    """Return what to say when the loss is no number any more."""
    return (
        f"the training diverged: the loss is {loss} at step {progress.step + 1}; "
        f"{best} holds the best weights so far (epoch {progress.best_epoch}): begin "
        f"anew with --restart and smaller rates than --rate {settings.rate:g} "
        f"--new-rate {settings.new_rate:g}"
    )


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
