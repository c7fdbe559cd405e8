"""The kernel that a notebook runs in: IPython's, but killed by the system when its parent dies.

`quit()` is an error in it, and text that UTF-8 cannot hold is printed all the same.

IPython's own kernel looks once a second whether its parent is still there, and does not look while it computes in
compiled code. After `quit()` it goes on for a tenth of a second, in which further cells may run, or may not.
"""

import ctypes
import os
import runpy
import signal
import sys
from typing import NoReturn

from ipykernel.iostream import OutStream
from IPython.core.autocall import ZMQExitAutocall

PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Ask the system to kill this process when its parent dies, however that dies; only Linux can."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != int(os.environ.get("JPY_PARENT_PID") or os.getppid()):  # it died before that
        os._exit(1)


def leave(*_: object, **__: object) -> NoReturn:
    """What `quit` and `exit` do in a notebook: end it in an error that its output holds."""
    raise SystemExit("quit() was called")


_write = OutStream.write


def write(self: OutStream, string: str) -> int | None:
    """What `print` writes with, for text that UTF-8 cannot hold too: a question mark stands for what it cannot."""
    return _write(self, string.encode("utf-8", "replace").decode("utf-8"))


if __name__ == "__main__":
    die_with_parent()
    OutStream.write = write  # type: ignore[method-assign]
    ZMQExitAutocall.__call__ = leave  # type: ignore[method-assign]
    runpy.run_module("ipykernel_launcher", run_name="__main__")
