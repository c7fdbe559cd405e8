"""From the retailer's columns to ours: types, days of the store, and lines that cannot be used."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from loyalty.errors import DataError
from loyalty.prepared import Prepared
from loyalty.settings import load_dataset


@pytest.fixture
def prepare(make_shop: Callable[..., Path], shop_toml: str) -> Callable[..., Prepared]:
    """Return a function that opens a log written as CSV, with more keys in [transactions] and more sections."""

    def make(log: str, keys: str = "", sections: str = "", **files: str) -> Prepared:
        toml = shop_toml.replace('amount = "amount"', f'amount = "amount"\n{keys}') + sections
        root = make_shop(log, toml)
        for name, text in files.items():
            (root / "data" / "raw" / f"{name}.csv").write_text(text, "utf-8")
        return Prepared("shop", load_dataset("shop", root), root)

    return make


def rows(table: Any) -> list[dict[str, Any]]:
    return table.to_pyarrow().to_pylist()  # type: ignore[no-any-return]


def test_numbers_as_customers_are_text_and_dates_are_days(prepare: Callable[..., Prepared]) -> None:
    (line,) = rows(prepare("customer,time,amount\n7,2020-02-29,3\n").lines)
    assert (line["customer"], line["day"], line["amount"]) == ("7", date(2020, 2, 29), 3.0)


def test_an_order_is_a_customer_at_an_instant_unless_the_log_names_it(prepare: Callable[..., Prepared]) -> None:
    log = "customer,time,amount,receipt\na,2020-01-01 09:00,1,r1\na,2020-01-01 09:00,2,r2\na,2020-01-01 17:00,4,r2\n"
    assert prepare(log).lines.order.nunique().execute() == 2
    assert {line["order"] for line in rows(prepare(log, 'order = "receipt"').lines)} == {"r1", "r2"}


@pytest.mark.parametrize(
    ("broken", "counted"),
    [
        (",2020-01-02,5", "no_customer"),
        ("b,,5", "no_time"),
        ("b,2020-01-02,", "no_amount"),
        ("b,2020-01-02,five", "no_amount"),
        ("b,2020-01-02,NaN", "no_amount"),
        ("b,2020-01-02,inf", "no_amount"),
        (",,", "no_customer"),
    ],
)
def test_a_line_that_cannot_be_used_is_counted_and_left_out(
    prepare: Callable[..., Prepared], broken: str, counted: str
) -> None:
    data = prepare(f"customer,time,amount\na,2020-01-01,1.5\n{broken}\na,2020-01-03,2.5\n")
    facts = data.facts
    assert {name: facts[name] for name in ("no_customer", "no_time", "no_amount") if facts[name]} == {counted: 1}
    assert (facts["lines"], facts["used"], facts["customers"]) == (3, 2, 1)
    assert facts["spend"] == 4.0
    assert len(rows(data.lines)) == 2


def test_discounts_are_added_up_whatever_their_sign(prepare: Callable[..., Prepared]) -> None:
    log = "customer,time,amount,shelf,paper\na,2020-01-01,9,-1.5,0.25\na,2020-01-02,9,,x\n"
    lines = rows(prepare(log, 'discount = ["shelf", "paper"]\ncoupon = ["paper"]').lines)
    assert [(line["discount"], line["coupon"]) for line in lines] == [(1.75, 0.25), (0.0, 0.0)]


def test_a_format_tells_how_times_are_written(prepare: Callable[..., Prepared]) -> None:
    data = prepare("customer,time,amount\na,31.12.2019 23:59,1\n", 'time_format = "%d.%m.%Y %H:%M"')
    assert rows(data.lines)[0]["day"] == date(2019, 12, 31)


@pytest.mark.parametrize("keys", ['time_format = "%Y-%m-%d"', "", 'time_is = "utc"'])
def test_a_time_that_cannot_be_read_costs_its_line_only(prepare: Callable[..., Prepared], keys: str) -> None:
    data = prepare("customer,time,amount\na,2020-01-01,1\na,01-02-20 late,1\n", keys)
    assert len(rows(data.lines)) == 1
    (set_aside,) = rows(data.quarantine)
    assert set_aside["time_as_given"] == "01-02-20 late"


@pytest.mark.parametrize("suffix", ["", "Z"])
def test_utc_is_moved_to_the_stores_day(prepare: Callable[..., Prepared], suffix: str) -> None:
    times = ["2020-01-31 22:59:59", "2020-01-31 23:00:00", "2020-06-30 21:59:59", "2020-06-30 22:00:00"]
    log = "customer,time,amount\n" + "".join(f"a,{time}{suffix},1\n" for time in times)
    days = [line["day"] for line in rows(prepare(log, 'time_is = "utc"').lines)]
    assert days == [date(2020, 1, 31), date(2020, 2, 1), date(2020, 6, 30), date(2020, 7, 1)]


@pytest.mark.parametrize("log", ["customer,time,amount\n", "customer,time,amount\na,,1\nb,,2\n"])
def test_a_log_without_any_time_is_wrong_input_and_no_crash(prepare: Callable[..., Prepared], log: str) -> None:
    assert prepare(log).facts["used"] == 0
    assert prepare(log, 'time_is = "utc"').facts["used"] == 0


PRODUCTS = """
[products]
source = "data/raw/products.csv"
product = "sku"
category = "shelf"
"""


def test_each_line_keeps_its_amount_when_a_product_is_listed_twice(prepare: Callable[..., Prepared]) -> None:
    data = prepare(
        "customer,time,amount,item\na,2020-01-01,1,1\na,2020-01-01,2,2\na,2020-01-01,4,9\n",
        'product = "item"',
        PRODUCTS,
        products="sku,shelf\n1,fruit\n1,fruit\n2,bread\n2,cake\n",
    )
    lines = {line["amount"]: line["category"] for line in rows(data.lines)}
    assert lines == {1.0: "fruit", 2.0: "bread", 4.0: None}
    (day,) = rows(data.tables.days)
    assert (day["spend"], day["lines"]) == (7.0, 3)


PROGRAMME = """
[campaigns]
source = "data/raw/campaigns.csv"
campaign = "id"
start = "first"
[contacts]
source = "data/raw/contacts.csv"
customer = "who"
campaign = "id"
[redemptions]
source = "data/raw/redemptions.csv"
customer = "who"
time = "at"
time_is = "utc"
"""


def test_contacts_are_dated_by_their_campaign_and_redemptions_by_the_stores_day(
    prepare: Callable[..., Prepared],
) -> None:
    tables = prepare(
        "customer,time,amount\na,2020-01-01,1\n",
        sections=PROGRAMME,
        campaigns="id,first,last\n1,2020-02-01,2020-03-01\n2,2020-04-01,2020-04-30\n",
        contacts="who,id\na,1\na,1\na,2\nb,2\nb,3\n",
        redemptions="who,at\na,2020-02-10 23:30\na,2020-02-10 22:30\na,\n",
    ).tables
    contacts = sorted((row["customer"], row["day"], row["campaign"]) for row in rows(tables.contacts))
    assert contacts == [
        ("a", date(2020, 2, 1), "1"),  # sent twice, and counted once
        ("a", date(2020, 4, 1), "2"),
        ("b", date(2020, 4, 1), "2"),  # campaign 3 is not described
    ]
    days = [row["day"] for row in rows(tables.redemptions)]
    assert sorted(day for day in days if day is not None) == [date(2020, 2, 10), date(2020, 2, 11)]


def test_a_column_that_is_not_there_is_told_for_the_other_tables_too(prepare: Callable[..., Prepared]) -> None:
    data = prepare(
        "customer,time,amount\na,2020-01-01,1\n",
        sections=PROGRAMME,
        campaigns="id,first,last\n1,2020-02-01,2020-03-01\n",
        contacts="whom,id\na,1\n",
        redemptions="who,at\na,2020-02-10 23:30\n",
    )
    with pytest.raises(DataError, match=r"data/shop\.toml: contacts: customer = 'who' is not a column; .*'whom'"):
        data.tables  # noqa: B018


def test_no_row_order_changes_the_lines(prepare: Callable[..., Prepared], lines: pd.DataFrame) -> None:
    one = prepare(lines.to_csv(index=False))
    other = prepare(lines.sample(frac=1, random_state=3).to_csv(index=False))
    assert sorted(map(str, rows(one.lines))) == sorted(map(str, rows(other.lines)))
    assert one.facts == other.facts
    assert one.key != other.key


TWO_CHANNELS = """
[[transactions]]
source = "data/raw/web.csv"
customer = "account"
time = "at"
amount = "paid"
channel_is = "web"
order = "no"

