"""A function that a model file holds as bytecode: decoded, and judged before it runs.

Bytecode belongs to one Python version. Another version may refuse to decode it, or
decode it and crash the process when it runs; no version stands in the file. What can
be known without running is checked here: each opcode exists, the inline caches that
this Python expects follow the opcodes that have them, and every operand points
into the function's own tables.
"""

from __future__ import annotations

import base64
import binascii
import dis
import inspect
import itertools
import marshal
import opcode
import platform
import types
from typing import Any

from edgeseg.devices import ModelError

# How many units of inline cache follow each opcode: {} before Python 3.11
_CACHES: Any = getattr(opcode, "_inline_cache_entries", {})
_GENERATOR = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
_JUMPS = set(opcode.hasjrel) | set(opcode.hasjabs)
# After these, the next instruction is not what runs next
_ENDS = (
    "JUMP_ABSOLUTE",
    "JUMP_BACKWARD",
    "JUMP_BACKWARD_NO_INTERRUPT",
    "JUMP_FORWARD",
    "RAISE_VARARGS",
    "RERAISE",
    "RETURN_CONST",
    "RETURN_VALUE",
)
_PREFIXES = ("RESUME", "COPY_FREE_VARS", "MAKE_CELL", "RETURN_GENERATOR", "POP_TOP")


def decode(text: str, where: str) -> types.CodeType:
    """Return the code object of a function in a model file.

    Parameters
    ----------
    text : str
        Marshalled code in base64, or in the escaped text of Keras before 2.1.3.
    where : str
        What holds it, for the message.

    Raises
    ------
    ModelError
        It is no code of this Python version.
    """
    try:
        raw = base64.b64decode(text.encode("ascii"))
    except (UnicodeEncodeError, binascii.Error):
        raw = text.encode("raw_unicode_escape")
    try:
        code = marshal.loads(raw)
    except (
        EOFError,
        MemoryError,
        OverflowError,
        SystemError,
        TypeError,
        ValueError,
    ) as error:
        raise _foreign(where) from error
    if (
        not isinstance(code, types.CodeType)
        or not _as_stored(code, raw)
        or not is_plausible(code)
    ):
        raise _foreign(where)
    return code


def is_plausible(code: types.CodeType) -> bool:
    """Return whether a code object can be of the Python that runs now.

    Parameters
    ----------
    code : code object
        Never run; functions inside it are judged as well.
    """
    return (
        _starts_well(code)
        and _caches_fit(code.co_code)
        and _operands_fit(code)
        and _stack_holds(code)
        and all(is_plausible(one) for one in _inner(code))
    )


def global_names(code: types.CodeType) -> set[str]:
    """Return the global names that a function and those inside it look up."""
    names = {
        str(step.argval)
        for step in dis.get_instructions(code)
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    }
    return names.union(*(global_names(one) for one in _inner(code)))


def _inner(code: types.CodeType) -> list[types.CodeType]:
    return [const for const in code.co_consts if isinstance(const, types.CodeType)]


def _as_stored(code: types.CodeType, raw: bytes) -> bool:
    """Return whether Python took the instructions as they are in the file.

    On loading it clears the units that it takes for caches, so that an instruction
    which stands there by another version's count would be lost.
    """
    return code.co_code in raw and all(_as_stored(one, raw) for one in _inner(code))


def _starts_well(code: types.CodeType) -> bool:
    """Return whether RESUME comes first, as in every function since Python 3.11."""
    if "RESUME" not in opcode.opmap:
        return len(code.co_code) > 0
    for index in range(0, len(code.co_code), 2):
        name = opcode.opname[code.co_code[index]]
        if name not in _PREFIXES:
            return False
        if name == "RESUME":
            return True
    return False


def _caches_fit(units: bytes) -> bool:
    index = 0
    while index + 1 < len(units):
        name = opcode.opname[units[index]]
        if name.startswith("<") or name == "CACHE":
            return False
        count = _cache_count(units[index], name)
        index += 2
        # the caches of code that never ran hold the opcode CACHE, which is 0
        if any(units[index : index + 2 * count : 2]):
            return False
        index += 2 * count
    return index == len(units)


def _cache_count(number: int, name: str) -> int:
    entries = _CACHES.get(name, 0) if isinstance(_CACHES, dict) else _CACHES[number]
    return int(entries)


def _operands_fit(code: types.CodeType) -> bool:
    """Return whether each operand names something; `dis` looks each of them up."""
    try:
        steps = list(dis.get_instructions(code))
    except (IndexError, KeyError, ValueError, TypeError):
        return False
    starts = {step.offset for step in steps}
    return all(step.argval in starts for step in steps if step.opcode in _JUMPS)


def _stack_holds(code: types.CodeType) -> bool:
    """Return whether no path takes more from the stack, or puts more, than there is.

    Handlers of exceptions are no part of the paths; generators start otherwise in each
    version and are not followed.
    """
    if code.co_flags & _GENERATOR:
        return True
    steps = {step.offset: step for step in dis.get_instructions(code)}
    order = sorted(steps)
    following = dict(itertools.pairwise(order))
    paths, seen = [(0, 0)], set()
    while paths:
        place, depth = paths.pop()
        if (place, depth) in seen:
            continue
        seen.add((place, depth))
        step = steps[place]
        for jump in (False, True) if step.opcode in _JUMPS else (False,):
            after = depth + _effect(step, jump=jump)
            target = step.argval if jump else following.get(place)
            if not 0 <= after <= code.co_stacksize:
                return False
            if not jump and step.opname in _ENDS:
                continue
            if target is None:
                return False
            paths.append((target, after))
    return True


def _effect(step: dis.Instruction, *, jump: bool) -> int:
    arg = step.arg if step.opcode >= dis.HAVE_ARGUMENT else None
    return dis.stack_effect(step.opcode, arg, jump=jump)


def _foreign(where: str) -> ModelError:
    return ModelError(
        f"{where} holds bytecode that is not of this Python "
        f"({platform.python_version()}) and cannot be run, trusted or not: build the "
        "model from its code with today's Keras, or open it with the Python and Keras "
        "that wrote it, replace the Lambda layers, and save it as .keras"
    )
