"""The dataset file that is written for a log: it loads, says what was found out, and asks what was not."""

import dataclasses
import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loyalty.schema import Dataset, Table, Transactions
from loyalty.sources.guessing.draft import Draft, masked, place_of, toml, written
from loyalty.sources.guessing.guesses import Candidate, Guess, Guesses
from loyalty.sources.guessing.inspection import source_of
from loyalty.sources.guessing.profile import profile
from loyalty.sources.guessing.rhythm import Rhythm, day_and_month, rhythm, study_of
from loyalty.sources.guessing.template import TEMPLATE
from loyalty.sources.guessing.vocabulary import meaning

MEASURED = Rhythm(900, 890, 600, date(2023, 1, 1), date(2024, 1, 31), 9.0)
NAMES = st.lists(st.text(min_size=1, max_size=30), min_size=5, max_size=5, unique=True)
ONE_AND_TWO = profile("any", pd.Series(["1", "2"], dtype="string"))
HARD = ['a "b"', "back\\slash", "two\nlines", "dotted.name", "# no comment", "tab\t\x00\x7f", "'''", "客户", "\u2028"]


def guesses_of(columns: dict[str, str], values: dict[str, list[str]] | None = None) -> Guesses:
    """Guesses in which each role has one column: role → column."""
    roles = {
        role: Guess(role, (Candidate(column, 0.9, (f"evidence of {column}",)),), (column,))
        for role, column in columns.items()
    }
    profiles = {column: dataclasses.replace(ONE_AND_TWO, name=column) for column in columns.values()}
    profiles |= {column: profile(column, pd.Series(held, dtype="string")) for column, held in (values or {}).items()}
    return Guesses(profiles, {column: meaning(column) for column in profiles}, "en", roles)


def draft_of(guesses: Guesses, **changes: Any) -> Draft:
    table = Table(source="data/raw/log.csv", encoding="gbk", delimiter=";", decimal=",", thousands=".")
    draft = Draft("A shop", "log.csv", table, guesses, ("%d.%m.%Y",), MEASURED, study_of(MEASURED))
    return draft._replace(**changes)


def undecided(guesses: Guesses, role: str, columns: list[str]) -> Guesses:
    """The same with several candidates for a role, none taken."""
    candidates = tuple(Candidate(column, 0.9, (f"evidence of {column}",)) for column in columns)
    return dataclasses.replace(guesses, roles=guesses.roles | {role: Guess(role, candidates, ())})


PLAIN = {"customer": "who", "time": "when", "amount": "paid"}


def test_what_was_found_out_is_said() -> None:
    text = written(draft_of(guesses_of(PLAIN | {"order": "receipt"})))
    dataset = Dataset.model_validate(tomllib.loads(text))
    (log,) = dataset.transactions
    assert (log.source, log.encoding, log.delimiter, log.decimal, log.thousands) == (
        "data/raw/log.csv", "gbk", ";", ",", "."
    )  # fmt: skip
    assert (log.customer, log.time, log.amount, log.order) == ("who", "when", "paid", "receipt")
    assert log.time_format == "%d.%m.%Y"
    assert dataset.title == "A shop"
    assert (dataset.study.horizon_days, dataset.study.active_within_days, dataset.study.origins) == (28, 56, 4)
    assert 'customer = "who"  # high: evidence of who' in text
    assert (
        "600 customers; 2023-01-01 to 2024-01-31, 396 days; 65% of customers' next purchases come within 9 days" in text
    )


@given(NAMES)
def test_columns_of_any_name_are_named_as_they_are(names: list[str]) -> None:
    roles = dict(zip(("customer", "time", "amount", "order", "discount"), names, strict=True))
    (log,) = Dataset.model_validate(tomllib.loads(written(draft_of(guesses_of(roles))))).transactions
    assert [log.customer, log.time, log.amount, log.order, *log.discount] == names


@given(NAMES)
def test_comments_hold_names_of_any_kind(names: list[str]) -> None:
    unclear = undecided(undecided(guesses_of(PLAIN), "customer", names[:3]), "store", names[3:])
    text = written(draft_of(unclear, path=names[0], title=names[1]))
    content = tomllib.loads(text)
    assert "customer" not in content["transactions"]
    assert "store" not in content["transactions"]
    assert content["title"] == names[1]


@pytest.mark.parametrize("name", HARD)
def test_a_string_of_toml_reads_back(name: str) -> None:
    assert tomllib.loads(f"key = {toml(name)}\nlist = {toml([name, name])}") == {"key": name, "list": [name, name]}


