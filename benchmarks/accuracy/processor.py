"""The chip that a Keras backend computes on: its name, and whole float32 on it.

GPUs shorten the factors of a convolution to 10 bits (TensorFloat-32) unless they are
told not to; a reference that did so would not be the float model any more.
"""

from __future__ import annotations

import importlib
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def processor(backend: str | None) -> dict[str, Any]:
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
    """Tell a backend that is in use to compute in float32, not in TensorFloat-32.

    Parameters
    ----------
    backend : str or None
        ``"tensorflow"``, ``"jax"`` or ``"torch"``; with anything else there is
        nothing to tell.
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
    """Return the model name of the CPU, as far as the system tells it."""
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


def _tensorflow(tf: Any) -> tuple[str, str] | None:
    devices = tf.config.list_physical_devices("GPU")
    if not devices:
        return None
    details = tf.config.experimental.get_device_details(devices[0])
    return "gpu", str(details.get("device_name", "GPU"))


def _jax(jax: Any) -> tuple[str, str] | None:
    device = jax.devices()[0]
    return None if device.platform == "cpu" else (device.platform, device.device_kind)


def _torch(torch: Any) -> tuple[str, str] | None:
    if not torch.cuda.is_available():
        return None
    return "gpu", str(torch.cuda.get_device_name(0))


_LOOKS: dict[str, Callable[[Any], tuple[str, str] | None]] = {
    "tensorflow": _tensorflow,
    "jax": _jax,
    "torch": _torch,
}
