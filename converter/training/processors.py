"""The device of a training: the processor or a graphics card, on Keras' backend."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager

from edgeseg.converter.frameworks import need, third_party
from edgeseg.devices import InputError

_log = logging.getLogger(__name__)


def gpu_count() -> int:
    """Return how many graphics cards Keras' backend can use."""
    backend = need("keras").backend.backend()
    with third_party():
        if backend == "tensorflow":
            return len(need("tensorflow").config.list_physical_devices("GPU"))
        if backend == "jax":
            return sum(d.platform == "gpu" for d in need("jax").devices())
        if backend == "torch":
            return int(need("torch").cuda.device_count())
    return 0


def scope(device: str) -> AbstractContextManager[object]:
    """Return a context in which Keras works on a device.

    Parameters
    ----------
    device : {"auto", "cpu", "gpu"}
        ``auto`` takes a graphics card where there is one.

    Raises
    ------
    InputError
        There is no graphics card that the backend can use.
    """
    keras = need("keras")
    cards = gpu_count() if device != "cpu" else 0
    if device == "gpu" and not cards:
        raise InputError(
            "expected a graphics card for --device gpu, but Keras' backend "
            f"({keras.backend.backend()}) finds none: install its GPU build and the "
            "driver, or train with --device cpu"
        )
    chosen: AbstractContextManager[object] = keras.device("gpu:0" if cards else "cpu:0")
    return chosen


def limit_threads(threads: int | None) -> None:
    """Let TensorFlow compute with so many threads; other backends decide themselves.

    It must come before any other use of TensorFlow in a process.
    """
    if threads is None or need("keras").backend.backend() != "tensorflow":
        return
    config = need("tensorflow").config.threading
    try:
        config.set_intra_op_parallelism_threads(threads)
        config.set_inter_op_parallelism_threads(1)
    except RuntimeError:
        _log.warning("TensorFlow is running already: --threads changes nothing")
