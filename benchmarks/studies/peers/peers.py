"""The peers: other ways to run a segmentation network, one table."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from edgeseg.devices import UnknownPluginError

PYTHON = "python3.11"  # the newest that every pinned wheel exists for


@dataclass(frozen=True)
class Step:
    """A model made from another one, with a peer's own tools.

    Parameters
    ----------
    worker : str
        Module of ``_workers`` with ``make(source, output, calibration)``.
    file : str
        Name of what it makes.
    requirements : tuple of str
        Pinned pip requirements of its environment.
    python : str
        Interpreter that the environment is made with.
    """

    worker: str
    file: str
    requirements: tuple[str, ...]
    python: str = PYTHON


@dataclass(frozen=True)
class Peer:
    """Another way to run a segmentation network.

    Parameters
    ----------
    about : str
        What runs, for the table.
    worker : str
        Module of ``_workers`` with ``open_loop(settings)``.
    model : str
        The model it starts from; see `make_model`.
    threads : str
        How its two threads are set.
    requirements : tuple of str
        Pinned pip requirements of its environment.
    packages : tuple of str
        Distributions whose versions belong in the record.
    steps : tuple of Step
        What is made of the model first.
    settings : mapping of str to JSON value
        Handed to the worker.
    reference : str
        The model that edgeseg runs beside it.
    python : str
        Interpreter that the environment is made with.
    """

    about: str
    worker: str
    model: str
    threads: str
    requirements: tuple[str, ...]
    packages: tuple[str, ...]
    steps: tuple[Step, ...] = ()
    settings: Mapping[str, object] = field(default_factory=dict)
    reference: str = "int8-513"
    python: str = PYTHON


# tf2onnx is for ONNX Runtime's peers, whose model is made in the same environment
_TENSORFLOW = (
    "tensorflow-cpu==2.21.0",
    "keras==3.15.1",
    "tf2onnx==1.17.0",
    "onnx==1.23.2",
    "numpy==2.2.6",
    "opencv-python-headless==4.12.0.88",
)
_ONNX_RUNTIME = (
    "onnxruntime==1.27.0",
    "onnx==1.23.2",
    "numpy==2.2.6",
    "opencv-python-headless==4.12.0.88",
)
_EXPORT = Step("onnx_export", "model.onnx", _TENSORFLOW)  # from the float TFLite file

# Float Keras in TensorFlow, picture by picture: what hobby code does
_KERAS_LOOP = Peer(
    about="Keras predict() in TensorFlow with overlay, float",
    worker="keras_loop",
    model="saved-513",
    threads="tf.config.threading, intra-op 2 and inter-op 2",
    requirements=_TENSORFLOW,
    packages=("tensorflow-cpu", "keras", "numpy", "opencv-python-headless"),
    settings={"size_hw": [513, 513]},
)
# ai-edge-litert's own interpreter, fed and read as its examples do
_LITERT = Peer(
    about="ai-edge-litert, plain loop, our int8 file",
    worker="tflite_loop",
    model="int8-513",
    threads="Interpreter(num_threads=2)",
    requirements=(
        "ai-edge-litert==2.3.0",
        "numpy==2.2.6",
        "opencv-python-headless==4.12.0.88",
    ),
    packages=("ai-edge-litert", "numpy", "opencv-python-headless"),
    settings={"module": "ai_edge_litert"},
)
# The last tflite-runtime of that name, on the same file
_TFLITE_RUNTIME = Peer(
    about="tflite-runtime, plain loop, our int8 file",
    worker="tflite_loop",
    model="int8-513",
    threads="Interpreter(num_threads=2)",
    requirements=(
        "tflite-runtime==2.14.0",
        "numpy==1.26.4",
        "opencv-python-headless==4.11.0.86",
    ),
    packages=("tflite-runtime", "numpy", "opencv-python-headless"),
    settings={"module": "tflite_runtime"},
)
# MediaPipe's ImageSegmenter takes a float file that carries TFLite metadata; other
# files where it takes them at all
_MEDIAPIPE = Peer(
    about="MediaPipe ImageSegmenter, float 257 file",
    worker="mediapipe_loop",
    model="float-257",
    threads="no option for it: what MediaPipe chooses",
    requirements=("mediapipe==1.2.3", "numpy==2.2.6"),
    packages=("mediapipe", "numpy"),
    reference="float-257",
)
_ONNX = Peer(
    about="ONNX Runtime, int8 by its own quantizer",
    worker="onnx_loop",
    model="float-513",
    threads="SessionOptions.intra_op_num_threads = 2, inter_op_num_threads = 1",
    requirements=_ONNX_RUNTIME,
    packages=("onnxruntime", "onnx", "numpy", "opencv-python-headless"),
    steps=(_EXPORT, Step("onnx_quantize", "model.onnx", _ONNX_RUNTIME)),
)
# OpenVINO reads TFLite files as they are. It computes in bfloat16 of its own accord
# where the processor has it (AMX).
_OPENVINO = Peer(
    about="OpenVINO, float file",
    worker="openvino_loop",
    model="float-513",
    threads="INFERENCE_NUM_THREADS = 2, PERFORMANCE_HINT = LATENCY",
    requirements=(
        "openvino==2026.3.1",
        "nncf==3.3.0",
        "numpy==2.2.6",
        "opencv-python-headless==4.12.0.88",
    ),
    packages=("openvino", "nncf", "numpy", "opencv-python-headless"),
)

PEERS: Mapping[str, Peer] = {
    "keras_loop": _KERAS_LOOP,
    "litert_float": replace(
        _LITERT, about="ai-edge-litert, plain loop, float file", model="float-513"
    ),
    "litert_plain": _LITERT,
    "mediapipe_float": _MEDIAPIPE,
    "mediapipe_google": replace(
        _MEDIAPIPE,
        about="MediaPipe ImageSegmenter, Google's uint8 file",
        model="google-uint8",
        reference="google-uint8",
    ),
    # It takes uint8 and gives int32 class ids. It runs, but its labels have nothing to
    # do with the picture: MediaPipe probably reads the ids as scores.
    "mediapipe_mlperf": replace(
        _MEDIAPIPE,
        about="MediaPipe ImageSegmenter, MLPerf's int8 file",
        model="mlperf-int8",
        reference="mlperf-int8",
    ),
    "mediapipe_ours": replace(
        _MEDIAPIPE,
        about="MediaPipe ImageSegmenter, our int8 file",
        model="int8-513",
        reference="int8-513",
    ),
    "onnxruntime_float": replace(_ONNX, about="ONNX Runtime, float", steps=(_EXPORT,)),
    "onnxruntime_int8": _ONNX,
    "openvino_float": _OPENVINO,
    "openvino_google": replace(
        _OPENVINO,
        about="OpenVINO, Google's uint8 file",
        model="google-uint8",
        reference="google-uint8",
    ),
    "openvino_google_half": replace(
        _OPENVINO,
        about="OpenVINO, Google's uint8 file of width 0.5",
        model="google-a0.5-uint8",
        reference="google-a0.5-uint8",
    ),
    # It reads no int8 file of ours, so the old file is what a user of it has
    "openvino_requantized": replace(
        _OPENVINO,
        about="OpenVINO, Google's uint8 file; edgeseg, that file requantized",
        model="google-uint8",
        reference="requantized",
    ),
    "openvino_requantized_half": replace(
        _OPENVINO,
        about="OpenVINO, Google's uint8 file of width 0.5; edgeseg, that file "
        "requantized",
        model="google-a0.5-uint8",
        reference="requantized-a0.5",
    ),
    # NNCF quantizes the same float file with the same photos
    "openvino_int8": replace(
        _OPENVINO,
        about="OpenVINO, int8 by NNCF",
        steps=(Step("openvino_quantize", "model.xml", _OPENVINO.requirements),),
    ),
    "openvino_ours": replace(
        _OPENVINO, about="OpenVINO, our int8 file", model="int8-513"
    ),
    "tflite_runtime_plain": _TFLITE_RUNTIME,
}


def find_peer(name: str) -> Peer:
    """Return a peer by its name.

    Raises
    ------
    UnknownPluginError
        There is none of that name.
    """
    if name not in PEERS:
        near = difflib.get_close_matches(name, PEERS, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UnknownPluginError(
            f"unknown peer {name!r}; known: {', '.join(PEERS)}{hint}"
        )
    return PEERS[name]
