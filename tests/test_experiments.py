"""A randomised experiment in a file of its own: read rightly, refused in one line, evaluated as by hand."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from loyalty.errors import DataError, InputError, LoyaltyError, RefusedError, SettingsError
from loyalty.experiments import Experiment
from loyalty.programme.effect import QUANTILE
from loyalty.settings import load_dataset
from loyalty.study import Study

LOYALTY = Path(sys.executable).with_name("loyalty")

TOML = """\
title = "Mailing"
currency = "USD"
timezone = "America/New_York"

[experiment]
source = "data/raw/mailing.csv"
customer = "id"
arm = "group"
outcomes = ["visit", "spend"]
money = ["spend"]
history = ["before"]
attributes = ["region"]

[study]
margin = 0.5
"""

Make = Callable[..., Path]


def mailing(customers: int = 600, effect: float = 5.0) -> pd.DataFrame:
    """Three arms of the same size; the letter adds to spend, the mail nothing."""
    random = np.random.default_rng(4)
    before = random.gamma(2, 20, customers).round(2)
    group = np.resize(["control", "letter", "mail"], customers)
    return pd.DataFrame(
        {
            "id": [f"K{number:05d}" for number in range(customers)],
            "region": np.resize(["north", "south"], customers),
            "before": before,
            "group": group,
            "visit": random.integers(0, 2, customers),
            "spend": (before + random.normal(0, 5, customers) + effect * (group == "letter")).round(2).clip(0.01),
        }
    )


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Return a function that makes a project around an experiment and returns its root."""

    def made(rows: pd.DataFrame | str, toml: str = TOML) -> Path:
        (tmp_path / "notebooks").mkdir(exist_ok=True)
        (tmp_path / "data" / "raw").mkdir(parents=True, exist_ok=True)
        text = rows if isinstance(rows, str) else rows.to_csv(index=False)
        (tmp_path / "data" / "raw" / "mailing.csv").write_text(text, "utf-8")
        (tmp_path / "data" / "mailing.toml").write_text(toml, "utf-8")
        return tmp_path

    return made


def opened(root: Path) -> Experiment:
    return Experiment.open("mailing", root=root)


def found(experiment: Experiment) -> dict[str, int]:
    return {finding["name"]: finding["count"] for finding in experiment.findings}


# What is read


def test_columns_and_arms_are_those_of_the_file(make: Make) -> None:
    rows = mailing()
    people = opened(make(rows)).participants
    told = people.outcomes.join(people.history).assign(group=people.arm, region=people.attributes["region"])
    wanted = rows.set_index("id").sort_index()
    pd.testing.assert_frame_equal(told[["before", "spend"]], wanted[["before", "spend"]], check_names=False)
    assert told["group"].tolist() == wanted["group"].tolist()
    assert told["region"].tolist() == wanted["region"].tolist()


def test_control_comes_first_and_its_names_are_one_arm(make: Make) -> None:
    rows = mailing()
    rows.loc[:59, "group"] = rows.loc[:59, "group"].replace({"control": "Holdout", "mail": "MAIL"})
    sizes = opened(make(rows)).sizes
    assert sizes.to_dict() == {"control": 200, "letter": 200, "mail": 200}
    assert sizes.index[0] == "control"


def test_an_arm_called_none_is_no_gap(make: Make) -> None:
    rows = mailing().replace({"group": {"control": "None"}})
    experiment = opened(make(rows))
    assert (experiment.control, experiment.findings) == ("None", [])


def test_treatment_may_be_0_and_1_and_outcomes_yes_and_no(make: Make) -> None:
    rows = mailing().query("group != 'mail'")
    rows = rows.assign(group=(rows["group"] == "letter").astype(int), visit=rows["visit"].map({0: "No", 1: "Yes"}))
    experiment = opened(make(rows))
    assert (experiment.control, experiment.arms) == ("0", ["1"])
    assert experiment.participants.outcomes["visit"].sum() == (rows["visit"] == "Yes").sum()


