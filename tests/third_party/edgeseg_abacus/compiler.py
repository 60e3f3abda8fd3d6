"""The compiler of `abacus`: a program that copies the model."""

import sys

from edgeseg.converter.compilation.contract import Answer, Compiler, Row
from edgeseg.devices.placement.reading import read_model_graph

_PROGRAM = "import shutil, sys; shutil.copy(sys.argv[1], sys.argv[2]); print('1.0')"


class AbacusCompiler(Compiler):
    """Everything can be counted."""

    title = "abacus"
    chip = "the abacus"
    suffix = "_abacus"
    operator = b"abacus-custom-op"

    def find(self):
        return sys.executable

    def compile(self, program, source, request, run):
        made = source.with_name("made.tflite")
        ended = run([program, "-c", _PROGRAM, str(source), str(made)])
        count = len(read_model_graph(source).operators)
        row = Row("ANY", count, f"on {request.unit} wires", True)
        return Answer(made.read_bytes(), ended.printed.strip(), (row,))


PLUGIN = AbacusCompiler