def test_an_undecided_role_becomes_comments_of_which_one_line_decides() -> None:
    draft = draft_of(undecided(guesses_of(PLAIN), "customer", ["who", "whose"]))
    assert draft.undecided == ["customer"]
    text = written(draft)
    assert '# customer = "whose"  # high: evidence of whose' in text
    decided = text.replace('# customer = "whose"', 'customer = "whose"')
    assert Dataset.model_validate(tomllib.loads(decided)).transactions[0].customer == "whose"


def test_an_undecided_order_of_day_and_month_becomes_comments() -> None:
    draft = draft_of(guesses_of(PLAIN), time_formats=("%d/%m/%Y", "%m/%d/%Y"))
    assert draft.undecided == ["time_format"]
    text = written(draft)
    assert "time_format" not in tomllib.loads(text)["transactions"]
    decided = tomllib.loads(text.replace('# time_format = "%m', 'time_format = "%m'))
    assert decided["transactions"]["time_format"] == "%m/%d/%Y"


def test_a_total_that_stands_once_an_order_needs_the_order() -> None:
    guesses = guesses_of(PLAIN | {"order": "receipt"})
    total = Guess("amount", (Candidate("paid", 0.9, ("evidence of paid",), once=True),), ("paid",))
    guesses = dataclasses.replace(guesses, roles=guesses.roles | {"amount": total})
    draft = draft_of(guesses)
    assert draft.undecided == []
    assert Dataset.model_validate(tomllib.loads(written(draft))).transactions[0].total_on_first_line
    assert draft_of(undecided(guesses, "order", ["receipt", "basket"])).undecided == ["order"]


def test_a_count_of_seconds_is_explained() -> None:
    text = written(draft_of(guesses_of(PLAIN), time_formats=("unix",)))
    assert 'time_format = "unix"  # seconds since 1970 in UTC' in text


def test_an_unclear_role_that_is_not_needed_is_left_out_and_asks_nothing() -> None:
    draft = draft_of(undecided(guesses_of(PLAIN), "store", ["till", "branch"]))
    assert draft.undecided == []
    text = written(draft)
    assert Dataset.model_validate(tomllib.loads(text)).transactions[0].store is None
    assert '# store = "till"' in text


def test_columns_that_are_not_used_are_listed() -> None:
    guesses = guesses_of(PLAIN | {"store": "shop"})
    del guesses.roles["store"]
    assert "# not used: shop" in written(draft_of(guesses))


def test_what_can_be_added_is_what_a_dataset_file_knows() -> None:
    """The template cannot drift from the schema: with every comment sign away it loads."""
    added = re.sub(r"(?m)^# (?=\[|[a-z_]+ =)", "", TEMPLATE)
    dataset = Dataset.model_validate(tomllib.loads(written(draft_of(guesses_of(PLAIN))).replace(TEMPLATE, added)))
    optional = ("products", "customers", "campaigns", "contacts", "redemptions", "coupons", "points")
    assert [role for role in optional if getattr(dataset, role) is None] == []
    assert dataset.events.marked[0].name == "New competitor opens"
    assert dataset.goals.churn_rate == 0.1


@pytest.mark.parametrize(
    ("columns", "values", "language", "expected"),
    [
        ({"amount": "paid"}, {}, "en", ("USD", "America/New_York")),
        ({"amount": "Umsatz"}, {}, "de", ("EUR", "Europe/Berlin")),
        ({"amount": "金额"}, {}, "zh", ("CNY", "Asia/Shanghai")),
        ({"amount": "valor"}, {}, "pt", ("BRL", "America/Sao_Paulo")),
        ({"amount": "valor_eur"}, {}, "pt", ("EUR", "Europe/Lisbon")),
        ({"amount": "montant (CHF)"}, {}, "fr", ("CHF", "Europe/Zurich")),
        ({"amount": "paid"}, {"paid": ["£3.00"]}, "en", ("GBP", "Europe/London")),
        ({"amount": "paid", "currency": "cur"}, {"cur": ["SEK", "SEK", "EUR"]}, "en", ("SEK", "Europe/Berlin")),
    ],
)
def test_currency_and_zone(
    columns: dict[str, str], values: dict[str, list[str]], language: str, expected: tuple[str, str]
) -> None:
    place = place_of(dataclasses.replace(guesses_of(columns, values), language=language))
    assert (place.currency, place.timezone) == expected
    assert "check" in place.timezone_from
    assert "check" in place.currency_from or "most common" in place.currency_from


