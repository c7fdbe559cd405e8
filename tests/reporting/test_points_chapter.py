"""What the page says of points: whole sentences, simulations marked as such, nothing told of few customers."""

import re
from typing import Any

import pandas as pd
import pytest
from loyalty import balances
from loyalty.reporting import points_figures as figures
from loyalty.reporting import style
from loyalty.reporting.chapters import points as chapter
from loyalty.reporting.chapters import points_rules as said
from loyalty.reporting.chapters import points_tested as past
from loyalty.reporting.chapters import points_worth as worth
from loyalty.reporting.chapters.points_numbers import is_known, note, spans
from loyalty.study import Study
from matplotlib import pyplot as plt

BROKEN = re.compile(r"\bnan\b|\bNone\b|\binf\b|\bTrue\b|\bFalse\b|  |\.\.|<NA>|\{|–\s|\(–")


class Steps:
    """A study of which only the step of points is known."""

    def __init__(self, study: Study, step: dict[str, Any]) -> None:
        self.dataset, self.known_until, self.events, self._step = study.dataset, study.known_until, study.events, step

    def points(self) -> dict[str, Any]:
        return self._step


@pytest.fixture(scope="module")
def step(simulated: Study) -> dict[str, Any]:
    return balances.points(simulated)


@pytest.fixture(scope="module")
def assumed(simulated: Study, step: dict[str, Any]) -> Any:
    return Steps(simulated, step)


@pytest.fixture(scope="module")
def changed(simulated: Study, step: dict[str, Any]) -> Any:
    """Return a function that gives the same step with other facts and frames."""

    def make(frames: dict[str, pd.DataFrame] | None = None, **facts: Any) -> Any:
        return Steps(simulated, step | (frames or {}) | {"about": step["about"] | facts})

    return make


def sentences(study: Any) -> dict[str, str]:
    told = {
        each.__name__: each(study)
        for each in (
            chapter.opening, chapter.read_account, chapter.read_moved, chapter.read_ages, chapter.read_calendar,
            chapter.read_reminders, said.rules, said.limits, said.findings, worth.meeting, worth.read_cost,
        )
    }  # fmt: skip
    if worth.has_liability(study):
        told |= {each.__name__: each(study) for each in (worth.read_liability, worth.read_stress)}
    return told | ({"changes": worth.read_changes(study)} if worth.has_changes(study) else {})


def cells(table: Any) -> str:
    return re.sub(r"<.*?>", " ", table.as_raw_html().split("</style>")[-1])


def test_an_assumed_programme_is_called_so_wherever_it_is_told(assumed: Any) -> None:
    assert note(assumed) == "simulated programme"
    told = sentences(assumed)
    for name, text in told.items():
        assert text.endswith("."), name
        assert BROKEN.search(text) is None, (name, text)
        if name not in ("rules", "limits", "findings"):
            assert text.startswith("Simulated programme: "), name
    assert "one is assumed and replayed" in told["rules"]
    assert "want to pay 2 % of every purchase" in told["rules"]
    for table in (chapter.account(assumed), worth.methods(assumed), worth.stress(assumed), worth.changes(assumed)):
        assert "Simulated programme" in cells(table)


def test_every_figure_of_it_is_marked(assumed: Any) -> None:
    what = note(assumed)
    with style.context():
        drawn = [
            figures.moved(chapter.moved(assumed), assumed.events(), what),
            figures.ages(chapter.ages(assumed), what),
            figures.calendar(chapter.calendar(assumed), assumed.events(), what),
            figures.owed(worth.liability(assumed), worth.there(assumed), "EUR", what),
        ]
    assert all("(simulated programme)" in ax.get_title(loc="left") for ax in drawn)
    assert drawn[3].get_xlim()[1] > worth.liability(assumed)["money_high"].max()
    plt.close("all")


def test_an_own_ledger_is_not_called_a_simulation(changed: Any) -> None:
    study = changed(source="own", assumed=False, paid_share=None)
    assert note(study) == ""
    assert not any("imulat" in text or "assumed" in text for text in sentences(study).values())
    assert "what the retailer's own ledger says" in said.rules(study)
    # Its points count from their day.
    assert "after the purchase" in said.rules(changed())
    assert "They can be spent at once" in said.rules(study)
    assert "the two rows with more points are likely ends" in worth.read_changes(study)


def test_rules_are_told_in_words(changed: Any, step: dict[str, Any]) -> None:
    given = {
        "per_unit": 1.5, "whole": False, "expiry_months": None, "expiry_days": 90, "pending_days": 0,
        "birthday_multiplier": 2.0, "tier_multipliers": {"Gold": 1.25}, "most_per_month": 500, "cost_per_point": None,
    }  # fmt: skip
    text = said.rules(changed(source="rules", assumed=False, rules=step["about"]["rules"] | given))
    assert text == (
        "1.5 points for each EUR of a day's purchases, with two decimals, times 2 in the month of the birthday, times "
        "1.25 in Gold and at most 500 a month. They can be spent at once and expire after 90 days. What a point costs "
        "is not known (`programme.points.cost_per_point`). Everyone is taken to want to pay 2 % of every purchase with "
        "points, as far as earlier purchases have brought any."
    )


