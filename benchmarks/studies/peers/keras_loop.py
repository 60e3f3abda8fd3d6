"""Float Keras in TensorFlow, picture by picture: what hobby code does."""

from edgeseg.benchmarks.studies.peers.peers import Peer

# tf2onnx is for `onnxruntime_int8`, which makes its model in the same environment
TENSORFLOW = (
    "tensorflow-cpu==2.21.0",
    "keras==3.15.1",
    "tf2onnx==1.17.0",
    "onnx==1.23.2",
    "numpy==2.2.6",
    "opencv-python-headless==4.12.0.88",
)

PLUGIN = Peer(
    about="Keras predict() in TensorFlow with overlay, float",
    worker="keras_loop",
    model="saved-513",
    threads="tf.config.threading, intra-op 2 and inter-op 2",
    requirements=TENSORFLOW,
    packages=("tensorflow-cpu", "keras", "numpy", "opencv-python-headless"),
    settings={"size_hw": [513, 513]},
)
