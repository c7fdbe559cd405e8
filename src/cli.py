"""The command `loyalty`. Heavy modules are imported where they are used, so that help comes at once."""

import sys
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from .commands.init import init
from .commands.report import EXIT_CODES
from .commands.simulate import simulate
from .errors import LoyaltyError

if TYPE_CHECKING:
    from .experiments import Experiment
    from .study import Study

INTERRUPTED = 130
_WRONG_CALL: Any = tuple(kind for kind in typer.BadParameter.__mro__ if hasattr(kind, "exit_code"))
"""What typer raises for a wrong call; it lies in click or, in later versions, in typer itself."""

app = typer.Typer(
    name="loyalty",
    help="From a retailer's purchase log to churn, customer value and a report that anyone can read.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Dataset = Annotated[str, typer.Argument(help="Name of a file in data/, such as complete-journey.")]
AsOf = Annotated[
    str | None,
    typer.Option(
        metavar="DATE",
        help="First day that is not known: today, yesterday or YYYY-MM-DD; else the day after the log ends.",
    ),
]
Horizon = Annotated[int | None, typer.Option(metavar="N", help="Length of the period that is predicted.")]
Active = Annotated[int | None, typer.Option(metavar="N", help="A customer is active who bought within these days.")]
Engine = Annotated[str | None, typer.Option(metavar="NAME", help="Where tables are computed: duckdb or spark.")]
Json = Annotated[bool, typer.Option("--json", help="Write the result as JSON.")]


def main() -> NoReturn:
    """Run the command line and exit: 0 done, 1 failed, 2 wrong input, 3 refused, 4 busy, 5 alarm, 130 interrupted."""
    try:
        code = app(standalone_mode=False)
    except LoyaltyError as error:
        for problem in getattr(error, "problems", ()) or [str(error)]:
            _complain(problem)
        code = error.exit_code
    except _WRONG_CALL as error:
        if error.format_message():  # empty where the bare command has shown its help
            _complain(f"{error.format_message().rstrip('.')} (loyalty --help lists what there is)")
        code = error.exit_code
    except OSError as error:
        _complain(f"{error.filename or 'the system'}: {error.strerror or error}; nothing was published")
        code = 1
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except SystemExit as stopped:  # by a signal; or with 1, where nobody reads what is written any more
        code = stopped.code
        if code != 1:
            _complain("stopped; what was published before stays")
    if code == INTERRUPTED:
        _complain("interrupted")
    sys.exit(code if isinstance(code, int) else 0)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Show the version and leave.")] = False,
) -> None:
    if version:
        from importlib.metadata import version as version_of

        typer.echo(f"loyalty {version_of('loyalty')}")
        raise typer.Exit


@app.command(epilog=" ".join(EXIT_CODES.split()))
def report(
    dataset: Annotated[list[str], typer.Argument(help="Names of files in data/, such as complete-journey.")],
    as_of: AsOf = None,
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="A report of every date from this one up to --as-of.")
    ] = None,
    every: Annotated[
        int | None, typer.Option(metavar="DAYS", min=1, help="Days between those dates; else the horizon.")
    ] = None,
    horizon_days: Horizon = None,
    active_within_days: Active = None,
    engine: Engine = None,
    notebooks: Annotated[
        str | None, typer.Option(metavar="NAME[,NAME]", help="Run these notebooks only, such as 04_churn.")
    ] = None,
    param: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A parameter that notebooks declare; repeatable.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Run them even if nothing changed.")] = False,
    alarm: Annotated[
        bool, typer.Option("--alarm", help="Exit with 5 if a goal is missed or customers changed.")
    ] = False,
    jobs: Annotated[int, typer.Option(metavar="N", min=1, max=64, help="Notebooks that run side by side.")] = 2,
    keep: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Delete reports but those of the newest N dates.")
    ] = None,
    minutes: Annotated[float, typer.Option(metavar="N", min=0, help="Longest that a report may take; 0: any.")] = 720,
    notebook_minutes: Annotated[
        float, typer.Option(metavar="N", min=0, help="Longest that a notebook may take; 0: any.")
    ] = 30,
    wait: Annotated[float, typer.Option(metavar="SECONDS", min=0, help="Wait so long for another run to end.")] = 0,
    as_json: Json = False,
) -> None:
    """Make reports: run the notebooks, render them, write reports/DATASET/DATE/."""
    from .commands import report as told
    from .reporting.progress import Reporter

    request = told.Request(
        as_of=as_of, since=since, every=every, notebooks=None if notebooks is None else tuple(notebooks.split(",")),
        param=tuple(param or ()), force=force, alarm=alarm, jobs=jobs, keep=keep, minutes=minutes,
        notebook_minutes=notebook_minutes, wait=wait,
    )  # fmt: skip

    def opener(name: str, day: str | None) -> "Study | Experiment":
        return _open_any(name, day, horizon_days, active_within_days, engine)

    with Reporter() as tell:
        made = told.make(dataset, request, opener, tell, _complain)
    if shown := told.to_json(made) if as_json else told.show(made, request):
        typer.echo(shown)
    raise typer.Exit(told.worst(made))


