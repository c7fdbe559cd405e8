"""What a report says about itself, and the keys that tell whether it is still true. See `docs/manifest.md`."""

import hashlib
import json
import platform
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..experiments import Experiment
    from ..study import Study
    from .history import Run
    from .summary_types import Measure, Number

SCHEMA_VERSION = 3
"""Of `manifest.json`; a report of another version is made anew."""

LIBRARIES = (
    "loyalty", "duckdb", "great-tables", "ibis-framework", "ipykernel", "jinja2", "matplotlib", "mistune", "nbclient",
    "nbconvert", "numpy", "pandas", "papermill", "pyarrow", "pydantic", "scikit-learn", "scipy", "shap", "xgboost",
    "xgboost-cpu",
)  # fmt: skip
"""Those that decide what stands in a report. XGBoost has two names, of which one is installed."""

PACKAGE = Path(__file__).resolve().parents[1]
SHAPES = {"run": str, "key": str, "notebooks": dict, "files": dict, "measures": list, "numbers": list, "alarms": list}
"""What has to be in a manifest that is read again."""


def describe(
    study: "Study | Experiment",
    *,
    run: "Run",
    key: str,
    data: str,
    parameters: Mapping[str, Any],
    created: datetime,
    notebooks: Mapping[str, dict[str, Any]],
    measures: "Sequence[Measure]",
    numbers: "Sequence[Number]",
    value: Mapping[str, Any] | None,
    bridge: Mapping[str, Any] | None,
    alarms: Sequence[str],
    files: Mapping[str, str],
) -> dict[str, Any]:
    """Return the manifest of a finished report.

    Parameters
    ----------
    study : what is reported.
    run : that made it.
    key : of the report, see `keys`.
    data : key of the data.
    parameters : of notebooks, beside those that say which study it is.
    created : when the report was rendered.
    notebooks : by name, in order: `title`, and `seconds` that the run took.
    measures : those of the first page, in words.
    numbers : measures as numbers, for trends.
    value : what a later run needs to explain how the value of customers changed, see `bridge.told`; None without.
    bridge : how it changed since an earlier run, see `bridge.packed` beside this; None without.
    alarms : see `alarms.alarms`.
    files : texts of the report's files, by name; their hashes are kept.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "outcome": "done",
        "run": run.id,
        "dataset": study.name,
        "as_of": study.as_of.isoformat(),
        "horizon_days": study.horizon_days,
        "active_within_days": study.active_within_days,
        "currency": study.dataset.currency,
        "known_until": None if value is None else value["known_until"],
        "parameters": dict(parameters),
        "key": key,
        "data": data,
        "commit": commit(study.root),
        "seeds": seeds(),
        "versions": {"python": platform.python_version()} | versions(),
        "started": run.started.isoformat(timespec="seconds"),
        "created": created.isoformat(),
        "seconds": run.seconds,
        "phases": dict(run.phases),
        "memory_mb": peak_memory(),
        "notebooks": dict(notebooks),
        "measures": [asdict(measure) for measure in measures],
        "numbers": [asdict(number) for number in numbers],
        "value": None if value is None else dict(value),
        "bridge": None if bridge is None else dict(bridge),
        "alarms": list(alarms),
        "files": {name: sha256(text.encode("utf-8")) for name, text in files.items()},
    }


def read(folder: Path) -> dict[str, Any] | None:
    """Return what a report says about itself, or None if there is no report that this code can read."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    known = isinstance(manifest, dict) and manifest.get("schema_version") == SCHEMA_VERSION
    return manifest if known and all(isinstance(manifest.get(name), kind) for name, kind in SHAPES.items()) else None


def intact(folder: Path, manifest: Mapping[str, Any]) -> bool:
    """Whether every page of a report is there, as it was written."""
    try:
        return all(sha256((folder / name).read_bytes()) == digest for name, digest in manifest["files"].items())
    except OSError:
        return False


def keys(data: str, paths: Mapping[str, Path], given: Mapping[str, Mapping[str, Any]] | None = None) -> dict[str, str]:
    """Return a key for each notebook, of all that its outputs depend on, and under "" one for the report.

    Parameters
    ----------
    data : key of the data and settings.
    paths : notebooks by name.
    given : parameters of each, by the same names.
    """
    code = sha256(*(part for path in sorted(PACKAGE.rglob("*.py")) for part in _named(path, PACKAGE)))
    pages = [path for path in sorted((PACKAGE / "reporting" / "templates").rglob("*")) if path.is_file()]
    look = sha256(*(part for path in pages for part in _named(path, PACKAGE)))
    shared = "\n".join([data, code, platform.python_version(), json.dumps(versions())]).encode()
    asked = {name: json.dumps((given or {}).get(name, {}), sort_keys=True).encode() for name in paths}
    found = {name: sha256(shared, path.read_bytes(), asked[name])[:20] for name, path in paths.items()}
    joined = "\n".join(f"{name} {key}" for name, key in found.items()).encode()
    return found | {"": sha256(joined, look.encode())[:20]}


@lru_cache(maxsize=1)
def versions() -> dict[str, str]:
    """Versions of the libraries that decide what stands in a report."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def commit(root: Path) -> str | None:
    """Commit that the project's folder is at, with `+` after it if files differ from it; None where there is no git."""
    try:
        head = _git(root, "rev-parse", "--verify", "HEAD")
        return head + ("+" if _git(root, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def seeds() -> dict[str, int]:
    """Seeds of all that draws at random, by module."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        for name, value in re.findall(r"^(\w*SEED\w*)(?:: int)? = (\d+)$", path.read_text("utf-8"), re.MULTILINE):
            module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
            found[f"{module}.{name}"] = int(value)
    return found


def peak_memory() -> dict[str, float] | None:
    """Most memory that this process held, and the largest of its kernels, in MB; None where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 2**20 if sys.platform == "darwin" else 2**10
    who = {"main": resource.RUSAGE_SELF, "largest_kernel": resource.RUSAGE_CHILDREN}
    return {name: round(resource.getrusage(number).ru_maxrss / unit, 1) for name, number in who.items()}


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603
        ["git", "-C", str(root), *arguments],  # noqa: S607
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    return done.stdout.strip()


def _named(path: Path, base: Path) -> tuple[bytes, bytes]:
    return path.relative_to(base).as_posix().encode(), path.read_bytes()


def sha256(*parts: bytes) -> str:
    """Hash parts so that moving a byte from one to the next changes the result."""
    if len(parts) == 1:
        return hashlib.sha256(parts[0]).hexdigest()
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()
