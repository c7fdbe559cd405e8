"""What the pages say: whole sentences, with numbers that a second route finds in the log, and no small cell."""

import inspect
import re
from collections.abc import Callable
from datetime import timedelta
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from great_tables import GT
from hypothesis import given
from hypothesis import strategies as st
from loyalty.models.contenders import build
from loyalty.models.line_up import BLEND, NAIVE
from loyalty.reporting import summary, words
from loyalty.reporting.chapters import churn, customers, health, value
from loyalty.schema import Privacy
from loyalty.study import Study
from sklearn.metrics import roc_auc_score

CHAPTERS = {"health": health, "customers": customers, "value": value, "churn": churn, "summary": summary}
REAL = [pytest.param(name, marks=pytest.mark.slow) for name in ("cdnow", "journey")]
STUDIES = pytest.mark.parametrize("name", ["simulated", *REAL])


def of_a_study(module: ModuleType) -> list[Callable[[Study], Any]]:
    """The public functions of a chapter that need nothing but a study."""
    return [
        thing
        for name, thing in vars(module).items()
        if inspect.isfunction(thing)
        and not name.startswith("_")
        and (thing.__module__ == module.__name__ or thing.__module__.startswith(f"{module.__name__}."))
        and list(inspect.signature(thing).parameters) == ["study"]
    ]


SAYING = [
    pytest.param(chapter, function.__name__, id=f"{chapter}.{function.__name__}")
    for chapter, module in CHAPTERS.items()
    for function in of_a_study(module)
    if function.__annotations__.get("return") is str
]
SHOWING = [
    pytest.param(chapter, function.__name__, id=f"{chapter}.{function.__name__}")
    for chapter, module in CHAPTERS.items()
    for function in of_a_study(module)
    if function.__annotations__.get("return") is GT
]
BROKEN = re.compile(r"\bnan\b|\bNaN\b|\bNaT\b|\bNone\b|\binf\b|\bTrue\b|\bFalse\b|  |\.\.|<NA>|\{|−0(\.0+)?\b|–")


@pytest.fixture
def study(name: str, request: pytest.FixtureRequest) -> Study:
    return request.getfixturevalue(name)  # type: ignore[no-any-return]


def test_there_is_something_to_say_in_every_chapter() -> None:
    said = {parameter.values[0] for parameter in SAYING}
    assert said == set(CHAPTERS)
    assert len(SAYING) > 35
    assert len(SHOWING) > 5


# Said inside another sentence or on a figure, or only where there is something to say.
CLAUSES = {"of_the_active", "caution", "closed_group", "share_of_the_top", "of_a_sample", "few"}
CLAUSES |= {"in_use", "grid_title", "leaving_label", "of_single_purchases"}


def broken_in(text: str) -> re.Match[str] | None:
    """What no reader should see. Classes such as "1–2" have a dash; one that stands alone is a missing number."""
    return BROKEN.search(re.sub(r"\d–\d", "0", text))


@STUDIES
@pytest.mark.parametrize(("chapter", "function"), SAYING)
def test_it_is_whole_sentences(chapter: str, function: str, study: Study) -> None:
    text = getattr(CHAPTERS[chapter], function)(study)
    assert broken_in(text) is None, text
    if function not in CLAUSES:
        assert text
        assert [line for line in text.splitlines() if not line.endswith((".", ".**"))] == []


@STUDIES
@pytest.mark.parametrize(("chapter", "function"), SHOWING)
def test_its_tables_hold_numbers_where_they_promise_them(chapter: str, function: str, study: Study) -> None:
    html = getattr(CHAPTERS[chapter], function)(study).as_raw_html()
    cells = re.findall(r"<td[^>]*gt_right[^>]*>(.*?)</td>", html)
    assert cells or function == "measure_table"  # whose numbers are in words already
    assert [cell for cell in cells if re.search(r"nan|None|NaT|inf|NA", cell)] == []


@STUDIES
def test_answers_and_meetings_are_short(study: Study) -> None:
    for chapter in CHAPTERS.values():
        assert 3 <= len(re.findall(r"\.(?: |$)", chapter.answer(study))) <= 4
        assert len(chapter.meeting(study)) < 300


# The key numbers by a second route: from the log itself


