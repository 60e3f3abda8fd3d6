"""The contract of a device as a function that any author of one can call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices.errors import ModelError

if TYPE_CHECKING:
    from edgeseg.devices.base import Device
    from edgeseg.devices.types import Array


def check_device(device: Device) -> None:
    """Raise unless an open device keeps the contract of `Device`; closes it.

    Parameters
    ----------
    device : Device
        Freshly opened on any model with one input.

    Raises
    ------
    AssertionError
        The contract is broken; the message says where.
    """
    import json

    import numpy as np

    spec = device.inputs[0]
    tensor = np.zeros(spec.shape, spec.dtype)
    tensor[:, : spec.shape[1] // 2] = 1
    before = tensor.copy()
    first = device.infer(tensor)
    kept = [array.copy() for array in first]
    second = device.infer(tensor)
    np.testing.assert_array_equal(tensor, before, "infer changed its argument")
    _check(len(first) == len(device.outputs), "one array an output")
    for array, spec_out, again, copy in zip(
        first, device.outputs, second, kept, strict=True
    ):
        _check(array.shape == spec_out.shape, f"shape of {spec_out.name}")
        _check(str(array.dtype) == spec_out.dtype, f"dtype of {spec_out.name}")
        np.testing.assert_array_equal(again, copy, "same input, other output")
        np.testing.assert_array_equal(array, copy, "a later run changed a result")
    json.dumps(device.describe())
    _check("device" in device.describe(), "describe() names the device")
    _check_refuses(device)
    with device:
        pass
    device.close()
    _check_refuses_closed(device, tensor)


def _check_refuses(device: Device) -> None:
    import numpy as np

    wrong = np.zeros((1, 2, 2, 3), np.complex64)
    try:
        device.infer(wrong)
    except ModelError:
        return
    raise AssertionError("a tensor of the wrong shape and dtype was accepted")


def _check_refuses_closed(device: Device, tensor: Array) -> None:
    try:
        device.infer(tensor)
    except ModelError:
        return
    raise AssertionError("a closed device still runs")


def _check(holds: bool, rule: str) -> None:
    if not holds:
        raise AssertionError(f"device contract broken: {rule}")
