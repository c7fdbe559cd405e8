"""What a command costs, what machine it ran on, and how that is told in a table."""

import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple


class Cost(NamedTuple):
    """Cost of one process: user-CPU, system-CPU and elapsed time in seconds, peak memory in bytes."""

    user: float
    system: float
    elapsed: float
    peak: int


def measure(command: Sequence[str]) -> tuple[Cost, str]:
    """Run a command; what it cost by the operating system's account, and what it wrote to standard output.

    Raises
    ------
    subprocess.CalledProcessError
        If it fails; what it wrote to standard error has been shown.
    """
    began = os.times().elapsed
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
    with process.stdout as stream:
        told = stream.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(usage.ru_utime, usage.ru_stime, os.times().elapsed - began, usage.ru_maxrss * unit), told


def least(costs: Sequence[Cost]) -> Cost:
    """The run with the least user-CPU, which others on the machine disturbed least, with the highest peak of all."""
    return min(costs, key=lambda cost: cost.user)._replace(peak=max(cost.peak for cost in costs))


def aside(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a process of its own.

    A process that is started counts its parent's memory as its own peak, on Linux at least: one that measures others
    must stay small, and leave what needs memory to this.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def machine() -> str:
    """Processor, cores, memory and Python, without anything that names this one machine."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{_processor()}, {cores} cores, {memory:.0f} GiB of memory, {platform.system()}, "
        f"Python {platform.python_version()}"
    )


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*:\s*(.+)$", told.read_text(), re.MULTILINE) if told.exists() else None
    return found[1].strip() if found else platform.processor() or platform.machine()


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, text to the left and numbers, as all columns but the first two are, to the right.

    Examples
    --------
    >>> print(markdown(["task", "by", "s"], [["sum", "us", "1.0"]]))
    | task | by | s |
    |:--|:--|--:|
    | sum | us | 1.0 |
    """
    sides = [":--" if at < 2 else "--:" for at in range(len(header))]
    lines = [" | ".join(header), *(" | ".join(row) for row in rows)]
    head, *body = (f"| {line} |" for line in lines)
    return "\n".join([head, f"|{'|'.join(sides)}|", *body])
