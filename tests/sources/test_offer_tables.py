"""The tables about campaigns: what is read, and what is null where a file does not say it."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from loyalty.errors import SettingsError
from loyalty.features.offers import Offers
from loyalty.prepared import Prepared
from loyalty.settings import load_dataset

LOG = "customer,time,amount\na,2020-01-01,1\n"


@pytest.fixture
def opened(make_shop: Callable[..., Path], shop_toml: str) -> Callable[..., Offers]:
    """Return a function that reads the tables about campaigns, each from its section and its CSV."""

    def make(**tables: tuple[str, str]) -> Offers:
        said = [f'[{role}]\nsource = "data/raw/{role}.csv"\n{keys}\n' for role, (keys, _) in tables.items()]
        root = make_shop(LOG, shop_toml + "\n" + "\n".join(said))
        for role, (_, text) in tables.items():
            (root / "data" / "raw" / f"{role}.csv").write_text(text, "utf-8")
        offers = Prepared("shop", load_dataset("shop", root), root).offers
        assert offers is not None
        return offers

    return make


def rows(table: Any) -> list[dict[str, Any]]:
    return sorted(table.to_pyarrow().to_pylist(), key=str)


SENT = ('customer = "who"\ncampaign = "id"\ntime = "at"', "who,id,at\na,1,2020-02-01\nb,2,2020-02-03\nc,2,2020-02-04\n")


def test_campaigns_bring_their_type_channel_costs_and_days(opened: Callable[..., Offers]) -> None:
    keys = 'campaign = "id"\nstart = "first"\nend = "last"\ntype = "kind"\nchannel = "by"\n'
    keys += 'contact_cost = "each"\nbudget = "all"'
    text = (
        "id,first,last,kind,by,each,all\n1,2020-02-01,2020-03-01,A,mail,0.4,90\n1,2020-02-01,2020-03-01,A,mail,0.4,90\n"
    )
    first, second = rows(opened(contacts=SENT, campaigns=(keys, text)).campaigns)
    assert first == {
        "campaign": "1", "start": date(2020, 2, 1), "end": date(2020, 3, 1), "type": "A", "channel": "mail",
        "contact_cost": 0.4, "budget": 90.0, "hold_out": None,
    }  # fmt: skip
    # Of a campaign that only the contacts name no more is known than its first contact.
    known = {name: value for name, value in second.items() if value is not None}
    assert known == {"campaign": "2", "start": date(2020, 2, 3)}


@pytest.mark.parametrize("number", ["0.4", "1"])
def test_one_cost_for_all_contacts(opened: Callable[..., Offers], number: str) -> None:
    keys = f'campaign = "id"\nstart = "first"\ncontact_cost = {number}'
    campaign = rows(opened(contacts=SENT, campaigns=(keys, "id,first\n1,2020-02-01\n")).campaigns)[0]
    assert campaign["contact_cost"] == float(number)


def test_the_planned_hold_out_is_one_number_or_a_column(opened: Callable[..., Offers]) -> None:
    def told(key: str) -> list[Any]:
        keys = f'campaign = "id"\nstart = "first"\nhold_out = {key}'
        text = "id,first,kept\n1,2020-02-01,0.25\n2,2020-02-03,\n"
        return [row["hold_out"] for row in rows(opened(contacts=SENT, campaigns=(keys, text)).campaigns)]

    assert told("0.1") == [0.1, 0.1]
    assert told('"kept"') == [0.25, None]


@pytest.mark.parametrize("share", ["0", "1", "20"])
def test_a_planned_hold_out_that_is_no_share_is_wrong(opened: Callable[..., Offers], share: str) -> None:
    keys = f'campaign = "id"\nstart = "first"\nhold_out = {share}'
    with pytest.raises(SettingsError, match=r"campaigns.hold_out.*(greater than 0|less than 1)"):
        opened(contacts=SENT, campaigns=(keys, "id,first\n1,2020-02-01\n"))


def test_a_cost_below_zero_is_wrong(opened: Callable[..., Offers]) -> None:
    keys = 'campaign = "id"\nstart = "first"\ncontact_cost = -1'
    with pytest.raises(SettingsError, match=r"campaigns.contact_cost.*greater than or equal to 0"):
        opened(contacts=SENT, campaigns=(keys, "id,first\n1,2020-02-01\n"))


@pytest.mark.parametrize(
    ("written", "opened_on", "is_opened"),
    [("yes", None, True), ("no", None, False), ("", None, False), ("2020-02-05 09:00", date(2020, 2, 5), True)],
)
def test_a_contact_says_whether_it_was_opened_or_when(
    opened: Callable[..., Offers], written: str, opened_on: date | None, is_opened: bool
) -> None:
    keys = SENT[0] + '\nopened = "seen"\nsent_by = "by"'
    (contact,) = rows(opened(contacts=(keys, f"who,id,at,seen,by\na,1,2020-02-01,{written},app\n")).drawn)
    assert (contact["opened"], contact["opened_day"], contact["sent_by"]) == (is_opened, opened_on, "app")


def test_redemptions_and_coupons_and_what_was_opened(opened: Callable[..., Offers]) -> None:
    offers = opened(
        contacts=SENT,
        redemptions=(
            'customer = "who"\ntime = "at"\ncampaign = "id"\ncoupon = "upc"\norder = "slip"\namount = "off"',
            "who,at,id,upc,slip,off\na,2020-02-05,1,77,r1,-2.5\na,2020-02-05,1,77,r1,-2.5\n,2020-02-05,1,77,r1,1\n",
        ),
        coupons=('coupon = "upc"\ncampaign = "id"\nproduct = "item"', "upc,id,item\n77,1,9\n77,1,9\n77,1,8\n"),
        opens=('customer = "who"\ntime = "at"\ncampaign = "id"', "who,at,id\nb,2020-02-06,2\n"),
    )
    redemption = {
        "customer": "a", "day": date(2020, 2, 5), "campaign": "1", "coupon": "77", "order": "r1", "amount": 2.5
    }  # fmt: skip
    assert rows(offers.redemptions) == [redemption, redemption]  # two are two, even if all of them is alike
    assert rows(offers.coupons) == [{"coupon": "77", "campaign": "1", "product": product} for product in "89"]
    assert rows(offers.opens) == [{"customer": "b", "day": date(2020, 2, 6), "campaign": "2"}]
    plain = opened(contacts=SENT, redemptions=('customer = "who"\ntime = "at"', "who,at\na,2020-02-05\n"))
    (redemption,) = rows(plain.redemptions)
    assert redemption | {"customer": None, "day": None} == dict.fromkeys(redemption)


def test_how_a_contact_was_sent_does_not_change_whose_number_it_is(opened: Callable[..., Offers]) -> None:
    contacts = (SENT[0] + '\nsent_by = "by"', "who,id,at,by\n7,1,2020-02-01,app\n")
    identity = ('id = "card"\ncustomer = "person"\nchannel = "of"', "card,person,of\n7,ann,web\n8,bob,\n")
    (contact,) = rows(opened(contacts=contacts, identity=identity).drawn)
    assert (contact["customer"], contact["sent_by"]) == ("7", "app")
