"""Boards and accelerators: tensors in, tensors out."""

from edgeseg.devices._base import Device, TensorSpec
from edgeseg.devices._errors import (
    ConversionError,
    EdgesegError,
    InputError,
    ManifestError,
    MissingDriverError,
    ModelError,
    OutputError,
    RangesError,
    UnknownPluginError,
)
from edgeseg.devices._open import DEVICES, open_device
from edgeseg.devices._plugins import PluginFolder
from edgeseg.devices._testing import check_device

__all__ = [
    "DEVICES",
    "ConversionError",
    "Device",
    "EdgesegError",
    "InputError",
    "ManifestError",
    "MissingDriverError",
    "ModelError",
    "OutputError",
    "PluginFolder",
    "RangesError",
    "TensorSpec",
    "UnknownPluginError",
    "check_device",
    "open_device",
]
