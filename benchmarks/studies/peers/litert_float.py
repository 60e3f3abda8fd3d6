"""The same interpreter and loop on the float file."""

import dataclasses

from edgeseg.benchmarks.studies.peers.litert_plain import PLUGIN as INT8

PLUGIN = dataclasses.replace(
    INT8, about="ai-edge-litert, plain loop, float file", model="float-513"
)
