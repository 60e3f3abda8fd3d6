"""Dashboards name what there is: metrics, entities, and valid expressions."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from importlib.resources import files

import pytest
from click.testing import CliRunner
from mqtt_broker import Listener, Mosquitto, soon

from edgeseg.runtime import Capture, Manifest, Style, Zone
from edgeseg.runtime.cli import main
from edgeseg.runtime.drawing.look import Look
from edgeseg.runtime.output.open import open_sink
from edgeseg.runtime.pipeline.meter import Meter, Readings, Spread
from edgeseg.runtime.web.metrics import join_metrics, metrics_text
from edgeseg.runtime.zones.events import KINDS

SPREAD = Spread(10.0, 20.0)
OUTPUT = {"connected": True, "reconnects": 1, "error": None}


def read(name):
    return files("edgeseg.runtime.dashboards").joinpath(name).read_text("utf-8")


@pytest.fixture(scope="module")
def grafana():
    return json.loads(read("grafana.json"))


def expressions(grafana):
    return [t["expr"] for panel in grafana["panels"] for t in panel["targets"]]


def all_metrics():
    """Return the text of a run that has everything that can be measured."""
    readings = Readings(
        frames=5,
        fps=9.0,
        latency_ms=SPREAD,
        age_ms=SPREAD,
        shares={1: 0.5},
        last_frame_s=0.1,
        outputs={"mqtt://broker": OUTPUT},
    )
    text = metrics_text(
        readings,
        str,
        (0, 1),
        version="1",
        temperature_c=50.0,
        streams=1,
        connections=2,
    )
    return join_metrics({"door": text})


def test_every_metric_and_label_of_a_panel_is_in_what_a_run_gives(grafana):
    given = {}
    for name, labels in re.findall(r"^(edgeseg_\w+)\{(.*)\}", all_metrics(), re.M):
        given.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
    given = {name: labels | {"instance", "job"} for name, labels in given.items()}
    asked = set()
    for panel in grafana["panels"]:
        for target in panel["targets"]:
            shown = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            for name, labels in re.findall(r"(edgeseg_\w+)\{(.*?)\}", target["expr"]):
                asked.add(name)
                assert set(re.findall(r"(\w+)=", labels)) <= given[name]
                assert shown <= given[name]
    # what only says how a run is, or is the sum of what is shown
    left_out = {
        *("edgeseg_build_info", "edgeseg_uptime_seconds"),
        *("edgeseg_frame_age_seconds_sum", "edgeseg_frame_age_seconds_count"),
    }
    assert set(given) - asked == left_out


def test_panels_have_ids_of_their_own_and_no_place_in_common(grafana):
    panels = grafana["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = set()
    for place in (panel["gridPos"] for panel in panels):
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert max(x for x, _ in cells) < 24
        assert not cells & taken
        taken |= cells
    for panel in panels:
        letters = [target["refId"] for target in panel["targets"]]
        assert letters == sorted(set(letters))


def test_variables_are_there_and_the_datasource_is_one_of_them(grafana):
    variables = {each["name"] for each in grafana["templating"]["list"]}
    used = set(re.findall(r"\$(\w+)", " ".join(expressions(grafana))))
    assert used - {"__rate_interval"} == variables - {"datasource"}
    text = json.dumps(grafana["panels"])
    assert set(re.findall(r'"uid": "([^"]*)"', text)) == {"${datasource}"}


def test_prometheus_can_read_every_expression(grafana, tmp_path):
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("needs the program promtool (Debian: prometheus)")
    rules = [
        {"record": f"r:{i}", "expr": e.replace("$__rate_interval", "5m")}
        for i, e in enumerate(expressions(grafana))
    ]
    path = tmp_path / "rules.yaml"  # JSON is YAML
    path.write_text(json.dumps({"groups": [{"name": "all", "rules": rules}]}))
    checked = subprocess.run(
        [promtool, "check", "rules", path], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    assert f"{len(rules)} rules found" in checked.stdout


def blueprint():
    yaml = pytest.importorskip("yaml", reason="needs the extra `datasets`")

    class Loader(yaml.SafeLoader):
        pass

    Loader.add_constructor("!input", lambda _, node: ("input", node.value))
    return yaml.load(read("home_assistant_blueprint.yaml"), Loader)


def test_a_blueprint_uses_each_of_its_inputs_and_no_other():
    loaded = blueprint()
    text = read("home_assistant_blueprint.yaml")
    inputs = loaded["blueprint"]["input"]
    assert set(re.findall(r"!input (\w+)", text)) == set(inputs)
    options = inputs["kinds"]["selector"]["select"]["options"]
    assert sorted(option["value"] for option in options) == sorted(KINDS)
    words = loaded["actions"][0]["variables"]["words"]
    assert set(words) == set(KINDS)


def test_a_card_shows_entities_of_a_run(tmp_path):
    yaml = pytest.importorskip("yaml", reason="needs the extra `datasets`")
    np = pytest.importorskip("numpy")
    from edgeseg.runtime import Segmentation

    broker = Mosquitto(tmp_path, "allow_anonymous true")
    listener = Listener(broker.port)
    labels = ("background", "person")
    meter = Meter()
    style = Style(
        Manifest(labels=labels),
        look=Look(),
        meter=meter,
        zones=(Zone("door", ((0, 0), (1, 0), (1, 1))),),
    )
    options = "name=Front door&control=yes&snapshot=5"
    address = f"mqtt://127.0.0.1:{broker.port}/cam?{options}"
    try:
        with open_sink(address, style) as sink:
            recording = type("R", (), {"state": {**OUTPUT, "disk_full": False}})()
            meter.watch_outputs({"door.mkv": recording})
            ids = np.zeros((8, 8), np.uint8)
            frame = np.zeros((8, 8, 3), np.uint8)
            sink.write(Capture(frame, "x", 0.0), Segmentation(ids, labels, {}))
            soon(lambda: "binary_sensor/disk" in listener.entities())
            found = listener.entities()
    finally:
        listener.close()
        broker.stop()
    # as Home Assistant makes an id of the names of device and entity
    there = {
        key.split("/")[0] + "." + re.sub(r"\W+", "_", f"Front door {e['name']}".lower())
        for key, e in found.items()
    }
    card = read("home_assistant_card.yaml")
    assert yaml.safe_load(card)["type"] == "vertical-stack"
    shown = set(re.findall(r"(?:entity: |- )(\w+\.\w+)$", card, re.M))
    assert len(shown) > 8
    assert shown <= there


def test_the_command_writes_them_and_replaces_none(tmp_path):
    folder = tmp_path / "new" / "there"
    done = CliRunner().invoke(main, ["dashboards", str(folder)])
    assert done.exit_code == 0
    names = sorted(path.name for path in folder.iterdir())
    assert len(names) == 3
    assert all(str(folder / name) in done.output for name in names)
    assert all((folder / n).read_text("utf-8") == read(n) for n in names)
    (folder / names[0]).write_text("mine")
    again = CliRunner().invoke(main, ["dashboards", str(folder)])
    assert again.exit_code == 1
    assert "--overwrite" in again.output
    assert (folder / names[0]).read_text() == "mine"
    last = CliRunner().invoke(main, ["dashboards", str(folder), "--overwrite"])
    assert last.exit_code == 0
    assert (folder / names[0]).read_text("utf-8") == read(names[0])


def test_a_folder_that_cannot_be_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    done = CliRunner().invoke(main, ["dashboards", str(tmp_path / "file")])
    assert done.exit_code == 1
    assert done.output.startswith("Error: ")
    assert done.output.count("\n") == 1
