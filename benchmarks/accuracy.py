"""How well the model in use forecasts, beside every contender at every past date: `make bench-accuracy`.

Two real logs and two simulated retailers, one whose customers behave the same all year and one with seasons and
campaigns. What the project promises is checked, of the contender that the tournament chooses and of the model that
makes the scores, which need not be the same; and told where it is missed.
"""

import argparse
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from asked import names, parser_of, say, tell
from measure import machine, markdown

HERE = Path(__file__).parent
REAL = ("complete-journey", "cdnow")
SIMULATED: dict[str, dict[str, Any]] = {
    "stationary": {
        "plain": True,
        "season": 0.0,
        "regularity": (1,),
        "days": 720,
        "seed": 31,
        "lines_per_customer": 20.0,
    },
    "seasonal": {"season": 1.0, "regularity": (1, 2, 4), "days": 900, "seed": 32},
}
"""What the simulated retailers are like, but for their number of customers."""

STATIONARY = ("stationary",)
ASKED = {"horizon_days": 60, "active_within_days": 120}
"""Of the simulated retailers; the real ones say it themselves."""

ROLES = ("winner", "used")
"""Whom a tournament names and who is judged: the contender that it chooses, and the model that makes the scores."""

GAMES = {"churn": ("log_loss", "auc"), "value": ("mae", "gini")}
WORDS = {"log_loss": "log loss", "auc": "AUC", "mae": "MAE", "gini": "Gini"}
SHARES = ("auc", "gini", "spearman", "calibration_error", "bias", "coverage")
"""Scores that are told as percentages."""

ABSENT = "did not play: "
CALIBRATED, ENOUGH = 0.02, 2_000
COVERED = (0.88, 0.92)
TOTAL, REAL_TOTAL = 0.05, 0.10


class Verdict(NamedTuple):
    """Whether one thing that is promised was kept."""

    what: str
    model: str
    kept: bool
    found: str


def main() -> None:
    """Make what is not there, play a tournament on each log, tell the tables and what was kept."""
    asked = _arguments()
    root = asked.folder / "accuracy"
    for name in asked.logs:
        study = _open(name, root, asked.customers)
        result = _play(study, asked)
        tell(told(name, study.dataset.title, result), f"accuracy on {name}", asked.write)


def _arguments() -> argparse.Namespace:
    every = [*REAL, *SIMULATED]
    parser = parser_of(__doc__, "for logs and results")
    parser.add_argument("--logs", type=names(every), default=every, help=f"of {','.join(every)} (default all)")
    parser.add_argument("--customers", type=int, default=8_000, help="of each simulated retailer (default 8000)")
    parser.add_argument("--no-incumbents", action="store_true", help="without the package lifetimes")
    return parser.parse_args()


def _open(name: str, root: Path, customers: int) -> Any:
    """The study of a log, in a project of its own; a simulated one is made if it is not there."""
    from loyalty.sources.simulator.settings import Simulation
    from loyalty.sources.simulator.write import simulate
    from loyalty.study import Study

    (root / "data").mkdir(parents=True, exist_ok=True)
    (root / "notebooks").mkdir(exist_ok=True)
    if name in REAL:
        file = f"{name.replace('-', '_')}.toml"
        shutil.copy(HERE.parent / "data" / file, root / "data" / file)
        return Study.open(name, root=root)
    made = f"{name}-{customers}"
    if not (root / "data" / f"{made.replace('-', '_')}.toml").exists():
        say(f"Simulating {customers:,} customers, {name}")
        simulate(Simulation.checked(customers=customers, **SIMULATED[name]), made, root)
    return Study.open(made, root=root, **ASKED)


def _play(study: Any, asked: argparse.Namespace) -> dict[str, Any]:
    from loyalty.models.entrants import INCUMBENTS
    from loyalty.models.line_up import line_up
    from loyalty.tournaments import tournament

    without = INCUMBENTS if asked.no_incumbents else ()
    playing = [each for each in line_up(study.earning()) if each.name not in without]
    return tournament(study, playing, lambda what: say(f"{study.name}: {what}"))


