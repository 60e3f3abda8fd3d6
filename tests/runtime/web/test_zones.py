"""Zones, lines and events on the page of a real run."""

from __future__ import annotations

import json
import threading
import time
import urllib.request

import pytest
from gliding import LABELS, Glider, Gliding, exact_segmenter

from edgeseg.runtime import Line, Look, Manifest, Style, Watch, Zone, open_sink
from edgeseg.runtime.pipeline.meter import Meter

HOME = Zone("home", ((0, 0), (0.5, 0), (0.5, 1), (0, 1)), ("person",), enter_s=0)
GATE = Line("gate", ((0.75, 0), (0.75, 1)))
BACK_AND_FORTH = tuple((i * 2.0, *((120, 240), (600, 240))[i % 2]) for i in range(200))


class Walk:
    """A person who walks to and fro, in front of a page, until it is closed."""

    def __init__(self, look):
        pytest.importorskip("uvicorn", reason="needs the extra `web`")
        meter = Meter()
        self.style = Style(
            Manifest(labels=LABELS), look, meter=meter, zones=(HOME,), lines=(GATE,)
        )
        self.sink = open_sink("web:127.0.0.1:0", self.style)
        self._meter, self._ends = meter, False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        watch = Watch(self.style.manifest, self.style.zones, self.style.lines)
        segmenter = exact_segmenter()
        scene = Gliding([Glider(1, (60, 160), BACK_AND_FORTH)], 10, 390)
        for capture in scene.captures():
            if self._ends:
                return
            seen = watch.attach(capture, segmenter.segment(capture.frame))
            self.sink.write(capture, seen)
            self._meter.add(capture, seen)
            time.sleep(0.02)  # five times as fast as it walks

    def ask(self, path):
        with urllib.request.urlopen(f"{self.sink.url}{path}", timeout=10) as answer:
            return json.load(answer)

    def close(self):
        self._ends = True
        self._thread.join()
        self.sink.close()


@pytest.fixture
def walk(leaves_nothing):
    walking = Walk(Look())
    yield walking
    walking.close()


def test_the_state_has_zones_lines_and_the_latest_events_first(walk, wait_until):
    wait_until(lambda: len(walk.ask("api/state")["events"]) > 6)
    state = walk.ask("api/state")
    assert state["zones"][0]["name"] == "home"
    assert state["zones"][0]["points"] == [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]
    assert state["lines"][0]["crossed"]["out"] >= 1
    times = [event["time_s"] for event in state["events"]]
    assert times == sorted(times, reverse=True)
    kinds = {event["event_type"] for event in state["events"]}
    assert {"enter", "leave", "count", "cross"} >= kinds >= {"enter", "cross"}
    jsonschema = pytest.importorskip("jsonschema", reason="needs jsonschema")
    schema = {"$ref": "#/components/schemas/State", **walk.ask("openapi.json")}
    jsonschema.validate(state, schema)


def test_metrics_count_things_and_crossings(walk, wait_until):
    def metrics():
        with urllib.request.urlopen(f"{walk.sink.url}metrics") as answer:
            return answer.read().decode()

    wait_until(
        lambda: 'edgeseg_zone_things{zone="home",name="person"} 1.0' in metrics()
    )
    assert 'edgeseg_zone_share{zone="home",name="person"} 0.' in metrics()
    crossed = 'edgeseg_line_crossings_total{line="gate",direction="in"} 1.0'
    wait_until(lambda: crossed in metrics())
    assert metrics().count("# TYPE edgeseg_line_crossings_total counter") == 1


def test_the_page_shows_them(walk, wait_until, browser):
    page = browser.new_page()
    complaints = []
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(walk.sink.url)
    wait_until(lambda: page.locator("#events li").count() > 4)
    assert page.locator("#zones li").count() == 2
    shown = page.locator("#events").inner_text()
    assert "person enters home" in shown
    assert "person crosses gate (out)" in shown
    assert page.locator("#zones-switch").is_visible()
    page.locator("#show-zones").uncheck()
    wait_until(lambda: walk.ask("api/state")["look"]["hide_zones"])
    assert not complaints
    page.close()
