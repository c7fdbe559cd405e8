"""Which table of a database is the log: by what it holds, and only then by its name."""

import sqlite3
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from loyalty.commands.init import init
from loyalty.errors import DataError
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
