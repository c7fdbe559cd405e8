"""The draw of a hold-out: fair, the same in every run, independent between campaigns, and read by the evaluation."""

from datetime import date, datetime, timedelta
from hashlib import blake2b

import numpy as np
import pandas as pd
import pytest
from loyalty.errors import DataError, SettingsError
from loyalty.prepared import Prepared
from loyalty.programme import held_out, randomised
from loyalty.programme.design import Plan, Variation, hold_out_needed, minimum_effect
from loyalty.programme.drawing import HELD_OUT, chances, drawn, sized
from loyalty.programme.trial import Trial
from loyalty.settings import load_dataset
from scipy import stats

KEY = b"a key for the tests, 16 and more"
SPEND = Variation("spend", 28, 50.0, 60.0, 0.6, "spend_84", 0.6)


def chosen(count, campaign="spring", first=0):
    names = [f"c{number:05d}" for number in range(first, first + count)]
    return pd.DataFrame({"customer": names, "campaign": campaign, "channel": "mail"})


def held(frame):
    return set(frame.loc[frame["group"] == HELD_OUT, "customer"])


def test_the_number_is_that_of_the_hash():
    """Second route: an own key for the campaign, then 53 of 64 bits."""
    own = blake2b(b"spring", key=KEY).digest()
    whole = int.from_bytes(blake2b(b"c1", key=own, digest_size=8).digest(), "big")
    assert chances(KEY, "spring", ["c1"])[0] == (whole >> 11) / 2**53


def test_shares_are_those_asked_for_under_many_keys():
    """200 keys, 1,000 customers: counts are binomial, and numbers even (chi-squared, 20 cells)."""
    names, counts, cells = [f"c{number}" for number in range(1000)], [], np.zeros(20)
    for number in range(200):
        found = chances(number.to_bytes(16, "big"), "spring", names)
        counts.append((found < 0.2).sum())
        cells += np.bincount((found * 20).astype(int), minlength=20)
    assert np.mean(counts) == pytest.approx(200, abs=4 * np.sqrt(160 / 200))
    assert np.var(counts) == pytest.approx(160, rel=0.4)
    assert stats.chisquare(cells).pvalue > 0.001


def test_campaigns_and_keys_are_independent_of_each_other():
    """Chi-squared tests of held out in one against held out in the other: p-values are even."""
    names = [f"c{number}" for number in range(800)]
    values = []
    for number in range(150):
        key = (1000 + number).to_bytes(16, "big")
        one = chances(key, "spring", names) < 0.3
        for other in (chances(key, "spring 2", names) < 0.3, chances(key + b"x", "spring", names) < 0.3):
            table = [[(one & other).sum(), (one & ~other).sum()], [(~one & other).sum(), (~one & ~other).sum()]]
            values.append(stats.chi2_contingency(table, correction=False).pvalue)
    assert stats.kstest(values, "uniform").pvalue > 0.001


def test_a_customer_stays_in_the_arm_when_the_list_grows():
    small, large = (drawn(chosen(size), KEY, 0.25, date(2025, 3, 1)) for size in (500, 2000))
    again = drawn(chosen(500).sample(frac=1, random_state=1), KEY, 0.25, date(2025, 3, 1))
    assert small.equals(again)
    assert held(small) == held(large) & set(small["customer"])


def test_a_larger_share_keeps_those_who_were_held_out():
    assert held(drawn(chosen(500), KEY, 0.1, date(2025, 3, 1))) < held(drawn(chosen(500), KEY, 0.3, date(2025, 3, 1)))


def test_each_campaign_has_its_share():
    frame = drawn(
        pd.concat([chosen(300), chosen(300, "autumn")]), KEY, {"spring": 0.0, "autumn": 0.5}, datetime(2025, 3, 1, 9)
    )
    arms = frame.groupby("campaign")["group"].apply(lambda group: (group == HELD_OUT).mean())
    assert arms["spring"] == 0.0
    assert arms["autumn"] == pytest.approx(0.5, abs=0.1)
    assert frame.columns.tolist() == ["customer", "campaign", "time", "sent_by", "group"]
    assert frame["campaign"].is_monotonic_increasing
    assert set(frame["time"]) == {"2025-03-01 09:00:00"}


