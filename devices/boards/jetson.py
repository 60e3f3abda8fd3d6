"""A Jetson: its processor, and its GPU through LiteRT or TensorRT."""

from __future__ import annotations

import importlib.util
import logging
from pathlib import Path

from edgeseg.devices.accelerators import find_vulkan_drivers
from edgeseg.devices.base import Device
from edgeseg.devices.board import Board, detect_board
from edgeseg.devices.compiled import CompiledDevice, unfit_processor
from edgeseg.devices.cores import physical_cores
from edgeseg.devices.linux_files import ROOT, cache_folder
from edgeseg.devices.onnx import (
    OnnxDevice,
    is_built_with_tensorrt,
    is_quantized,
    providers,
    read_onnx_model,
)
from edgeseg.devices.profile import DeviceUnit, Found, Profile
from edgeseg.devices.tflite import TFLiteDevice

_log = logging.getLogger(__name__)
_TENSORRT = "TensorrtExecutionProvider"
_GPU = {"gpu": ("GPU",), "gpu-cpu": ("GPU", "CPU")}


def open_jetson(model: Path, unit: str = "", threads: int | None = None) -> Device:
    """Open a model on a Jetson.

    Parameters
    ----------
    model : Path
        A ``.tflite`` file; an ``.onnx`` file for ``tensorrt``.
    unit : str
        ``""`` or ``"cpu"``: the processor; ``"gpu"``: all of the model on the GPU
        through LiteRT; ``"gpu-cpu"``: the same, the rest on the processor;
        ``"tensorrt"``: through ONNX Runtime's TensorRT provider, which builds the
        engine at the first start and keeps it in the user's cache folder.
    threads : int or None
        Threads on the processor; None takes the physical cores.

    Raises
    ------
    ModelError
        The file cannot be used there.
    MissingDriverError
        No GPU, driver or package; never is the processor taken instead unasked.
    """
    if unit in _GPU:
        return CompiledDevice(model, name=f"jetson:{unit}", accelerators=_GPU[unit])
    count = threads or physical_cores()
    if unit == "tensorrt":
        return OnnxDevice(
            model,
            name="jetson:tensorrt",
            provider=_TENSORRT,
            options={**_engine_options(), **_int8_options(model)},
            threads=count,
        )
    return TFLiteDevice(model, name="jetson", threads=count)


def _engine_options() -> dict[str, str]:
    """Return ONNX Runtime's options: half precision, engines kept between runs."""
    options = {"trt_fp16_enable": "True"}
    if _TENSORRT not in providers():
        return options
    try:
        folder = cache_folder() / "tensorrt"
        folder.mkdir(parents=True, exist_ok=True)  # ONNX Runtime makes no parents
    except OSError as error:
        _log.warning("engines are built anew each time: %s", error)
        return options
    return {
        **options,
        "trt_engine_cache_enable": "True",
        "trt_engine_cache_path": str(folder),
    }


def _int8_options(model: Path) -> dict[str, str]:
    """Return what lets TensorRT compute in int8 where the file has steps for it.

    A table of ranges is not given beside such steps, see
    github.com/microsoft/onnxruntime/pull/8969; without the option no engine is built,
    see issue 13381 there.
    """
    quantized = model.suffix == ".onnx" and is_quantized(read_onnx_model(model))
    return {"trt_int8_enable": "True"} if quantized else {}


def _find(root: Path) -> tuple[Found, ...]:
    board = detect_board(root)
    if board.kind != "jetson":
        absent = [Found("jetson:cpu", "absent", "this is no Jetson")]
    else:
        absent = [Found("jetson:cpu", "ready", board.model or "a Jetson")]
    return (*absent, _gpu(board, root), _tensorrt(board, root))


def _gpu(board: Board, root: Path) -> Found:
    if board.kind == "jetson" and (reason := unfit_processor(root)):
        return Found("jetson:gpu", "absent", reason)
    drivers = [d.name for d in find_vulkan_drivers(root) if not d.is_software]
    if not drivers:
        return Found("jetson:gpu", "absent", "no Vulkan driver of a GPU is installed")
    if importlib.util.find_spec("ai_edge_litert") is None:
        hint = "needs LiteRT: pip install ai-edge-litert"
        return Found("jetson:gpu", "incomplete", hint)
    return Found("jetson:gpu", "ready", f"Vulkan driver {', '.join(drivers)}")


def _tensorrt(board: Board, root: Path) -> Found:
    if root == ROOT and is_built_with_tensorrt():
        return Found("jetson:tensorrt", "ready", "ONNX Runtime with TensorRT")
    hint = "needs ONNX Runtime with TensorRT (NVIDIA's wheel) and an .onnx file"
    state = "incomplete" if board.kind == "jetson" else "absent"
    return Found("jetson:tensorrt", state, hint)


PROFILE = Profile(
    summary="a Jetson's processor and GPU",
    units=(
        DeviceUnit("", "the same as jetson:cpu"),
        DeviceUnit("cpu", "TFLite on all cores, through XNNPACK", placement="xnnpack"),
        DeviceUnit("gpu", "all of the model on the GPU, through LiteRT and Vulkan"),
        DeviceUnit("gpu-cpu", "the GPU, and the processor for what it does not take"),
        DeviceUnit(
            "tensorrt",
            "an .onnx file through ONNX Runtime and TensorRT",
            placement="onnx",
        ),
    ),
    find=_find,
    placement="gpu",
    recipes=("int8", "float16", "float32"),
    heads=("logits-stride", "logits"),
    sizes=("513x513", "257x257"),
    advice=(
        "jetson:gpu wants float16 or float32 models: its int8 gains nothing",
        "argmax stays off the GPU: leave it to the runtime (head logits-stride)",
        "sudo nvpmodel -m 0 && sudo jetson_clocks before measuring",
    ),
    camera="csi:0",
    verified="jetson:cpu and ONNX Runtime on x86-64; GPU and TensorRT on nothing",
)
PLUGIN = open_jetson
