from __future__ import annotations

import io
import json
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

from edgeseg.runtime.pipeline.meter import Readings
from edgeseg.runtime.web.metrics import metrics_text

JSON = {"content_type": "application/json"}


@pytest.fixture(scope="module")
def openapi(live):
    return json.loads(live.ask("/openapi.json")[1])


def check(openapi, name, value):
    jsonschema = pytest.importorskip("jsonschema")
    schema = {"$ref": f"#/components/schemas/{name}", **openapi}
    jsonschema.Draft202012Validator(schema).validate(value)


def test_every_described_path_answers_as_described(live, openapi):
    for path, methods in openapi["paths"].items():
        if path == "/stream.mjpg":
            continue  # never ends: has tests of its own
        for method, described in methods.items():
            body = "{}" if method == "post" else None
            answer, content = live.ask(path, method.upper(), body, **JSON)
            told = described["responses"][str(answer.status)]["content"]
            kind = answer.getheader("content-type").partition(";")[0]
            assert list(told) == [kind], path
            if "$ref" in told[kind]["schema"]:
                name = told[kind]["schema"]["$ref"].rpartition("/")[2]
                check(openapi, name, json.loads(content))


def test_every_route_is_described(live, openapi):
    from edgeseg.runtime.web.app import make_app

    app = make_app(_Anything(), _Anything(), None)
    assert {route.path for route in app.routes} == set(openapi["paths"])


class _Anything:
    def __getattr__(self, name):
        async def answer(request):
            return None

        return answer

    async def __call__(self, scope, receive, send):
        return None


def test_the_page_loads_nothing_from_elsewhere(live):
    answer, content = live.ask("/")
    policy = answer.getheader("content-security-policy")
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert b"http://" not in content
    assert b"https://" not in content
    assert answer.getheader("x-content-type-options") == "nosniff"
    assert answer.getheader("access-control-allow-origin") is None


@pytest.mark.parametrize("path", ["/", "/snapshot.jpg", "/api/state", "/stream.mjpg"])
def test_head_tells_what_get_would(live, path):
    answer, content = live.ask(path, "HEAD")
    assert (answer.status, content) == (200, b"")
    assert answer.getheader("content-type")


def test_other_paths_and_methods_are_refused_in_json(live):
    for path, method, status in (("/no/such", "GET", 404), ("/", "DELETE", 405)):
        answer, content = live.ask(path, method)
        assert answer.status == status
        assert json.loads(content)["error"]


def test_the_mask_has_the_newest_ids_in_the_classes_colours(live, until):
    live.goes.clear()
    until(lambda: live.meter.read().last_frame_s > 0.3)
    image = Image.open(io.BytesIO(live.ask("/mask.png")[1]))
    assert image.mode == "P"
    np.testing.assert_array_equal(np.array(image), live.last.ids)
    colours = [label["colour"] for label in live.state()["labels"]]
    shown = bytes(image.getpalette()[: 3 * len(colours)]).hex()
    assert shown == "".join(colours).replace("#", "")
    live.goes.set()


def test_health_follows_the_frames(live, until):
    assert live.ask("/healthz")[0].status == 200
    live.goes.clear()
    until(lambda: live.ask("/healthz")[0].status == 503)
    assert json.loads(live.ask("/healthz")[1])["status"] == "no frames"
    live.goes.set()
    until(lambda: live.ask("/healthz")[0].status == 200)


def test_a_pause_is_no_fault(live, until):
    live.meter.watch(live.source, live.style.controls)
    live.style.controls.paused = True
    live.goes.clear()
    until(lambda: (live.meter.read().last_frame_s or 0) > 1.2)
    answer, content = live.ask("/healthz")
    assert (answer.status, json.loads(content)["status"]) == (200, "paused")
    live.style.controls.paused = False
    assert live.ask("/healthz")[0].status == 503
    live.goes.set()


def picture(live):
    return np.array(Image.open(io.BytesIO(live.ask("/snapshot.jpg")[1])))


