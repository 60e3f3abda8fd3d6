"""`edgeseg remote` as a user has it: one real deployment, and what is done with it."""

from __future__ import annotations

import json
import signal
import subprocess

import numpy as np
import pytest
from loopback_board import make_board, processes_of, wait_for

from edgeseg.devices import EdgesegError
from edgeseg.devices.litert import find_runtime
from edgeseg.runtime.drawing.overlay import colour_table
from edgeseg.runtime.pictures.files import read_picture, write_ids, write_picture
from edgeseg.runtime.remote.packing import wheel_file
from edgeseg.runtime.sources.synthetic import LABELS, SyntheticSource

SHORT = ("--queries", "8", "--seconds", "0.2", "--frame", "64x48")


@pytest.fixture(scope="module")
def deployed(tmp_path_factory):
    """Deploy what runs here, with what pip gets from the index that is configured."""
    made, process = make_board(tmp_path_factory.mktemp("deployed"))
    try:
        made.wheel = wheel_file(None)
        done = made.edgeseg("deploy", "animals", "--wheel", made.wheel, "--json")
        if "cannot install there" in done.stderr:
            reason = done.stderr.splitlines()[-1]
            pytest.skip(f"needs a package index that pip reaches: {reason}")
        assert done.stdout, done.stderr
        made.deployed = json.loads(done.stdout)
        yield made
    except EdgesegError as error:
        pytest.skip(f"needs what builds wheels: {error}")
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def scenes(tmp_path):
    """Write a plain data set of drawn scenes; a name no shell would leave as it is."""
    folder = tmp_path / "it's $(touch x)"
    source = SyntheticSource("96x64,still,seed=1,frames=3")
    for index, name in enumerate(source.names()):
        frame, ids = source.scene(index)
        write_picture(folder / "images" / f"{name}.png", frame)
        write_ids(folder / "masks" / f"{name}.png", ids, colour_table(()))
    (folder / "labels.txt").write_text("\n".join(LABELS))
    return folder


def test_deploy_tells_what_is_there(deployed):
    assert deployed.deployed["models"] == {"animals": "animals"}
    assert deployed.deployed["python"].startswith(str(deployed.root))
    findings = deployed.deployed["doctor"]["findings"]
    states = {finding["id"]: finding["severity"] for finding in findings}
    assert states["loads-interpreter"] == "ok"


def test_a_second_deployment_copies_nothing(deployed, golden_model):
    before = sorted(deployed.root.glob("envs/*"))
    done = deployed.edgeseg("deploy", golden_model, "--wheel", deployed.wheel)
    assert "is there already" in done.stdout
    assert f"{golden_model}: {deployed.root}/trees/" in done.stdout
    assert "0 error" in done.stdout or done.returncode == 1
    assert sorted(deployed.root.glob("envs/*")) == before


def test_bench_brings_a_record(deployed, golden_model, tmp_path):
    record = tmp_path / "bench.json"
    done = deployed.edgeseg("bench", golden_model, *SHORT, "-o", record)
    assert done.returncode == 0, done.stderr
    assert "p90" in done.stdout
    assert f"brought here: {record}" in done.stderr
    assert golden_model.name in json.dumps(json.loads(record.read_text())["model"])


def test_a_record_is_one_that_report_shows(deployed, golden_model, tmp_path):
    pytest.importorskip("jinja2", reason="report needs the extra `convert`")
    record, page = tmp_path / "bench.json", tmp_path / "page.html"
    deployed.edgeseg("bench", golden_model, *SHORT, "-o", record)
    report = deployed.call()[:3]
    subprocess.run([*report, "report", record, "-o", page], check=True)
    assert page.stat().st_size > 1000