def told(name: str, title: str, result: dict[str, Any]) -> str:
    """What came out on one log, in Markdown."""
    about = result["about"]
    few, many = min(about["customers"]), max(about["customers"])
    head = (
        f"### Accuracy on {name}\n\n{title}: {len(about['days'])} past dates, {few:,} to {many:,} active customers. "
        f"Who leaves: {_named(about['churn'])}; what they spend: {_named(about['value'])}. {machine()}."
    )
    parts = [head]
    for game, measures in GAMES.items():
        for model in dict.fromkeys(about[game][role] for role in ROLES):
            parts.append(markdown(*duels(_duels_of(result, game, model), about["days"], model, measures)))
        parts.append(markdown(*scores(result, game)))
    return "\n\n".join([*parts, *_kept(result, name), *_notes(about)])


def _named(verdict: dict[str, Any]) -> str:
    """Who is chosen, and who is in use."""
    winner, used = verdict["winner"], verdict["used"]
    return f"**{winner}**" if winner == used else f"**{winner}** is chosen, **{used}** in use"


def _kept(result: dict[str, Any], name: str) -> list[str]:
    """What was kept: how much of it, and the table of promises, one row where the same model is chosen and in use."""
    sides = {role: promises(result, name, role) for role in ROLES}
    chosen, used = (f"{sum(each.kept for each in side)} of {len(side)}" for side in sides.values())
    rows = []
    for one, other in zip(*sides.values(), strict=True):
        both = {"chosen": one, "in use": other} if one.model != other.model else {"chosen and in use": one}
        for at, (role, each) in enumerate(both.items()):
            rows.append(["" if at else each.what, f"{each.model}, {role}", _told(each.kept), each.found])
    said = f"Of what is promised, the chosen models kept {chosen}, those in use {used}."
    return [said, markdown(["promised", "of", "", "found"], rows)]


def _told(kept: bool) -> str:
    return "kept" if kept else "**missed**"


def _duels_of(result: dict[str, Any], game: str, model: str) -> pd.DataFrame:
    """All other contenders against one of the two that are judged."""
    table = result[f"{game}_duels"]
    return table[table["against"] == model].drop(columns="against")


def _notes(about: dict[str, Any]) -> list[str]:
    """Who did not play, and why."""
    absent: dict[str, list[str]] = {}
    for name, notes in about["notes"].items():
        for note in notes:
            if note.startswith(ABSENT):
                absent.setdefault(note.removeprefix(ABSENT), []).append(name)
    return [f"Without {', '.join(names)}: {reason}." for reason, names in absent.items()]


def duels(
    table: pd.DataFrame, dates: list[str], model: str, measures: tuple[str, ...]
) -> tuple[list[str], list[list[str]]]:
    """How much better a model is than each contender at each date; a star is beyond the error.

    Returns
    -------
    Heading and rows of a table.
    """
    days = dates[::-1]
    found = table.set_index(["contender", "date", "measure"]).sort_index()
    rows = []
    for name in dict.fromkeys(table["contender"]):
        cells = [" / ".join(_cell(-found.loc[(name, day, each)]) for each in measures) for day in days]
        rows.append([name, " / ".join(WORDS[each] for each in measures), *cells])
    return [f"{model} is better than", "by", *days], rows


def _cell(duel: pd.Series) -> str:
    """A gain, starred where its interval does not hold zero. The duel is told from the contender's side."""
    gain, high, low = duel["gain"], duel["low"], duel["high"]
    star = r"\*" if low > 0 or high < 0 else ""
    digits = 2 if abs(gain) >= 1 else 3
    return f"{gain:+.{digits}f}{star}"


def scores(result: dict[str, Any], game: str) -> tuple[list[str], list[list[str]]]:
    """Scores of all contenders over all dates: heading and rows of a table."""
    columns = {
        "churn": {"auc": "AUC", "log_loss": "log loss", "brier": "Brier", "calibration_error": "calibration error",
                  "lift": "lift 10 %", "bias": "total off by"},
        "value": {"gini": "Gini", "spearman": "Spearman", "mae": "MAE", "rmse": "RMSE", "bias": "total off by",
                  "coverage": "in the 90 % interval"},
    }[game]  # fmt: skip
    table = result[game]
    rows = []
    for _, row in table[table["date"] == "all"].iterrows():
        rows.append([row["contender"], "all dates", *(_score(name, row[name]) for name in columns)])
    return ["contender", "over", *columns.values()], rows