@pytest.fixture
def days(study: Study) -> pd.DataFrame:
    """Customer and day of every purchase before the date, with its spend; in plain pandas from the lines.

    A day on which nothing was paid is a purchase where the dataset file says so.
    """
    lines = study.data.lines.select("customer", "day", "amount").to_pandas()
    lines["day"] = pd.to_datetime(lines["day"])
    each = lines.groupby(["customer", "day"], as_index=False)["amount"].sum()
    return each if study.dataset.contract.zero_amount == "purchase" else each[each["amount"] > 1e-6]


@STUDIES
def test_the_health_page_counts_the_log(study: Study, days: pd.DataFrame) -> None:
    text = health.answer(study)
    assert f"{days['customer'].nunique():,} customers" in text
    assert words.money(days["amount"].sum(), study.dataset.currency) in text
    assert words.day(days["day"].max()) in text
    each = len(days) / days["customer"].nunique()
    more = (days["customer"].value_counts() > 1).mean()
    assert words.number(each) in health.read_contents(study)
    assert words.percent(more) in health.read_contents(study)


@STUDIES
def test_the_repurchase_rate_is_that_of_the_last_period(study: Study, days: pd.DataFrame) -> None:
    recent = days[days["day"] >= pd.Timestamp(study.as_of - timedelta(days=study.horizon_days))]
    share = (recent["customer"].value_counts() > 1).mean()
    assert words.percent(share) in customers.answer(study)
    assert customers.repurchase(study)["share"].iloc[-1] == pytest.approx(share)
    assert words.percent(share) in customers.meeting(study)


@STUDIES
def test_the_churn_rate_is_that_of_the_last_period(study: Study, days: pd.DataFrame) -> None:
    start = pd.Timestamp(study.as_of - timedelta(days=study.horizon_days))
    known = days[(days["day"] < start) & (days["day"] >= start - pd.Timedelta(days=study.active_within_days))]
    active = set(known["customer"])
    left = active - set(days.loc[days["day"] >= start, "customer"])
    assert customers.churned(study)["share"].iloc[-1] == pytest.approx(len(left) / len(active))
    assert words.percent(len(left) / len(active)) in summary.answer(study)
    assert f"{len(left):,}" in summary.certainty(study)