def test_a_record_has_a_name_of_its_own(deployed, golden_model, tmp_path):
    done = deployed.edgeseg("bench", golden_model, *SHORT, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["shapes--board--bench.json"]


def test_eval_scores_there_as_here(deployed, golden_model, scenes, tmp_path):
    if find_runtime().name != "ai-edge-litert":
        pytest.skip("the board gets LiteRT, and another interpreter is here")
    there, here = tmp_path / "there.json", tmp_path / "here.json"
    done = deployed.edgeseg("eval", golden_model, scenes, "-o", there)
    assert done.returncode == 0, done.stderr
    local = [*deployed.call()[:3], "eval", str(golden_model), str(scenes)]
    subprocess.run([*local, "--json", str(here)], check=True, capture_output=True)
    scores = [json.loads(path.read_text()) for path in (there, here)]
    assert scores[0]["images"] == 3
    assert scores[0]["miou"] == pytest.approx(scores[1]["miou"], abs=1e-3)
    assert scores[0]["data_sha256"] == scores[1]["data_sha256"]


def test_run_brings_its_files(deployed, golden_model, scenes, tmp_path):
    outputs = ("-o", "over/", "-o", f"masks:{tmp_path / 'ids'}", "-o", "found.jsonl")
    done = deployed.edgeseg(
        "run", golden_model, scenes / "images", *outputs, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    names = {path.name for path in (scenes / "images").iterdir()}
    for folder in ("over", "ids"):
        assert {path.name for path in (tmp_path / folder).iterdir()} == names
    assert len((tmp_path / "found.jsonl").read_text().splitlines()) == 3
    frame = read_picture(tmp_path / "over" / min(names))
    assert frame.shape == (64, 96, 3)
    assert np.ptp(frame) > 0
    assert not (deployed.home / "x").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("bench", "nothere.tflite"), 1, "no such model file: nothere.tflite"),
        (("bench", "animals", "--frobnicate"), 2, "--frobnicate"),
        (("bench", "animals", "--device", "coral:usb"), 1, "coral"),
        (("eval", "animals", "/nothere"), 1, "no data set in /nothere"),
        (("run", "animals", "nothere.jpg"), 1, "nothere.jpg"),
        (("run", "animals", "synthetic:9x9", "-o", "a.xyz"), 1, "a.xyz"),
        (("bench",), 2, "MODEL"),
    ],
)
def test_errors_are_those_of_the_command(deployed, tmp_path, arguments, code, words):
    done = deployed.edgeseg(*arguments, cwd=tmp_path)
    assert done.returncode == code
    assert words in done.stderr.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_ends_the_run_there_and_brings_what_it_wrote(
    deployed, golden_model, tmp_path
):
    lines = tmp_path / "found.jsonl"
    call = ("run", golden_model, "synthetic:64x48,live", "-o", lines, "-o", "-")
    client = subprocess.Popen(
        deployed.call(*call), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert json.loads(client.stdout.readline())["height"] == 48
    assert any("synthetic:" in line for line in processes_of(deployed.home))
    client.send_signal(signal.SIGINT)
    client.communicate(timeout=30)
    assert client.returncode == 130
    assert lines.read_text().count("\n") > 0
    wait_for(lambda: not processes_of(deployed.home))


def test_detached_it_runs_until_it_is_stopped(deployed, golden_model):
    call = ("run", golden_model, "synthetic:64x48,live", "--detach", "-o", "-")
    done = deployed.edgeseg(*call)
    assert done.returncode == 0, done.stderr
    assert "runs on board as" in done.stdout
    wait_for(lambda: '"height":48' in deployed.edgeseg("logs", "-n", "1").stdout)
    done = deployed.edgeseg("stop")
    assert "ended with exit code 130: edgeseg run" in done.stdout
    wait_for(lambda: not processes_of(deployed.home))


def test_the_host_must_be_named(deployed):
    call = deployed.call()
    done = subprocess.run(
        [*call[:4], "deploy"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "which board?" in done.stderr


def test_labels_that_are_a_file_go_along(deployed, golden_model, scenes, tmp_path):
    names = scenes / "labels.txt"
    call = ("run", golden_model, "synthetic:64x48,frames=1", "--labels", names)
    done = deployed.edgeseg(*call, "-o", "null", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
