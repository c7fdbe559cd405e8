"""Dataset files: what is right is read, and what is wrong is named with file, key, expected and found."""

from collections.abc import Callable
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from typing import Self

import pandas as pd
import pytest
from loyalty import settings
from loyalty.errors import SettingsError
from loyalty.settings import dataset_names, load_dataset, parse_date, project_root, whole_days, with_engine


@pytest.fixture
def root(make_shop: Callable[..., Path]) -> Path:
    """A project with one dataset, shop."""
    return make_shop("customer,time,amount\n")


def test_what_is_given_is_read_and_what_is_left_out_has_its_default(root: Path) -> None:
    dataset = load_dataset("shop", root)
    assert (dataset.title, dataset.currency, dataset.timezone) == ("Corner shop", "EUR", "Europe/Berlin")
    (log,) = dataset.transactions
    assert (log.time_is, log.discount, log.decimal, log.encoding) == ("local", (), ".", None)
    assert (dataset.engine, dataset.events.marked, dataset.contract.minimum_customers) == ("duckdb", (), 2)
    assert (dataset.study.horizon_days, dataset.study.annual_discount_rate) == (20, 0.1)
    assert (dataset.products, dataset.goals.churn_rate, dataset.privacy.minimum_cell) == (None, None, 10)


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        pytest.param('title = "Corner shop"\n', "", ["title is missing"], id="a key is missing"),
        pytest.param('amount = "amount"\n', "", ["transactions.amount is missing"], id="a nested key is missing"),
        pytest.param("[study]", "[studies]", ["study is missing", "did you mean 'study'?"], id="a section's name"),
        pytest.param(
            "horizon_days", "horizon_day", ["study.horizon_day is not", "did you mean 'horizon_days'?"], id="misspelt"
        ),
        pytest.param(
            "margin = 0.3", "margin = 0.3\nqqq = 1", ["study.qqq is not a known key", "margin"], id="no such key"
        ),
        pytest.param("= 20", '= "20"', ["study.horizon_days", "integer", "found '20'"], id="text for a number"),
        pytest.param("= 20", "= true", ["study.horizon_days", "integer", "found True"], id="true for a number"),
        pytest.param("= 20", "= 1.5", ["study.horizon_days", "integer", "found 1.5"], id="half a day"),
        pytest.param("= 20", "= 0", ["study.horizon_days", "greater than or equal to 1", "found 0"], id="no days"),
        pytest.param("= 20", "= -7", ["study.horizon_days", "found -7"], id="days before"),
        pytest.param("= 20", "= 3651", ["study.horizon_days", "3650", "found 3651"], id="too many days"),
        pytest.param("origins = 2", "origins = 0", ["study.origins", "found 0"], id="nothing to learn from"),
        pytest.param(
            "margin = 0.3",
            'margin = 0.3\nchurn = "gone"',
            ["study.churn: expected 'no purchase', 'partial defection' or 'contract end', found 'gone'"],
            id="leaving",
        ),
        pytest.param(
            "margin = 0.3",
            'margin = 0.3\nchurn = "contract end"',
            ["study: expected contract_end under [customers]", 'churn = "contract end" is told by; add it, or choose'],
            id="no contracts",
        ),
        pytest.param("margin = 0.3", "margin = 0", ["study.margin", "greater than 0", "found 0"], id="no margin"),
        pytest.param("margin = 0.3", "margin = 30", ["study.margin", "equal to 1", "found 30"], id="per cent"),
        pytest.param("margin = 0.3", "margin = nan", ["study.margin", "found nan"], id="not a number"),
        pytest.param("margin = 0.3", "margin = true", ["study.margin", "number", "found True"], id="true for a share"),
        pytest.param("margin = 0.3", 'margin = "0.3"', ["study.margin", "number", "found '0.3'"], id="text, a share"),
        pytest.param(
            '"EUR"',
            '"euro"',
            ["currency: expected a three-letter code in capitals, such as EUR, found 'euro'"],
            id="euro",
        ),
        pytest.param('"EUR"', '"Euro"', ["a three-letter code in capitals, such as EUR, found 'Euro'"], id="a word"),
        pytest.param('"Corner shop"', '""', ["title: expected at least one character, found ''"], id="no title"),
        pytest.param('"amount"', '"amount"\nheader_row = 0', ["transactions.header_row", "found 0"], id="row 0"),
        pytest.param('"amount"', '"amount"\ndiscount = "x"', ["transactions.discount: expected a list"], id="no list"),
        pytest.param('"EUR"', "978", ["currency: expected text in quotes, found 978"], id="number for text"),
        pytest.param("Europe/Berlin", "Europe/Berln", ["timezone", "time zone", "'Europe/Berln'"], id="no such zone"),
        pytest.param("Europe/Berlin", "Europe", ["timezone", "time zone", "found 'Europe'"], id="half a zone"),
        pytest.param('"time"', '"time"\ntime_is = "gmt"', ["transactions.time_is", "'utc'", "'gmt'"], id="choice"),
        pytest.param("[transactions]", "transactions = 5\n[other]", ["transactions", "found 5"], id="not a section"),
        pytest.param("[study]", "[privacy]\nminimum_cell = 1\n[study]", ["privacy.minimum_cell", "found 1"], id="cell"),
        pytest.param("margin = 0.3", "margin = ", ["not valid TOML", "line"], id="not TOML"),
        pytest.param(
            '"time"', '"time"\ntime_format = "%d. %Q %Y"', ["transactions.time_format", "%Y, %y", "(%Q is not"], id="%Q"
        ),
        pytest.param(
            '"time"', '"time"\ntime_format = "%m/%d/%Y %I:%M"', ["%I and %p go together", "(it lacks %p)"], id="no %p"
        ),
        pytest.param(
            '"time"',
            '"time"\ntime_format = "seconds"',
            ["transactions.time_format", "unix or unix_ms or"],
            id="seconds",
        ),
        pytest.param(
            '"time"', '"time"\ntime_format = "dd.MM.yyyy"', ["transactions.time_format", "lacks %Y, %m, %d"], id="dd"
        ),
        pytest.param(
            '"time"', '"time"\nencoding = "utf-9"', ["transactions.encoding", "'gbk'", "found 'utf-9'"], id="encoding"
        ),
        pytest.param(
            'source = "data/raw/log.csv"',
            'source = "postgres://me:secret@host/shop"',
            ["transactions.source", "without a password", "LOYALTY_DB_PASSWORD"],
            id="a password in the file",
        ),
        pytest.param(
            "[study]",
            '[programme]\ntiers = [{name = "Gold", spend = 9}, {name = "Silver", spend = 5}]\n[study]',
            ["programme.tiers", "each with more spend or points"],
            id="tiers upside down",
        ),
        pytest.param(
            "[contract]", '[contract]\nzero_amount = "drop"', ["contract.zero_amount", "'quarantine'"], id="rule"
        ),
        pytest.param(
            "[study]", '[[events.marked]]\nday = "soon"\nname = "x"\n[study]', ["events.marked", "day"], id="event"
        ),
    ],
)
def test_a_mistake_is_one_line_with_file_key_expected_and_found(
    root: Path, shop_toml: str, right: str, wrong: str, told: list[str]
) -> None:
    assert right in shop_toml
    (root / "data" / "shop.toml").write_text(shop_toml.replace(right, wrong))
    with pytest.raises(SettingsError, match=r"^data/shop\.toml") as caught:
        load_dataset("shop", root)
    message = str(caught.value)
    assert [text for text in told if text not in message] == []
    assert "\n" not in message