def test_examples_of_customers_are_shapes() -> None:
    assert masked(["K-0815", "k-4711", "王伟@x.cn"]) == ["x-9999", "xx@x.xx"]


# What the whole log says


def measured(frame: pd.DataFrame, **roles: Any) -> Rhythm:
    names = {"source": "x.csv", "customer": "customer", "time": "time", "amount": "amount"} | roles
    return rhythm(ibis.memtable(frame.astype("string")), Transactions(**names), date(2025, 1, 1))


def test_the_rhythm_is_that_of_pandas(simulated_log: pd.DataFrame) -> None:
    days = simulated_log.assign(day=simulated_log["time"].dt.normalize())
    days = days[days["amount"] > 0].drop_duplicates(["customer", "day"]).sort_values(["customer", "day"])
    gaps = days.groupby("customer")["day"].diff().dt.days
    found = measured(simulated_log)
    assert (found.lines, found.read) == (len(simulated_log), len(simulated_log))
    assert found.customers == days["customer"].nunique()
    assert (found.first, found.last) == (days["day"].min().date(), days["day"].max().date())
    assert found.gap_days == pytest.approx(gaps.quantile(0.65))


def test_lines_that_cannot_be_read_count_as_lines_only() -> None:
    rows = [("a", "01.02.2024", "1,50"), ("a", "05.02.2024", "2"), ("b", "31.02.2024", "1"), (None, "01.03.2024", "1"),
            ("c", "01.03.2024", "gift"), ("d", "01.03.2099", "9"), ("e", "01.01.1900", "9"), ("f", "01.03.2024", "-4"),
            ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["customer", "time", "amount"])
    found = measured(frame, time_format="%d.%m.%Y", decimal=",")
    assert found == Rhythm(8, 3, 1, date(2024, 2, 1), date(2024, 2, 5), 4.0)
    assert measured(frame, time_format="%Y%m%d") == Rhythm(8, 0, 0, None, None, None)


@pytest.mark.parametrize(
    ("days", "gap", "expected"),
    [
        (365, 5.0, (28, 56, 4)),
        (730, 45.0, (91, 182, 4)),
        (1500, 120.0, (182, 364, 4)),
        (1500, 900.0, (182, 364, 4)),
        (365, 120.0, (91, 182, 2)),
        (80, 5.0, (20, 40, 2)),
        (2, None, (1, 2, 1)),
    ],
)
def test_the_study_fits_the_log(days: int, gap: float | None, expected: tuple[int, int, int]) -> None:
    first = date(2020, 1, 1)
    study = study_of(Rhythm(9, 9, 9, first, date.fromordinal(first.toordinal() + days - 1), gap))
    assert (study.horizon_days, study.active_within_days, study.origins) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["01/02/2024", "13/02/2024"], ("%d/%m/%Y",)),
        (["01/02/2024", "1/31/2024 8:00"], ("%m/%d/%Y",)),
        (["01/02/2024", None, "junk"], ("%d/%m/%Y", "%m/%d/%Y")),
    ],
)
def test_all_rows_may_tell_the_day_from_the_month(values: list[str], expected: tuple[str, ...]) -> None:
    column = ibis.memtable(pd.DataFrame({"t": pd.Series(values, dtype="string")})).t
    assert day_and_month(column, ("%d/%m/%Y", "%m/%d/%Y")) == expected


# Where the source is


def test_a_source_is_named_from_the_project_or_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, away = tmp_path / "project", tmp_path / "away"
    for folder in (root / "data" / "raw", away / "in[1]"):
        folder.mkdir(parents=True)
    for file in (root / "data" / "raw" / "a.csv", root / "data" / "raw" / "b.csv", away / "in[1]" / "c.csv.gz"):
        file.write_text("x")
    monkeypatch.chdir(root / "data")
    assert source_of("raw/a.csv", root) == "data/raw/a.csv"
    assert source_of("raw/*.csv", root) == "data/raw/*.csv"
    assert source_of("raw", root) == "data/raw/*.csv"
    assert source_of("../../away/in[1]/c.csv.gz", root) == str(away / "in[1]" / "c.csv.gz")
    assert source_of(str(away / "in[1]"), root) == str(away / "in[[]1]" / "*.csv.gz")
    assert source_of("package:lifetimes/datasets/x.txt", root) == "package:lifetimes/datasets/x.txt"