@STUDIES
def test_the_heaviest_tenth_brings_what_is_said(study: Study, days: pd.DataFrame) -> None:
    year = days[days["day"] >= pd.Timestamp(study.as_of - timedelta(days=365))]
    spend = year.groupby("customer")["amount"].sum().sort_values(ascending=False)
    share = spend.head(-(-len(spend) // 10)).sum() / spend.sum()
    for text in (customers.answer(study), customers.read_concentration(study), customers.meeting(study)):
        assert words.percent(share) in text


@STUDIES
def test_the_triangle_is_read_as_it_is(study: Study, days: pd.DataFrame) -> None:
    month = days["day"].dt.to_period("M")
    first = month.groupby(days["customer"]).transform("min")
    known = month < pd.Period(study.as_of, "M")
    cohort = customers.retention_table(study).index[0].to_period("M")
    size = days.loc[first == cohort, "customer"].nunique()
    later = days.loc[known & (first == cohort) & (month == cohort + 1), "customer"].nunique()
    text = customers.read_retention(study)
    assert f"{cohort.start_time:%B %Y}, {words.percent(later / size)} bought 1 month later" in text


def test_a_hidden_month_is_not_read_as_the_next_one(make_shop: Callable[..., Any]) -> None:
    """30 customers begin in January, 4 of them come in February, too few to be shown, and 15 in March."""
    came = [(f"c{n}", "2020-01-10") for n in range(30)] + [(f"c{n}", "2020-02-10") for n in range(4)]
    came += [(f"c{n}", "2020-03-10") for n in range(15)] + [("c0", "2020-04-02")]
    study = Study.open("shop", root=make_shop(pd.DataFrame(came, columns=["customer", "time"]).assign(amount=5.0)))
    assert customers.retention_table(study).loc["2020-01-01"].dropna().to_dict() == {0: 1.0, 2: 0.5}
    text = customers.read_retention(study)
    assert "50 % bought 2 months later" in text
    assert "1 month" not in text


@STUDIES
def test_the_days_to_the_second_purchase_are_those_of_the_log(study: Study, days: pd.DataFrame) -> None:
    """Nearly all could be watched for 30 days, so the plain share is near the curve's."""
    ordered = days.sort_values(["customer", "day"])
    gap = -ordered.groupby("customer")["day"].diff(-1).dt.days  # to the next purchase, missing after the last
    first = ~ordered.duplicated("customer")
    watched = first & (ordered["day"] <= pd.Timestamp(study.as_of) - pd.Timedelta(days=30))
    curve = customers.second_purchase(study)
    assert customers.returned_by(curve, 30)["share"] == pytest.approx(gap[watched].between(1, 30).mean(), abs=0.015)
    assert words.percent(customers.returned_by(curve, 30)["share"]) in customers.read_second(study)


@STUDIES
def test_the_churn_page_tells_pairs_apart_as_scikit_learn_does(study: Study) -> None:
    holdout, best = study.churn()["holdout"], study.churn()["about"]["winner"]
    assert best in (BLEND, *NAIVE)
    text = churn.answer(study)
    assert f"{words.number(100 * roc_auc_score(holdout['churned'], holdout[best]))} times in 100" in text
    assert f"{len(study.outcomes(study.as_of)):,} active customers" in text
    fifth = holdout.sort_values(best, ascending=False, kind="stable").head(round(0.2 * len(holdout)))
    assert f"{fifth['churned'].sum():,} of the {holdout['churned'].sum():,} who left" in text
    leaving = churn.leavers(study)
    assert leaving.mean == pytest.approx(study.churn()["scores"]["churn_probability"].sum())
    assert 0 <= leaving.low < leaving.mean < leaving.high <= len(study.churn()["scores"])


@STUDIES
def test_bands_hold_every_active_customer_once(study: Study) -> None:
    table, scores = churn.bands(study), study.churn()["scores"]["churn_probability"]
    edges = [0, 0.1, 0.25, 0.5, 0.75, 1.01]
    counted = np.histogram(scores, edges)[0]
    assert list(table["customers"]) == list(counted)
    assert table["leavers"].sum() == pytest.approx(scores.sum())
    spend = study.churn()["scores"]["expected_spend"]
    assert table["spend"].sum() == pytest.approx(spend.sum())


@STUDIES
def test_gains_end_with_everyone(study: Study) -> None:
    for curve in churn.gains(study).values():
        assert (curve.iloc[0], curve.iloc[-1]) == (0, pytest.approx(1))
        assert (curve.diff().dropna() >= 0).all()


@STUDIES
def test_the_value_page_holds_forecasts_against_the_log(study: Study, days: pd.DataFrame) -> None:
    start = pd.Timestamp(study.origin(1))
    known = days.loc[days["day"] < start, "customer"].unique()
    later = days[(days["day"] >= start) & days["customer"].isin(known) & (days["amount"] > -1e-6)]
    table = value.totals_table(study)
    assert table.loc["What happened", "total"] == pytest.approx(later["amount"].sum())
    assert words.money(later["amount"].sum(), study.dataset.currency) in value.read_holdout(study)
    model = study.value_holdout()["totals"]["expected_spend"]
    bias = model / later["amount"].sum() - 1
    assert value.off(bias) in summary.certainty(study)
    assert table.loc["Model", "bias"] == pytest.approx(bias)


@STUDIES
def test_totals_ahead_are_wider_than_the_model_alone_says(study: Study) -> None:
    for name in ("expected_purchases", "expected_spend", "clv"):
        total, own = value.total(study, name), study.value()["totals"]
        assert 0 <= total.low <= own[f"{name}_low"] < total.mean < own[f"{name}_high"] <= total.high
    backtest = study.value_backtest()
    missed = np.sqrt(np.mean([(row.model / row.actual - 1) ** 2 for row in backtest.itertuples()]))
    assert value.level_error(study) == pytest.approx(missed)


@STUDIES
def test_tracking_counts_the_repeat_purchases_of_the_log(study: Study, days: pd.DataFrame) -> None:
    date, end = value.calibrated(study), pd.Timestamp(study.known_until)
    assert date == pd.Timestamp(study.origins()[-1])
    seen = days[days["day"] < end].assign(first=lambda t: t.groupby("customer")["day"].transform("min"))
    again = seen[(seen["first"] < date) & (seen["day"] > seen["first"])]
    table = value.weeks(study)
    assert table["total_actual"].iloc[-1] == len(again)
    ended = table[table["end"] <= date].iloc[-1]
    assert ended["total_actual"] == (again["day"] < date).sum()
    about = study.purchase_models()["about"]
    assert about["purchases"] == (again["day"] >= date).sum()
    assert words.count(about["purchases"]) in value.read_total(study)
    new = seen[seen["first"] >= date]
    assert about["newcomers"] == {"customers": new["customer"].nunique(), "purchases": len(new)}


@STUDIES
def test_the_comparison_says_which_model_describes_and_which_forecasts(study: Study) -> None:
    found = study.purchase_models()
    text = value.read_comparison(study)
    assert text.startswith(f"**{found['about']['chosen']}** describes")
    assert ("rest on it" in text) == (found["about"]["chosen"] == found["about"]["used"])
    estimates = study.value()["parameters"]["estimate"]
    assert build(found["about"]["used"]).with_parameters(estimates).describe() == study.value()["sentence"]
    html = value.comparison(study).as_raw_html()
    assert all(name in html for name in found["table"].index)


@STUDIES
def test_the_value_as_assumed_is_the_total_of_the_customers(study: Study) -> None:
    assert value.value_as_assumed(study) == pytest.approx(value.total(study, "clv").mean, rel=2e-3)
    table = value.sensitivity(study)
    assert (table["low"] < value.value_as_assumed(study)).all()
    assert (table["high"] > value.value_as_assumed(study)).all()
    assert (table["high"] - table["low"]).is_monotonic_decreasing


@STUDIES
def test_tenths_are_of_equal_size_and_falling_worth(study: Study) -> None:
    table = value.by_tenth(study)
    assert table["customers"].max() - table["customers"].min() <= 1
    assert (table["clv"].diff().dropna() <= 0).all()
    assert table["share"].sum() == pytest.approx(1)
    assert (table["low"] <= table["high"]).all()
    assert (table["clv"] <= table["high"]).head(5).all()  # below, a few who buy again carry the mean of many who do not


@STUDIES
def test_the_verdict_follows_from_squared_errors(study: Study) -> None:
    each = study.value_holdout()["customers"]
    losses = {kind: ((each[f"{kind}_spend"] - each["spend"]) ** 2).mean() for kind in ("expected", "rate", "last")}
    found = value.verdict(study)
    assert found.gain == pytest.approx(1 - losses["expected"] / min(losses["rate"], losses["last"]))
    assert found.low < found.gain < found.high
    assert ("the model beats" in value.say_verdict(study)) == (found.low > 0)


@STUDIES
def test_the_first_page_has_six_measures_and_three_findings(study: Study) -> None:
    measures = summary.measures(study)
    assert len({measure.name for measure in measures}) == 6
    assert len(summary.findings(study)) == 3
    for measure in measures:
        assert [
            text for text in (measure.value, measure.interval, measure.change, measure.goal) if broken_in(text)
        ] == []
        assert measure.definition.endswith(".")
        assert (measure.goal == "") == (measure.goal_met is None)
    active = len(study.outcomes(study.as_of))
    assert measures[0].value == f"{active:,}"


# Privacy


@pytest.fixture
def strict(simulated: Study) -> Study:
    """The simulated retailer, where nothing may be told of fewer than 60 customers."""
    dataset = simulated.dataset.model_copy(update={"privacy": Privacy(minimum_cell=60)})
    return Study(
        simulated.name,
        dataset,
        simulated.root,
        simulated.data,
        as_of=simulated.as_of,
        horizon_days=simulated.horizon_days,
        active_within_days=simulated.active_within_days,
    )


def test_no_cell_of_the_triangle_is_of_few_customers(strict: Study) -> None:
    shown = customers.retention_table(strict)
    counts = (
        strict.retention().assign(cohort=lambda r: pd.to_datetime(r["cohort"])).set_index(["cohort", "months_later"])
    )
    cells = shown.stack().dropna()
    assert len(cells) > 0
    assert all(counts.loc[cell, "customers"] >= 60 for cell in cells.index)
    assert (counts["customers"] < 60).any()
    for cell, share in cells.items():
        assert share == pytest.approx(counts.loc[cell, "customers"] / counts.loc[cell, "size"])


def test_no_segment_is_of_few_customers(strict: Study) -> None:
    sizes = customers.segment_table(strict)["customers"]
    small = list(sizes.index[sizes < 60])
    assert 0 < len(small) < len(sizes)
    assert not set(small) & set(customers.publishable_segments(strict).index)
    html = customers.segments(strict).as_raw_html()
    assert html.count("60</td>") + html.count("&lt;60") >= len(small)
    for name in small:
        row = html[html.index(f">{name}<") :].split("</tr>")[0]
        assert "&lt;60" in row
        assert str(sizes[name]) not in re.findall(r">([\d,.]+)<", row)
        assert not re.findall(r">[\d,.]+<", row)
    assert "60" in customers.explain_segments(strict)


def test_no_segment_of_the_check_is_of_few_customers(strict: Study) -> None:
    assert (customers.segments_kept(strict)["customers"] >= 60).all()


def test_no_band_is_of_few_customers(strict: Study) -> None:
    table, shown = churn.bands(strict), churn.publishable_bands(strict)
    small = (table["customers"] > 0) & (table["customers"] < 60)
    assert small.any()
    assert shown.loc[small].fillna(0).eq(0).all(axis=None)
    html = churn.risk(strict).as_raw_html()
    assert html.count("&lt;60") == small.sum()
    for count in table.loc[small, "customers"]:
        assert f">{count}<" not in html


def test_no_group_of_the_value_page_is_of_few_customers(strict: Study) -> None:
    for shown in (value.by_frequency, value.by_silence, value.counts, value.alive):
        assert (shown(strict)["customers"] >= 60).all()
    assert value.concentration(strict)["customers"].diff().dropna().min() * 800 >= 59


@given(st.lists(st.integers(0, 15), min_size=1, max_size=30))
def test_no_week_tells_of_few_customers_and_no_sum_between_weeks_does(customers: list[int]) -> None:
    weeks = pd.DataFrame({"customers": customers, "days": 7, "actual": customers, "expected": 1.0, "low": 0.0})
    weeks = weeks.assign(high=2.0, start=pd.date_range("2020-01-06", periods=len(weeks), freq="7D"))
    weeks = weeks.assign(total_actual=weeks["actual"].cumsum()).rename_axis("week")
    told = value.put_together(weeks, 10)
    if max(customers) < 10 and any(customers):
        assert told.empty
        return
    assert told["actual"].sum() == sum(customers)
    assert told["days"].sum() == 7 * len(customers)
    assert told["total_actual"].tolist() == told["actual"].cumsum().tolist()
    assert told["start"].iloc[0] == pd.Timestamp("2020-01-06")
    assert (told["actual"].eq(0) | told["customers"].ge(10)).all()


@pytest.fixture(scope="module")
def small(simulated_log: pd.DataFrame, make_shop: Callable[..., Any]) -> Study:
    """A shop of 60 customers, so that a tenth is six of them."""
    return Study.open("shop", root=make_shop(simulated_log[simulated_log["customer"] < "c060"]))


@pytest.mark.parametrize(
    "shown",
    [
        customers.concentration,
        value.by_tenth,
        lambda study: next(iter(churn.calibration_curves(study).values())),
    ],
    ids=["concentration", "by_tenth", "calibration"],
)
def test_no_tenth_of_a_small_shop_is_of_few_customers(shown: Callable[[Study], pd.DataFrame], small: Study) -> None:
    assert (shown(small)["customers"] >= 10).all()


@pytest.mark.parametrize(("chapter", "function"), SAYING)
def test_a_small_shop_is_told_of_in_whole_sentences_too(chapter: str, function: str, small: Study) -> None:
    text = getattr(CHAPTERS[chapter], function)(small)
    assert broken_in(text.replace("–", "-")) is None, text


@pytest.mark.parametrize("function", ["read_segments", "explain_segments", "read_segments_kept", "read_retention"])
def test_a_shop_with_no_group_large_enough_is_told_so(function: str, strict: Study) -> None:
    dataset = strict.dataset.model_copy(update={"privacy": Privacy(minimum_cell=5000)})
    nothing = Study(
        strict.name,
        dataset,
        strict.root,
        strict.data,
        as_of=strict.as_of,
        horizon_days=strict.horizon_days,
        active_within_days=strict.active_within_days,
    )
    assert getattr(customers, function)(nothing).endswith(".")


# A hole in the data


def test_weeks_without_a_line_are_not_called_whole(simulated_log: pd.DataFrame, make_shop: Callable[..., Any]) -> None:
    hole = simulated_log[~simulated_log["time"].between("2020-07-06", "2020-07-27")]
    study = Study.open("shop", root=make_shop(hole))
    assert len(health.odd_weeks(study)) == 3
    assert "3 of " in health.answer(study)


def test_a_log_of_one_week_is_told_of(make_shop: Callable[..., Any]) -> None:
    """Tuesday to Friday of the week after: no week is whole."""
    came = [(f"c{n}", f"2020-01-{day:02d}", 3.0) for n in range(30) for day in range(7 + n % 3, 18, 2 + n % 4)]
    frame = pd.DataFrame(came, columns=["customer", "time", "amount"])
    study = Study.open("shop", root=make_shop(frame[frame["time"] < "2020-01-18"]), horizon_days=3, as_of="2020-01-17")
    assert study.weekly().empty or len(study.weekly()) <= 1
    for say in (health.answer, health.read_weeks, health.read_spend, health.limits, health.meeting):
        assert broken_in(say(study)) is None


# The contract


def faulty(customers: int, lines: int) -> pd.DataFrame:
    """Ninety customers who come every ninth day, and lines of other customers whose amounts cannot be read."""
    days = pd.date_range("2020-01-06", periods=90)
    rows = [(f"c{n}", day, "5.0") for n in range(90) for day in days[n % 9 :: 9]]
    rows += [(f"odd{n % customers}", days[n % 90], "five") for n in range(lines)]
    return pd.DataFrame(rows, columns=["customer", "time", "amount"])


def test_what_concerns_few_customers_is_hidden(make_shop: Callable[..., Any]) -> None:
    few = Study.open("shop", root=make_shop(faulty(customers=9, lines=30)))
    (row,) = health.findings(few).to_dict("records")
    assert (row["label"], row["lines"], row["done"]) == ("Without an amount that can be read", "hidden", "set aside")
    assert pd.isna(row["share"])
    html = health.oddities(few).as_raw_html()
    assert "fewer than 10 customers" in html
    assert ">30<" not in html
    many = Study.open("shop", root=make_shop(faulty(customers=10, lines=30)))
    assert health.findings(many)["lines"].tolist() == [30]
    assert "fewer than" not in health.oddities(many).as_raw_html()


def test_the_page_says_where_the_lines_lie_that_were_set_aside(make_shop: Callable[..., Any]) -> None:
    study = Study.open("shop", root=make_shop(faulty(customers=20, lines=30)))
    assert "30 lines were set aside" in health.answer(study)
    assert "`data/interim/shop/quarantine.parquet`" in health.read_oddities(study)
    html = health.oddities(study).as_raw_html()
    assert "odd1" not in html
    assert ">30<" in html


@STUDIES
def test_the_findings_of_the_page_are_those_of_the_contract(study: Study) -> None:
    shown = health.findings(study)
    assert list(shown["label"]) == [finding["label"] for finding in study.findings()]
    assert shown["done"].notna().all()
    assert list(shown.columns) == ["label", "lines", "share", "money", "done"]


def test_a_thin_history_is_warned_of(make_shop: Callable[..., Any], simulated: Study) -> None:
    thin = Study.open("shop", root=make_shop(faulty(20, 0)), horizon_days=40)
    assert health.caution(thin).startswith(
        "Only 90 days are known, less than three periods of 40 days: models are tested"
    )
    assert health.caution(simulated) == ""


def test_a_store_that_fell_silent_is_told_without_small_counts(make_shop: Callable[..., Any], shop_toml: str) -> None:
    log = faulty(20, 0).assign(store=lambda f: np.where(f["customer"].str[-1] < "5", "north", "south"))
    silent = log[(log["store"] == "north") | (log["time"] < "2020-03-16") | (log["customer"] == "c5")]
    toml = shop_toml.replace('amount = "amount"', 'amount = "amount"\nstore = "store"')
    text = health.continuity(Study.open("shop", root=make_shop(silent, toml)))
    assert re.search(
        r"Store south went from \d\d to fewer than 10 customers a week from 16 March 2020, and stayed", text
    )
    assert "customers a week" not in health.continuity(Study.open("shop", root=make_shop(log, toml)))


def test_days_without_a_line_are_told(make_shop: Callable[..., Any]) -> None:
    log = faulty(20, 0)
    hole = log[~log["time"].between("2020-02-03", "2020-02-05")]
    text = health.continuity(Study.open("shop", root=make_shop(hole)))
    assert "No line came, where there usually are some, on 3 February 2020 to 5 February 2020." in text