def test_the_order_of_the_rows_changes_nothing(make: Make) -> None:
    rows = mailing()
    first = opened(make(rows)).effects()
    again = opened(make(rows.sample(frac=1, random_state=1))).effects()
    assert first == again


def test_without_a_customer_column_each_row_is_one(make: Make) -> None:
    experiment = opened(make(mailing().drop(columns="id"), TOML.replace('customer = "id"\n', "")))
    assert experiment.sizes.sum() == 600


# What is told


def test_the_plain_difference_is_that_by_hand(make: Make) -> None:
    rows = mailing()
    raw = opened(make(rows)).effects()["spend", "letter"].raw
    given, held = (rows.loc[rows["group"] == arm, "spend"] for arm in ("letter", "control"))
    error = np.sqrt(given.var() / len(given) + held.var() / len(held))
    assert raw is not None
    assert raw.estimate == pytest.approx(given.mean() - held.mean())
    # Welch's interval uses Student's quantile, a little wider than the normal one.
    assert raw.high - raw.low == pytest.approx(2 * QUANTILE * error, rel=0.01)


def test_the_past_makes_the_interval_of_a_known_effect_narrow(make: Make) -> None:
    effects = opened(make(mailing(effect=5.0))).effects()
    letter, mail = effects["spend", "letter"], effects["spend", "mail"]
    assert letter.found.holds(5.0)
    assert letter.clear
    assert mail.found.holds(0.0)
    assert letter.raw is not None
    assert letter.found.high - letter.found.low < 0.4 * (letter.raw.high - letter.raw.low)


def test_without_history_there_is_the_plain_difference(make: Make) -> None:
    experiment = opened(
        make(mailing(), TOML.replace('history = ["before"]\n', "").replace('attributes = ["region"]\n', ""))
    )
    effect = experiment.effects()["spend", "letter"]
    assert effect.raw == effect.found
    assert experiment.balance()["differences"].empty
    assert experiment.responders() is None


def test_profit_is_margin_less_contacts(make: Make) -> None:
    toml = TOML.replace("money =", "cost = { letter = 1.5 }\nmoney =")
    experiment = opened(make(mailing(), toml))
    letter, mail = experiment.accounts()["letter"], experiment.accounts()["mail"]
    effect = experiment.effects()["spend", "letter"].found.estimate
    assert letter.profit is not None
    assert letter.profit.estimate == pytest.approx(200 * (0.5 * effect - 1.5))
    assert (mail.profit, mail.missing) == (None, ("contact",))


def test_sizes_against_the_plan_refuse_the_effect(make: Make) -> None:
    toml = TOML.replace("money =", "planned = { control = 0.2, letter = 0.4, mail = 0.4 }\nmoney =")
    effect = opened(make(mailing(), toml)).effects()["spend", "letter"]
    assert not effect.identified
    assert "planned shares" in effect.refusals[0]


def test_an_outcome_with_gaps_leaves_out_those_customers(make: Make) -> None:
    rows = mailing()
    rows.loc[[0, 1, 2], "spend"] = None
    experiment = opened(make(rows))
    assert found(experiment) == {"gaps": 3}
    assert experiment.effects()["spend", "letter"].treated == 199
    assert experiment.effects()["visit", "letter"].treated == 200


def test_returns_below_zero_are_counted(make: Make) -> None:
    rows = mailing()
    rows.loc[0, "spend"] = -12.0
    experiment = opened(make(rows))
    assert found(experiment) == {"negative": 1}
    assert experiment.participants.outcomes["spend"].min() == -12.0


# Rows that are set aside


def test_a_customer_in_both_arms_is_set_aside(make: Make) -> None:
    rows = mailing()
    experiment = opened(make(pd.concat([rows, rows.iloc[[0]].assign(group="mail")])))
    assert found(experiment) == {"several_arms": 2}
    assert "K00000" not in experiment.participants.arm.index


def test_many_customers_in_both_arms_are_refused(make: Make) -> None:
    rows = mailing()
    root = make(pd.concat([rows, rows.assign(group=np.roll(rows["group"], 1)).head(30)]))
    with pytest.raises(RefusedError, match="30 customers are in several arms"):
        opened(root).effects()


