"""What ends a run arrives as what it is, wherever the run was."""

import os
import subprocess
import sys

import pytest
from loyalty.reporting import limits

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")

QUERY = """
import os, signal, threading, duckdb
from loyalty.reporting import limits

def query():  # some seconds in compiled code
    duckdb.sql("SELECT sum(hash(range)) FROM range(700_000_000)").fetchall()
"""
SIGNAL = (
    QUERY
    + """
try:
    with limits.ending(), limits.undisguised():
        threading.Timer(0.3, os.kill, (os.getpid(), signal.{name})).start()
        query()
except BaseException as error:
    print(type(error).__name__, error)
"""
)
CLOCK = (
    QUERY
    + """
with limits.ending():
    for _ in range(2):
        try:
            with limits.clock(0.3), limits.undisguised():
                query()
        except BaseException as error:
            print(type(error).__name__, error)
"""
)
LOST = """
import contextlib, os, signal, time
from loyalty.reporting import limits

try:
    with limits.ending(), limits.undisguised():
        with contextlib.suppress(SystemExit):
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(60)
except BaseException as error:
    print(type(error).__name__, error)
"""


def said_by(program: str) -> list[str]:
    """The lines that a program prints in a process of its own, which a signal may end."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{done.returncode}: {done.stderr}"
    return [line.strip() for line in done.stdout.splitlines()]


@pytest.mark.parametrize(("name", "ended"), [("SIGTERM", "Stopped 143"), ("SIGINT", "KeyboardInterrupt")])
def test_a_signal_within_a_query_of_the_engine(name: str, ended: str) -> None:
    assert said_by(SIGNAL.format(name=name)) == [ended]


def test_the_clock_within_a_query_of_the_engine_also_the_second_time() -> None:
    assert said_by(CLOCK) == ["OverdueError the run took longer than the 0.005 minutes that it was given"] * 2


def test_an_end_that_got_lost_on_the_way_is_one() -> None:
    assert said_by(LOST) == ["Stopped 143"]


def test_an_error_that_no_signal_made_stays_what_it_is() -> None:
    with pytest.raises(RuntimeError, match="no signal"), limits.ending(), limits.undisguised():
        raise RuntimeError("no signal")
