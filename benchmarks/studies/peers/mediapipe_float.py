"""MediaPipe's ImageSegmenter on a float file that carries TFLite metadata."""

from edgeseg.benchmarks.studies.peers.peers import Peer

PLUGIN = Peer(
    about="MediaPipe ImageSegmenter, float 257 file",
    worker="mediapipe_loop",
    model="float-257",
    threads="no option for it: what MediaPipe chooses",
    requirements=("mediapipe==1.2.3", "numpy==2.2.6"),
    packages=("mediapipe", "numpy"),
    reference="float-257",
)
