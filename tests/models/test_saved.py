"""Models that come back as they were, and those that are refused."""

import json
import pickle
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost
from loyalty.errors import DataError
from loyalty.models import saved

QUESTION = {"churn": "no purchase", "horizon_days": 30, "active_within_days": 60}
SAME: dict[str, Any] = {"question": QUESTION, "settings": {}, "data": ""}


def people(size: int = 200) -> tuple[pd.DataFrame, np.ndarray]:
    random = np.random.default_rng(1)
    features = pd.DataFrame(
        {
            "T": random.integers(0, 300, size) * 1.0,
            "spend_30": random.gamma(2, 20, size),
            "profile_kind": pd.Categorical(random.choice(["a", "b", "c"], size)),
        }
    )
    return features, (features["profile_kind"] == "b").to_numpy("float64")


def fitted(features: pd.DataFrame, labels: np.ndarray) -> xgboost.Booster:
    data = xgboost.DMatrix(features, label=labels, enable_categorical=True)
    return xgboost.train({"objective": "binary:logistic", "max_depth": 2, "nthread": 1}, data, num_boost_round=5)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    features, labels = people()
    saved.save(
        tmp_path / "model",
        {"churn": fitted(features, labels)},
        features,
        question=QUESTION,
        settings={"rounds": 5},
        origin=date(2024, 3, 1),
        data="fingerprint",
        parameters={"shift": 0.25},
    )
    return tmp_path / "model"


def rewrite(folder: Path, **changed: Any) -> None:
    """Change a manifest as someone would who knows how to make its hash right."""
    manifest = json.loads((folder / saved.MANIFEST).read_text("utf-8")) | changed
    manifest["hash"] = saved._hash(manifest)
    (folder / saved.MANIFEST).write_text(json.dumps(manifest), "utf-8")


def test_a_model_comes_back_and_predicts_the_same(folder: Path) -> None:
    features, labels = people()
    back = saved.load(folder)
    asked = [
        booster.predict(xgboost.DMatrix(back.fitting(features), enable_categorical=True))
        for booster in (fitted(features, labels), back.trees["churn"])
    ]
    assert np.array_equal(*asked)
    said = back.manifest
    assert said["parameters"] == {"shift": 0.25}
    assert said["question"] == QUESTION
    assert (said["settings"], said["origin"], said["data"]) == ({"rounds": 5}, "2024-03-01", "fingerprint")
    assert said["columns"][2] == {
        "name": "profile_kind",
        "dtype": "category",
        "categories": ["a", "b", "c"],
        "of": "text",
    }
    assert said["versions"]["xgboost"] == xgboost.__version__


def test_the_same_model_has_the_same_hash_and_bytes(folder: Path, tmp_path: Path) -> None:
    features, labels = people()
    again = saved.save(
        tmp_path / "again", {"churn": fitted(features, labels)}, features, question=QUESTION, settings={"rounds": 5},
        origin=date(2024, 3, 1), data="fingerprint", parameters={"shift": 0.25},
    )  # fmt: skip
    assert again["hash"] == saved.load(folder).manifest["hash"]
    names = sorted(path.name for path in folder.iterdir())
    assert [(folder / name).read_bytes() for name in names] == [
        (tmp_path / "again" / name).read_bytes() for name in names
    ]
    assert saved.load(folder, expected_hash=again["hash"]).manifest == again


def test_a_model_without_trees_is_a_model(tmp_path: Path) -> None:
    saved.save(tmp_path, {}, people()[0], **SAME, origin=date(2024, 1, 1), parameters=[1.5])
    assert saved.load(tmp_path).manifest["parameters"] == [1.5]


def test_saving_over_a_model_replaces_it(folder: Path) -> None:
    features, labels = people()
    saved.save(folder, {"churn": fitted(features, 1 - labels)}, features, **SAME, origin=date(2024, 4, 1))
    assert saved.load(folder).manifest["origin"] == "2024-04-01"


