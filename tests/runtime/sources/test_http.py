from __future__ import annotations

import base64
import gzip
import shutil
import ssl
import subprocess
import threading
import time

import numpy as np
import pytest
from mjpeg_server import HEAD, MjpegServer, part, picture

from edgeseg.devices import InputError
from edgeseg.runtime.capture import feed, http
from edgeseg.runtime.capture.open import open_source
from edgeseg.runtime.capture.source import CaptureOptions

pytestmark = pytest.mark.usefixtures("leaves_nothing")


def test_colours_order_names_and_rotation():
    options = CaptureOptions(rotate=270)
    with MjpegServer() as server, open_source(server.url, options) as source:
        frames = source.captures()
        captures = [next(frames) for _ in range(3)]
    assert [c.name for c in captures] == ["http_000000", "http_000001", "http_000002"]
    assert captures[0].frame.shape == (64, 48, 3)
    expected = np.full((64, 48, 3), (200, 30, 60))
    np.testing.assert_allclose(captures[0].frame, expected, atol=3)


def headers(kind, *more, status="200 OK"):
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", *more, "", ""]
    return "\r\n".join(lines).encode()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (headers("text/html") + b"<p>hi", "got text/html; look up"),
        (headers("image/jpeg") + picture(), "got image/jpeg, a single picture"),
        (headers("x", status="404 Not Found"), "HTTP 404 .Not Found."),
        (headers("x", status="401 Unauthorized"), "access refused"),
        (headers("x", "Location: file:///etc/passwd", status="302 Found"), "HTTP 302"),
        (
            headers("x", "Location: ftp://127.0.0.1/", status="302 Found"),
            "unknown url type: ftp",
        ),
        (
            headers(
                "multipart/x-mixed-replace; boundary=frame", "Content-Encoding: gzip"
            )
            + gzip.compress(part(picture())),
            "got one packed with 'gzip'",
        ),
        (HEAD, "the stream has ended"),
        (HEAD + part(b"garbage") * 40, "30 parts in a row"),
        (HEAD + b"\0\1\2" * 100, "the stream has ended"),
        (b"\0\xff" * 2000, "127.0.0.1"),
        (b"", "127.0.0.1"),
    ],
)
def test_what_is_no_stream_is_told_in_one_line(answer, message):
    with (
        MjpegServer(lambda send, request: send(answer)) as server,
        pytest.raises(InputError, match=message) as raised,
    ):
        open_source(server.url)
    assert "\n" not in str(raised.value)


def test_nobody_there_is_told():
    with MjpegServer() as server:
        gone = server.url
    with pytest.raises(InputError, match="Connection refused"):
        open_source(gone)
    for wrong in ("http://", "http://camera:port/", "http:///video"):
        with pytest.raises(InputError, match=r"http:"):
            open_source(wrong)


def test_user_password_and_token_are_used_and_never_told(caplog):
    right = base64.b64encode(b"eve:s3:cret/").decode()
    challenge = headers(
        "x", 'WWW-Authenticate: Basic realm="camera"', status="401 Unauthorized"
    )

    def guarded(send, request):
        if f"Authorization: Basic {right}" in request and "?token=4242" in request:
            send(HEAD + part(picture()) * 3)
        else:
            send(challenge)

    with MjpegServer(guarded) as server:
        url = f"http://eve:s3%3Acret%2F@{server.netloc}/video?token=4242"
        with open_source(url) as source:
            assert next(source.captures()).frame.shape == (48, 64, 3)
            told = str(source.state)
        with pytest.raises(InputError, match="access refused") as raised:
            open_source(url.replace("s3", "wrong"))
    for secret in ("eve", "cret", "4242"):
        assert secret not in told + str(raised.value) + caplog.text


def test_a_password_does_not_follow_a_redirect_to_another_host():
    with MjpegServer() as other:

        def away(send, request):
            send(headers("x", f"Location: {other.url}", status="302 Found"))

        with (
            MjpegServer(away) as server,
            open_source(f"http://eve:s3cret@{server.netloc}/") as source,
        ):
            next(source.captures())
        assert "Authorization" not in other.requests[0]


def test_it_comes_back_after_the_server_was_killed_and_restarted():
    with MjpegServer() as server:
        source = open_source(server.url)
        frames = source.captures()
        next(frames)
    with MjpegServer(port=server.port), source:
        last = next(frames)
        while not source.state["reconnects"]:
            last = next(frames)
    assert source.state["reconnects"] == 1
    assert last.time_s > 0.4  # the back-off


