"""Which method is used, and what each customer is recommended."""

from collections.abc import Callable
from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from loyalty.errors import DataError
from loyalty.features.columns import Tables
from loyalty.programme.recommend import Contest, contest, recommendations
from loyalty.programme.recommend_methods import METHODS
from loyalty.study import Study

AS_OF = date(2020, 12, 1)
ORIGINS = [AS_OF - timedelta(days=28 * back) for back in (1, 2)]
Likes = Callable[[int, int, np.random.Generator], list[int]]
"""Customer, day, randomness → what is bought on that day."""


def log_of(likes: Likes, customers: int = 120, every: int = 12, days: int = 360) -> pd.DataFrame:
    """A retailer whose customers buy about every `every` days what they like then."""
    random = np.random.default_rng(8)
    rows = []
    for customer in range(customers):
        for day in np.flatnonzero(random.random(days) < 1 / every):
            when = AS_OF - timedelta(days=days - int(day))
            rows += [(f"c{customer:03d}", when, f"item {item:02d}") for item in likes(customer, int(day), random)]
    return pd.DataFrame(rows, columns=["customer", "day", "category"]).assign(amount=1.0)


def tables_from(log: pd.DataFrame) -> Tables:
    days, lines = (pa.Table.from_pandas(each, preserve_index=False) for each in (log[["customer", "day"]], log))
    return Tables(ibis.memtable(days), None, ibis.memtable(lines))


def favourites(customer: int) -> list[int]:
    """Three items that this customer likes."""
    return np.random.default_rng(customer).choice(20, 3, replace=False).tolist()


def faithful(customer: int, day: int, random: np.random.Generator) -> list[int]:
    """Favourites most of the time, anything else now and then."""
    chance = np.full(20, 0.04)
    chance[favourites(customer)] = 0.8
    return np.flatnonzero(random.random(20) < chance).tolist()


@pytest.fixture(scope="module")
def log() -> pd.DataFrame:
    return log_of(faithful)


@pytest.fixture(scope="module")
def tables(log: pd.DataFrame) -> Tables:
    return tables_from(log)


@pytest.fixture(scope="module")
def judged(tables: Tables) -> Contest:
    return contest(tables, ORIGINS, 28)


def value(said: Contest, kind: str, contender: str, measure: str) -> pd.Series:
    rows = said.scores.set_index(["kind", "contender", "measure"])
    return rows.loc[(kind, contender, measure)]


def test_known_preferences_are_recovered(tables: Tables, judged: Contest) -> None:
    assert judged.winner == "personal top"
    found = recommendations(tables, AS_OF, judged.winner, 3)
    listed = found.groupby("customer")["item"].agg(set)
    truth = {who: {f"item {item:02d}" for item in favourites(int(who[1:]))} for who in listed.index}
    assert np.mean([len(listed[who] & truth[who]) / 3 for who in listed.index]) > 0.98


def test_all_are_held_against_the_personal_top_list(judged: Contest) -> None:
    own, everyone = value(judged, "next", "personal top", "recall"), value(judged, "next", "global top", "recall")
    assert own["value"] > everyone["value"] + 0.3
    assert everyone["gain"] == pytest.approx(everyone["value"] - own["value"])
    assert own[["gain", "low", "high"]].tolist() == [0, 0, 0]
    assert (judged.scores["low"] <= judged.scores["gain"] + 1e-12).all()
    assert (judged.scores["gain"] <= judged.scores["high"] + 1e-12).all()
    assert set(judged.scores["measure"]) == {"recall", "ndcg", "coverage"}
    assert judged.scores["value"].between(0, 1).all()


