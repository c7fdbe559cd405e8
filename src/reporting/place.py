"""Where a report lies: the folder of its date, `latest`, and which of them are kept."""

import hashlib
import json
import re
import shutil
import time
import uuid
from collections.abc import Collection, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..settings import variant
from . import swap

if TYPE_CHECKING:
    from ..experiments import Experiment
    from ..study import Study

NAME = re.compile(r"(\d{4}-\d{2}-\d{2})((?:-h\d+)?(?:-a\d+)?(?:-p[0-9a-f]{8})?)")
KEPT_SECONDS = 24 * 3600
"""How long what a run left unfinished, or no report uses, is kept."""


def folder_name(study: "Study | Experiment", parameters: Mapping[str, Any]) -> str:
    """Return the name of a report's folder: its date, and what is not as the dataset file says.

    A report with another horizon (`-h60`), another activity (`-a90`) or parameters of notebooks (`-p` and a hash of
    them) has a place of its own beside the one that readers know.
    """
    name = f"{study.as_of}{variant(study, study.dataset.study)}"
    if parameters:
        said = json.dumps(dict(parameters), sort_keys=True)
        name += f"-p{hashlib.sha256(said.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    return name


def is_standard(name: str) -> bool:
    """Whether a folder holds a report as the dataset file says it.

    Examples
    --------
    >>> is_standard("2020-01-01"), is_standard("2020-01-01-h60"), is_standard("latest")
    (True, False, False)
    """
    found = NAME.fullmatch(name)
    return found is not None and not found[2]


def move_latest(target: Path) -> None:
    """Let `latest` point to `target`, unless that is not a standard report, or it points to one of a later date."""
    if not is_standard(target.name):
        return
    link = target.parent / "latest"
    now = link.readlink().name if link.is_symlink() else ""
    if now == target.name or (now > target.name and (link / "manifest.json").exists()):
        return
    swap.point(link, target.name)


def keep_newest(reports: Path, number: int, made: Collection[str] = ()) -> list[str]:
    """Delete all reports of a dataset but those of its newest dates.

    Parameters
    ----------
    reports : folder of the dataset's reports.
    number : how many dates are kept, with all reports of that date.
    made : names of folders that are kept in any case, as is the one that `latest` points to.

    Returns
    -------
    list
        Names of the folders that were deleted. A folder that is not a report of ours is left alone.
    """
    link = reports / "latest"
    found = {path.name: NAME.fullmatch(path.name) for path in reports.iterdir() if _is_report(path)}
    newest = sorted({match[1] for match in found.values() if match}, reverse=True)[:number]
    spared = {*made, link.readlink().name if link.is_symlink() else ""}
    gone = sorted(name for name, match in found.items() if match and match[1] not in newest and name not in spared)
    for name in gone:
        aside = reports / f".{name}-{uuid.uuid4().hex}"  # so that no reader meets half of it
        (reports / name).rename(aside)
        shutil.rmtree(aside, ignore_errors=True)
    return gone


def forget(runs: Path, reports: Path, keep: Collection[Path]) -> None:
    """Delete executed notebooks that have not been used for long, and what killed runs left behind."""
    oldest = time.time() - KEPT_SECONDS
    left = [*runs.iterdir(), *(path for path in reports.glob(".*") if NAME.match(path.name[1:]))]
    for path in left:
        try:
            if path in keep or path.lstat().st_mtime > oldest:
                continue
        except FileNotFoundError:  # a run beside this one has moved it
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def clear(reports: Path, runs: Path) -> None:
    """Delete what a killed run left half done; only the holder of the dataset's lock may."""
    for path in [*reports.glob(".*-*"), *runs.glob(".run-*")]:
        staged = NAME.match(path.name[1:]) or path.name.startswith((".latest-", ".run-", ".archive-"))
        if staged and (path.is_symlink() or path.is_file()):
            path.unlink(missing_ok=True)
        elif staged:
            shutil.rmtree(path, ignore_errors=True)


def dates(first: date, last: date, every: int) -> list[date]:
    """Return every so many days from the first to the last.

    Examples
    --------
    >>> [day.isoformat() for day in dates(date(2020, 1, 1), date(2020, 1, 20), 7)]
    ['2020-01-01', '2020-01-08', '2020-01-15']
    """
    span = range(first.toordinal(), last.toordinal() + 1, every)
    return [date.fromordinal(day) for day in span]


def _is_report(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and (path / "manifest.json").is_file()
