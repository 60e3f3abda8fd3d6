"""The command `info`: parse, call, print."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from edgeseg.devices.plain_text import printable
from edgeseg.runtime.commands.options import MODEL, override_options, overrides_of
from edgeseg.runtime.terminal.console import show

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.types import Json


@click.command()
@click.argument("model", type=MODEL)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--manifest",
    "only_manifest",
    is_flag=True,
    help="Print the manifest alone: saved as MODEL.tflite.json it is the model's "
    "sidecar.",
)
@override_options
def info(model: Path, as_json: bool, only_manifest: bool, **values: object) -> None:
    """Show a model's tensors, operators and manifest.

    Of a Keras model (.keras, .h5, SavedModel folder) it tells what the file is and
    which command takes it.
    """
    from edgeseg.devices import ModelError
    from edgeseg.runtime.json_text import json_text
    from edgeseg.runtime.model.inspection import model_info
    from edgeseg.runtime.model.keras_files import keras_text
    from edgeseg.runtime.model.manifest import Manifest

    name = values["output_name"]
    found = model_info(model, None if name is None else str(name))
    if "keras" in found:
        if only_manifest:
            raise ModelError(f"{model} is a Keras model and has no manifest yet")
        if as_json:
            click.echo(json_text(found, indent=2))
        else:
            show(keras_text(found))
        return
    if found["manifest"] is not None:
        manifest = overrides_of(values).apply(Manifest.from_dict(found["manifest"]))
        found["manifest"] = manifest.to_dict()
    elif only_manifest:
        raise ModelError(f"{model} is no segmentation model: it has no manifest")
    if only_manifest or as_json:
        click.echo(json_text(found["manifest"] if only_manifest else found, indent=2))
    else:
        show(_info_text(found))


def _info_text(found: Json) -> str:
    from edgeseg.runtime.model.manifest import Manifest
    from edgeseg.runtime.model.preprocessing import preprocessing_text

    lines = [f"{found['file']}  {found['bytes']:,} bytes  sha256 {found['sha256']}"]
    if onnx := found.get("onnx"):
        made_by = f"made by {onnx['producer'] or 'an unnamed exporter'}"
        versions = f"opset {onnx['opset']}, IR version {onnx['ir_version']}"
        lines.append(f"ONNX {versions}, {made_by}")
    for kind in ("inputs", "outputs"):
        for spec in found[kind]:
            shape = "x".join(map(str, spec["shape"]))
            scale = f"scale {spec['scale']:.6g} zero point {spec['zero_point']}"
            quantization = scale if spec["scale"] else "not quantized"
            name = f"{kind[:-1]:7} {spec['name']}"
            lines.append(f"{name}  {shape} {spec['dtype']}  {quantization}")
    operators = ", ".join(f"{n} {c}" for n, c in found["operators"].items())
    dtypes = ", ".join(f"{n} {c}" for n, c in found["activations"].items())
    lines += [f"operators: {operators}", f"activations: {dtypes}"]
    manifest = found["manifest"]
    if manifest is None:
        return "\n".join([*lines, "manifest: none (no segmentation model)"])
    seen = preprocessing_text(Manifest.from_dict(manifest))
    lines.append(f"the network sees {seen}")
    if found["reading"] is not None:
        lines.append(f"edgeseg {found['reading']}")
    lines.append(f"manifest (from {found['manifest_from']}):")
    for key, value in manifest.items():
        if key not in ("palette", "labels", "version"):
            lines.append(f"  {key}: {json.dumps(value, ensure_ascii=False)}")
    # a name that breaks the line is no line of its own
    labels = (
        ", ".join(map(printable, manifest["labels"]))
        or "unknown: give them with --labels"
    )
    return "\n".join([*lines, f"  labels: {labels}"])