def test_a_row_that_repeats_another_counts_once(make: Make) -> None:
    rows = mailing()
    experiment = opened(make(pd.concat([rows, rows.head(5)])))
    assert (found(experiment), experiment.sizes.sum()) == ({"repeated": 5}, 600)


def test_rows_of_every_day_are_no_customers(make: Make) -> None:
    rows = mailing()
    root = make(pd.concat([rows, rows.assign(spend=rows["spend"] + 1)]))
    with pytest.raises(RefusedError, match="expected one row a customer"):
        opened(root).effects()


def test_rows_without_arm_are_set_aside(make: Make) -> None:
    rows = mailing()
    rows.loc[3, "group"] = ""
    assert found(opened(make(rows))) == {"no_arm": 1}


def test_an_arm_of_under_30_is_told_and_the_others_evaluated(make: Make) -> None:
    rows = mailing()
    experiment = opened(make(rows[(rows["group"] != "mail") | (rows.index < 60)]))
    assert found(experiment) == {"small_arm": 20}
    assert not experiment.effects()["spend", "mail"].identified
    assert experiment.effects()["spend", "letter"].identified


# What is refused


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        pytest.param(lambda rows: rows.head(0), DataError, "no rows below the heading", id="empty"),
        pytest.param(
            lambda rows: rows[rows["group"] != "control"], DataError, r"control: .*found none", id="no control"
        ),
        pytest.param(
            lambda rows: rows.assign(group="letter"), DataError, "everyone was given something", id="all treated"
        ),
        pytest.param(lambda rows: rows.assign(group="control"), DataError, "everyone in 'group'", id="all control"),
        pytest.param(lambda rows: rows.head(60), RefusedError, "an arm needs 30 customers", id="small arms"),
        pytest.param(lambda rows: rows.assign(spend="much"), DataError, "'spend' holds neither", id="no numbers"),
        pytest.param(lambda rows: rows.assign(visit=0, spend=0), RefusedError, "the same for everyone", id="constant"),
        pytest.param(lambda rows: rows.assign(group=rows["id"]), DataError, "600 different values", id="many arms"),
        pytest.param(
            lambda rows: rows.drop(columns="spend"), DataError, r"outcomes\[1\] = 'spend' is not", id="missing"
        ),
    ],
)
def test_a_table_that_says_nothing_is_refused(
    make: Make, change: Callable[[pd.DataFrame], pd.DataFrame], error: type[LoyaltyError], match: str
) -> None:
    root = make(change(mailing()))
    with pytest.raises(error, match=match):
        opened(root).effects()


@pytest.mark.parametrize(
    ("line", "match"),
    [
        pytest.param(
            "planned = { control = 0.5, letter = 0.5 }", "'mail' is an arm without a share", id="arm unplanned"
        ),
        pytest.param("cost = { flyer = 0.5 }", "'flyer' is no arm", id="cost of an unknown arm"),
    ],
)
def test_an_unknown_arm_is_refused(make: Make, line: str, match: str) -> None:
    root = make(mailing(), TOML.replace("money =", f"{line}\nmoney ="))
    with pytest.raises(DataError, match=match):
        opened(root).effects()


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ('money = ["spend"]', 'money = ["sales"]', "money among the outcomes, which sales is not"),
        ('history = ["before"]', 'history = ["spend"]', "each column in one role only; spend"),
        ("money =", "planned = { control = 0.5, letter = 0.2, mail = 0.2 }\nmoney =", "shares of all arms that add up"),
        ("[experiment]", "[experiments]", "transactions is missing"),
        ("margin = 0.5", "", "study.margin is missing"),
    ],
)
def test_a_dataset_file_that_contradicts_itself_is_wrong(make: Make, old: str, new: str, match: str) -> None:
    root = make(mailing(), TOML.replace(old, new))
    with pytest.raises(SettingsError, match=match):
        load_dataset("mailing", root)


