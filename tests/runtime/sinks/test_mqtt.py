"""Against a real broker: mosquitto, started on a free port."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

import numpy as np
import pytest
from gliding import Glider, Gliding, exact_segmenter
from mqtt_broker import Listener, Mosquitto, soon

from edgeseg.devices import InputError
from edgeseg.runtime import (
    Capture,
    Line,
    Manifest,
    Segmentation,
    Style,
    Watch,
    Zone,
    run_pipeline,
)
from edgeseg.runtime.drawing.look import Look
from edgeseg.runtime.output.open import open_sink
from edgeseg.runtime.pipeline.meter import Meter

paho = pytest.importorskip("paho.mqtt.client", reason="needs the extra `mqtt`")
LABELS = ("background", "cat", "dog")

# every key that Home Assistant documents for MQTT sensors and binary sensors:
# home-assistant.io/integrations/sensor.mqtt and binary_sensor.mqtt
SENSOR_KEYS = {
    *("availability", "availability_mode", "availability_template"),
    *("availability_topic", "default_entity_id", "device", "device_class"),
    *("enabled_by_default", "encoding", "entity_category", "entity_picture"),
    *("expire_after", "force_update", "icon", "json_attributes_template"),
    *("json_attributes_topic", "last_reset_value_template", "name", "object_id"),
    *("options", "origin", "payload_available", "payload_not_available", "platform"),
    *("qos", "state_class", "state_topic", "suggested_display_precision"),
    *("unique_id", "unit_of_measurement", "value_template"),
}
BINARY_KEYS = SENSOR_KEYS - {
    "state_class",
    "suggested_display_precision",
    "unit_of_measurement",
    "options",
} | {"off_delay", "payload_off", "payload_on"}
DEVICE_KEYS = {
    *("configuration_url", "connections", "hw_version", "identifiers", "manufacturer"),
    *("model", "model_id", "name", "serial_number", "suggested_area", "sw_version"),
    "via_device",
}
ORIGIN_KEYS = {"name", "sw_version", "support_url"}


def style_of(labels=LABELS, classes=(), meter=None):
    return Style(Manifest(labels=labels), look=Look(classes=classes), meter=meter)


def write(sink, ids):
    frame = np.zeros((*ids.shape, 3), np.uint8)
    sink.write(Capture(frame, "x", 0.0), Segmentation(ids, LABELS, {"invoke": 12.0}))


def halves():
    ids = np.zeros((10, 20), np.uint8)
    ids[:, 10:] = 2
    return ids


def configs(listener):
    return {
        message.topic: json.loads(message.payload)
        for message in listener.heard
        if message.topic.startswith("homeassistant/") and message.payload
    }


def test_home_assistant_is_told_of_every_class_with_documented_keys(broker, listener):
    with open_sink(f"mqtt://127.0.0.1:{broker.port}/home/cam-1", style_of()):
        soon(lambda: len(configs(listener)) == 7)
    told = configs(listener)
    assert set(told) == {
        *(f"homeassistant/sensor/home_cam-1/area_{i}/config" for i in (1, 2)),
        *(
            f"homeassistant/sensor/home_cam-1/{name}/config"
            for name in ("fps", "latency", "age", "temperature")
        ),
        "homeassistant/binary_sensor/home_cam-1/source/config",
    }
    for topic, entity in told.items():
        known = BINARY_KEYS if "/binary_sensor/" in topic else SENSOR_KEYS
        assert entity.keys() <= known
        assert entity["state_topic"] == "home/cam-1/state"
        assert entity["availability_topic"] == "home/cam-1/availability"
        assert entity["device"].keys() <= DEVICE_KEYS
        assert entity["device"]["identifiers"] == ["home_cam-1"]
        assert entity["origin"].keys() <= ORIGIN_KEYS
    assert len({entity["unique_id"] for entity in told.values()}) == len(told)


def test_discovery_is_retained(broker):
    with open_sink(f"mqtt://127.0.0.1:{broker.port}/cam", style_of()):
        late = Listener(broker.port)
        soon(lambda: len(configs(late)) == 7)
        soon(lambda: late.on("cam/availability") == ["online"])
    soon(lambda: late.on("cam/availability") == ["online", "offline"])
    late.close()


def test_templates_find_their_values_in_the_state(broker, listener):
    jinja2 = pytest.importorskip("jinja2", reason="needs jinja2")
    meter = Meter()
    url = f"mqtt://127.0.0.1:{broker.port}/cam?every=0"
    with open_sink(url, style_of(meter=meter)) as sink:
        write(sink, halves())
        meter.add(
            Capture(np.zeros((10, 20, 3), np.uint8), "x", 0.0),
            Segmentation(halves(), LABELS, {"invoke": 12.0}),
        )
        write(sink, halves())
        soon(lambda: len(listener.on("cam/state")) == 2)
    for payload in listener.on("cam/state"):
        values = {
            topic.split("/")[-2]: jinja2.Template(entity["value_template"]).render(
                value_json=json.loads(payload)
            )
            for topic, entity in configs(listener).items()
        }
        assert (values["area_1"], values["area_2"]) == ("0", "50.0")
        assert values["source"] == "ON"
    assert values["latency"] == "12.0"
    assert float(values["age"]) >= 0


def test_states_come_no_faster_than_asked_for(broker, listener):
    url = f"mqtt://127.0.0.1:{broker.port}/cam?every=3600"
    with open_sink(url, style_of()) as sink:
        for _ in range(200):
            write(sink, halves())
    soon(lambda: listener.on("cam/availability")[-1:] == ["offline"])
    assert len(listener.on("cam/state")) == 1


def test_the_classes_of_the_look_alone_get_sensors(broker, listener):
    url = f"mqtt://127.0.0.1:{broker.port}/cam"
    with open_sink(url, style_of(classes=("dog",))):
        soon(lambda: listener.on("cam/availability") == ["online"])
    areas = [topic for topic in configs(listener) if "/area_" in topic]
    assert areas == ["homeassistant/sensor/cam/area_2/config"]


def test_of_many_classes_those_found_get_sensors(broker, listener):
    labels = ("background", *(f"thing {i}" for i in range(1, 150)))
    url = f"mqtt://127.0.0.1:{broker.port}/cam"
    with open_sink(url, style_of(labels)) as sink:
        assert not [topic for topic in configs(listener) if "/area_" in topic]
        write(sink, halves())
        soon(lambda: "homeassistant/sensor/cam/area_2/config" in configs(listener))
    assert len([topic for topic in configs(listener) if "/area_" in topic]) == 1


CHILD = """
import sys, time
import numpy as np
from edgeseg.runtime import (
    Capture,
    Line,
    Manifest,
    Segmentation,
    Style,
    Watch,
    Zone,
    run_pipeline,
)
from edgeseg.runtime.output.open import open_sink
sink = open_sink(sys.argv[1], Style(Manifest(labels=("background", "cat"))))
frame, ids = np.zeros((4, 4, 3), np.uint8), np.ones((4, 4), np.uint8)
while True:
    sink.write(Capture(frame, "x", 0.0), Segmentation(ids, (), {}))
    time.sleep(0.05)
