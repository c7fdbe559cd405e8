"""How a tournament is played, and how it is judged: simple contenders of whom the truth is known."""

import warnings
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from loyalty.errors import DataError
from loyalty.models import league, standings
from loyalty.models.backtest import Origin
from loyalty.models.line_up import BLEND
from loyalty.models.profit import Offer
from loyalty.models.reliability import calibration_error
from loyalty.models.standings import CHURN, VALUE, Standings
from loyalty.models.tournament import Played, Round, dominates, play, resamples
from scipy.special import expit
from sklearn.metrics import log_loss, roc_auc_score


def a_round(back: int, size: int = 400, left: float | None = None) -> Round:
    """A date whose customers leave with a probability that one feature tells; customers recur from date to date."""
    random = np.random.default_rng(back)
    index = pd.Index([f"c{n:04d}" for n in range(back * 50, back * 50 + size)], name="customer")
    signal = random.normal(size=size)
    churned = random.random(size) < (expit(signal - 1) if left is None else left)
    spend = np.where(churned, 0.0, random.gamma(2, 10, size) * np.exp(-signal / 2))
    outcomes = pd.DataFrame({"churned": churned, "purchases": (~churned).astype(int), "spend": spend}, index=index)
    origin = Origin(pd.DataFrame({"signal": signal}, index=index), pd.DataFrame(), outcomes["churned"])
    return Round(date(2020, 1, 1) - timedelta(days=30 * back), origin, outcomes)


ROUNDS = [a_round(back) for back in range(1, 5)]


class Said:
    """A contender that says what a function of the signal says, and writes down what it was shown."""

    def __init__(self, name: str, **columns: Callable[[pd.Series], Any]) -> None:
        self.name, self.columns = name, columns
        self.learned: list[list[int]] = []
        self.asked: list[int] = []

    def fit(self, past: Sequence[Origin]) -> None:
        self.learned.append([len(origin.features) for origin in past])

    def predict(self, at: Origin) -> pd.DataFrame:
        self.asked.append(len(at.features))
        signal = at.features["signal"]
        return pd.DataFrame({name: says(signal) for name, says in self.columns.items()}, index=signal.index)


def flat(signal: pd.Series) -> float:
    return 0.3


def truth(signal: pd.Series) -> pd.Series:
    return expit(signal - 1)


def amount(signal: pd.Series) -> pd.Series:
    return (1 - truth(signal)) * 20 * np.exp(-signal / 2)


# Playing


def test_each_date_is_forecast_from_those_before_it() -> None:
    player = Said("a", churn_probability=flat)
    rounds = [a_round(1, 100), a_round(2, 90), a_round(3, 80)]
    played = play([player], rounds)
    assert player.learned == [[90, 80], [80]]
    assert player.asked == [100, 90]
    assert played.days == [rounds[0].day, rounds[1].day]
    assert (played.learned, played.later, played.skipped, played.notes) == ([170, 80], True, {}, {})


@pytest.mark.parametrize("dates", [1, 4])
def test_what_came_after_is_hidden_where_it_is_forecast(dates: int) -> None:
    class Curious(Said):
        def fit(self, past: Sequence[Origin]) -> None:
            assert all(origin.churned is not None for origin in past)

        def predict(self, at: Origin) -> pd.DataFrame:
            assert at.churned is None
            return super().predict(at)

    assert len(play([Curious("a", churn_probability=flat)], ROUNDS[:dates]).days) == max(dates - 1, 1)


def test_forecasts_and_outcomes_are_of_the_same_customers_in_the_same_order() -> None:
    class Shuffled(Said):
        def predict(self, at: Origin) -> pd.DataFrame:
            return super().predict(at).sample(frac=1, random_state=1)

    played = play([Shuffled("a", churn_probability=truth), Said("b", churn_probability=truth)], ROUNDS)
    for one, two, outcomes in zip(*played.forecasts.values(), played.outcomes, strict=True):
        pd.testing.assert_frame_equal(one, two)
        assert one.index.equals(outcomes.index)


def test_one_date_is_tested_on_customers_that_were_not_learned_from() -> None:
    player = Said("a", churn_probability=truth)
    played = play([player], ROUNDS[:1])
    assert player.learned == [[320]] * 5
    assert player.asked == [80] * 5
    assert not played.later
    pd.testing.assert_series_equal(
        played.forecasts["a"][0]["churn_probability"], truth(ROUNDS[0].origin.features["signal"]), check_names=False
    )


