"""The page of several cameras in a real browser."""

from __future__ import annotations

import pytest

from edgeseg.runtime import Look, Segmenter, Style
from edgeseg.runtime.capture.open import open_source
from edgeseg.runtime.pipeline.meter import Meter


@pytest.fixture
def tiles(golden_model):
    pytest.importorskip("uvicorn", reason="needs the extra `web`")
    from edgeseg.runtime.web.open_tiles import open_tiles

    with Segmenter.open(golden_model, threads=1) as segmenter:
        meters = {"door": Meter(), "yard": Meter(), "late": Meter()}
        looks = {"door": Look(), "yard": Look(effect="mask"), "late": Look()}
        styles = {
            name: (Style(segmenter.manifest, look=looks[name], meter=meter), meter)
            for name, meter in meters.items()
        }
        server = open_tiles("127.0.0.1:0", styles)
        with open_source("synthetic:160x120,still") as source:
            for capture, name in zip(source.captures(), ("door", "yard"), strict=False):
                segmentation = segmenter.segment(capture.frame)
                server.sink(name).write(capture, segmentation)
                meters[name].add(capture, segmentation)
        yield server
        server.close()


@pytest.mark.parametrize("width", [1280, 412])
def test_a_tile_for_each_camera(tiles, browser, until, width):
    page = browser.new_page(viewport={"width": width, "height": 800})
    complaints = []
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(tiles.url)
    shown = "[...document.images].filter(i => i.naturalWidth > 0).length"
    until(lambda: page.evaluate(shown) == 2)
    names = page.evaluate("[...document.querySelectorAll('b')].map(b => b.textContent)")
    assert names == ["door", "yard", "late"]
    states = "[...document.querySelectorAll('main span')].map(s => s.textContent)"
    until(lambda: "no picture yet" in page.evaluate(states))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    tiles.end("late", "failed")
    until(lambda: "failed" in page.evaluate(states))
    page.click("a[href='yard/']")
    until(lambda: page.evaluate("document.title") == "edgeseg live")
    assert page.url == f"{tiles.url}yard/"
    # a tile without a picture is asked for again and again: the browser says so
    assert all("503" in text for text in complaints)
    page.close()
