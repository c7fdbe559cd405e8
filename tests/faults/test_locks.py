"""The lock of a dataset: one holds it, and nobody holds it for ever."""

import errno
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from loyalty.errors import BusyError
from loyalty.reporting import locks
from loyalty.reporting.locks import Owner, held


@pytest.fixture(params=["the system's", "a file"])
def lock(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the lock lies; with the system's locks, and where there are none."""
    if request.param == "a file":

        def none(descriptor: int) -> None:
            raise OSError(errno.ENOLCK, "no locks")

        monkeypatch.setattr(locks, "_flock", none)
    return tmp_path / "interim" / "report.lock"


def signed(lock: Path) -> set[int]:
    """Processes that have signed in the lock's files."""
    owners = {locks.owner_of(path) for path in (lock, lock.with_suffix(".held"))}
    return {owner.pid for owner in owners if owner is not None}


def test_a_second_is_told_who_holds_it(lock: Path) -> None:
    told = rf"^tiny: another run is at work \(process {os.getpid()} on .*, since 2"
    with held(lock, "tiny"), pytest.raises(BusyError, match=told) as busy, held(lock, "tiny"):
        pass
    assert busy.value.exit_code == 4
    with held(lock, "tiny"):
        assert os.getpid() in signed(lock)


def test_who_waits_gets_it(lock: Path) -> None:
    told: list[str] = []
    holds, first_is_done = threading.Event(), threading.Event()

    def first() -> None:
        with held(lock, "tiny"):
            holds.set()
            while not told:
                time.sleep(0.01)
            first_is_done.set()

    thread = threading.Thread(target=first)
    thread.start()
    holds.wait()
    with held(lock, "tiny", wait=60, tell=told.append):
        assert first_is_done.is_set()
    thread.join()
    assert [line.partition(" (")[0] for line in told] == ["waiting for another run"]


def test_an_error_lets_it_go(lock: Path) -> None:
    with pytest.raises(ValueError, match="inside"), held(lock, "tiny"):
        raise ValueError("inside")
    with held(lock, "tiny"):
        pass


DEAD = Owner.this()


@pytest.mark.parametrize(
    "owner",
    [
        replace(DEAD, pid=2**22 + 1), replace(DEAD, process="1"), replace(DEAD, boot="another"),
        replace(DEAD, pid=2**22 + 1, since=""), replace(DEAD, pid=2**70),
    ],
    ids=["dead", "another of the same number", "before the machine started", "unsigned time", "no number of a process"],
)  # fmt: skip
def test_a_dead_owner_is_taken_over_from(lock: Path, owner: Owner) -> None:
    lock.parent.mkdir()
    for path in (lock, lock.with_suffix(".held")):
        path.write_text(json.dumps(asdict(owner)), "utf-8")
    told: list[str] = []
    with held(lock, "tiny", tell=told.append):
        assert os.getpid() in signed(lock)
    assert "taking over the lock of a run that broke off" in told[0]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": "x"}', "\x00" * 50])
def test_a_lock_that_nobody_signed_is_left_after_a_minute(lock: Path, text: str) -> None:
    lock.parent.mkdir()
    for path in (lock, lock.with_suffix(".held")):
        path.write_text(text, "utf-8")
        os.utime(path, (0, 0))
    with held(lock, "tiny"):
        assert signed(lock) == {os.getpid()}


@pytest.fixture
def file_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A lock that is a file."""

    def none(descriptor: int) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(locks, "_flock", none)
    return tmp_path / "report.lock"


def test_the_lock_of_another_machine_is_respected(file_lock: Path) -> None:
    elsewhere = replace(DEAD, host=f"not-{socket.gethostname()}", pid=2**22 + 1)
    file_lock.with_suffix(".held").write_text(json.dumps(asdict(elsewhere)), "utf-8")
    with pytest.raises(BusyError, match="on not-"), held(file_lock, "tiny"):
        pass


def test_a_lock_that_is_being_signed_is_respected(file_lock: Path) -> None:
    file_lock.with_suffix(".held").touch()
    with pytest.raises(BusyError, match="it does not say who"), held(file_lock, "tiny"):
        pass


def test_a_lock_file_that_was_deleted_locks_nobody_out(tmp_path: Path) -> None:
    lock = tmp_path / "report.lock"
    with held(lock, "tiny"):
        lock.unlink()
        with held(lock, "tiny"), pytest.raises(BusyError, match="tiny"), held(lock, "tiny"):
            pass


def test_a_full_disk_leaves_no_lock(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(locks, "_sign", full)
        with pytest.raises(OSError, match="No space left"), held(lock, "tiny"):
            pass
    with held(lock, "tiny"):
        pass
