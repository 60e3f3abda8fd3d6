"""ONNX Runtime with its own static int8, from the same float network by tf2onnx."""

from edgeseg.benchmarks.studies.peers.keras_loop import TENSORFLOW
from edgeseg.benchmarks.studies.peers.peers import Peer, Step

_RUNTIME = (
    "onnxruntime==1.27.0",
    "onnx==1.23.2",
    "numpy==2.2.6",
    "opencv-python-headless==4.12.0.88",
)

EXPORT = Step("onnx_export", "model.onnx", TENSORFLOW)

PLUGIN = Peer(
    about="ONNX Runtime, int8 by its own quantizer",
    worker="onnx_loop",
    model="float-513",
    threads="SessionOptions.intra_op_num_threads = 2, inter_op_num_threads = 1",
    requirements=_RUNTIME,
    packages=("onnxruntime", "onnx", "numpy", "opencv-python-headless"),
    steps=(EXPORT, Step("onnx_quantize", "model.onnx", _RUNTIME)),
)
