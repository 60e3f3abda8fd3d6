"""A camera's web server that does what a test wants, byte by byte."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
import time

import cv2
import numpy as np

BOUNDARY = "frame"
HEAD = (
    b"HTTP/1.0 200 OK\r\n"
    b"Content-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"
)


def picture(colour=(200, 30, 60), size_wh=(64, 48)):
    """Return a JPEG of one RGB colour."""
    frame = np.full((size_wh[1], size_wh[0], 3), colour[::-1], np.uint8)
    return cv2.imencode(".jpg", frame)[1].tobytes()


def part(jpeg, length=True):
    told = f"Content-Length: {len(jpeg)}\r\n" if length else ""
    return (
        f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\n{told}\r\n".encode()
        + jpeg
        + b"\r\n"
    )


def steady(send, request, jpeg=None):
    """What a good camera does."""
    send(HEAD)
    jpeg = jpeg or picture()
    while True:
        send(part(jpeg))
        time.sleep(0.01)


class MjpegServer:
    """Calls ``answer(send, request)`` in a thread for each request; then hangs up.

    ``send`` raises OSError once the client has gone or the server is killed.
    """

    def __init__(self, answer=steady, port=0, context=None):
        self.answer, self.requests, self._context = answer, [], context
        self._sockets, self._threads = [], []
        camera = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                camera._handle(self.request)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = False

        self._server = Server(("127.0.0.1", port), Handler)
        self.port = self._server.server_address[1]
        self.netloc = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.netloc}/stream.mjpg"
        self._loop = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def _handle(self, connection):
        with contextlib.suppress(OSError), self._encrypted(connection) as opened:
            self._sockets.append(opened)
            request = b""
            while b"\r\n\r\n" not in request:
                received = opened.recv(4096)
                if not received:
                    return
                request += received
            self.requests.append(request.decode())
            self.answer(opened.sendall, request.decode())

    def _encrypted(self, connection):
        if self._context is None:
            return connection
        return self._context.wrap_socket(connection, server_side=True)

    def __enter__(self):
        self._loop.start()
        return self

    def __exit__(self, *error):
        self.kill()

    def kill(self):
        """End at once, as a server that is unplugged."""
        if self._loop.is_alive():
            self._server.shutdown()
            self._loop.join()
        for connection in self._sockets:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()  # joins the threads
