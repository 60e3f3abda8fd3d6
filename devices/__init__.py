"""Boards and accelerators: tensors in, tensors out."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
        RejectedError,
        UnknownPluginError,
    )
    from edgeseg.devices.open import DEVICES, open_device
    from edgeseg.devices.plugins import PluginFolder
else:
    from edgeseg.devices.lazy import lazy_exports as _lazy_exports

    __getattr__, __dir__ = _lazy_exports(
        __name__,
        {
            "DEVICES": "edgeseg.devices.open",
            "ConversionError": "edgeseg.devices.errors",
            "Device": "edgeseg.devices.base",
            "EdgesegError": "edgeseg.devices.errors",
            "InputError": "edgeseg.devices.errors",
            "ManifestError": "edgeseg.devices.errors",
            "MissingDriverError": "edgeseg.devices.errors",
            "ModelError": "edgeseg.devices.errors",
            "OutputError": "edgeseg.devices.errors",
            "PluginFolder": "edgeseg.devices.plugins",
            "RangesError": "edgeseg.devices.errors",
            "RejectedError": "edgeseg.devices.errors",
            "TensorSpec": "edgeseg.devices.base",
            "UnknownPluginError": "edgeseg.devices.errors",
            "check_device": "edgeseg.devices.contract",
            "open_device": "edgeseg.devices.open",
        },
    )

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
    "RejectedError",
    "TensorSpec",
    "UnknownPluginError",
    "check_device",
    "open_device",
]
