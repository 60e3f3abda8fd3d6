"""The command `bench` as a user meets it."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from edgeseg.benchmarks.commands.bench import bench
from edgeseg.devices import EdgesegError


def call(*arguments):
    return CliRunner().invoke(bench, [str(argument) for argument in arguments])


def test_it_writes_the_record_and_prints_what_matters(golden_model, tmp_path):
    path = tmp_path / "record.json"
    short = ("--queries", 3, "--seconds", 0)
    done = call(golden_model, "--frame", "64x48", *short, "--json", path)
    assert done.exit_code == 0, done.output
    record = json.loads(path.read_text())
    assert record["kind"] == "bench"
    assert record["rules"]["queries"] == 3
    assert record["pictures"]["sizes"] == ["64x48"]
    for word in ("p90", "p99.9", "first run", "preprocess", "not MLPerf", "NOT VALID"):
        assert word in done.stdout
    p90 = record["runs"][0]["latency_ms"]["p90"]
    assert f"{p90:.2f} ms" in done.stdout


def test_sweeps_are_sections(golden_model):
    sweep = ("--threads", "1,2", "--delegate", "on,off", "--frame", "32x32")
    done = call(golden_model, *sweep, "--queries", 1, "--seconds", 0)
    assert done.exit_code == 0, done.output
    for title in ("1 thread, XNNPACK allowed", "2 threads, XNNPACK off"):
        assert title in done.stdout


@pytest.mark.parametrize(
    "option",
    [
        ("--threads", "0"),
        ("--threads", "1,,2"),
        ("--threads", "two"),
        ("--delegate", "maybe"),
        ("--frame", "640"),
        ("--frame", "4x4"),
        ("--queries", "0"),
        ("--seconds", "-1"),
    ],
)
def test_usage_errors_exit_with_2(option, golden_model):
    done = call(golden_model, *option)
    assert done.exit_code == 2
    assert option[0] in done.output


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("nowhere",), "nowhere"),
        (("--device", "fake", "--delegate", "off"), "fake"),
        (("--device", "npu"), "npu"),
        (("--json", "."), "cannot write"),
    ],
)
def test_bad_input_is_an_error_of_ours(arguments, word, golden_model):
    done = call(golden_model, *arguments)
    assert isinstance(done.exception, EdgesegError)
    assert word in str(done.exception)


def test_a_missing_model_leaves_no_record(tmp_path):
    done = call(tmp_path / "no.tflite", "--json", tmp_path / "record.json")
    assert "no.tflite" in str(done.exception)
    assert list(tmp_path.iterdir()) == []
