"""Boards and accelerators: tensors in, tensors out."""

from edgeseg.devices.base import Device, TensorSpec
from edgeseg.devices.contract import check_device
from edgeseg.devices.errors import (
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
from edgeseg.devices.open import DEVICES, open_device
from edgeseg.devices.plugins import PluginFolder

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
