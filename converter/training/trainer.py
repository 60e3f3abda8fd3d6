"""The loop: step, log, validate, keep the best, save, go on."""

from __future__ import annotations

import math
import time
from contextlib import closing, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need, third_party
from edgeseg.converter.loading.mending.portable import save_portable
from edgeseg.converter.training.average import Average, momentum_for, validate, weights
from edgeseg.converter.training.average import assign as assign_weights
from edgeseg.converter.training.int8.first_weights import plain
from edgeseg.converter.training.log import (
    TrainingSpeed,
    diverged,
    draw_curves,
    epoch_line,
    step_line,
    write_csv,
)
from edgeseg.converter.training.loss import cross_entropy_every
from edgeseg.converter.training.optimizer import rate_share, rated_adamw, warm_up
from edgeseg.converter.training.settings import EPOCHS
from edgeseg.converter.training.state import (
    Progress,
    damaged_state,
    read_state,
    write_state,
)
from edgeseg.devices import ConversionError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edgeseg.converter.frameworks import KerasModel, KerasOptimizer, KerasTensor
    from edgeseg.converter.training.data.batches import Batches
    from edgeseg.converter.training.settings import Settings
    from edgeseg.converter.training.start.batch_graph import Start
    from edgeseg.devices.types import Json
    from edgeseg.runtime.accuracy.dataset import Dataset
    from edgeseg.runtime.pipeline.stopping import Stop

BEST, STATE, CSV, CURVES = "best.keras", "last/state.npz", "log.csv", "curves.png"
_FIRST_STEPS = 3  # while the graph is being traced
_TIMED_STEPS = 12  # from which a time budget is turned into steps
_SPEAK_S, _RECENT = 20.0, 20  # seconds between lines, steps that their speed is of
_MOST_EPOCHS = 10_000  # until a time budget has been turned into steps


@dataclass(frozen=True)
class TrainingJob:
    """Network, data and settings of a training.

    Parameters
    ----------
    settings : Settings
        All of them.
    start : Start
        The network for one picture.
    graph : keras.Model
        The network for batches, from `training_graph`.
    batches : Batches
        What it learns from.
    validation : Dataset
        What it is judged by.
    folder : Path
        Where everything goes.
    identity : dict of str to JSON value
        What a state in the folder must have in common with this.
    """

    settings: Settings
    start: Start
    graph: KerasModel
    batches: Batches
    validation: Dataset
    folder: Path
    identity: Json


