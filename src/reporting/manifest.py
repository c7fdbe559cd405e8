"""What a report says about itself, and the keys that tell whether it is still true."""

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..experiments import Experiment
    from ..study import Study
    from .summary_types import Measure

SCHEMA_VERSION = 1
"""Of `manifest.json`; a report of another version is made anew."""

LIBRARIES = (
    "loyalty",
    "duckdb",
    "great-tables",
    "ibis-framework",
    "matplotlib",
    "nbconvert",
    "numpy",
    "pandas",
)
PACKAGE = Path(__file__).resolve().parents[1]


def describe(
    study: "Study | Experiment",
    *,
    key: str,
    created: datetime,
    notebooks: Mapping[str, dict[str, Any]],
    measures: "Sequence[Measure]",
    files: Mapping[str, str],
) -> dict[str, Any]:
    """Return the manifest of a finished report.

    Parameters
    ----------
    study : what is reported.
    key : of the report, see `keys`.
    created : when it was made.
    notebooks : by name, in order: `title`, and `seconds` that the run took.
    measures : those of the first page.
    files : texts of the report's files, by name; their hashes are kept.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "outcome": "done",
        "dataset": study.name,
        "as_of": study.as_of.isoformat(),
        "horizon_days": study.horizon_days,
        "active_within_days": study.active_within_days,
        "key": key,
        "created": created.isoformat(),
        "notebooks": dict(notebooks),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES},
        "measures": [asdict(measure) for measure in measures],
        "files": {name: sha256(text.encode("utf-8")) for name, text in files.items()},
    }


def read(folder: Path) -> dict[str, Any] | None:
    """Return what a report says about itself, or None if there is no report that this code can read."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    known = isinstance(manifest, dict) and manifest.get("schema_version") == SCHEMA_VERSION
    return manifest if known and {"key", "notebooks", "files"} <= set(manifest) else None


def intact(folder: Path, manifest: Mapping[str, Any]) -> bool:
    """Whether every page of a report is there, as it was written."""
    return all(
        (folder / name).is_file() and sha256((folder / name).read_bytes()) == digest
        for name, digest in manifest["files"].items()
    )


def keys(data: str, paths: Mapping[str, Path]) -> dict[str, str]:
    """Return a key for each notebook, of all that its outputs depend on, and under "" one for the report.

    Parameters
    ----------
    data : key of the data and settings.
    paths : notebooks by name.
    """
    code = sha256(*(part for path in sorted(PACKAGE.rglob("*.py")) for part in _named(path, PACKAGE)))
    pages = [path for path in sorted((PACKAGE / "reporting" / "templates").rglob("*")) if path.is_file()]
    look = sha256(*(part for path in pages for part in _named(path, PACKAGE)))
    shared = "\n".join([data, code, platform.python_version(), *map(version, LIBRARIES)]).encode()
    found = {name: sha256(shared, path.read_bytes())[:20] for name, path in paths.items()}
    joined = "\n".join(f"{name} {key}" for name, key in found.items()).encode()
    return found | {"": sha256(joined, look.encode())[:20]}


def _named(path: Path, base: Path) -> tuple[bytes, bytes]:
    return path.relative_to(base).as_posix().encode(), path.read_bytes()


def sha256(*parts: bytes) -> str:
    """Hash parts so that moving a byte from one to the next changes the result."""
    if len(parts) == 1:
        return hashlib.sha256(parts[0]).hexdigest()
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()
