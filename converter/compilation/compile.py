"""Compile a model for a chip with the chip's own compiler.

The compiler is a program of its own. It is run on a copy of the model, in a folder that
is thrown away, under a time limit; what it made is taken only where it can be read as a
model and something was mapped. The manifest and whatever else is in the archive at the
end of the source go to the end of the result.
"""

from __future__ import annotations

import dataclasses
import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.converter.compilation.contract import Request
from edgeseg.converter.compilation.program import run_program
from edgeseg.converter.compilation.result import Compilation
from edgeseg.converter.isolation.folder import is_full, no_space, temporary_folder
from edgeseg.devices import (
    DEVICES,
    ConversionError,
    InputError,
    ModelError,
    OutputError,
)
from edgeseg.devices.address import chip_string, parse_address, profile_of
from edgeseg.devices.archives import DAMAGED, check_methods, open_archive
from edgeseg.devices.errors import MissingDriverError
from edgeseg.devices.litert import read_model
from edgeseg.devices.onnx import read_onnx_model
from edgeseg.devices.plugins import PluginFolder
from edgeseg.devices.tflite_file.examination import examine
from edgeseg.runtime.model.embedded import (
    append_manifest,
    sha256,
    sidecar_path,
    stored_manifest,
)
from edgeseg.runtime.pictures.atomic import check_writable, write_bytes
from edgeseg.runtime.pictures.originals import check_apart
from edgeseg.runtime.pipeline.stopping import stopping_on_signals
from edgeseg.runtime.shipped import MODEL_NAMES, find_model, is_shipped

if TYPE_CHECKING:
    from edgeseg.converter.compilation.contract import Answer, Compiler

COMPILERS = PluginFolder("compiler", "edgeseg.converter.compilers", "edgeseg.compilers")
TIMEOUT_S = 600.0
_TFLITE = ".tflite"
_ENTRY_BYTES = 16 << 20  # a longer entry is no label list and no metadata


def targets() -> tuple[str, ...]:
    """Return every device string that a model can be compiled for."""
    found = []
    for name in DEVICES.names():
        try:
            profile = profile_of(DEVICES, name)
        except MissingDriverError:  # of that file; the question was another
            continue
        found += [chip_string(name, unit) for unit in profile.targets]
    return tuple(found)


def compile_model(
    model: Path | str,
    device: str,
    *,
    output: Path | None = None,
    timeout_s: float = TIMEOUT_S,
    request: Request | None = None,
) -> Compilation:
    """Compile a quantized model for a chip.

    Parameters
    ----------
    model : Path or str
        A ``.tflite`` file, 8-bit throughout, or the name of the model that ships.
    device : str
        A device string, one of `targets`.
    output : Path or None
        The file to write; None puts the compiler's suffix behind the model's name, of
        one that ships into the current folder.
    timeout_s : float
        After so long the compiler and everything it started are killed.
    request : Request or None
        What else is asked of the compiler; its unit is the device's.

    Raises
    ------
    InputError
        Nothing is compiled for the device, or its compiler has no such option.
    MissingDriverError
        The compiler is not installed.
    ModelError
        The file is no TFLite model, or is compiled already.
    ConversionError
        The compiler failed, took too long, or mapped nothing.
    OutputError
        The result cannot be written.
    """
    compiler, request = _compiler_for(device, request or Request())
    shipped = is_shipped(model)
    model = find_model(model)
    shipped |= model.parent == find_model(MODEL_NAMES[0]).parent
    folder = Path() if shipped else model.parent
    content = _content(compiler, model)
    if compiler.operator and compiler.operator in content:
        raise ModelError(f"{model} is compiled for {compiler.chip} already")
    target = output or folder / f"{model.stem}{compiler.suffix}{compiler.kind}"
    check_apart(target, model)
    check_writable(target)
    answer = _run(compiler, model, content, timeout_s, request)
    made = answer.content
    if compiler.kind != _TFLITE:
        if answer.manifest:
            write_bytes(sidecar_path(target), answer.manifest.encode())
        write_bytes(target, made)
        carried = bool(answer.manifest)
        return Compilation(
            target, sha256(target), device, compiler.title, answer, carried
        )
    manifest = stored_manifest(model)
    compiled = made if manifest is None else append_manifest(made, manifest)
    write_bytes(target, _with_entries_of(model, compiled))
    return Compilation(
        target, sha256(target), device, compiler.title, answer, manifest is not None
    )


