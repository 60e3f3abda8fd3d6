from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from edgeseg.devices.placement.graph import macs, moved_bytes
from edgeseg.devices.placement.reading import read_model_graph

pytest.importorskip("ai_edge_quantizer", reason="needs the extra `convert`")
litert = pytest.importorskip("ai_edge_litert.interpreter")

from edgeseg.benchmarks.studies.speed.operators import (  # noqa: E402
    addition,
    convolution,
    cut_out,
)
from edgeseg.benchmarks.studies.speed.roofline import main  # noqa: E402

# its tensors stay readable, and it says no word about that
PLAIN = litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES


def opened(content):
    interpreter = litert.Interpreter(
        model_content=content,
        num_threads=1,
        experimental_op_resolver_type=PLAIN,
        experimental_preserve_all_tensors=True,
    )
    interpreter.allocate_tensors()
    return interpreter


def test_an_operator_cut_out_gives_what_it_gave_inside(golden_model):
    content = golden_model.read_bytes()
    whole = opened(content)
    (entry,) = whole.get_input_details()
    noise = np.random.default_rng(0).integers(-100, 100, entry["shape"])
    whole.set_tensor(entry["index"], noise.astype(entry["dtype"]))
    whole.invoke()
    graph = read_model_graph(golden_model)
    for operator in graph.operators:
        alone = opened(cut_out(content, operator.index))
        read = [t for t in operator.inputs if t >= 0 and not graph.tensors[t].constant]
        for spec, tensor in zip(alone.get_input_details(), read, strict=True):
            alone.set_tensor(spec["index"], whole.get_tensor(tensor))
        alone.invoke()
        (made,) = alone.get_output_details()
        got, expected = (
            alone.get_tensor(made["index"]),
            whole.get_tensor(operator.outputs[0]),
        )
        np.testing.assert_array_equal(got, expected)


def test_what_measures_the_processor_does_the_work_that_is_counted(tmp_path):
    path = tmp_path / "one.tflite"
    path.write_bytes(convolution(8, 32))
    graph = read_model_graph(path)
    assert macs(graph, graph.operators[0]) == 8 * 8 * 32 * 32
    path.write_bytes(addition(1024))
    graph = read_model_graph(path)
    assert moved_bytes(graph, graph.operators[0]) == 3 * 1024
    interpreter = opened(path.read_bytes())
    for spec in interpreter.get_input_details():
        interpreter.set_tensor(spec["index"], np.full(spec["shape"], 3, np.int8))
    interpreter.invoke()
    (made,) = interpreter.get_output_details()
    assert (interpreter.get_tensor(made["index"]) == 6).all()


@pytest.mark.long
def test_the_record_sums_up_its_operators(golden_model, tmp_path):
    target = tmp_path / "roofline.json"
    short = ("--rounds", "1", "--runs", "2", "--note", "a test")
    arguments = [str(target), str(golden_model), *short]
    done = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    record = json.loads(target.read_text())
    model = record["models"]["shapes"]
    rows = model["operators"]
    assert [row["index"] for row in rows] == list(range(len(rows)))
    assert model["operators_us"] == pytest.approx(sum(row["us"] for row in rows), 1e-3)
    assert sum(kind["count"] for kind in model["kinds"].values()) == len(rows)
    assert set(model["farthest"]) <= {row["index"] for row in rows}
    assert all(row["bound"] in ("arithmetic", "memory") for row in rows)
    assert "of the roofline" in done.output
