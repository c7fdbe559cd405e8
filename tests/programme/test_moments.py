"""States of customers, against pandas by hand; how they order by what customers do next."""

from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise
from statistics import median

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loyalty.features.columns import Tables
from loyalty.features.windows import horizon
from loyalty.programme.moments import NOT_YET, moments, moves, sizes
from loyalty.programme.states import STATES
from loyalty.study import Study

AS_OF = date(2024, 1, 1)


def tables_of_ages(ages: dict[str, list[int]]) -> Tables:
    """Customers who bought so many days before the date."""
    rows = [(customer, AS_OF - timedelta(days=age)) for customer, each in ages.items() for age in each]
    days = pd.DataFrame(rows, columns=["customer", "day"])
    return Tables(ibis.memtable(days, schema={"customer": "string", "day": "date"}))


def states_of(ages: dict[str, list[int]]) -> dict[str, str]:
    frame = moments(tables_of_ages(ages), AS_OF).to_pandas()
    assert frame["customer"].is_unique
    return dict(zip(frame["customer"], frame["state"], strict=True))


def by_hand(ages: dict[str, list[int]]) -> dict[str, tuple[float, str]]:
    """Usual gap and state of each customer, one after the other."""
    past = {customer: sorted((age for age in each if age > 0), reverse=True) for customer, each in ages.items()}
    past = {customer: each for customer, each in past.items() if each}
    gaps = {customer: [one - two for one, two in pairwise(each)] for customer, each in past.items()}
    known = [sum(each) / len(each) for each in gaps.values() if each]
    base = median(known) if known else 90.0
    return {customer: one_by_hand(each, gaps[customer], base) for customer, each in past.items()}


def one_by_hand(ages: list[int], gaps: list[int], base: float) -> tuple[float, str]:
    usual = (4 * base + sum(gaps)) / (4 + len(gaps))
    overdue = ages[-1] / usual
    if not gaps:
        limits = {"lost": 4, "lapsed": 2, "awaiting second purchase": 1}
        return usual, next((state for state, limit in limits.items() if overdue > limit), "new")
    for state, limit in {"lost": 6, "lapsed": 4, "slipping": 2}.items():
        if overdue > limit:
            return usual, state
    earlier_gap = (4 * base + sum(gaps[:-1])) / (4 + len(gaps) - 1)
    if gaps[-1] > 4 * earlier_gap:
        return usual, "won back"
    reach = min(12 * usual, ages[0])
    late = sum(age <= reach / 2 for age in ages[1:])
    early = sum(reach / 2 < age <= reach for age in ages[1:])
    clear = 1.64 * (late + early) ** 0.5
    if early - late > clear:
        return usual, "slipping"
    return usual, "growing" if late - early > clear else "steady"


bought = st.lists(st.integers(-5, 400) | st.integers(1, 40), max_size=14, unique=True)
bases = st.dictionaries(st.sampled_from("abcdefgh"), bought, min_size=1)


@settings(max_examples=30)
@given(bases)
def test_each_customer_has_the_one_state_that_a_loop_over_customers_gives(ages: dict[str, list[int]]) -> None:
    frame = moments(tables_of_ages(ages), AS_OF).to_pandas().set_index("customer")
    told = by_hand(ages)
    assert frame.index.is_unique
    assert set(frame.index) == set(told)
    assert frame["state"].isin(list(STATES)).all()
    assert frame["state"].to_dict() == {customer: state for customer, (_, state) in told.items()}
    assert frame["usual_gap"].to_dict() == pytest.approx({customer: usual for customer, (usual, _) in told.items()})


WEEKLY = {f"w{number}": list(range(3, 200, 10)) for number in range(3)}
"""A base whose gap is ten days."""


