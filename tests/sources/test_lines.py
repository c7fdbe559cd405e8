"""Orders whose total stands on one line: money is counted once, and no line is lost or set aside without a reason."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from loyalty.errors import SettingsError
from loyalty.prepared import Prepared
from loyalty.settings import load_dataset

KEYS = 'order = "order"\ncurrency = "currency"\ntotal_on_first_line = true\n'
LOG = """\
order,customer,time,amount,currency,product
1,ann,2020-01-01 10:00,30.00,EUR,tea
1,ann,2020-01-01 10:00,,,cup
1,ann,2020-01-01 10:00,,,cup
2,,,,,pot
2,bob,2020-01-02 11:00,5.00,USD,tea
3,cem,2020-01-03 12:00,,EUR,tea
4,dan,2020-01-04 12:00,free,EUR,tea
4,dan,2020-01-04 12:00,,EUR,cup
,eve,2020-01-05 12:00,,EUR,cup
5,eve,2020-01-06 12:00,-4.00,EUR,tea
5,eve,2020-01-06 12:00,,EUR,tea
6,eve,2020-01-07 12:00,0.00,EUR,tea
"""


def prepared(make_shop: Callable[..., Path], shop_toml: str, log: str, keys: str = KEYS) -> Prepared:
    root = make_shop(log, shop_toml.replace('amount = "amount"\n', f'amount = "amount"\n{keys}'))
    return Prepared("shop", load_dataset("shop", root), root)


def test_a_blank_amount_is_worth_nothing_where_the_order_has_a_total(
    make_shop: Callable[..., Path], shop_toml: str
) -> None:
    facts = prepared(make_shop, shop_toml, LOG).facts
    assert facts["lines"] == facts["used"] + facts["quarantined"] == 12
    # Order 3, the unreadable total of order 4 and the line without an order have no amount; order 2 is in dollars.
    assert (facts["no_amount"], facts["other_currency"], facts["quarantined"]) == (3, 2, 5)
    assert facts["spend"] == pytest.approx(30 - 4)


def test_lines_of_an_order_are_no_duplicates_and_no_gifts(make_shop: Callable[..., Path], shop_toml: str) -> None:
    data = prepared(make_shop, shop_toml, LOG)
    lines = data.tables.lines.to_pandas()
    assert sorted(lines.loc[lines["order"] == "1", "amount"]) == [0, 0, 30]
    assert data.facts["zero"] == 1  # order 6, which says so itself


def test_blanks_of_an_order_are_as_on_its_other_line(make_shop: Callable[..., Path], shop_toml: str) -> None:
    data = prepared(make_shop, shop_toml, LOG.replace("USD", "EUR"))
    lines = data.tables.lines.to_pandas()
    second = lines[lines["order"] == "2"]
    assert second["customer"].tolist() == ["bob", "bob"]
    assert second["time"].tolist() == [pd.Timestamp("2020-01-02 11:00")] * 2
    assert data.facts["spend"] == pytest.approx(30 + 5 - 4)


def test_without_the_key_a_blank_amount_is_missing(make_shop: Callable[..., Path], shop_toml: str) -> None:
    facts = prepared(make_shop, shop_toml, LOG, 'order = "order"\n').facts
    assert (facts["no_customer"], facts["no_amount"]) == (1, 7)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("total_on_first_line = true\n", "expected `order` beside total_on_first_line"),
        (KEYS + 'quantity = "product"\n', "expected no `quantity` beside total_on_first_line"),
    ],
)
def test_a_total_needs_an_order_and_no_quantity(
    keys: str, told: str, make_shop: Callable[..., Path], shop_toml: str
) -> None:
    with pytest.raises(SettingsError, match=rf"^data/shop\.toml: transactions: {told}[^{{]*$"):
        prepared(make_shop, shop_toml, LOG, keys)


def test_typed_totals_are_spread_as_those_of_text(tmp_path: Path, shop_toml: str) -> None:
    frame: dict[str, Any] = {
        "customer": ["a", "a", "b"], "time": pd.to_datetime(["2020-01-01", None, "2020-01-02"]),
        "amount": [7.5, None, 1.0], "order": [1, 1, 2],
    }  # fmt: skip
    for folder in ("data/raw", "notebooks"):
        (tmp_path / folder).mkdir(parents=True)
    pd.DataFrame(frame).to_parquet(tmp_path / "data" / "raw" / "log.parquet")
    keys = 'order = "order"\ntotal_on_first_line = true\n'
    toml = shop_toml.replace("log.csv", "log.parquet").replace("[contract]", f"{keys}[contract]")
    (tmp_path / "data" / "shop.toml").write_text(toml)
    facts = Prepared("shop", load_dataset("shop", tmp_path), tmp_path).facts
    assert (facts["used"], facts["spend"], facts["quarantined"]) == (3, 8.5, 0)
