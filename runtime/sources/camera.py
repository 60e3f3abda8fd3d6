"""A camera by its number: ``camera:0`` is ``v4l2:/dev/video0``."""

from __future__ import annotations

from edgeseg.runtime.address import CAMERAS, AddressKind, Rest
from edgeseg.runtime.sources.v4l2 import V4l2Source

ADDRESS = AddressKind(Rest.DEVICE_NODE, options=",", nodes=CAMERAS)
PLUGIN = V4l2Source
