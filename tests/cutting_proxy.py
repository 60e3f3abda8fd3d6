"""A TCP proxy that cuts connections: a network that comes and goes."""

from __future__ import annotations

import socket
import struct
import threading


class CuttingProxy:
    """Stands between ssh and sshd.

    Attributes
    ----------
    cuts : list of int
        After how many bytes towards the server each further connection is cut; when
        there are none left, connections stay.
    """

    def __init__(self, port):
        self._server = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.cuts = []
        self.refuse = False
        self.sent = 0
        self.connections = 0
        self._lock = threading.Lock()
        self._sockets = []

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._listener.close()
        self.cut_all()

    def cut_all(self):
        """Cut all connections that there are."""
        with self._lock:
            sockets, self._sockets = self._sockets, []
        for each in sockets:
            _reset(each)

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.refuse:
                _reset(client)
                continue
            self.connections += 1
            limit = self.cuts.pop(0) if self.cuts else None
            server = socket.create_connection(("127.0.0.1", self._server))
            with self._lock:
                self._sockets += [client, server]
            for ends in ((client, server, limit), (server, client, None)):
                threading.Thread(target=self._pump, args=ends, daemon=True).start()

    def _pump(self, source, target, limit):
        passed = 0
        try:
            while data := source.recv(1 << 14):
                target.sendall(data)
                passed += len(data)
                if target.getpeername()[1] == self._server:
                    self.sent += len(data)
                if limit is not None and passed > limit:
                    break
        except OSError:
            pass
        for each in (source, target):
            _reset(each)


def _reset(each):
    """End a connection as a network that is gone does: nothing more passes."""
    try:
        each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        each.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    each.close()