def test_a_contender_that_cannot_learn_is_left_out_and_says_why() -> None:
    class Unable(Said):
        def fit(self, past: Sequence[Origin]) -> None:
            if len(past) == 1:
                raise DataError("only 12 customers left; expected 50")

    played = play([Said("a", churn_probability=flat), Unable("b", churn_probability=flat)], ROUNDS)
    assert list(played.forecasts) == ["a"]
    assert played.notes["b"] == ["did not play: only 12 customers left; expected 50"]
    with pytest.raises(DataError, match="no contender could play: did not play: only 12"):
        play([Unable("b", churn_probability=flat)], ROUNDS)


def test_warnings_become_notes_each_once() -> None:
    class Doubtful(Said):
        def fit(self, past: Sequence[Origin]) -> None:
            warnings.warn("not determined", stacklevel=2)

    assert play([Doubtful("a", churn_probability=flat)], ROUNDS).notes == {"a": ["not determined"]}


@pytest.mark.parametrize(("left", "who"), [(0.0, "nobody left"), (1.0, "everyone left")])
def test_a_date_of_one_outcome_is_skipped(left: float, who: str) -> None:
    rounds = [a_round(1), a_round(2, left=left), a_round(3), a_round(4)]
    played = play([Said("a", churn_probability=flat)], rounds)
    assert played.skipped == {rounds[1].day.isoformat(): f"in the test {who}"}
    assert played.days == [rounds[0].day, rounds[2].day]


def test_nothing_is_played_without_both_outcomes() -> None:
    with pytest.raises(DataError, match=r"nothing can be tested: in the test nobody left; lengthen or shorten"):
        play([Said("a", churn_probability=flat)], [a_round(1, left=0.0), a_round(2)])
    with pytest.raises(DataError, match=r"nothing can be tested: before it everyone left"):
        play([Said("a", churn_probability=flat)], [a_round(1), a_round(2, left=1.0)])
    with pytest.raises(DataError, match="knows no date whose horizon is over"):
        play([Said("a", churn_probability=flat)], [])


@pytest.mark.parametrize("wrong", [1.2, -0.1, np.nan, np.inf])
def test_a_forecast_that_is_no_probability_is_a_bug_and_is_told_as_one(wrong: float) -> None:
    with pytest.raises(ValueError, match="a forecasts no finite number, or no probability, in churn_probability"):
        play([Said("a", churn_probability=lambda signal: wrong)], ROUNDS)


# Drawing customers


def test_all_dates_of_a_customer_are_drawn_together() -> None:
    index = [each.outcomes.index for each in ROUNDS]
    drawn = resamples(index, 20, np.random.default_rng(1))
    by_customer: dict[str, list[np.ndarray]] = {}
    for customers, weights in zip(index, drawn, strict=True):
        for column, customer in enumerate(customers):
            by_customer.setdefault(customer, []).append(weights[:, column])
    assert max(map(len, by_customer.values())) == 4
    assert all((columns[0] == column).all() for columns in by_customer.values() for column in columns)
    total = sum(columns[0] for columns in by_customer.values())
    assert (total == len(by_customer)).all()


@pytest.fixture(scope="module")
def played() -> Played:
    return play(
        [
            Said("rule", churn_probability=flat, expected_spend=lambda signal: 15.0),
            Said("near", churn_probability=lambda signal: expit(0.9 * signal - 1), expected_spend=amount),
            Said("truth", churn_probability=truth, expected_spend=amount, expected_orders=lambda s: 1 - truth(s)),
            Said("silent", churn_probability=truth),
        ],
        ROUNDS,
    )


def test_figures_are_those_of_scikit_learn_each_date_by_its_customers(played: Played) -> None:
    table = Standings.of(CHURN, played, draws=5)
    actual = [outcomes["churned"] for outcomes in played.outcomes]
    said = [forecast["churn_probability"] for forecast in played.forecasts["near"]]
    losses = [log_loss(*pair) for pair in zip(actual, said, strict=True)]
    areas = [roc_auc_score(*pair) for pair in zip(actual, said, strict=True)]
    sizes = [len(each) for each in actual]
    assert table.overall("log_loss")["near"] == pytest.approx(-np.average(losses, weights=sizes))
    assert table.overall("auc")["near"] == pytest.approx(np.average(areas, weights=sizes))


