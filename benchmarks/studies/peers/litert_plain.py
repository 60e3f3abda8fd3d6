"""ai-edge-litert's own interpreter, fed and read as its examples do."""

from edgeseg.benchmarks.studies.peers.peers import Peer

PLUGIN = Peer(
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
