"""OpenVINO on Google's uint8 file of the same network, which it reads as it is."""

import dataclasses

from edgeseg.benchmarks.studies.peers.openvino_float import PLUGIN as FLOAT

PLUGIN = dataclasses.replace(
    FLOAT,
    about="OpenVINO, Google's uint8 file",
    model="google-uint8",
    reference="google-uint8",
)