@app.command()
def runs(
    dataset: Annotated[str | None, typer.Argument(help="Name of a file in data/; else all.")] = None,
    last: Annotated[int, typer.Option(metavar="N", min=1, help="Most that are listed of a dataset.")] = 20,
    diff: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="RUN RUN", help="How two differ: their ids, dates, or latest."),
    ] = None,
    as_json: Json = False,
) -> None:
    """List past runs of reports: when, what became of them, how long they took, key figures; or hold two together."""
    from .commands import runs as told

    if diff is not None:
        apart = told.compared(dataset, *diff)
        if as_json:
            typer.echo(told.to_json(apart))
        else:
            told.show_diff(apart)
        return
    found = told.find(dataset, last)
    if as_json:
        typer.echo(told.to_json(found))
    else:
        told.show(found)


@app.command()
def check(
    dataset: Dataset,
    as_of: AsOf = None,
    horizon_days: Horizon = None,
    active_within_days: Active = None,
    engine: Engine = None,
    as_json: Json = False,
) -> None:
    """Hold a dataset against its contract: what is in it, what is wrong, and whether a report can be made."""
    from .commands import check_experiment
    from .commands.check import show, to_json
    from .errors import RefusedError
    from .experiments import Experiment

    study = _open_any(dataset, as_of, horizon_days, active_within_days, engine, refusing=False)
    if isinstance(study, Experiment):
        if as_json:
            typer.echo(check_experiment.to_json(study))
        else:
            check_experiment.show(study)
        return
    checked = study.check()
    beside = Experiment.find(dataset, as_of=as_of) if study.dataset.experiment else None
    if as_json:
        typer.echo(to_json(checked if beside is None else {**checked, "experiment": check_experiment.facts(beside)}))
    else:
        show(checked, study.dataset.title)
        if beside:
            check_experiment.show(beside, alone=False)
    if checked.get("refusals"):
        raise RefusedError(f"{dataset}: no report can be made: {'; '.join(checked['refusals'])}")


