"""Fine-tuning: from weights and pictures with masks to a network of new classes."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import require_extra
from edgeseg.converter.networks.folding import fold
from edgeseg.converter.shipped import find_keras
from edgeseg.converter.training.asking import ask
from edgeseg.converter.training.data.batches import Batches, Targets
from edgeseg.converter.training.data.census import (
    balance,
    check_every_class,
    count_pixels,
)
from edgeseg.converter.training.data.rare import RareClasses
from edgeseg.converter.training.data.splits import open_splits
from edgeseg.converter.training.int8.first_weights import through_int8
from edgeseg.converter.training.log import (
    hashes,
    never_learnt,
    origins_of,
    write_log,
)
from edgeseg.converter.training.processors import limit_threads, scope
from edgeseg.converter.training.settings import Settings
from edgeseg.converter.training.soft_answers import SoftAnswers
from edgeseg.converter.training.start.batch_graph import (
    Start,
    freeze_until,
    training_graph,
)
from edgeseg.converter.training.start.narrowing import narrowed
from edgeseg.converter.training.start.start import make_start
from edgeseg.converter.training.state import alone
from edgeseg.converter.training.teacher import Taught, Teacher
from edgeseg.converter.training.trainer import BEST, STATE, Trainer, TrainingJob
from edgeseg.devices import InputError
from edgeseg.runtime.accuracy.lists import read_list
from edgeseg.runtime.pictures.atomic import check_writable, write_text
from edgeseg.runtime.pictures.originals import check_apart
from edgeseg.runtime.pipeline.stopping import stopping_on_signals
from edgeseg.runtime.shipped import find_model

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.converter.training.data.classes import ChosenClasses
    from edgeseg.converter.training.state import Progress
    from edgeseg.devices.types import Json

LABELS, LOG, LOCK, TEACHER = "labels.txt", "log.json", "last/lock", "teacher"


@dataclass(frozen=True)
class Finetuned:
    """The result of a training.

    Parameters
    ----------
    path : Path
        The Keras model with the best validation.
    labels : Path
        Its class names, for ``edgeseg convert --labels``.
    miou : float or None
        Its validation mIoU, 0..1.
    epoch : int
        When it was reached; 0 is before training.
    steps, total : int
        Steps taken, and in all.
    seconds : float
        Time spent.
    signum : int or None
        Signal that asked to stop before the end; the same call goes on.
    rows : tuple of dict
        The log, a row an epoch.
    never_learnt : tuple of str
        Classes whose validation IoU never got above one percent.
    """

    path: Path
    labels: Path
    miou: float | None
    epoch: int
    steps: int
    total: int
    seconds: float
    signum: int | None
    rows: tuple[Json, ...]
    never_learnt: tuple[str, ...]

    def to_dict(self) -> Json:
        """Return JSON values."""
        values = {**asdict(self), "path": str(self.path), "labels": str(self.labels)}
        plain: Json = json.loads(json.dumps(values))
        return plain


def finetune(
    settings: Settings,
    output: Path | str,
    *,
    restart: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Finetuned:
    """Train a network on pictures with masks.

    The output folder gets ``best.keras``, ``labels.txt``, ``log.csv``, ``log.json``,
    ``curves.png`` and ``last/state.npz``, from which the same call goes on after an
    interruption. In the main thread SIGINT and SIGTERM stop it after a step.

    Parameters
    ----------
    settings : Settings
        All that decides the result.
    output : Path or str
        A folder.
    restart : bool
        Forget an earlier training in that folder.
    progress : callable or None
        Called with a line now and then.

    Returns
    -------
    Finetuned
        Where the model is and how good.

    Raises
    ------
    InputError, ModelError
        Pictures, masks, start, teacher or settings cannot be used.
    ConversionError
        The training diverged; the best weights so far are kept.
    OutputError
        Something cannot be written.
    MissingDriverError
        The extra ``convert`` is not installed.
    """
    began_s = time.monotonic()
    require_extra()
    settings = _named(settings)
    settings.check()
    folder, report = Path(output), progress or (lambda line: None)
    check_writable(folder / BEST)
    check_apart(folder, settings.pictures.root, settings.pictures.val_root)
    check_apart(folder / BEST, settings.start, settings.teaching.model)
    limit_threads(settings.threads)
    with (
        scope(settings.device),
        alone(folder / LOCK),
        stopping_on_signals(working=True) as stop,
    ):
        train, validation = _open(settings)
        counts = _census(settings, train, validation, report)
        teacher = _teacher(settings, train, folder, report)
        try:
            start = _start(settings, train, validation.ids, report)
            taught = None if teacher is None else teacher.digest()
            origins = origins_of(
                settings, train, validation, counts.sum(axis=0).tolist(), taught
            )
            job = TrainingJob(
                settings,
                start,
                training_graph(start),
                _batches(settings, start, teacher, train, counts),
                validation,
                folder,
                identity={**settings.identity(), **hashes(origins)},
            )
            trainer = Trainer(job, report, began_s)
            if restart:
                (folder / STATE).unlink(missing_ok=True)
            if trainer.resume():
                done = trainer.progress
                report(f"going on after step {done.step} of {done.total}")
            write_text(folder / LABELS, "\n".join(train.labels) + "\n")
            try:
                trainer.run(stop)
            finally:
                write_log(folder / LOG, settings, origins, start, trainer.progress)
        finally:
            if teacher is not None:
                teacher.close()
    return _result(folder, trainer.progress, stop.signal)


def _named(settings: Settings) -> Settings:
    """Return the settings with the paths of the models that are given by name."""
    teaching = settings.teaching
    if teaching.model is not None:
        teaching = replace(teaching, model=find_model(teaching.model))
    return replace(settings, start=str(find_keras(settings.start)), teaching=teaching)


def _open(settings: Settings) -> tuple[ChosenClasses, ChosenClasses]:
    pictures = settings.pictures
    train, validation = open_splits(
        pictures.root,
        split=pictures.split,
        val_root=pictures.val_root,
        val_split=pictures.val_split,
        labels=pictures.labels,
        classes=pictures.classes,
        limit=pictures.limit,
        val_limit=pictures.val_limit,
        hold_out=pictures.held,
    )
    if len(train.ids) < settings.batch:
        raise InputError(
            f"expected at least as many pictures as a batch, {settings.batch}, got "
            f"{len(train.ids)} to train on: choose a smaller --batch"
        )
    return train, validation


def _census(
    settings: Settings,
    train: ChosenClasses,
    validation: ChosenClasses,
    report: Callable[[str], None],
) -> NDArray[np.int64]:
    report(f"looking at {len(train.ids)} + {len(validation.ids)} masks")
    counts_by_picture = count_pixels(train)
    counts = counts_by_picture.sum(axis=0)
    count_pixels(validation)
    taught = settings.teaching.model is not None
    missing = check_every_class(counts, train.labels, taught=taught)
    if missing:
        report(f"no pixel of {', '.join(missing)}: left to the teacher")
    shares = counts / counts.sum()
    report(
        "share of pixels: "
        + ", ".join(f"{n} {s:.1%}" for n, s in zip(train.labels, shares, strict=True))
    )
    return counts_by_picture


def _start(
    settings: Settings,
    train: ChosenClasses,
    judged: tuple[str, ...],
    report: Callable[[str], None],
) -> Start:
    import numpy as np

    start = make_start(
        settings.start,
        train.labels,
        settings.network,
        np.random.default_rng(settings.seed),
        labels=settings.start_labels,
        trust=settings.trust,
    )
    if start.settled:
        # the same network without the work of norms that must not change anyway
        start = replace(start, model=fold(start.model))
    if settings.network.narrow < 1:
        start = narrowed(start, settings.network.narrow, train, report)
    if settings.freeze_until is not None:
        count = freeze_until(start.model, settings.freeze_until)
        report(f"{count} layers frozen, up to {settings.freeze_until}")
    if settings.int8 is not None:
        start = through_int8(start, settings.int8, judged)
    for note in start.notes:
        report(note)
    return start


def _teacher(
    settings: Settings,
    train: ChosenClasses,
    folder: Path,
    report: Callable[[str], None],
) -> Taught | None:
    teaching = settings.teaching
    answers = teaching.model
    if answers is None:
        return None
    if teaching.sizes:
        asked, answers = answers, folder / TEACHER
        ask(
            asked,
            train,
            answers,
            teaching.sizes,
            labels=teaching.labels,
            report=report,
        )
    elif not answers.is_dir() or (answers / "saved_model.pb").exists():
        return Teacher.open(answers, train.labels, teaching.labels)
    taught = SoftAnswers(answers, train.labels, teaching.labels)
    taught.check(train.ids)
    return taught


def _batches(
    settings: Settings,
    start: Start,
    teacher: Taught | None,
    train: ChosenClasses,
    counts: NDArray[np.int64],
) -> Batches:
    teaching = settings.teaching
    weights = balance(counts.sum(axis=0), settings.balance)
    rough = frozenset(read_list(teaching.rough)) if teaching.rough else frozenset()
    targets = Targets(
        weights,
        teacher,
        teaching.share,
        rough,
        teaching.rough_share,
        settings.loss_every,
    )
    height, width = start.model.input.shape[1:3]
    return Batches(
        train,
        targets,
        (height, width),
        batch=settings.batch,
        seed=settings.seed,
        workers=settings.workers,
        zoom=settings.zoom,
        rare=RareClasses(counts, settings.rare) if settings.rare else None,
    )


def _result(folder: Path, progress: Progress, signum: int | None) -> Finetuned:
    return Finetuned(
        path=folder / BEST,
        labels=folder / LABELS,
        miou=progress.best_miou,
        epoch=progress.best_epoch,
        steps=progress.step,
        total=progress.total,
        seconds=progress.seconds,
        signum=None if progress.done else signum,
        rows=tuple(progress.rows),
        never_learnt=never_learnt(progress.rows),
    )
