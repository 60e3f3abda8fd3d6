"""tflite-runtime 2.14, the last of its name, on the same int8 file."""

from edgeseg.benchmarks.studies.peers.peers import Peer

PLUGIN = Peer(
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
