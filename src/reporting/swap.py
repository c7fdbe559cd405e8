"""Put a finished folder in the place of another at one instant."""

import ctypes
import errno
import os
import shutil
import sys
import uuid
from pathlib import Path

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2  # Linux, renameat2
_RENAME_SWAP = 2  # macOS, renamex_np


def sync(folder: Path) -> None:
    """Bring the files of a folder, and the folder itself, to the disk."""
    for path in [*sorted(item for item in folder.rglob("*")), folder]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def swap_in(staged: Path, target: Path) -> None:
    """Make `staged` the folder `target`; whoever reads sees the old one or the new one.

    Both lie in the same folder. What was there before is deleted.

    Raises
    ------
    OSError
        If the file system refuses; the old folder is then still in its place.
    """
    if not target.exists():
        os.rename(staged, target)
    elif _exchange(staged, target):
        shutil.rmtree(staged)
    else:
        _in_two_steps(staged, target)
    if os.name == "posix":
        descriptor = os.open(target.parent, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


def point(link: Path, target_name: str) -> None:
    """Make the symbolic link `link` point to its sibling `target_name`, in one step."""
    fresh = link.with_name(f".{link.name}-{uuid.uuid4().hex}")
    os.symlink(target_name, fresh, target_is_directory=True)
    os.replace(fresh, link)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one system call; False where system or file system have none."""
    if sys.platform not in ("linux", "darwin"):
        return False
    library = ctypes.CDLL(None, use_errno=True)
    first, second = os.fsencode(one), os.fsencode(other)
    try:
        if sys.platform == "darwin":
            failed = library.renamex_np(first, second, _RENAME_SWAP)
        else:
            failed = library.renameat2(_AT_FDCWD, first, _AT_FDCWD, second, _RENAME_EXCHANGE)
    except AttributeError:  # an older C library
        return False
    if not failed:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP):
        return False
    raise OSError(code, os.strerror(code), str(other))


def _in_two_steps(staged: Path, target: Path) -> None:
    """Rename the old folder away and the new one in; put the old one back if that fails."""
    aside = target.with_name(f".{target.name}-{uuid.uuid4().hex}")
    os.rename(target, aside)
    try:
        os.rename(staged, target)
    except OSError:
        os.rename(aside, target)
        raise
    shutil.rmtree(aside)
