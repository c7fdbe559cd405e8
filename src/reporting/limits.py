"""How a run is ended before it is done: by a signal, or by the clock. What it is putting in place is finished first."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from ..errors import OverdueError

ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGALRM") if hasattr(signal, name))
GRACE = 60
"""Seconds after its limit at which a run is ended that does not listen, as compiled code may not."""


class Stopped(SystemExit):
    """A signal asked the run to end; `code` is 128 and its number, as a shell says it."""


class _Pending:
    """Signals that arrived while something was put in place."""

    holding = 0
    waiting: int | None = None
    ended_by: BaseException | None = None


@contextmanager
def ending() -> Iterator[None]:
    """Let signals end what runs inside.

    Raises
    ------
    KeyboardInterrupt
        At SIGINT (Ctrl-C).
    Stopped
        At SIGTERM or SIGHUP.
    """
    if threading.current_thread() is not threading.main_thread():  # signals are the main thread's
        yield
        return
    before = {number: signal.signal(number, _arrived) for number in ENDING}
    _Pending.waiting, _Pending.ended_by = None, None
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def clock(seconds: float | None) -> Iterator[None]:
    """Let time end what runs inside; it lies inside `ending`.

    Parameters
    ----------
    seconds : longest that it may take; as long as it needs, if None.

    Raises
    ------
    OverdueError
        After that.
    """
    if seconds is None or not hasattr(signal, "setitimer"):
        yield
        return
    _Pending.ended_by = None  # the run before this one may have taken too long too
    last_resort = threading.Timer(seconds + GRACE, _leave_at_once)
    last_resort.daemon = True
    last_resort.start()
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except OverdueError:
        raise OverdueError(f"the run took longer than the {seconds / 60:g} minutes that it was given") from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        last_resort.cancel()


@contextmanager
def undisguised() -> Iterator[None]:
    """Let what ends the run go on as what it is: DuckDB, for one, makes an error of its own of it, or loses it."""
    try:
        yield
    except Exception as error:
        if _Pending.ended_by is None or error is _Pending.ended_by:
            raise
        raise _Pending.ended_by from error
    if _Pending.ended_by is not None:
        raise _Pending.ended_by


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let what is inside be finished before a signal ends the run."""
    _Pending.holding += 1
    try:
        yield
    finally:
        _Pending.holding -= 1
    if not _Pending.holding and _Pending.waiting is not None:
        number, _Pending.waiting = _Pending.waiting, None
        _end(number)


def _arrived(number: int, frame: FrameType | None) -> None:
    if _Pending.holding:
        _Pending.waiting = number
    else:
        _end(number)


def _end(number: int) -> None:
    """Raise what ends the run; whoever asks twice does not want to wait for the cleaning up."""
    if _Pending.ended_by is not None:
        _leave_at_once(128 + number)
    if number == signal.SIGINT:
        _Pending.ended_by = KeyboardInterrupt()
    elif number == getattr(signal, "SIGALRM", None):
        _Pending.ended_by = OverdueError()
    else:
        _Pending.ended_by = Stopped(128 + number)
    raise _Pending.ended_by


def _leave_at_once(code: int = 1) -> None:
    """End this process and its kernels now; what it had not put in place is cleared away by the next run."""
    if "loyalty.reporting.kernels" in sys.modules:
        sys.modules["loyalty.reporting.kernels"].stop_all()
    sys.stderr.write("loyalty: ended at once; nothing was published\n")
    sys.stderr.flush()
    os._exit(code)
