"""Hypothesis strategies that several tests draw from."""

from __future__ import annotations

from hypothesis import strategies as st

from edgeseg.devices import TensorSpec
from edgeseg.runtime import Manifest
from edgeseg.runtime.model.manifest import FITS, HEADS, RESIZES

sizes = st.tuples(st.integers(1, 600), st.integers(1, 600))
colours = st.tuples(*[st.integers(0, 255)] * 3)
# tflite-runtime 2.14 has its process take subnormal numbers for 0
finite = st.floats(-1e6, 1e6, allow_subnormal=False)
nonzero = finite.filter(lambda value: value != 0)

quantized_specs = st.builds(
    TensorSpec,
    name=st.just("t"),
    shape=st.just((1, 4)),
    dtype=st.sampled_from(["int8", "uint8", "int16"]),
    scale=st.floats(1e-4, 10),
    zero_point=st.integers(0, 100),
)

manifests = st.builds(
    Manifest,
    labels=st.lists(st.text(min_size=1, max_size=12), max_size=20).map(tuple),
    palette=st.lists(colours, max_size=20).map(tuple),
    input_size=st.none() | sizes,
    mean=st.tuples(finite, finite, finite),
    std=st.tuples(nonzero, nonzero, nonzero),
    channels=st.sampled_from(["rgb", "bgr"]),
    fit=st.sampled_from(FITS),
    pad=st.integers(0, 255),
    resize=st.sampled_from(RESIZES),
    head=st.none() | st.sampled_from(HEADS),
    provenance=st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
)
