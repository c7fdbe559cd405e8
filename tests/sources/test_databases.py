"""Databases: their rows arrive as they are, the same rows in any order are the same, and no password leaks."""

import sqlite3
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pyarrow.parquet as pq
import pytest
from loyalty.errors import DataError
from loyalty.schema import Table, Transactions
from loyalty.sources import databases
from loyalty.sources.files import connect, open_table
from loyalty.sources.landing import Landed, land

WHERE = "data/shop.toml: transactions"
LINES = [("007", datetime(2024, 2, 29, 13, 45), 12.5), ("8", datetime(2024, 3, 1), -1.25), (None, None, None)]


def lines_in(source: str, name: str = "orders") -> Transactions:
    return Transactions(source=source, table=name, customer="who", time="at", amount="money")


def rows_of(landed: Landed, table: Table) -> list[dict[str, Any]]:
    rows = open_table(connect(), table, landed, WHERE).to_pyarrow().to_pylist()
    return sorted(rows, key=str)


def expected(lines: list[tuple[Any, ...]] = LINES) -> list[dict[str, Any]]:
    return sorted((dict(zip(("who", "at", "money"), line, strict=True)) for line in lines), key=str)


def fill_postgres(postgres: Any, lines: list[tuple[Any, ...]] = LINES, table: str = "orders") -> None:
    with postgres.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f'CREATE TABLE {table} (who text, "at" timestamp, money double precision, card text)')
        cursor.executemany(f"INSERT INTO {table} VALUES (%s, %s, %s, 'secret')", lines)


def fill_duckdb(file: Path, lines: list[tuple[Any, ...]] = LINES) -> None:
    with duckdb.connect(str(file)) as connection:
        connection.execute('CREATE TABLE orders (who text, "at" timestamp, money double, card text)')
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?, 'secret')", lines)


def fill_sqlite(file: Path, lines: list[tuple[Any, ...]] = LINES) -> None:
    texts = [(who, str(at) if at else None, money) for who, at, money in lines]
    with sqlite3.connect(file) as connection:
        connection.execute('CREATE TABLE orders (who text, "at" timestamp, money real, card text)')
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?, 'secret')", texts)
    connection.close()


def test_postgres_gives_the_columns_that_have_a_role(postgres: Any, tmp_path: Path) -> None:
    fill_postgres(postgres)
    table = lines_in(postgres.url)
    landed = land(table, tmp_path, tmp_path / "kept", WHERE)
    assert landed.format == "parquet"
    assert rows_of(landed, table) == expected()


def test_duckdb_gives_the_columns_that_have_a_role(tmp_path: Path) -> None:
    fill_duckdb(tmp_path / "shop.db")
    table = lines_in("duckdb:shop.db")
    assert rows_of(land(table, tmp_path, tmp_path / "kept", WHERE), table) == expected()


def test_sqlite_gives_the_columns_that_have_a_role(tmp_path: Path) -> None:
    fill_sqlite(tmp_path / "shop.db")
    table = lines_in("sqlite:shop.db")
    texts = [(who, str(at) if at else None, money) for who, at, money in LINES]
    assert rows_of(land(table, tmp_path, tmp_path / "kept", WHERE), table) == expected(texts)


def test_without_roles_all_columns_are_read(tmp_path: Path) -> None:
    fill_sqlite(tmp_path / "shop.db")
    table = Table(source=f"sqlite:{tmp_path / 'shop.db'}", table="orders")
    opened = open_table(connect(), table, land(table, Path("/"), tmp_path / "kept", WHERE), WHERE)
    assert opened.columns == ("who", "at", "money", "card")


def test_the_same_rows_in_another_order_have_the_same_fingerprint(postgres: Any, tmp_path: Path) -> None:
    def fingerprint(lines: list[tuple[Any, ...]]) -> str:
        with postgres.connect() as connection:
            connection.execute("DROP TABLE IF EXISTS orders")
        fill_postgres(postgres, lines)
        return land(lines_in(postgres.url), tmp_path, tmp_path / "kept", WHERE).fingerprint

    first = fingerprint(LINES)
    assert fingerprint(LINES[::-1]) == first
    assert fingerprint([*LINES, LINES[0]]) != first
    assert fingerprint([("007", LINES[0][1], 12.75), *LINES[1:]]) != first


