"""Effects where chance decided who got a campaign: known truth, a second route to each number, and bad input."""

import numpy as np
import pandas as pd
import pytest
from loyalty.errors import DataError
from loyalty.programme.differences import covariates, cuped, linearised, newcombe, welch
from loyalty.programme.randomised import means, ratios, shares
from loyalty.programme.trial import Trial, mismatch
from loyalty.sources.simulator.campaigns import COUPON, plan, run_campaigns
from loyalty.sources.simulator.chunk import Retailer
from loyalty.sources.simulator.purchases import draw_base
from loyalty.sources.simulator.settings import Simulation
from scipy import stats

PLANNED = {"treated": 0.8, "control": 0.2}


def world(seed, effect=3.0, n=2000, rho=0.8, held=0.2):
    """Customers whose spend has a long tail and goes on as it was, and a campaign that adds `effect` on average."""
    random = np.random.default_rng(seed)
    past = random.gamma(1.5, 20, n)
    noise = random.gamma(1.0, 1.0, n) - 1
    spend = 40 + rho * (past - 30) + np.sqrt(1 - rho**2) * np.sqrt(600) * noise
    treated = random.random(n) >= held
    orders = random.poisson(1 + past / 30) + 1
    return pd.DataFrame(
        {
            "customer": np.arange(n),
            "arm": np.where(treated, "treated", "control"),
            "spend": spend + treated * effect * random.exponential(1, n),
            "spend_before": past,
            "orders": orders,
            "value": orders * random.gamma(4, 5, n) + treated * effect * orders / 3,
            "returned": (random.random(n) < np.where(treated, 0.30, 0.25)).astype(int),
        }
    )


def one(found):
    """The only effect."""
    (effect,) = found.values()
    return effect


def spend(frame, **options):
    trial = Trial.of(frame, planned=options.pop("planned", PLANNED))
    return one(means(trial, "spend", what="Spend", unit="EUR a customer", **options))


# A second route to each number


def test_the_plain_difference_is_welchs():
    frame = world(1)
    groups = [frame.loc[frame["arm"] == arm, "spend"] for arm in ("treated", "control")]
    test = stats.ttest_ind(*groups, equal_var=False)
    found = spend(frame)
    assert found.found.estimate == pytest.approx(groups[0].mean() - groups[1].mean())
    assert (found.found.low, found.found.high) == pytest.approx(tuple(test.confidence_interval(0.9)))
    assert welch(*(group.to_numpy() for group in groups)).p_value == pytest.approx(test.pvalue)
    assert found.raw == found.found
    assert (found.treated, found.control) == (len(groups[0]), len(groups[1]))


def test_cuped_with_one_column_is_deng_et_al():
    """Equal groups: θ = cov(Y, X) / var(X) within them (2013, section 3), and 1 − ρ² of the variance is left."""
    random = np.random.default_rng(3)
    x, noise = random.normal(0, 2, (2, 500)), random.normal(0, 1, (2, 500))
    y = 5 + 0.7 * x + noise
    within = [np.cov(a, b) for a, b in zip(y, x, strict=True)]
    theta = (within[0] + within[1])[0, 1] / (within[0] + within[1])[1, 1]
    adjusted = cuped(y[0], y[1], x[0][:, None], x[1][:, None])
    expected = y[0].mean() - y[1].mean() - theta * (x[0].mean() - x[1].mean())
    assert adjusted[0].mean() - adjusted[1].mean() == pytest.approx(expected)
    rho2 = 0.49 * 4 / (0.49 * 4 + 1)
    ratio = welch(*adjusted).standard_error / welch(y[0], y[1]).standard_error
    assert ratio == pytest.approx(np.sqrt(1 - rho2), rel=0.05)


