"""Whether a report is made of one state of the data and the notebooks, or something was changed under it."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import LoyaltyError, RefusedError

if TYPE_CHECKING:
    from ..experiments import Experiment
    from ..study import Study

CLOCKS = 5.0
"""Seconds by which the clock of the disk may be behind ours."""


def require_unchanged_data(parts: "Sequence[Study | Experiment]", since: datetime) -> None:
    """Check that the data is what it was when the run began.

    Databases are not looked at again: their rows were copied at one time. Files are hashed again only if the disk
    says that they were written since.

    Parameters
    ----------
    parts : all that is reported, as it was opened.
    since : when the run began, before anything was opened.

    Raises
    ------
    RefusedError
        If something was changed. What was computed of it is forgotten.
    """
    written = [path for path in files(parts[0]) if _written(path, since)]
    if not written:
        return
    try:
        changed = any(key_now(part) != data_key(part) for part in parts)
    except LoyaltyError:  # it is gone, or no longer what it was said to be
        changed = True
    if changed:
        for part in parts:
            discard(part)
        raise _refused(written[0].name)


def is_code_changed(before: Mapping[str, str], now: Mapping[str, str], paths: Mapping[str, Path]) -> bool:
    """Whether the code, on which all notebooks depend, is not what it was when the run began.

    Parameters
    ----------
    before, now : keys of the notebooks, see `manifest.keys`.
    paths : the notebooks by name.

    Raises
    ------
    RefusedError
        If a notebook was changed.
    """
    others = [name for name in paths if before[name] != now[name]]
    if others and len(others) < len(paths):
        raise _refused(paths[others[0]].name)
    return bool(others)


def files(study: "Study | Experiment") -> list[Path]:
    """Files that the dataset is read from."""
    from ..errors import DataError
    from ..sources.databases import is_database
    from ..sources.files import locate

    found: list[Path] = []
    for table in _tables(study.dataset):
        if not is_database(table.source) and ("://" not in table.source):
            try:
                found += locate(table, study.root, "")
            except DataError:
                found.append(study.root / table.source)
    return found


def data_key(study: "Study | Experiment") -> str:
    """Key of the data that a study was opened with."""
    from ..experiments import Experiment

    return study.key if isinstance(study, Experiment) else study.data.key


def key_now(study: "Study | Experiment") -> str:
    """Key of the data as it is now."""
    from ..experiments import Experiment
    from ..prepared import Prepared

    if isinstance(study, Experiment):
        return Experiment(study.name, study.dataset, study.table, study.root, study.as_of).key
    return Prepared(study.name, study.dataset, study.root, study.data.today).key


def discard(study: "Study | Experiment") -> None:
    """Forget what was computed of data that changed under it: some of it may be of the old, some of the new."""
    folder = study.root / "data" / "interim" / study.name
    kept = (f"tables-{data_key(study)}", f"experiment-{study.key}", f"{study.as_of}-{study.key}")
    for place in (*(folder / name for name in kept), folder / "notebooks", folder / "landed"):
        shutil.rmtree(place, ignore_errors=True)


def _tables(dataset: Any) -> Iterator[Any]:
    """Every part of a dataset file that names a source."""
    from ..roles import Table

    for value in vars(dataset).values():
        for item in value if isinstance(value, tuple) else (value, getattr(value, "table", None)):
            if isinstance(item, Table):
                yield item


def _written(path: Path, since: datetime) -> bool:
    """Whether the disk says that a file was written since; also if it is gone."""
    try:
        state = path.stat()
    except OSError:
        return True
    return max(state.st_mtime, state.st_ctime) >= since.timestamp() - CLOCKS


def _refused(what: str) -> RefusedError:
    return RefusedError(f"{what} was changed while the report was made: nothing was published; run it again")
