"""A real Home Assistant that has just been set up, used through its REST API.

It needs the package `homeassistant` with what its integration MQTT asks for, in an
environment of its own: its newest releases need a newer Python than edgeseg does.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import pytest
from mqtt_broker import free_port, soon

_CONFIGURATION = """
http:
  server_host: 127.0.0.1
  server_port: {port}
api:
config:
onboarding:
"""
_PERSON = {"name": "T", "username": "t", "password": "t", "language": "en"}
# what the form of the integration MQTT asks for beside the broker
_MQTT = {
    "protocol": "5",
    "other_settings": {
        "set_client_cert": False,
        "set_ca_cert": "off",
        "transport": "tcp",
    },
}


def find_program():
    """Return the program, None where it is not there; ``EDGESEG_HASS`` names it."""
    return shutil.which(os.environ.get("EDGESEG_HASS", "hass"))


class HomeAssistant:
    """One with a user and the integration MQTT; a context manager.

    Parameters
    ----------
    folder : Path
        For its configuration; made.
    broker_port : int
        Of the broker on this machine.
    """

    def __init__(self, folder, broker_port):
        port = free_port()
        self.url, self._token = f"http://127.0.0.1:{port}", None
        folder.mkdir()
        (folder / "configuration.yaml").write_text(_CONFIGURATION.format(port=port))
        with (folder / "out.log").open("wb") as log:
            # what an integration needs is there, or it is left out
            words = [find_program(), "-c", str(folder), "--skip-pip"]
            self._process = subprocess.Popen(words, stdout=log, stderr=log)
        try:
            self._set_up(folder, broker_port)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    @property
    def version(self):
        return self.ask("/api/config")["version"]

    def close(self):
        self._process.terminate()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def ask(self, path, values=None, *, form=False):
        """Get a path of the API, or post values to it; return the answer's."""
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if values is None else json.dumps(values).encode()
        if form:
            headers.pop("Content-Type")
            data = urllib.parse.urlencode(values).encode()
        request = urllib.request.Request(self.url + path, data, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def entities(self, domain):
        """Return what there is of a domain, by entity id."""
        states = self.ask("/api/states")
        return {
            each["entity_id"]: each
            for each in states
            if each["entity_id"].startswith(f"{domain}.")
        }

    def call(self, domain, service, entity):
        """Call a service, as a button of the dashboard does."""
        self.ask(f"/api/services/{domain}/{service}", {"entity_id": entity})

    def _answers(self):
        assert self._process.poll() is None, "it has ended"
        try:
            return bool(self.ask("/api/onboarding"))
        except (OSError, ValueError):
            return False

    def _set_up(self, folder, broker_port):
        soon(self._answers, 120)
        client = f"{self.url}/"
        person = {**_PERSON, "client_id": client}
        code = self.ask("/api/onboarding/users", person)["auth_code"]
        words = {"grant_type": "authorization_code", "code": code, "client_id": client}
        self._token = self.ask("/auth/token", words, form=True)["access_token"]
        flows = "/api/config/config_entries/flow"
        try:
            form = self.ask(flows, {"handler": "mqtt"})
        except urllib.error.HTTPError as error:
            said = (folder / "out.log").read_text()[-2000:]
            pytest.skip(f"this Home Assistant has no MQTT ({error}): {said}")
        broker = {"broker": "127.0.0.1", "port": broker_port}
        asked = {field["name"] for field in form["data_schema"]}
        more = {key: value for key, value in _MQTT.items() if key in asked}
        done = self.ask(f"{flows}/{form['flow_id']}", {**broker, **more})
        assert done["type"] == "create_entry", done