[[transactions]]
source = "data/raw/till.csv"
customer = "card"
time = "day"
time_format = "%d.%m.%Y"
amount = "total"
channel = "where"
order = "no"
decimal = ","
delimiter = ";"
"""

IDENTITY = """
[identity]
source = "data/raw/who.csv"
id = "number"
customer = "person"
"""

WEB = "account,at,paid,no\n7,2020-01-01 10:00,1.5,1\n8,2020-01-02 10:00,2.5,2\n9,2020-01-02 11:00,1,3\n"
TILL = "card;day;total;where;no\n7;03.01.2020;4,25;till north;1\n55;04.01.2020;8,00;till south;2\n"


@pytest.fixture
def stacked(make_shop: Callable[..., Path], shop_toml: str) -> Callable[..., Prepared]:
    """Return a function that opens a web shop and a till as one log, with more sections."""

    def make(sections: str = "", **files: str) -> Prepared:
        section = shop_toml[shop_toml.index("[transactions]") : shop_toml.index("[study]")]
        root = make_shop("", shop_toml.replace(section, TWO_CHANNELS) + sections)
        for name, text in {"web": WEB, "till": TILL, **files}.items():
            (root / "data" / "raw" / f"{name}.csv").write_text(text, "utf-8")
        return Prepared("shop", load_dataset("shop", root), root)

    return make


def who_bought(data: Prepared) -> dict[str, set[tuple[str, float]]]:
    found: dict[str, set[tuple[str, float]]] = {}
    for line in rows(data.lines):
        found.setdefault(line["customer"], set()).add((line["channel"], line["amount"]))
    return found


def test_several_logs_are_one_with_the_channel_told(stacked: Callable[..., Prepared]) -> None:
    assert who_bought(stacked()) == {
        "7": {("web", 1.5), ("till north", 4.25)},
        "8": {("web", 2.5)},
        "9": {("web", 1.0)},
        "55": {("till south", 8.0)},
    }


def test_the_same_receipt_number_in_another_log_is_another_receipt(stacked: Callable[..., Prepared]) -> None:
    assert stacked().lines.order.nunique().execute() == 5


def test_the_omnichannel_customer_is_one_customer(stacked: Callable[..., Prepared]) -> None:
    who = "number,person,channel\n8,ann,web\n55,ann,till south\n7,bob,web\n7,cy,till north\n"
    data = stacked(IDENTITY + 'channel = "channel"\n', who=who)
    assert who_bought(data) == {
        "ann": {("web", 2.5), ("till south", 8.0)},
        "bob": {("web", 1.5)},
        "cy": {("till north", 4.25)},
        "web:9": {("web", 1.0)},  # its number means something in the web shop alone
    }


def test_numbers_that_all_channels_share_need_no_channel(stacked: Callable[..., Prepared]) -> None:
    data = stacked(IDENTITY, who="number,person\n7,ann\n55,ann\n")
    assert set(who_bought(data)) == {"ann", "8", "9"}


def test_an_identity_that_is_listed_twice_doubles_no_line(stacked: Callable[..., Prepared]) -> None:
    data = stacked(IDENTITY, who="number,person\n7,ann\n7,ann\n7,zoe\n")
    assert data.lines.count().execute() == 5
    assert "ann" in who_bought(data)


CARDS = """
[points]
source = "data/raw/points.csv"
customer = "who"
time = "at"
points = "moved"
"""


def test_a_table_without_a_channel_bears_the_one_key_already(stacked: Callable[..., Prepared]) -> None:
    """Customer 7 of the one key is neither account 7 of the web shop nor card 7 of the till."""
    who = "number,person,channel\n7,100,web\n7,200,till north\n100,300,web\n"
    data = stacked(
        IDENTITY + 'channel = "channel"\n' + CARDS,
        who=who,
        points="who,at,moved\n100,2020-01-05,1\n200,2020-01-05,2\n7,2020-01-05,4\n",
    )
    assert {row["customer"]: row["points"] for row in rows(data.tables.points)} == {"100": 1.0, "200": 2.0, "7": 4.0}
    assert {"100", "200"} <= set(who_bought(data))


def test_numbers_of_channels_and_numbers_for_all_channels_stand_side_by_side(stacked: Callable[..., Prepared]) -> None:
    sections = """