def test_cuped_with_several_columns_is_the_regression():
    """Groups of one size and alike: least squares of the outcome on the arm and the columns, each less its mean."""
    random = np.random.default_rng(4)
    n = 4000
    x = random.normal(0, [1, 100, 0.01], (2 * n, 3))
    arm = np.repeat([1, 0], n)
    y = 2 * arm + x @ [1.0, 0.02, 30] + random.normal(0, 1, 2 * n)
    fit, *_ = np.linalg.lstsq(np.column_stack([np.ones(2 * n), arm, x]), y, rcond=None)
    adjusted = cuped(y[:n], y[n:], x[:n], x[n:])
    assert adjusted[0].mean() - adjusted[1].mean() == pytest.approx(fit[1], abs=1e-3)


def test_cuped_never_widens_whatever_the_hold_out():
    """The past tells more of the many who are treated than of the few who are not, and the other way round."""
    random = np.random.default_rng(5)
    x = random.normal(0, 1, 1000)
    for slopes in ((3.0, -1.0), (-1.0, 3.0)):
        y = np.where(np.arange(1000) < 950, slopes[0], slopes[1]) * x + random.normal(0, 1, 1000)
        adjusted = cuped(y[:950], y[950:], x[:950, None], x[950:, None])
        assert welch(*adjusted).standard_error <= welch(y[:950], y[950:]).standard_error


def test_a_column_twice_or_constant_changes_nothing():
    frame = world(6).assign(again=lambda f: 2 * f["spend_before"], flat=1.0)
    alone = spend(frame, before=["spend_before"])
    crowded = spend(frame, before=["spend_before", "again", "flat"])
    assert crowded.found.estimate == pytest.approx(alone.found.estimate)
    assert crowded.standard_error == pytest.approx(alone.standard_error)


def test_the_delta_method_is_the_formula_and_the_bootstrap():
    """Var(R) = (var N − 2 R cov(N, D) + R² var D) / (n mean(D)²): Deng, Knoblich & Lu (2018), section 3."""
    frame = world(7)
    treated = frame[frame["arm"] == "treated"]
    n, d = treated["value"].to_numpy(), treated["orders"].to_numpy("float64")
    ratio, joint = n.sum() / d.sum(), np.cov(n, d)
    variance = (joint[0, 0] - 2 * ratio * joint[0, 1] + ratio**2 * joint[1, 1]) / (d.size * d.mean() ** 2)
    values = linearised(n, d)
    assert values.mean() == pytest.approx(ratio)
    assert values.var(ddof=1) / d.size == pytest.approx(variance)
    draws = np.random.default_rng(0).integers(0, d.size, (2000, d.size))
    assert np.sqrt(variance) == pytest.approx((n[draws].sum(axis=1) / d[draws].sum(axis=1)).std(), rel=0.06)


def test_a_ratio_is_not_the_mean_of_ratios():
    frame = world(8)
    found = one(ratios(Trial.of(frame), "value", "orders", what="Value of an order", unit="EUR an order"))
    sums = frame.groupby("arm")[["value", "orders"]].sum()
    by_hand = sums["value"] / sums["orders"]
    assert found.found.estimate == pytest.approx(by_hand["treated"] - by_hand["control"])


def test_shares_have_newcombes_interval():
    frame = world(9)
    found = one(shares(Trial.of(frame), "returned", what="Bought again"))
    counted = frame.groupby("arm")["returned"].agg(["sum", "size"])
    assert found.found == newcombe(*(tuple(map(int, counted.loc[arm])) for arm in ("treated", "control")))
    assert found.found.low < 0.05 < found.found.high


def test_newcombe_holds_where_nobody_did_it():
    """Newcombe (1998), table II, (g): 0 of 10 against 0 of 10 is −0.2775 to 0.2775 at 95 %."""
    found = newcombe((0, 10), (0, 10), level=0.95)
    assert (found.low, found.high) == pytest.approx((-0.2775, 0.2775), abs=5e-5)


# Known truth

RUNS = 400


