"""Boards on a real mosquitto: connecting, at rest, an announcement, late boards."""

from __future__ import annotations

import json
import os
import resource
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from edgeseg.benchmarks.studies.fleet.boards import FLEET, Board, Loop
from edgeseg.devices import MissingDriverError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeseg.devices.types import Json

_LIMIT_S = 600.0
_OFFER = {
    "name": "door",
    "version": "2",
    "sha256": "0" * 64,
    "url": "https://models.example.org/door-2.tflite",
}


class Process:
    """The broker, as the kernel sees it."""

    def __init__(self, pid: int) -> None:
        self._folder = Path("/proc") / str(pid)

    @property
    def resident_bytes(self) -> int:
        """Resident memory."""
        for line in (self._folder / "status").read_text("ascii").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0

    @property
    def seconds(self) -> float:
        """Processor time so far."""
        fields = (self._folder / "stat").read_text("utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Listener:
    """Home Assistant's place: hears everything, and when."""

    def __init__(self, port: int) -> None:
        self.count = self.bytes = 0
        self.updated: dict[str, float] = {}
        self._lock = threading.Lock()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, "listener")
        self._client.on_message = self._hear
        self._client.on_connect = lambda *_: self._client.subscribe("#")
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _hear(self, _: object, __: object, message: paho.MQTTMessage) -> None:
        with self._lock:
            self.count += 1
            self.bytes += len(message.topic) + len(message.payload)
        if not message.topic.endswith("/update"):
            return
        if json.loads(message.payload)["installed_version"] == _OFFER["version"]:
            self.updated.setdefault(message.topic, time.monotonic())

    def publish_offer(self) -> None:
        """Announce the new model."""
        self._client.publish(FLEET, json.dumps(_OFFER), qos=1, retain=True)

    def close(self) -> None:
        """Go."""
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def broker() -> Iterator[tuple[int, Process]]:
    """Run mosquitto for a while; give its port and process.

    Raises
    ------
    MissingDriverError
        It is not installed.
    """
    binary = shutil.which("mosquitto", path=f"/usr/sbin:{os.environ.get('PATH', '')}")
    if binary is None:
        raise MissingDriverError("needs mosquitto: sudo apt install mosquitto")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "mosquitto.conf"
        config.write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\n"
            "max_queued_messages 100000\n",
            "utf-8",
        )
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(
            [binary, "-c", str(config)], stdout=quiet, stderr=quiet
        )
        try:
            for _ in range(100):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            yield port, Process(process.pid)
        finally:
            process.terminate()
            process.wait()


def simulate(count: int, every_s: float, seconds: float, late_share: float) -> Json:
    """Return what a number of boards does to a broker.

    Parameters
    ----------
    count : int
        Boards; each has two connections.
    every_s : float
        Between two states of a board.
    seconds : float
        That they are watched for at rest.
    late_share : float
        Share of the boards that have no power when the model is announced.
    """
    wanted = 2 * count + 200
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
    with broker() as (port, process):
        empty = process.resident_bytes
        listener = Listener(port)
        loop = Loop(Board(number, port, every_s) for number in range(count))
        record: Json = {"boards": count, "connections": 2 * count, "every_s": every_s}
        record["connecting"] = _connect(loop, process, empty)
        record["at_rest"] = _rest(loop, process, listener, seconds)
        late = loop.boards[: int(count * late_share)]
        for board in late:
            loop.cut(board)
        record["announcement"] = _announce(loop, process, listener, count - len(late))
        record["late"] = _come_late(loop, listener, late, count)
        record["resident_bytes_at_end"] = process.resident_bytes
        listener.close()
    return record


def _connect(loop: Loop, process: Process, empty: int) -> Json:
    start = time.monotonic()
    for board in loop.boards:
        loop.open(board)
        loop.turn()
    every = [c for board in loop.boards for c in board.connections]
    loop.until(lambda: all(c.connected for c in every), _LIMIT_S)
    loop.until(lambda: not any(c.client.want_write() for c in every), _LIMIT_S)
    taken = time.monotonic() - start
    held = process.resident_bytes
    return {
        "seconds": round(taken, 2),
        "messages": sum(board.greeting[0] for board in loop.boards),
        "bytes": sum(board.greeting[1] for board in loop.boards),
        "broker_bytes_before": empty,
        "broker_bytes": held,
        "broker_bytes_a_board": (held - empty) // len(loop.boards),
    }


def _rest(loop: Loop, process: Process, listener: Listener, seconds: float) -> Json:
    end = time.monotonic() + 2 * loop.boards[0].every_s  # all have begun to speak
    loop.until(lambda: time.monotonic() > end, _LIMIT_S)
    count, size, spent = listener.count, listener.bytes, process.seconds
    start = time.monotonic()
    loop.until(lambda: time.monotonic() > start + seconds, seconds + _LIMIT_S)
    taken = time.monotonic() - start
    heard = listener.count - count
    return {
        "seconds": round(taken, 2),
        "messages_a_second": round(heard / taken, 1),
        "bytes_a_message": round((listener.bytes - size) / max(heard, 1), 1),
        "broker_core_share": round((process.seconds - spent) / taken, 4),
        "broker_bytes": process.resident_bytes,
    }


def _announce(loop: Loop, process: Process, listener: Listener, there: int) -> Json:
    sent = sum(board.greeting[0] for board in loop.boards)
    start = time.monotonic()
    listener.publish_offer()
    loop.until(lambda: len(listener.updated) >= there, _LIMIT_S)
    after = sorted(when - start for when in listener.updated.values())
    more = sum(board.greeting[0] for board in loop.boards) - sent
    return {
        "boards": there,
        "seconds_first": round(after[0], 3),
        "seconds_half": round(after[len(after) // 2], 3),
        "seconds_all": round(after[-1], 3),
        "messages": more + there,  # theirs, and the announcement to each
        "broker_bytes": process.resident_bytes,
    }


def _come_late(loop: Loop, listener: Listener, late: list[Board], count: int) -> Json:
    start = time.monotonic()
    for board in late:
        loop.open(board)
        loop.turn()
    loop.until(lambda: len(listener.updated) >= count, _LIMIT_S)
    return {"boards": len(late), "seconds_all": round(time.monotonic() - start, 3)}
