"""What the campaigns page says: whole sentences, no effect claimed, nothing told of few customers."""

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from loyalty.reporting.chapters import campaign_answers as answers
from loyalty.reporting.chapters import campaign_desk as desk
from loyalty.reporting.chapters import campaign_time as over_time
from loyalty.reporting.chapters import campaigns as chapter
from loyalty.reporting.chapters.campaign_numbers import about, extremes, in_cells, is_known, spans, told
from loyalty.study import Study

BROKEN = re.compile(r"\bnan\b|\bNone\b|\binf\b|\bTrue\b|\bFalse\b|  |\.\.|<NA>|\{")


class Steps:
    """A study of which only the step of campaigns is known."""

    def __init__(self, study: Study, **frames: Any) -> None:
        self.dataset, self.known_until, self._step = study.dataset, study.known_until, frames

    def campaigns(self) -> dict[str, Any]:
        return self._step


def measures(reached: list[int], redeemers: list[int], types: list[str | None]) -> pd.DataFrame:
    """Campaigns a, b, …"""
    n, hits = np.array(reached, dtype=float), np.array(redeemers, dtype=float)
    names = (
        "redeemed", "redemptions", "matched", "baskets", "basket_sales", "coupon_sales", "discount", "judged_before",
        "bought_before",
    )  # fmt: skip
    return pd.DataFrame(
        {
            "type": types, "customers": reached, "reached": n, "contacts": n, "opened": np.nan, "redeemers": redeemers,
            "contact_cost": np.nan, "redemption_rate": hits / n, "redemption_rate_low": hits / n - 0.01,
            "redemption_rate_high": hits / n + 0.01, "bought_before_share": 0.5, "bought_before_share_low": 0.4,
            "bought_before_share_high": 0.6,
        }
        | dict.fromkeys(names, hits),
        index=pd.Index(list("abcdefgh")[: len(reached)], name="campaign"),
    )  # fmt: skip


def steps(study: Study, **frames: Any) -> Study:
    return Steps(study, **frames)  # type: ignore[return-value]


def test_without_campaigns_the_page_says_what_it_would_take(simulated: Study) -> None:
    answer = answers.opening(simulated, None)
    assert "says nothing of campaigns" in answer
    assert "active customers were held out" in answer
    assert "[contacts]" in chapter.missing(simulated)
    for text in (answer, answers.limits(simulated), answers.meeting(simulated), chapter.read_needed(simulated)):
        assert text.endswith(".")
        assert BROKEN.search(text) is None
    assert not is_known(simulated)
    assert not over_time.has_lines(simulated)
    assert not over_time.has_channels(simulated)
    assert len(chapter.hold_outs(simulated)) > 2


def test_the_desk_says_how_surely_and_after_how_long_an_effect_shows(simulated: Study) -> None:
    curve, said = desk.powers(simulated), desk.read_powers(simulated)
    assert curve["cuped"].is_monotonic_increasing
    least = about(simulated)["desk"]["least_effect"]["cuped"]
    half, double = (curve.iloc[(curve["effect"] - part * least).abs().argmin()] for part in (0.5, 2.0))
    assert f"{100 * half['cuped']:.0f} of 100" in said
    assert f"in {100 * double['cuped']:.0f}." in said
    assert half["cuped"] < 0.8 < double["cuped"]
    html = desk.durations(simulated).as_raw_html()
    for row in about(simulated)["desk"]["by_days"]:
        assert f">{row['days']}<" in html
    assert BROKEN.search(desk.read_durations(simulated)) is None
    assert desk.read_durations(simulated).endswith(".")


def test_nothing_is_told_of_few_who_handed_in_a_coupon(simulated: Study) -> None:
    study = steps(simulated, campaign=measures([200, 300, 100, 5], [4, 60, 0, 1], ["A", "B", "B", "C"]))
    frame = told(study, "campaign")
    assert frame["redemption_rate"].notna().to_dict() == {"a": False, "b": True, "c": True, "d": False}
    assert frame.loc["a", ["discount", "coupon_sales", "baskets"]].isna().all()
    cells = in_cells(frame, 10)
    assert cells.loc["a", ["reached", "redeemed", "redemption_rate"]].to_list() == [200, "<10", "under 5.0"]
    assert cells.loc["d", "reached"] == "<10"
    assert cells.loc["c", "redemption_rate"] == 0