def test_without_a_cost_nothing_is_money(changed: Any, step: dict[str, Any]) -> None:
    study = changed(rules=step["about"]["rules"] | {"cost_per_point": None})
    for name, text in sentences(study).items():
        assert "€" not in text, name
    assert "(EUR)" not in cells(worth.methods(study)) + cells(worth.stress(study)) + cells(worth.changes(study))
    with style.context():
        frame = worth.liability(study).assign(money=float("nan"))
        assert "points" in figures.owed(frame, worth.there(study), "EUR").get_xlabel()
    plt.close("all")


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"known": False, "lacking": []}, "Nobody had earned a point before 4 February 2021"),
        ({"known": False, "lacking": ["customers.birthday"]}, "the birthdays that multiply points"),
        ({"customers": 9}, "Fewer than 10 customers have points"),
        ({"holders": 9}, "Fewer than 10 customers have points"),
    ],
)
def test_where_nothing_can_be_told_the_page_says_why(changed: Any, facts: dict[str, Any], told: str) -> None:
    study = changed(**facts)
    assert not is_known(study)
    assert told in chapter.opening(study)
    assert not worth.has_liability(study)
    assert not worth.has_changes(study)
    assert not chapter.has_calendar(study)
    assert worth.meeting(study).endswith("or the rules.")


def test_use_under_the_line_is_an_alarm_unless_chance_may_decide(changed: Any) -> None:
    def use(low: float, high: float) -> str:
        share = {"estimate": 0.45, "low": low, "high": high}
        used = {"share": share, "matured": share, "least": 0.5, "alarm": True}
        return chapter.read_account(changed(use=used))

    assert use(0.43, 0.47).endswith("under the line of 50 %. Fewer are used than the programme wants: an alarm.")
    assert use(0.35, 0.55).endswith("under the line of 50 %, which may be chance.")
    young = {"share": {"estimate": 0.2, "low": 0.1, "high": 0.3}, "matured": None, "least": 0.5, "alarm": True}
    assert chapter.read_account(changed(use=young)).endswith("the youngest may still be used.")


def test_methods_that_contradict_each_other_are_not_hidden(changed: Any, step: dict[str, Any]) -> None:
    frame = step["liability"].copy()
    frame.loc[0, ["points", "points_low", "points_high"]] = [100.0, 90.0, 110.0]
    frame.loc[1, ["points", "points_low", "points_high"]] = [200.0, 180.0, 220.0]
    assert "differ by more than their errors, survival being the higher" in worth.read_liability(
        changed({"liability": frame})
    )
    frame.loc[1, "points_low"] = 105.0
    assert "Their intervals overlap." in worth.read_liability(changed({"liability": frame}))


def test_points_that_outlast_the_log_have_a_least(changed: Any, step: dict[str, Any]) -> None:
    frame = step["liability"].tail(1).reset_index(drop=True).assign(bound=True)
    cases = ["at ages seen so far", "low end", "half of the rest is redeemed too", "everything is redeemed"]
    stress = pd.DataFrame(
        {"case": cases, "points": [10.0, 5.0, 20.0, 30.0], "share": 0.1, "money": [0.1, 0.05, 0.2, 0.3], "change": 0.0}
    )
    nothing = step["liability_tested"].head(0)
    study = changed({"liability": frame, "stress": stress, "liability_tested": nothing}, trusted="survival")
    assert "which is the least" in worth.read_liability(study)
    assert "There is no second method" in worth.read_liability(study)
    assert "Survival, at least" in cells(worth.methods(study))
    assert "at the very least" in worth.read_stress(study)
    assert "and will cost at least" in chapter.opening(study)
    assert "At ages seen so far, and its low end: by survival" in cells(worth.stress(study))
    for name, text in sentences(study).items():
        assert BROKEN.search(text) is None, (name, text)
    with style.context():
        drawn = figures.owed(worth.liability(study), worth.there(study), "EUR")
        assert ", at least" in drawn.get_title(loc="left")
    plt.close("all")


