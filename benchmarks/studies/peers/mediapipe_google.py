"""MediaPipe on Google's uint8 file, where it takes it."""

import dataclasses

from edgeseg.benchmarks.studies.peers.mediapipe_float import PLUGIN as FLOAT

PLUGIN = dataclasses.replace(
    FLOAT,
    about="MediaPipe ImageSegmenter, Google's uint8 file",
    model="google-uint8",
    reference="google-uint8",
)