"""


def test_a_killed_run_is_offline(broker, listener):
    url = f"mqtt://127.0.0.1:{broker.port}/cam?every=0.1"
    child = subprocess.Popen([sys.executable, "-c", CHILD, url])
    try:
        soon(lambda: len(listener.on("cam/state")) > 2, seconds=30)
        soon(lambda: listener.on("cam/availability") == ["online"])
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    soon(lambda: listener.on("cam/availability") == ["online", "offline"])


def test_a_broker_that_goes_away_is_waited_for(broker, caplog):
    url = f"mqtt://127.0.0.1:{broker.port}/cam?every=0"
    with open_sink(url, style_of()) as sink:
        write(sink, halves())
        broker.stop()
        soon(lambda: "lost the MQTT broker" in caplog.text)
        for _ in range(50):
            write(sink, halves())
            sink.check()
        broker.start()
        soon(lambda: "again" in caplog.text, seconds=20)
        late = Listener(broker.port)
        # twice where the broker died before it had confirmed the first
        soon(lambda: set(late.on("cam/availability")) == {"online"})
        soon(lambda: len(configs(late)) == 7)
        write(sink, halves())
        soon(lambda: late.on("cam/state"))
        late.close()
    assert caplog.text.count("lost the MQTT broker") == 1


def test_a_broker_that_is_late_is_waited_for_and_told_once(tmp_path, caplog):
    broker = Mosquitto(tmp_path, "allow_anonymous true")
    broker.stop()
    url = f"mqtt://eve:s3cret@127.0.0.1:{broker.port}/cam?every=0"
    with open_sink(url, style_of()) as sink:
        for _ in range(50):
            write(sink, halves())
            sink.check()
        assert sink.state["connected"] is False
        assert "refused" in sink.state["error"]
        time.sleep(1.5)  # it is tried again after a second
        said = [r.getMessage() for r in caplog.records]
        place = f"127.0.0.1:{broker.port}"
        assert said == [f"waiting for the MQTT broker {place}: Connection refused"]
        broker.start()
        soon(lambda: sink.state["connected"], seconds=40)
        late = Listener(broker.port)
        soon(lambda: late.on("cam/availability") == ["online"])
        soon(lambda: len(configs(late)) == 7)
        write(sink, halves())
        soon(lambda: late.on("cam/state"))
        late.close()
        assert sink.state == {"connected": True, "reconnects": 0, "error": None}
    assert [r.getMessage() for r in caplog.records[1:]] == [
        f"connected to the MQTT broker {place}"
    ]
    broker.stop()


def test_a_run_goes_on_without_its_broker_and_shows_it(golden_model, tmp_path):
    pytest.importorskip("uvicorn", reason="needs the extra `web`")
    broker = Mosquitto(tmp_path, "allow_anonymous true")
    broker.stop()
    words = ["run", str(golden_model), "synthetic:160x120,live,fps=20"]
    words += ["-o", f"mqtt://eve:s3cret@127.0.0.1:{broker.port}/cam?every=0"]
    words += ["--web", "127.0.0.1:0"]
    program = "from edgeseg.runtime.cli import main; main()"
    run = subprocess.Popen(
        [sys.executable, "-c", program, *words], stderr=subprocess.PIPE, text=True
    )
    try:
        lines = [run.stderr.readline() for _ in range(3)]  # the first: of the password
        assert "waiting for the MQTT broker" in lines[1]
        page = lines[2].split()[-1]

        def ask(path):
            with urllib.request.urlopen(page + path, timeout=10) as answer:
                return answer.read().decode()

        soon(lambda: json.loads(ask("api/state"))["readings"]["frames"] > 5)
        outputs = json.loads(ask("api/state"))["outputs"]
        (output,) = [one for one in outputs if one["name"].startswith("mqtt:")]
        assert output["connected"] is False
        assert "s3cret" not in output["name"]
        shown = f'edgeseg_output_connected{{output="{output["name"]}"}}'
        assert f"{shown} 0.0" in ask("metrics")
        broker.start()
        soon(lambda: f"{shown} 1.0" in ask("metrics"), seconds=40)
        late = Listener(broker.port)
        soon(lambda: late.on("cam/availability") == ["online"])
        soon(lambda: late.on("cam/state"))
        late.close()
    finally:
        run.terminate()
        said = run.communicate()[1]
        broker.stop()
    assert run.returncode == 143
    assert "Traceback" not in said
    assert "s3cret" not in said


def test_a_wrong_password_is_one_line_without_it(tmp_path):
    keeper = shutil.which("mosquitto_passwd")
    if keeper is None:
        pytest.skip("needs the program mosquitto_passwd: not there")
    users = tmp_path / "users"
    subprocess.run([keeper, "-c", "-b", users, "eve", "right@1"], check=True)
    users.chmod(0o644)
    tmp_path.chmod(0o755)
    allowed = ("allow_anonymous false", f"password_file {users}", "user root")
    broker = Mosquitto(tmp_path, *allowed)
    try:
        place = f"127.0.0.1:{broker.port}/cam"
        with pytest.raises(InputError, match="refuses") as caught:
            open_sink(f"mqtt://eve:wrong@{place}", style_of())
        assert "wrong" not in str(caught.value)
        open_sink(f"mqtt://eve:right%401@{place}", style_of()).close()
    finally:
        broker.stop()


# paho leaves the socket of a failed handshake to the garbage collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_tls_to_a_broker_without_it_is_waited_for_with_a_hint(broker, caplog):
    with open_sink(f"mqtts://127.0.0.1:{broker.port}/cam", style_of()):
        assert "is TLS spoken at that port?" in caplog.text
    gc.collect()


@pytest.fixture
def certificate(tmp_path):
    """A certificate that a broker on this machine signs for itself, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the program openssl: not there")
    paths = tmp_path / "cert.pem", tmp_path / "key.pem"
    name = ("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1")
    out = ("-out", paths[0], "-keyout", paths[1])
    command = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes")
    subprocess.run([*command, *name, *out], check=True, capture_output=True)
    return paths


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_tls_trusts_what_the_system_trusts(certificate, tmp_path, monkeypatch):
    lines = (f"certfile {certificate[0]}", f"keyfile {certificate[1]}", "user root")
    broker = Mosquitto(tmp_path, "allow_anonymous true", *lines)
    url = f"mqtts://127.0.0.1:{broker.port}/cam"
    try:
        with pytest.raises(InputError, match=r"no MQTT broker answers .* by TLS"):
            open_sink(url, style_of())
        gc.collect()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        open_sink(url, style_of()).close()
    finally:
        broker.stop()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_private_authority_is_named_in_the_address(certificate, tmp_path):
    lines = (f"certfile {certificate[0]}", f"keyfile {certificate[1]}", "user root")
    broker = Mosquitto(tmp_path, "allow_anonymous true", *lines)
    url = f"mqtts://127.0.0.1:{broker.port}/cam"
    other = tmp_path / "other.pem"
    other.write_text("no certificate\n")
    try:
        with pytest.raises(InputError, match="cafile=FILE names") as caught:
            open_sink(url, style_of())
        assert len(str(caught.value).splitlines()) == 1
        with open_sink(f"{url}?cafile={certificate[0]}", style_of()) as sink:
            assert sink.state["connected"] is True
        for path, words in (
            (other, "expected certificates in PEM"),
            (tmp_path / "missing.pem", "No such file"),
            (tmp_path, "cafile"),
        ):
            with pytest.raises(InputError, match=words):
                open_sink(f"{url}?cafile={path}", style_of())
        with pytest.raises(InputError, match="expected mqtts://"):
            open_sink(f"mqtt://127.0.0.1:1/cam?cafile={certificate[0]}", style_of())
    finally:
        broker.stop()
    gc.collect()


