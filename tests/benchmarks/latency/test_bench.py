"""A measurement of the real model: what the record holds, and that it adds up."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

from edgeseg.benchmarks.latency.bench import bench
from edgeseg.benchmarks.latency.setup import Setup, with_delegate
from edgeseg.benchmarks.latency.single_stream import Rules
from edgeseg.benchmarks.latency.text import record_text
from edgeseg.devices import Device, InputError, ModelError, open_device
from edgeseg.runtime import Segmenter, open_source
from edgeseg.runtime.pictures.files import write_picture

SHORT = Rules(40, 0.0, warm_up_queries=2, warm_up_seconds=0.0)


@pytest.fixture(scope="module")
def record(golden_model):
    setup = Setup(golden_model, "synthetic:160x120,frames=5", threads=(2,), rules=SHORT)
    return bench(setup)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    with open_source("synthetic:96x64,frames=3,still") as source:
        for capture in source.captures():
            write_picture(folder / f"{capture.name}.png", capture.frame)
    return folder


def test_the_record_survives_json(record, golden_model):
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    digest = hashlib.sha256(golden_model.read_bytes()).hexdigest()
    assert record["model_sha256"] == digest
    assert record["model_bytes"] == golden_model.stat().st_size
    assert record["pictures"]["count"] == 5
    assert record["pictures"]["sizes"] == ["160x120"]
    assert not record["rules"]["mlperf"]


def test_a_run_counts_every_query(record):
    (run,) = record["runs"]
    assert run["queries"] == sum(run["histogram"]["counts"]) == 40
    assert run["warm_up"]["queries"] == 2
    assert run["device"]["threads"] == 2
    told = run["latency_ms"]
    ordered = [told[k] for k in ("min", "p50", "p90", "p95", "p97", "p99", "p99.9")]
    np.testing.assert_array_equal(ordered, sorted(ordered))
    assert 40 * told["mean"] <= 1000 * run["seconds"] + 1


def test_stages_are_parts_of_the_wall_time(record):
    (run,) = record["runs"]
    assert 0.5 < run["stages_share"] <= 1
    assert 0.5 < run["trip"]["stages_share"] <= 1
    stages = run["trip"]["stages_ms"]
    assert stages["decode"] is None
    parts = sum(told["mean"] for told in stages.values() if told)
    assert parts <= run["trip"]["wall_ms"]["mean"]


def test_the_shortest_runs_are_not_valid_and_say_why(record):
    (run,) = record["runs"]
    broken = {f["name"]: f["reason"] for f in run["validity"] if f["ok"] is False}
    assert not run["valid"]
    assert "not MLPerf" in broken["at least the quick form"]


def test_memory_holds_the_model(record, golden_model):
    told = record["runs"][0]["memory"]
    assert told["peak_bytes"] >= told["resident_bytes"] > golden_model.stat().st_size
    assert record["process_peak_bytes"] >= told["process_peak_bytes"]
    assert told["process_peak_bytes"] > 0.9 * told["resident_bytes"]


def test_pictures_from_files_have_a_decode_stage(golden_model, photos):
    record = bench(Setup(golden_model, str(photos), rules=Rules(4, 0.0, 1, 0.0)))
    (run,) = record["runs"]
    assert record["pictures"] == {
        "source": photos.name,
        "count": 3,
        "sizes": ["96x64"],
    }
    assert run["trip"]["stages_ms"]["decode"]["min"] > 0
    assert run["trip"]["pictures"] == 4


def test_threads_and_delegates_are_a_run_each(golden_model):
    setup = Setup(
        golden_model,
        "synthetic:32x32,frames=1",
        threads=(1, 2),
        delegates=(True, False),
        rules=Rules(1, 0.0, 1, 0.0),
    )
    told = [run["device"] for run in bench(setup)["runs"]]
    assert [(d["threads"], d["xnnpack"]) for d in told] == [
        (1, "allowed"),
        (2, "allowed"),
        (1, "off"),
        (2, "off"),
    ]


def test_a_delegate_is_a_choice_of_the_desktop_only(golden_model):
    assert with_delegate("coral:usb", None) == "coral:usb"
    with pytest.raises(InputError, match="coral"):
        with_delegate("coral:usb", True)


class Moody(Device):
    """Answers the real model's answer, and after some runs its mirror image."""

    def __init__(self, device, runs):
        self.device, self.left = device, runs
        self.describe, self.close = device.describe, device.close

    inputs = property(lambda self: self.device.inputs)
    outputs = property(lambda self: self.device.outputs)

    def describe(self):
        raise NotImplementedError

    def close(self):
        raise NotImplementedError

    def infer(self, *tensors):
        self.left -= 1
        (output,) = self.device.infer(*tensors)
        return (output if self.left >= 0 else output[..., ::-1].copy(),)


@pytest.mark.parametrize(("queries", "pictures"), [(8, 2), (1, 2)])
def test_figures_of_changing_answers_are_not_kept(
    queries, pictures, golden_model, monkeypatch
):
    with Segmenter.open(golden_model) as segmenter:
        manifest = segmenter.manifest

    def open_moody(path, **kwargs):
        # first run, warm-up of one, and all queries but the last
        runs = 1 + 1 + max(1, queries - 1)
        return Segmenter(Moody(open_device("desktop", path), runs), manifest)

    monkeypatch.setattr(Segmenter, "open", open_moody)
    source = f"synthetic:64x48,frames={pictures}"
    with pytest.raises(ModelError, match="not the first one"):
        bench(Setup(golden_model, source, rules=Rules(queries, 0.0, 1, 0.0)))


def test_an_emulators_figures_are_called_so(record):
    told = json.loads(json.dumps(record))
    told["emulated"] = told["runs"][0]["emulated"] = "inside qemu"
    lines = record_text(told).splitlines()
    with_figures = [line for line in lines if " ms" in line]
    assert len(with_figures) == 4
    assert all("emulated" in line for line in with_figures)
    assert "emulated" not in record_text(record)
