"""What the page says of tiers and high-value customers: whole sentences, what is assumed, nothing of few customers."""

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from loyalty import memberships
from loyalty.high_value_customers import high_value
from loyalty.reporting import tier_figures
from loyalty.reporting.chapters import high_value as valuable
from loyalty.reporting.chapters import tier_changes, tiers
from loyalty.reporting.chapters.tier_numbers import hidden_both_ways
from loyalty.study import Study
from matplotlib import pyplot as plt

BROKEN = re.compile(r"\bnan\b|\bNone\b|\binf\b|\bTrue\b|\bFalse\b|  |\.\.|<NA>|\{")


class Steps:
    """A study of which only the steps of tiers and of high value are known."""

    def __init__(self, study: Any, tier: dict[str, Any], valued: dict[str, Any] | None = None) -> None:
        self.dataset, self.known_until, self.horizon_days = study.dataset, study.known_until, study.horizon_days
        self.origin, self.events, self._tiers, self._valued = study.origin, study.events, tier, valued

    def tiers(self) -> dict[str, Any]:
        return self._tiers

    def high_value(self) -> dict[str, Any]:
        assert self._valued is not None
        return self._valued


@pytest.fixture(scope="module")
def step(simulated: Study) -> dict[str, Any]:
    return memberships.tiers(simulated)


@pytest.fixture(scope="module")
def page(simulated: Study, step: dict[str, Any]) -> Any:
    return Steps(simulated, step)


@pytest.fixture(scope="module")
def valued(simulated: Study) -> Any:
    """The shop's customers of high value, by scores that are made up."""
    known = simulated.histories()
    known = known[known["T"] - known["recency"] <= simulated.active_within_days]
    away = known["T"] - known["recency"]
    p = (away / (away + 30)).clip(0.02, 0.98)
    scores = pd.DataFrame({"churn_probability": p, "clv": 10 * (1 - p) * known["frequency"]})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Study, "churn", lambda study: {"scores": scores})
        return Steps(simulated, {}, high_value(simulated))