def test_a_prefix_that_may_not_be_written_is_told_once(tmp_path, caplog):
    rights = tmp_path / "rights"
    rights.write_text("topic readwrite cam/#\ntopic read #\n")
    rights.chmod(0o644)
    tmp_path.chmod(0o755)
    broker = Mosquitto(
        tmp_path, "allow_anonymous true", f"acl_file {rights}", "user root"
    )
    try:
        listener = Listener(broker.port)
        url = f"mqtt://127.0.0.1:{broker.port}/cam?every=0"
        with open_sink(url, style_of()) as sink:
            soon(lambda: "Home Assistant finds no device" in caplog.text)
            write(sink, halves())
            soon(lambda: listener.on("cam/state"))
            soon(lambda: "homeassistant" in str(sink.state["error"]))
        listener.close()
        assert not configs(listener)
    finally:
        broker.stop()
    (said,) = caplog.records
    assert "homeassistant/#" in said.getMessage()


class Old(threading.Thread):
    """In front of a broker, a door that lets no MQTT 5 in: an older broker."""

    def __init__(self, port, answer):
        super().__init__(daemon=True)
        self._behind, self._answer = port, answer
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            first = client.recv(4096)
            level = first[first.index(b"MQTT") + 4]
            if level > 4:
                client.sendall(self._answer)
                client.close()
                continue
            behind = socket.create_connection(("127.0.0.1", self._behind))
            behind.sendall(first)
            for one, other in ((client, behind), (behind, client)):
                threading.Thread(target=pass_on, args=(one, other)).start()

    def close(self):
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


