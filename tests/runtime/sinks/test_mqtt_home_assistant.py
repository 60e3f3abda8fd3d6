"""Pictures, commands, the page's address and a full disk: with a real mosquitto."""

from __future__ import annotations

import io
import json
import threading
import time

import numpy as np
import pytest
from gliding import Glider, Gliding, exact_segmenter
from mqtt_broker import Listener, soon
from PIL import Image

from edgeseg.devices import InputError
from edgeseg.runtime import (
    Capture,
    Manifest,
    Segmentation,
    Style,
    Watch,
    Zone,
    run_pipeline,
)
from edgeseg.runtime.capture.open import open_source
from edgeseg.runtime.drawing.look import Look
from edgeseg.runtime.drawing.open_effect import EFFECTS
from edgeseg.runtime.output.mqtt_snapshot import jpeg_of
from edgeseg.runtime.output.open import open_sink
from edgeseg.runtime.pipeline.meter import Meter

pytest.importorskip("paho.mqtt.client", reason="needs the extra `mqtt`")
LABELS = ("background", "person")

# keys that Home Assistant documents: home-assistant.io/integrations/image.mqtt,
# switch.mqtt and select.mqtt
COMMON_KEYS = {
    *("availability", "availability_topic", "payload_available", "name", "unique_id"),
    *("payload_not_available", "device", "origin", "icon", "entity_category", "qos"),
    *("json_attributes_topic", "json_attributes_template", "device_class"),
}
KEYS = {
    "image/snapshot": COMMON_KEYS | {"image_topic", "content_type", "image_encoding"},
    "switch/pause": COMMON_KEYS
    | {"command_topic", "state_topic", "value_template", "payload_on", "payload_off"},
    "select/effect": COMMON_KEYS
    | {"command_topic", "state_topic", "value_template", "options"},
    "binary_sensor/disk": COMMON_KEYS | {"state_topic", "value_template"},
}


def url(broker, options):
    return f"mqtt://127.0.0.1:{broker.port}/cam?every=0&{options}"


def style_of(effect="overlay", **more):
    return Style(Manifest(labels=LABELS), look=Look(effect=effect), **more)


FRAME = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
IDS = np.zeros((48, 64), np.uint8)
IDS[:, 16:48] = 1


def write(sink, frame=FRAME, ids=IDS):
    capture, segmentation = Capture(frame, "x", 0.0), Segmentation(ids, LABELS, {})
    sink.write(capture, segmentation)
    return capture, segmentation


def last_state(listener):
    return json.loads((listener.on("cam/state") or ["{}"])[-1])


def picture(payload):
    return np.array(Image.open(io.BytesIO(payload)).convert("RGB")).astype(int)


@pytest.mark.parametrize("effect", ["overlay", "hide", "pixelate"])
def test_a_snapshot_is_the_picture_as_it_is_drawn(broker, listener, effect):
    style = style_of(effect)
    with open_sink(url(broker, "snapshot=1"), style) as sink:
        drawn = style.draw(*write(sink))
        soon(lambda: listener.payloads("cam/snapshot"))
        entity = listener.entities()["image/snapshot"]
    (payload,) = listener.payloads("cam/snapshot")
    expected = picture(jpeg_of(drawn))
    np.testing.assert_array_equal(picture(payload), expected)
    assert np.abs(expected - picture(jpeg_of(FRAME))).mean() > 10
    assert not entity.keys() - KEYS["image/snapshot"]
    assert (entity["image_topic"], entity["content_type"]) == (
        *("cam/snapshot", "image/jpeg"),
    )


def test_there_is_no_picture_unless_it_is_asked_for(broker, listener):
    with open_sink(url(broker, ""), style_of()) as sink:
        write(sink)
        soon(lambda: listener.on("cam/state"))
    soon(lambda: listener.on("cam/availability")[-1:] == ["offline"])
    assert not listener.payloads("cam/snapshot")
    assert not {"image/snapshot", "switch/pause", "select/effect"} & set(
        listener.entities()
    )


def test_pictures_come_no_faster_than_asked_for(broker, listener):
    with open_sink(url(broker, "snapshot=3600"), style_of()) as sink:
        for _ in range(100):
            write(sink)
    soon(lambda: listener.on("cam/availability")[-1:] == ["offline"])
    assert len(listener.payloads("cam/snapshot")) == 1


