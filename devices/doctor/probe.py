"""Run by the doctor in a child: import and run what may crash, one line a step.

Each line is ``STEP NAME TEXT``. The last step that was begun and not ended is the one
that killed the process.
"""

from __future__ import annotations

import base64
import zlib
from typing import TYPE_CHECKING

from edgeseg.devices.plain_text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

# a 1x1 convolution of 4x4x2 float32 values, kernel 0 1 2 3, made with TFLiteConverter
_TINY = (
    "eNptU8FOwkAQHWxVgg1qJMYDBw6eG0A9aEyEgEaNglH04qGSUE0TKAaK8eDBD/BgjEfjF/gBno0nY/wC"
    "TsbvsL7ZTgshLrx093Xe7MzbbZqIalt7SynKUJoWKEUzZICLk445gSO6A36AzxhRH3jRiPAnTBHNI6FU"
    "rElgZYhuHZgGunbnynEvrIZ9Xu81PaXTgSff9zWZx4F2z7vseVaWJDfzH7++r8v6GhgDluVdH/oJmc8B"
    "pWrlZPPwaKdasfY3a8VysVZE3qAuzj8+FNtyXKvTcz2nZVtXdqfrtF2alD77wDvXBzwCnuhO/KCWs6hv"
    "rjsZ5WduUbETigtrI+VJ6K2u/CmWVp9PjwtPmvSkKxVR3sznTDjwJntxzpy5YmZpMOLw5HvovYwC0e0G"
    "HoXR/eND2jK02wCfy/7ezmGm1HbRv2c3TOVxSkUlo2o5T1L4tHjB53AjuVt1xw3PK9TOq7oMmhJtOtg6"
    "lon8SUR3LCHaEJqAxJdhPia8Lmd0DxzIehd+cMiMeMIc77cMfpbj6h3P8XDKdqNUbzbXshIT3jNd9nsY"
    "yaNJXzfg+X6wXflyLooP6+P514h2TLSvck8D7SCe4NSCigicDsak8o/zpEQfE9909Qvu78g3ZV2jo//6"
    "Cb9RQ51H4J4x8Fj7A/jcgEY="
)


def main() -> None:
    """Import numpy, OpenCV and the interpreter; run a model; print each step."""
    if _step("numpy", _numpy):
        _step("opencv", _opencv)
        _step("interpreter", _interpreter)


def _step(name: str, run: Callable[[], str]) -> bool:
    print("begin", name, flush=True)
    try:
        text = run()
    except (ImportError, ValueError, RuntimeError, AttributeError, OSError) as error:
        print("failed", name, one_line(error, 300), flush=True)
        return False
    print("passed", name, text, flush=True)
    return True


def _numpy() -> str:
    import numpy as np

    return str(np.__version__)


def _opencv() -> str:
    import cv2

    return str(cv2.__version__)


def _interpreter() -> str:
    import numpy as np

    from edgeseg.devices.litert import find_runtime

    runtime = find_runtime()
    model = zlib.decompress(base64.b64decode(_TINY))
    interpreter = runtime.module.Interpreter(model_content=model, num_threads=1)
    interpreter.allocate_tensors()
    shape = interpreter.get_input_details()[0]["shape"]
    interpreter.set_tensor(
        interpreter.get_input_details()[0]["index"], np.ones(shape, np.float32)
    )
    interpreter.invoke()
    result = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    # ones through the kernel [[0, 1], [2, 3]]: 0 + 2 and 1 + 3
    if result[0, 0, 0].tolist() != [2.0, 4.0]:
        raise RuntimeError(f"a convolution gave {result[0, 0, 0].tolist()}")
    operators = [operator["op_name"] for operator in interpreter._get_ops_details()]
    taken = "xnnpack" if "DELEGATE" in operators else "plain"
    return f"{runtime.name} {runtime.version} {taken}"


if __name__ == "__main__":
    main()