def _content(compiler: Compiler, model: Path) -> bytes:
    """Return the bytes of a file of the format that a compiler takes."""
    if compiler.takes == _TFLITE:
        return read_model(model)
    if model.suffix != compiler.takes:
        raise ModelError(
            f"{compiler.title} takes {compiler.takes} files, {model} is none: expected "
            f"what {compiler.made_by} writes"
        )
    return read_onnx_model(model)


def _compiler_for(device: str, request: Request) -> tuple[Compiler, Request]:
    address = parse_address(device, DEVICES)
    profile = profile_of(DEVICES, address.name)
    if not profile.compiler:
        raise InputError(
            f"{device} runs a .tflite file as it is, there is nothing to compile: "
            f"expected one of {', '.join(targets())}"
        )
    if address.unit not in profile.targets and "" not in profile.targets:
        known = ", ".join(chip_string(address.name, unit) for unit in profile.targets)
        raise InputError(
            f"{device} does not say which chip it is: expected one of {known}"
        )
    compiler: Compiler = COMPILERS.load(profile.compiler)()
    request = dataclasses.replace(request, unit=address.unit)
    for field in dataclasses.fields(request):
        given = getattr(request, field.name)
        if field.name != "unit" and given and field.name not in compiler.options:
            raise InputError(
                f"--{field.name.replace('_', '-')} means nothing to {compiler.title}, "
                f"which compiles for {compiler.chip}"
            )
    return compiler, request


def _run(
    compiler: Compiler, model: Path, content: bytes, timeout_s: float, request: Request
) -> Answer:
    """Run the compiler in a folder of its own and examine what it answers."""
    program = compiler.find()
    with stopping_on_signals(), temporary_folder() as folder:
        source = folder / f"model{compiler.takes}"
        source.write_bytes(content)
        try:
            answer = compiler.compile(
                program,
                source,
                request,
                lambda command: run_program(command, timeout_s, compiler.title),
            )
        except (ConversionError, OSError) as error:
            if is_full(folder):
                raise OutputError(no_space(folder)) from error
            if isinstance(error, OSError):
                raise
            reason = str(error).removeprefix(f"{compiler.title} ")
            raise ConversionError(
                f"{compiler.title} cannot compile {model.name}: {reason}"
            ) from error
    if not answer.mapped:
        raise ConversionError(
            f"{compiler.title} mapped none of the {answer.total} operators of "
            f"{model.name} to {compiler.chip}, nothing is written: "
            f"{_why(answer, compiler)}"
        )
    if compiler.kind != _TFLITE:
        return answer
    try:
        examine(answer.content, "the result")
    except ModelError as error:
        raise ConversionError(
            f"what {compiler.title} made of {model.name} is no TFLite model, nothing "
            f"is written: {error}"
        ) from error
    return answer


def _why(answer: Answer, compiler: Compiler) -> str:
    if not answer.rows:
        return "it says nothing of any operator"
    first = answer.rows[0]
    return "; ".join(filter(None, (f"{first.op}: {first.status}", compiler.advice)))


def _with_entries_of(model: Path, compiled: bytes) -> bytes:
    """Return a compiled model with all that the archive behind its source holds."""
    if not zipfile.is_zipfile(model):
        return compiled
    buffer = io.BytesIO(compiled)
    try:
        with (
            open_archive(model) as source,
            zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as target,
        ):
            check_methods(source)
            for entry in source.infolist():
                there = entry.filename in target.namelist()
                if not there and entry.file_size <= _ENTRY_BYTES:
                    target.writestr(entry, source.read(entry))
    except DAMAGED as error:
        raise ModelError(f"the archive behind {model} is damaged: {error}") from error
    return buffer.getvalue()