[[identity]]
source = "data/raw/web_accounts.csv"
id = "number"
customer = "person"
channel = "channel"
[[identity]]
source = "data/raw/cards.csv"
id = "card"
customer = "person"
"""
    data = stacked(sections, web_accounts="number,person,channel\n8,ann,web\n", cards="card,person\n7,bob\n")
    assert set(who_bought(data)) == {"ann", "bob", "web:9", "till south:55"}


def test_two_tables_of_one_channel_count_their_receipts_for_themselves(
    make_shop: Callable[..., Path], shop_toml: str
) -> None:
    section = shop_toml[shop_toml.index("[transactions]") : shop_toml.index("[contract]")]
    one = (
        '[[transactions]]\nsource = "data/raw/{}.csv"\ncustomer = "c"\ntime = "t"\namount = "a"\n'
        'order = "no"\nchannel_is = "till"\n'
    )
    root = make_shop("", shop_toml.replace(section, one.format("old") + one.format("new")))
    for name, day in (("old", "2019-12-31"), ("new", "2020-01-01")):
        (root / "data" / "raw" / f"{name}.csv").write_text(f"c,t,a,no\nann,{day},1,1\n")
    assert Prepared("shop", load_dataset("shop", root), root).lines.order.nunique().execute() == 2


def test_a_wrong_column_names_the_table_of_the_stack(stacked: Callable[..., Prepared]) -> None:
    with pytest.raises(DataError, match=r"data/shop\.toml: transactions\.2: customer = 'card' is not a column"):
        stacked(till="cart;day;total;where;no\n").lines  # noqa: B018


MORE = """
[customers]
source = "data/raw/people.csv"
customer = "who"
attributes = ["age", "town"]
joined = "since"
[points]
source = "data/raw/points.csv"
customer = "who"
time = "at"
points = "moved"
kind = "why"
[consent]
source = "data/raw/consent.csv"
customer = "who"
time = "at"
granted = "said"
purpose = "what"
"""


def test_customers_points_and_consent_come_with_our_names(prepare: Callable[..., Prepared]) -> None:
    data = prepare(
        "customer,time,amount\na,2020-01-01,1\n",
        sections=MORE,
        people="who,age,town,since\na,30-39,Bonn,2019-05-01\nb,,,\na,30-39,Bonn,2019-05-01\n",
        points='who,at,moved,why\na,2020-01-01 10:00,10,Earn\na,2020-01-02,"-4",REDEEM\n,2020-01-02,5,earn\n',
        consent="who,at,said,what\na,2020-01-01,yes,Contact\na,2020-02-01,No,contact\nb,2020-02-01,maybe,contact\n",
    )
    people = {row["customer"]: row for row in rows(data.tables.customers)}
    assert data.tables.customers.count().execute() == 2
    assert people["a"] == {"customer": "a", "joined": date(2019, 5, 1), "profile_age": "30-39", "profile_town": "Bonn"}
    assert people["b"] == {"customer": "b", "joined": None, "profile_age": None, "profile_town": None}
    moved = sorted((row["day"], row["points"], row["kind"]) for row in rows(data.tables.points))
    assert moved == [(date(2020, 1, 1), 10.0, "earn"), (date(2020, 1, 2), -4.0, "redeem")]
    said = [(row["customer"], row["granted"], row["purpose"]) for row in rows(data.consent)]
    assert sorted(said, key=str) == [("a", False, "contact"), ("a", True, "contact"), ("b", None, "contact")]


def test_who_was_held_out_was_not_contacted(prepare: Callable[..., Prepared]) -> None:
    sections = """
