"""What will be read of a campaign is written down once, and held to."""

from datetime import date

import numpy as np
import pytest
from loyalty.errors import SettingsError
from loyalty.programme import registry
from loyalty.programme.effect import Effect, Interval
from loyalty.programme.registry import Registration, departures, held_to, register, registered, succeeded
from loyalty.programme.sequential import factor

SPRING = Registration(
    campaign="spring-2026",
    metric="spend",
    starts=date(2026, 3, 1),
    days=28,
    customers=5000,
    hold_out=0.2,
    minimum_effect=2.5,
    covariate="spend_90",
    registered_on=date(2026, 2, 20),
)
AS_REGISTERED = {
    "metric": "spend", "known_until": date(2026, 3, 29), "customers": 5000, "covariate": "spend_90", "days": 28
}  # fmt: skip


def effect(estimate=2.0, standard_error=1.0):
    return Effect(
        "Spend",
        "randomised",
        "Difference",
        "EUR",
        Interval.around(estimate, standard_error),
        standard_error,
        4000,
        1000,
    )


def test_what_is_written_is_read_back(tmp_path):
    path = register(SPRING, "my-shop", tmp_path)
    assert path == tmp_path / "data/registered/my-shop/spring-2026.toml"
    assert registered("spring-2026", "my-shop", tmp_path) == SPRING
    assert "Read on 2026-03-29" in path.read_text("utf-8")


@pytest.mark.parametrize("name", ["Été 2026", "13", "a.b_c-d", "春"])
def test_names_that_campaigns_have(tmp_path, name):
    named = SPRING.model_copy(update={"campaign": name})
    register(named, "my-shop", tmp_path)
    assert registered(name, "my-shop", tmp_path) == named


@pytest.mark.parametrize("name", ["", "../escape", "a/b", ".hidden", "a" * 81, 'quo"te', "ends ", "new\nline", "CON:"])
def test_a_name_that_is_no_file_is_refused(tmp_path, name):
    with pytest.raises(SettingsError, match="expected a name of at most 80 letters"):
        registry.path_of(name, "my-shop", tmp_path)


@pytest.mark.parametrize("name", ["", "../escape", "a/b", "20 % off!", "<script>"])
def test_a_campaign_whose_name_is_no_file_is_not_registered(tmp_path, name):
    assert not registry.is_registered(name, "my-shop", tmp_path)
    register(SPRING, "my-shop", tmp_path)
    assert registry.is_registered(SPRING.campaign, "my-shop", tmp_path)


def test_the_same_again_changes_nothing(tmp_path):
    path = register(SPRING, "my-shop", tmp_path)
    before = path.read_bytes()
    register(SPRING.model_copy(update={"registered_on": date(2026, 2, 25)}), "my-shop", tmp_path)
    assert path.read_bytes() == before


def test_another_registration_is_an_error_and_the_first_stays(tmp_path):
    path = register(SPRING, "my-shop", tmp_path)
    before = path.read_bytes()
    other = SPRING.model_copy(update={"metric": "orders", "days": 56})
    with pytest.raises(
        SettingsError,
        match=r"data/registered/my-shop/spring-2026\.toml: registered on 2026-02-20 .*metric spend there, orders now, "
        r"days 28 there, 56 now",
    ):
        register(other, "my-shop", tmp_path)
    assert path.read_bytes() == before


def test_a_campaign_that_was_not_registered_is_told_with_what_to_do(tmp_path):
    with pytest.raises(SettingsError, match="no such file; `loyalty design my-shop --register"):
        registered("spring-2026", "my-shop", tmp_path)


@pytest.mark.parametrize(
    ("line", "other", "message"),
    [
        ("hold_out = 0.2", "hold_out = 2", "hold_out: less than 1, found 2"),
        ("days = 28", 'days = "28"', "days: a valid integer, found '28'"),
        ("customers = 5000\n", "", "customers: Field required"),
        ("days = 28", "days = 28\nmargin = 1", "margin: Extra inputs are not permitted"),
        ('metric = "spend"', 'metric = "profit"', "metric: 'spend', 'repurchase' or 'orders', found 'profit'"),
        ("days = 28", "days == 28", "is not valid TOML"),
    ],
)
def test_a_file_that_was_changed_wrongly_is_told(tmp_path, line, other, message):
    path = register(SPRING, "my-shop", tmp_path)
    text = path.read_text("utf-8")
    assert line in text
    path.write_text(text.replace(line, other), "utf-8")
    with pytest.raises(SettingsError, match=message) as raised:
        registered("spring-2026", "my-shop", tmp_path)
    assert "data/registered/my-shop/spring-2026.toml" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_evaluation_that_obeys():
    assert departures(SPRING, **AS_REGISTERED) == []
    assert held_to(SPRING, effect(), **AS_REGISTERED).found == effect().found
    assert held_to(SPRING, effect(), **AS_REGISTERED).notes == ("Read as registered on 2026-02-20.",)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"metric": "orders"}, "What is read is orders; registered was spend."),
        ({"days": 56}, "It is read over 56 days; registered were 28."),
        ({"known_until": date(2026, 3, 15)}, "It is read 14 days early, at 2026-03-15; registered was 2026-03-29."),
        ({"customers": 4120}, "It has 4,120 customers; registered were 5,000."),
        ({"covariate": ""}, "It is narrowed by nothing; registered was spend_90."),
    ],
)
def test_what_differs_is_said(changed, said):
    assert departures(SPRING, **(AS_REGISTERED | changed)) == [said]
    assert said in held_to(SPRING, effect(), **(AS_REGISTERED | changed)).notes


def test_what_was_registered_too_late_is_said():
    late = SPRING.model_copy(update={"registered_on": date(2026, 3, 10)})
    assert departures(late, **AS_REGISTERED) == ["It was registered on 2026-03-10, after the start on 2026-03-01."]


def test_before_its_date_the_interval_holds_at_every_look():
    early = held_to(SPRING, effect(), **(AS_REGISTERED | {"known_until": date(2026, 3, 15)}))
    assert early.found.high - early.found.estimate == pytest.approx(factor(0.5))


def test_before_it_begins_there_is_nothing_to_read():
    refused = held_to(SPRING, effect(), **(AS_REGISTERED | {"known_until": date(2026, 3, 1)}))
    assert refused.refusals == ("The campaign begins on 2026-03-01: there is nothing to read yet.",)


def test_another_metric_is_exploratory():
    assert "exploratory" in held_to(SPRING, effect(), **(AS_REGISTERED | {"metric": "orders"})).notes[-1]


def test_success_is_one_or_two_sided_as_registered():
    one_sided = SPRING.model_copy(update={"one_sided": True})
    assert succeeded(one_sided, effect(1.3))  # 1.28 standard errors are enough
    assert not succeeded(one_sided, effect(1.27))
    assert not succeeded(SPRING, effect(1.6))
    assert succeeded(SPRING, effect(1.7))
    assert not succeeded(SPRING, effect(-3.0))
    assert not succeeded(SPRING, effect(np.inf).refused("too few"))
