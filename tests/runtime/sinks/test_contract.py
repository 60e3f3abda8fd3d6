"""Every sink keeps the contract; one that is not in the table fails here."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from edgeseg.runtime import Manifest, Style, Zone, open_sink
from edgeseg.runtime.address import Rest
from edgeseg.runtime.gstreamer import has_elements
from edgeseg.runtime.output.contract import check_sink
from edgeseg.runtime.output.open import SINK_ADDRESSES, SINKS
from edgeseg.runtime.sinks.null import NullSink

CORNER = Zone("corner", ((0, 0), (1, 0), (0, 1)))
STYLE = Style(Manifest(labels=("background", "bright")), zones=(CORNER,))


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def stream(text, *elements):
    def opened(folder):
        if not has_elements(*elements):
            pytest.skip(f"needs GStreamer with {', '.join(elements)}: not there")
        return text.replace("PORT", str(free_port()))

    return opened


def shared(folder):
    if not Path("/dev/shm").is_dir():
        pytest.skip("needs /dev/shm")
    return f"shared:contract-{os.getpid()}"


def web(folder):
    pytest.importorskip("uvicorn", reason="needs the extra `web`")
    return "web:127.0.0.1:0"


def elsewhere(reason):
    return lambda folder: pytest.skip(reason)


# how each is opened here, or why not; a sink of plain files needs no row
HOW = {
    "command": lambda folder: "command:cat",
    "mqtt": elsewhere("needs a broker: test_mqtt.py starts one"),
    "null": lambda folder: "null:overlay",
    "rtp": stream("rtp://127.0.0.1:PORT", "x264enc", "rtph264pay"),
    "rtsp": elsewhere("needs a server that records: test_streaming.py starts one"),
    "shared": shared,
    "web": web,
    "webhook": lambda folder: "webhook:http://127.0.0.1:9/hook",
    "window": stream("window:fakesink", "fakesink"),
}


def opened(name, folder):
    if name in HOW:
        return HOW[name](folder)
    kind = SINK_ADDRESSES.named(f"{name}:a").kind
    if kind.rest in (Rest.FILE, Rest.FOLDER, Rest.FILE_OR_FOLDER):
        suffix = kind.bare[0] if kind.rest is Rest.FILE and kind.bare else ""
        return f"{name}:{folder / f'out{suffix}'}"
    pytest.fail(f"add a row for {name!r} to HOW in {__file__}: how it is opened here")


@pytest.mark.parametrize("name", SINKS.names())
def test_every_sink_keeps_the_contract(name, tmp_path, leaves_nothing):
    check_sink(open_sink(opened(name, tmp_path), STYLE))
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("name", SINKS.names())
def test_a_sink_of_folders_says_what_it_writes_there(name):
    """A board's other files are not brought back."""
    address = SINK_ADDRESSES.named(f"{name}:a")
    assert address.kind.inside or not address.is_folder


class Careless(NullSink):
    def write(self, capture, segmentation):
        capture.frame[0] = 255


class Hasty(NullSink):
    def has(self, name):
        return True


@pytest.mark.parametrize(
    ("sink", "words"), [(Careless, "changed the frame"), (Hasty, "before write")]
)
def test_a_broken_contract_is_seen(sink, words):
    with pytest.raises(AssertionError, match=words):
        check_sink(sink("", STYLE))
