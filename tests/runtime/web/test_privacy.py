"""With an effect that is there for privacy, the raw picture leaves by no path."""

from __future__ import annotations

import http.client
import io
import json
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from edgeseg.runtime import Look, Style
from edgeseg.runtime.drawing.open_effect import EFFECTS

# every way to another picture that a viewer could ask for
WAYS_ROUND = [
    {"effect": "overlay"},
    {"effect": "overlay", "alpha": 0.0},
    {"effect": "hide:1"},
    {"effect": "hide:99"},
    {"effect": "pixelate:100"},
    {"effect": "blur:1"},
    {"effect": "grey"},
    {"effect": "cutout"},
    {"effect": "colour:#000000"},
    {"classes": []},
    {"classes": ["triangle"]},
    {"classes": ["background"]},
    {"classes": ["disc", "disc"]},
    {"effect": "overlay", "classes": ["disc"], "contours": True},
]


def picture(content):
    return np.array(Image.open(io.BytesIO(content)).convert("RGB"), int)


@pytest.fixture(params=["hide", "pixelate:12"])
def private(request, start):
    look = Look(effect=request.param, classes=("disc", "square"))
    return start(look=look)


def test_no_request_uncovers_what_is_hidden(private, until):
    locked = private.state()["look"]
    for way in WAYS_ROUND:
        status, told = private.change(**way)
        assert status == 403, way
        assert "--unlock-privacy" in told["error"]
        assert len(told["error"].splitlines()) == 1
        assert private.state()["look"] == locked
    private.goes.clear()  # one frame stays the newest
    until(lambda: private.state()["frame"]["name"] == private.frame.name)
    capture, found = private.frame, private.last
    hidden = private.style.draw(capture, found).astype(int)
    covered = np.abs(hidden - capture.frame).max(axis=2) > 60
    assert covered.sum() > 100
    for path in ("/snapshot.jpg", "/stream.mjpg"):
        seen = picture(_first_picture(private, path))
        np.testing.assert_allclose(np.abs(seen - hidden)[covered].mean(), 0, atol=12)


def _first_picture(live, path):
    if path == "/snapshot.jpg":
        return live.ask(path)[1]
    host, port = re.search("//([^:/]+):([0-9]+)", live.sink.url).groups()
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    while not (line := answer.fp.readline()).lower().startswith(b"content-length"):
        assert line
    length = int(line.split(b":")[1])
    answer.fp.readline()
    content = answer.fp.read(length)
    connection.close()
    return content


def test_what_uncovers_nothing_can_be_changed(private):
    look = private.state()["look"]
    change = {"alpha": 0.9, "contours": True, "legend": True, "statistics": True}
    assert private.change(**change)[0] == 200
    same = {"effect": look["effect"], "classes": look["classes"]}
    assert private.change(**same)[0] == 200
    assert private.state()["look"] == {**look, **change}
    assert private.state()["locked"] is True


@pytest.mark.parametrize("way", [{"effect": "overlay"}, {"classes": ["triangle"]}])
def test_the_one_who_starts_a_run_can_unlock_it(start, way):
    live = start(look=Look(effect="hide"), unlock_privacy=True)
    assert live.state()["locked"] is False
    assert live.change(**way)[0] == 200


def test_an_effect_that_is_a_look_can_be_changed(live):
    assert live.state()["locked"] is False
    assert live.change(effect="blur:20")[0] == 200
    assert live.change(effect="hide")[0] == 200  # the run did not ask for it
    assert live.change(effect="overlay")[0] == 200


def test_effects_say_that_they_are_there_for_privacy(golden_model):
    private = {name for name in EFFECTS.names() if EFFECTS.load(name).private}
    assert private == {"hide", "pixelate"}
    from edgeseg.runtime import Segmenter

    with Segmenter.open(golden_model) as segmenter:
        for effect, locked in (("hide:5", True), ("blur", False), ("mask", False)):
            style = Style(segmenter.manifest, Look(effect=effect))
            assert style.is_locked is locked


@pytest.mark.parametrize(("option", "status"), [([], 403), (["--unlock-privacy"], 200)])
def test_a_run_locks_its_page(golden_model, option, status):
    pytest.importorskip("uvicorn", reason="needs the extra `web`")
    words = ["run", str(golden_model), "synthetic:160x120,live,fps=20"]
    words += ["--effect", "hide", "--web", "127.0.0.1:0", "--seconds", "60", *option]
    run = subprocess.Popen(
        [sys.executable, "-c", "from edgeseg.runtime.cli import main; main()", *words],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    try:
        host, port = re.search("//([^:/]+):([0-9]+)", run.stderr.readline()).groups()
        connection = http.client.HTTPConnection(host, int(port), timeout=10)
        body = json.dumps({"effect": "overlay"})
        headers = {"content-type": "application/json"}
        connection.request("POST", "/api/look", body, headers)
        assert connection.getresponse().status == status
        connection.close()
    finally:
        run.terminate()
        run.communicate()
