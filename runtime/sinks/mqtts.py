"""MQTT over TLS: ``mqtts://HOST/PREFIX``."""

from __future__ import annotations

from edgeseg.runtime.sinks.mqtt import MqttSink

PLUGIN = MqttSink