def test_the_page_tells_what_both_methods_promised_earlier(changed: Any, step: dict[str, Any]) -> None:
    days = pd.to_datetime(["2020-06-01", "2020-06-01", "2020-10-01", "2020-10-01"])
    told = pd.DataFrame(
        {
            "tested": days, "method": ["chain-ladder", "survival"] * 2, "periods": [8, 8, 4, 4],
            "promised": [50.0, 110.0, 60.0, 90.0], "promised_low": [40.0, 90.0, 50.0, 80.0],
            "promised_high": [60.0, 120.0, 70.0, 110.0], "redeemed": [100.0, 100.0, 100.0, 100.0],
            "held": [False, True, False, True],
        }
    )  # fmt: skip
    study = changed({"liability_tested": told}, trusted="survival")
    assert past.has_test(study)
    assert past.read_tested(study) == (
        "Simulated programme: held against what came since, chain-ladder promised 55 % of what came, and its interval "
        "held it 0 of 2 times; survival promised 100 % of what came, and its interval held it 2 of 2 times. The stress "
        "table is by survival, which was nearer."
    )
    assert "1 June 2020" in cells(past.tested(study))
    assert "by survival, 90 %" in cells(worth.stress(study))
    other = changed({"liability_tested": told.assign(held=False)}, trusted="chain-ladder")
    assert "Even that missed more than its interval says" in past.read_tested(other)
    assert "by chain-ladder, 90 %" in cells(worth.stress(other))
    once = changed({"liability_tested": told.head(2)}, trusted="survival")
    assert "chain-ladder promised 50 % of what came, and its interval missed it; survival" in past.read_tested(once)
    none = changed({"liability_tested": told.head(0)}, trusted="survival")
    assert not past.has_test(none)
    assert "either method could be tested" in past.read_tested(none)


def test_why_nothing_is_said_of_the_future(changed: Any, step: dict[str, Any]) -> None:
    nothing = {"liability": step["liability"].head(0), "stress": step["stress"].head(0)}
    study = changed(nothing, refused="points: 2 periods of 30 days brought points, and 4 are needed")
    assert worth.why_not(study) == (
        "What will be redeemed cannot be told yet: 2 periods of 30 days brought points, and 4 are needed."
    )
    for name, text in sentences(study).items():
        assert BROKEN.search(text) is None, (name, text)


def test_small_cells_are_not_shown(changed: Any, step: dict[str, Any]) -> None:
    ages = pd.DataFrame(
        {"from_days": [0, 90, 180], "to_days": [90, 180, 365], "points": [500.0, 30.0, 70.0], "customers": [90, 4, 12]}
    )
    kinds = pd.DataFrame(
        {"kind": ["issued", "redeemed", "expired"], "points": [9.0, 7.0, 1.0], "customers": [50, 30, 4]}
    )
    near = pd.DataFrame({"within_days": [30, 60, 90], "customers": [12, 15, 40], "points": [1.0, 2.0, 3.0]})
    calendar = pd.DataFrame({"day": pd.date_range("2021-01-01", periods=2), "points": [5.0, 6.0], "customers": [3, 80]})
    year = step["about"]["year"] | {"expired_customers": 3}
    study = changed({"ages": ages, "kinds": kinds, "reminders": near, "calendar": calendar}, year=year)
    assert chapter.ages(study)["points"].notna().to_list() == [True, False, False]
    assert chapter.calendar(study)["points"].isna().all()
    assert chapter.reminders(study)["within_days"].to_list() == [30, 90]
    assert "&lt;10" in cells(chapter.account(study))
    assert "and few expired." in chapter.read_account(study)


def test_weeks_are_put_together_until_one_has_enough_customers() -> None:
    day = pd.date_range("2020-01-06", periods=6, freq="7D")
    weeks = pd.DataFrame({"day": day[[0, 1, 3, 4]], "points": [7.0, 14.0, 7.0, 7.0], "customers": [3, 12, 11, 2]})
    found = spans(weeks, day[5], 10)
    assert found[["start", "end", "points"]].to_numpy().tolist() == [[day[0], day[2], 21], [day[2], day[5], 14]]
    assert found["per_day"].to_list() == [1.5, pytest.approx(14 / 21)]
    assert spans(weeks.head(1), day[5], 10).empty
    assert spans(weeks.head(0), day[5], 10).empty


def test_findings_about_few_customers_are_not_counted_out(changed: Any) -> None:
    one = {
        "label": "Points that are split",
        "detail": "points: 3 of 9 movements are not whole",
        "means": "",
        "mend": "check it",
    }
    study = changed(source="own", findings=[one | {"customers": 3}, one | {"customers": 12, "label": "Other"}])
    assert said.findings(study) == (
        "- Points that are split: of fewer than 10 customers. Check it.\n"
        "- Other: 3 of 9 movements are not whole. Check it."
    )


def test_figures_say_where_there_is_nothing() -> None:
    empty = pd.DataFrame(
        {"label": ["0–90 days"], "day": [pd.Timestamp("2020-01-01")], "points": [float("nan")], "share": 0.1}
    )
    with style.context():
        for ax in (figures.moved({}), figures.ages(empty), figures.calendar(empty)):
            assert "too few customers" in ax.texts[0].get_text()
        assert "too short a log" in figures.owed(pd.DataFrame({"points": []}), 0.0, "EUR").texts[0].get_text()
    plt.close("all")
