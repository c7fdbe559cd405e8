"""What effects are made of is the same by DuckDB and by Spark."""

from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from agreement import Pair, assert_agree, assert_alike
from loyalty.effects_worth import last_days
from loyalty.programme import held_out, joining
from loyalty.programme.channels import contact_channels
from loyalty.programme.panel import panel
from loyalty.programme.responses import responses
from loyalty.study import Study


@pytest.fixture(scope="module", params=["journey_pair", "dirty_pair"])
def pair(request: pytest.FixtureRequest) -> Pair:
    both: Pair = request.getfixturevalue(request.param)
    return both


def assert_same(one: Any, other: Any) -> None:
    """Arrays of numbers to 1e-9, of whole numbers and truth values exactly; dataclasses field by field."""
    if is_dataclass(one):
        for field in fields(one):
            assert_same(getattr(one, field.name), getattr(other, field.name))
    elif isinstance(one, np.ndarray) and one.dtype.kind == "f":
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)
    elif isinstance(one, np.ndarray):
        np.testing.assert_array_equal(one, other)
    else:
        assert one == other


def test_the_panel_of_customers_by_week(pair: Pair) -> None:
    one, other = (panel(study.data.tables, study.known_until) for study in pair)
    assert one.contacts.row.size > 0
    assert_same(one, other)


def test_a_sample_is_of_the_same_customers(dirty_pair: Pair) -> None:
    one, other = (panel(study.data.tables, study.known_until, most=200) for study in dirty_pair)
    assert one.sampled
    assert_same(one, other)


def test_last_days_of_campaigns(pair: Pair) -> None:
    one, other = (last_days(study, study.data.offers) for study in pair if study.data.offers is not None)
    assert one
    assert one == other


def test_those_whom_chance_held_out(dirty_pair: Pair) -> None:
    one, other = dirty_pair
    assert one.data.offers is not None
    drawn = [
        held_out.campaigns(study.data.offers, study.known_until)
        for study in dirty_pair
        if study.data.offers is not None
    ]
    assert_agree(*(each.reset_index() for each in drawn))
    name, start = str(drawn[0].index[0]), pd.Timestamp(drawn[0]["start"].iloc[0]).date()

    def people(study: Study) -> Any:
        assert study.data.offers is not None
        return held_out.participants(
            study.data.tables, study.data.offers, name, start, as_of=study.known_until, days=56, weeks=9,
            covariate="spend_84", most=400,
        )  # fmt: skip

    assert_agree(people(one), people(other))


def test_joining_and_standing(dirty_pair: Pair) -> None:
    for told in (joining.comparison, joining.standing, joining.counts):
        assert_agree(*(told(study.data.tables, study.known_until, 30) for study in dirty_pair))
    some = (joining.comparison(study.data.tables, study.known_until, 30, most=5000) for study in dirty_pair)
    assert_agree(*some)


def test_channels_of_contacts(dirty_pair: Pair) -> None:
    """Campaigns are told apart by their number, as if each second one had come by letter."""

    def channels(study: Study) -> Any:
        assert study.data.offers is not None
        seen = responses(study.data.offers, study.data.tables, study.as_of, study.first_day)
        by_letter = seen.customers.campaign.cast("int64") % 2 == 0
        named = seen.customers.mutate(channel=by_letter.ifelse("letter", "mail"))
        return contact_channels(replace(seen, customers=named))

    assert_agree(*map(channels, dirty_pair))


def test_effects_as_they_are_told(dirty_pair: Pair) -> None:
    one, other = (study.effects() for study in dirty_pair)
    for part in ("about", "randomised", "observed", "members", "splits", "accounts"):
        assert_alike(one[part], other[part])
