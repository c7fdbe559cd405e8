"""The kernel that a notebook runs in: IPython's, but killed by the system when its parent dies; `quit()` is an error.

IPython's own kernel looks once a second whether its parent is still there, and does not look while it computes in
compiled code. After `quit()` it goes on for a tenth of a second, in which further cells may run, or may not.
"""

import ctypes
import os
import runpy
import signal
import sys
from typing import NoReturn

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


if __name__ == "__main__":
    die_with_parent()
    ZMQExitAutocall.__call__ = leave  # type: ignore[method-assign]
    runpy.run_module("ipykernel_launcher", run_name="__main__")