@pytest.mark.parametrize("address", ["postgres://me:secret@host/shop", "postgresql://me@host/shop?password=secret"])
def test_a_password_that_was_refused_is_not_repeated(root: Path, shop_toml: str, address: str) -> None:
    text = shop_toml.replace("data/raw/log.csv", address)
    (root / "data" / "shop.toml").write_text(text)
    with pytest.raises(SettingsError, match="password") as caught:
        load_dataset("shop", root)
    assert "secret" not in str(caught.value)


def test_a_mistake_in_a_stack_is_told_with_the_number_of_the_table(root: Path, shop_toml: str) -> None:
    second = '[[transactions]]\nsource = "x.csv"\ncustomer = "c"\ntime = "t"\namuont = "a"\n\n[study]'
    text = shop_toml.replace("[transactions]", "[[transactions]]").replace("[study]", second)
    (root / "data" / "shop.toml").write_text(text)
    with pytest.raises(SettingsError, match=r"transactions\.2\.amount is missing; .*did you mean 'amount'"):
        load_dataset("shop", root)


def test_an_engine_is_asked_for_by_name(root: Path) -> None:
    dataset = load_dataset("shop", root)
    assert with_engine(dataset, None) is dataset
    assert with_engine(dataset, "spark").engine == "spark"
    with pytest.raises(SettingsError, match="engine: expected duckdb or spark, found 'dask'"):
        with_engine(dataset, "dask")


def test_the_engine_and_its_settings_stand_in_the_file(root: Path, shop_toml: str) -> None:
    said = '\n[engine_settings]\nmaster = "yarn"\noptions = { "spark.executor.memory" = "8g", "spark.x" = true }\n'
    said += "training_customers = 5000\nmemory_gb = 2.5\ndevice = 'cuda'\n"
    (root / "data" / "shop.toml").write_text('engine = "spark"\n' + shop_toml + said)
    dataset = load_dataset("shop", root)
    assert dataset.engine == "spark"
    assert dataset.engine_settings.master == "yarn"
    assert dataset.engine_settings.options == {"spark.executor.memory": "8g", "spark.x": True}
    assert (dataset.engine_settings.training_customers, dataset.engine_settings.memory_gb) == (5000, 2.5)
    assert dataset.engine_settings.device == "cuda"
    (root / "data" / "shop.toml").write_text('engine = "dask"\n' + shop_toml)
    with pytest.raises(SettingsError, match=r"engine: expected 'duckdb' or 'spark', found 'dask'"):
        load_dataset("shop", root)