def pass_on(one, other):
    with contextlib.suppress(OSError):
        while piece := one.recv(4096):
            other.sendall(piece)
        other.shutdown(socket.SHUT_RDWR)
    one.close()


@pytest.mark.parametrize("answer", [b"\x20\x02\x00\x01", b""])
def test_an_older_broker_is_spoken_to_in_its_version(broker, listener, answer, caplog):
    old = Old(broker.port, answer)
    with open_sink(f"mqtt://127.0.0.1:{old.port}/cam", style_of()) as sink:
        soon(lambda: sink.state["connected"])
        soon(lambda: len(configs(listener)) == 7)
    soon(lambda: listener.on("cam/availability") == ["online", "offline"])
    old.close()
    assert not caplog.text


@pytest.mark.parametrize(
    ("rest", "words"),
    [
        ("//", "expected an address such as"),
        ("//host:99999", "expected an address such as"),
        ("//broker..local", "expected an address such as"),
        (f"//{'b' * 64}.local", "expected an address such as"),
        ("//host?evry=1", "unknown option 'evry'"),
        ("//host?every=soon", "expected seconds"),
        ("//host/a%23", "cannot hold"),
    ],
)
def test_an_address_that_is_none_is_one_line(rest, words):
    with pytest.raises(InputError, match=words):
        open_sink(f"mqtt:{rest}", style_of())


