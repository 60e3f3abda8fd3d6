"""Why a library of machine code cannot be loaded, in one line."""

from __future__ import annotations

_NO_MEMORY = ("failed to map segment", "cannot allocate memory")


def unloadable(error: ImportError) -> str | None:
    """Return why a library could not be loaded.

    Packages say so in many words of their own; the reason is that of the system.

    Parameters
    ----------
    error : ImportError
        What an import raised.

    Returns
    -------
    str or None
        None where no library of machine code is to blame.

    Examples
    --------
    >>> unloadable(ImportError("libGL.so.1: cannot open shared object file"))
    'cannot load libGL.so.1: cannot open shared object file'
    >>> unloadable(ImportError("/a/cv2.abi3.so: failed to map segment"))
    'not enough memory to load /a/cv2.abi3.so (failed to map segment)'
    >>> unloadable(ImportError("cannot import name 'Frame' from 'edgeseg'"))
    """
    seen: BaseException | None = error
    while seen is not None:
        library, colon, reason = str(seen).partition(": ")
        is_library = ".so" in library and " " not in library
        if isinstance(seen, ImportError) and colon and is_library:
            if any(words in reason.lower() for words in _NO_MEMORY):
                return f"not enough memory to load {library} ({reason})"
            return f"cannot load {library}: {reason}"
        seen = seen.__cause__ or seen.__context__
    return None
