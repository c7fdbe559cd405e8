"""What `loyalty backtest` prints: how forecasts of past dates did, and which is to be believed."""

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console
    from rich.table import Table

    from ..study import Study

CHURN = {
    "auc": "AUC", "average_precision": "Avg. precision", "log_loss": "Log loss", "brier": "Brier",
    "calibration_error": "Calib. error", "lift": "Lift 10 %", "bias": "Total off", "maximum_profit": "EMPC",
}  # fmt: skip
VALUE = {
    "gini": "Gini", "spearman": "Spearman", "mae": "MAE", "rmse": "RMSE", "explained": "Deviance expl.",
    "bias": "Total off", "tenths": "Tenths off", "coverage": "In interval",
}  # fmt: skip
GAINS = {"log_loss": "log loss", "auc": "AUC", "mae": "MAE", "gini": "Gini", "explained": "deviance explained"}
"""Scores in words, in the order in which they are shown."""

PERCENT = ("calibration_error", "bias", "explained", "tenths", "coverage")


def to_json(study: "Study") -> str:
    """`Study.tournament` but for single customers, tables as lists of rows, for a program; not known is null."""
    import pandas as pd

    told: dict[str, Any] = {
        "dataset": study.name,
        "as_of": study.as_of.isoformat(),
        "known_until": study.known_until.isoformat(),
        "churn_definition": study.dataset.study.churn,
        "horizon_days": study.horizon_days,
        "active_within_days": study.active_within_days,
        "run": study.key,
    }
    for name, part in study.tournament().items():
        if name == "last":
            continue
        told[name] = json.loads(part.to_json(orient="records")) if isinstance(part, pd.DataFrame) else part
    return json.dumps(told, indent=2, ensure_ascii=False)


def show(study: "Study", console: "Console | None" = None) -> None:
    """The league tables, the differences from the rules, and the winners, for a person."""
    from rich.console import Console
    from rich.text import Text

    from ..reporting.chapters import backtest

    console = console or Console()
    console.print(Text(f"{study.dataset.title}: {backtest.rules(study)}"))
    for game, title, columns in (("churn", "Who leaves", CHURN), ("value", "What they spend", VALUE)):
        console.print()
        console.print(_league(backtest.scores(study, game), f"{title}, over all dates", columns))
        console.print(_dates(study, game))
        console.print(_gains(study, game))
        console.print(Text(backtest.say_churn(study) if game == "churn" else backtest.say_value(study)))


def _league(scores: "pd.DataFrame", title: str, columns: dict[str, str]) -> "Table":
    told = {name: label for name, label in columns.items() if scores[name].notna().any()}
    rows = [[str(name), *(_written(column, row[column]) for column in told)] for name, row in scores.iterrows()]
    return _table(title, ["Contender", *told.values()], rows)


def _dates(study: "Study", game: str) -> "Table":
    """The scores that count, date by date."""
    from ..reporting.chapters import backtest

    counts = ("auc", "log_loss") if game == "churn" else ("gini", "mae")
    days = backtest.days(study)[::-1]
    tables = {day: backtest.scores(study, game, day) for day in days}
    rows = [
        [str(name), GAINS[score], *(_written(score, tables[day].loc[name, score]) for day in days)]
        for name in tables[days[0]].index
        for score in counts
    ]
    return _table("Date by date", ["Contender", "Score", *days], rows)


def _gains(study: "Study", game: str) -> "Table":
    """How much better than the rule each is, with the 90 % interval."""
    from ..reporting.chapters import backtest

    table = study.tournament()[f"{game}_gains"]
    measures = [name for name in GAINS if name in set(table["measure"])]
    found = {name: backtest.gains(study, game, name) for name in measures}
    rows = [
        [str(name), *(_interval(found[measure], name) for measure in measures)]
        for name in dict.fromkeys(table["contender"])
    ]
    rule = backtest.about(study, game)["rule"]
    title = f"Better than “{rule.lower()}” by (90 % over customers)"
    return _table(title, ["Contender", *(GAINS[name] for name in measures)], rows)


def _interval(table: "pd.DataFrame", name: str) -> str:
    if name not in table.index:
        return "–"
    gain, low, high = table.loc[name, ["gain", "low", "high"]]
    return f"{gain:+.3f} ({low:+.3f} to {high:+.3f})"


def _written(score: str, value: float) -> str:
    """A score as it is printed.

    Examples
    --------
    >>> _written("bias", -0.0341), _written("auc", 0.8554), _written("mae", 75.613), _written("auc", float("nan"))
    ('-3.4 %', '0.855', '75.61', '–')
    """
    if value != value:
        return "–"
    if score in PERCENT:
        return f"{100 * value:.1f} %"
    return f"{value:.2f}" if score in ("mae", "rmse", "lift", "maximum_profit") else f"{value:.3f}"


def _table(title: str, headings: list[str], rows: list[list[str]]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left")
    for heading in headings:
        table.add_column(heading, justify="left" if heading in ("Contender", "Score") else "right")
    for row in rows:
        table.add_row(*map(Text, row))
    return table
