"""OpenVINO on the float TFLite file, which it reads as it is.

It computes in bfloat16 of its own accord where the processor has it (AMX).
"""

from edgeseg.benchmarks.studies.peers.peers import Peer

PLUGIN = Peer(
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
