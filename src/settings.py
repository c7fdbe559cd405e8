"""Dataset files: what a retailer's tables are called, what their columns mean and how they are studied.

One TOML file in `data/` describes one dataset. It is read into the typed, frozen settings of `schema`; everything
that is wrong with it is told at once, each with the file, the key, what was expected and what was found.
"""

import difflib
import os
import tomllib
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError

from .errors import SettingsError
from .schema import Dataset

ENGINES = ("duckdb", "spark")
EXPECTED = {
    "model_type": "a section",
    "tuple_type": "a list",
    "dict_type": "a section",
    "string_type": "text in quotes",
    "string_too_short": "at least one character",
    "string_too_long": "fewer characters",
    "too_short": "at least one",
}
"""What pydantic expects, in words of a dataset file, where its own are not."""


def project_root() -> Path:
    """Folder that holds `data/`, `notebooks/` and `reports/`.

    It is `LOYALTY_ROOT` where that is set, else the nearest folder at or above the working directory that
    has both `data/` and `notebooks/`, else the checkout that this package was installed from.

    Raises
    ------
    SettingsError
        If none of them is there.
    """
    named = os.environ.get("LOYALTY_ROOT")
    if named:
        return Path(named).resolve()
    here = Path.cwd()
    for folder in (here, *here.parents, Path(__file__).resolve().parents[1]):
        if (folder / "data").is_dir() and (folder / "notebooks").is_dir():
            return folder
    raise SettingsError(
        f"no project found at or above {here}: expected a folder with data/ and notebooks/ in it; "
        "go there, or set LOYALTY_ROOT"
    )


def variant(asked: Any, said: Any) -> str:
    """What is not as the dataset file says, for the name of a folder: `-h60`, `-a90`, or nothing.

    Parameters
    ----------
    asked, said : horizon_days and active_within_days of a study, or None, and of its dataset file.

    Examples
    --------
    >>> from types import SimpleNamespace as Days
    >>> file = Days(horizon_days=28, active_within_days=56)
    >>> variant(Days(horizon_days=60, active_within_days=56), file), variant(file, file)
    ('-h60', '')
    """
    letters = {"h": "horizon_days", "a": "active_within_days"}
    own = {letter: (getattr(asked, name), getattr(said, name)) for letter, name in letters.items()}
    return "".join(f"-{letter}{days}" for letter, (days, usual) in own.items() if days not in (None, usual))


def dataset_names(root: Path) -> list[str]:
    """Names of the datasets described in `root/data`, sorted; `data/complete_journey.toml` is `complete-journey`."""
    return sorted(file.stem.replace("_", "-") for file in (root / "data").glob("*.toml"))


def dataset_path(name: str, root: Path) -> Path:
    """The file that describes `name`: `data/complete_journey.toml` for `complete-journey`.

    Raises
    ------
    SettingsError
        If there is none.
    """
    known = dataset_names(root)
    slug = name.replace("_", "-")
    if slug not in known:
        close = difflib.get_close_matches(slug, known, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise SettingsError(f"unknown dataset {name!r}: {hint}data/ describes {', '.join(known) or 'none'}")
    path = root / "data" / f"{slug.replace('-', '_')}.toml"
    return path if path.exists() else path.with_name(f"{slug}.toml")


def load_dataset(name: str, root: Path | None = None) -> Dataset:
    """Read the dataset file of `name`.

    Parameters
    ----------
    name : the dataset's name, such as `complete-journey`.
    root : the project's folder; found by `project_root` if not given.

    Raises
    ------
    SettingsError
        If there is no such file, it is not TOML, or a key is missing, unknown or of the wrong type.
    """
    root = root or project_root()
    path = dataset_path(name, root)
    shown = f"data/{path.name}"
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{shown} is not valid TOML: {error}") from None
    try:
        return Dataset.model_validate(content)
    except ValidationError as error:
        problems = [_problem(detail) for detail in error.errors()]
        raise SettingsError(f"{shown}: {'; '.join(problems)}", [f"{shown}: {each}" for each in problems]) from None


def with_engine(dataset: Dataset, engine: str | None) -> Dataset:
    """The same dataset computed by another engine; None leaves it.

    Raises
    ------
    SettingsError
        If the engine is not known.
    """
    if engine is None:
        return dataset
    if engine not in ENGINES:
        raise SettingsError(f"engine: expected {' or '.join(ENGINES)}, found {engine!r}")
    return dataset.model_copy(update={"engine": engine})


def whole_days(name: str, asked: int | None, default: int) -> int:
    """A number of days given as an argument, or the default.

    Raises
    ------
    SettingsError
        If it is not a whole number from 1 to 3650.
    """
    value = default if asked is None else asked
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 3650:
        raise SettingsError(f"{name}: expected a whole number of days from 1 to 3650, found {value!r}")
    return value


def parse_date(as_of: str | date | None, timezone: str) -> date | None:
    """An as-of date given as a date, `YYYY-MM-DD`, `today` or `yesterday` in a time zone; None stays None.

    Raises
    ------
    SettingsError
        If it is none of these.
    """
    if as_of is None or (isinstance(as_of, date) and not isinstance(as_of, datetime)):
        return as_of
    today = datetime.now(ZoneInfo(timezone)).date()
    relative = {"today": today, "yesterday": today - timedelta(days=1)}
    if as_of in relative:
        return relative[str(as_of)]
    try:
        return date.fromisoformat(str(as_of))
    except ValueError:
        raise SettingsError(f"as_of: expected YYYY-MM-DD, today or yesterday, found {as_of!r}") from None


def _problem(detail: Any) -> str:
    """One finding of pydantic, in words: key, expected, found."""
    key = _key(detail["loc"])
    found = detail["input"]
    if detail["type"] == "missing":
        return f"{key} is missing"
    if detail["type"] == "extra_forbidden":
        known = _fields_at(detail["loc"][:-1])
        close = difflib.get_close_matches(str(detail["loc"][-1]), known, n=1)
        hint = f", did you mean {close[0]!r}?" if close else f", expected one of {', '.join(known)}"
        return f"{key} is not a known key{hint}"
    if isinstance(found, str) and "://" in found:
        found = "an address"  # which may hold a password
    said = detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    expected = EXPECTED.get(detail["type"], said)
    # A whole section says no more than its key, and may hold a password.
    shown = str(found) if isinstance(found, date) else repr(found)
    return f"{key}: expected {expected}" + ("" if isinstance(found, dict) else f", found {shown}")


def _key(location: tuple[Any, ...]) -> str:
    """A place in the file as it is written there; the first table of a role needs no number, the first rule does."""
    rule = location[:3] if location[:2] == ("actions", "rules") else ()
    parts = [*rule, *(part for part in location[len(rule) :] if part != 0)]
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in parts)


def _fields_at(location: tuple[Any, ...]) -> list[str]:
    """Keys that a dataset file may have at `location`."""
    model: Any = Dataset
    for part in location:
        if isinstance(part, str):
            model = next(_models(model.model_fields[part].annotation))
    return sorted(model.model_fields)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The sections inside a type, such as an optional tuple of them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