def test_garbage_in_the_middle_is_skipped_and_counted():
    def damaged(send, request):
        send(HEAD)
        good = picture()
        while True:
            for body in (good, b"junk", good[:200], good):
                send(part(body))
            send(b"\0\xff\xd8" * 50 + b"\r\n")
            time.sleep(0.01)

    with MjpegServer(damaged) as server, open_source(server.url) as source:
        frames = source.captures()
        for _ in range(6):
            assert next(frames).frame.shape == (48, 64, 3)
        assert source.state["skipped"] >= 2
        assert source.state["reconnects"] == 0


def test_a_stream_that_turns_to_garbage_is_connected_anew(wait_until):
    def turning(send, request):
        send(HEAD + part(picture()))
        while True:
            send(b"\0" * 65536)

    with MjpegServer(turning) as server, open_source(server.url) as source:
        frames = source.captures()
        next(frames)
        next(frames)
        assert source.state["reconnects"] >= 1
    wait_until(lambda: len(server.requests) >= 2)


def test_another_size_in_the_middle_is_brought_to_the_first(caplog):
    grown = threading.Event()

    def growing(send, request):
        send(HEAD)
        while True:
            send(part(picture(size_wh=(160, 120) if grown.is_set() else (64, 48))))
            time.sleep(0.01)

    with MjpegServer(growing) as server, open_source(server.url) as source:
        frames = source.captures()
        next(frames)
        grown.set()
        while "the picture is 160x120 now" not in caplog.text:
            assert next(frames).frame.shape == (48, 64, 3)
        assert source.state["reconnects"] == 0


def test_a_stream_in_chunks():
    """As web frameworks send it."""

    def chunked(send, request):
        send(HEAD.replace(b"1.0", b"1.1")[:-2] + b"Transfer-Encoding: chunked\r\n\r\n")
        while True:
            body = part(picture(), length=False)
            send(b"%x\r\n%b\r\n" % (len(body), body))
            time.sleep(0.01)

    with MjpegServer(chunked) as server, open_source(server.url) as source:
        frames = source.captures()
        assert {next(frames).frame.shape for _ in range(3)} == {(48, 64, 3)}


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl")
def test_an_encrypted_stream_needs_a_certificate_that_is_trusted(tmp_path, monkeypatch):
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            *[
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=test",
            ],
            *("-addext", "subjectAltName=IP:127.0.0.1"),
            *("-out", certificate, "-keyout", key),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with MjpegServer(context=context) as server:
        url = server.url.replace("http:", "https:")
        with pytest.raises(
            InputError, match=r"not trusted \(self-signed certificate\)"
        ):
            open_source(url)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with open_source(url) as source:
            assert next(source.captures()).frame.shape == (48, 64, 3)


@pytest.mark.parametrize("drop", ["headers", "part"])
def test_a_server_that_drips_is_given_up(drop):
    """A byte now and then keeps any socket's time-out away."""

    def dripping(send, request):
        if drop == "part":
            send(HEAD + b"--frame\r\nContent-Length: 5000\r\n\r\n")
        while True:
            send(b"X")
            time.sleep(0.02)

    with MjpegServer(dripping) as server:
        start = time.monotonic()
        with pytest.raises(InputError, match=r"no frame within 0\.4 s"):
            open_quickly(server.url)
    assert time.monotonic() - start < 3


def open_quickly(url):
    from edgeseg.runtime.capture.live import LiveSource

    patience = feed.Patience(start_s=0.4, stall_s=0.4)
    return LiveSource(
        lambda: http.HttpConnection(url), prefix="http", what=url, patience=patience
    )


def test_a_server_that_says_nothing_is_given_up(monkeypatch):
    monkeypatch.setattr(http, "SILENCE_S", 0.3)
    released = threading.Event()
    with MjpegServer(lambda send, request: released.wait(5)) as server:
        with pytest.raises(InputError, match=r"no answer within 0\.3 s"):
            open_source(server.url)
        released.set()


def test_stop_ends_a_silent_stream_at_once():
    released = threading.Event()

    def falls_silent(send, request):
        send(HEAD + part(picture()))
        released.wait(5)

    with MjpegServer(falls_silent) as server, open_source(server.url) as source:
        frames = source.captures()
        next(frames)
        threading.Timer(0.1, source.stop).start()
        start = time.monotonic()
        assert list(frames) == []
        assert time.monotonic() - start < 0.6
        source.close()
        released.set()