def _score(name: str, value: float) -> str:
    if pd.isna(value):
        return "–"
    return f"{value:.1%}" if name in SHARES else f"{value:.3f}"


def promises(result: dict[str, Any], name: str, role: str) -> list[Verdict]:
    """What is promised of the models, and whether it was kept.

    Parameters
    ----------
    result : of `loyalty.tournaments.tournament`.
    name : of the log; totals are promised of real ones, and of those of customers whose behaviour never changes.
    role : of `ROLES`: whose promises.
    """
    about = result["about"]
    models = {game: str(about[game][role]) for game in GAMES}
    churn, value = (result[game][result[game]["contender"] == models[game]].set_index("date") for game in GAMES)
    verdicts = [
        _never_worse(_duels_of(result, game, models[game]), about["days"], measure, models[game])
        for game, measures in GAMES.items()
        for measure in measures
    ]
    verdicts.append(_calibrated(churn, dict(zip(about["days"], about["customers"], strict=True)), models["churn"]))
    verdicts.append(_covered(value, models["value"]))
    if name in STATIONARY:
        verdicts.append(_total(value, models["value"]))
    if name in REAL:
        verdicts.append(_totals(value.loc[about["days"][::-1], "bias"], models["value"]))
    return verdicts


def _never_worse(duels: pd.DataFrame, days: list[str], measure: str, model: str) -> Verdict:
    """At every date not worse than the best other contender, beyond the bootstrap error."""
    table = duels[(duels["measure"] == measure) & duels["date"].isin(days)]
    best = table.loc[table.groupby("date")["gain"].idxmax()]
    ahead = best[best["low"] > 0]
    found = "; ".join(
        f"{row.contender} ahead by {row.gain:.3g} ({row.low:.3g} to {row.high:.3g}) on {row.date}"
        for row in ahead.itertuples()
    )
    what = f"{WORDS[measure]} at no date clearly worse than the best other contender"
    return Verdict(what, model, ahead.empty, found or f"at {len(best)} dates")


def _calibrated(churn: pd.DataFrame, customers: dict[str, int], model: str) -> Verdict:
    """Over all dates together, which are enough customers; a single date may be too few to tell even right ones."""
    what = f"calibration error under {CALIBRATED} over {ENOUGH:,} customers or more"
    if (count := sum(customers.values())) < ENOUGH:
        return Verdict(what, model, True, f"there are {count:,}")
    worst = churn.loc[churn.loc[list(customers), "calibration_error"].idxmax()]
    found = f"{_error(churn.loc['all'])} over all dates; at worst {_error(worst)}, on {worst.name}"
    return Verdict(what, model, bool(churn.loc["all", "calibration_error"] < CALIBRATED), found)


def _error(row: pd.Series) -> str:
    return f"{row['calibration_error']:.3f} (right probabilities: {row['calibration_error_of_chance']:.3f})"


def _covered(value: pd.DataFrame, model: str) -> Verdict:
    share, what = value.loc["all", "coverage"], "90 % intervals hold 88 to 92 % of the customers"
    if pd.isna(share):
        return Verdict(what, model, False, "it tells no interval")
    return Verdict(what, model, bool(COVERED[0] <= share <= COVERED[1]), f"{share:.1%}")


def _total(value: pd.DataFrame, model: str) -> Verdict:
    """The total over all dates, where nothing ever changes."""
    off, what = value.loc["all", "bias"], "total spend within 5 % where the truth is stationary"
    return Verdict(what, model, bool(abs(off) <= TOTAL), f"{off:+.1%}")


def _totals(off: pd.Series, model: str) -> Verdict:
    """The total at every date of a real log."""
    found = "; ".join(f"{each:+.1%} on {day}" for day, each in off.items())
    what = "total spend within 10 % at every date of a real log"
    return Verdict(what, model, bool((off.abs() <= REAL_TOTAL).all()), found)


if __name__ == "__main__":
    main()