@pytest.fixture(scope="module")
def runs():
    """Effects by each method in worlds where the campaign adds 3 a customer, 1 an order and 5 points."""
    found = {name: [] for name in ("plain", "cuped", "ratio", "share", "share with past")}
    for seed in range(RUNS):
        trial = Trial.of(world(1000 + seed, n=800), planned=PLANNED)
        past = {"before": ["spend_before"]}
        found["plain"].append(one(means(trial, "spend", what="", unit="")))
        found["cuped"].append(one(means(trial, "spend", what="", unit="", **past)))
        found["ratio"].append(one(ratios(trial, "value", "orders", what="", unit="")))
        found["share"].append(one(shares(trial, "returned", what="")))
        found["share with past"].append(one(shares(trial, "returned", what="", **past)))
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "truth"), [("plain", 3.0), ("cuped", 3.0), ("ratio", 1.0), ("share", 0.05), ("share with past", 0.05)]
)
def test_nine_intervals_in_ten_hold_the_truth(runs, name, truth):
    told = [effect for effect in runs[name] if effect.identified]
    assert len(told) >= RUNS - 4  # a thousandth of sound trials is refused for its sizes, as much for its past
    assert np.mean([effect.found.holds(truth) for effect in told]) == pytest.approx(0.9, abs=0.04)
    assert np.mean([effect.found.estimate for effect in told]) == pytest.approx(
        truth, abs=4 * np.std([effect.found.estimate for effect in told]) / np.sqrt(RUNS)
    )


@pytest.mark.slow
def test_cuped_narrows_by_the_correlation(runs):
    pairs = zip(runs["cuped"], runs["plain"], strict=True)
    narrower = np.nanmedian([a.standard_error / b.standard_error for a, b in pairs])
    frame = world(1, n=100_000)
    control = frame[frame["arm"] == "control"]
    rho = control["spend"].corr(control["spend_before"])
    assert rho == pytest.approx(0.8, abs=0.02)
    assert narrower == pytest.approx(np.sqrt(1 - rho**2), rel=0.05)


@pytest.mark.slow
def test_the_placebo_fails_one_time_in_twenty(runs):
    failed = [not effect.placebos[0].passed for effect in runs["cuped"] if effect.placebos]
    assert np.mean(failed) == pytest.approx(0.05, abs=0.02)


@pytest.mark.slow
def test_without_an_effect_one_interval_in_ten_leaves_out_zero():
    found = [spend(world(5000 + seed, effect=0.0, n=600), before=["spend_before"]) for seed in range(RUNS)]
    assert np.mean([effect.clear for effect in found if effect.identified]) == pytest.approx(0.1, abs=0.04)


@pytest.mark.slow
def test_campaigns_of_a_simulated_retailer_are_read_rightly():
    """200 retailers of 10,000 customers, most of them not yet there; lift and dip of the first campaign together."""
    held = {"plain": [], "cuped": []}
    for seed in range(200):
        settings = Simulation.checked(customers=10_000, days=110, seed=seed, campaign_every=60)
        base = draw_base(settings, Retailer.of(settings).season, 0)
        orders, (told,) = run_campaigns(base)
        start, n = plan(settings)[0].start, base.customers.rate.size
        paid = np.where(orders.prevented, 0.0, orders.value * (1 - COUPON * (orders.coupon > 0)))
        spans = {"spend": (start + 1, start + 1 + 2 * settings.lift_days), "past": (0, start)}
        inside = {name: (orders.day >= first) & (orders.day < last) for name, (first, last) in spans.items()}
        sums = {name: np.bincount(orders.customer[rows], paid[rows], n)[told.customer] for name, rows in inside.items()}
        arm = np.where(told.treated, "treated", "control")
        trial = Trial.of(pd.DataFrame({"customer": told.customer, "arm": arm, **sums}), planned=PLANNED)
        for name, before in (("plain", []), ("cuped", ["past"])):
            effect = one(means(trial, "spend", what="", unit="", before=before))
            held[name] += [effect.found.holds(told.expected_spend.mean())] if effect.identified else []
    assert {name: np.mean(each) for name, each in held.items()} == pytest.approx({"plain": 0.9, "cuped": 0.9}, abs=0.04)


