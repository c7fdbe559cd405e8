"""The secret key by which it is decided who is held out: the same for good, and nobody else's."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from .errors import SettingsError
from .programme.drawing import LONGEST_KEY, SHORTEST_KEY

VARIABLE = "LOYALTY_KEY"
OTHERS = 0o077
"""Rights that nobody but the owner may have."""


def key(tell: Callable[[str], None] = lambda _: None) -> bytes:
    """The key: of the environment, else of the file in the user's configuration folder, which is made at first use.

    Parameters
    ----------
    tell : told in a sentence when a file is made.

    Raises
    ------
    SettingsError
        If the key is too short or too long, or others may read its file.
    """
    return found() or _made(tell)


def found() -> bytes | None:
    """The key, if there is one."""
    if given := os.environ.get(VARIABLE):
        return _checked(given.encode(), VARIABLE)
    file = place()
    if not file.is_file():
        return None
    if os.name == "posix" and (mode := file.stat().st_mode & 0o777) & OTHERS:
        raise SettingsError(f"{file}: expected a key that its owner alone can read (mode 600), found mode {mode:o}")
    return _checked(file.read_bytes().strip(), str(file))


def place() -> Path:
    """Where the key is kept that no environment gives."""
    base = os.environ.get("XDG_CONFIG_HOME") or os.environ.get("APPDATA")
    return (Path(base) if base else Path.home() / ".config") / "loyalty" / "key"


def _made(tell: Callable[[str], None]) -> bytes:
    file, new = place(), secrets.token_hex(LONGEST_KEY // 2).encode()
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:  # a run beside this one was first
        return found() or new
    with os.fdopen(handle, "wb") as opened:
        opened.write(new + b"\n")
    tell(f"a key was made: {file}; keep a copy, for without it other customers are held out in the next run")
    return new


def _checked(value: bytes, where: str) -> bytes:
    if not SHORTEST_KEY <= len(value) <= LONGEST_KEY:
        raise SettingsError(
            f"{where}: expected a key of {SHORTEST_KEY} to {LONGEST_KEY} bytes, found {len(value)} of them"
        )
    return value
