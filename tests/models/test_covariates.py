"""Covariates: recovery of known effects, the likelihood by another route, and what the columns may hold."""

import warnings
from datetime import date

import mpmath as mp
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loyalty.errors import ConvergenceWarning, DataError, SettingsError
from loyalty.features import build
from loyalty.features.columns import Window
from loyalty.models import beta_geometric, pareto_forecasts
from loyalty.models.bgnbd import BGNBD
from loyalty.models.clv import customer_lifetime_value_interval
from loyalty.models.covariate_columns import MISSING, learn
from loyalty.models.covariate_likelihood import Effects, ProfiledHistories, link_of, weighted_log_likelihood
from loyalty.models.covariates import WithCovariates, join_covariates
from loyalty.models.gamma_gamma import GammaGamma
from loyalty.models.mbgnbd import MBGNBD
from loyalty.models.nbd import NBD
from loyalty.models.pareto_nbd import ParetoNBD
from loyalty.models.predictions import discounted_residual_purchases, next_purchase_days, predict
from loyalty.models.validation import read_histories
from scipy.stats import chi2
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

MODELS = [BGNBD, MBGNBD, ParetoNBD]
TRUTH = {BGNBD: (0.9, 40.0, 1.0, 3.0), MBGNBD: (0.9, 40.0, 0.6, 3.0), ParetoNBD: (0.9, 40.0, 0.8, 150.0)}
AGE, WEB_BUYS, WEB_LEAVES = 1.03, 1.6, 2.0
"""Factors of the simulated customers: of a year of age and of the web on purchases, of the web on dropout."""
FACTORS = {"purchase:age": AGE, "purchase:channel=web": WEB_BUYS, "dropout:channel=web": WEB_LEAVES}
COVARIATES = {"purchase": ("age", "channel"), "dropout": ("channel",)}


def simulate(kind, n, seed, horizon=0.0):
    """Return customers of 20 to 60 years, of whom a third come from the web."""
    rng = np.random.default_rng(seed)
    age, web, T = rng.integers(20, 61, n), rng.random(n) < 1 / 3, rng.integers(60, 600, n)
    one, scale, shape, other = TRUTH[kind]
    scale = scale / (AGE ** (age - 40.0) * np.where(web, WEB_BUYS, 1))
    leaves = np.where(web, WEB_LEAVES, 1)
    if kind is ParetoNBD:
        people = pareto_forecasts.simulate_histories(one, scale, shape, other / leaves, T, seed=rng, horizon=horizon)
    else:
        people = beta_geometric.simulate_histories(
            one, scale, shape * leaves, other, T, seed=rng, horizon=horizon, first=kind._first
        )
    return people.assign(age=age, channel=np.where(web, "web", "till"))


@pytest.fixture(scope="module", params=MODELS, ids=lambda kind: kind.__name__)
def known(request):
    """Customers whose truth is known, and the model that was fitted to them."""
    people = simulate(request.param, 6000, 11, horizon=180)
    return request.param, people, WithCovariates(request.param(), **COVARIATES).fit(people)


@pytest.fixture(scope="module")
def small():
    """BG/NBD customers at the grain of days, and the model that was fitted to them."""
    people = simulate(BGNBD, 1500, 5)
    people["recency"] = np.ceil(people["recency"])
    return people, WithCovariates(BGNBD(), **COVARIATES).fit(people)


# Estimates --------------------------------------------------------------------------------------------------


def truth_of(kind, people):
    """Return parameters and factors of the reference, who is of the mean age: those above are of 40 years."""
    truth = pd.Series(dict(zip(kind._names, TRUTH[kind], strict=True)) | FACTORS)
    truth["alpha"] /= AGE ** (people["age"].mean() - 40)
    return truth