def test_sound_sizes_are_rarely_refused_and_lost_customers_nearly_always():
    random = np.random.default_rng(10)

    def chance(control_share):
        held = random.binomial(10_000, control_share, 1000)
        return np.array([stats.chisquare([10_000 - h, h], [8000, 2000]).pvalue for h in held])

    assert (chance(0.2) < 0.001).mean() <= 0.005
    assert (chance(0.18) < 0.001).mean() >= 0.9
    held = int(random.binomial(10_000, 0.18))
    arms = np.repeat(["treated", "control"], [10_000 - held, held])
    trial = Trial.of(pd.DataFrame({"customer": range(10_000), "arm": arms}), planned=PLANNED)
    assert mismatch(trial) == pytest.approx(stats.chisquare([10_000 - held, held], [8000, 2000]).pvalue)


def test_the_order_of_the_rows_changes_nothing():
    frame = world(11, n=500)
    shuffled = frame.sample(frac=1, random_state=1)
    assert spend(frame, before=["spend_before"]) == spend(shuffled, before=["spend_before"])


# What else is told


def test_an_extreme_customer_is_told_and_not_hidden():
    frame = world(12)
    frame.loc[frame.index[frame["arm"] == "treated"][0], "spend"] = 1e6
    found = spend(frame)
    assert found.found.estimate > 500
    assert any("held in, the plain difference is" in note for note in found.notes)
    winsorised = next(note for note in found.notes if "held in" in note)
    assert abs(float(winsorised.split("difference is ")[1].split(" ")[0])) < 10


def test_the_note_on_the_relative_size_is_of_the_control_group():
    frame = world(13)
    level = frame.loc[frame["arm"] == "control", "spend"].mean()
    found = spend(frame)
    assert f"{100 * found.found.estimate / level:+.1f} % of it" in " ".join(found.notes)


def test_unknown_plans_are_told():
    assert "could not be checked" in spend(world(14), planned=None).notes[0]


def test_new_customers_without_a_past_are_kept():
    frame = world(15)
    frame.loc[frame["customer"] % 4 == 0, "spend_before"] = np.nan
    found, plain = spend(frame, before=["spend_before"]), spend(frame)
    assert (found.treated, found.control) == (plain.treated, plain.control)
    assert found.standard_error < 0.9 * plain.standard_error
    assert any(note.startswith("500 customers lack a part of their past") for note in found.notes)


@pytest.mark.parametrize("before", [[], ["spend_before"]])
def test_without_any_past_the_difference_is_plain_and_says_so(before):
    frame = world(16).assign(spend_before=np.nan)
    found = spend(frame, before=before)
    assert found.found == found.raw == spend(frame).found
    assert "the difference is the plain one" in " ".join(found.notes)


def test_a_small_hold_out_is_not_fitted_with_many_columns():
    x = np.random.default_rng(1).normal(0, 1, (100, 12))
    assert covariates(x, 3).shape == (100, 3)


def test_several_arms_are_each_held_against_the_control_group_and_counted():
    frame = world(17, n=3000)
    voucher = (frame["arm"] == "treated") & (frame["customer"] % 2 == 0)
    frame.loc[voucher, "arm"] = "voucher"
    frame.loc[voucher, "spend"] += 20
    found = means(Trial.of(frame), "spend", what="Spend", unit="EUR")
    assert list(found) == ["treated", "voucher"]
    assert found["voucher"].found.estimate - found["treated"].found.estimate == pytest.approx(20, abs=3)
    assert found["voucher"].control == found["treated"].control == (frame["arm"] == "control").sum()
    assert all("One of 2 arms against one control group" in effect.notes[-1] for effect in found.values())


def test_an_experiment_whose_past_differs_is_refused():
    """Who was held out spent more before: chance did not choose them."""
    frame = world(18)
    frame.loc[frame["arm"] == "control", "spend_before"] += 20
    found = spend(frame, before=["spend_before"])
    assert not found.identified
    assert "Chance did not decide alone" in found.refusals[0]
    assert found.raw is None
    assert not found.placebos[0].passed


# Refusals


def test_lost_customers_are_refused_with_the_sizes():
    frame = world(19)
    lost = frame.index[frame["arm"] == "control"][:120]
    found = spend(frame.drop(lost))
    assert not found.identified
    assert "control 20.0 % planned" in found.refusals[0]
    assert np.isnan(found.found.estimate)
    assert found.raw is None


