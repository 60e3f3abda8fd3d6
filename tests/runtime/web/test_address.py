from __future__ import annotations

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


def test_a_port_in_use_is_one_line_at_once():
    style = Style(Manifest(labels=("background", "bright")))
    with open_sink("web:127.0.0.1:0", style) as sink:
        place = sink.url.removeprefix("http://").rstrip("/")
        with pytest.raises(OutputError, match="in use; choose another port") as caught:
            open_sink(f"web:{place}", style)
    assert "\n" not in str(caught.value)
    open_sink(f"web:{place}", style).close()  # it is free again at once
