"""Which table of a database is the log: by what it holds, and only then by its name."""

import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from loyalty.commands.init import init
from loyalty.errors import DataError, RefusedError
from loyalty.prepared import Prepared
from loyalty.settings import load_dataset
from loyalty.sources.guessing.choosing import likely_tables

WHERE = "data/shop.toml: transactions"


@pytest.fixture
def log() -> pd.DataFrame:
    """Thirty customers, each with four receipts."""
    days = pd.date_range("2024-01-01", periods=120).strftime("%Y-%m-%d")
    return pd.DataFrame({
        "customer_id": [f"K{at % 30}" for at in range(120)], "paid_on": days,
        "amount": [1.5 + at % 7 for at in range(120)],
    })  # fmt: skip


def found(root: Path, **tables: pd.DataFrame) -> list[str]:
    with sqlite3.connect(root / "shop.db") as connection:
        for name, frame in tables.items():
            frame.to_sql(name, connection, index=False)
    connection.close()
    return [table.name for table in likely_tables("sqlite:shop.db", root, WHERE)]


def test_a_name_of_sales_comes_before_another(log: pd.DataFrame, tmp_path: Path) -> None:
    assert found(tmp_path, messages=log, sales=log.rename(columns={"customer_id": "card_no"})) == ["sales"]


def test_names_that_say_the_same_are_both_named(log: pd.DataFrame, tmp_path: Path) -> None:
    assert found(tmp_path, orders=log, orders_old=log, empty=log.head(0)) == ["orders", "orders_old"]


def tried(seed: int = 1) -> pd.DataFrame:
    """An experiment: who was sent what, and what they spent."""
    random = np.random.default_rng(seed)
    return pd.DataFrame({
        "customer_id": [f"K{at}" for at in range(200)], "group": random.choice(["control", "letter"], 200),
        "spend_before": random.gamma(2, 20, 200).round(2), "spend_after": random.gamma(2, 20, 200).round(2),
    })  # fmt: skip


def test_where_there_is_no_log_an_experiment_is_found(log: pd.DataFrame, tmp_path: Path) -> None:
    people = pd.DataFrame({"customer_id": ["K1", "K2"], "city": ["Bonn", "Ulm"]})
    assert found(tmp_path, people=people, test_of_letters=tried()) == ["test_of_letters"]
    for name in ("both", "two"):
        (tmp_path / name).mkdir()
    assert found(tmp_path / "both", sales=log, test_of_letters=tried()) == ["sales"]
    assert found(tmp_path / "two", one=tried(), two=tried(2)) == ["one", "two"]


def test_a_database_with_an_experiment_becomes_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("data", "notebooks"):
        (tmp_path / folder).mkdir()
    monkeypatch.setenv("LOYALTY_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    found(tmp_path, people=pd.DataFrame({"customer_id": ["K1"]}), test_of_letters=tried())
    init("sqlite:shop.db", None, False)
    dataset = load_dataset("shop", tmp_path)
    assert dataset.experiment is not None
    assert (dataset.experiment.table, dataset.experiment.arm) == ("test_of_letters", "group")
    assert not dataset.transactions


def test_two_experiments_are_a_question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("data", "notebooks"):
        (tmp_path / folder).mkdir()
    monkeypatch.setenv("LOYALTY_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    found(tmp_path, one=tried(), two=tried(2))
    with pytest.raises(RefusedError, match=r"each of these tables may be the experiment: one \(customer_id, group"):
        init("sqlite:shop.db", None, False)


def test_neither_a_log_nor_an_experiment_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"\(people\) has a customer, a time .* as a purchase log, or .* experiment; make"
    ):
        found(tmp_path, people=pd.DataFrame({"customer_id": ["K1", "K2"], "city": ["Bonn", "Ulm"]}))


def test_a_database_without_tables_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^data/shop\.toml: transactions: none of its tables \(it has none\) has a"):
        found(tmp_path)


def test_the_log_is_found_in_postgres(
    postgres: Any, log: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postgres.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA sales; CREATE TABLE customers (id text, joined_at date, email text)")
        cursor.execute("CREATE TABLE sales.receipts (customer_id text, paid_on timestamp, amount numeric(9, 2))")
        cursor.executemany("INSERT INTO sales.receipts VALUES (%s, %s, %s)", log.to_numpy().tolist())
    for folder in ("data", "notebooks"):
        (tmp_path / folder).mkdir()
    monkeypatch.setenv("LOYALTY_ROOT", str(tmp_path))
    init(postgres.url, None, False)
    dataset = load_dataset("shop", tmp_path)
    (table,) = dataset.transactions
    assert (table.source, table.table, table.time_format) == (postgres.url, "sales.receipts", None)
    assert Prepared("shop", dataset, tmp_path).facts["spend"] == pytest.approx(log["amount"].sum())
