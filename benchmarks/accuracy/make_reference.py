"""Make a reference: label maps and scores of a model, usually the float one.

GPUs shorten the factors of a convolution to 10 bits (TensorFloat-32) by default; a
reference that did so would not be the float model any more, so that a Keras backend is
set to whole float32 here. The chip that it computes on goes into the record.
"""

from __future__ import annotations

import importlib
import platform
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.benchmarks.accuracy.reference import (
    DATASET,
    KIND,
    PICTURES,
    RECORD,
    map_path,
    sources_of,
)
from edgeseg.benchmarks.accuracy.subject import identity
from edgeseg.benchmarks.record import conditions, write_record
from edgeseg.runtime.accuracy.dataset import fingerprint
from edgeseg.runtime.accuracy.evaluation import evaluate
from edgeseg.runtime.accuracy.journal import Journal
from edgeseg.runtime.model.embedded import sha256
from edgeseg.runtime.pictures.atomic import write_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.benchmarks.accuracy.subject import EvalScope, Subject
    from edgeseg.devices.types import Json, Module
    from edgeseg.runtime import Segmenter


def make_reference(
    subject: Subject,
    folder: Path,
    scope: EvalScope,
    *,
    resumed: Callable[[int], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Json:
    """Fill a folder with a reference and return its record.

    A run that was stopped goes on where it was; a finished one is left as it is.

    Parameters
    ----------
    subject : Subject
        What to run on what.
    folder : Path
        See `edgeseg.benchmarks.accuracy.reference`.
    scope : EvalScope
        Which pictures, and how they count in the record's scores.
    resumed : callable or None
        Called once with the pictures that an earlier run had done.
    progress : callable or None
        Called with pictures done and pictures in all.

    Raises
    ------
    InputError
        The folder holds another reference, or the data is not usable.
    OutputError
        The folder cannot be written.
    """
    segmenter, dataset = subject.segmenter, subject.dataset
    use_whole_float32(segmenter.device.describe().get("backend"))
    run = identity("reference", subject, scope)
    with Journal(folder / PICTURES, run) as journal:
        if resumed is not None and journal.rows:
            resumed(len(journal.rows))
        accuracy = evaluate(
            segmenter,
            dataset,
            names=dataset.ids[: scope.limit],
            matching=scope.matching,
            detailed=True,
            keep=_keeper(folder, segmenter),
            journal=journal,
            progress=progress,
        )
    record = {
        **accuracy.to_dict(),
        **_origin(subject, scope),
        "pictures_sha256": sha256(folder / PICTURES),
    }
    where = f"{subject.root.resolve()}\n"
    write_bytes(folder / DATASET, where.encode("utf-8", "surrogateescape"))
    write_record(folder / RECORD, record)
    return record


def _keeper(
    folder: Path, segmenter: Segmenter
) -> Callable[[str, NDArray[np.uint8]], None]:
    from edgeseg.runtime.drawing.overlay import colour_table
    from edgeseg.runtime.pictures.files import write_ids

    table = colour_table(segmenter.manifest.palette)

    def keep(name: str, ids: NDArray[np.uint8]) -> None:
        write_ids(map_path(folder, name), ids, table)

    return keep


def _origin(subject: Subject, scope: EvalScope) -> Json:
    """Return where a reference comes from, as JSON values."""
    manifest, device = subject.segmenter.manifest, subject.segmenter.device
    around = conditions(subject.model, subject.segmenter)
    spec = device.outputs[0]
    return {
        **around,
        "kind": KIND,
        "float": device.inputs[0].dtype == spec.dtype == "float32",
        "processor": processor(around["device"].get("backend")),
        "sources": sources_of(around["model_sha256"], manifest.provenance),
        "model_labels": list(manifest.labels or subject.dataset.labels),
        "dataset": subject.root.resolve().name,
        "split": scope.split,
        "limit": scope.limit,
        "merge_others": scope.matching.merge_others,
        "data_labels": list(subject.dataset.labels),
        "data_sha256": fingerprint(subject.dataset),
    }


def processor(backend: str | None) -> Json:
    """Return what a backend computes on: kind (``"gpu"``, ``"cpu"``, ...) and name.

    Parameters
    ----------
    backend : str or None
        ``"tensorflow"``, ``"jax"`` or ``"torch"``, already in use; anything else
        computes on the CPU.
    """
    look = _LOOKS.get(backend or "")
    found = None if look is None else look(importlib.import_module(str(backend)))
    kind, name = found or ("cpu", cpu_name())
    return {"kind": kind, "name": name}


def use_whole_float32(backend: str | None) -> None:
    """Make a backend that is in use compute in float32, not in TensorFloat-32.

    Parameters
    ----------
    backend : str or None
        ``"tensorflow"``, ``"jax"`` or ``"torch"``; with anything else there is
        nothing to set.
    """
    if backend == "tensorflow":
        tf = importlib.import_module("tensorflow")
        tf.config.experimental.enable_tensor_float_32_execution(False)
    elif backend == "jax":
        jax = importlib.import_module("jax")
        jax.config.update("jax_default_matmul_precision", "highest")
    elif backend == "torch":
        torch = importlib.import_module("torch")
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cuda.matmul.allow_tf32 = False


def cpu_name() -> str:
    """Return the model name of the CPU, as far as the system knows it."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    named = [
        line.partition(":")[2].strip()
        for line in lines
        if line.partition(":")[0].strip() in ("model name", "Model")
    ]
    return named[0] if named else platform.machine()


def _tensorflow(tf: Module) -> tuple[str, str] | None:
    devices = tf.config.list_physical_devices("GPU")
    if not devices:
        return None
    details = tf.config.experimental.get_device_details(devices[0])
    return "gpu", str(details.get("device_name", "GPU"))


def _jax(jax: Module) -> tuple[str, str] | None:
    device = jax.devices()[0]
    return None if device.platform == "cpu" else (device.platform, device.device_kind)


def _torch(torch: Module) -> tuple[str, str] | None:
    if not torch.cuda.is_available():
        return None
    return "gpu", str(torch.cuda.get_device_name(0))


_LOOKS: dict[str, Callable[[Module], tuple[str, str] | None]] = {
    "tensorflow": _tensorflow,
    "jax": _jax,
    "torch": _torch,
}
