"""A real run with its page, and a real browser.

The run is the shapes model on drawn scenes, in real time.
"""

from __future__ import annotations

import http.client
import io
import json
import shutil
import threading
import time
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

from edgeseg.runtime import Segmenter, Style
from edgeseg.runtime.capture.open import open_source
from edgeseg.runtime.output.open import open_sink
from edgeseg.runtime.pipeline.meter import Meter

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


class Live:
    """A run in a thread that can be stalled; `ask` asks its server."""

    def __init__(self, model, text, **style):
        pytest.importorskip("uvicorn", reason="needs the extra `web`")
        self.meter = Meter()
        self.segmenter = Segmenter.open(model, threads=1)
        self.source = open_source("synthetic:160x120,live,fps=20")
        self.style = Style(self.segmenter.manifest, meter=self.meter, **style)
        self.sink = open_sink(text, self.style)
        self.goes = threading.Event()
        self.goes.set()
        self.last = None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        for capture in self.source.captures():
            self.goes.wait()
            segmentation = self.segmenter.segment(capture.frame)
            self.sink.write(capture, segmentation)
            self.meter.add(capture, segmentation)
            self.last, self.frame = segmentation, capture

    def ask(self, path, method="GET", body=None, **headers):
        place = urlsplit(self.sink.url)
        connection = http.client.HTTPConnection(place.hostname, place.port, timeout=10)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, named)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer, content

    def state(self):
        return json.loads(self.ask("/api/state")[1])

    def change(self, **look):
        body = json.dumps(look)
        answer, content = self.ask(
            "/api/look", "POST", body, content_type="application/json"
        )
        return answer.status, json.loads(content)

    def close(self):
        self.source.stop()
        self.goes.set()
        self.thread.join()
        self.sink.close()
        self.source.close()
        self.segmenter.close()


def wait_until(true, seconds=15):
    """Wait for something that must come about; the limit only ends a failing test."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)


@pytest.fixture
def start(golden_model):
    started = []

    def begin(text="web:127.0.0.1:0", **style):
        started.append(Live(golden_model, text, **style))
        wait_until(lambda: started[-1].meter.read().frames > 0)
        return started[-1]

    yield begin
    for live in started:
        live.close()


@pytest.fixture(scope="module")
def live(golden_model):
    running = Live(golden_model, "web:127.0.0.1:0?stale=1&streams=3")
    wait_until(lambda: running.meter.read().frames > 0)
    yield running
    running.close()


@pytest.fixture(scope="session")
def until():
    return wait_until


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


# not for the session: its event loop would stay in the way of other tests
@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="needs the package playwright"
    )
    if CHROMIUM is None:
        pytest.skip("needs the program chromium")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        yield browser
        browser.close()


class Visit:
    """A page that is looked at, and everything it complained of or asked for."""

    def __init__(self, browser, until, url, width=1280, height=800):
        self.until = until
        self.page = browser.new_page(
            viewport={"width": width, "height": height}, ignore_https_errors=True
        )
        self.complaints, self.requests = [], []
        self.page.on("console", lambda said: self.complaints.append(said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(url)
        self.wait("document.querySelector('#status').textContent === 'Live'")

    def wait(self, expression):
        # not wait_for_function: the page's policy forbids what that does
        self.until(lambda: self.page.evaluate(expression))

    def picture(self):
        shot = self.page.locator("#live").screenshot(timeout=15_000)
        return np.array(Image.open(io.BytesIO(shot)).convert("RGB"), int)


@pytest.fixture
def visit(browser, until):
    opened = []

    def open_page(url, **size):
        opened.append(Visit(browser, until, url, **size))
        return opened[-1]

    yield open_page
    for one in opened:
        one.page.close()
