"""Fetching from a real server on this machine, whole, cut, exchanged and absent."""

from __future__ import annotations

import dataclasses
import hashlib
import http.server
import json
import re
import threading

import pytest
from click.testing import CliRunner

from edgeseg.converter.commands.fetch import fetch as command
from edgeseg.converter.fetch import fetch, find_release
from edgeseg.devices import EdgesegError, InputError, OutputError
from edgeseg.runtime.model.embedded import sha256
from edgeseg.runtime.model.labels import load_labels
from edgeseg.runtime.shipped.catalogue import PublicFile, releases

CONTENT = bytes(range(256)) * 12_000  # 3 MB
RELEASE = PublicFile(
    name="tiny",
    file="tiny.h5",
    url="http://elsewhere.invalid/tiny.h5",
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    bytes=len(CONTENT),
    licence="none",
    what="a test",
    next="edgeseg convert {file} -o model.tflite",
)


class _Handler(http.server.BaseHTTPRequestHandler):
    asked: list[str]

    def do_GET(self):
        self.asked.append(self.path)
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/whole")
            self.end_headers()
            return
        if self.path not in ("/whole", "/cut", "/other", "/longer", "/short"):
            self.send_error(404)
            return
        body = {
            "/cut": CONTENT[:1_000_000],
            "/short": CONTENT[:1_000_000],
            "/other": CONTENT[::-1],
            "/longer": CONTENT * 3,
        }.get(self.path, CONTENT)
        self.send_response(200)
        # the server of /cut promises all and hangs up: a lost connection
        promised = CONTENT if self.path == "/cut" else body
        self.send_header("Content-Length", str(len(promised)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            self.close_connection = True  # the client of /longer hangs up

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    handler = type("Handler", (_Handler,), {"asked": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        server.base = f"http://127.0.0.1:{server.server_port}"
        server.asked = handler.asked
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("path", ["/whole", "/moved"])
def test_fetched_whole_with_progress(server, tmp_path, path):
    told = []
    target = tmp_path / "new" / "folder" / "x.h5"
    done = fetch(RELEASE, output=target, url=server.base + path, progress=told.append)
    assert done == target
    assert target.read_bytes() == CONTENT
    assert told[-1] == len(CONTENT)
    assert told == sorted(told)
    assert [p.name for p in target.parent.iterdir()] == ["x.h5"]


def test_there_already_asks_no_network(server, tmp_path):
    target = tmp_path / "x.h5"
    target.write_bytes(CONTENT)
    assert fetch(RELEASE, output=target, url=server.base + "/whole") == target
    assert server.asked == []


def test_another_file_of_that_name_is_replaced(server, tmp_path):
    target = tmp_path / "x.h5"
    target.write_bytes(CONTENT[:-1])
    fetch(RELEASE, output=target, url=server.base + "/whole")
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/cut", "1,000,000"),
        ("/short", "gave 1,000,000 bytes instead of 3,072,000"),
        ("/longer", "gave more than 3,072,000 bytes"),
        ("/other", f"sha256 {hashlib.sha256(CONTENT[::-1]).hexdigest()}, not the one"),
        ("/nowhere", "Not Found"),
    ],
)
def test_anything_else_keeps_nothing(server, tmp_path, path, words):
    old = tmp_path / "x.h5"
    old.write_bytes(b"what was there")
    with pytest.raises(InputError, match=words) as raised:
        fetch(RELEASE, output=old, url=server.base + path)
    assert_says_how_by_hand(raised.value)
    assert [p.name for p in tmp_path.iterdir()] == ["x.h5"]
    assert old.read_bytes() == b"what was there"


def assert_says_how_by_hand(error):
    text = str(error)
    assert "\n" not in text
    assert f"download {RELEASE.url} by hand, expect sha256 {RELEASE.sha256}" in text
    assert "`edgeseg convert`" in text


def test_no_server(server, tmp_path):
    server.shutdown()
    server.server_close()
    with pytest.raises(InputError, match=r"cannot fetch .*refused") as raised:
        fetch(RELEASE, output=tmp_path / "new" / "x.h5", url=server.base + "/whole")
    assert_says_how_by_hand(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_no_server_has(tmp_path):
    with pytest.raises(InputError, match=r"cannot fetch http://elsewhere\.invalid"):
        fetch(RELEASE, output=tmp_path / "x.h5")
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_cannot_be_written_asks_no_network(server, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write"):
        fetch(RELEASE, output=tmp_path / "file" / "x.h5", url=server.base + "/whole")
    assert server.asked == []


def test_an_unknown_name_lists_the_known():
    with pytest.raises(InputError, match="known: deeplabv3plus-xception-voc, "):
        find_release("resnet")


@pytest.mark.parametrize("release", releases().values(), ids=lambda r: r.name)
def test_every_release_is_complete(release):
    assert re.fullmatch("[0-9a-f]{64}", release.sha256)
    assert release.url.startswith("https://")
    assert release.url.partition("?")[0].endswith("/" + release.file)
    assert release.next.startswith(("edgeseg convert {file} ", "edgeseg run {file} "))
    words = release.next.split()
    if "--labels" in words:
        assert load_labels(words[words.index("--labels") + 1])


def test_digests_are_those_of_the_real_files(shared):
    files = (shared / "models" / "tflite").rglob("*.tflite")
    there = {sha256(path): path.stat().st_size for path in files}
    listed = {r.sha256: r.bytes for r in releases().values() if r.sha256 in there}
    assert len(listed) == 6
    assert listed == {digest: there[digest] for digest in listed}


def test_the_command_lists_as_text_and_json():
    text = CliRunner().invoke(command, ["--list"]).output
    entries = json.loads(CliRunner().invoke(command, ["--list", "--json"]).output)
    assert [entry["name"] for entry in entries] == list(releases())
    for entry in entries:
        assert entry["name"] in text
        assert entry["sha256"] in text


def test_the_command_fetches_and_says_what_next(server, tmp_path, monkeypatch):
    here = dataclasses.replace(RELEASE, url=server.base + "/whole")
    monkeypatch.setattr("edgeseg.converter.fetch.releases", lambda: {"tiny": here})
    target = tmp_path / "my weights.h5"
    done = CliRunner().invoke(command, ["tiny", "-o", str(target)])
    assert done.exit_code == 0
    assert target.read_bytes() == CONTENT
    assert f"next: edgeseg convert '{target}' -o model.tflite" in done.output
    again = CliRunner().invoke(command, ["tiny", "-o", str(target), "--json"])
    assert json.loads(again.output)["path"] == str(target)
    assert server.asked == ["/whole"]


def test_the_command_raises_the_packages_errors_and_usage():
    assert isinstance(CliRunner().invoke(command, ["none"]).exception, EdgesegError)
    assert CliRunner().invoke(command, []).exit_code == 2
    assert CliRunner().invoke(command, ["tiny", "--list"]).exit_code == 2