def test_a_category_never_seen_counts_as_missing(folder: Path) -> None:
    features = people()[0].iloc[:3].copy()
    features["profile_kind"] = pd.Categorical(["a", "never seen", None])
    fitting = saved.load(folder).fitting(features)
    assert fitting["profile_kind"].isna().tolist() == [False, True, True]
    assert fitting["profile_kind"].cat.categories.tolist() == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop(columns="T"), "T missing; train the model anew"),
        (lambda f: f.assign(age=1.0), "age too many"),
        (lambda f: f.rename(columns={"T": "age"}), "T missing; age too many"),
        (lambda f: f[["spend_30", "T", "profile_kind"]], "another order .*: column 1 is spend_30, expected T"),
        (lambda f: f.assign(profile_kind=1.0), "profile_kind is float64, and the model learned categories of text"),
        (
            lambda f: f.assign(profile_kind=pd.Categorical([1, 2] * 100)),
            "profile_kind is categories of number, and the model learned categories of text",
        ),
        (lambda f: f.assign(T="long"), "T is str, and the model learned float64"),
    ],
)
def test_features_that_differ_are_refused(folder: Path, change: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        saved.load(folder).fitting(change(people()[0]))


def test_another_model_than_expected_is_refused(folder: Path) -> None:
    with pytest.raises(DataError, match="another model than expected"):
        saved.load(folder, expected_hash="0" * 64)


def test_no_model_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no model here; train one first"):
        saved.load(tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"", b"{ broken", b"\x80\x04\x95", pickle.dumps({"format": "loyalty-model"}), b"[1, 2]", b'{"format": "another"}'],
)
def test_a_foreign_file_is_refused_and_never_unpickled(folder: Path, content: bytes) -> None:
    (folder / saved.MANIFEST).write_bytes(content)
    with pytest.raises(DataError, match="not a model of this program"):
        saved.load(folder)


def test_a_manifest_of_another_version_is_refused(folder: Path) -> None:
    rewrite(folder, version=99)
    with pytest.raises(DataError, match="saved in version 99 of the format, this program reads 2"):
        saved.load(folder)


def test_a_manifest_that_was_edited_is_refused(folder: Path) -> None:
    place = folder / saved.MANIFEST
    place.write_text(place.read_text("utf-8").replace('"shift": 0.25', '"shift": 0.75'), "utf-8")
    with pytest.raises(DataError, match="changed since it was saved"):
        saved.load(folder)


def test_trees_that_are_not_those_saved_are_refused(folder: Path) -> None:
    (trees,) = folder.glob("*.ubj")
    trees.write_bytes(trees.read_bytes()[:-10])
    with pytest.raises(DataError, match="trees 'churn' are not those that were saved: another hash"):
        saved.load(folder)


def test_trees_that_are_gone_are_named(folder: Path) -> None:
    (trees,) = folder.glob("*.ubj")
    trees.unlink()
    with pytest.raises(DataError, match="trees 'churn' of the model are missing"):
        saved.load(folder)


def test_trees_that_xgboost_cannot_read_are_refused(folder: Path) -> None:
    import hashlib

    content = b"{no trees"
    (folder / "churn-x.ubj").write_bytes(content)
    rewrite(folder, files={"churn": {"file": "churn-x.ubj", "sha256": hashlib.sha256(content).hexdigest()}})
    with pytest.raises(DataError, match="cannot read the trees 'churn'"):
        saved.load(folder)


def test_files_outside_the_folder_are_not_read(folder: Path) -> None:
    (trees,) = folder.glob("*.ubj")
    digest = json.loads((folder / saved.MANIFEST).read_text("utf-8"))["files"]["churn"]["sha256"]
    trees.rename(folder.parent / "outside.ubj")
    rewrite(folder, files={"churn": {"file": "../outside.ubj", "sha256": digest}})
    with pytest.raises(DataError, match="missing"):
        saved.load(folder)


def test_a_model_of_a_newer_xgboost_is_refused(folder: Path) -> None:
    versions = saved.load(folder).manifest["versions"]
    rewrite(folder, versions=versions | {"xgboost": "99.0.0"})
    with pytest.raises(DataError, match=r"saved by XGBoost 99\.0\.0"):
        saved.load(folder)


def test_a_model_older_than_what_its_columns_mean_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meant = saved.dictionary()
    changed = meant | {"T": meant["recency"]}
    monkeypatch.setattr(saved, "dictionary", lambda: changed)
    with pytest.raises(DataError, match="model of 2024-03-01 is older than its data's schema"):
        saved.load(folder)
