"""`loyalty design`: how large a campaign must be, from the retailer's own past."""

import json
import re
import sys
import tomllib
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from loyalty import cli, designs
from loyalty.designs import desk
from loyalty.errors import SettingsError
from loyalty.programme.registry import registered
from loyalty.study import Study
from scipy import stats


@pytest.fixture(scope="module")
def root(make_shop, simulated_log, shop_toml):
    return make_shop(simulated_log, shop_toml)


@pytest.fixture(scope="module")
def study(root):
    return Study.open("shop", root=root, horizon_days=30)


@pytest.fixture(scope="module", autouse=True)
def measured_once():
    """Each metric of each study is measured once in this file: every call below asks the same past."""
    measure, kept = designs._variations, {}

    def once(study, metric):
        if (study.key, metric) not in kept:
            kept[study.key, metric] = measure(study, metric)
        return kept[study.key, metric]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(designs, "_variations", once)
        yield


@pytest.fixture
def run(root, monkeypatch, capsys):
    """Run the command; return exit code, standard output and standard error."""

    def call(*arguments):
        monkeypatch.setenv("LOYALTY_ROOT", str(root))
        monkeypatch.setenv("COLUMNS", "300")
        monkeypatch.setattr(sys, "argv", ["loyalty", "design", "shop", "--days", "30", *arguments])
        with pytest.raises(SystemExit, match=r"^\d+$") as left:
            cli.main()
        out, err = capsys.readouterr()
        return int(str(left.value.code)), out, err

    return call


@pytest.fixture(scope="module")
def by_hand(study, simulated_log):
    """What customers active at the past dates spent in the 30 days before and after, by pandas."""
    days = simulated_log.assign(day=simulated_log["time"].dt.normalize())
    seen = []
    for date in study.origins()[:3]:
        start = pd.Timestamp(date)
        since, before = (days["day"] - start).dt.days, (start - days["day"]).dt.days
        active = days.loc[(before > 0) & (before <= 40), "customer"].unique()
        came = days[(since >= 0) & (since < 30)].groupby("customer")["amount"].sum()
        past = days[(before > 0) & (before <= 90)].groupby("customer")["amount"].sum()
        seen.append((came.reindex(active, fill_value=0.0), past.reindex(active, fill_value=0.0)))
    return seen


def test_the_variation_is_the_retailers_own(study, by_hand):
    found = desk(study).variation
    assert found.mean == pytest.approx(np.mean([came.mean() for came, _ in by_hand]))
    assert found.standard_deviation == pytest.approx(np.sqrt(np.mean([came.var() for came, _ in by_hand])))
    assert found.buyers == pytest.approx(np.mean([(came > 0).mean() for came, _ in by_hand]))
    at_least = np.mean([came.corr(past) for came, past in by_hand])
    assert found.covariate.startswith("spend_")
    assert found.correlation >= at_least - 1e-9


def test_the_customers_are_those_active_now(study, simulated_log):
    age = (pd.Timestamp(study.known_until) - simulated_log["time"].dt.normalize()).dt.days
    assert desk(study).customers == simulated_log.loc[(age > 0) & (age <= 40), "customer"].nunique()


def test_the_least_effect_is_the_textbooks(study):
    found = desk(study, hold_out=0.5, customers=10_000)
    z = stats.norm.ppf(0.95) + stats.norm.ppf(0.8)
    by_formula = z * found.variation.standard_deviation * np.sqrt(2 / 5000)
    assert found.least(cuped=False) == pytest.approx(by_formula)
    assert found.least() == pytest.approx(by_formula * np.sqrt(1 - found.variation.correlation**2))


def test_longer_periods_are_measured_and_not_scaled(study):
    durations = desk(study).durations().set_index("days")["mean"]
    assert {15, 30, 45, 60} <= set(durations.index)
    assert durations.is_monotonic_increasing
    assert durations[60] < 2 * durations[30]  # customers leave, and those who stay buy less and less


def test_a_share_of_the_mean_is_the_same_as_its_amount(study):
    relative = desk(study, effect="20%")
    amount = desk(study, effect=f"{0.2 * relative.variation.mean!r}")
    assert relative.effect == pytest.approx(0.2 * relative.variation.mean)
    assert relative.needed() == amount.needed()


