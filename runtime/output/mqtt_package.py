"""The package that speaks MQTT, which not every board has."""

from __future__ import annotations

import importlib.util

from edgeseg.devices import MissingDriverError


def check_package() -> None:
    """Raise `MissingDriverError` where paho-mqtt is not installed."""
    if importlib.util.find_spec("paho") is None:
        raise MissingDriverError(
            "MQTT needs the package paho-mqtt: pip install 'edgeseg[mqtt]'"
        )