def test_a_constant_outcome_beside_another_is_told(make: Make) -> None:
    experiment = opened(make(mailing().assign(visit=1)))
    assert found(experiment) == {"constant": 600}
    assert not experiment.effects()["visit", "letter"].identified
    assert experiment.effects()["spend", "letter"].identified


def test_a_study_says_that_there_is_no_log(make: Make) -> None:
    root = make(mailing())
    with pytest.raises(SettingsError, match=r"no \[transactions\]"):
        Study.open("mailing", root=root)


def test_a_log_may_lie_beside_an_experiment(make: Make) -> None:
    log = '[transactions]\nsource = "log.csv"\ncustomer = "id"\ntime = "t"\namount = "a"\n'
    study = "[study]\nhorizon_days = 28\nactive_within_days = 56\n"
    dataset = load_dataset("mailing", make(mailing(), TOML.replace("[study]", f"{log}\n{study}")))
    assert (len(dataset.transactions), dataset.experiment is not None) == (1, True)


def test_a_log_beside_it_still_needs_its_days(make: Make) -> None:
    log = '[transactions]\nsource = "log.csv"\ncustomer = "id"\ntime = "t"\namount = "a"\n'
    root = make(mailing(), TOML.replace("[study]", f"{log}\n[study]"))
    with pytest.raises(SettingsError, match=r"study\.horizon_days is missing"):
        load_dataset("mailing", root)


@pytest.mark.slow
def test_a_check_shows_the_log_and_the_experiment_beside_it(make: Make) -> None:
    log = '[transactions]\nsource = "data/raw/log.csv"\ncustomer = "id"\ntime = "t"\namount = "a"\n'
    study = "[study]\nhorizon_days = 28\nactive_within_days = 56\n"
    root = make(mailing(), TOML.replace("[study]", f"{log}\n{study}"))
    days = pd.date_range("2024-01-01", periods=200).strftime("%Y-%m-%d")
    lines = pd.DataFrame({"id": [f"K{at % 40:05d}" for at in range(200)], "t": days, "a": 5.0})
    lines.to_csv(root / "data" / "raw" / "log.csv", index=False)
    env = {"LOYALTY_ROOT": str(root), "PATH": ""}
    told, said = (
        subprocess.run([LOYALTY, "check", "mailing", *more], capture_output=True, text=True, env=env, check=False)
        for more in ([], ["--json"])
    )
    assert "K00" not in told.stdout
    for arm in ("control (control)", "letter", "mail"):
        assert arm in told.stdout, told.stderr
    found = json.loads(said.stdout)
    assert found["customers"] == 40
    assert found["experiment"]["customers"] == 600
    assert [each["arm"] for each in found["experiment"]["arms"]] == ["control", "letter", "mail"]


def test_opening_what_has_no_experiment_says_so(make_shop: Callable[..., Path]) -> None:
    root = make_shop("customer,time,amount\n1,2024-01-01,3\n")
    assert Experiment.find("shop", root=root) is None
    with pytest.raises(InputError, match=r"no \[experiment\]"):
        Experiment.open("shop", root=root)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (["check", "mailing"], 0, "A report can be made"),
        (["score", "mailing"], 2, "no [transactions]"),
        (["report", "mailing", "--horizon-days", "7"], 2, "--horizon-days: mailing has no purchase log"),
        (["report", "mailing", "--notebooks", "01_one"], 2, "01_one needs a purchase log"),
    ],
)
def test_the_command_line_says_it_in_one_line(make: Make, command: list[str], code: int, said: str) -> None:
    root = make(mailing())
    (root / "notebooks" / "01_one.ipynb").write_text("{}", "utf-8")
    ran = subprocess.run(
        [LOYALTY, *command], capture_output=True, text=True, env={"LOYALTY_ROOT": str(root), "PATH": ""}, check=False
    )
    assert ran.returncode == code, ran.stderr
    assert said in ran.stdout + ran.stderr
    assert len(ran.stderr.splitlines()) <= 1