def test_the_dates_say_what_was_asked(log: pd.DataFrame, judged: Contest) -> None:
    first = judged.origins.iloc[0]
    later = log[(log["day"] >= ORIGINS[0]) & (log["day"] < AS_OF)]
    later = later[later["customer"].isin(log.loc[log["day"] < ORIGINS[0], "customer"])]
    basket = later[later["day"] == later.groupby("customer")["day"].transform("min")].drop_duplicates()
    assert first["day"] == pd.Timestamp(ORIGINS[0])
    assert first["customers"] == basket["customer"].nunique()
    assert first["basket"] == pytest.approx(len(basket) / basket["customer"].nunique())
    before = set(map(tuple, log.loc[log["day"] < ORIGINS[0], ["customer", "category"]].to_numpy()))
    fresh = [pair for pair in basket[["customer", "category"]].itertuples(index=False) if tuple(pair) not in before]
    assert first["novel"] == pytest.approx(len(fresh) / len(basket))
    assert first["novel_customers"] == len({customer for customer, _ in fresh})


def test_a_changing_taste_is_followed() -> None:
    def moving(customer: int, day: int, random: np.random.Generator) -> list[int]:
        start = 7 * customer + day // 45 * 3
        return [(start + step) % 24 for step in range(3) if random.random() < 0.9]

    said = contest(tables_from(log_of(moving, every=6)), ORIGINS, 28)
    assert said.winner == "personal decay"
    assert value(said, "next", "personal decay", "recall")["low"] > 0


def test_what_is_new_to_a_customer_is_told_by_others_of_like_taste() -> None:
    def grouped(customer: int, day: int, random: np.random.Generator) -> list[int]:
        return random.choice(np.arange(12) + 12 * (customer % 4), 3, replace=False).tolist()

    tables = tables_from(log_of(grouped, customers=300, every=60))
    said = contest(tables, ORIGINS, 28)
    assert said.novel_winner in {"item to item", "factorisation"}
    fresh = recommendations(tables, AS_OF, said.novel_winner, 2, novel_only=True)
    assert fresh["novel"].all()
    group = fresh["customer"].str[1:].astype(int) % 4
    known = recommendations(tables, AS_OF, said.novel_winner, 12).groupby("customer")["novel"].any()
    own = fresh["item"].str[5:].astype(int) // 12 == group
    assert own[fresh["customer"].map(known)].mean() > 0.9


@pytest.mark.parametrize("method", METHODS)
def test_nothing_of_the_date_or_later_changes_a_recommendation(log: pd.DataFrame, method: str) -> None:
    day = ORIGINS[1]
    odd = log[log["day"] >= day].assign(category="item 19", day=day)
    later = pd.concat([log, odd, odd.assign(customer="new", category="never seen")], ignore_index=True)
    told = [
        recommendations(tables_from(each), day, method, 4)
        for each in (log[log["day"] < day], later.sample(frac=1, random_state=1))
    ]
    pd.testing.assert_frame_equal(*told)
    assert "new" not in set(told[0]["customer"])


