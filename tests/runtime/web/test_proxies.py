"""What a proxy says is believed of those that are named, and of nobody else."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("uvicorn", reason="needs the extra `web`")

from edgeseg.devices import InputError
from edgeseg.runtime.web import WebAddress
from edgeseg.runtime.web.proxies import Forwarded, Proxies

TOKEN = "token-behind-a-proxy"
SHOWN = {"authorization": f"Bearer {TOKEN}"}
ELSEWHERE = {"host": "door.example", "x_forwarded_proto": "https"}


@pytest.fixture(scope="module")
def behind(golden_model, until):
    from tests.runtime.web.conftest import Live

    text = f"web:127.0.0.1:0?token={TOKEN}&proxies=127.0.0.1,10.0.0.0/8"
    running = Live(golden_model, text)
    until(lambda: running.meter.read().frames > 0)
    yield running
    running.close()


def change(run, **headers):
    headers = {**SHOWN, "content_type": "application/json", **headers}
    return run.ask("/api/look", "POST", "{}", **headers)[0].status


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("198.51.100.1, 192.0.2.7, 10.1.1.1", "192.0.2.7"),  # the first may be made up
        ("10.1.1.1", "10.1.1.1"),
        ("", "127.0.0.1"),
        ("nonsense", "127.0.0.1"),
        ("192.0.2.7, nonsense, 10.1.1.1", "10.1.1.1"),
    ],
)
def test_the_client_is_the_last_that_is_no_proxy(chain, client):
    proxies = Proxies.from_text("127.0.0.1,10.0.0.0/8")
    told = Forwarded.of("127.0.0.1", {"x-forwarded-for": chain}, proxies)
    assert told.client == client


def test_nobody_else_is_believed():
    headers = {
        "host": "127.0.0.1:8080",
        "x-forwarded-for": "192.0.2.7",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "door.example",
        "x-forwarded-prefix": "/door",
    }
    told = Forwarded.of("192.0.2.1", headers, Proxies.from_text("127.0.0.1"))
    assert told == Forwarded("192.0.2.1", host="127.0.0.1:8080")
    told = Forwarded.of("::ffff:127.0.0.1", headers, Proxies.from_text("127.0.0.1"))
    assert told == Forwarded(
        "192.0.2.7", by_proxy=True, is_https=True, host="door.example", prefix="/door"
    )


@pytest.mark.parametrize("prefix", ["door", "/door?x", "/a b", "//evil", "/<script>"])
def test_a_prefix_that_is_no_path_is_left_out(prefix):
    headers = {"x-forwarded-prefix": prefix}
    assert Forwarded.of("::1", headers, Proxies.from_text("::1")).prefix == ""


@pytest.mark.parametrize("host", ["door.example", "upstream", "", "door.example:8443"])
def test_behind_a_proxy_every_host_name_is_taken(behind, host):
    assert behind.ask("/api/state", host=host, **SHOWN)[0].status == 200
    assert behind.ask("/api/state", host=host)[0].status == 401


def test_without_one_a_foreign_name_is_refused_with_a_hint(live):
    answer, content = live.ask("/", x_forwarded_host="localhost", host="door.example")
    assert answer.status == 421
    assert "proxies=" in json.loads(content)["error"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "upstream", "origin": "https://door.example"}, 200),
        ({"host": "upstream", "origin": "http://door.example:8443"}, 200),
        (
            {
                "x_forwarded_host": "door.example",
                "origin": "https://door.example:8443",
            },
            200,
        ),
        ({"x_forwarded_host": "door.example", "origin": "https://evil.example"}, 403),
        ({"x_forwarded_host": "door.example", "origin": "null"}, 403),
        ({"host": "upstream", "origin": "null", "content_type": "text/plain"}, 403),
        ({"host": "upstream", "sec_fetch_site": "cross-site"}, 403),
    ],
)
def test_changes_are_taken_from_the_page_behind_a_proxy(behind, headers, status):
    assert change(behind, **headers) == status


@pytest.mark.parametrize("proto", ["https", "http", ""])
def test_the_cookie_is_secure_where_the_client_speaks_https(behind, proto):
    answer, _ = behind.ask(f"/?token={TOKEN}", x_forwarded_proto=proto)
    assert answer.status == 303
    assert ("Secure" in answer.getheader("set-cookie")) is (proto == "https")


@pytest.mark.parametrize("header", ["x_forwarded_prefix", "x_ingress_path"])
def test_a_prefix_of_the_proxys_is_taken_off_where_it_is_still_there(behind, header):
    told = {header: "/api/hassio_ingress/abc", **SHOWN}
    for path in ("/api/hassio_ingress/abc/api/state", "/api/state"):
        assert behind.ask(path, **told)[0].status == 200
    assert behind.ask("/api/hassio_ingress/other/api/state", **told)[0].status == 404


def test_the_log_names_the_client_and_not_the_proxy(behind, caplog):
    behind.ask("/?token=a-wrong-guess", x_forwarded_for="192.0.2.7")
    assert "web: a wrong token came from 192.0.2.7" in caplog.text


def test_a_root_path_is_taken_off_and_the_page_gets_its_slash(start):
    run = start("web:127.0.0.1:0?root_path=/my/door")
    for path in ("/my/door/", "/my/door/api/state", "/", "/api/state", "/metrics"):
        assert run.ask(path)[0].status == 200, path
    answer, _ = run.ask("/my/door?a=b")
    assert (answer.status, answer.getheader("location")) == (307, "door/?a=b")
    for path in ("/my/doors/", "/my/", "/door/"):
        assert run.ask(path)[0].status == 404


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("?proxies=door.example&token=12345678", "expected addresses or networks"),
        ("?proxies=10.0.0.1/8&token=12345678", "expected addresses or networks"),
        ("?proxies=127.0.0.1", "others reach the page through a proxy, so a token"),
        ("?proxies_only=yes", "expected proxies=ADDRESS too"),
        ("?proxies=10.0.0.2&proxies_only=maybe", "proxies_only=yes or no"),
        ("0.0.0.0?proxies=10.0.0.2", "a token is needed"),
        ("0.0.0.0?proxies=10.0.0.2,::/0&proxies_only=yes", "a token is needed"),
        ("?root_path=door", "expected root_path=/PATH"),
        ("?root_path=//evil.example", "expected root_path=/PATH"),
        ("?root_path=/a/../b", "expected root_path=/PATH"),
        ("?token=12345678&view_token=12345678", "different tokens"),
        ("?view_token=short", "view_token: expected 8"),
    ],
)
def test_what_is_wrong_is_named(text, words):
    with pytest.raises(InputError, match=words):
        WebAddress.from_text(text, {})


def test_where_only_a_proxy_is_answered_it_says_who_may_ask(start):
    run = start("web:127.0.0.1:0?proxies=172.30.32.2&proxies_only=yes")
    answer, content = run.ask("/api/state", x_forwarded_for="172.30.32.2")
    assert answer.status == 403
    assert "proxies only" in json.loads(content)["error"]
    address = WebAddress.from_text("0.0.0.0?proxies=172.30.32.2&proxies_only=yes", {})
    assert address.token is None