def test_what_comes_in_has_a_picture_at_once(broker, listener):
    person = Glider(1, (30, 80), ((1, 100, 240), (9, 100, 240)))
    door = Zone("door", ((0, 0), (0.5, 0), (0.5, 1), (0, 1)), ("person",))
    style = Style(Manifest(labels=LABELS), zones=(door,))
    sink = open_sink(url(broker, "snapshot=3600"), style)
    write(sink, np.zeros((480, 640, 3), np.uint8), np.zeros((480, 640), np.uint8))
    time.sleep(1.1)  # no two pictures are less than a second apart
    watch = Watch(style.manifest, style.zones)
    run_pipeline(Gliding((person,), 10, 5), exact_segmenter(), [sink], watch=watch)
    soon(lambda: len(listener.payloads("cam/snapshot")) == 2)
    before, after = map(picture, listener.payloads("cam/snapshot"))
    there = np.s_[210:270, 90:110]
    assert np.abs(before[there] - after[there]).mean() > 20


def test_a_large_picture_is_made_smaller():
    payload = jpeg_of(np.zeros((1500, 4000, 3), np.uint8))
    assert Image.open(io.BytesIO(payload)).size == (1920, 720)


def test_a_command_is_not_obeyed_unless_the_address_says_so(broker, listener):
    style = style_of()
    with open_sink(url(broker, ""), style) as sink:
        write(sink)
        listener.publish("cam/pause/set", "ON")
        listener.publish("cam/effect/set", "blur")
        time.sleep(0.5)
        assert (style.controls.paused, style.controls.look.effect) == (False, "overlay")


def test_pause_and_effect_are_switched_and_shown(broker, listener):
    style = style_of("blur:60")
    with open_sink(url(broker, "control=yes&snapshot=1"), style) as sink:
        soon(lambda: {"switch/pause", "select/effect"} <= listener.entities().keys())
        entities = listener.entities()
        for key in ("switch/pause", "select/effect"):
            assert not entities[key].keys() - KEYS[key]
        options = entities["select/effect"]["options"]
        assert options == ["blur:60", *(n for n in EFFECTS.names() if n != "picture")]
        listener.publish(entities["select/effect"]["command_topic"], "grey")
        listener.publish(entities["switch/pause"]["command_topic"], "ON")
        soon(lambda: style.controls.paused)
        sink.check()  # no frames come in a pause, and it is shown at once
        soon(lambda: last_state(listener).get("paused"))
        assert last_state(listener)["effect"] == "grey"
        listener.publish("cam/pause/set", "OFF")
        soon(lambda: not style.controls.paused)
        drawn = style.draw(*write(sink))
        soon(lambda: listener.payloads("cam/snapshot"))
    assert style.look.effect == "blur:60"
    shown = picture(listener.payloads("cam/snapshot")[0])
    np.testing.assert_array_equal(shown, picture(jpeg_of(drawn)))


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("effect", "picture:/etc/hostname"),
        ("effect", "blur:99"),
        ("effect", "nothing"),
        ("effect", b"\xff\x00" * 3000),
        ("pause", "maybe"),
        ("pause", ""),
    ],
)
def test_a_wrong_command_changes_nothing_and_is_one_line(
    broker, listener, caplog, topic, payload
):
    style = style_of()
    with open_sink(url(broker, "control=yes"), style):
        soon(lambda: "switch/pause" in listener.entities())
        for _ in range(3):
            listener.publish(f"cam/{topic}/set", payload)
        soon(lambda: "not obeyed" in caplog.text)
        listener.publish("cam/pause/set", "ON")
        soon(lambda: style.controls.paused)
    assert style.controls.look == style.look
    lines = [r.getMessage() for r in caplog.records]
    assert len(lines) == 1
    assert "expected" in lines[0]
    assert len(lines[0]) < 300


def test_an_effect_for_privacy_cannot_be_switched_off(broker, listener, caplog):
    style = style_of("hide")
    with open_sink(url(broker, "control=yes"), style):
        soon(lambda: "switch/pause" in listener.entities())
        for effect in ("overlay", "blur", "hide:1", "pixelate"):
            listener.publish("cam/effect/set", effect)
        soon(lambda: "--unlock-privacy" in caplog.text)
        listener.publish("cam/pause/set", "ON")  # handled after the others
        soon(lambda: style.controls.paused)
        assert style.controls.look.effect == "hide"
        assert "select/effect" not in listener.entities()


def test_it_can_where_who_starts_the_run_allows_that(broker, listener):
    style = style_of("hide", unlock_privacy=True)
    with open_sink(url(broker, "control=yes"), style):
        soon(lambda: "select/effect" in listener.entities())
        listener.publish("cam/effect/set", "overlay")
        soon(lambda: style.controls.look.effect == "overlay")


def test_a_command_that_the_broker_has_kept_is_old(broker, listener):
    listener.publish("cam/pause/set", "ON", retain=True)
    style = style_of()
    with open_sink(url(broker, "control=yes"), style):
        soon(lambda: "switch/pause" in listener.entities())
        listener.publish("cam/effect/set", "blur")  # comes after what was kept
        soon(lambda: style.controls.look.effect == "blur")
        assert not style.controls.paused


