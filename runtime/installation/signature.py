"""Who signed a model: OpenSSH's signatures of files, checked by ``ssh-keygen -Y``.

OpenSSH is on every board that is reached over SSH, its keys are those that people have
(FIDO tokens too), and its file of allowed signers can be dated and revoked. A model is
signed by ``ssh-keygen -Y sign -f KEY -n edgeseg FILE``, which writes ``FILE.sig``.

References
----------
ssh-keygen(1), chapters "-Y sign", "-Y verify" and ALLOWED SIGNERS
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from edgeseg.devices import InputError, MissingDriverError
from edgeseg.devices.plain_files import kind_of
from edgeseg.devices.plain_text import printable

if TYPE_CHECKING:
    from pathlib import Path

NAMESPACE = "edgeseg"  # so that a signature made for something else does not count
SUFFIX = ".sig"
LARGEST = 64 * 1024  # bytes of a signature
_LIMIT_S = 60.0


def check_signature(model: Path, signature: Path, signers: Path) -> str:
    """Return who signed a file.

    Parameters
    ----------
    model : Path
        The file.
    signature : Path
        As ``ssh-keygen -Y sign`` writes it.
    signers : Path
        Allowed signers: a line each of names and a public key.

    Raises
    ------
    InputError
        The signature is no such thing, or not by an allowed signer of this file.
    MissingDriverError
        OpenSSH is not installed.
    """
    if kind_of(signers) != "file":
        raise InputError(
            f"--signer: expected a file of allowed signers at {signers}, a line each "
            "of a name and a public key"
        )
    given = ("-s", str(signature), "-f", str(signers))
    done, said = _ssh_keygen("find-principals", *given)
    name = said.splitlines()[0].strip() if done and said.strip() else ""
    if not name:
        raise InputError(
            f"the model is not signed by anybody in {signers}: {_reason(said)}"
        )
    # a principal is one of a list with commas
    name = name.partition(",")[0]
    more = ("-I", name, "-n", NAMESPACE)
    done, said = _ssh_keygen("verify", *given, *more, content=model)
    if not done:
        raise InputError(
            f"the signature of {printable(name, 80)} is not one of this model: "
            f"{_reason(said)}; sign it with ssh-keygen -Y sign -n {NAMESPACE}"
        )
    return name


def _ssh_keygen(
    what: str, *arguments: str, content: Path | None = None
) -> tuple[bool, str]:
    program = shutil.which("ssh-keygen")
    if program is None:
        raise MissingDriverError(
            "a signature needs ssh-keygen to be checked: apt install openssh-client"
        )
    call = [program, "-Y", what, *arguments]
    try:
        with open(os.devnull if content is None else content, "rb") as file:
            done = subprocess.run(
                call,
                stdin=file,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=_LIMIT_S,
                check=False,
            )
    except subprocess.TimeoutExpired:
        return False, f"ssh-keygen gave no answer in {_LIMIT_S:.0f} s"
    good = done.returncode == 0
    return good, done.stdout if good else done.stderr or done.stdout


def _reason(said: str) -> str:
    return printable(said.strip().rpartition("\n")[2], 160) or "no reason given"