def test_all_mistakes_are_told_at_once(root: Path, shop_toml: str) -> None:
    (root / "data" / "shop.toml").write_text(shop_toml.replace("= 20", "= 0").replace('"EUR"', '"E"'))
    with pytest.raises(SettingsError, match=r"currency.*; study\.horizon_days"):
        load_dataset("shop", root)


def test_a_file_in_another_encoding_is_refused(root: Path, shop_toml: str) -> None:
    (root / "data" / "shop.toml").write_bytes(shop_toml.replace("Corner", "Käse").encode("latin-1"))
    with pytest.raises(SettingsError, match=r"data/shop\.toml is not valid TOML"):
        load_dataset("shop", root)


def test_datasets_are_named_by_their_files_with_hyphens(root: Path, shop_toml: str) -> None:
    (root / "data" / "book_shop.toml").write_text(shop_toml)
    assert dataset_names(root) == ["book-shop", "shop"]
    assert load_dataset("book-shop", root) == load_dataset("book_shop", root)


@pytest.mark.parametrize(("asked", "hint"), [("shopp", "did you mean 'shop'\\? data/ describes shop"), ("x", "shop$")])
def test_an_unknown_dataset_is_told_which_there_are(root: Path, asked: str, hint: str) -> None:
    with pytest.raises(SettingsError, match=f"unknown dataset '{asked}': .*{hint}"):
        load_dataset(asked, root)


@pytest.mark.parametrize("asked", ["../shop", "shop.toml", "/etc/passwd", ""])
def test_a_dataset_is_not_a_path(root: Path, asked: str) -> None:
    with pytest.raises(SettingsError, match="unknown dataset"):
        load_dataset(asked, root)


def test_without_any_dataset_the_error_says_so(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="data/ describes none"):
        load_dataset("shop", tmp_path)


def test_the_project_is_found_from_a_folder_inside_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOYALTY_ROOT", raising=False)
    monkeypatch.chdir(root / "notebooks")
    assert project_root() == root


def test_the_variable_goes_before_the_working_directory(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    monkeypatch.setenv("LOYALTY_ROOT", str(tmp_path))
    assert project_root() == tmp_path


def test_far_from_any_project_the_error_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOYALTY_ROOT", raising=False)
    monkeypatch.setattr(settings, "__file__", str(tmp_path / "site-packages" / "loyalty" / "settings.py"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match=r"no project found.*set LOYALTY_ROOT"):
        project_root()


@pytest.mark.parametrize("wrong", [0, -1, True, 1.5, 20.0, "20", 3651])
def test_days_are_a_whole_number(wrong: object) -> None:
    with pytest.raises(SettingsError, match="horizon_days: expected a whole number of days from 1 to 3650, found"):
        whole_days("horizon_days", wrong, 20)  # type: ignore[arg-type]


def test_days_not_given_are_the_dataset_files() -> None:
    assert whole_days("horizon_days", None, 20) == 20
    assert (whole_days("horizon_days", 1, 20), whole_days("horizon_days", 3650, 20)) == (1, 3650)


class NewYearInLondon(datetime):
    """A clock that stands at half past midnight UTC on 1 January 2020."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return cls(2020, 1, 1, 0, 30, tzinfo=UTC).astimezone(tz)


@pytest.mark.parametrize(
    ("zone", "today", "yesterday"),
    [
        ("UTC", date(2020, 1, 1), date(2019, 12, 31)),
        ("America/New_York", date(2019, 12, 31), date(2019, 12, 30)),
        ("Asia/Kolkata", date(2020, 1, 1), date(2019, 12, 31)),
    ],
)
def test_today_is_the_day_in_the_stores_zone(
    zone: str, today: date, yesterday: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "datetime", NewYearInLondon)
    assert parse_date("today", zone) == today
    assert parse_date("yesterday", zone) == yesterday


def test_a_date_is_a_date_or_iso_text() -> None:
    assert parse_date("2020-02-29", "UTC") == parse_date(date(2020, 2, 29), "UTC") == date(2020, 2, 29)
    assert parse_date(None, "UTC") is None


@pytest.mark.parametrize("wrong", ["2019-02-29", "29.02.2020", "tomorrow", "", pd.Timestamp("2020-01-01"), 1])
def test_no_other_date_is_understood(wrong: object) -> None:
    with pytest.raises(SettingsError, match="as_of: expected YYYY-MM-DD, today or yesterday, found"):
        parse_date(wrong, "UTC")  # type: ignore[arg-type]