def test_what_an_earlier_run_had_is_taken_back(broker, listener):
    with open_sink(url(broker, "control=yes&snapshot=5"), style_of()):
        soon(lambda: "image/snapshot" in listener.entities())
    with open_sink(url(broker, ""), style_of()):
        soon(lambda: "image/snapshot" not in listener.entities())
    late = Listener(broker.port)
    soon(lambda: late.entities())
    assert not {"image/snapshot", "switch/pause", "select/effect"} & set(
        late.entities()
    )
    late.close()


def stands_still(meter):
    before = meter.read().frames
    time.sleep(0.5)
    return meter.read().frames == before


def test_a_paused_run_lets_frames_go_and_goes_on(broker, listener):
    style = style_of(meter=Meter())
    sink = open_sink(url(broker, "control=yes"), style)
    source = open_source("synthetic:64x48,live,fps=50")
    meter = style.meter
    run = threading.Thread(
        target=run_pipeline,
        args=(source, exact_segmenter(), [sink]),
        kwargs={"meter": meter, "controls": style.controls},
    )
    run.start()
    try:
        soon(lambda: meter.read().frames > 5)
        listener.publish("cam/pause/set", "ON")
        soon(lambda: meter.read().paused)
        soon(lambda: stands_still(meter))  # what was under way is finished
        frames = meter.read().frames
        time.sleep(0.5)
        assert meter.read().frames == frames
        soon(lambda: last_state(listener).get("paused"))
        listener.publish("cam/pause/set", "OFF")
        soon(lambda: meter.read().frames > frames + 5)
        assert meter.read().age_ms.p50 < 2000
    finally:
        style.controls.paused = False
        source.stop()
        run.join(10)
    assert not run.is_alive()


def test_a_disk_without_room_is_a_problem(broker, listener, tmp_path):
    meter = Meter()
    style = style_of(meter=meter, fps=10.0)
    full = f"{tmp_path}/door-%Y%m%d-%H%M%S.mkv?free=9999TB"
    with open_sink(full, style) as video, open_sink(url(broker, ""), style) as sink:
        meter.watch_outputs({"door": video, "mqtt": sink})
        for _ in range(2):
            write(video)
            write(sink)
        soon(lambda: "binary_sensor/disk" in listener.entities())
        soon(lambda: "are to stay free" in str(listener.on("cam/state")[-1:]))
        entity = listener.entities()["binary_sensor/disk"]
    assert not entity.keys() - KEYS["binary_sensor/disk"]
    jinja2 = pytest.importorskip("jinja2", reason="needs Home Assistant's templates")
    template = jinja2.Template(entity["value_template"])
    shown = [template.render(value_json={"disk_full": v}) for v in ("no room", None)]
    assert shown == ["ON", "OFF"]


def test_the_page_is_named(broker, listener):
    with open_sink(url(broker, "page=https://home.example/door/"), style_of()):
        soon(lambda: listener.entities())
        for entity in listener.entities().values():
            page = entity["device"]["configuration_url"]
            assert page == "https://home.example/door/"


class Page:
    state = {"connected": True, "url": "http://0.0.0.0:8080/"}  # noqa: RUF012


def test_a_page_of_this_run_that_others_reach_is_found(broker, listener, monkeypatch):
    from edgeseg.runtime.output.mqtt_broker import Broker

    monkeypatch.setattr(Broker, "own_host", "192.168.1.20")  # no loopback here
    meter = Meter()
    meter.watch_outputs({"web:": Page()})
    with open_sink(url(broker, ""), style_of(meter=meter)) as sink:
        write(sink)
        soon(lambda: "configuration_url" in str(listener.entities()))
        devices = [entity["device"] for entity in listener.entities().values()]
    assert devices[0]["configuration_url"] == "http://192.168.1.20:8080/"


def test_the_broker_says_who_we_are(broker):
    with open_sink(url(broker, ""), style_of()) as sink:
        assert sink._broker.own_host == "127.0.0.1"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("page=javascript:alert(1)", "https://home.example/door/"),
        ("page=http://", "https://home.example/door/"),
        ("page=http://a b/", "https://home.example/door/"),
        ("page=http://[::1", "https://home.example/door/"),
        ("control=on", "yes or no"),
        ("snapshot=0", "seconds, 1 to 3600"),
        ("snapshot=often", "seconds, 1 to 3600"),
        ("snapshot=nan", "seconds, 1 to 3600"),
        ("snapshots=2", "snapshot, control, page"),
    ],
)
def test_a_wrong_option_is_one_line(options, expected):
    with pytest.raises(InputError, match=expected):
        open_sink(f"mqtt://127.0.0.1:1/cam?{options}", style_of())
