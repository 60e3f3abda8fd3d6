"""An HTTP server of model files that also does what servers do wrong."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading


class ModelServer:
    """Answers ``/model.tflite`` and paths with faults; a context manager.

    ``/moved.tflite`` leads to the model, ``/loop.tflite`` to itself,
    ``/file.tflite`` to a file of the machine; ``/cut.tflite`` ends half way,
    ``/huge.tflite`` says it has a terabyte, ``/endless.tflite`` never ends, and
    ``/silent.tflite`` hangs up.
    """

    def __init__(self, content, files=None):
        self.asked = []
        answers = {
            "/model.tflite": lambda ask: send(ask, content),
            "/moved.tflite": lambda ask: move(ask, "/model.tflite"),
            "/loop.tflite": lambda ask: move(ask, "/loop.tflite"),
            "/file.tflite": lambda ask: move(ask, "file:///etc/hostname"),
            "/cut.tflite": lambda ask: send(ask, content[:1000], len(content)),
            "/huge.tflite": lambda ask: send(ask, content, 1 << 40),
            "/endless.tflite": endless,
            "/silent.tflite": lambda ask: ask.connection.close(),
        }
        for path, data in (files or {}).items():
            answers[path] = lambda ask, data=data: send(ask, data)
        asked = self.asked

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                path = self.path.partition("?")[0]
                if path in answers:
                    answers[path](self)
                else:
                    self.send_error(404)

            def log_message(self, *words):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *words: None  # clients that hang up
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def announcement(server, model, version, **more):
    """Return what a fleet's topic says of a model file that a server has."""
    values = {
        "name": "door",
        "url": f"{server.url}/{model.name}",
        "version": version,
        "sha256": hashlib.sha256(model.read_bytes()).hexdigest(),
    }
    return json.dumps({**values, **more})


def send(ask, content, length=None):
    ask.send_response(200)
    ask.send_header("Content-Length", str(len(content) if length is None else length))
    ask.end_headers()
    ask.wfile.write(content)


def move(ask, where):
    ask.send_response(302)
    ask.send_header("Location", where)
    ask.send_header("Content-Length", "0")
    ask.end_headers()


def endless(ask):
    ask.send_response(200)
    ask.end_headers()
    while True:
        ask.wfile.write(bytes(1 << 16))