@pytest.mark.parametrize(
    ("arm", "reason"),
    [("treated", "Nobody was held out"), ("control", "Nobody was sent anything")],
)
def test_one_arm_alone_is_no_comparison(arm, reason):
    found = spend(world(20).assign(arm=arm), planned=None)
    assert found.refusals[0].startswith(reason)
    assert found.treated + found.control == 2000


def test_a_small_arm_is_refused():
    frame = world(21)
    few = frame.index[frame["arm"] == "control"][29:]
    assert "An arm has 29 customers" in spend(frame.drop(few), planned=None).refusals[0]
    assert spend(frame.drop(few[1:]), planned=None).identified


def test_an_outcome_that_is_the_same_for_all_is_refused():
    assert "the same for all" in spend(world(22).assign(spend=0.0)).refusals[0]
    nobody = one(shares(Trial.of(world(22).assign(returned=0)), "returned", what=""))
    assert "the same for all" in nobody.refusals[0]


def test_a_ratio_that_is_the_same_for_all_is_refused():
    """Every order is worth 0.1: the ratio differs between customers by its last digits only."""
    frame = world(22).assign(value=lambda f: 0.1 * f["orders"])
    found = one(ratios(Trial.of(frame), "value", "orders", what="", unit=""))
    assert "the same for all" in found.refusals[0]


def test_a_past_that_tells_everything_is_not_used():
    frame = world(22).assign(spend_before=lambda f: f["spend"] / 3)
    found = spend(frame, before=["spend_before"])
    assert found.found == found.raw
    assert any("without error, so it is not used" in note for note in found.notes)


def test_a_ratio_without_a_denominator_is_refused():
    frame = world(23)
    frame.loc[frame["arm"] == "control", "orders"] = 0
    found = one(ratios(Trial.of(frame), "value", "orders", what="", unit=""))
    assert found.refusals == ("An arm has no orders at all: there is no ratio.",)


def test_an_arm_that_nobody_is_in_does_not_spoil_the_others():
    frame = world(24)
    trial = Trial.of(frame, planned={"control": 0.2, "treated": 0.7, "letter": 0.1})
    assert "letter 10.0 % planned, 0.0 % found" in means(trial, "spend", what="", unit="")["letter"].refusals[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: pd.concat([f, f.head(3).assign(arm="other")]), "3 of them are in more than one arm"),
        (lambda f: pd.concat([f, f.head(2)]), "2 rows too many; expected one row a customer"),
        (lambda f: f.assign(arm=f["arm"].where(f["customer"] > 4)), "5 rows without customer or arm"),
        (lambda f: f.drop(columns="arm"), r"\['arm'\] missing"),
    ],
)
def test_rows_that_are_no_trial_are_told(change, message):
    with pytest.raises(DataError, match=message):
        Trial.of(change(world(25)))


@pytest.mark.parametrize(
    ("planned", "message"),
    [
        ({"treated": 1.0}, "expected one of 'control', found treated"),
        ({"treated": 0.9, "control": 0.2}, "shares above 0 that add up to 1"),
        ({"mail": 0.8, "control": 0.2}, r"the arms \['treated'\] are in the data and not in the plan"),
    ],
)
def test_plans_that_are_none_are_told(planned, message):
    with pytest.raises(DataError, match=message):
        Trial.of(world(26), planned=planned)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"spend": np.nan}, "spend: 2,000 customers without a number; who did nothing has 0"),
        ({"spend": np.inf}, "spend: 2,000 customers without a number"),
    ],
)
def test_outcomes_that_are_none_are_told(change, message):
    with pytest.raises(DataError, match=message):
        spend(world(27).assign(**change))


def test_a_share_of_two_and_a_missing_column_are_told():
    trial = Trial.of(world(28).assign(returned=2))
    with pytest.raises(DataError, match="returned: expected 0 or 1 for each customer, found 2"):
        shares(trial, "returned", what="")
    with pytest.raises(DataError, match="column 'profit' is missing"):
        means(trial, "profit", what="", unit="")
