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
    diverged,
    draw_curves,
    epoch_line,
    step_line,
    write_csv,
)
from edgeseg.converter.training.loss import cross_entropy_every
from edgeseg.converter.training.optimizer import rate_share, rated_adamw, warm_up
from edgeseg.converter.training.schedule import ByClock, BySteps, Spent
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
    from edgeseg.converter.training.schedule import Schedule
    from edgeseg.converter.training.settings import Settings
    from edgeseg.converter.training.start.batch_graph import Start
    from edgeseg.devices.types import Json
    from edgeseg.runtime.accuracy.dataset import Dataset
    from edgeseg.runtime.pipeline.stopping import Stop

BEST, STATE, CSV, CURVES = "best.keras", "last/state.npz", "log.csv", "curves.png"
_SPEAK_S, _RECENT = 20.0, 20  # seconds between lines, steps that their speed is of


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
    began_s : float or None
        When the whole command began, by `time.monotonic`: minutes are counted from
        there. None is now.
    """

    def __init__(
        self,
        job: TrainingJob,
        report: Callable[[str], None],
        began_s: float | None = None,
    ) -> None:
        self._job = job
        self._report = report
        self._settings = job.settings
        self._schedule = _schedule(job.settings, job.batches.steps)
        self._optimizer = self._compile()
        self._average = Average(job.graph) if self._settings.average else None
        self._validation_s = 0.0
        self._validated_s = 0.0  # when, in seconds of the training
        self._traced = False
        self._clock = time.monotonic() if began_s is None else began_s
        self.progress = Progress()
        self.progress.total = self._schedule.total(self._spent)

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
            self._end_epoch(0, last=False)
            self.save()
        spoken = saved = time.monotonic()
        spent: list[float] = []
        with closing(self._job.batches.stream(progress.step)) as stream:
            over = self._over
            while not over and stop.signal is None:
                began = time.monotonic()
                self._step(*next(stream))
                now = time.monotonic()
                spent.append(now - began)
                self._schedule.took(now - began)
                progress.total = self._schedule.total(self._spent)
                over = self._over
                if progress.step % self._job.batches.steps == 0 or over:
                    self._end_epoch(-(-progress.step // self._job.batches.steps), over)
                    self.save()
                    saved = spoken = time.monotonic()
                elif now - saved > 60 * self._settings.save_minutes:
                    self.save()
                    saved = now
                if now - spoken > _SPEAK_S:
                    self._speak(spent[-_RECENT:])
                    spoken = now
        progress.done = over
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
        return self._schedule.over(self._spent)

    @property
    def _spent(self) -> Spent:
        seconds = self.progress.seconds + time.monotonic() - self._clock
        return Spent(self.progress.step, seconds, self._validation_s)

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
            self._schedule.share(self._spent),
            shape=self._settings.schedule,
            warm_up=warm_up(progress.total),
        )
        return self._settings.new_rate * share

    def _end_epoch(self, epoch: int, last: bool) -> None:
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
        since = progress.seconds - self._validated_s
        if last or (
            epoch % settings.validate_every == 0
            and self._schedule.worth_validating(self._spent, since)
        ):
            row["val_miou"], row["val_iou"] = self._validate(epoch)
            self._validated_s = progress.seconds
        progress.rows.append(row)
        progress.losses, progress.counted = 0.0, 0
        progress.done = last
        if last:
            progress.total = progress.step
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

    def _speak(self, spent: list[float]) -> None:
        progress, settings = self.progress, self._settings
        step_s = sum(spent) / len(spent)
        every = self._job.batches.steps * settings.validate_every
        left = (
            (progress.total - progress.step) * (step_s + self._validation_s / every)
            if settings.minutes is None
            else 60 * settings.minutes - self._spent.seconds
        )
        self._report(
            step_line(progress, self._job.batches.steps, settings.batch / step_s, left)
        )


def _schedule(settings: Settings, steps: int) -> Schedule:
    """Return the schedule for epochs of so many steps."""
    if settings.minutes is None:
        return BySteps((settings.epochs or EPOCHS) * steps)
    most = None if settings.epochs is None else BySteps(settings.epochs * steps)
    return ByClock(60 * settings.minutes, most)
