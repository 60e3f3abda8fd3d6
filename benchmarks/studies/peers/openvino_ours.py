"""OpenVINO on our int8 file, where it can read it."""

import dataclasses

from edgeseg.benchmarks.studies.peers.openvino_float import PLUGIN as FLOAT

PLUGIN = dataclasses.replace(FLOAT, about="OpenVINO, our int8 file", model="int8-513")
