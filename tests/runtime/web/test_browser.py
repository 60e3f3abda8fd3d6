"""The page in a real browser, on a real run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeseg.runtime import Look


def test_the_picture_moves_and_nothing_is_loaded_from_elsewhere(live, visit, until):
    seen = visit(live.sink.url)
    first = seen.picture()
    until(lambda: (np.abs(seen.picture() - first).max(axis=2) > 40).sum() > 200)
    assert seen.complaints == []
    assert {url.partition("?")[0] for url in seen.requests} >= {
        live.sink.url + "stream.mjpg",
        live.sink.url + "api/state",
    }
    assert all(url.startswith(live.sink.url) for url in seen.requests)
    seen.wait("/^[0-9.]+ fps$/.test(document.querySelector('#fps').innerText)")
    seen.wait("/ ms$/.test(document.querySelector('#latency').innerText)")
    names = seen.page.locator("#classes .name").all_inner_texts()
    assert names == [label["name"] for label in live.state()["labels"]]


def test_switches_act_on_the_picture_and_the_state(live, visit, until):
    seen = visit(live.sink.url)
    live.goes.clear()  # a still picture: what changes now is the look
    until(lambda: live.meter.read().last_frame_s > 0.3)
    before = seen.picture()
    with seen.page.expect_request("**/api/look") as posted:
        seen.page.get_by_label("Effect").select_option("mask")
    assert posted.value.post_data_json == {"effect": "mask"}
    until(lambda: live.state()["look"]["effect"] == "mask")
    until(lambda: np.abs(seen.picture() - before).max() > 60)
    seen.page.get_by_label("Contours").check()
    until(lambda: live.state()["look"]["contours"])
    seen.page.get_by_label("disc").uncheck()
    until(lambda: live.state()["look"]["classes"] == ["square", "triangle"])
    seen.page.get_by_role("button", name="Show all").click()
    until(lambda: live.state()["look"]["classes"] == [])
    seen.page.get_by_label("Effect").select_option("blur")
    seen.page.get_by_label("Strength").fill("70")
    until(lambda: live.state()["look"]["effect"] == "blur:70")
    seen.page.get_by_label("Effect").select_option("colour")
    seen.page.get_by_label("Colour", exact=True).fill("#102030")
    until(lambda: live.state()["look"]["effect"] == "colour:#102030")
    seen.page.get_by_label("Effect").select_option("overlay")
    seen.page.get_by_label("Tint").fill("90")
    until(lambda: live.state()["look"]["alpha"] == 0.9)
    live.change(effect="overlay", alpha=0.5, contours=False)
    live.goes.set()
    assert seen.complaints == []


def test_the_page_offers_what_effects_declare(live, visit):
    seen = visit(live.sink.url)
    controls = live.state()["effect_controls"]
    listed = seen.page.locator("#effect option").all_inner_texts()
    assert listed == [
        one["title"] for one in controls.values() if not one["takes_file"]
    ]
    assert "Blur background" in listed
    for name, one in controls.items():
        if one["takes_file"]:
            continue  # such a file is named on the command line only
        seen.page.get_by_label("Effect").select_option(name)
        shown = {
            field: seen.page.locator(f"#{field}-field").is_visible()
            for field in ("strength", "colour", "alpha")
        }
        assert shown == {
            "strength": one["strength"] is not None,
            "colour": one["takes_colour"],
            "alpha": one["tints"],
        }
        if one["strength"]:
            slider = seen.page.locator("#strength")
            got = [slider.get_attribute("min"), slider.get_attribute("max")]
            wanted = one["strength"]
            assert got == [str(wanted["low"]), str(wanted["high"])]
            assert slider.input_value() == str(wanted["default"])
    seen.page.get_by_label("Effect").select_option("overlay")
    seen.until(lambda: live.state()["look"]["effect"] == "overlay")
    assert seen.complaints == []


class Output:
    """An output that connects, as far as the page is concerned."""

    state = {"connected": False, "reconnects": 0, "error": "Connection refused"}  # noqa: RUF012


def test_an_output_that_waits_is_shown_until_it_is_connected(start, visit):
    run, output = start(), Output()
    run.meter.watch_outputs({"mqtt://broker/cam": output})
    seen = visit(run.sink.url)
    seen.wait("!document.querySelector('#outputs').hidden")
    shown = seen.page.locator("#outputs li")
    assert "mqtt://broker/cam" in shown.inner_text()
    assert "waiting: Connection refused" in shown.inner_text()
    output.state = {"connected": True, "reconnects": 0, "error": None}
    seen.wait("document.querySelector('#outputs b').textContent === 'connected'")
    assert seen.page.evaluate("document.body.scrollWidth <= innerWidth")
    assert seen.complaints == []


def test_what_is_locked_for_privacy_is_shown_as_locked(start, visit):
    hidden = start(look=Look(effect="hide", classes=("disc",)))
    seen = visit(hidden.sink.url)
    seen.wait("!document.querySelector('#locked').hidden")
    assert "Locked for privacy" in seen.page.locator("#locked").inner_text()
    for control in ("#effect", "#strength"):
        assert seen.page.locator(control).is_disabled()
    boxes = seen.page.locator("#classes input")
    assert boxes.count() == 4
    assert all(boxes.nth(i).is_disabled() for i in range(boxes.count()))
    assert not seen.page.locator("#reset").is_visible()
    seen.page.locator("#legend").check()
    seen.wait("look.legend")
    assert seen.complaints == []
    free = visit(start(look=Look(effect="hide"), unlock_privacy=True).sink.url)
    free.wait("look !== null")
    assert free.page.locator("#locked").is_hidden()
    assert free.page.locator("#effect").is_enabled()


def test_a_viewer_sees_all_and_no_controls(start, visit, until):
    run = start("web:127.0.0.1:0?token=token-of-operator&view_token=token-of-viewer")
    seen = visit(run.sink.url + "?token=token-of-viewer", width=412)
    seen.wait("!document.querySelector('#viewer').hidden")
    first = seen.picture()
    until(lambda: (np.abs(seen.picture() - first).max(axis=2) > 40).sum() > 200)
    for control in ("#effect", "#contours", "#classes input", "#reset"):
        assert not seen.page.locator(control).first.is_visible()
    assert seen.page.locator("#classes .name").count() == 4
    assert seen.page.locator("#snapshot").is_visible()
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 412
    # what a viewer sends by hand is refused in words
    seen.page.evaluate("void send({legend: true})")
    seen.wait("/operator/.test(document.querySelector('#note').textContent)")
    operator = visit(run.sink.url + "?token=token-of-operator")
    operator.wait("look !== null")
    assert operator.page.locator("#effect").is_visible()


def test_another_viewer_sees_what_was_switched(live, visit):
    seen = visit(live.sink.url)
    live.change(legend=True)
    seen.wait("document.querySelector('#legend').checked")
    live.change(legend=False)
    seen.wait("!document.querySelector('#legend').checked")


def test_the_snapshot_is_a_file_that_decodes(live, visit, tmp_path):
    seen = visit(live.sink.url)
    with seen.page.expect_download() as downloaded:
        seen.page.get_by_role("link", name="Save snapshot").click()
    name = downloaded.value.suggested_filename
    downloaded.value.save_as(tmp_path / name)
    assert name.startswith("edgeseg-")
    with Image.open(tmp_path / name) as image:
        assert image.convert("RGB").size == (160, 120)


@pytest.mark.parametrize(("width", "height"), [(412, 860), (320, 640), (860, 412)])
def test_nothing_sticks_out_on_a_phone(live, visit, width, height):
    seen = visit(live.sink.url, width=width, height=height)
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width


def test_missing_frames_are_told_and_a_server_that_comes_back_is_taken_up(
    start, visit, until
):
    live = start()
    place = live.sink.url.removeprefix("http://").rstrip("/")
    seen = visit(live.sink.url)
    live.goes.clear()
    seen.wait(
        "/^No frames for \\d+ s/.test(document.querySelector('#banner').innerText)"
    )
    live.close()
    seen.wait("document.querySelector('#status').textContent === 'Not reachable'")
    start(f"web:{place}")
    seen.wait("document.querySelector('#status').textContent === 'Live'")
    first = seen.picture()
    until(lambda: np.abs(seen.picture() - first).max() > 40)


def test_a_pause_is_called_so(start, visit):
    live = start("web:127.0.0.1:0?stale=1")
    live.meter.watch(live.source, live.style.controls)
    seen = visit(live.sink.url)
    live.style.controls.paused = True
    seen.wait("document.querySelector('#status').textContent === 'Paused'")
    assert "Paused" in seen.page.inner_text("#banner")
    live.style.controls.paused = False
    seen.wait("document.querySelector('#status').textContent === 'Live'")


def test_a_token_in_the_address_is_taken_once(start, visit):
    live = start("web:127.0.0.1:0?token=a-token-of-this-test")
    seen = visit(live.sink.url + "?token=a-token-of-this-test")
    assert seen.page.url == live.sink.url
    assert seen.picture().max() > 0
    assert not any("token" in url for url in seen.requests[1:])


def test_all_labels_can_be_reached_by_keyboard_and_have_names(live, visit):
    seen = visit(live.sink.url)
    nameless = seen.page.evaluate(
        """() => [...document.querySelectorAll("input, select, button, a")].filter(
          (e) => !e.labels?.length && !e.innerText && !e.getAttribute("aria-label")
        ).map((e) => e.id)"""
    )
    assert nameless == []
    seen.page.keyboard.press("Tab")
    assert seen.page.evaluate("document.activeElement.id") == "effect"


def test_the_page_is_one_file(root):
    html = Path(root / "runtime/web/page.html").read_text()
    assert "src=" not in html.replace('.src = "', "")
