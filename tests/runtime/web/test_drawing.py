"""Zones and lines are drawn on the page, by mouse and by finger."""

from __future__ import annotations

import pytest

from edgeseg.runtime import Line, Zone
from edgeseg.runtime.commands.config import load_config
from edgeseg.runtime.commands.run import run

DRAWN = "document.querySelector('#draw-text').textContent"
CORNERS = ((0.2, 0.25), (0.8, 0.25), (0.8, 0.75))


@pytest.fixture
def taken(tmp_path):
    """What a run makes of drawn text."""

    def take(text):
        path = tmp_path / "camera.toml"
        path.write_text(text + "\n")
        return load_config(path, run)

    return take


def at(page, corner):
    """Return where a corner is on the page; the picture fills its box here."""
    box = page.locator("#sketch").bounding_box()
    x, y = (
        side * part
        for side, part in zip((box["width"], box["height"]), corner, strict=True)
    )
    return box["x"] + x, box["y"] + y


def near(points, corners):
    return all(
        abs(a - b) < 0.02
        for point, corner in zip(points, corners, strict=True)
        for a, b in zip(point, corner, strict=True)
    )


def test_a_zone_is_drawn_by_mouse_and_read_by_a_run(live, visit, taken):
    seen = visit(live.sink.url, height=1000)
    page = seen.page
    page.click("#draw-toggle")
    for corner in CORNERS:
        page.mouse.click(*at(page, corner))
    page.fill("#draw-name", 'my "door"')
    (zone,) = taken(page.evaluate(DRAWN))["zones"]
    assert isinstance(zone, Zone)
    assert zone.name == 'my "door"'
    assert near(zone.points, CORNERS)
    # the second corner is dragged, the last one taken back
    page.mouse.move(*at(page, CORNERS[1]))
    page.mouse.down()
    page.mouse.move(*at(page, (0.9, 0.1)), steps=4)
    page.mouse.up()
    page.mouse.click(*at(page, (0.1, 0.9)))
    page.click("#draw-undo")
    (zone,) = taken(page.evaluate(DRAWN))["zones"]
    assert near(zone.points, (CORNERS[0], (0.9, 0.1), CORNERS[2]))
    page.click("#draw-toggle")
    assert not page.locator("#sketch").is_visible()
    assert not seen.complaints


def test_a_line_is_drawn_by_finger_on_a_phone(live, browser, until, taken):
    context = browser.new_context(
        viewport={"width": 412, "height": 900}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    page.goto(live.sink.url)
    until(
        lambda: page.evaluate(
            "document.querySelector('#status').textContent === 'Live'"
        )
    )
    page.tap("#draw-toggle")
    page.select_option("#draw-kind", "line")
    assert page.evaluate(DRAWN) == "2 more corners"
    for corner in CORNERS:  # a third is one too many for a line
        page.locator("#sketch").scroll_into_view_if_needed()
        page.touchscreen.tap(*at(page, corner))
    (line,) = taken(page.evaluate(DRAWN))["lines"]
    assert isinstance(line, Line)
    assert near(line.points, CORNERS[:2])
    assert page.evaluate("document.documentElement.scrollWidth") <= 412
    context.close()