def own(step: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The same step as if the tiers were the retailer's own."""
    return step | {"about": step["about"] | {"assumed": False} | changes}


def test_every_reading_of_an_assumed_programme_says_so_first(page: Any) -> None:
    said = [
        tiers.opening(page), tiers.rules(page), tiers.read_sizes(page), tiers.read_months(page),
        tiers.read_moves(page), tiers.read_near(page), tiers.limits(page), tiers.meeting(page),
        tier_changes.read_bunching(page), tier_changes.read_worth(page), tier_changes.read_simulator(page),
    ]  # fmt: skip
    for text in said:
        assert text.startswith("Simulated programme: "), text
        assert text.endswith("."), text
        assert BROKEN.search(text) is None, text
    assert tiers.note(page) == "simulated programme"
    assert "All of this is assumed" in said[1]
    assert "Nobody knew of these thresholds" in said[8]
    assert "no effect of the tiers" in said[9]
    for table in (tiers.sizes(page), tiers.near(page), tier_changes.worth(page), tier_changes.simulator(page)):
        assert "(simulated programme)" in table.as_raw_html()


def test_every_figure_of_an_assumed_programme_says_so_in_its_title(page: Any) -> None:
    note = tiers.note(page)
    drawn = [
        tier_figures.months(tiers.months(page), note=note),
        tier_figures.moves(tiers.moves(page), 30, note=note),
        tier_figures.months(tiers.months(page).head(0), note=note),
    ]
    for ax in drawn:
        assert ax.get_title(loc="left").endswith("(simulated programme)")
    for parts in (tier_changes.bunching(page), {}):
        assert tier_figures.bunching(parts, note=note).get_suptitle().endswith("(simulated programme)")
    assert tier_figures.months(tiers.months(page)).get_title(loc="left").endswith("months")
    plt.close("all")


def test_the_retailers_own_tiers_are_not_called_assumed(simulated: Study, step: dict[str, Any]) -> None:
    page: Any = Steps(simulated, own(step))
    for text in (tiers.opening(page), tiers.read_sizes(page), tiers.meeting(page), tier_changes.read_simulator(page)):
        assert "imulated" not in text
    # What the file does not say of them is.
    assert "that much is assumed" in tiers.rules(page)
    assert "What the tiers give is assumed" in tiers.limits(page)
    told = own(step, benefits_assumed=False)
    assert "assumed" not in tiers.rules(Steps(simulated, told)) + tiers.limits(Steps(simulated, told))  # type: ignore[arg-type]


def test_rules_are_told_in_words(simulated: Study, step: dict[str, Any]) -> None:
    rules = step["about"]["rules"] | {
        "period": "quarter", "grace_periods": 2, "grace_days": 10, "downgrade": "step", "by": "points",
    }  # fmt: skip
    text = tiers.rules(Steps(simulated, own(step, rules=rules)))  # type: ignore[arg-type]
    assert "points, earned within a calendar quarter" in text
    assert "to the end of that period and for 2 more calendar quarters and 10 days after that" in text
    assert "then comes the next lower one for one more period" in text


def test_where_there_are_no_tiers_the_page_says_what_would_bring_them(simulated: Study) -> None:
    for lacking, told in (("points", "`[points]`"), ("programme.tiers", "`[programme]`")):
        page: Any = Steps(simulated, {"about": {"known": False, "lacking": lacking}})
        assert not tiers.has_tiers(page)
        assert not tiers.has_months(page)
        assert not tier_changes.has_simulator(page)
        assert told in tiers.opening(page)
        assert told in tiers.meeting(page)


def test_a_short_log_tells_of_today_alone(simulated: Study, step: dict[str, Any]) -> None:
    short = {name: step[name] for name in ("holders", "near", "bunching", "windows")}
    about = step["about"] | {"before": None, "apart_days": None}
    page: Any = Steps(simulated, short | {"about": about})
    assert not any(has(page) for has in (tiers.has_months, tiers.has_moves, tier_changes.has_worth))
    assert "too short to tell of an earlier date" in tiers.read_sizes(page)
    assert "ago" not in tiers.sizes(page).as_raw_html()


def test_small_tiers_are_hidden_with_another_from_which_they_could_be_had(
    simulated: Study, step: dict[str, Any]
) -> None:
    few = step["holders"].assign(customers=[300, 60, 40, 4] * 2, spend=100.0)
    page: Any = Steps(simulated, step | {"holders": few})
    html = tiers.sizes(page).as_raw_html()
    cells = re.findall(r"<td[^>]*>(.*?)</td>", html)
    assert "&lt;10" in html
    assert "hidden" in cells
    assert "too few of the 404 customers" in tiers.opening(page)
    months = step["over_time"].assign(customers=[300, 60, 40, 4] * (len(step["over_time"]) // 4))
    told = tiers.months(Steps(simulated, step | {"over_time": months}))  # type: ignore[arg-type]
    assert told.notna().to_numpy().tolist() == [[True, True, False, False]] * len(told)


def test_no_cell_of_the_moves_can_be_had_from_a_row_or_a_column() -> None:
    random = np.random.default_rng(5)
    for _ in range(200):
        counts = pd.DataFrame(random.choice([0, 3, 9, 10, 40, 500], (4, 4)))
        secret = hidden_both_ways(counts, 10)
        cells = counts.to_numpy()
        assert secret.to_numpy()[(cells > 0) & (cells < 10)].all()
        for values, flags in ((cells, secret.to_numpy()), (cells.T, secret.to_numpy().T)):
            for row, flagged in zip(values, flags, strict=True):
                assert flagged.sum() != 1 or (row[~flagged] == 0).all()


def test_few_who_left_are_a_bound_and_no_number(simulated: Study, step: dict[str, Any]) -> None:
    worth = step["worth"].head(3).assign(customers=[200, 100, 100], churned=[0.5, 0.03, 0.97])
    page: Any = Steps(simulated, step | {"worth": worth})
    cells = re.findall(r"<td[^>]*>(.*?)</td>", tier_changes.worth(page).as_raw_html())
    assert {"under 10.0", "over 90.0"} <= set(cells)
    assert not [cell for cell in cells if cell.startswith(("3.0", "97.0"))]


def test_pressure_is_claimed_only_of_real_tiers_and_where_placebos_find_nothing(
    simulated: Study, step: dict[str, Any]
) -> None:
    row = {
        "tier": "Gold", "threshold": 100.0, "above": 0.4, "above_low": 0.2, "above_high": 0.6, "customers": 30.0,
        "customers_low": 20.0, "customers_high": 40.0, "placebos": 4, "passed": 4, "refusal": "", "clear": True,
    }  # fmt: skip
    refused = row | {"tier": "Top", "refusal": "Too few customers lie near.", "above_low": np.nan, "clear": False}

    def said(*rows: dict[str, Any], assumed: bool = False) -> str:
        about = step["about"] | {"assumed": assumed}
        page: Any = Steps(simulated, step | {"about": about, "bunching": pd.DataFrame(rows)})
        return tier_changes.read_bunching(page)

    assert "about 30 customers (20 to 40) bought to reach it or to keep it" in said(row)
    assert "proves nothing" in said(row | {"passed": 3, "clear": False})
    assert "bought to reach" not in said(row, assumed=True).replace("can have bought to reach", "")
    nothing = said(row | {"above_low": -0.1, "clear": False}, refused)
    assert "nothing shows that customers buy to reach it" in nothing
    assert "Top: Too few customers lie near." in nothing


def test_replays_hide_few_and_say_where_nothing_pays(simulated: Study, step: dict[str, Any]) -> None:
    replays = step["replays"].assign(gainers=[4, 0, 500], losers=[0, 300, 0], lift=[0.1, np.nan, np.inf])
    page: Any = Steps(simulated, step | {"replays": replays})
    text = tier_changes.read_simulator(page)
    assert "20 % lower too few customers would have got more" in text
    assert "no lift pays for it" in text
    html = tier_changes.simulator(page).as_raw_html()
    assert "&lt;10" in html
    assert "no lift pays" in html


# High value


def test_high_value_customers_are_told_whole(valued: Any) -> None:
    said = [
        valuable.opening(valued), valuable.rules(valued), valuable.read_groups(valued), valuable.read_risk(valued),
        valuable.read_overlap(valued), valuable.limits(valued), valuable.meeting(valued),
    ]  # fmt: skip
    for text in said:
        assert text.endswith("."), text
        assert BROKEN.search(text) is None, text
    assert "assumed" in said[1]
    assert "`transactions.discount`" in said[2]
    assert not valuable.has_mix(valued, "category")
    for table in (valuable.groups(valued), valuable.risk(valued), valuable.overlap(valued)):
        cells = re.findall(r"<td[^>]*>(.*?)</td>", table.as_raw_html())
        assert [cell for cell in cells if BROKEN.search(cell)] == []
    assert "the mean of all active customers" in valuable.risk(valued).as_raw_html()


def test_what_they_buy_leaves_small_cells_out_and_takes_the_next_definition(valued: Any) -> None:
    def rows(definition: str, customers: list[int]) -> pd.DataFrame:
        shares = {"high_value": [0.5, 0.3, 0.2], "others": [0.25, 0.35, 0.4]}
        table = pd.DataFrame({"name": ["wine", "bread", "soap"], "customers": customers} | shares)
        counted = table.assign(other_customers=[100, 100, 100], index=table["high_value"] / table["others"])
        return counted.assign(definition=definition, kind="category")

    def page(*parts: pd.DataFrame) -> Any:
        return Steps(valued, {}, valued.high_value() | {"mix": pd.concat(parts, ignore_index=True)})

    seen = page(rows("spend", [60, 50, 40]))
    assert valuable.mix(seen, "category").index.tolist() == ["wine", "bread", "soap"]
    assert "largest for wine (2 times) and smallest for soap (0.5 times)" in valuable.read_mix(seen, "category")
    assert tier_figures.mix(valuable.mix(seen, "category"), "category").get_title(loc="left")
    plt.close("all")
    few = page(rows("spend", [60, 5, 4]), rows("margin", [60, 50, 40]))
    assert valuable.mix(few, "category")["definition"].unique().tolist() == ["margin"]
    assert "high-value customers by margin" in valuable.read_mix(few, "category")
    assert not valuable.has_mix(page(rows("spend", [6, 5, 4])), "category")


def test_few_at_risk_are_a_bound(valued: Any) -> None:
    risk = valued.high_value()["risk"].assign(scored=[100, 100, 5], at_risk=[4, 50, 2])
    page: Any = Steps(valued, {}, valued.high_value() | {"risk": risk})
    html = valuable.risk(page).as_raw_html()
    assert "under 10.0" in html
    assert html.count("&lt;10") >= 2
    assert "by margin" in valuable.read_risk(page)


def test_a_shop_without_payers_has_nobody_of_high_value(valued: Any) -> None:
    page: Any = Steps(valued, {}, {"about": {"known": False}})
    assert not valuable.has_high_value(page)
    assert not valuable.has_risk(page)
    assert "Nobody paid" in valuable.opening(page)
    assert valuable.meeting(page) == valuable.opening(page)
    assert valuable.limits(page).endswith(".")