@pytest.mark.parametrize(
    ("key", "share", "said"),
    [
        (b"short", 0.1, "hold-out key: expected 16 to 64 bytes, found 5"),
        (KEY, 1.0, "hold-out of 'spring': expected a share from 0 to under 1, found 1"),
        (KEY, {"autumn": 0.1}, "no share is given for campaign 'spring'"),
    ],
)
def test_wrong_keys_and_shares_are_refused(key, share, said):
    with pytest.raises(SettingsError, match=said):
        drawn(chosen(3), key, share, date(2025, 3, 1))


def test_nobody_is_in_a_campaign_twice():
    with pytest.raises(DataError, match="once in a campaign, found 1 rows more"):
        drawn(pd.concat([chosen(2), chosen(1)]), KEY, 0.1, date(2025, 3, 1))


def test_the_hold_out_is_the_least_that_shows_what_matters():
    found, plan = sized("spring", 4000, SPEND, Plan(), 6.0), Plan()
    assert found.share == hold_out_needed(SPEND, plan, 4000, 6.0)
    assert found.shows == pytest.approx(6.0)
    assert found.enough
    assert "an effect of 6 a customer will show" in found.reading


def test_a_hold_out_that_is_too_small_to_show_it_says_so():
    few, tiny = sized("spring", 300, SPEND, Plan(), 1.0), sized("spring", 40, SPEND, Plan(), 1.0)
    assert (few.share, few.enough) == (0.2, False)
    assert few.shows == pytest.approx(minimum_effect(SPEND, Plan(), 300))
    assert "more than the 1 that matters" in few.reading
    assert np.isnan(tiny.shows)
    assert "too few customers" in tiny.reading


def test_without_an_effect_that_matters_the_plans_share_is_taken():
    found = sized("spring", 2000, SPEND, Plan(hold_out=0.1))
    assert (found.share, found.enough) == (0.1, True)


def test_some_are_held_out_even_where_fewer_would_show_it():
    assert sized("spring", 1_000_000, SPEND, Plan(), 20.0).share == 0.05


def test_the_evaluation_reads_what_was_drawn_as_randomised(make_shop, shop_toml):
    """The contacts are written as CSV, and the log has 4 more spend of those treated: the estimate holds it."""
    start, random = date(2024, 3, 1), np.random.default_rng(1)
    contacts = drawn(chosen(600), KEY, 0.3, start)
    treated = (contacts["group"] != HELD_OUT).to_numpy()
    rows = [contacts.assign(time="2024-01-05", amount=5.0)]
    for number in range(3):
        day = start + timedelta(days=2 + 7 * number)
        amount = random.gamma(4, 5, 600) + 4 / 3 * treated
        rows.append(contacts.assign(time=day.isoformat(), amount=amount.round(2)))
    rows.append(contacts[:1].assign(time="2024-04-20", amount=1.0))
    keys = '[contacts]\nsource = "data/raw/contacts.csv"\ncustomer = "customer"\ncampaign = "campaign"\ntime = "time"\n'
    root = make_shop(
        pd.concat(rows)[["customer", "time", "amount"]],
        shop_toml + "\n" + keys + 'group = "group"\nsent_by = "sent_by"\n',
    )
    contacts.to_csv(root / "data" / "raw" / "contacts.csv", index=False)
    opened = Prepared("shop", load_dataset("shop", root), root)
    listed = held_out.campaigns(opened.offers, date(2024, 4, 20))
    assert listed.loc["spring", ["treated", "held_out"]].tolist() == [treated.sum(), (~treated).sum()]
    people = held_out.participants(opened.tables, opened.offers, "spring", start, as_of=date(2024, 4, 20), days=28)
    trial = Trial.of(people, planned={"treated": 0.7, "control": 0.3})
    found = randomised.means(trial, "spend", what="Spend", unit="EUR a customer")["treated"]
    assert found.design == "randomised"
    assert found.identified
    assert found.found.holds(4.0)
    assert found.clear