[contacts]
source = "data/raw/contacts.csv"
customer = "who"
campaign = "id"
time = "at"
group = "arm"
"""
    contacts = "who,id,at,arm\na,1,2020-02-01 08:00,treated\nb,1,2020-02-01 08:00,Control\nc,1,2020-02-01,\n"
    tables = prepare("customer,time,amount\na,2020-01-01,1\n", sections=sections, contacts=contacts).tables
    assert sorted((row["customer"], row["day"]) for row in rows(tables.contacts)) == [
        ("a", date(2020, 2, 1)),
        ("c", date(2020, 2, 1)),
    ]


def test_contacts_without_any_date_are_wrong_input(prepare: Callable[..., Prepared]) -> None:
    sections = '[contacts]\nsource = "data/raw/contacts.csv"\ncustomer = "who"\ncampaign = "id"\n'
    data = prepare("customer,time,amount\na,2020-01-01,1\n", sections=sections, contacts="who,id\na,1\n")
    with pytest.raises(DataError, match=r"contacts: neither `time` nor a \[campaigns\] table says when"):
        data.tables  # noqa: B018


EVENTS = """
[[events.marked]]
day = 2020-03-01
until = 2020-03-04
name = "Till outage"
[events.table]
source = "data/raw/events.csv"
"""


def test_events_come_from_the_file_and_from_a_table(prepare: Callable[..., Prepared]) -> None:
    data = prepare(
        "customer,time,amount\na,2020-01-01,1\n",
        sections=EVENTS,
        events="day,name\n2020-05-01,May Day\n2020-01-01,New Year\n,nothing\n",
    )
    assert [(f"{event.day:%F}", f"{event.until:%F}", event.name) for event in data.events.itertuples(index=False)] == [
        ("2020-01-01", "2020-01-01", "New Year"),
        ("2020-03-01", "2020-03-04", "Till outage"),
        ("2020-05-01", "2020-05-01", "May Day"),
    ]


def test_without_events_there_is_nothing_to_mark(prepare: Callable[..., Prepared]) -> None:
    assert prepare("customer,time,amount\na,2020-01-01,1\n").events.empty


def test_the_category_of_the_log_comes_before_the_list_of_products(prepare: Callable[..., Prepared]) -> None:
    data = prepare(
        "customer,time,amount,item,kind\na,2020-01-01,1,1,own\na,2020-01-01,2,2,\n",
        'product = "item"\ncategory = "kind"',
        PRODUCTS,
        products="sku,shelf\n1,fruit\n2,bread\n",
    )
    assert {line["amount"]: line["category"] for line in rows(data.lines)} == {1.0: "own", 2.0: "bread"}


def test_a_narrower_kind_that_is_recommended_comes_beside_the_category(prepare: Callable[..., Prepared]) -> None:
    log = "customer,time,amount,item\na,2020-01-01,1,1\na,2020-01-01,2,2\na,2020-01-01,4,9\n"
    listed = "sku,shelf,sort\n1,fruit,apples\n2,bread,\n"
    data = prepare(log, 'product = "item"', PRODUCTS + 'recommended = "sort"\n', products=listed)
    told = {line["amount"]: (line["category"], line["recommended"]) for line in rows(data.lines)}
    assert told == {1.0: ("fruit", "apples"), 2.0: ("bread", None), 4.0: (None, None)}
    plain = prepare(log, 'product = "item"', PRODUCTS, products=listed)
    assert all("recommended" not in line for line in rows(plain.lines))


def test_rows_of_other_tables_that_cannot_be_used_are_told(prepare: Callable[..., Prepared]) -> None:
    points = "who,at,moved\na,31.12.2019,10\na,2020-01-01,5\n,2020-01-01,5\n"
    strangers = "who,age,town,since\n0a,1,x,\n0b,1,x,\na,1,x,\n"
    data = prepare(
        "customer,time,amount\na,2020-01-01,1\na,2020-01-05,1\n",
        sections=MORE.replace('kind = "why"\n', ""),
        points=points,
        people=strangers,
        consent="who,at,said,what\n",
    )
    told = {found["name"]: found["detail"] for found in data.health(date(2020, 1, 6), 1)["findings"]}
    assert told["unusable_rows"].startswith("points: 2 of 3 rows lack a customer or a day")
    assert told["strangers"] == "customers: the log knows 1 of its 3 customers"


def test_a_discount_is_given_back_with_what_it_was_for(prepare: Callable[..., Prepared]) -> None:
    log = "customer,time,amount,off\na,2020-01-01,8,2\na,2020-01-01,-8,2\na,2020-01-01,5,1\n"
    (day,) = rows(prepare(log, 'discount = ["off"]').tables.days)
    assert (day["spend"], day["discount"]) == (5.0, 1.0)


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
def test_a_bare_date_is_the_stores_day_whatever_the_times_are(
    make_shop: Callable[..., Path], shop_toml: str, zone: str
) -> None:
    toml = shop_toml.replace("Europe/Berlin", zone).replace('time = "time"', 'time = "time"\ntime_is = "utc"')
    root = make_shop("customer,time,amount\na,2020-01-05,1\n", toml)
    assert rows(Prepared("shop", load_dataset("shop", root), root).lines)[0]["day"] == date(2020, 1, 5)


def test_dates_of_campaigns_and_customers_have_formats_too(prepare: Callable[..., Prepared]) -> None:
    sections = """
