"""Models on disk: trees as XGBoost's own UBJ, everything else as JSON, with what is needed to refuse the wrong ones.

Nothing is ever unpickled: a file that is loaded can hold numbers and words, and no code.
"""

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xgboost

from ..errors import DataError
from ..features.build import dictionary
from ..whole import write_whole

FORMAT, VERSION = "loyalty-model", 2
MANIFEST = "model.json"
LIBRARIES = ("loyalty", "numpy", "pandas")
CATEGORY = "category"
KEYS = {
    "format", "version", "hash", "columns", "schema", "question", "settings", "parameters", "origin", "data",
    "versions", "files",
}  # fmt: skip
SHOWN = 5
"""Columns that an error names."""


class Saved(NamedTuple):
    """A model as it was saved.

    Attributes
    ----------
    trees : name → booster.
    manifest : columns, question, settings, parameters, origin, data, versions, hash and so on, see `save`.
    """

    trees: dict[str, xgboost.Booster]
    manifest: dict[str, Any]

    def fitting(self, features: pd.DataFrame) -> pd.DataFrame:
        """The features as the model learned them: the same values, with its categories.

        A category that the model has never seen becomes a missing value, which trees know how to take.

        Raises
        ------
        DataError
            If a column is missing, too many, in another place, or of another type.
        """
        columns = self.manifest["columns"]
        _check_names([column["name"] for column in columns], [str(name) for name in features])
        for column in columns:
            _check_type(column, features[column["name"]])
        known = {column["name"]: column["categories"] for column in columns if column["dtype"] == CATEGORY}
        return features.assign(**{name: features[name].cat.set_categories(known[name]) for name in known})


def save(
    folder: Path,
    trees: Mapping[str, xgboost.Booster],
    features: pd.DataFrame,
    *,
    question: Mapping[str, Any],
    settings: Mapping[str, Any],
    origin: date,
    data: str,
    parameters: Any = None,
) -> dict[str, Any]:
    """Write a model.

    The trees come first, under a name of their own, and the manifest last and in one step: who reads at any time reads
    a whole model, the old one or the new one.

    Parameters
    ----------
    folder : made if it is not there.
    trees : name → fitted booster; a name is a word.
    features : what the model learned from, or any rows of it: its columns, their order, types and categories are kept.
    question : what it answers: what leaving means, the horizon, who counts as active; plain JSON values.
    settings : that the model was fitted with; plain JSON values.
    origin : latest date whose outcome it learned from.
    data : fingerprint of the data.
    parameters : all that the model knows beside its trees; plain JSON values.

    Returns
    -------
    The manifest.
    """
    folder.mkdir(parents=True, exist_ok=True)
    raw = {name: bytes(booster.save_raw("ubj")) for name, booster in trees.items()}
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in raw.items()}
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "columns": [_described(features[name]) for name in features],
        "schema": schema_of(map(str, features)),
        "question": dict(question),
        "settings": dict(settings),
        "parameters": parameters,
        "origin": origin.isoformat(),
        "data": data,
        "versions": {"python": platform.python_version(), "xgboost": xgboost.__version__}
        | {name: version(name) for name in LIBRARIES},
        "files": {name: {"file": f"{name}-{digest[:16]}.ubj", "sha256": digest} for name, digest in hashes.items()},
    }
    manifest["hash"] = _hash(manifest)
    for name, content in raw.items():
        write_whole(folder / manifest["files"][name]["file"], content)
    write_whole(folder / MANIFEST, json.dumps(manifest, indent=2, ensure_ascii=False).encode())
    return manifest


def load(folder: Path, *, expected_hash: str | None = None) -> Saved:
    """Read a model.

    Parameters
    ----------
    folder : see `save`.
    expected_hash : of the manifest, where it is known which model is wanted.

    Raises
    ------
    DataError
        If there is no model, or it is broken, foreign, changed since it was saved, not the expected one, of a newer
        XGBoost, or older than what its columns mean now.
    """
    place = folder / MANIFEST
    manifest = _manifest(place)
    if expected_hash is not None and manifest["hash"] != expected_hash:
        raise DataError(
            f"{place}: another model than expected: its hash is {manifest['hash'][:16]}, expected "
            f"{expected_hash[:16]}; point to the model that was meant, or train anew"
        )
    _check_xgboost(place, manifest["versions"]["xgboost"])
    names = [column["name"] for column in manifest["columns"]]
    if manifest["schema"] != schema_of(names):
        raise DataError(
            f"{place}: the model of {manifest['origin']} is older than its data's schema: its columns mean something "
            "else now than when it learned them; train it anew"
        )
    return Saved({name: _trees(folder, name, said) for name, said in manifest["files"].items()}, manifest)


