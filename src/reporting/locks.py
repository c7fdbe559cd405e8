"""One run a dataset at a time: a lock that tells who holds it, and that does not outlive its owner."""

import errno
import json
import os
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from ..errors import BusyError

NOT_SUPPORTED = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)
PAUSE = 0.2
"""Seconds between two looks at a lock that is waited for."""

UNSIGNED = 60
"""Seconds after which a lock file in which nobody has signed is nobody's."""


@dataclass(frozen=True)
class Owner:
    """A process that holds a lock, or has made a record.

    Attributes
    ----------
    pid : its number, which another process may have later.
    process : when the system says that it began, in the system's own count; empty where it does not say.
    host, boot : the machine, and which start of it; the latter empty where it has no name.
    since : ISO 8601, UTC.
    """

    pid: int
    process: str
    host: str
    boot: str
    since: str

    @classmethod
    def this(cls) -> "Owner":
        """Sign for the process that runs now."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(os.getpid(), _began(os.getpid()) or "", socket.gethostname(), _boot(), now)

    @classmethod
    def read(cls, said: object) -> "Owner | None":
        """The owner that was written down, or None if that is none."""
        if not isinstance(said, dict) or not isinstance(said.get("pid"), int):
            return None
        return cls(said["pid"], *(str(said.get(name, "")) for name in ("process", "host", "boot", "since")))

    def alive(self) -> bool:
        """Whether it still runs; of another machine's process that is not known, and it is taken to."""
        if self.host != socket.gethostname():
            return True
        if self.boot != _boot():
            return False
        if os.name != "posix":
            return True  # there a signal of 0 would end it
        try:
            os.kill(self.pid, 0)
        except (ProcessLookupError, OverflowError):
            return False
        except PermissionError:
            pass
        began = _began(self.pid)
        return began is None or (began == self.process and bool(began)) or not self.process

    def __str__(self) -> str:
        """Who, for a message."""
        return f"process {self.pid} on {self.host or 'an unknown machine'}, since {self.since or 'an unknown time'}"


@contextmanager
def held(path: Path, what: str, *, wait: float = 0.0, tell: Callable[[str], None] = lambda _: None) -> Iterator[None]:
    """Hold a lock.

    The system's own lock on a file is used where there is one: it ends with its owner, however that ends. Elsewhere
    the file itself is the lock, and one whose owner is dead is taken over.

    Parameters
    ----------
    path : the file of the lock; it stays.
    what : is locked, for messages.
    wait : seconds to wait for another to let go.
    tell : told when it waits, and when it takes over what a dead process left.

    Raises
    ------
    BusyError
        If another holds it still after that.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    until, told = time.monotonic() + wait, False
    while (release := _taken(path, tell)) is None:
        owner = owner_of(path) or owner_of(_file_lock(path))
        if time.monotonic() >= until:
            raise BusyError(
                f"{what}: another run is at work ({owner or 'it does not say who'}); nothing was done, "
                "--wait SECONDS waits for it"
            )
        if not told:
            tell(f"waiting for another run ({owner or 'it does not say who'})")
            told = True
        time.sleep(max(0.0, min(PAUSE, until - time.monotonic())))
    try:
        yield
    finally:
        release()


def owner_of(path: Path) -> Owner | None:
    """Who has signed in a lock file, or None."""
    try:
        return Owner.read(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError):
        return None


def _taken(path: Path, tell: Callable[[str], None]) -> Callable[[], None] | None:
    """Take a lock; what lets it go, or None if another has it."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _flock(descriptor)
            if not _is_at(descriptor, path):  # somebody deleted the file, and a lock on it locks out nobody
                os.close(descriptor)
                continue
            before = owner_of(path)
            if before is not None:  # who lets go wipes out the name
                tell(f"taking over the lock of a run that broke off ({before})")
            _sign(descriptor)
        except OSError as error:
            os.close(descriptor)
            if isinstance(error, BlockingIOError):
                return None
            if error.errno in NOT_SUPPORTED:
                return _made(_file_lock(path), tell)
            raise
        return lambda: _let_go(descriptor)


def _flock(descriptor: int) -> None:
    """Ask the system for a lock on a file, at once or not at all."""
    try:
        import fcntl
    except ImportError:  # Windows
        raise OSError(errno.ENOSYS, "no locks on files") from None
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _sign(descriptor: int) -> None:
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, json.dumps(asdict(Owner.this())).encode())


def _let_go(descriptor: int) -> None:
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
    os.close(descriptor)


def _file_lock(path: Path) -> Path:
    """The file that is the lock itself, where the system has none."""
    return path.with_suffix(".held")


def _made(path: Path, tell: Callable[[str], None]) -> Callable[[], None] | None:
    """Take a lock that is a file: it is there, or it is not."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        return _made(path, tell) if _cleared(path, tell) else None
    try:
        _sign(descriptor)
    except OSError:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)
    return lambda: path.unlink(missing_ok=True)


def _cleared(path: Path, tell: Callable[[str], None]) -> bool:
    """Remove a dead owner's lock file; False where it has to be respected."""
    owner = owner_of(path)
    try:
        if owner.alive() if owner else time.time() - path.stat().st_mtime < UNSIGNED:
            return False
        aside = path.with_name(f".{path.name}-{uuid.uuid4().hex}")
        os.rename(path, aside)
    except FileNotFoundError:  # let go, or cleared by another, in this moment
        return True
    if owner_of(aside) != owner:  # another was faster, and this is its lock
        with suppress(FileExistsError):
            os.link(aside, path)
        aside.unlink()
        return False
    aside.unlink()
    tell(f"taking over the lock of a run that broke off ({owner or 'it did not say who'})")
    return True


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


def _began(pid: int) -> str | None:
    """When a process began, in ticks; empty if it is dead but not yet buried, None where the system does not say."""
    try:
        said = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return None
    fields = said.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]