def test_the_hold_out_is_no_larger_than_the_effect_asks_for(study):
    found = desk(study, effect="20%", customers=5000)
    assert found.chance() >= 0.8
    assert found.plan.hold_out == pytest.approx(found.hold_out_needed(), abs=0.01)
    assert found.plan.hold_out < 0.5


def test_it_prints_tables_and_plain_words(run):
    code, out, err = run("--minimum-effect", "20%", "--hold-out", "0.2", "--customers", "5000")
    assert (code, err) == (0, "")
    for text in ("Held out", "with CUPED", "Chance that an effect shows", "Days", "1,000 of 5,000", "80 of 100"):
        assert text in out
    assert "nan" not in out
    shown = [float(each) for each in re.findall(r"shows with a chance of ([\d.]+) %", out)]
    assert len(shown) >= 1


@pytest.mark.parametrize("metric", ["spend", "repurchase", "orders"])
def test_json_holds_all_of_it(run, study, metric):
    code, out, _ = run("--metric", metric, "--minimum-effect", "5%", "--hold-out", "0.3", "--json")
    assert code == 0
    told = json.loads(out, parse_constant=lambda constant: pytest.fail(constant))
    found = desk(study, metric, effect="5%", hold_out=0.3)
    assert told["least_effect"]["cuped"] == pytest.approx(found.least())
    assert told["customers_needed"]["plain"] == found.needed(cuped=False)
    assert told["currency"] == ("EUR" if metric == "spend" else None)
    assert told["registered"] is None
    assert len(told["power_curve"]) >= 3
    assert [row["hold_out"] for row in told["by_hold_out"]] == found.hold_outs()["hold_out"].tolist()


def test_a_campaign_is_registered_once(run, root, study):
    arguments = ["--minimum-effect", "5%", "--hold-out", "0.2", "--starts", "2031-03-01", "--register", "spring"]
    code, out, _ = run(*arguments)
    assert code == 0
    assert "Registered: data/registered/shop/spring.toml" in out
    file = root / "data/registered/shop/spring.toml"
    written = file.read_bytes()
    there = registered("spring", "shop", root)
    found = desk(study, effect="5%", hold_out=0.2)
    assert (there.metric, there.days, there.hold_out, there.customers) == ("spend", 30, 0.2, found.customers)
    assert (there.minimum_effect, there.covariate) == (found.effect, found.variation.covariate)
    assert there.read_on == there.starts + timedelta(days=30)
    assert run(*arguments)[0] == 0
    code, _, err = run("--minimum-effect", "9%", *arguments[2:])
    assert code == 2
    assert "data/registered/shop/spring.toml: registered on" in err
    assert err.count("\n") == 1
    assert file.read_bytes() == written
    assert tomllib.loads(written.decode())["campaign"] == "spring"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--metric", "profit"], "--metric: expected spend, orders, repurchase, found 'profit'"),
        (["--minimum-effect", "much"], "--minimum-effect: expected a number above 0"),
        (["--minimum-effect", "-5%"], "--minimum-effect: expected a number above 0"),
        (["--metric", "repurchase", "--minimum-effect", "5"], "points more are over 100 %"),
        (["--hold-out", "20"], "--hold-out: expected a share between 0 and 1, such as 0.2, found 20"),
        (["--power", "1"], "--power: expected a share from 0.5"),
        (["--customers", "10"], "--customers: expected at least 60"),
        (["--arms", "0"], "--arms: expected 1 or more"),
        (["--register", "spring"], "--register: expected --minimum-effect beside it"),
        (["--minimum-effect", "5%", "--register", "../x"], "expected a name of at most 80 letters"),
        (["--minimum-effect", "5%", "--register", "x", "--starts", "soon"], "expected YYYY-MM-DD"),
        (["--minimum-effect", "5%", "--register", "x", "--arms", "2"], "--register: expected one arm"),
    ],
)
def test_wrong_calls_are_told_on_one_line(run, root, arguments, complaint):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert complaint in err
    assert err.count("\n") == 1
    assert not (root / "data/registered/shop/x.toml").exists()


def test_a_metric_is_checked_before_anything_is_computed():
    with pytest.raises(SettingsError, match="--metric"):
        desk(None, "profit")