class Trainer:
    """Trains a network, from the beginning or from where it was left.

    Parameters
    ----------
    job : TrainingJob
        Network, data, settings.
    report : callable
        Called with a line now and then.
    """

    def __init__(self, job: TrainingJob, report: Callable[[str], None]) -> None:
        self._job = job
        self._report = report
        self._settings = job.settings
        self._optimizer = self._compile()
        self._average = Average(job.graph) if self._settings.average else None
        self._validation_s = 0.0
        self._traced = False
        self._clock = time.monotonic()
        self.progress = Progress(
            total=_epochs(self._settings) * job.batches.steps,
            settled=self._settings.minutes is None,
        )

    def resume(self) -> bool:
        """Go on from the state in the folder; return whether there is one.

        Raises
        ------
        InputError
            It is damaged, or of another network.
        """
        found = read_state(self._state_path, self._job.identity)
        if found is None:
            return False
        self.progress, groups = found
        try:
            assign_weights(self._job.graph, groups["weights"])
            optimizer = zip(self._optimizer.variables, groups["optimizer"], strict=True)
            for variable, value in optimizer:
                variable.assign(value)
            if self._average is not None:
                self._average.restore(groups["average"], self.progress.updates)
        except (KeyError, TypeError, ValueError) as error:
            raise damaged_state(self._state_path) from error
        return True

    def run(self, stop: Stop) -> Progress:
        """Train until done or asked to stop.

        Raises
        ------
        ConversionError
            The loss is no number any more; the best weights so far are kept.
        OutputError
            Something cannot be written.
        """
        progress = self.progress
        if progress.done:
            return progress
        if not progress.rows and stop.signal is None:
            self._end_epoch(0)
            self.save()
        spoken = saved = time.monotonic()
        spent: list[float] = []
        with closing(self._job.batches.stream(progress.step)) as stream:
            while progress.step < progress.total and stop.signal is None:
                began = time.monotonic()
                self._step(*next(stream))
                spent.append(time.monotonic() - began)
                if not progress.settled:
                    self._settle(spent)
                now = time.monotonic()
                if progress.step % self._job.batches.steps == 0 or self._over:
                    self._end_epoch(-(-progress.step // self._job.batches.steps))
                    self.save()
                    saved = spoken = time.monotonic()
                elif now - saved > 60 * self._settings.save_minutes:
                    self.save()
                    saved = now
                if now - spoken > _SPEAK_S:
                    steps = self._job.batches.steps
                    speed = self._speed(spent[-_RECENT:])
                    self._report(
                        step_line(progress, steps, self._settings.batch, speed)
                    )
                    spoken = now
        if self._over and not progress.done:
            progress.done = True
        self.save()
        return progress

    def save(self) -> None:
        """Write the state; see `write_state`."""
        self.progress.seconds += self._lap()
        arrays = {
            "weights": weights(self._job.graph),
            "optimizer": [
                need("keras").ops.convert_to_numpy(v) for v in self._optimizer.variables
            ],
        }
        if self._average is not None:
            arrays["average"] = self._average.values
            self.progress.updates = self._average.updates
        write_state(self._state_path, self._job.identity, self.progress, arrays)

    @property
    def _state_path(self) -> Path:
        return self._job.folder / STATE

    @property
    def _over(self) -> bool:
        return self.progress.step >= self.progress.total

    def _lap(self) -> float:
        now = time.monotonic()
        passed, self._clock = now - self._clock, now
        return passed

    def _compile(self) -> KerasOptimizer:
        graph, settings = self._job.graph, self._settings
        largest = settings.new_rate
        new = self._job.start.new_layers
        factors = {
            variable.path: 1.0 if layer.name in new else settings.rate / largest
            for layer in self._job.start.model.layers
            for variable in layer.trainable_variables
        }
        optimizer = rated_adamw(
            factors, weight_decay=settings.weight_decay, clip_norm=settings.clip_norm
        )
        # XLA on a processor takes a tenfold for dilated depthwise convolutions
        on_tensorflow = need("keras").backend.backend() == "tensorflow"
        with third_party():
            graph.compile(
                optimizer,
                cross_entropy_every(settings.loss_every),
                jit_compile=False if on_tensorflow else "auto",
            )
            optimizer.build(graph.trainable_variables)
        return optimizer

    def _step(self, images: KerasTensor, targets: KerasTensor) -> None:
        progress, graph = self.progress, self._job.graph
        self._optimizer.learning_rate = self._rate()
        graph.reset_metrics()  # or the loss is a mean over all steps so far
        with nullcontext() if self._traced else third_party():
            loss = float(graph.train_on_batch(images, targets))
        self._traced = True
        if not math.isfinite(loss):
            best = self._job.folder / BEST
            raise ConversionError(diverged(loss, progress, self._settings, best))
        progress.step += 1
        progress.losses += loss
        progress.counted += 1
        if self._average is not None:
            self._average.update(momentum_for(progress.total))

    def _rate(self) -> float:
        progress = self.progress
        share = rate_share(
            progress.step,
            progress.total,
            shape=self._settings.schedule,
            warm_up=warm_up(progress.total),
        )
        return self._settings.new_rate * share

    def _end_epoch(self, epoch: int) -> None:
        progress, settings = self.progress, self._settings
        progress.seconds += self._lap()
        before = progress.rows[-1]["seconds"] if progress.rows else 0.0
        took = progress.seconds - before
        row: Json = {
            "epoch": epoch,
            "step": progress.step,
            "loss": progress.losses / progress.counted if progress.counted else None,
            "rate": self._rate() if progress.counted else None,
            "val_miou": None,
            "images_per_s": round(progress.counted * settings.batch / took, 2)
            if progress.counted and took > 0
            else None,
            "seconds": round(progress.seconds, 1),
        }
        if epoch % settings.validate_every == 0 or self._over:
            row["val_miou"], row["val_iou"] = self._validate(epoch)
        progress.rows.append(row)
        progress.losses, progress.counted = 0.0, 0
        progress.done = self._over
        write_csv(self._job.folder / CSV, progress.rows)
        draw_curves(self._job.folder / CURVES, progress.rows)
        self._report(epoch_line(row, progress))

    def _validate(self, epoch: int) -> tuple[float, dict[str, float | None]]:
        job, progress = self._job, self.progress
        held = nullcontext() if self._average is None else self._average.in_place()
        with held:
            result = validate(
                job.start.model, job.start.resize, job.validation, job.settings.judged
            ).own
            if progress.best_miou is None or result.miou > progress.best_miou:
                save_portable(plain(job.start), job.folder / BEST)
                progress.best_miou, progress.best_epoch = result.miou, epoch
        self._validation_s = self._lap()
        progress.seconds += self._validation_s
        return result.miou, result.per_class_iou

    def _settle(self, spent: list[float]) -> None:
        """Turn a time budget into steps, once it is known what a step takes."""
        settings, progress = self._settings, self.progress
        if len(spent) < _FIRST_STEPS + _TIMED_STEPS or settings.minutes is None:
            return
        timed = spent[_FIRST_STEPS:]
        since = time.monotonic() - self._clock
        speed = self._speed(timed)
        fitting = speed.fitting(60 * settings.minutes - progress.seconds - since)
        progress.total = min(progress.total, progress.step + fitting)
        progress.settled = True
        self._report(
            f"{speed.step_s:.2f} s a step: {progress.total} steps "
            f"({progress.total / self._job.batches.steps:.1f} epochs) fit "
            f"{settings.minutes:g} minutes"
        )

    def _speed(self, spent: list[float]) -> TrainingSpeed:
        every = self._job.batches.steps * self._settings.validate_every
        return TrainingSpeed(sum(spent) / len(spent), self._validation_s, every)


def _epochs(settings: Settings) -> int:
    if settings.epochs is not None:
        return settings.epochs
    return EPOCHS if settings.minutes is None else _MOST_EPOCHS