@pytest.mark.parametrize(
    ("before", "after"), [(("x|y", "z"), ("x", "y|z")), (("x", None), ("x", "null")), (("x", ""), ("x", None)),
                          (("x", "y"), ("y", "x")), (("1:a", "b"), ("1", "a1:b"))],
)  # fmt: skip
def test_values_that_only_change_places_are_other_rows(
    before: tuple[Any, ...], after: tuple[Any, ...], postgres: Any, tmp_path: Path
) -> None:
    prints = set()
    for line in (before, after):
        with postgres.connect() as connection:
            connection.execute("DROP TABLE IF EXISTS pairs; CREATE TABLE pairs (a text, b text)")
            connection.execute("INSERT INTO pairs VALUES (%s, %s)", line)
        prints.add(land(Table(source=postgres.url, table="pairs"), tmp_path, tmp_path / "kept", WHERE).fingerprint)
    assert len(prints) == 2


def test_the_same_rows_have_the_same_fingerprint_on_another_server(tmp_path: Path) -> None:
    fill_duckdb(tmp_path / "one.db")
    fill_duckdb(tmp_path / "two.db", LINES[::-1])
    prints = {
        land(lines_in(f"duckdb:{name}.db"), tmp_path, tmp_path / "kept", WHERE).fingerprint for name in ("one", "two")
    }
    assert len(prints) == 1


@pytest.mark.parametrize("kind", ["duckdb", "sqlite"])
def test_a_column_without_a_role_changes_nothing(kind: str, tmp_path: Path) -> None:
    fill = {"duckdb": fill_duckdb, "sqlite": fill_sqlite}[kind]
    opened: Callable[..., Any] = {"duckdb": duckdb.connect, "sqlite": sqlite3.connect}[kind]
    fill(tmp_path / "shop.db")
    before = land(lines_in(f"{kind}:shop.db"), tmp_path, tmp_path / "kept", WHERE)
    connection = opened(str(tmp_path / "shop.db"))
    connection.execute("UPDATE orders SET card = 'another'")
    connection.commit() if kind == "sqlite" else None
    connection.close()
    after = land(lines_in(f"{kind}:shop.db"), tmp_path, tmp_path / "kept", WHERE)
    assert before.fingerprint == after.fingerprint