def test_drawing_in_parts_does_not_bound_what_is_drawn(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standings, "NUMBERS_HELD", 5000)
    table = Standings.of(CHURN, played, draws=11)
    assert table.drawn["auc"].shape == (4, 3, 11)
    assert table.drawn_sizes.shape == (3, 11)
    assert len(np.unique(table.drawn["log_loss"][1, 0])) == 11


def test_a_gain_of_a_mean_has_the_interval_of_the_clustered_standard_error(played: Played) -> None:
    """A second route: sums by customer, and the normal interval of their total."""
    table = Standings.of(CHURN, played, draws=2000)
    gain, low, high = table.gain("truth", "rule", "log_loss")
    each = pd.concat(
        standings.log_losses(outcomes["churned"].to_numpy("float64"), rule["churn_probability"].to_numpy())
        - pd.Series(
            standings.log_losses(outcomes["churned"].to_numpy("float64"), model["churn_probability"].to_numpy()),
            outcomes.index,
        )
        for outcomes, rule, model in zip(
            played.outcomes, played.forecasts["rule"], played.forecasts["truth"], strict=True
        )
    )
    assert gain == pytest.approx(each.mean())
    away = (each - each.mean()).groupby(level=0).sum()
    half = 1.645 * np.sqrt((away**2).sum()) / len(each)
    assert (low, high) == pytest.approx((gain - half, gain + half), abs=0.1 * half)


def test_an_interval_that_ignored_who_is_who_would_be_too_narrow() -> None:
    """The same customers with the same outcome at every date are no more evidence than one date."""
    same = [ROUNDS[0]._replace(day=date(2020, 1, 1) - timedelta(days=back)) for back in range(4)]
    players = [Said("rule", churn_probability=flat), Said("truth", churn_probability=truth)]
    thrice = Standings.of(CHURN, play(players, same), draws=1000)
    once = thrice.at([0])
    assert np.subtract(*thrice.gain("truth", "rule", "log_loss")[1:]) == pytest.approx(
        np.subtract(*once.gain("truth", "rule", "log_loss")[1:]), rel=1e-9
    )


def test_the_winner_is_the_simplest_that_nobody_clearly_beats(played: Played) -> None:
    table = Standings.of(CHURN, played)
    assert table.winner(CHURN.counts) == "near"
    assert table.beats("truth", "rule", CHURN.counts)
    assert not table.beats("truth", "near", CHURN.counts)
    assert Standings.of(VALUE, played).names == ["rule", "near", "truth"]  # who tells no spend does not take part


def test_the_rule_wins_where_nothing_can_be_known() -> None:
    noise = np.random.default_rng(5)
    players = [
        Said("rule", churn_probability=flat),
        Said("noise", churn_probability=lambda signal: 0.3 + 0.1 * noise.random(len(signal))),
    ]
    assert Standings.of(CHURN, play(players, ROUNDS)).winner(CHURN.counts) == "rule"