def test_a_change_of_look_acts_at_once_on_a_still_frame(live, until):
    live.goes.clear()
    until(lambda: live.meter.read().last_frame_s > 0.3)
    assert live.change(effect="mask", alpha=0.5)[0] == 200
    colours = {tuple(value) for value in picture(live).reshape(-1, 3) // 64}
    assert (0, 0, 0) in colours
    assert live.change(effect="overlay", alpha=0)[0] == 200
    plain = picture(live)
    status, look = live.change(alpha=1.0, classes=["disc"], contours=True)
    assert (status, look["classes"], look["contours"]) == (200, ["disc"], True)
    assert live.state()["look"] == look
    assert np.abs(picture(live).astype(int) - plain).max() > 60
    assert live.change(alpha=0.5, classes=[], contours=False)[0] == 200
    live.goes.set()


@pytest.mark.parametrize(
    ("look", "words"),
    [
        ({"efect": "mask"}, "efect"),
        ({"alpha": "strong"}, "alpha"),
        ({"alpha": 2}, "alpha"),
        ({"alpha": True}, "alpha"),
        ({"classes": "disc"}, "classes"),
        ({"classes": ["unicorn"]}, "unicorn"),
        ({"contours": 1}, "contours"),
        ({"effect": "sparkle"}, "sparkle"),
        ({"effect": "blur:0"}, "blur"),
        ({"effect": "picture:/etc/hostname"}, "command line only"),
        ({"effect": None}, "effect"),
    ],
)
def test_a_wrong_look_is_named_and_changes_nothing(live, look, words):
    before = live.state()["look"]
    status, told = live.change(**look)
    assert status == 422
    assert words in told["error"]
    assert live.state()["look"] == before


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        ("{}", {"content_type": "text/plain"}, 415),
        ("{}", {}, 415),
        ("[]", JSON, 422),
        ("{", JSON, 422),
        ("[" * 9000, JSON, 422),
        (" " * 17000, JSON, 413),
        ("{}", {**JSON, "origin": "http://evil.example"}, 403),
        ("{}", {**JSON, "origin": "null"}, 403),
        ("{}", {**JSON, "origin": "http://["}, 403),
        ("{}", {**JSON, "sec_fetch_site": "cross-site"}, 403),
        ("{}", {**JSON, "host": "evil.example"}, 421),
    ],
)
def test_what_another_site_could_send_is_refused(live, body, headers, status):
    answer, content = live.ask("/api/look", "POST", body, **headers)
    assert answer.status == status
    assert json.loads(content)["error"]


def test_an_answer_to_a_long_key_stays_short(live):
    status, told = live.change(**{'{"a":' * 500: 1})
    assert status == 422
    assert told["error"].startswith("unknown key")
    assert len(told["error"]) <= 300


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "[", ""])
def test_a_foreign_host_name_is_refused(live, host):
    assert live.ask("/api/state", host=host)[0].status == 421


@pytest.mark.parametrize("host", ["localhost:9000", "127.0.0.1", "[::1]:80"])
def test_names_of_this_machine_are_taken(live, host):
    assert live.ask("/api/state", host=host)[0].status == 200


def test_the_metrics_are_read_by_prometheus(live):
    parser = pytest.importorskip("prometheus_client.parser")
    answer, content = live.ask("/metrics")
    assert answer.getheader("content-type").startswith("text/plain; version=0.0.4")
    families = parser.text_string_to_metric_families(content.decode())
    found = {family.name: family for family in families}
    assert found["edgeseg_frames"].type == "counter"
    shares = found["edgeseg_class_share"].samples
    assert sum(sample.value for sample in shares) == pytest.approx(1)
    for name in ("edgeseg_latency_seconds", "edgeseg_frame_age_seconds"):
        assert found[name].type == "summary"
        samples = {
            (s.name, s.labels.get("quantile")): s.value for s in found[name].samples
        }
        assert {quantile for _, quantile in samples} == {"0.5", "0.9", None}
        mean = samples[f"{name}_sum", None] / samples[f"{name}_count", None]
        assert 0 < mean < 10


def test_promtool_has_nothing_to_say_of_the_metrics(live):
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("needs the program promtool (Debian: prometheus)")
    _, content = live.ask("/metrics")
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=content, capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout + checked.stderr == b""


def test_a_class_that_is_not_in_the_frame_reads_zero():
    parser = pytest.importorskip("prometheus_client.parser")
    text = metrics_text(
        Readings(shares={1: 1.0}),
        "abcd".__getitem__,
        range(3),
        version="1",
        temperature_c=None,
        streams=0,
        connections=0,
    )
    families = parser.text_string_to_metric_families(text)
    found = {family.name: family for family in families}
    shares = {s.labels["name"]: s.value for s in found["edgeseg_class_share"].samples}
    assert shares == {"a": 0.0, "b": 1.0, "c": 0.0}


def test_odd_class_names_are_escaped():
    parser = pytest.importorskip("prometheus_client.parser")
    name = 'a "b" \\n c\nd'
    text = metrics_text(
        Readings(shares={3: 1.0}),
        lambda class_id: name,
        (),
        version="1",
        temperature_c=None,
        streams=0,
        connections=0,
    )
    families = parser.text_string_to_metric_families(text)
    found = {family.name: family for family in families}
    assert found["edgeseg_class_share"].samples[0].labels["name"] == name
    assert "edgeseg_temperature_celsius" not in found