def test_known_effects_are_found(known):
    kind, people, model = known
    table, names = model.summary(), list(model.model._names)
    assert list(model.params_.index) == [*names, *FACTORS]
    truth = truth_of(kind, people)
    error = np.log(table["estimate"] / truth) * table["estimate"] / table["standard_error"]
    assert (error.abs() < 3.5).all(), error
    assert model.converged_
    assert model.reference_.to_dict() == {"age": pytest.approx(people["age"].mean()), "channel": "till"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", MODELS)
def test_intervals_cover_the_truth(kind):
    """200 data sets: 90 % intervals of each parameter and factor, and of all purchases to come, cover 90 ± 4 %.

    400 of each model gave 88 to 92 % for every parameter and factor, and 89 to 91 % for the purchases.
    """
    covered, held = [], []
    for seed in range(200):
        people = simulate(kind, 1500, 3000 + seed, horizon=90)
        model = WithCovariates(kind(), **COVARIATES).fit(people)
        table, truth = model.summary(), truth_of(kind, people)
        covered.append((table["low_90"] < truth) & (truth < table["high_90"]))
        # Of the 100 gaps around 99 draws, 90 lie between the 5th and the 95th.
        draws = model.sample_purchases(people, horizon_days=90, draws=99, seed=seed)
        low, high = np.sort([counts.sum() for counts in draws])[[4, 94]]
        held.append(low <= people["future"].sum() <= high)
    share = pd.DataFrame(covered).mean()
    assert share.between(0.86, 0.94).all(), share
    assert np.mean(held) == pytest.approx(0.9, abs=0.04)


@pytest.mark.parametrize("kind", MODELS)
def test_without_covariates_it_is_the_model(kind):
    people = simulate(kind, 800, 2)
    plain, empty = kind(time_unit="weeks").fit(people), WithCovariates(kind(time_unit="weeks")).fit(people)
    assert empty.log_likelihood_ == pytest.approx(plain.log_likelihood_, rel=1e-12)
    pd.testing.assert_frame_equal(empty.summary(), plain.summary(), rtol=1e-6)
    assert empty.describe() == plain.describe()
    np.testing.assert_allclose(
        empty.probability_of_no_purchase(people, horizon_days=60),
        plain.probability_of_no_purchase(people, horizon_days=60),
        rtol=1e-6,
    )


def test_a_real_covariate_raises_the_likelihood_and_noise_does_not(known):
    kind, people, model = known
    noisy = people.assign(noise=np.random.default_rng(4).normal(size=len(people)))
    more = WithCovariates(kind(), purchase=("age", "channel", "noise"), dropout=("channel", "noise")).fit(noisy)
    less = WithCovariates(kind(), purchase=("age", "channel")).fit(people)
    assert 2 * (more.log_likelihood_ - model.log_likelihood_) < chi2.ppf(0.999, 2)
    assert 2 * (model.log_likelihood_ - less.log_likelihood_) > chi2.ppf(0.999999, 1)
    assert more.bic_ > model.bic_ < less.bic_


@pytest.mark.parametrize(("unit", "shift"), [(12.0, 0.0), (1e9, 0.0), (1e-2, 3.0)])
def test_another_unit_of_a_covariate_changes_its_factor_alone(small, unit, shift):
    people, model = small
    other = people.assign(age=people["age"] * unit + shift)
    again = WithCovariates(BGNBD(), **COVARIATES).fit(other)
    assert again.log_likelihood_ == pytest.approx(model.log_likelihood_, rel=1e-10)
    expected = model.params_.copy()
    expected["purchase:age"] **= 1 / unit
    np.testing.assert_allclose(again.params_, expected, rtol=1e-5)
    spread = model.standard_errors_ / model.params_
    spread["purchase:age"] /= unit
    np.testing.assert_allclose(again.standard_errors_ / again.params_, spread, rtol=1e-5)
    # Draws, too: their spread along the factor is neither lost nor blown up.
    drawn = np.log(again.sample_parameters(4000, seed=1)).std() / spread
    np.testing.assert_allclose(drawn, 1, atol=0.05)
    np.testing.assert_allclose(
        again.expected_purchases(other, horizon_days=90), model.expected_purchases(people, horizon_days=90), rtol=1e-5
    )


def test_weights_are_repeated_rows_and_weeks_change_scales_alone(small):
    people, model = small
    part = people.head(300)
    weight = np.random.default_rng(1).integers(1, 5, len(part))
    repeated = WithCovariates(BGNBD(), **COVARIATES).fit(part.loc[part.index.repeat(weight)])
    weighted = WithCovariates(BGNBD(), **COVARIATES).fit(part.assign(weight=weight))
    np.testing.assert_allclose(weighted.params_, repeated.params_, rtol=1e-7)
    np.testing.assert_allclose(weighted.standard_errors_, repeated.standard_errors_, rtol=1e-5)
    assert weighted.reference_["age"] == pytest.approx(repeated.reference_["age"])
    weeks = WithCovariates(BGNBD(time_unit="weeks"), **COVARIATES).fit(people)
    np.testing.assert_allclose(weeks.params_ * [1, 7, 1, 1, 1, 1, 1], model.params_, rtol=1e-6)
    np.testing.assert_allclose(
        weeks.expected_purchases(people, horizon_days=91), model.expected_purchases(people, horizon_days=91), rtol=1e-6
    )


# Likelihood and gradient ------------------------------------------------------------------------------------


def exact_bg(r, alpha, a, b, x, t_x, T, first):
    """Rate integrated out by hand, dropout by its beta moments."""
    chances, gammas = x + first, mp.gamma(r + x) * alpha**r / mp.gamma(r)
    stays = mp.beta(a, b + chances) / mp.beta(a, b) * gammas / (alpha + T) ** (r + x)
    left = mp.beta(a + 1, b + chances - 1) / mp.beta(a, b) * gammas / (alpha + t_x) ** (r + x) if chances else 0
    return mp.log(stays + left)


def exact_pareto(r, alpha, s, beta, x, t_x, T, first):
    """Active at T, or left at a time in between, integrated."""
    gammas = mp.gamma(r + x) * alpha**r / mp.gamma(r)
    active = gammas / (alpha + T) ** (r + x) * (beta / (beta + T)) ** s
    left = mp.quad(lambda u: (alpha + u) ** -(r + x) * s * beta**s / (beta + u) ** (s + 1), [t_x, (t_x + T) / 2, T])
    return mp.log(active + gammas * left)


@pytest.mark.parametrize("kind", MODELS)
def test_likelihood_and_gradient_against_high_precision(kind):
    """Sum over weighted customers, with the parameters of each written out as in the note."""
    rows = [(0, 0, 30, 1.0, 0.5), (2, 11, 40, 2.0, -1.25), (5, 35, 35, 3.0, 2.0), (1, 3, 90, 1.0, 0.5)]
    people = pd.DataFrame(rows, columns=["frequency", "recency", "T", "weight", "z"])
    scale, model = 1.5, kind()
    h = ProfiledHistories.of(read_histories(people), people[["z"]].to_numpy())
    effects = Effects.of(link_of(model), [0], [0])
    objective = weighted_log_likelihood(h, link_of(model), effects, np.full(2, scale))
    point = np.array([0.7, 9.0, 0.8, 12.0, 1.4, 0.6])

    def exact(p):
        r, alpha, one, other, buys, leaves = p
        total = mp.mpf(0)
        for x, t_x, T, weight, z in rows:
            steps = mp.mpf(z) / scale
            dropout = (one, other / leaves**steps) if kind is ParetoNBD else (one * leaves**steps, other)
            first = getattr(kind, "_first", 0)
            likelihood = exact_pareto if kind is ParetoNBD else exact_bg
            total += weight * likelihood(r, alpha / buys**steps, *dropout, x, mp.mpf(t_x), mp.mpf(T), first)
        return total

    value, gradient = objective(point)
    with mp.workdps(30):
        exactly = [mp.mpf(str(each)) for each in point]
        assert value == pytest.approx(float(exact(exactly)), rel=1e-10)
        for i in range(point.size):
            step = [mp.mpf(0)] * point.size
            step[i] = mp.mpf(10) ** -8
            up, down = ([p + sign * s for p, s in zip(exactly, step, strict=True)] for sign in (1, -1))
            assert gradient[i] == pytest.approx(float((exact(up) - exact(down)) / (2 * step[i])), rel=1e-7)


@pytest.mark.parametrize("kind", MODELS)
def test_the_search_may_try_absurd_factors(kind):
    """Value and gradient stay finite where a factor per standard deviation meets a customer 200 of them away."""
    people = pd.DataFrame({"frequency": [0, 3], "recency": [0, 20], "T": 40, "z": [-200.0, 200.0]})
    h = ProfiledHistories.of(read_histories(people), people[["z"]].to_numpy())
    effects = Effects.of(link_of(kind()), [0], [0])
    objective = weighted_log_likelihood(h, link_of(kind()), effects, np.ones(2))
    for factor in (1e-8, 1e9):
        value, gradient = objective(np.array([0.7, 9.0, 0.8, 12.0, factor, factor]))
        assert np.isfinite([value, *gradient]).all()


# Predictions ------------------------------------------------------------------------------------------------


def test_predictions_by_group_against_what_came(known):
    """Of each channel and age, purchases and silence to come average to the prediction."""
    _, people, model = known
    predicted = pd.DataFrame(
        {
            "future": model.expected_purchases(people, horizon_days=180),
            "none": model.probability_of_no_purchase(people, horizon_days=180),
            "alive": model.probability_alive(people),
        }
    )
    came = people[["future", "alive"]].astype(float).assign(none=people["future"] == 0)
    error = came.astype(float)[list(predicted)] - predicted
    groups = error.groupby([people["channel"], people["age"] // 14])
    assert groups.ngroups == 8
    assert (groups.mean().abs() < 4 * groups.std() / np.sqrt(groups.count())).all(axis=None)


def test_equal_histories_with_other_covariates_get_other_predictions(known):
    """As from a model with that customer's own parameters, in every prediction that there is."""
    _, _, model = known
    three = pd.DataFrame(
        {"frequency": 2, "recency": 100, "T": 160, "age": [25, 25, 55], "channel": ["web", "till", "web"]}
    )
    asks = [
        lambda m, h: m.probability_alive(h),
        lambda m, h: m.expected_purchases(h, horizon_days=90),
        lambda m, h: m.probability_of_no_purchase(h, horizon_days=90),
        lambda m, h: m.probability_of_no_purchase_if_active(h, horizon_days=90),
        lambda m, h: m.purchase_distribution(h, horizon_days=90, n=3),
        lambda m, h: m.discounted_expected_purchases(h, horizon_days=90, annual_discount_rate=0.1),
        lambda m, h: next_purchase_days(m, h),
        lambda m, h: discounted_residual_purchases(m, h, annual_discount_rate=0.1),
    ]
    for ask in asks:
        got = ask(model, three)
        assert len(np.unique(got.reshape(3, -1)[:, -1])) == 3
        for i, row in three.iterrows():
            plain = model.at(row[["age", "channel"]].to_dict())
            np.testing.assert_allclose(got[i], ask(plain, three.iloc[[i]])[0], rtol=1e-9)


def test_draws_and_intervals_know_the_covariates(known):
    _, _, model = known
    two = pd.DataFrame({"frequency": 2, "recency": 150, "T": 160, "age": [25, 55], "channel": "till"})
    drawn = np.stack(list(model.sample_purchases(two, horizon_days=365, draws=3000, seed=1)))
    expected = model.expected_purchases(two, horizon_days=365)
    assert (np.abs(drawn.mean(axis=0) - expected) < 5 * drawn.std(axis=0) / np.sqrt(3000) + 0.03 * expected).all()
    table = predict(model, two, horizon_days=365, draws=20, seed=1)
    np.testing.assert_allclose(table["expected_purchases"], expected)
    # While active, the older customer buys more often.
    assert (np.diff(table[["next_purchase_days", "next_purchase_days_low"]], axis=0) < 0).all()
    again = predict(model, two.iloc[::-1], horizon_days=365, draws=2, seed=1)
    np.testing.assert_allclose(again["expected_purchases"], expected[::-1])


def test_lifetime_value_of_customers_with_covariates(small):
    """Unlike channels with equal histories and spend differ in value; the interval holds the total."""
    people, model = small
    spend = GammaGamma().fit(people.assign(monetary_value=np.random.default_rng(2).gamma(6, 5, len(people))))
    two = pd.DataFrame({"channel": ["till", "web"] * 100, "frequency": 3, "recency": 200, "T": 230, "age": 40})
    two["monetary_value"] = 30.0
    found = customer_lifetime_value_interval(
        model, spend, two, horizon_days=365, margin=0.3, annual_discount_rate=0.1, draws=100, seed=3
    )
    assert found.total.loc["clv", "low"] < found.total.loc["clv", "mean"] < found.total.loc["clv", "high"]
    by_channel = model.expected_purchases(two, horizon_days=365)
    assert found.total.loc["expected_purchases", "mean"] == pytest.approx(by_channel.sum(), rel=0.1)


def test_new_customers(known):
    """As simulated with the customer's parameters; without covariates the reference, whom `at` gives too."""
    kind, _, model = known
    who = {"age": 50, "channel": "web"}
    plain = model.at(who)
    expected = model.expected_purchases_of_new_customer([30, 365], who)
    if kind is ParetoNBD:
        people = pareto_forecasts.simulate_histories(*plain.params_, [365.0] * 100_000, seed=3)
    else:
        people = beta_geometric.simulate_histories(*plain.params_, [365.0] * 100_000, seed=3, first=kind._first)
    bought = people["frequency"]
    assert expected[1] == pytest.approx(bought.mean(), abs=4 * bought.std() / np.sqrt(len(bought)))
    shares = model.new_customer_distribution(365, 2, who)
    np.testing.assert_allclose(shares, [(bought == j).mean() for j in range(3)], atol=0.007)
    reference = model.at()
    np.testing.assert_allclose(reference.params_, model.params_.iloc[:4], rtol=1e-12)
    np.testing.assert_allclose(
        model.expected_purchases_of_new_customer(365), reference.expected_purchases_of_new_customer(365)
    )
    rate, older = (model.at({"age": age}).params_ for age in (40, 41))
    assert rate["alpha"] / older["alpha"] == pytest.approx(model.params_["purchase:age"])


def test_description(known):
    kind, people, model = known
    text = model.describe()
    assert text.startswith(model.at().describe())
    assert f"That is of customers with age = {people['age'].mean():.4g}, channel = till." in text
    row = model.summary().loc["dropout:channel=web"]
    what = "rate of leaving" if kind is ParetoNBD else "odds of leaving after a purchase"
    interval = f"({row['low_90']:.3g} to {row['high_90']:.3g})"
    assert f"channel = web multiplies the {what} by {row['estimate']:.3g} {interval}." in text
    assert "Each unit of age multiplies the rate of purchase by 1.03 (1.0" in text


def test_it_is_an_estimator_like_others(small):
    people, model = small
    copy = clone(model).set_params(model__time_unit="weeks", purchase=("age",))
    assert (copy.model.time_unit, copy.purchase, copy.dropout) == ("weeks", ("age",), ("channel",))
    assert model.model.time_unit == "days"
    assert model.history_columns == ("frequency", "recency", "T", "age", "channel")
    with pytest.raises(NotFittedError, match="not fitted yet"):
        copy.expected_purchases(people, horizon_days=9)
    with pytest.raises(NotFittedError, match="not fitted yet"):
        copy.at({"age": 40})
    known = model.with_parameters(model.params_ * [1, 1, 1, 1, 1, 1, 3])
    left = people[people["frequency"] > 0]
    assert (known.probability_alive(left) <= model.probability_alive(left) + 1e-12).all()


# Columns ----------------------------------------------------------------------------------------------------


@given(
    levels=st.lists(st.sampled_from(["till", "web", "app", None, True, 7]), min_size=2, max_size=30),
    weights=st.data(),
)
def test_every_level_but_the_heaviest_has_a_column(levels, weights):
    """By hand: one level a row, none for the reference, and a missing value is a level."""
    texts = [MISSING if level is None else str(level) for level in levels]
    weight = weights.draw(st.lists(st.integers(1, 9), min_size=len(levels), max_size=len(levels)))
    frame = pd.DataFrame({"channel": pd.Series(levels, dtype=object), "weight": weight})
    if len(set(texts)) == 1:
        with pytest.raises(DataError, match="'channel': every row holds"):
            learn(frame, ["channel"])
        return
    coding = learn(frame, ["channel"])
    total = pd.Series(weight).groupby(texts).sum()
    reference = coding.covariates[0].reference
    assert total[reference] == total.max()
    others = sorted(set(texts) - {reference})
    assert list(coding.labels) == [f"channel={level}" for level in others]
    by_hand = [[float(text == level) for level in others] for text in texts]
    assert coding.encode(frame).tolist() == by_hand


def test_a_missing_category_is_a_level_of_its_own():
    """Also in intervals, which group customers by what the model sees, and in categories of pandas."""
    people = simulate(BGNBD, 3000, 8)
    people["channel"] = people["channel"].where(np.random.default_rng(1).random(3000) < 0.7).astype("category")
    model = WithCovariates(BGNBD(), purchase=["channel"]).fit(people)
    assert list(model.params_.index[4:]) == ["purchase:channel=(missing)", "purchase:channel=web"]
    assert 1 < model.params_["purchase:channel=(missing)"] < model.params_["purchase:channel=web"]
    some = people[people["channel"].isna()].head(3)
    some = pd.concat([some, some.assign(channel="till"), some.assign(channel="web")])
    table = predict(model, some, horizon_days=90, draws=5, seed=1)
    np.testing.assert_allclose(table["expected_purchases"], model.expected_purchases(some, horizon_days=90))
    assert model.at({"channel": None}).params_["alpha"] < model.params_["alpha"]


def test_rare_level_that_never_bought_is_said_to_be_undetermined():
    people = simulate(BGNBD, 1500, 5)
    lost = people["frequency"].eq(0) & (people.index < 40)
    people.loc[lost, "channel"] = "fax"
    with pytest.warns(ConvergenceWarning, match=r"WithCovariates: the data does not determine purchase:channel=fax"):
        model = WithCovariates(BGNBD(), purchase=["channel"]).fit(people)
    assert model.undetermined_ == ("purchase:channel=fax",)
    assert "channel = fax multiplies the rate of purchase by" in model.describe()
    assert "(not determined)" in model.describe()
    assert np.isfinite(model.expected_purchases(people, horizon_days=90)).all()


def test_heavy_tailed_covariates_and_many_customers_in_a_fit():
    """A spend-like covariate with a tail, and more customers than the first climb looks at."""
    rng = np.random.default_rng(6)
    z = np.exp(rng.normal(0, 1.2, 60_000))
    people = beta_geometric.simulate_histories(0.9, 40 / z**0.1, 0.8, 3, rng.integers(60, 600, z.size), seed=7)
    people["z"], people["log_z"] = z, np.log(z)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        raw = WithCovariates(BGNBD(), purchase=["z"]).fit(people)
        model = WithCovariates(BGNBD(), purchase=["log_z"], dropout=["log_z"]).fit(people)
    assert model.log_likelihood_ > raw.log_likelihood_
    assert np.log(model.params_["purchase:log_z"]) == pytest.approx(0.1, abs=0.03)
    low, high = model.summary().loc["dropout:log_z", ["low_90", "high_90"]]
    assert low < 1.02
    assert high > 0.98


def test_features_beside_histories():
    histories = pd.DataFrame({"frequency": [2, 0], "recency": [9, 0], "T": [30, 12]}, index=["b", "a"])
    features = pd.DataFrame({"age": [1.0, 2.0, 3.0], "T": 5.0}, index=["a", "b", "c"])
    joined = join_covariates(histories, features, ["age"])
    assert joined.index.tolist() == ["b", "a"]
    assert joined["age"].tolist() == [2.0, 1.0]
    assert joined["T"].tolist() == [30, 12]
    with pytest.raises(DataError, match="features: missing column 'channel'"):
        join_covariates(histories, features, ["channel"])
    with pytest.raises(DataError, match="have a column 'T' already"):
        join_covariates(histories, features, ["T"])
    with pytest.raises(DataError, match=r"1 of 2 customers have no row \(first: 'b'\); build the features with"):
        join_covariates(histories, features.drop("b"), ["age"])
    with pytest.raises(DataError, match="customer 'a' has more than one row"):
        join_covariates(histories, pd.concat([features, features.head(1)]), ["age"])


def test_feature_frame_as_it_is_built(lines, tables_of):
    """Attributes of the profile, which are categories, stand beside the histories that the frame has itself."""
    shoppers = sorted(set(lines["customer"]) - {"returns"})
    profile = pd.DataFrame(
        {"customer": shoppers, "profile_region": ["south", "north", *["north", "south"] * 6][: len(shoppers)]}
    )
    features = build.frame(tables_of(lines, customers=profile), Window(date(2021, 1, 1), (90,)), 400)
    histories = features[["frequency", "recency", "T"]].iloc[::-1]
    joined = join_covariates(histories, features, ["profile_region"])
    expected = profile.set_index("customer")["profile_region"].reindex(histories.index)
    assert joined["profile_region"].astype(object).where(expected.notna(), None).tolist() == [
        None if pd.isna(value) else value for value in expected
    ]
    coding = learn(joined, ["profile_region"])
    assert coding.labels == ("profile_region=(missing)", "profile_region=south")


# Bad input --------------------------------------------------------------------------------------------------

BAD = {
    "missing number": ({"age": [30, np.nan, 41, np.nan]}, r"'age': 2 rows refused \(first: 1, 3\); expected a finite"),
    "infinite number": ({"age": [30, np.inf, 41, 2]}, r"'age': 1 row refused \(first: 1\).*fill the gaps"),
    "constant number": ({"age": 43}, "'age': every row holds 43, so that it tells no customers apart"),
    "constant category": ({"age": "old"}, "'age': every row holds 'old'"),
    "always missing": ({"age": pd.Series([None] * 4, dtype=object)}, r"'age': every row holds '\(missing\)'"),
    "no column": ({}, "histories: missing column 'age'"),
    "bad history": ({"age": [1, 2, 3, 4], "T": 1}, "column 'T': 3 rows refused"),
    "bad weight": ({"age": [1, 2, 3, 4], "weight": 0}, "column 'weight': 4 rows refused"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_columns(case):
    columns, message = BAD[case]
    people = pd.DataFrame({"frequency": [1, 0, 2, 4], "recency": [5, 0, 9, 8], "T": 20} | columns)
    with pytest.raises(DataError, match=message):
        WithCovariates(BGNBD(), purchase=["age"]).fit(people)


def test_covariates_that_say_the_same(small):
    people, _ = small
    same = people.assign(months=people["age"] * 12.0 + 5, web=people["channel"] == "web")
    with pytest.raises(DataError, match="purchase: 'age', 'months' can be computed from one another"):
        WithCovariates(BGNBD(), purchase=["age", "months", "channel"]).fit(same)
    with pytest.raises(DataError, match="dropout: 'channel', 'web' can be computed"):
        WithCovariates(BGNBD(), purchase=["age"], dropout=["channel", "web"]).fit(same)
    # What moves the other process only is not in the way.
    assert WithCovariates(BGNBD(), purchase=["channel"], dropout=["web"]).fit(same).converged_


def test_a_unit_that_is_far_too_large_is_refused(small):
    """1.03 a year is 1.03 ** 100,000 a unit of 100,000 years."""
    people, _ = small
    with pytest.raises(DataError, match=r"purchase:age: a unit is 8[.\d]*e\+03 standard deviations.*smaller unit"):
        WithCovariates(BGNBD(), **COVARIATES).fit(people.assign(age=people["age"] / 1e5))


def test_a_fit_that_fails_leaves_no_estimates_of_other_columns(small):
    people, model = small
    again = clone(model).fit(people)
    with pytest.raises(DataError, match="identifies nothing"):
        again.fit(people[people["frequency"] == 0])
    with pytest.raises(NotFittedError, match="not fitted yet"):
        again.probability_alive(people)


def test_ids_are_no_category(small):
    people, _ = small
    with pytest.raises(DataError, match=r"column 'card': 1500 levels; expected at most 50: group them"):
        WithCovariates(BGNBD(), dropout=["card"]).fit(people.assign(card=[f"c{i}" for i in range(len(people))]))


def test_predictions_refuse_what_the_fit_did_not_see(small):
    people, model = small
    new = people.head(3).assign(channel=["till", "fax", None])
    with pytest.raises(
        DataError, match=r"'channel': '\(missing\)', 'fax' in 2 rows \(first: 1, 2\) did not occur.*till"
    ):
        model.expected_purchases(new, horizon_days=30)
    with pytest.raises(DataError, match="missing column 'channel'"):
        model.probability_alive(people.drop(columns="channel"))
    with pytest.raises(DataError, match="'age': 3 rows refused"):
        model.probability_alive(people.head(3).assign(age=np.nan))
    with pytest.raises(DataError, match="'age': expected numbers"):
        model.probability_alive(people.head(3).assign(age="old"))
    with pytest.raises(DataError, match="'fax' in 1 rows"):
        model.at({"channel": "fax"})
    with pytest.raises(SettingsError, match="'height' is none of this model; expected age, channel"):
        model.expected_purchases_of_new_customer(30, {"height": 180})


@pytest.mark.parametrize(
    ("model", "names", "message"),
    [
        (NBD(), ["age"], r"model: covariates need BGNBD\(\), MBGNBD\(\) or ParetoNBD\(\), got NBD"),
        (BGNBD, ["age"], r"model: covariates need BGNBD\(\)"),
        (BGNBD(), "age", "purchase: expected a list of column names, got 'age'"),
        (BGNBD(), ["age", "age"], "purchase: 'age' is named twice"),
        (BGNBD(), ["recency"], "purchase: 'recency' is part of the history"),
        (BGNBD(), ["weight"], "purchase: 'weight' is part of the history"),
        (BGNBD(time_unit="years"), ["age"], "time_unit: expected one of days, weeks"),
    ],
)
def test_bad_settings(small, model, names, message):
    people, _ = small
    with pytest.raises(SettingsError, match=message):
        WithCovariates(model, purchase=names).fit(people)
