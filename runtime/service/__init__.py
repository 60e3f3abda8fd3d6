"""A run that is always on: a configuration file, systemd's unit, the watchdog."""

from edgeseg.runtime.service.notify import Notifier
from edgeseg.runtime.service.unit import ServiceUnit

__all__ = ["Notifier", "ServiceUnit"]