def schema_of(columns: Iterable[str]) -> str:
    """Hash of what columns mean by the data dictionary: the same as long as a model that learned them may use them.

    Examples
    --------
    >>> schema_of(["T", "spend_30"]) == schema_of(["T", "spend_30"]), schema_of(["T"]) == schema_of(["recency"])
    (True, False)
    """
    known = dictionary()
    meant = [
        [name, known[name].unit, known[name].meaning, known[name].null] if name in known else [name] for name in columns
    ]
    return hashlib.sha256(json.dumps(meant).encode()).hexdigest()


def _described(values: pd.Series) -> dict[str, Any]:
    described: dict[str, Any] = {"name": str(values.name), "dtype": str(values.dtype)}
    if isinstance(values.dtype, pd.CategoricalDtype):
        categories = values.cat.categories
        plain = [value.item() if isinstance(value, np.generic) else value for value in categories]
        return described | {"categories": plain, "of": _kind(categories.dtype)}
    return described


def _kind(dtype: Any) -> str:
    """What values are, however they are stored."""
    if pd.api.types.is_bool_dtype(dtype):
        return "boolean"
    return "number" if pd.api.types.is_numeric_dtype(dtype) else "text"


def _hash(manifest: Mapping[str, Any]) -> str:
    content = {name: value for name, value in manifest.items() if name != "hash"}
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _manifest(place: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(place.read_bytes())
    except FileNotFoundError:
        raise DataError(f"{place}: no model here; train one first") from None
    except (OSError, ValueError):
        raise DataError(f"{place}: not a model of this program: the file is no JSON; train the model anew") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise DataError(f"{place}: not a model of this program: expected the format {FORMAT!r}; train the model anew")
    if manifest.get("version") != VERSION:
        raise DataError(
            f"{place}: saved in version {manifest.get('version')} of the format, this program reads {VERSION}; "
            "train the model anew"
        )
    if not set(manifest) >= KEYS or manifest["hash"] != _hash(manifest):
        raise DataError(
            f"{place}: changed since it was saved: the hash is not that of the contents; train the model anew"
        )
    return manifest


def _check_xgboost(place: Path, saved: str) -> None:
    if int(saved.split(".")[0]) > int(xgboost.__version__.split(".")[0]):
        raise DataError(f"{place}: saved by XGBoost {saved}, this is {xgboost.__version__}: update it, or train anew")


def _trees(folder: Path, name: str, said: Mapping[str, str]) -> xgboost.Booster:
    place = folder / Path(said["file"]).name  # never outside the folder
    try:
        content = place.read_bytes()
    except OSError:
        raise DataError(f"{place}: the trees {name!r} of the model are missing; train the model anew") from None
    if hashlib.sha256(content).hexdigest() != said["sha256"]:
        raise DataError(
            f"{place}: the trees {name!r} are not those that were saved: another hash; train the model anew"
        )
    try:
        return xgboost.Booster(model_file=bytearray(content))
    except xgboost.core.XGBoostError:
        raise DataError(f"{place}: XGBoost {xgboost.__version__} cannot read the trees {name!r}; train anew") from None


def _check_names(expected: list[str], found: list[str]) -> None:
    missing = [name for name in expected if name not in set(found)]
    extra = [name for name in found if name not in set(expected)]
    if missing or extra:
        said = [f"{_listed(names)} {what}" for names, what in ((missing, "missing"), (extra, "too many")) if names]
        raise DataError(f"the features are not those that the model learned: {'; '.join(said)}; train the model anew")
    if expected != found:
        place = next(number for number, (one, other) in enumerate(zip(expected, found, strict=False)) if one != other)
        raise DataError(
            f"the features are in another order than the model learned: column {place + 1} is {found[place]}, expected "
            f"{expected[place]}; put them in order, or train the model anew"
        )


def _check_type(column: Mapping[str, Any], values: pd.Series) -> None:
    name, expected = column["name"], column["dtype"]
    is_category = isinstance(values.dtype, pd.CategoricalDtype)
    if expected == CATEGORY:
        found = f"categories of {_kind(values.cat.categories.dtype)}" if is_category else str(values.dtype)
        if found != f"categories of {column['of']}" and not (is_category and values.cat.categories.empty):
            raise DataError(
                f"the feature {name} is {found}, and the model learned categories of {column['of']}; train it anew"
            )
    elif is_category or (_kind(values.dtype) == "text") != (_kind(pd.api.types.pandas_dtype(expected)) == "text"):
        raise DataError(f"the feature {name} is {values.dtype}, and the model learned {expected}; train it anew")


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{more}"
