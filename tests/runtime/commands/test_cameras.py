"""Several cameras in one process: one model, one page, and no camera stops another."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
import urllib.request

import pytest
from click.testing import CliRunner

from edgeseg.devices import InputError
from edgeseg.runtime.commands.camera_tables import cameras_in
from edgeseg.runtime.commands.config import load_config
from edgeseg.runtime.commands.run import run
from edgeseg.runtime.commands.service import service
from edgeseg.runtime.pipeline.meter import Meter
from edgeseg.runtime.pipeline.meters import FailedSource, Meters
from edgeseg.runtime.pipeline.stopping import Stop
from edgeseg.runtime.pipeline.turns import Turns


@pytest.fixture
def config(tmp_path, golden_model):
    def write(text, top=""):
        path = tmp_path / "cameras.toml"
        path.write_text(f'model = "{golden_model}"\n{top}\n{text}')
        return path

    return write


def camera(name, source="synthetic:64x48,live,fps=20", **keys):
    lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
    return "\n".join(
        ["[[camera]]", f'name = "{name}"', f'source = "{source}"', *lines, ""]
    )


def invoke(path, *words):
    return CliRunner().invoke(run, ["--config", str(path), *words])


def test_each_camera_has_its_outputs_and_what_is_above_holds_for_all(config, tmp_path):
    path = config(
        camera("door", output=["door.jsonl"], effect="blur")
        + camera("yard", output="masks:ids", every=2),
        top="contours = true",
    )
    done = invoke(path, "--frames", "3", "--json")
    assert done.exit_code == 0, done.output
    cameras = json.loads(done.stdout)["cameras"]
    assert {name: each["pictures"] for name, each in cameras.items()} == {
        "door": 3,
        "yard": 3,
    }
    assert len((tmp_path / "door.jsonl").read_text().splitlines()) == 3
    assert len(list((tmp_path / "ids").iterdir())) == 3
    tables = cameras_in(load_config(path, run))
    assert tables["door"]["effect"] == "blur"
    assert "contours" not in tables["yard"]


def test_a_dead_camera_stops_no_other(config):
    path = config(camera("dead", source="v4l2:/dev/video77") + camera("door"))
    done = invoke(path, "--frames", "5")
    assert done.exit_code == 1
    assert "1 of 2 cameras failed: dead: no such camera" in str(done.exception)
    assert re.search(r"door: 5 pictures", done.output)
    assert isinstance(done.exception, InputError)


def test_settings_that_do_not_fit_the_model_end_all(config):
    path = config(camera("door") + camera("yard", classes=["unicorn"]))
    done = invoke(path, "--frames", "1")
    assert isinstance(done.exception, InputError)
    assert "camera yard: " in str(done.exception)
    assert "unicorn" in str(done.exception)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("camera = 3", r"camera: expected one or more tables \[\[camera\]\]"),
        ("camera = []", r"expected one or more tables \[\[camera\]\]"),
        ('[[camera]]\nsource = "x"', "camera 1: name: expected letters.*got nothing"),
        (camera("../up"), r"name: expected letters.*got '\.\./up'"),
        (camera("api"), "name: expected letters"),
        (camera("a") + camera("a"), "two cameras are called 'a'"),
        ('[[camera]]\nname = "a"', "camera a: the key 'source' is missing"),
        (camera("a", model="b"), "camera a: model: belongs above"),
        (camera("a", web="b"), "camera a: web: belongs above"),
        (camera("a", effct="b"), "camera a: unknown key 'effct'; did you mean"),
        ('source = "x"\n' + camera("a"), "source: belongs into the"),
        ('output = "x"\n' + camera("a"), "output: belongs into the"),
    ],
)
def test_wrong_tables(config, text, message):
    with pytest.raises(InputError, match=message):
        load_config(config(text), run)


def test_the_command_line_names_no_output_for_all(config):
    done = invoke(config(camera("a")), "-o", "null")
    assert "the command line can name neither" in str(done.exception)


def test_a_service_may_write_to_the_folders_of_all(config, tmp_path):
    path = config(
        camera("door", output=["a/door.jsonl"]) + camera("yard", output="masks:b/ids")
    )
    unit = CliRunner().invoke(service, ["install", str(path), "--print"]).output
    assert str(tmp_path / "a") in unit
    assert str(tmp_path / "b/ids") in unit


def test_turns_go_to_who_has_waited_longest():
    turns, order, stop = Turns(), [], Stop()

    def work(name, count):
        for _ in range(count):
            with turns.turn(stop) as mine:
                assert mine
                order.append(name)
                time.sleep(0.002)

    threads = [
        threading.Thread(target=work, args=(name, 20)) for name in ("a", "b", "c")
    ]
    with turns.turn(stop):  # all three wait before the first has its turn
        for thread in threads:
            thread.start()
            time.sleep(0.05)
    for thread in threads:
        thread.join()
    rounds = [set(order[i : i + 3]) for i in range(0, 60, 3)]
    assert all(each == {"a", "b", "c"} for each in rounds[:-1])


def test_a_stop_ends_the_waiting_for_a_turn():
    turns, stop = Turns(), Stop()
    with turns.turn(Stop()):
        stop.ask()
        with turns.turn(stop) as mine:
            assert not mine
    with turns.turn(Stop()) as mine:
        assert mine


def test_a_part_ends_alone_and_a_whole_ends_its_parts():
    whole = Stop()
    one, other = Stop(whole), Stop(whole)
    one.ask()
    assert one.asked
    assert not other.asked
    assert not whole.asked
    whole.ask()
    assert other.asked


def test_readings_of_all_together():
    class Fixed(Meter):
        def __init__(self, **values):
            super().__init__()
            self._values = values

        def read(self):
            import dataclasses

            return dataclasses.replace(super().read(), **self._values)

    readings = Meters(
        {
            "a": Fixed(frames=3, dropped=1, fps=2.0, last_frame_s=0.5),
            "b": Fixed(frames=4, connected=False, error="gone", last_frame_s=9.0),
        }
    ).read()
    assert (readings.frames, readings.dropped, readings.fps) == (7, 1, 2.0)
    assert readings.last_frame_s == 0.5
    assert not readings.connected
    assert readings.error == "b: gone"


class Away:
    def __init__(self, tries):
        self.state = {"connected": False, "error": "no such camera", "tries": tries}


def test_all_are_away_while_none_gives_frames():
    meters = {"a": Meter(), "b": Meter()}
    together = Meters(meters)
    assert together.read().tries is None
    meters["a"].watch(Away(3))
    assert together.read().tries is None  # a device that hangs with b's frame is seen
    meters["b"].watch(Away(4))
    assert together.read().tries == 7
    meters["b"].watch(FailedSource("no such model"))
    readings = together.read()
    assert readings.tries == 3
    assert readings.error == "a: no such camera; b: failed: no such model"


@pytest.fixture
def served(config):
    """A run of three cameras with a page, as a process; one of them is dead."""
    pytest.importorskip("uvicorn", reason="needs the extra `web`")
    path = config(
        camera("door", source="synthetic:160x120,live,fps=20")
        + camera("yard", source="synthetic:120x160,live,fps=5", effect="hide")
        + camera("dead", source="v4l2:/dev/video77"),
        top='web = "127.0.0.1:0"',
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "edgeseg", "run", "--config", str(path)],
        stderr=subprocess.PIPE,
        text=True,
    )
    line = process.stderr.readline()
    yield re.search(r"http://\S+", line)[0]
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 143


def ask(url, path):
    with urllib.request.urlopen(url + path, timeout=10) as answer:
        return answer.read()


def wait_for_frames(url, until):
    until(
        lambda: all(
            each["frames"] or each["ended"]
            for each in json.loads(ask(url, "api/state"))["cameras"]
        )
    )


def until(true, seconds=60):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)


def test_one_address_shows_all_cameras(served):
    wait_for_frames(served, until)
    states = {
        each["name"]: each for each in json.loads(ask(served, "api/state"))["cameras"]
    }
    assert states["dead"]["ended"] == "failed"
    assert "/dev/video77" in states["dead"]["error"]
    assert states["yard"]["ended"] is None
    assert b"edgeseg" in ask(served, "door")  # goes to door/
    frame = json.loads(ask(served, "yard/api/state"))["frame"]
    assert (frame["width"], frame["height"]) == (120, 160)
    outputs = json.loads(ask(served, "yard/api/state"))["outputs"]
    assert [output["url"] for output in outputs] == [f"{served}yard/"]
    assert ask(served, "door/snapshot.jpg")[:2] == b"\xff\xd8"
    metrics = ask(served, "metrics").decode()
    assert metrics.count("# TYPE edgeseg_frames_total counter") == 1
    assert 'edgeseg_source_connected{camera="yard"} 1.0' in metrics
    assert json.loads(ask(served, "yard/api/state"))["locked"]
    assert not json.loads(ask(served, "door/api/state"))["locked"]
