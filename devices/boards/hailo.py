"""Hailo-8 and 8L, as on the Raspberry Pi AI HAT+, through HailoRT: ``.hef`` files.

Hailo's Dataflow Compiler makes a ``.hef`` of what ``edgeseg convert --for hailo``
writes; it runs on a workstation and is to be had from Hailo alone. Normalization is on
the chip, so that the network takes pixels; scores come back as real numbers.

References
----------
HailoRT, ``hailort/libhailort/bindings/python`` (https://github.com/hailo-ai/hailort):
``VDevice``, ``HEF``, ``ConfigureParams.create_from_hef``, ``VDevice.configure``,
``InputVStreamParams.make``, ``OutputVStreamParams.make``, ``InferVStreams.infer``.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from edgeseg.devices.base import SpecifiedDevice, TensorSpec, check_tensors
from edgeseg.devices.chip import Chip, DriverPackage, first_node
from edgeseg.devices.errors import MissingDriverError, ModelError
from edgeseg.devices.linux_files import ROOT
from edgeseg.devices.plain_text import one_line, reason_of
from edgeseg.devices.profile import DeviceUnit, Profile

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.types import Array, Json, Module, Untyped

_MAGIC = b"\x01HEF"
_NODE = "/dev/hailo0"
HAILORT = DriverPackage(
    module="hailo_platform",
    title="HailoRT's Python package",
    hint="hailo needs HailoRT's Python package: on Raspberry Pi OS sudo apt install "
    "hailo-all, and use the system's Python or python3 -m venv --system-site-packages",
)
CHIP = Chip(
    device="hailo",
    title="Hailo chip",
    sign=_NODE,
    look=first_node("hailo[0-9]*"),
    lacks=HAILORT.missing,
    advice="check the HAT's cable, and PCI Express and the driver with hailortcli scan",
)


class Hailo(SpecifiedDevice):
    """Inference on the first Hailo chip.

    Parameters
    ----------
    model : Path
        A ``.hef`` file.
    unit : str
        ``""``.
    threads : int or None
        Means nothing here.
    root : Path
        Where ``dev`` is.

    Raises
    ------
    ModelError
        The file is no ``.hef`` file, is for another chip, or has several inputs.
    MissingDriverError
        No chip, no driver, or no HailoRT.
    """

    def __init__(
        self,
        model: Path,
        unit: str = "",
        threads: int | None = None,
        *,
        root: Path = ROOT,
    ) -> None:
        CHIP.require(root)
        _check_file(model)
        hailo = HAILORT.load()
        self._errors = getattr(hailo, "HailoRTException", RuntimeError)
        self._version = str(getattr(hailo, "__version__", "unknown"))
        self._held = ExitStack()
        try:
            self._pipeline: Untyped = self._open(hailo, model)
        except BaseException:
            self._held.close()
            raise

    def _open(self, hailo: Module, model: Path) -> Untyped:
        try:
            chip = self._held.enter_context(hailo.VDevice())
        except self._errors as error:
            raise MissingDriverError(
                f"the Hailo chip cannot be opened, does another program use it? "
                f"({one_line(error)})"
            ) from error
        try:
            hef = hailo.HEF(str(model))
            self._inputs = tuple(_spec(i, "uint8") for i in _inputs(hef))
            self._outputs = tuple(_spec(o, "float32") for o in _outputs(hef))
            wanted = hailo.ConfigureParams.create_from_hef(
                hef, interface=hailo.HailoStreamInterface.PCIe
            )
            group = chip.configure(hef, wanted)[0]
            kinds = hailo.FormatType
            pipeline = self._held.enter_context(
                hailo.InferVStreams(
                    group,
                    hailo.InputVStreamParams.make(group, format_type=kinds.UINT8),
                    hailo.OutputVStreamParams.make(group, format_type=kinds.FLOAT32),
                )
            )
            self._held.enter_context(group.activate(group.create_params()))
        except self._errors as error:
            raise ModelError(
                f"{model} cannot be loaded into the Hailo chip, was it compiled for "
                f"this one? ({one_line(error)})"
            ) from error
        if len(self._inputs) != 1:
            raise ModelError(f"{model} takes {len(self._inputs)} inputs: expected one")
        return pipeline

    def infer(self, *tensors: Array) -> tuple[Array, ...]:
        """Run the model once; see `Device.infer`."""
        import numpy as np

        if self._pipeline is None:
            raise ModelError("the device is closed: open it again")
        check_tensors(tensors, self._inputs)
        given = {self._inputs[0].name: np.ascontiguousarray(tensors[0])}
        try:
            found = self._pipeline.infer(given)
        except self._errors as error:
            raise ModelError(f"inference failed: {one_line(error)}") from error
        return tuple(
            np.array(found[spec.name], spec.dtype).reshape(spec.shape)
            for spec in self._outputs
        )

    def describe(self) -> Json:
        """Return device, runtime and version."""
        return {
            "device": "hailo",
            "runtime": "hailort",
            "version": self._version,
            "threads": 0,
        }

    def close(self) -> None:
        """Release pipeline and chip."""
        self._pipeline = None
        self._held.close()


def _check_file(model: Path) -> None:
    try:
        with model.open("rb") as file:
            head = file.read(len(_MAGIC))
    except OSError as error:
        raise ModelError(f"cannot read {model}: {reason_of(error)}") from error
    if head != _MAGIC:
        raise ModelError(
            f"{model} is no .hef file of Hailo's compiler: edgeseg convert MODEL --for "
            "hailo writes what that compiler takes"
        )


def _inputs(hef: Untyped) -> Untyped:
    return hef.get_input_vstream_infos()


def _outputs(hef: Untyped) -> Untyped:
    return hef.get_output_vstream_infos()


def _spec(info: Untyped, dtype: str) -> TensorSpec:
    """Return a stream's form; pixels stand for themselves."""
    shape = (1, *(int(side) for side in info.shape))
    return TensorSpec(str(info.name), shape, dtype, 1.0 if dtype == "uint8" else 0.0)


PROFILE = Profile(
    summary="a Hailo-8 or 8L, as on the AI HAT+, for a .hef file",
    units=(DeviceUnit("", "the first chip, through HailoRT", nodes=(_NODE,)),),
    find=CHIP.find,
    placement="unknown",
    recipes=("float32",),
    heads=("logits-stride",),
    sizes=("513x513", "385x385"),
    advice=(
        "Hailo's own compiler quantizes: edgeseg convert MODEL --for hailo "
        "--calibration photos/ -o model.onnx",
        "the chip resizes to no full size: scores at the network's own grid",
    ),
    verified="not run on hardware; tested against a stand-in for HailoRT",
)
PLUGIN = Hailo