def test_unchanged_rows_are_not_brought_over_again(
    postgres: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_postgres(postgres)
    first = land(lines_in(postgres.url), tmp_path, tmp_path / "kept", WHERE)

    def fail(*_: object) -> None:
        raise AssertionError("rows were read again")

    with monkeypatch.context() as patched:
        patched.setattr(databases, "_write_batches", fail)
        assert land(lines_in(postgres.url), tmp_path, tmp_path / "kept", WHERE) == first
    with postgres.connect() as connection:
        connection.execute("INSERT INTO orders VALUES ('9', now(), 1)")
    again = land(lines_in(postgres.url), tmp_path, tmp_path / "kept", WHERE)
    assert again.fingerprint != first.fingerprint
    assert pq.read_metadata(again.files[0]).num_rows == 4


def test_rows_come_in_batches(postgres: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "BATCH", 100)
    fill_postgres(postgres, [(str(at), datetime(2024, 1, 1), float(at)) for at in range(250)])
    landed = land(lines_in(postgres.url), tmp_path, tmp_path / "kept", WHERE)
    assert pq.read_metadata(landed.files[0]).num_row_groups == 3
    assert {row["who"] for row in rows_of(landed, lines_in(postgres.url))} == {str(at) for at in range(250)}


def test_types_of_postgres_arrive_as_what_they_mean(postgres: Any, tmp_path: Path) -> None:
    with postgres.connect() as connection:
        connection.execute("""
            CREATE TYPE kind AS ENUM ('app', 'till'); CREATE DOMAIN money_up AS numeric(10, 2) CHECK (VALUE >= 0);
            CREATE TABLE typed (small smallint, big bigint, id numeric(30, 0), free numeric, price numeric(10, 2),
                up money_up, flag boolean, day date, at timestamp, instant timestamptz, kind kind, key uuid, doc jsonb,
                tags text[], code char(4), ratio real);
            INSERT INTO typed VALUES (1, 9007199254740993, 123456789012345678901234567890, 12.30, 12.30, 1.50, true,
                '2024-02-29', '2024-02-29 13:45:00.25', '2024-02-29 13:45+08', 'app',
                '00000000-0000-0000-0000-000000000007', '{"a": 1}', '{x,y}', 'A7', 0.5);
            INSERT INTO typed (day, at, price) VALUES ('infinity', '-infinity', 'NaN');
        """)
    table = Table(source=postgres.url, table="typed")
    first, second = sorted(
        rows_of(land(table, tmp_path, tmp_path / "kept", WHERE), table), key=lambda row: row["small"] is None
    )
    assert first | {"tags": None, "code": first["code"].strip()} == {
        "small": 1, "big": 9007199254740993, "id": "123456789012345678901234567890", "free": "12.30", "price": 12.3,
        "up": first["up"], "flag": True, "day": date(2024, 2, 29), "at": datetime(2024, 2, 29, 13, 45, 0, 250000),
        "instant": datetime(2024, 2, 29, 5, 45, tzinfo=UTC), "kind": "app",
        "key": "00000000-0000-0000-0000-000000000007", "doc": '{"a": 1}', "tags": None, "code": "A7", "ratio": 0.5,
    }  # fmt: skip
    assert float(first["up"]) == 1.5
    assert second["day"] is second["at"] is None
    assert str(second["price"]) == "nan"


def test_sqlite_keeps_what_its_columns_really_hold(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute("CREATE TABLE mixed (id integer, money money, whole integer, note)")
        connection.executemany(
            "INSERT INTO mixed VALUES (?, ?, ?, ?)",
            [(1, 2, 2**53 + 1, b"x"), ("B7", 2.5, 4, 3.0), (None, None, None, "é")],
        )
    connection.close()
    table = Table(source="sqlite:shop.db", table="mixed")
    assert rows_of(land(table, tmp_path, tmp_path / "kept", WHERE), table) == [
        {"id": "1", "money": 2.0, "whole": 2**53 + 1, "note": "x"},
        {"id": "B7", "money": 2.5, "whole": 4, "note": "3"},
        {"id": None, "money": None, "whole": None, "note": "é"},
    ]


def test_names_are_taken_literally(postgres: Any, tmp_path: Path) -> None:
    with postgres.connect() as connection:
        connection.execute("""
            CREATE SCHEMA "Kasse 1";
            CREATE TABLE "Kasse 1"."Ver""käufe; --" ("Kunde; DROP TABLE x" text, "Zeit" date, "Betrag %s" int);
            INSERT INTO "Kasse 1"."Ver""käufe; --" VALUES ('a', '2024-01-01', 3);
        """)
    table = Transactions(
        source=postgres.url,
        table='Kasse 1.Ver"käufe; --',
        customer="Kunde; DROP TABLE x",
        time="Zeit",
        amount="Betrag %s",
    )
    landed = land(table, tmp_path, tmp_path / "kept", WHERE)
    assert rows_of(landed, table) == [{"Kunde; DROP TABLE x": "a", "Zeit": date(2024, 1, 1), "Betrag %s": 3}]


def test_an_empty_table_has_its_columns(postgres: Any, tmp_path: Path) -> None:
    fill_postgres(postgres, [])
    table = lines_in(postgres.url)
    opened = open_table(connect(), table, land(table, tmp_path, tmp_path / "kept", WHERE), WHERE)
    assert (opened.columns, opened.count().execute()) == (("who", "at", "money"), 0)


def test_pgpassword_is_the_second_choice(postgres: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_postgres(postgres)
    monkeypatch.setenv("PGPASSWORD", "wrong")
    land(lines_in(postgres.url), tmp_path, tmp_path / "kept", WHERE)
    monkeypatch.delenv("LOYALTY_DB_PASSWORD")
    monkeypatch.setenv("PGPASSWORD", postgres.password)
    land(lines_in(postgres.url), tmp_path, tmp_path / "kept", WHERE)


def told_by(table: Table, root: Path) -> str:
    with pytest.raises(DataError, match=r"^data/shop\.toml: transactions\.") as told:
        land(table, root, root / "kept", WHERE)
    assert told.value.exit_code == 2
    assert "\n" not in str(told.value)
    return str(told.value)


@pytest.mark.parametrize("given", ["guess-4711", None])
def test_a_wrong_password_is_told_and_not_shown(
    given: str | None, postgres: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if given:
        monkeypatch.setenv("LOYALTY_DB_PASSWORD", given)
    else:
        monkeypatch.delenv("LOYALTY_DB_PASSWORD")
        monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))
    told = told_by(lines_in(postgres.url), tmp_path)
    assert f"transactions.source: cannot connect to 127.0.0.1:{postgres.port}: " in told
    assert told.endswith("set LOYALTY_DB_PASSWORD in the environment to the password of 'owner'")
    assert "guess-4711" not in told


def test_the_password_is_nowhere_in_what_is_kept(postgres: Any, tmp_path: Path) -> None:
    fill_postgres(postgres)
    land(lines_in(postgres.url), tmp_path, tmp_path / "kept", WHERE)
    kept = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert kept
    assert not any(postgres.password.encode() in file.read_bytes() + str(file).encode() for file in kept)


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    told = told_by(lines_in("postgres://owner@127.0.0.1:1/shop"), tmp_path)
    assert "cannot connect to 127.0.0.1:1: " in told
    assert told.endswith("is the address right and the server up?")


@pytest.mark.parametrize(
    ("source", "expected_words"),
    [
        ("postgres://owner@127.0.0.1:port/shop", "expected postgres://user@host:port/database; "),
        ("mysql://owner@127.0.0.1/shop", "expected a file, postgres://…, sqlite:PATH or duckdb:PATH, found 'mysql://"),
        ("sqlite:no.db", "no file 'sqlite:no.db'; expected sqlite:PATH, from "),
        ("duckdb:no.db", "no file 'duckdb:no.db'; expected duckdb:PATH, from "),
    ],
)
def test_an_address_that_cannot_be_used_is_told(source: str, expected_words: str, tmp_path: Path) -> None:
    told = told_by(lines_in(source), tmp_path)
    assert expected_words in told
    assert "hush" not in told
    assert not (tmp_path / "no.db").exists()


def test_a_missing_table_is_told_with_the_nearest(postgres: Any, tmp_path: Path) -> None:
    fill_postgres(postgres)
    with postgres.connect() as connection:
        connection.execute("CREATE SCHEMA sales; CREATE TABLE sales.receipts (a int)")
    assert "transactions.table: no table 'order'; did you mean orders?" in told_by(
        lines_in(postgres.url, "order"), tmp_path
    )
    assert "no table 'receipts'; did you mean sales.receipts?" in told_by(lines_in(postgres.url, "receipts"), tmp_path)
    nameless = Transactions(source=postgres.url, customer="who", time="at", amount="money")
    assert "transactions.table: missing; which of the database's tables is it: orders, sales.receipts?" in told_by(
        nameless, tmp_path
    )


@pytest.mark.parametrize("kind", ["duckdb", "sqlite"])
def test_a_missing_table_of_a_file_is_told(kind: str, tmp_path: Path) -> None:
    {"duckdb": fill_duckdb, "sqlite": fill_sqlite}[kind](tmp_path / "shop.db")
    assert "no table 'order'; did you mean orders?" in told_by(lines_in(f"{kind}:shop.db", "order"), tmp_path)


def test_a_missing_column_is_told_with_the_nearest_of_the_whole_table(postgres: Any, tmp_path: Path) -> None:
    fill_postgres(postgres)
    table = Transactions(source=postgres.url, table="orders", customer="cart", time="at", amount="money")
    with pytest.raises(DataError, match=r"^data/shop\.toml: transactions: customer = 'cart' .* did you mean 'card'\?$"):
        land(table, tmp_path, tmp_path / "kept", WHERE)


def test_a_table_that_may_not_be_read_is_told(postgres: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_postgres(postgres)
    with postgres.connect() as connection:
        connection.execute("CREATE USER clerk PASSWORD 'c1'")
    monkeypatch.setenv("LOYALTY_DB_PASSWORD", "c1")
    try:
        told = told_by(lines_in(postgres.url.replace("owner@", "clerk@")), tmp_path)
    finally:
        with postgres.connect() as connection:
            connection.execute("DROP USER clerk")
    assert told.endswith("the database says: permission denied for table orders")


@pytest.mark.parametrize("kind", ["duckdb", "sqlite"])
def test_a_file_that_is_no_database_is_told(kind: str, tmp_path: Path) -> None:
    (tmp_path / "shop.db").write_bytes(b"no database at all" * 1000)
    assert "transactions.source: the database says: " in told_by(lines_in(f"{kind}:shop.db"), tmp_path)


def test_the_database_is_not_changed(postgres: Any, tmp_path: Path) -> None:
    """What is sent runs in a transaction that the server itself keeps from writing."""
    fill_postgres(postgres)
    with (
        pytest.raises(DataError, match="the database says: cannot execute DELETE in a read-only transaction"),
        databases._postgres(lines_in(postgres.url), WHERE) as connection,
    ):
        connection.con.execute("DELETE FROM orders")


def test_rows_that_change_while_they_are_read_are_not_mixed(postgres: Any, tmp_path: Path) -> None:
    fill_postgres(postgres)
    table = lines_in(postgres.url)
    with databases.opened(table, tmp_path, WHERE) as rows:
        with postgres.connect() as other:
            other.execute("DELETE FROM orders")
        rows.write(tmp_path / "rows.parquet")
    assert pq.read_metadata(tmp_path / "rows.parquet").num_rows == len(LINES)


def test_rows_in_the_log_beside_a_sqlite_file_are_seen(tmp_path: Path) -> None:
    fill_sqlite(tmp_path / "shop.db")
    connection = sqlite3.connect(tmp_path / "shop.db")
    connection.execute("PRAGMA journal_mode = wal")
    first = land(lines_in("sqlite:shop.db"), tmp_path, tmp_path / "kept", WHERE)
    connection.execute("INSERT INTO orders VALUES ('9', '2024-01-01', 1, '')")
    connection.commit()
    second = land(lines_in("sqlite:shop.db"), tmp_path, tmp_path / "kept", WHERE)
    connection.close()
    assert [pq.read_metadata(landed.files[0]).num_rows for landed in (first, second)] == [3, 4]


def test_a_missing_driver_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    told = told_by(lines_in("postgres://owner@127.0.0.1/shop"), tmp_path)
    assert "the driver of PostgreSQL is missing" in told
    assert told.endswith("run `make setup`")


def test_the_password_of_the_tests_is_asked_for(postgres: Any) -> None:
    """Otherwise the tests of passwords would test nothing."""
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(host="127.0.0.1", port=postgres.port, user="owner", password="wrong", dbname="shop")


# What is not described yet


def test_the_tables_of_each_kind_of_database_are_named(postgres: Any, tmp_path: Path) -> None:
    fill_postgres(postgres)
    with postgres.connect() as connection:
        connection.execute("CREATE SCHEMA sales; CREATE VIEW sales.lines AS SELECT * FROM orders")
    fill_sqlite(tmp_path / "till.db")
    fill_duckdb(tmp_path / "shop.db")
    named = [databases.table_names(source, tmp_path, WHERE) for source in
             (postgres.url, "sqlite:till.db", "duckdb:shop.db")]  # fmt: skip
    assert named == [["orders", "sales.lines"], ["orders"], ["orders"]]


@pytest.mark.parametrize("kind", ["duckdb", "sqlite"])
def test_a_sample_has_all_columns_of_the_first_rows(kind: str, tmp_path: Path) -> None:
    {"duckdb": fill_duckdb, "sqlite": fill_sqlite}[kind](tmp_path / "shop.db")
    table = Table(source=f"{kind}:shop.db", table="orders")
    assert list(databases.sample(table, tmp_path, WHERE, 2).columns) == ["who", "at", "money", "card"]
    assert len(databases.sample(table, tmp_path, WHERE, 2)) == 2
    assert len(databases.sample(table, tmp_path, WHERE, 9)) == 3


def test_a_sample_of_a_server_leaves_its_other_rows_there(
    postgres: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("all rows were asked for")

    monkeypatch.setattr(databases, "_state", fail)
    fill_postgres(postgres)
    assert len(databases.sample(Table(source=postgres.url, table="orders"), tmp_path, WHERE, 1)) == 1


def test_a_file_says_which_database_it_is(tmp_path: Path) -> None:
    fill_duckdb(tmp_path / "a.db")
    fill_sqlite(tmp_path / "b.db")
    (tmp_path / "c.db").write_bytes(b"")
    assert [databases.kind_of_file(tmp_path / f"{name}.db") for name in "abc"] == ["duckdb", "sqlite", None]
    assert told_by(lines_in("sqlite:a.db"), tmp_path).endswith(
        "a.db is a database of another kind; name it as duckdb:a.db"
    )
