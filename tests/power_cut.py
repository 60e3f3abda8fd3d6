"""A power cut at any change of a folder: what was not synchronized is lost.

`cut_at` runs something in a fork and kills it before its N-th call that changes the
folder, or writes, or synchronizes. What a file got since its last fsync is cut off
then, and a link that was replaced without its folder being synchronized is put back:
the least that a file system owes to a program that did not ask for more.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import traceback

_CHANGES = {"os.rename", "os.symlink", "os.remove", "os.rmdir", "os.mkdir"}
_CHANGES |= {"os.truncate", "os.link", "os.chmod"}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_fsync = os.fsync


class _Watch:
    """Counts what happens in a folder, and cuts the power at one of its moments."""

    def __init__(self, folder, moment, loses):
        self._folder, self._moment, self._loses = str(folder), moment, loses
        self._count, self._ended = 0, False
        self._sizes = {}  # what files had when they were last on the disk
        self._links = {}  # where links led that are not on the disk

    def audit(self, event, arguments):
        if self._ended:
            return
        if event == "open":
            self._open(*arguments)
        elif event in _CHANGES:
            paths = [os.fspath(a) for a in arguments[:2] if isinstance(a, (str, bytes))]
            paths = [os.fsdecode(path) for path in paths]
            if any(path.startswith(self._folder) for path in paths):
                self._pass(f"{event} {paths}")
                if event == "os.rename":
                    self._renamed(*paths)

    def fsync(self, descriptor):
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        if path.startswith(self._folder) and not self._ended:
            self._pass(f"fsync {path}")
            self._sizes.pop(path, None)
            for link in [k for k in self._links if os.path.dirname(k) == path]:
                del self._links[link]
        _fsync(descriptor)

    def _open(self, path, mode, flags):
        if isinstance(path, int) or not (flags & _WRITING):
            return
        path = os.path.abspath(os.fsdecode(path))
        if path.startswith(self._folder):
            self._pass(f"open {path}")
            known = os.path.getsize(path) if os.path.exists(path) else 0
            self._sizes.setdefault(path, 0 if flags & os.O_TRUNC else known)

    def _renamed(self, before, after):
        if os.path.islink(before) and os.path.islink(after):
            self._links.setdefault(after, os.readlink(after))
        for path in [p for p in self._sizes if p.startswith(before)]:
            self._sizes[after + path[len(before) :]] = self._sizes.pop(path)

    def _pass(self, what):
        self._count += 1
        if self._count != self._moment:
            return
        self._ended = True
        if self._loses:
            self._lose()
        os.write(2, f"cut before {what}\n".encode())
        os.kill(os.getpid(), signal.SIGKILL)

    def _lose(self):
        for path, size in self._sizes.items():
            with contextlib.suppress(FileNotFoundError):
                os.truncate(path, size)
        for link, target in self._links.items():
            os.unlink(link)
            os.symlink(target, link)


def cut_at(moment, folder, action, *, loses=False):
    """Run something in a fork, and end it at a moment.

    Parameters
    ----------
    moment : int
        From 1.
    folder : Path
        Changes in it are counted.
    action : callable
        What is run; its result is an exit status.
    loses : bool
        A power cut, and not a kill alone.

    Returns
    -------
    bool
        Whether there was such a moment; else the action ran to its end.
    """
    child = os.fork()
    if child == 0:
        status = 1
        try:
            watch = _Watch(folder, moment, loses)
            sys.addaudithook(watch.audit)
            os.fsync = watch.fsync
            status = action()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0
    return False
