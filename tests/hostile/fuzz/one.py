"""Fuzzes one target in this process: ``python -m hostile.fuzz.one TARGET FOLDER ...``.

The rest of the command line is libFuzzer's.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
import traceback
from pathlib import Path
from random import Random

import atheris

from edgeseg.devices import EdgesegError


def main(name: str, folder: Path, options: list[str]) -> None:
    """Meet a target until libFuzzer's options end it; findings go to `folder`.

    A finding is kept once for each kind of error and place that raised it.
    """
    # `targets` names what is to be instrumented when it is imported
    with atheris.instrument_imports(include=PACKAGES[name]):
        target = importlib.import_module("hostile.fuzz.targets").TARGETS[name]
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for data in target.good():
        (corpus / hashlib.sha1(data).hexdigest()).write_bytes(data)
    seen: set[str] = set()

    def meet(data: bytes) -> None:
        try:
            target.meet(data)
        except EdgesegError as error:
            if "\n" in str(error) or len(str(error)) > 4000:
                _keep(folder, seen, data, "no line: " + str(error)[:2000])
        except Exception:
            _keep(folder, seen, data, traceback.format_exc())

    def mutate(data: bytes, longest: int, number: int) -> bytes:
        rng = Random(number)
        if target.mutate is None or not data or rng.random() < 0.5:
            return atheris.Mutate(data, longest)
        return target.mutate(data, rng)[:longest]

    words = [sys.argv[0], f"-artifact_prefix={folder}/", f"-max_len={target.longest}"]
    atheris.Setup([*words, *options, str(corpus)], meet, custom_mutator=mutate)
    atheris.Fuzz()


def _keep(folder: Path, seen: set[str], data: bytes, words: str) -> None:
    place = [line for line in words.splitlines() if line.startswith("  File")][-1:]
    key = "".join(place) + words.strip().splitlines()[-1].split(":")[0]
    if key in seen:
        return
    seen.add(key)
    name = hashlib.sha1(key.encode()).hexdigest()[:12]
    (folder / f"finding-{name}").write_bytes(data)
    (folder / f"finding-{name}.txt").write_text(words, "utf-8", "replace")


PACKAGES = {
    "model": ["edgeseg.devices.tflite_file", "edgeseg.runtime.model.inspection"],
    "manifest": [
        "edgeseg.runtime.model",
        "edgeseg.devices.archives",
        "zipfile",
        "json",
    ],
    "multipart": ["edgeseg.runtime.capture", "http.client"],
    "board": ["edgeseg.runtime.remote", "edgeseg.devices.plain_text"],
}

if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