[campaigns]
source = "data/raw/campaigns.csv"
campaign = "id"
start = "first"
time_format = "%d.%m.%Y"
[contacts]
source = "data/raw/contacts.csv"
customer = "who"
campaign = "id"
[customers]
source = "data/raw/people.csv"
customer = "who"
birthday = "born"
time_format = "%Y%m%d"
"""
    tables = prepare(
        "customer,time,amount\na,2020-01-01,1\n",
        sections=sections,
        campaigns="id,first\n1,03.02.2020\n",
        contacts="who,id\na,1\n",
        people="who,born\na,19800131\n",
    ).tables
    assert [row["day"] for row in rows(tables.contacts)] == [date(2020, 2, 3)]
    assert [row["birthday"] for row in rows(tables.customers)] == [date(1980, 1, 31)]


def test_an_empty_end_of_a_contract_is_none_and_one_that_cannot_be_read_is_not_known(
    prepare: Callable[..., Prepared],
) -> None:
    sections = """
[customers]
source = "data/raw/people.csv"
customer = "who"
contract_end = "until"
time_format = "%d.%m.%Y"
"""
    people = "who,until\na,31.01.2021\nb,\nc,soon\n"
    tables = prepare("customer,time,amount\na,2020-01-01,1\n", sections=sections, people=people).tables
    ends = {row["customer"]: row["contract_end"] for row in rows(tables.customers)}
    assert ends == {"a": date(2021, 1, 31), "b": date(9999, 12, 31), "c": None}


def test_a_line_of_tomorrow_is_set_aside_today_and_kept_the_day_after(
    make_shop: Callable[..., Path], shop_toml: str
) -> None:
    root = make_shop("customer,time,amount\na,2020-01-01,1\na,2020-01-05,2\na,2999-01-01,4\n", shop_toml)

    def at(today: date) -> tuple[str, int]:
        data = Prepared("shop", load_dataset("shop", root), root, today=today)
        return data.key, data.facts["used"]

    first, second, third = (at(date(2020, 1, day)) for day in (4, 5, 6))
    assert (first[1], second[1], third[1]) == (1, 2, 2)
    assert first[0] != second[0]
    assert second[0] == third[0]  # no later day needs to judge anew