LONG = "t" * 65_536


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (f"mqtt://127.0.0.1:1/{LONG}", "the topic has 65549 bytes"),
        (f"mqtt://127.0.0.1:1/{'t' * 65_500}", "the topic has"),
        (f"mqtt://127.0.0.1:1/{'ü' * 32_767}", "the topic has"),
        (f"mqtt://127.0.0.1:1/cam?discovery={LONG}", "the topic has"),
        (f"mqtt://{LONG}:x@127.0.0.1:1/cam", "the user has 65536 bytes"),
        (f"mqtt://x:{LONG}@127.0.0.1:1/cam", "the password has 65536 bytes"),
        ("mqtt://127.0.0.1:1/a%00b", "a zero byte"),
        ("mqtt://x:y@127.0.0.1:1/cam?password_file=z", "a user without a password"),
        ("mqtt://127.0.0.1:1/cam?password_file=z", "a user without a password"),
    ],
)
def test_what_mqtt_cannot_send_is_refused_before_it_is_sent(address, words):
    with pytest.raises(InputError, match=words):
        open_sink(address, style_of())


@pytest.fixture
def keyed_broker(tmp_path):
    """A broker that lets in the user eve alone; her password is "right"."""
    keeper = shutil.which("mosquitto_passwd")
    if keeper is None:
        pytest.skip("needs the program mosquitto_passwd: not there")
    users = tmp_path / "users"
    subprocess.run([keeper, "-c", "-b", users, "eve", "right"], check=True)
    users.chmod(0o644)
    tmp_path.chmod(0o755)
    running = Mosquitto(
        tmp_path, "allow_anonymous false", f"password_file {users}", "user root"
    )
    yield running
    running.stop()


def test_the_password_comes_from_a_file_or_the_environment(
    keyed_broker, tmp_path, monkeypatch, caplog
):
    url = f"mqtt://eve@127.0.0.1:{keyed_broker.port}/cam"
    with pytest.raises(InputError, match="refuses"):
        open_sink(url, style_of())
    secret = tmp_path / "secret"
    secret.write_text("right\nnot this\n")
    secret.chmod(0o600)
    open_sink(f"{url}?password_file={secret}", style_of()).close()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    open_sink(f"{url}?password_file=secret", style_of()).close()
    assert not caplog.text
    secret.chmod(0o644)
    open_sink(f"{url}?password_file={secret}", style_of()).close()
    assert f"chmod 600 {secret}" in caplog.text
    monkeypatch.setenv("EDGESEG_MQTT_PASSWORD", "right")
    open_sink(url, style_of()).close()


def make_empty(path):
    path.touch(0o600)


