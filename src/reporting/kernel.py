"""The kernel that a notebook runs in: IPython's, and killed by the system when its parent dies.

IPython's own kernel looks once a second whether its parent is still there, and does not look while it computes in
compiled code.
"""

import ctypes
import os
import runpy
import signal
import sys

PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Ask the system to kill this process when its parent dies, however that dies; only Linux can."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != int(os.environ.get("JPY_PARENT_PID") or os.getppid()):  # it died before that
        os._exit(1)


if __name__ == "__main__":
    die_with_parent()
    runpy.run_module("ipykernel_launcher", run_name="__main__")