@pytest.mark.parametrize("method", ["item to item", "factorisation"])
def test_parts_and_blocks_change_nothing(tables: Tables, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = recommendations(tables, AS_OF, method)
    monkeypatch.setattr("loyalty.programme.recommend.PART", 40)
    monkeypatch.setattr("loyalty.programme.recommend_methods.NUMBERS_HELD", 200)
    pd.testing.assert_frame_equal(recommendations(tables, AS_OF, method), whole, rtol=1e-9)


def test_who_bought_nothing_known_gets_what_everyone_buys(log: pd.DataFrame) -> None:
    odd = pd.DataFrame({"customer": ["odd"], "day": [date(2020, 5, 5)], "category": [None], "amount": [4.0]})
    tables = tables_from(pd.concat([log, odd], ignore_index=True))
    everyone = log.drop_duplicates(["customer", "day", "category"])["category"].value_counts()
    first = sorted(everyone.items(), key=lambda item: (-item[1], item[0]))[:3]
    asked = ibis.memtable(pd.DataFrame({"customer": ["odd", "stranger"]}))
    for method in METHODS:
        told = recommendations(tables, AS_OF, method, customers=asked)
        assert told["item"].tolist() == [name for name, _ in first] * 2
        assert told["rank"].tolist() == [1, 2, 3] * 2
        assert told["novel"].all()


def test_a_log_that_names_no_items_says_so(log: pd.DataFrame) -> None:
    tables = tables_from(log.drop(columns="category"))
    said = contest(tables, ORIGINS, 28)
    assert (said.winner, said.novel_winner, said.level) == ("", "", "")
    assert said.notes == ("The log names neither categories nor products: give transactions.product or .category.",)
    assert contest(tables._replace(lines=None), ORIGINS, 28).notes == said.notes
    with pytest.raises(DataError, match="names neither categories nor products"):
        recommendations(tables, AS_OF, "personal top")


def test_products_are_the_items_where_there_are_no_categories(log: pd.DataFrame, judged: Contest) -> None:
    said = contest(tables_from(log.rename(columns={"category": "product"})), ORIGINS, 28)
    assert said.level == "product"
    pd.testing.assert_frame_equal(said.scores, judged.scores)


def test_the_narrower_kind_is_recommended_where_the_dataset_names_one(log: pd.DataFrame, judged: Contest) -> None:
    tables = tables_from(log.rename(columns={"category": "recommended"}).assign(category="everything"))
    said = contest(tables, ORIGINS, 28)
    assert said.level == "category"
    pd.testing.assert_frame_equal(said.scores, judged.scores)
    assert "everything" not in set(recommendations(tables, AS_OF, said.winner, 3)["item"])


def test_a_single_item_leaves_nothing_to_choose(log: pd.DataFrame) -> None:
    tables = tables_from(log.assign(category="petrol"))
    said = contest(tables, ORIGINS, 28)
    assert said.winner == "global top"
    assert said.novel_winner == ""
    assert said.notes == (
        "Only one category is sold: there is nothing to choose.",
        "Nobody bought a category for the first time: novel purchases cannot be judged.",
    )
    for method in ("item to item", "factorisation"):
        assert set(recommendations(tables, AS_OF, method)["item"]) == {"petrol"}
    assert recommendations(tables, AS_OF, "personal top", novel_only=True).empty


def test_without_a_past_date_or_a_second_purchase_there_is_no_winner(log: pd.DataFrame, tables: Tables) -> None:
    assert contest(tables, [], 28).notes == ("The log knows no past date whose horizon is over.",)
    assert len(contest(tables, [*ORIGINS, date(2019, 1, 1)], 28).origins) == 2
    once = tables_from(log.drop_duplicates("customer").assign(day=date(2020, 3, 3)))
    assert contest(once, ORIGINS, 28).notes == ("No customer bought a category that is known again after a past date.",)
    with pytest.raises(DataError, match="no purchase before 2019-01-01 has a category"):
        recommendations(tables, date(2019, 1, 1), "personal top")


def test_a_sample_is_judged_where_customers_are_many(tables: Tables, judged: Contest) -> None:
    some = contest(tables, ORIGINS, 28, most_customers=60)
    assert 30 < some.origins["customers"].max() <= 60
    assert some.winner in {"personal top", "personal decay"}
    assert len(some.scores) == len(judged.scores)


@pytest.mark.slow
def test_complete_journey_has_a_winner_that_beats_the_list_of_all(journey: Study) -> None:
    tables = journey.data.tables
    said = contest(tables, journey.origins()[:2], journey.horizon_days)
    assert said.level == "category"
    assert said.origins["sold"].min() > 250  # narrower kinds than the thirty departments
    assert said.winner == "personal decay"
    assert said.novel_winner in ("item to item", "factorisation")  # no list of old favourites
    everyone = value(said, "next", "global top", "recall")
    assert everyone["high"] < -0.02
    told = recommendations(tables, journey.known_until, said.winner)
    assert told["customer"].nunique() == tables.days.customer.nunique().execute()