@pytest.mark.parametrize(
    ("state", "ages"),
    [
        pytest.param("new", [10], id="one purchase, a usual gap ago"),
        pytest.param("awaiting second purchase", [11], id="one purchase, a day more"),
        pytest.param("awaiting second purchase", [20], id="one purchase, two gaps ago"),
        pytest.param("lapsed", [21], id="one purchase, longer ago"),
        pytest.param("lost", [41], id="one purchase, more than four gaps ago"),
        pytest.param("steady", [5, 15, 25, 35, 45, 55, 65, 75], id="as ever"),
        pytest.param("steady", [20, 30, 40, 50, 60, 70, 80], id="two usual gaps"),
        pytest.param("slipping", [21, 31, 41, 51, 61, 71, 81], id="more than two usual gaps"),
        pytest.param("lapsed", [41, 51, 61, 71, 81], id="more than four"),
        pytest.param("lost", [61, 71, 81, 91, 101], id="more than six"),
        pytest.param("won back", [2, 80, 90, 100, 110], id="after a long silence"),
        pytest.param("steady", [2, 12, 90, 100, 110, 120], id="and once more"),
        pytest.param("growing", [1, 3, 5, 7, 9, 11, 13, 15, 17, 60, 80], id="more often"),
        pytest.param("slipping", [9, 24, 40, 56, *range(66, 86, 2), 94], id="less often"),
    ],
)
def test_a_customer_of_a_base_that_comes_every_ten_days(state: str, ages: list[int]) -> None:
    assert states_of(WEEKLY | {"x": ages})["x"] == by_hand(WEEKLY | {"x": ages})["x"][1]
    assert states_of(WEEKLY | {"x": ages})["x"] == state


def test_a_few_gaps_of_ones_own_are_drawn_to_those_of_the_base() -> None:
    frame = moments(tables_of_ages(WEEKLY | {"x": [1, 31]}), AS_OF).to_pandas().set_index("customer")
    assert frame.loc["x", "usual_gap"] == pytest.approx((4 * 10 + 30) / 5)
    assert frame.loc["w0", "usual_gap"] == pytest.approx(10)


def test_what_is_bought_from_the_date_on_changes_nothing() -> None:
    past = WEEKLY | {"x": [5, 50]}
    assert states_of(past) == states_of({who: [*ages, 0, -3] for who, ages in past.items()})


def test_where_nobody_bought_twice_a_gap_is_three_months() -> None:
    assert states_of({"a": [90], "b": [91], "c": [181], "d": [361]}) == {
        "a": "new", "b": "awaiting second purchase", "c": "lapsed", "d": "lost",
    }  # fmt: skip


def test_every_customer_of_the_second_date_moved_from_one_state_to_another() -> None:
    tables = tables_of_ages(WEEKLY | {"x": [30, 40, 50, 60, 70], "y": [5], "z": [61]})
    table = moves(tables, AS_OF - timedelta(days=20), AS_OF)
    assert list(table.columns) == list(STATES)
    assert list(table.index) == [*STATES, NOT_YET]
    assert table.to_numpy().sum() == 6
    assert table.loc[NOT_YET, "new"] == 1
    assert table.loc["steady", "slipping"] == 1
    counted = sizes(moments(tables, AS_OF))
    assert counted["customers"].to_dict() == table.sum().to_dict()
    assert counted["share"].sum() == pytest.approx(1)
    with pytest.raises(ValueError, match="first: expected a date before 2024-01-01"):
        moves(tables, AS_OF, AS_OF)


def test_every_state_says_what_to_change_and_no_discount_comes_first() -> None:
    for state in STATES.values():
        assert state.change
        assert len(state.actions) >= 2
        assert not any(word in state.actions[0] for word in ("discount", "voucher", "points", "money"))


@pytest.mark.slow
@pytest.mark.parametrize("back", [1, 2, 3])
def test_states_order_customers_of_cdnow_by_what_they_do_next(cdnow: Study, back: int) -> None:
    """Shares of buyers in the next 91 days at 1 April 1998: growing 60 %, steady 40, slipping 23, lapsed 12, lost 3."""
    tables, origin = cdnow.data.tables, cdnow.origin(back)
    each = moments(tables, origin)
    buyers = horizon(tables.days, origin, cdnow.horizon_days).select("customer", bought=True).distinct()
    joined = each.left_join(buyers, "customer")
    rates = joined.group_by("state").agg(rate=joined.bought.fill_null(False).mean()).to_pandas()
    rate = rates.set_index("state")["rate"]
    order = ["growing", "steady", "slipping", "lapsed", "lost"]
    assert list(rate[order].sort_values(ascending=False).index) == order
    assert rate["steady"] > 1.3 * rate["slipping"]
    assert rate["slipping"] > 1.3 * rate["lapsed"]
    assert rate["lapsed"] > 1.3 * rate["lost"]


def test_a_log_with_everything_has_a_state_for_every_buyer(
    lines: pd.DataFrame, tables_of: Callable[..., Tables]
) -> None:
    tables = tables_of(lines)
    frame = moments(tables, date(2020, 9, 16)).to_pandas()
    bought = lines[lines["day"] < date(2020, 9, 16)].groupby(["customer", "day"])["amount"].sum()
    assert set(frame["customer"]) == {customer for customer, _ in bought[bought > 0].index}