def test_the_one_small_campaign_of_a_type_cannot_be_had_by_subtraction(simulated: Study) -> None:
    study = steps(simulated, campaign=measures([200, 300, 400], [4, 60, 90], ["A", "A", "A"]))
    cells = in_cells(told(study, "campaign"), 10)
    assert cells["redeemed"].to_list() == ["<10", "hidden", 90]
    assert told(study, "campaign").loc["b", ["discount", "redemption_rate", "bought_before_share"]].isna().all()


def test_few_baskets_are_not_shown(simulated: Study) -> None:
    frame = measures([300, 300], [40, 50], ["A", "A"]).assign(baskets=[6.0, 30.0])
    assert told(steps(simulated, campaign=frame), "campaign")["coupon_sales"].notna().to_list() == [False, True]


def test_the_surely_high_and_the_surely_low_are_named(simulated: Study) -> None:
    frame = told(steps(simulated, campaign=measures([300, 300, 300], [30, 90, 60], ["A"] * 3)), "campaign")
    assert extremes(frame).index.to_list() == ["b", "a"]
    frame.loc["a", ["redemption_rate_low", "redemption_rate_high"]] = [0.0, 0.9]
    assert extremes(frame).index.to_list() == ["b", "c"]


def test_days_are_put_together_until_ten_different_customers_are_in_them() -> None:
    day = pd.date_range("2020-01-01", periods=4)
    days = pd.DataFrame(
        [
            (day[0], pd.NaT, 6, 7),
            (day[1], day[0], 5, 5),  # the same people again
            (day[1], pd.NaT, 3, 3),
            (day[2], day[1], 1, 1),
            (day[2], pd.NaT, 1, 2),
            (day[3], day[0], 4, 4),
        ],
        columns=["day", "previous", "customers", "rows"],
    )
    found = spans(days, 10)
    # Six and three are nine, and the tenth comes on the third day; what is left over goes with it.
    assert found[["start", "end", "rows"]].to_numpy().tolist() == [[day[0], day[3], 22]]
    assert found["per_day"].to_list() == [5.5]
    assert spans(days, 5)["end"].to_list() == [day[0], day[1], day[3]]
    assert spans(days.iloc[:1], 10).empty


@pytest.mark.slow
def test_complete_journey_is_told_whole_and_claims_no_effect(journey: Study) -> None:
    said = [
        answers.opening(journey, None), chapter.read_money(journey), chapter.read_anyway(journey),
        chapter.read_left_out(journey), chapter.not_an_effect(journey), answers.limits(journey),
        answers.meeting(journey), chapter.read_needed(journey), over_time.read_curves(journey),
        over_time.read_days(journey), over_time.read_stop_loss(journey),
        *(chapter.read_measures(journey, by) for by in ("type", "campaign", "segment")),
        over_time.read_curves(journey, "segment"),
    ]  # fmt: skip
    for text in said:
        assert text.endswith("."), text
        assert BROKEN.search(text) is None, text
        assert "uplift" not in text
    assert set(over_time.curves(journey, "segment")) <= set(journey.campaigns()["segment"].index.dropna())
    assert over_time.curves(journey, "channel") == {}
    assert "Only 53.8 % of the coupons match a line" in said[1]
    assert "lower bounds" in said[1]
    assert "no effect on spend is distinguishable from zero" in said[0]
    assert "a coupon handed in is no sale gained" in said[0]
    assert "campaigns.contact_cost" in chapter.missing(journey)


@pytest.mark.slow
def test_tables_of_complete_journey_show_no_small_cell(journey: Study) -> None:
    html = chapter.campaigns(journey).as_raw_html()
    assert "under 4.7" in html
    assert "Contact cost" not in html
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"(?s)<tr>(.*?)</tr>", html)]
    redeemed = [row[4] for row in rows if len(row) > 5]
    assert not [cell for cell in redeemed if cell.isdigit() and 0 < int(cell) < 10]
    assert "under 5.1" in over_time.stop_loss(journey).as_raw_html()


def test_both_answers_stand_on_a_page_of_campaigns_and_an_experiment(
    simulated: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers.experiment, "answer", lambda trial: "It paid.")
    trial: Any = object()
    assert answers.opening(None, trial) == "It paid."
    assert answers.opening(simulated, trial) == "It paid."
    assert "It would take a list" in answers.opening(simulated, None)
