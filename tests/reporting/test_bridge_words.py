"""The bridge as it is published: it adds up, tells of no small group, and is said in words that add up too."""

import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loyalty.models.bridge import STEPS
from loyalty.reporting import bridge, page, style


def walked(
    cents: list[int] | None = None, *, lost: int = 40, stayed: int = 300, new: int = 60, assumed: int = 0
) -> list[dict[str, Any]]:
    """Steps as they were computed."""
    sizes = cents or [900, -5_000, 2_000, 300, 4_000, assumed, -200]
    people = [340, lost, stayed, 340, new, 400, 400]
    return [
        {"step": step, "customers": many, "cents": size} for step, many, size in zip(STEPS, people, sizes, strict=True)
    ]


def named(steps: list[dict[str, Any]]) -> dict[str, int]:
    return {one["label"]: one["cents"] for one in steps}


@given(
    cents=st.lists(st.integers(-(10**9), 10**9), min_size=7, max_size=7),
    lost=st.integers(0, 30),
    stayed=st.integers(0, 30),
    new=st.integers(0, 30),
    top=st.integers(0, 10**9),
)
def test_what_is_published_adds_up_and_tells_of_no_small_group(
    cents: list[int], lost: int, stayed: int, new: int, top: int
) -> None:
    steps = bridge.told(walked(cents, lost=lost, stayed=stayed, new=new), 10, top)
    assert sum(one["cents"] for one in steps) == sum(cents)
    alone = {one["step"]: one["customers"] for one in steps if one["label"] == bridge.LABELS[one["step"]]}
    assert all(many is None or many == 0 or many >= 10 for many in alone.values())
    corrections = [one["cents"] for one in steps if one["step"] == "corrections"]
    assert not corrections or corrections[0] == 0 or abs(corrections[0]) >= top


def test_large_groups_are_told_as_they_are() -> None:
    assert list(named(bridge.told(walked(), 10, 900))) == [
        "Corrections of the data", "Customers lost", "What the others did since", "Spend per purchase",
        "New customers", "Model fitted anew",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("few", "label", "cents"),
    [
        ({"lost": 3}, bridge.ALL_OF_THEM, -3_000),
        ({"stayed": 9}, bridge.ALL_OF_THEM, -3_000),
        ({"new": 1}, bridge.WITH_NEW, 6_000),
        ({"new": 1, "lost": 2}, bridge.WITH_BOTH, 1_000),
    ],
)
def test_a_small_group_is_put_together_with_others(few: dict[str, int], label: str, cents: int) -> None:
    assert named(bridge.told(walked(**few), 10, 0))[label] == cents


def test_corrections_that_one_customer_could_explain_are_not_told_apart() -> None:
    told = named(bridge.told(walked(), 10, 901))
    assert told[bridge.WITH_CORRECTIONS] == 900 - 200
    assert "Corrections of the data" not in told


def test_other_assumptions_are_told_where_there_are_any() -> None:
    assert named(bridge.told(walked(assumed=7), 10, 0))["Another margin or discount rate"] == 7


def crossed(**other: Any) -> dict[str, Any]:
    steps = bridge.told(walked(), 10, 0)
    return {
        "run": "r1", "as_of": "2020-01-01", "before": 100_000, "now": 102_000, "refused": "", "code": False,
        "steps": steps,
    } | other  # fmt: skip


def test_it_is_said_in_words() -> None:
    assert bridge.sentences(crossed(), "EUR", 28) == (
        "All customers known on 1 January 2020 were worth €1,000 over the next 28 days, those known now €1,020: "
        "€20.00 more, 2 %. Customers lost (40), active then and not now: €50.00 less. New customers (60): €40.00 more. "
        "What the others did since (300): €20.00 more. Corrections of the data: €9.00 more. Spend per purchase: "
        "€3.00 more. Model fitted anew: €2.00 less."
    )


def test_another_code_is_told() -> None:
    assert "The code is another since" in bridge.sentences(crossed(code=True), "EUR", 28)


def test_where_there_is_none_it_says_why() -> None:
    told = bridge.sentences(crossed(steps=[], refused="that run knew more of the log than this one"), "EUR", 28)
    assert told == (
        "Why the value of all customers is another than on 1 January 2020 cannot be told: "
        "that run knew more of the log than this one."
    )


def test_the_figure_has_a_bar_for_each_step_that_begins_where_the_last_ended() -> None:
    with warnings.catch_warnings(), style.context():
        warnings.simplefilter("error")
        ax = bridge.waterfall(crossed(), "EUR")
        bars = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.patches]
    assert [round(start, 2) for start, _ in bars] == [0, 9, -41, -21, -18, 22, 0]
    assert [round(end, 2) for _, end in bars] == [9, -41, -21, -18, 22, 20, 20]
    drawn = page.picture(ax, "Together €20.00 more.")
    assert drawn.alt == "What moved the value of all customers: Together €20.00 more."
