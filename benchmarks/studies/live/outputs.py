"""Everything that a run can write to at once, and whether it was written whole.

A broker (mosquitto) with a subscriber, a file of JSON lines, a video, and a client of
the page that comes, watches for a while and goes, again and again.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import threading
from typing import TYPE_CHECKING

from edgeseg.benchmarks.studies.live.bars import at_least, at_most
from edgeseg.benchmarks.studies.live.children import Child, free_port, wait_until
from edgeseg.benchmarks.studies.live.clients import ask, connect
from edgeseg.devices import InputError, MissingDriverError
from edgeseg.devices.base import Closing
from edgeseg.runtime.capture.open import open_source

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.benchmarks.studies.live.bars import Bar
    from edgeseg.devices.types import Module

_STAYS_S, _AWAY_S = 3.0, 4.0
_START_S = 20.0
_UNWRITTEN = 0.02  # share of frames that an output may lack


class Outputs(Closing):
    """A broker, a subscriber and the files of one run.

    Parameters
    ----------
    folder : Path
        Where everything goes.

    Raises
    ------
    MissingDriverError
        mosquitto or paho-mqtt is not installed.
    """

    def __init__(self, folder: Path) -> None:
        self._lines, self._video = folder / "frames.jsonl", folder / "clip.mkv"
        port = free_port()
        config = folder / "mosquitto.conf"
        config.write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n",
            "utf-8",
        )
        self._broker = Child(
            [_program("mosquitto"), "-c", str(config)], folder / "broker.log"
        )
        self._url = f"mqtt://127.0.0.1:{port}/soak"
        self.messages = 0
        self._subscriber = _paho().Client(_paho().CallbackAPIVersion.VERSION2)
        self._subscriber.on_connect = lambda client, *_: client.subscribe("soak/#")
        self._subscriber.on_message = self._count
        if wait_until(lambda: self._connected(port), _START_S) is None:
            self._broker.close()
            raise InputError(f"mosquitto does not answer on port {port}")
        self._subscriber.loop_start()

    def _connected(self, port: int) -> bool:
        with contextlib.suppress(OSError):
            self._subscriber.connect("127.0.0.1", port)
            return True
        return False

    def _count(self, *_: object) -> None:
        self.messages += 1

    @property
    def words(self) -> list[str]:
        """Arguments of ``edgeseg run``."""
        outputs = (self._url, str(self._lines), str(self._video))
        return [word for output in outputs for word in ("-o", output)]

    def bars(self, frames: int) -> list[Bar]:
        """Return whether every output holds what the run finished.

        Parameters
        ----------
        frames : int
            Frames that the run finished before it was stopped.
        """
        lines = self._lines.read_text("utf-8").splitlines()
        damaged = sum(not _is_json(line) for line in lines)
        with open_source(str(self._video)) as video:
            pictures = sum(1 for _ in video.captures())
        least = frames * (1 - _UNWRITTEN)
        return [
            at_least("JSON lines", len(lines), least),
            at_most("damaged JSON lines", damaged, 0),
            at_least("pictures of the video", pictures, least),
            at_least("messages that the broker passed on", self.messages, 1),
        ]

    def close(self) -> None:
        """End broker and subscriber."""
        self._subscriber.loop_stop()
        self._broker.close()


class Visitor(Closing):
    """A client that watches for some seconds, leaves without a word and comes again.

    Parameters
    ----------
    port : int
        Of the page.
    """

    def __init__(self, port: int) -> None:
        self.visits = 0
        self._port = port
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._come_and_go, daemon=True)
        self._thread.start()

    def _come_and_go(self) -> None:
        while not self._stopped.is_set():
            ask(self._port, "/")
            ask(self._port, "/api/state")
            with contextlib.suppress(OSError), connect(self._port) as client:
                client.settimeout(1.0)
                wait_until(lambda: not client.recv(1 << 16), _STAYS_S)
            self.visits += 1
            self._stopped.wait(_AWAY_S)

    def close(self) -> None:
        """Stop coming."""
        self._stopped.set()
        self._thread.join()


def _program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise MissingDriverError(f"all outputs need {name}: apt install mosquitto")
    return found


def _paho() -> Module:
    try:
        import paho.mqtt.client
    except ImportError as error:
        raise MissingDriverError(
            "all outputs need paho-mqtt: pip install 'edgeseg[mqtt]'"
        ) from error
    return paho.mqtt.client


def _is_json(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False