def make_writable(path):
    path.write_text("secret")
    path.chmod(0o666)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (os.mkfifo, "is a named pipe, expected a file"),
        (lambda path: path.mkdir(), "Is a directory"),
        (make_empty, "in the first line"),
        (lambda path: path.write_bytes(b"x" * 5000), "in the first line"),
        (lambda path: path.write_bytes(b"\xff\xfe\n"), "UTF-8"),
        (make_writable, "every user of this machine may change"),
        (lambda path: None, "No such file"),
    ],
)
def test_a_password_file_that_is_no_use_is_one_line(make, words, tmp_path):
    make(tmp_path / "secret")
    url = f"mqtt://eve@127.0.0.1:1/cam?password_file={tmp_path / 'secret'}"
    with pytest.raises(InputError, match=words) as caught:
        open_sink(url, style_of())
    assert "\n" not in str(caught.value)


# home-assistant.io/integrations/event.mqtt
EVENT_KEYS = {
    *("availability", "availability_mode", "availability_template"),
    *("availability_topic", "default_entity_id", "device", "device_class"),
    *("enabled_by_default", "encoding", "entity_category", "entity_picture"),
    *("event_types", "icon", "json_attributes_template", "json_attributes_topic"),
    *("name", "object_id", "origin", "payload_available", "payload_not_available"),
    *("platform", "qos", "state_topic", "unique_id", "value_template"),
}
WALK = Glider(
    1, (30, 80), ((0, 500, 240), (4, 100, 240), (6, 100, 240), (10, 500, 240))
)


@pytest.fixture
def walked(broker, listener):
    """A person comes into the zone "Bob's door" and leaves; what was published."""
    labels = ("background", "person", "dog")
    door = Zone("Bob's door", ((0, 0), (0.5, 0), (0.5, 1), (0, 1)), ("person",))
    gate = Line("gate", ((400, 0), (400, 480)))
    style = Style(Manifest(labels=labels), zones=(door,), lines=(gate,))
    sink = open_sink(f"mqtt://127.0.0.1:{broker.port}/walk?every=0", style)
    source = Gliding((WALK,), 10, 12)
    watch = Watch(style.manifest, style.zones, style.lines)
    run_pipeline(source, exact_segmenter(), [sink], watch=watch)
    # said last: all events and states were heard before
    soon(lambda: listener.on("walk/availability")[-1:] == ["offline"], seconds=60)
    return listener


def test_events_are_published_when_they_happen(walked):
    events = [json.loads(text) for text in walked.on("walk/event")]
    assert [event["event_type"] for event in events] == [
        *("cross", "enter", "count", "cross", "leave", "count")
    ]
    assert [events[i]["direction"] for i in (0, 3)] == ["in", "out"]
    assert events[4]["seconds"] == pytest.approx(6.4, abs=0.3)


def entity(listener, component, name):
    prefix = f"homeassistant/{component}/walk/"
    found = [
        json.loads(message.payload)
        for message in listener.heard
        if message.topic.startswith(prefix) and name in message.payload.decode()
    ]
    return found[0]


def test_home_assistant_gets_presence_counts_lines_and_events(walked):
    jinja2 = pytest.importorskip("jinja2", reason="needs Home Assistant's templates")
    states = [json.loads(text) for text in walked.on("walk/state")]

    def values(entity):
        template = jinja2.Template(entity["value_template"])
        shown = [template.render(value_json=state) for state in states]
        return [v for v, last in zip(shown, [None, *shown], strict=False) if v != last]

    presence = entity(walked, "binary_sensor", "person in Bob's door")
    assert values(presence) == ["OFF", "ON", "OFF"]
    assert presence["device_class"] == "occupancy"
    assert not presence.keys() - BINARY_KEYS
    count = entity(walked, "sensor", "person count in Bob's door")
    assert values(count) == ["0", "1", "0"]
    assert not count.keys() - SENSOR_KEYS
    assert values(entity(walked, "sensor", "gate in")) == ["0", "1"]
    assert values(entity(walked, "sensor", "gate out")) == ["0", "1"]
    event = entity(walked, "event", "Event")
    assert not event.keys() - EVENT_KEYS
    kinds = {json.loads(text)["event_type"] for text in walked.on("walk/event")}
    assert kinds <= set(event["event_types"])
    assert event["state_topic"] == "walk/event"
    ids = [
        json.loads(m.payload)["unique_id"]
        for m in walked.heard
        if "/config" in m.topic and m.payload
    ]
    assert len(ids) == len(set(ids))
