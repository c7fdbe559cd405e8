"""Which files are experiments, and which of their columns is what."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from loyalty.sources.guessing.experiment import ExperimentGuess, guess_experiment
from loyalty.sources.guessing.experiment_words import is_untreated, said_of

ROWS = 400


def e_mails() -> pd.DataFrame:
    """The columns of a public e-mail experiment."""
    random = np.random.default_rng(1)
    visit = random.integers(0, 2, ROWS)
    return pd.DataFrame(
        {
            "recency": random.integers(1, 13, ROWS),
            "history_segment": random.choice(["1) $0 - $100", "2) $100 - $200"], ROWS),
            "history": random.gamma(1, 200, ROWS).round(2),
            "mens": random.integers(0, 2, ROWS),
            "zip_code": random.choice(["Surburban", "Urban", "Rural"], ROWS),
            "newbie": random.integers(0, 2, ROWS),
            "channel": random.choice(["Phone", "Web"], ROWS),
            "segment": random.choice(["Mens E-Mail", "Womens E-Mail", "No E-Mail"], ROWS),
            "visit": visit,
            "conversion": visit * random.integers(0, 2, ROWS),
            "spend": (visit * random.gamma(1, 60, ROWS)).round(2),
        }
    )


def two_periods(**names: str) -> pd.DataFrame:
    """A customer, a group, and spend before and after."""
    random = np.random.default_rng(2)
    frame = pd.DataFrame(
        {
            "customer_id": [f"C{number:04d}" for number in range(ROWS)],
            "group": np.resize(["treatment", "control"], ROWS),
            "pre_spend": random.gamma(2, 30, ROWS).round(2),
            "post_spend": random.gamma(2, 30, ROWS).round(2),
        }
    )
    return frame.rename(columns=names)


def guessed(sample: pd.DataFrame) -> ExperimentGuess:
    found = guess_experiment(sample)
    assert found is not None
    return found


def chosen(found: ExperimentGuess) -> dict[str, tuple[str, ...]]:
    return {role: guess.chosen for role, guess in found.guesses.roles.items()}


def test_an_e_mail_experiment_without_customers() -> None:
    found = guessed(e_mails())
    assert chosen(found) == {
        "arm": ("segment",),
        "outcomes": ("visit", "conversion", "spend"),
        "history": ("recency", "history", "mens", "newbie"),
        "attributes": ("history_segment", "zip_code", "channel"),
    }
    assert (found.control, found.money) == (("No E-Mail",), ("spend",))


@pytest.mark.parametrize(
    ("names", "values"),
    [
        pytest.param({}, {}, id="English"),
        pytest.param(
            {"customer_id": "客户编号", "group": "分组", "pre_spend": "活动前消费", "post_spend": "活动后消费"},
            {"treatment": "实验组", "control": "对照组"},
            id="Chinese",
        ),
        pytest.param(
            {
                "customer_id": "Kundennummer",
                "group": "Gruppe",
                "pre_spend": "Umsatz_vorher",
                "post_spend": "Umsatz_nachher",
            },
            {"treatment": "Test", "control": "Kontrollgruppe"},
            id="German",
        ),
        pytest.param(
            {"customer_id": "cliente", "group": "grupo", "pre_spend": "gasto_antes", "post_spend": "gasto_despues"},
            {"treatment": "oferta", "control": "control"},
            id="Spanish",
        ),
        pytest.param({"group": "treatment"}, {"treatment": 1, "control": 0}, id="0 and 1"),
        pytest.param({"group": "treated"}, {"treatment": True, "control": False}, id="true and false"),
        pytest.param({"group": "treatment"}, {"treatment": "coupon", "control": "none"}, id="none"),
    ],
)
def test_before_and_after_by_their_names(names: dict[str, str], values: dict[str, object]) -> None:
    sample = two_periods()
    sample["group"] = sample["group"].map(lambda value: values.get(value, value))
    found = guessed(sample.rename(columns=names))
    called = {name: names.get(name, name) for name in sample}
    assert chosen(found) == {
        "customer": (called["customer_id"],),
        "arm": (called["group"],),
        "outcomes": (called["post_spend"],),
        "history": (called["pre_spend"],),
    }
    assert found.control == (str(values.get("control", "control")),)


def test_a_column_called_control_says_1_of_the_control_group() -> None:
    sample = two_periods(group="is_control").assign(is_control=np.resize([0, 1], ROWS))
    assert guessed(sample).control == ("1",)


@pytest.mark.parametrize("turn", [1, 2], ids=["turned round", "drawn anew"])
def test_two_arms_that_disagree_are_a_question(turn: int) -> None:
    sample = two_periods()
    other = np.roll(sample["group"], 1) if turn == 1 else np.random.default_rng(3).permutation(sample["group"])
    arm = guessed(sample.assign(test_group=other)).guesses.roles["arm"]
    assert arm.undecided
    assert {told.column for told in arm.candidates} == {"group", "test_group"}


def test_the_same_arm_twice_is_no_question() -> None:
    sample = two_periods()
    found = guessed(sample.assign(treatment=(sample["group"] == "treatment").astype(int)))
    assert found.guesses.roles["arm"].chosen == ("group",)


def test_a_and_b_leave_the_control_open() -> None:
    sample = two_periods().replace({"group": {"control": "A", "treatment": "B"}})
    assert guessed(sample).control == ()


def test_a_column_that_may_be_from_before_or_after_is_left_open() -> None:
    found = guessed(two_periods().assign(score=np.arange(ROWS) % 7))
    assert found.unclear == ("score",)
    assert chosen(found)["outcomes"] == ("post_spend",)


def test_no_clear_outcome_is_a_question() -> None:
    sample = two_periods().drop(columns="post_spend").assign(points=np.arange(ROWS) % 7)
    outcomes = guessed(sample).guesses.roles["outcomes"]
    assert outcomes.undecided
    assert [told.column for told in outcomes.candidates] == ["points"]


def purchases() -> pd.DataFrame:
    random = np.random.default_rng(5)
    return pd.DataFrame(
        {
            "customer_id": random.integers(0, 80, ROWS),
            "order_date": pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 300, ROWS), unit="D"),
            "amount": random.gamma(2, 20, ROWS).round(2),
            "group": random.choice(["control", "treatment"], ROWS),
        }
    )


@pytest.mark.parametrize(
    "sample",
    [
        pytest.param(lambda: purchases(), id="a log with groups"),
        pytest.param(lambda: two_periods().drop(columns="group"), id="no arm"),
        pytest.param(lambda: two_periods().drop(columns=["pre_spend", "post_spend"]), id="nothing came after"),
        pytest.param(lambda: two_periods().assign(group="treatment"), id="one arm"),
    ],
)
def test_other_tables_are_no_experiments(sample: Callable[[], pd.DataFrame]) -> None:
    assert guess_experiment(sample()) is None


def test_words() -> None:
    assert said_of("days_before_visit") >= {"before", "bought"}
    assert [is_untreated(value) for value in ("Holdout", "kein Mailing", "对照组", "Mens E-Mail", "1")] == [
        True, True, True, False, False,
    ]  # fmt: skip
