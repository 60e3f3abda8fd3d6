"""How warm the machine is, as Linux tells it."""

from edgeseg.devices._sensors import read_temperature_c

__all__ = ["read_temperature_c"]
