"""A real MQTT broker, mosquitto, and a client that hears all of it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time

import pytest

# of a run, and of announcements to its fleet
PREFIX, FLEET = "edgeseg/door", "edgeseg/fleet"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def soon(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


class Mosquitto:
    """A broker that may be ended and started again on the same port."""

    def __init__(self, folder, *lines):
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        text = [f"listener {self.port} 127.0.0.1", *lines]
        self._config.write_text("\n".join(text) + "\n")
        self._binary = shutil.which("mosquitto", path="/usr/sbin:" + os.environ["PATH"])
        if self._binary is None:
            pytest.skip("needs the program mosquitto: not there")
        self.start()

    def start(self):
        command = [self._binary, "-c", str(self._config)]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._process = subprocess.Popen(command, **quiet)
        soon(self._answers)

    def _answers(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        self._process.kill()
        self._process.wait()


class Listener:
    """Hears everything that is published.

    ``EDGESEG_LATE_S`` holds every message back by that many seconds, as a busy machine
    does, so that a test that asks too early can be found.
    """

    def __init__(self, port):
        self.heard = []
        paho = pytest.importorskip("paho.mqtt.client", reason="needs the extra `mqtt`")
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self._client.on_message = self._hear
        self._client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _hear(self, _client, _userdata, message):
        time.sleep(float(os.environ.get("EDGESEG_LATE_S", 0)))
        self.heard.append(message)

    def on(self, topic):
        return [m.payload.decode() for m in self.heard if m.topic == topic]

    def payloads(self, topic):
        return [m.payload for m in self.heard if m.topic == topic]

    def entities(self):
        """Return what Home Assistant would show, by ``component/object id``."""
        found = {}
        for message in self.heard:
            if message.topic.startswith("homeassistant/"):
                _, component, _, object_id, _ = message.topic.split("/")
                found[f"{component}/{object_id}"] = message.payload
        return {key: json.loads(payload) for key, payload in found.items() if payload}

    def publish(self, topic, payload, retain=False):
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(5)

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()
