"""A run that is always on: a configuration file, systemd's unit, the watchdog."""

from edgeseg.runtime.service.config import load_config
from edgeseg.runtime.service.notify import Notifier
from edgeseg.runtime.service.unit import Unit

__all__ = ["Notifier", "Unit", "load_config"]
