"""Results kept on disk, so that each is computed once."""

import functools
import hashlib
import importlib.metadata
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

Result: TypeAlias = pd.DataFrame | dict[str, Any]

COMPUTING = (
    "action_plan.py", "action_rules.py", "action_words.py", "actions.py", "aims.py", "balances.py", "bridge.py",
    "campaigns.py", "designs.py", "effects.py", "effects_drawn.py", "effects_earned.py", "effects_worth.py",
    "errors.py", "experiments.py", "forecasts.py", "formats.py", "gains.py",
    "high_value_customers.py", "leaving.py", "memberships.py", "notation.py", "origins.py", "participants.py",
    "points_rules.py", "prepared.py", "progress.py", "promises.py", "purchases.py", "question.py", "roles.py",
    "sampled.py", "schema.py", "settings.py", "store.py", "study.py", "tournaments.py", "whole.py",
    "sources", "features", "models", "programme",
)  # fmt: skip
LIBRARIES = ("duckdb", "ibis-framework", "numba", "numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "tzdata")


def digest(*parts: object) -> str:
    """Short hash of values that print the same whenever they are the same."""
    return hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).hexdigest()


@functools.cache
def code_version() -> str:
    """Hash of all code and the versions of all libraries that a result depends on.

    The code of the reporting layer is left out: another colour does not change a number.
    """
    source = Path(__file__).parent
    files = [
        file for name in COMPUTING for file in [source / name, *sorted((source / name).rglob("*.py"))] if file.is_file()
    ]
    versions = [importlib.metadata.version(name) for name in LIBRARIES]
    return digest(*(file.read_text("utf-8") for file in files), *versions, _xgboost_version())


def _xgboost_version() -> str:
    """XGBoost's version, whichever of its two distributions is installed."""
    for name in ("xgboost-cpu", "xgboost"):
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return ""


def forget(folder: Path, unused_days: float = 30) -> None:
    """Delete the results below `folder` that no study has opened for `unused_days`: other dates, other code."""
    oldest = time.time() - unused_days * 86400
    for place in folder.iterdir() if folder.is_dir() else ():
        try:
            if place.is_dir() and place.stat().st_mtime < oldest:
                shutil.rmtree(place, ignore_errors=True)
        except FileNotFoundError:  # a run beside this one was first
            continue


def _plain(value: Any) -> Any:
    """A number of NumPy as one of Python; JSON knows no other."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a result holds a {type(value).__name__}, which JSON does not know")


class Store:
    """A folder of results.

    A result is a frame, or a dict whose values are frames or plain JSON values. It is written to a temporary
    folder and moved in place, so that a result is there whole or not at all.

    Parameters
    ----------
    folder : made at the first result.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if folder.is_dir():
            os.utime(folder)  # so that `forget` sees that it is in use

    def get(self, name: str, compute: Callable[[], Result]) -> Result:
        """The result `name`, computed if it is not there yet."""
        place = self.folder / name
        if not place.is_dir():
            self._write(place, compute())
        return self._read(place)

    def file(self, name: str, write: Callable[[Path], None]) -> Path:
        """Path of the file, or folder of parts, `name`, made by `write` if it is not there yet."""
        place = self.folder / name
        if not place.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self.folder, prefix=".new-") as scratch:
                write(Path(scratch) / name)
                # Where another process was first, its table is the same; a folder cannot replace one.
                if not place.exists():
                    os.replace(Path(scratch) / name, place)
        return place

    def _write(self, place: Path, result: Result) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=self.folder, prefix=".new-"))
        parts = {"frame": result} if isinstance(result, pd.DataFrame) else result
        try:
            for name, part in parts.items():
                if isinstance(part, pd.DataFrame):
                    part.to_parquet(scratch / f"{name}.parquet")
                else:
                    (scratch / f"{name}.json").write_text(json.dumps(part, default=_plain), "utf-8")
            # Where another process was first, its result is the same.
            if not place.is_dir():
                os.replace(scratch, place)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    @staticmethod
    def _read(place: Path) -> Result:
        parts: dict[str, Any] = {}
        for file in sorted(place.iterdir()):
            parts[file.stem] = (
                pd.read_parquet(file) if file.suffix == ".parquet" else json.loads(file.read_text("utf-8"))
            )
        return parts["frame"] if set(parts) == {"frame"} else parts
