from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("uvicorn", reason="needs the extra `web`")

from edgeseg.devices import InputError, OutputError
from edgeseg.runtime import Manifest, Style
from edgeseg.runtime.output.open import open_sink
from edgeseg.runtime.web import WebAddress


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("", "127.0.0.1", 8080),
        (":0", "127.0.0.1", 0),
        ("9000", "127.0.0.1", 9000),
        ("localhost", "localhost", 8080),
        ("[::1]:81", "::1", 81),
        ("127.0.0.1:8081?fps=30", "127.0.0.1", 8081),
    ],
)
def test_every_part_may_be_left_out(text, host, port):
    address = WebAddress.from_text(text, {})
    assert (address.host, address.port, address.is_loopback) == (host, port, True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (":99999", "expected HOST:PORT"),
        ("a:b:c", "expected HOST:PORT"),
        ("host/path", "expected HOST:PORT"),
        ("?fsp=3", "unknown option 'fsp'"),
        ("?fps=0", "expected fps=1..60"),
        ("?streams=many", "expected streams=1..64"),
        ("?token=short", "8 or more"),
        ("0.0.0.0:8080", "EDGESEG_TOKEN"),
        ("board.local", "a token is needed"),
        ("[::]:80", "a token is needed"),
    ],
)
def test_a_wrong_address_is_named(text, words):
    with pytest.raises(InputError, match=words):
        WebAddress.from_text(text, {})


def test_the_token_comes_from_the_text_or_the_environment_and_is_not_shown():
    environ = {"EDGESEG_TOKEN": "from-the-environment"}
    assert WebAddress.from_text("0.0.0.0", environ).token == "from-the-environment"
    address = WebAddress.from_text("0.0.0.0?token=from%20text", environ)
    assert address.token == "from text"
    assert "from text" not in repr(address)


def words_of(caplog):
    return [record.getMessage() for record in caplog.records]


def test_a_port_in_use_is_waited_for_and_said_once(caplog, until):
    style = Style(Manifest(labels=("background", "bright")))
    with open_sink("web:127.0.0.1:0", style) as sink:
        place = sink.url.removeprefix("http://").rstrip("/")
        late = open_sink(f"web:{place}", style)
        assert late.url is None
        assert late.state["connected"] is False
        assert "in use; another port can be chosen" in late.state["error"]
        assert len(words_of(caplog)) == 1
        late.check()
        open_sink(f"web:{place}", style).close()  # one that never gets it ends too
    until(lambda: late.url == f"http://{place}/")
    state = {"connected": True, "reconnects": 0, "error": None, "url": late.url}
    assert late.state == state
    assert words_of(caplog)[0].startswith(f"waiting for the page's address {late.url}")
    assert words_of(caplog)[-1] == f"listening at the page's address {late.url}"
    late.close()
    open_sink(f"web:{place}", style).close()  # it is free again at once


def test_an_address_of_no_network_yet_is_waited_for():
    style = Style(Manifest(labels=("background", "bright")))
    with open_sink("web:192.0.2.1:0?token=12345678", style) as sink:
        assert sink.state["connected"] is False


def test_a_port_without_rights_is_an_error_at_once():
    limit = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    if not limit.exists() or int(limit.read_text()) <= 80:
        pytest.skip("needs a system that keeps port 80 from users")
    code = (
        "import os, sys\n"
        "from edgeseg.runtime import Manifest, Style\n"
        "from edgeseg.runtime.output.open import open_sink\n"
        "style = Style(Manifest(labels=('background', 'bright')))\n"
        "open_sink('web:127.0.0.1:0', style).close()  # all is imported now\n"
        "if os.geteuid() == 0: os.setuid(65534)\n"
        "try: open_sink('web:127.0.0.1:80', style)\n"
        "except OSError as error: sys.exit(str(error))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 1
    assert "web: cannot listen on http://127.0.0.1:80/: Permission denied" in run.stderr
    assert len(run.stderr.splitlines()) == 1


def test_a_name_that_is_none_of_this_machine_is_an_error_at_once():
    style = Style(Manifest(labels=("background", "bright")))
    with pytest.raises(OutputError, match="cannot listen on") as caught:
        open_sink("web:a..b:0?token=12345678", style)
    assert "\n" not in str(caught.value)