def test_the_best_wins_where_all_are_beaten(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    table = Standings.of(CHURN, played, draws=50)
    monkeypatch.setattr(Standings, "beats", lambda self, name, other, counts: True)
    best = max(table.names, key=table.overall("log_loss").__getitem__)
    assert table.winner(CHURN.counts) == best


@pytest.mark.parametrize(
    ("better", "expected"),
    [
        ({"a": (1, 0.5, 2), "b": (0, -1, 1)}, True),
        ({"a": (1, 0.5, 2), "b": (1, 0.5, 2)}, True),
        ({"a": (0, -1, 1), "b": (0, -1, 1)}, False),
        ({"a": (1, 0.5, 2), "b": (-1, -2, -0.5)}, False),
        ({"a": (np.nan, np.nan, np.nan), "b": (1, 0.5, 2)}, True),
        ({"a": (0.0, 0.0, 0.0)}, False),
    ],
)
def test_to_beat_is_to_be_better_in_one_thing_and_worse_in_none(better: dict[str, Any], expected: bool) -> None:
    assert dominates(better) is expected


# The league


def test_the_choice_does_not_see_the_last_date() -> None:
    """On the last date the other is far better; the choice stays with who won before."""

    class Turning(Said):
        def predict(self, at: Origin) -> pd.DataFrame:
            said = super().predict(at)
            return said if len(at.features) == 401 else 1 - said

    rounds = [a_round(1, 401), *ROUNDS[1:]]
    players = [Said("rule", churn_probability=flat), Turning("late", churn_probability=truth)]
    found = league.churn_league(play(players, rounds), Offer())
    gains = found.gains[found.gains["measure"] == "log_loss"].set_index("date")
    assert gains.loc[rounds[0].day.isoformat(), "low"] > 0
    assert gains.loc[league.EARLIER, "high"] < 0
    assert found.winner == "rule"
    assert found.beaten == {"late": ["rule"]}


def test_scores_over_all_dates_are_weighted_means_and_sums(played: Played) -> None:
    found = league.churn_league(played, Offer())
    table = found.scores.set_index(["contender", "date"])
    sizes = [len(each) for each in played.outcomes]
    days = [day.isoformat() for day in played.days]
    for score in ("auc", "brier", "lift", "maximum_profit"):
        each = [table.loc[("near", day), score] for day in days]
        assert table.loc[("near", league.ALL), score] == pytest.approx(np.average(each, weights=sizes))
    row = table.loc[("near", league.ALL)]
    assert row["leavers"] == sum(outcomes["churned"].sum() for outcomes in played.outcomes)
    assert row["bias"] == pytest.approx(row["expected"] / row["leavers"] - 1)
    assert row["brier"] == pytest.approx(row["reliability"] - row["resolution"] + row["uncertainty"])
    churned = np.concatenate([outcomes["churned"].to_numpy("float64") for outcomes in played.outcomes])
    told = np.concatenate([said["churn_probability"].to_numpy() for said in played.forecasts["near"]])
    assert row["calibration_error"] == pytest.approx(calibration_error(churned, told))


def test_without_a_contender_there_is_nothing_to_judge() -> None:
    played = play([Said("a", churn_probability=truth)], ROUNDS)
    with pytest.raises(DataError, match="no contender that could play tells expected_spend"):
        league.value_league(played)


def test_what_is_not_told_has_no_score(played: Played) -> None:
    table = league.value_league(played).scores.set_index(["contender", "date"]).xs(league.ALL, level="date")
    assert table.loc["near", ["orders_mae", "coverage"]].isna().all()
    assert table.loc["truth", ["orders_mae", "orders_bias"]].notna().all()
    assert table["gini"].notna().all()


def test_the_median_is_judged_by_the_mean_error_and_the_mean_by_the_total() -> None:
    both = Said("both", expected_spend=amount, median_spend=lambda signal: amount(signal) / 2, churn_probability=truth)
    spread = {"expected_spend_low": lambda s: 0.0, "expected_spend_high": lambda s: 1e9}
    mean = Said("mean", expected_spend=amount, churn_probability=truth, **spread)
    table = league.value_league(play([both, mean], ROUNDS)).scores.set_index(["contender", "date"])
    day = ROUNDS[0].day.isoformat()
    actual, said = ROUNDS[0].outcomes["spend"], amount(ROUNDS[0].origin.features["signal"])
    assert table.loc[("both", day), "mae"] == pytest.approx((actual - said / 2).abs().mean())
    assert table.loc[("mean", day), "mae"] == pytest.approx((actual - said).abs().mean())
    assert table.loc[("both", day), "bias"] == table.loc[("mean", day), "bias"]
    assert tuple(table.loc[("mean", day), ["coverage", "width"]]) == (1.0, 1e9)


def test_all_are_held_against_the_winner_and_against_who_makes_the_scores() -> None:
    near = Said("near", churn_probability=truth)
    worse = Said(BLEND, churn_probability=lambda signal: 0.5 + 0.5 * (truth(signal) - 0.5))
    found = league.churn_league(play([near, worse], ROUNDS), Offer())
    assert found.winner == "near"
    last = found.duels[(found.duels["date"] == league.ALL) & (found.duels["measure"] == "log_loss")]
    gains = last.set_index(["against", "contender"])["gain"]
    assert set(gains.index) == {("near", BLEND), (BLEND, "near")}
    assert gains[(BLEND, "near")] > 0
    assert gains[(BLEND, "near")] == pytest.approx(-gains[("near", BLEND)])


def test_a_tournament_says_the_same_twice(played: Played) -> None:
    one, two = (league.churn_league(played, Offer()) for _ in range(2))
    pd.testing.assert_frame_equal(one.gains, two.gains)
    pd.testing.assert_frame_equal(one.duels, two.duels)
