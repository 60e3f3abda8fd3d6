"""What one actor does: a model, and the batches that it is given.

Nothing here knows of Ray; the same object works in a plain loop.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError, OutputError, open_device
from edgeseg.devices.base import Closing
from edgeseg.devices.plain_text import encodable
from edgeseg.runtime.archive.film import Film, unnamed
from edgeseg.runtime.archive.output_folder import JOB_FILE, MASKS, OVERLAYS
from edgeseg.runtime.archive.remote_files import is_url, local_copy
from edgeseg.runtime.archive.work import FRAMES, Done, Item, Job, Unread
from edgeseg.runtime.capture.source import Capture
from edgeseg.runtime.output.open import open_sink
from edgeseg.runtime.output.sink import Style
from edgeseg.runtime.pictures.files import read_picture
from edgeseg.runtime.pipeline.options import PipelineOptions
from edgeseg.runtime.pipeline.segmenting import Inference
from edgeseg.runtime.segmentation.segmenter import Segmenter

if TYPE_CHECKING:
    from edgeseg.devices.types import Json
    from edgeseg.runtime.archive.work import Batch
    from edgeseg.runtime.segmentation.segmentation import Segmentation


class Segmenting(Closing):
    """Segments batches and writes their masks, each whole or not at all.

    Parameters
    ----------
    job : Job
        What to do.

    Raises
    ------
    EdgesegError
        The model cannot be opened here, or the output folder is another one.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        _check_shared(job)
        self._stack = ExitStack()
        try:
            folder = self._stack.enter_context(tempfile.TemporaryDirectory())
            path = Path(folder) / Path(job.model_name).name
            path.write_bytes(job.model)
            device = open_device(job.device, path, threads=job.threads)
            self._segmenter = self._stack.enter_context(
                Segmenter(device, job.manifest, job.output_name)
            )
            style = Style(job.manifest)
            targets = [f"masks:{Path(job.output) / MASKS}"]
            if job.overlays:
                targets.append(f"overlay:{Path(job.output) / OVERLAYS}/")
            self._sinks = [
                self._stack.enter_context(open_sink(target, style))
                for target in targets
            ]
        except BaseException:
            self._stack.close()
            raise
        self._film: Film | None = None

    def __call__(self, batch: Batch) -> Done:
        """Do a batch.

        Raises
        ------
        OutputError
            A result cannot be written.
        ModelError
            The model failed.
        """
        start_s = time.perf_counter()
        first = batch.items[0]
        done = self._video(first) if first.is_video else self._pictures(batch.items)
        return dataclasses.replace(done, busy_s=time.perf_counter() - start_s)

    def close(self) -> None:
        """Close the model."""
        self._forget_film()
        self._stack.close()

    def _pictures(self, items: tuple[Item, ...]) -> Done:
        rows, unread = [], []
        for item in items:
            try:
                with local_copy(self._place(item)) as path, unnamed(path):
                    frame = read_picture(path)
            except InputError as error:
                unread.append(_unread(item, str(error)))
                continue
            capture = Capture(frame, item.name, 0.0)
            # each alone: what a picture gives does not depend on the one before
            segmentation = self._inference().segment(capture)
            rows.append(self._write(item, capture, segmentation))
        return Done(rows, tuple(unread))

    def _video(self, item: Item) -> Done:
        """Do some frames; the file stays open for those that follow."""
        try:
            film = self._film_at(item)
        except InputError as error:
            return Done([], (_unread(item, str(error)),))
        rows: list[Json] = []
        for index, capture in film.frames:
            if index >= item.first and self._job.sample.has(capture.name):
                segmentation = film.inference.segment(capture)
                rows.append(self._write(item, capture, segmentation, index))
            elif film.inference_needs_all:
                film.inference.segment(capture)
            if item.most is not None and index + 1 >= item.most:
                break
            if index + 1 >= item.first + FRAMES:
                film.next_index = index + 1
                return Done(rows, rest=dataclasses.replace(item, first=index + 1))
        unread = tuple(_unread(item, text) for text in film.failures)
        self._forget_film()
        return Done(rows, unread)

    def _film_at(self, item: Item) -> Film:
        film = self._film
        if film is not None and (film.place, film.next_index) == (
            item.place,
            item.first,
        ):
            return film
        self._forget_film()
        self._film = Film(
            item,
            self._place(item),
            self._inference(still=False),
            takes_mask=self._segmenter.takes_mask,
        )
        return self._film

    def _forget_film(self) -> None:
        if self._film is not None:
            self._film.close()
            self._film = None

    def _inference(self, *, still: bool = True) -> Inference:
        return Inference(self._segmenter, PipelineOptions(), still=still)

    def _place(self, item: Item) -> str:
        if is_url(item.place):
            return item.place
        return os.path.join(self._job.folder, item.place)

    def _write(
        self,
        item: Item,
        capture: Capture,
        segmentation: Segmentation,
        frame: int | None = None,
    ) -> Json:
        for sink in self._sinks:
            sink.write(capture, segmentation)
        height, width = segmentation.ids.shape
        return {
            "name": encodable(capture.name),
            "source": encodable(self._place(item)),
            "frame": frame,
            "time_s": None if frame is None else capture.time_s,
            "height": height,
            "width": width,
            "classes": [
                {
                    "id": class_id,
                    "label": self._job.manifest.label(class_id),
                    "area": area,
                    "share": area / segmentation.ids.size,
                    "centroid_x": segmentation.centroids[class_id][0],
                    "centroid_y": segmentation.centroids[class_id][1],
                }
                for class_id, area in segmentation.areas.items()
            ],
        }


def _check_shared(job: Job) -> None:
    """Raise unless the output folder is the one that the job was started with."""
    path = Path(job.output) / JOB_FILE
    try:
        found = path.read_bytes()
    except OSError:
        found = b""
    if hashlib.sha256(found).hexdigest() != job.key:
        raise OutputError(
            f"{os.uname().nodename} does not see the output folder {job.output}: "
            "expected one that all machines of the cluster share"
        )


def _unread(item: Item, reason: str) -> Unread:
    return Unread(encodable(item.name), encodable(item.place), encodable(reason))
