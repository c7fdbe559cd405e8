"""Kernels of this very interpreter, which end with whoever started them."""

import importlib.util
import os
import signal
import sys
import threading
from contextlib import suppress
from typing import Any, ClassVar
from weakref import WeakSet

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

from ..errors import NotebookError


class Kernels(AsyncKernelManager):
    """Starts kernels of this very interpreter, whatever a kernel specification called python3 says."""

    running: ClassVar["WeakSet[Kernels]"] = WeakSet()
    groups: ClassVar[dict[int, list[int]]] = {}
    """Process groups of the kernels that were started, by thread; a kernel leads its own."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.running.add(self)

    @property
    def kernel_spec(self) -> KernelSpec:
        """How to start the kernel."""
        command = [sys.executable, "-m", f"{__package__}.kernel", "-f", "{connection_file}", "--log-level=50"]
        return KernelSpec(argv=command, display_name="Python 3", language="python")

    async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]
        """Start the kernel; what it reads lies in the project that it runs in, wherever its parent does."""
        options["env"] = {**os.environ, **options.get("env", {}), "LOYALTY_ROOT": str(options["cwd"])}
        await self._async_start_kernel(**options)
        group: int = self.provisioner.pid  # type: ignore[union-attr]  # there is one, and it is of this machine
        self.groups.setdefault(threading.get_ident(), []).append(group)


def stop_all() -> None:
    """Kill every kernel that was started here and still runs; their notebooks then fail."""
    for manager in list(Kernels.running):
        process = getattr(manager.provisioner, "process", None)
        if process is not None and process.poll() is None:
            process.kill()


def sweep() -> None:
    """Kill what the kernels that this thread started have left running."""
    for group in Kernels.groups.pop(threading.get_ident(), []):
        if hasattr(os, "killpg"):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)


def require() -> None:
    """Check that a kernel can be started at all.

    Raises
    ------
    NotebookError
        If the package that notebooks run in is not installed.
    """
    if importlib.util.find_spec("ipykernel") is None:
        raise NotebookError("notebooks cannot be run: the package ipykernel is not installed; run `make setup`")
