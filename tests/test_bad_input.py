"""Bad input on the command line: one line that says what to do, and nothing written over.

Exit code 2 where the input is wrong, 3 where it is right but no score may rest on it.
"""

import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from loyalty import cli
from loyalty.study import STEPS
from nbformat.v4 import new_code_cell, new_notebook

FIRST = date(2020, 1, 1)
REPORT = "reports/shop/2020-01-01/index.html"
PARAMETERS = (
    "dataset: str = ''\nas_of: str = ''\nhorizon_days: int | None = None\nactive_within_days: int | None = None"
)
NOTEBOOK = new_notebook(cells=[new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})])


def log_of(customers: dict[str, list[int]], amount: float = 5.0) -> pd.DataFrame:
    """Purchases of each customer, as days after the first day of the log."""
    rows = [(who, FIRST + timedelta(days=day), amount) for who, days in customers.items() for day in days]
    return pd.DataFrame(rows, columns=["customer", "time", "amount"])


# Ten customers who come every fourth day for 120 days, and four who stop half-way.
LOG = log_of({f"c{n}": list(range(n % 4, 120 if n < 10 else 60, 4)) for n in range(14)})
ONE = log_of({"c": list(range(0, 120, 4))})
NO_REPEAT = log_of({f"c{n}": [n] for n in range(120)})
DAILY = log_of({f"c{n}": list(range(120)) for n in range(12)})
GONE = log_of({f"c{n}": list(range(50)) for n in range(12)} | {"last": [119], "other": [118, 50]})


