"""The one result of every question about an effect."""

import json

import numpy as np
import pytest
from loyalty.programme.effect import Effect, Interval, Overlap, Placebo, said
from scipy import stats


def effect(**changes):
    told = {
        "what": "Spend in 28 days",
        "design": "randomised",
        "estimand": "Mean difference",
        "unit": "EUR a customer",
        "found": Interval.around(2.0, 1.0),
        "standard_error": 1.0,
        "treated": 800,
        "control": 200,
    }
    return Effect(**(told | changes))


def test_an_interval_holds_nine_in_ten_of_a_normal():
    interval = Interval.around(3.0, 2.0)
    assert stats.norm(3.0, 2.0).cdf([interval.low, interval.high]) == pytest.approx([0.05, 0.95])


def test_an_interval_of_a_cost_stays_in_order():
    assert Interval(1.0, -2.0, 3.0).times(-10) == Interval(-10.0, -30.0, 20.0)


def test_an_effect_is_clear_only_beyond_zero():
    assert effect().clear
    assert effect(found=Interval.around(1.6, 1.0)).identified
    assert not effect(found=Interval.around(1.6, 1.0)).clear


def test_a_refused_effect_gives_no_number_and_keeps_all_reasons():
    refused = effect().refused("too few").refused("too late")
    assert refused.refusals == ("too few", "too late")
    assert not refused.identified
    assert not refused.clear
    assert np.isnan([refused.found.estimate, refused.found.low, refused.standard_error]).all()


def test_an_effect_survives_json():
    whole = effect(
        placebos=(Placebo("before", Interval(0.1, -1.0, 1.2), True, "As chance allows."),),
        overlap=Overlap(900, 100, 0.1, 0.9),
        raw=Interval(2.5, 1.0, 4.0),
        assumptions=("a", "b"),
        notes=("n",),
    )
    assert Effect.from_dict(json.loads(json.dumps(whole.to_dict()))) == whole


def test_a_refused_effect_is_json_that_every_reader_takes():
    plain = json.loads(json.dumps(effect().refused("why").to_dict(), allow_nan=False))
    assert plain["found"] == {"estimate": None, "low": None, "high": None}
    back = Effect.from_dict(plain)
    assert np.isnan([back.found.estimate, back.standard_error]).all()
    assert back.refusals == ("why",)


@pytest.mark.parametrize(
    ("value", "text"), [(1234567.0, "1,230,000"), (99.96, "100"), (0.0, "0"), (-0.5, "−0.5"), (999.6, "1,000")]
)
def test_numbers_in_notes_have_three_digits(value, text):
    assert said(value) == text
