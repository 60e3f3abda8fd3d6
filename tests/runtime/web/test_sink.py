from __future__ import annotations

import gc
import sys

import numpy as np
import pytest

from edgeseg.devices import MissingDriverError, OutputError
from edgeseg.runtime import Capture, Manifest, Segmentation, Style
from edgeseg.runtime.drawing.statistics_line import read_temperature_c
from edgeseg.runtime.output.open import open_sink

STYLE = Style(Manifest(labels=("background", "bright")))


def test_without_the_extra_one_line_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    for name in [
        name for name in sys.modules if name.startswith("edgeseg.runtime.web.")
    ]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(MissingDriverError, match=r"pip install 'edgeseg\[web\]'"):
        open_sink("web:127.0.0.1:0", STYLE)


def test_without_a_meter_the_sink_counts_for_itself(until):
    pytest.importorskip("uvicorn", reason="needs the extra `web`")
    import json
    import urllib.request

    frame, ids = np.zeros((4, 6, 3), np.uint8), np.ones((4, 6), np.uint8)
    with open_sink("web:127.0.0.1:0", STYLE) as sink:
        assert sink.live
        sink.write(Capture(frame, "a", 0.0), Segmentation(ids, (), {"invoke": 2.0}))
        with urllib.request.urlopen(f"{sink.url}api/state") as answer:
            state = json.load(answer)
    assert state["readings"]["frames"] == 1
    assert state["readings"]["latency_ms"] == {"p50": 2.0, "p90": 2.0}
    assert state["labels"][1]["share"] == 1.0
    assert state["frame"] == {"name": "a", "width": 6, "height": 4}


def test_a_server_that_fails_is_told_to_the_run(until, monkeypatch):
    pytest.importorskip("uvicorn", reason="needs the extra `web`")
    from edgeseg.runtime.web.feed import PageFeed

    async def broken(self):
        raise RuntimeError("out of luck")

    monkeypatch.setattr(PageFeed, "run", broken)
    # where it fails at once, the sink is not opened
    with (
        pytest.raises(OutputError, match="out of luck"),
        open_sink("web:127.0.0.1:0", STYLE) as sink,
    ):
        until(lambda: sink.check())


def test_a_server_that_fails_before_it_listens_leaves_nothing_open(monkeypatch):
    pytest.importorskip("uvicorn", reason="needs the extra `web`")
    import uvicorn

    async def broken(self, sockets):
        raise RuntimeError("out of luck")

    monkeypatch.setattr(uvicorn.Server, "serve", broken)
    for _ in range(5):  # a socket left open would be a warning, an error here
        with pytest.raises(OutputError, match="out of luck"):
            open_sink("web:127.0.0.1:0", STYLE)
    gc.collect()


def test_the_hottest_zone_counts_and_odd_ones_do_not(tmp_path):
    assert read_temperature_c(tmp_path) is None
    for zone, text in enumerate(("41500\n", "55250\n", "", "n/a")):
        folder = tmp_path / f"sys/class/thermal/thermal_zone{zone}"
        folder.mkdir(parents=True)
        (folder / "temp").write_text(text)
    assert read_temperature_c(tmp_path) == 55.25