@pytest.fixture
def project(make_shop: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Return a function that makes a project with a published report and goes there."""

    def make(log: pd.DataFrame | str = LOG, toml: str | None = None) -> Path:
        root = make_shop(log) if toml is None else make_shop(log, toml)
        (root / REPORT).parent.mkdir(parents=True)
        (root / REPORT).write_text("the report that was there before")
        nbformat.write(NOTEBOOK, root / "notebooks" / "01_data_health.ipynb")
        monkeypatch.setenv("LOYALTY_ROOT", str(root))
        return root

    return make


def files(root: Path) -> dict[Path, str]:
    return {path: path.read_text() for path in (root / "reports").rglob("*") if path.is_file()}


def run(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["loyalty", *arguments])
    with pytest.raises(SystemExit, match=r"^\d+$") as left:
        cli.main()
    out, err = capfd.readouterr()
    return int(str(left.value.code)), out, err


Check = Callable[..., None]


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Check:
    """Return a function that runs the command in a project and checks how it is refused."""

    def check(root: Path, arguments: list[str], told: list[str], code: int = 2) -> None:
        before = files(root)
        left, out, err = run(arguments, monkeypatch, capfd)
        lines = err.splitlines()
        complaints = [line for line in lines if line.startswith("loyalty: ")]
        steps = lines[: len(lines) - len(complaints)]
        assert left == code
        # Whoever checks a log wants to see what is wrong with it, all the more if it is refused.
        assert ("No report can be made" in out) == (code == 3 and arguments[0] == "check")
        assert out == "" or (code == 3 and arguments[0] == "check")
        assert complaints
        assert lines[len(steps) :] == complaints  # a line for each thing that is wrong, after all steps
        assert [text for text in told if not any(text in line for line in complaints)] == []
        assert set(steps) <= STEPS_TOLD
        assert steps == [] or "churn" in steps  # only what must be computed to be known comes after other steps
        assert files(root) == before
        assert sorted(path.name for path in (root / "reports").rglob("*")) == ["2020-01-01", "index.html", "shop"]

    return check


STEPS_TOLD = {name.replace("_", " ") for name in STEPS}
COMMANDS = pytest.mark.parametrize("command", ["check", "report"])


@COMMANDS
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["shoop"], ["unknown dataset 'shoop'", "did you mean 'shop'?"]),
        (
            ["shop", "--as-of", "2019-06-01"],
            ["as-of date 2019-06-01", "nothing is known before it", "at most 2020-04-30"],
        ),
        (["shop", "--as-of", "2020-01-01"], ["nothing is known before it"]),
        (["shop", "--as-of", "31.01.2020"], ["as_of: expected YYYY-MM-DD, today or yesterday", "31.01.2020"]),
        (["shop", "--horizon-days", "0"], ["horizon_days: expected a whole number of days from 1 to 3650, found 0"]),
        (["shop", "--horizon-days", "-5"], ["horizon_days", "found -5"]),
        (["shop", "--horizon-days", "1.5"], ["'--horizon-days'", "valid integer"]),
        (["shop", "--active-within-days", "0"], ["active_within_days", "found 0"]),
    ],
)
def test_wrong_arguments(
    command: str, arguments: list[str], told: list[str], project: Callable[..., Path], refused: Check
) -> None:
    refused(project(), [command, *arguments], told)


@COMMANDS
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--as-of", "2020-02-09"], ["39 days are known", "40 are needed", "from 2020-02-10 to 2020-04-30"]),
        (["--as-of", "2020-05-20"], ["silent days before 2020-05-20", "bring newer lines", "up to 2020-05-12"]),
        (["--as-of", "2031-01-01"], ["the last line is of 2020-04-29", "contract.silent_share = 0.1"]),
        (["--horizon-days", "100"], ["with horizon_days = 100 200 are needed", "horizon_days of at most 60"]),
    ],
)
def test_too_little_is_known_for_a_score(
    command: str, arguments: list[str], told: list[str], project: Callable[..., Path], refused: Check
) -> None:
    refused(project(), [command, "shop", *arguments], [*told, "contract."], code=3)


ODD = [
    ("zero_amount", {"amount": 0.0}),
    ("negative_amount", {"amount": -5.0}),
    ("future_date", {"time": "2199-01-01"}),
    ("impossible_date", {"time": "1900-01-01"}),
    ("no_customer", {"customer": None}),
    ("no_amount", {"amount": None}),
    ("no_time", {"time": None}),
]


@COMMANDS
@pytest.mark.parametrize(("name", "changed"), ODD, ids=[name for name, _ in ODD])
def test_a_rule_may_refuse_the_log(
    command: str,
    name: str,
    changed: dict[str, object],
    shop_toml: str,
    project: Callable[..., Path],
    refused: Check,
) -> None:
    odd = pd.concat([LOG, LOG.head(1).assign(**changed)], ignore_index=True)
    toml = shop_toml.replace("[contract]\n", f'[contract]\n{name} = "refuse"\n')
    refused(project(odd, toml), [command, "shop"], [f"1 of {len(odd)} lines", f"contract.{name} = 'refuse'"], code=3)


@COMMANDS
def test_fewer_customers_than_the_contract_asks_for(
    command: str, shop_toml: str, project: Callable[..., Path], refused: Check
) -> None:
    toml = shop_toml.replace("minimum_customers = 2", "minimum_customers = 500")
    told = ["14 customers bought before 2020-04-30, and at least 500 are needed", "contract.minimum_customers = 500"]
    refused(project(toml=toml), [command, "shop"], told, code=3)


@COMMANDS
def test_a_column_that_is_mostly_misread(command: str, project: Callable[..., Path], refused: Check) -> None:
    log = LOG.assign(amount=[None if n % 4 == 0 else 5.0 for n in range(len(LOG))])
    told = [
        "lines are set aside, most of them (90 without an amount that can be read",
        "contract.most_quarantined = 0.2",
    ]
    refused(project(log), [command, "shop"], told, code=3)


@COMMANDS
@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("margin = 0.3\n", "", ["data/shop.toml: study.margin is missing"]),
        ("horizon_days", "horizon_dys", ["study.horizon_dys is not a known key, did you mean 'horizon_days'?"]),
        ("= 20", '= "20"', ["study.horizon_days: expected a valid integer, found '20'"]),
        ("= 20", "= 0", ["study.horizon_days: expected", "greater than or equal to 1", "found 0"]),
        ("[study]", "[study", ["data/shop.toml is not valid TOML"]),
        ("Europe/Berlin", "Europe/Bärlin", ["timezone: expected a time zone", "Bärlin"]),
        ("raw/log.csv", "raw/lag.csv", ["transactions.source: no file 'data/raw/lag.csv'; expected a path below"]),
        ("data/raw/log.csv", "/nowhere/log.csv", ["transactions.source: no file '/nowhere/log.csv'"]),
        ("data/raw/log.csv", "package:no_such_package/x", ["package 'no_such_package' is not installed"]),
        ('"customer"', '"custmer"', ["customer = 'custmer' is not a column; did you mean 'customer'?"]),
        ('"amount"', '"amount"\nstore = "shop"', ["store = 'shop' is not a column"]),
        (
            '"time"',
            '"time"\ntime_format = "%d.%m.%Y"',
            ["the log holds no usable purchase", "without a date that can be read; check transactions.time and"],
        ),
        (
            'time = "time"',
            'time = "customer"',
            ["data/shop.toml: the log holds no usable purchase", "without a date that can be read"],
        ),
        (
            'amount = "amount"',
            'amount = "customer"',
            ["the log holds no usable purchase", "without an amount that can be read"],
        ),
    ],
)
def test_wrong_dataset_files(
    command: str, right: str, wrong: str, told: list[str], shop_toml: str, project: Callable[..., Path], refused: Check
) -> None:
    assert right in shop_toml
    refused(project(toml=shop_toml.replace(right, wrong)), [command, "shop"], told)


@COMMANDS
@pytest.mark.parametrize(
    ("log", "told"),
    [
        (ONE, ["the log holds one customer; expected many; check which column `customer` names"]),
        (NO_REPEAT, ["no customer bought on two different days"]),
        ("customer,time,amount\n", ["the log holds no usable purchase"]),
        ("", ["log.csv cannot be read as csv: it is empty"]),
        (log_of({"a": [0, 50], "b": [0, 100]}, amount=-1.0), ["the log holds no usable purchase"]),
    ],
    ids=["one customer", "no repeat purchase", "no line", "empty file", "only returns"],
)
def test_logs_of_which_nothing_can_be_said(
    command: str, log: pd.DataFrame | str, told: list[str], project: Callable[..., Path], refused: Check
) -> None:
    refused(project(log), [command, "shop"], told)


@pytest.mark.parametrize(
    ("log", "told"),
    [
        (DAILY, ["churn cannot be predicted", "no active customer left within the horizon", "shorten horizon_days"]),
        (GONE, ["churn cannot be predicted", "active customer", "horizon_days"]),
    ],
    ids=["everyone stays", "everyone is gone"],
)
def test_outcomes_of_one_class(
    log: pd.DataFrame, told: list[str], project: Callable[..., Path], refused: Check
) -> None:
    refused(project(log), ["report", "shop"], told)


def test_a_project_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOYALTY_ROOT", str(tmp_path))
    code, _, err = run(["check", "shop"], monkeypatch, capfd)
    assert (code, err) == (2, "loyalty: unknown dataset 'shop': data/ describes none\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["report", "shoop"], "unknown dataset 'shoop'"),
        (["report", "shop", "--horizon-days", "0"], "horizon_days: expected"),
        (["report", "shop", "--as-of", "2019-01-01"], "as-of date 2019-01-01 does not fit"),
    ],
)
def test_as_a_process_of_its_own(arguments: list[str], told: str, project: Callable[..., Path]) -> None:
    """What a scheduler sees: one line on standard error, nothing on standard output, no warning of a library."""
    root = project()
    before = files(root)
    code = "from loyalty.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=root)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert told in done.stderr
    assert files(root) == before
