"""How warm the machine is, as Linux tells it."""

from __future__ import annotations

from pathlib import Path

_ZONES = "sys/class/thermal/thermal_zone*/temp"  # 1/1000 degree Celsius


def read_temperature_c(root: Path = Path("/")) -> float | None:
    """Return the temperature of the hottest zone in degrees Celsius.

    Parameters
    ----------
    root : Path
        Where the machine's ``sys`` is.

    Returns
    -------
    float or None
        None where the machine does not tell, as a virtual one.
    """
    found = [heat for zone in root.glob(_ZONES) if (heat := _read(zone)) is not None]
    return max(found) / 1000 if found else None


def _read(zone: Path) -> int | None:
    try:
        return int(zone.read_text())
    except (OSError, ValueError):  # a zone may be there and refuse to be read
        return None