@app.command()
def score(
    dataset: Dataset,
    as_of: AsOf = None,
    horizon_days: Horizon = None,
    active_within_days: Active = None,
    engine: Engine = None,
    csv: Annotated[bool, typer.Option("--csv", help="Write scores.csv beside it.")] = False,
    reasons: Annotated[
        str | None, typer.Option(metavar="COUNT|all", help="Customers whose reasons are told; 50000 if not given.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write what to expect of each active customer: data/processed/DATASET/DATE/scores.parquet."""
    from .commands.score import explained, show, to_json
    from .reporting.progress import Counter
    from .scores import write_scores

    most = explained(reasons)
    study = _open(dataset, as_of, horizon_days, active_within_days, engine)
    with Counter("reasons") as count:
        made = write_scores(study, explained=most, csv=csv, progress=count)
    typer.echo(to_json(made) if as_json else show(made))


@app.command()
def actions(
    dataset: Dataset,
    as_of: AsOf = None,
    horizon_days: Horizon = None,
    active_within_days: Active = None,
    engine: Engine = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done; write no files.")] = False,
    as_json: Json = False,
) -> None:
    """Choose who gets which action: a file for each channel in data/processed/DATASET/DATE/actions/."""
    from .commands import actions as told

    study = _open(dataset, as_of, horizon_days, active_within_days, engine)
    made = told.make(study, dry_run=dry_run, tell=_complain)
    if as_json:
        typer.echo(told.to_json(made))
    else:
        told.show(study, made)


@app.command()
def backtest(
    dataset: Dataset,
    as_of: AsOf = None,
    horizon_days: Horizon = None,
    active_within_days: Active = None,
    engine: Engine = None,
    tune: Annotated[bool, typer.Option("--tune", help="Search better settings of the trees first.")] = False,
    trials: Annotated[int, typer.Option("--trials", min=1, max=1000, help="Settings to try.")] = 30,
    as_json: Json = False,
) -> None:
    """Hold forecasts of past dates against what came after, and say which is to be believed."""
    from .commands.backtest import show, to_json

    study = _open(dataset, as_of, horizon_days, active_within_days, engine)
    if tune:
        from .commands import tune as tuning
        from .reporting.progress import Counter

        with Counter("settings") as count:
            found = tuning.search(study, trials, count)
        typer.echo(tuning.show(found), err=as_json)
        study = _open(dataset, as_of, horizon_days, active_within_days, engine)
    if as_json:
        typer.echo(to_json(study))
    else:
        show(study)


@app.command()
def design(
    dataset: Dataset,
    metric: Annotated[str, typer.Option(metavar="NAME", help="spend, repurchase or orders.")] = "spend",
    minimum_effect: Annotated[
        str | None, typer.Option(metavar="X", help="Least effect that matters: 2.5, or 5% of the mean.")
    ] = None,
    hold_out: Annotated[float | None, typer.Option(metavar="SHARE", help="Of the customers, sent nothing.")] = None,
    customers: Annotated[int | None, typer.Option(metavar="N", help="Who take part; else all who are active.")] = None,
    days: Annotated[int | None, typer.Option(metavar="N", help="Over which it is measured; else the horizon.")] = None,
    power: Annotated[float, typer.Option(metavar="SHARE", help="Chance that the effect shows, if it is there.")] = 0.8,
    one_sided: Annotated[bool, typer.Option("--one-sided", help="Only a rise counts.")] = False,
    arms: Annotated[int, typer.Option(metavar="N", help="Campaigns that share one control group.")] = 1,
    register: Annotated[
        str | None, typer.Option(metavar="CAMPAIGN", help="Write down what will be read: data/registered/.")
    ] = None,
    starts: Annotated[str | None, typer.Option(metavar="DATE", help="First day of the campaign; else today.")] = None,
    as_of: AsOf = None,
    active_within_days: Active = None,
    engine: Engine = None,
    as_json: Json = False,
) -> None:
    """Say how large a campaign must be to show its effect: hold-out, customers, days, and what cannot be seen."""
    from .commands import design as told
    from .designs import desk

    study = _open(dataset, as_of, days, active_within_days, engine)
    found = desk(
        study, metric, effect=minimum_effect, hold_out=hold_out, customers=customers, power=power, one_sided=one_sided,
        arms=arms,
    )  # fmt: skip
    path = told.register(study, found, register, starts) if register is not None else None
    if as_json:
        typer.echo(told.to_json(study, found, path))
    else:
        told.show(study, found, path)


app.command()(init)
app.command()(simulate)


def _open(
    dataset: str,
    as_of: str | None,
    horizon: int | None,
    active: int | None,
    engine: str | None,
    refusing: bool = True,
) -> "Study":
    from .study import Study

    return Study.open(
        dataset, as_of=as_of, horizon_days=horizon, active_within_days=active, engine=engine, refusing=refusing
    )


def _open_any(
    dataset: str,
    as_of: str | None,
    horizon: int | None,
    active: int | None,
    engine: str | None,
    refusing: bool = True,
) -> "Study | Experiment":
    """The study of a dataset; of one without a purchase log its experiment."""
    from .errors import LoyaltyError, SettingsError
    from .experiments import Experiment
    from .settings import load_dataset

    try:
        known = load_dataset(dataset)
        alone = known.experiment is not None and not known.transactions
    except LoyaltyError:
        alone = False  # to open the study says what is wrong
    if not alone:
        return _open(dataset, as_of, horizon, active, engine, refusing)
    options = {"--horizon-days": horizon, "--active-within-days": active, "--engine": engine}
    if given := [name for name, value in options.items() if value is not None]:
        raise SettingsError(f"{given[0]}: {dataset} has no purchase log, and an experiment knows no such thing")
    return Experiment.open(dataset, as_of=as_of)


def _complain(message: str) -> None:
    """Say on one line of standard error what is wrong."""
    typer.echo(f"loyalty: {' '.join(message.split())}", err=True)
