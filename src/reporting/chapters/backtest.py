"""Chapter 8: which forecast is to be believed, by what came after past dates."""

from collections.abc import Callable
from typing import Any

import pandas as pd
from great_tables import GT

from ...models.league import ALL, EARLIER
from ...models.line_up import NAIVE
from ...study import Study
from .. import marks, tables, words
from . import meaning

MEASURE = "log_loss"
"""The measure whose differences are drawn."""


def about(study: Study, game: str) -> dict[str, Any]:
    """Winner, rule, who played and who is beaten by whom; `game` is churn or value."""
    found: dict[str, Any] = study.tournament()["about"][game]
    return found


def days(study: Study) -> list[str]:
    """The tested dates, the latest first."""
    return list(study.tournament()["about"]["days"])


def scores(study: Study, game: str, date: str = ALL) -> pd.DataFrame:
    """Scores of all contenders over all dates, or at one; index contender, the simplest first."""
    table = study.tournament()[game]
    return table[table["date"] == date].drop(columns="date").set_index("contender")


def gains(study: Study, game: str, measure: str, date: str = ALL) -> pd.DataFrame:
    """How much better than the rule each contender is: index contender; gain, low, high, those not known left out."""
    table = study.tournament()[f"{game}_gains"]
    table = table[(table["date"] == date) & (table["measure"] == measure)]
    return table.set_index("contender")[["gain", "low", "high"]].dropna()


def answer(study: Study) -> str:
    """Three sentences: what was played, who leaves, what they spend."""
    players = len({*about(study, "churn")["playing"], *about(study, "value")["playing"]})
    return (
        f"At {past_dates(study)}, {players} forecasts of the same active customers were held against what came after. "
        f"{say_churn(study)} {say_value(study)}"
    )


def past_dates(study: Study) -> str:
    """How many dates were tested, as a clause."""
    count = len(days(study))
    return f"each of {count} past dates" if count > 1 else "one past date"


def say_churn(study: Study) -> str:
    """Who says best who leaves, in a sentence."""
    found, last = about(study, "churn"), scores(study, "churn", days(study)[0])
    best, rule = found["winner"], found["rule"]
    told = f"{words.number(100 * last.loc[best, 'auc'])} of 100 pairs of a leaver and a stayer right"
    if best in NAIVE:
        return f"On who leaves, no model clearly beats the simple rule “{best.lower()}”, which is the one to use: {last_test(study)} it told {told}."
    return (
        f"On who leaves, {best} is {standing(study, 'churn')}: {last_test(study)} it told {told}, "
        f"the simple rule “{rule.lower()}” {words.number(100 * last.loc[rule, 'auc'])}."
    )


def say_value(study: Study) -> str:
    """Who says best what is spent, in a sentence."""
    found, last = about(study, "value"), scores(study, "value", days(study)[0])
    best, currency = found["winner"], study.dataset.currency
    missed = f"it missed a customer's spend by {words.money(last.loc[best, 'mae'], currency)} on average and the total by {words.percent(abs(last.loc[best, 'bias']))}"
    if best in NAIVE:
        return f"On what they spend, no model clearly beats the simple rule “{best.lower()}”, which is the one to use: {last_test(study)} {missed}."
    return f"On what they spend, {best} is {standing(study, 'value')}: {last_test(study)} {missed}."


def standing(study: Study, game: str) -> str:
    """What the winner is, as the end of a clause."""
    found = about(study, game)
    if found["winner"] in found["beaten"]:
        return "the best of contenders none of which is safe from another"
    return "the simplest that no other clearly beats"


def last_test(study: Study) -> str:
    """The date whose figures are told, as a clause."""
    fresh = ", which the choice had not seen," if len(days(study)) > 1 else ""
    return f"on {words.day(days(study)[0])}{fresh}"


def rules(study: Study) -> str:
    """How the tournament was played, in sentences."""
    played = study.tournament()["about"]
    dates = words.listed(words.day(day) for day in reversed(played["days"]))
    few, many = min(played["customers"]), max(played["customers"])
    people = f"{words.count(few)} to {words.count(many)}" if few < many else words.count(few)
    return " ".join(
        filter(
            None,
            [
                f"Forecasts were made as of {dates}, each for the {words.days(study.horizon_days)} that followed and for the {people} {meaning.asked(study)}.",
                how_learned(study),
                meaning.unasked(study),
                left_out(study),
            ],
        )
    )


def how_learned(study: Study) -> str:
    """What contenders learned from, and how the winner was chosen, in sentences."""
    played = study.tournament()["about"]
    if not played["later"]:
        return "The log knows no earlier date to learn from: customers were forecast by what others did at the same time, which flatters every model."
    learned = f"Contenders learned from earlier dates alone, from {words.count(min(played['learned']))} outcomes"
    learned += (
        f" for the first to {words.count(max(played['learned']))} for the last."
        if len(set(played["learned"])) > 1
        else "."
    )
    if len(played["days"]) < 2:
        return f"{learned} One date is few: the winner was chosen on the very date whose figures are shown, and may owe some of them to luck."
    few = " A log of more periods would allow four." if len(played["days"]) < 4 else ""
    return f"{learned} The winner was chosen on all dates but the last; the last is a test that the choice has not seen.{few}"


def left_out(study: Study) -> str:
    """Who or what did not take part, in sentences; empty if all did."""
    played = study.tournament()["about"]
    said = [f"{words.day(day)} could not be tested: {reason}." for day, reason in played["skipped"].items()]
    said += [
        f"{name} {words.told(note.rstrip('.'))}."
        for name, notes in played["notes"].items()
        for note in notes
        if note.startswith("did not play")
    ]
    return " ".join(said)


def churn_table(study: Study) -> GT:
    """The contenders on who leaves, over all dates, as a table."""
    best, table = about(study, "churn")["winner"], scores(study, "churn").reset_index()
    table["contender"] = table["contender"].map(lambda name: f"{name} (chosen)" if name == best else name)
    return tables.table(
        table,
        title="Who foretells best who leaves, over all dates",
        columns={
            "contender": tables.text("Forecast, simplest first"),
            "auc": tables.percent("Pairs told apart"),
            "average_precision": tables.percent("Average precision"),
            "log_loss": tables.number("Log-loss"),
            "brier": tables.number("Brier score"),
            "calibration_error": tables.percent("Calibration error"),
            "lift": tables.number("Lift of the top tenth", decimals=1),
            "bias": tables.percent("Leavers off by"),
            "maximum_profit": tables.money("EMPC", study.dataset.currency),
        },
        notes=[explain_churn(study)],
    )


def explain_churn(study: Study) -> str:
    """How to read the table."""
    chance = scores(study, "churn").loc[about(study, "churn")["winner"], "calibration_error_of_chance"]
    return (
        "Lower log-loss and Brier score are better. Probabilities that are all right would show a calibration error of about "
        f"{words.percent(chance)} by chance. EMPC is the profit per customer of the best retention list, under the costs assumed below."
    )


def read_churn(study: Study) -> str:
    """Who is chosen on churn, and why."""
    found, table = about(study, "churn"), scores(study, "churn")
    best, rule = found["winner"], found["rule"]
    if best == rule:
        return f"“{rule}” stays: no contender is better beyond the error in log-loss or pairs told apart without being worse in the other."
    gain = gains(study, "churn", MEASURE, scope(study)).loc[best]
    return (
        f"{best} is chosen as {standing(study, 'churn')}, beyond the 90 % error, in log-loss and pairs told apart: on the dates of the choice its log-loss is "
        f"{by_how_much(gain, words.number)} than that of “{rule.lower()}”. {read_rivals(study, 'churn', table['log_loss'].idxmin(), 'log-loss')}"
    )


def by_how_much(gain: pd.Series, write: Callable[[float], str]) -> str:
    """A gain with its interval, as a clause."""
    better = gain["gain"] >= 0
    low, high = (gain["low"], gain["high"]) if better else (-gain["high"], -gain["low"])
    return f"{'better' if better else 'worse'} (by {write(abs(gain['gain']))}; 90 % interval {words.between(low, high, write)})"


def scope(study: Study) -> str:
    """Name of the dates on which the winner was chosen."""
    return EARLIER if len(days(study)) > 1 else ALL


def read_rivals(study: Study, game: str, best: str, measure: str) -> str:
    """Whether the chosen one also has the best figure, in a sentence."""
    chosen = about(study, game)["winner"]
    if best == chosen:
        return f"Over all dates it also has the best {measure}."
    return f"Over all dates {best} has the best {measure}, not by enough on the dates of the choice to be preferred."


def read_churn_gains(study: Study) -> str:
    """The differences in a sentence."""
    table, rule = gains(study, "churn", MEASURE), about(study, "churn")["rule"]
    return read_gains(table, rule, "log-loss")


def read_gains(table: pd.DataFrame, rule: str, what: str) -> str:
    """How many contenders beat a rule, in a sentence.

    Parameters
    ----------
    table : see `gains`.
    rule : what they are held against.
    what : the measure, in words.
    """
    if table.empty:
        return f"Nobody but “{rule.lower()}” took part."
    better, worse = table[table["low"] > 0], table[table["high"] < 0]
    level = len(table) - len(better) - len(worse)
    said = [
        f"{len(better)} of {len(table)} contenders are better beyond the error, {better['gain'].idxmax()} by most"
        if len(better)
        else f"none of {len(table)} contenders is better beyond the error"
    ]
    said += [f"{level} cannot be told from it"] if level else []
    said += [f"{len(worse)} {'is' if len(worse) == 1 else 'are'} worse"] if len(worse) else []
    return f"By {what}, against “{rule.lower()}”, {words.listed(said)}. A line that crosses zero is a difference that chance may have made."


def churn_by_date(study: Study) -> pd.DataFrame:
    """Share of pairs told apart at each date, the earliest first; one column a contender."""
    return by_date(study, "churn", "auc")


def by_date(study: Study, game: str, score: str) -> pd.DataFrame:
    """One score at each date, the earliest first; one column a contender."""
    table = pd.DataFrame({day: scores(study, game, day)[score] for day in reversed(days(study))}).T
    return table.set_axis(pd.to_datetime(table.index), axis=0)


def read_churn_by_date(study: Study) -> str:
    """Whether the winner wins everywhere."""
    return read_dates(study, "churn", churn_by_date(study))


def read_dates(study: Study, game: str, table: pd.DataFrame) -> str:
    """Whether the winner is ahead of the rule everywhere, by the score of `by_date`."""
    best, rule = about(study, game)["winner"], about(study, game)["rule"]
    marked = marks.read(study.events(), table.index[0], table.index[-1])
    if best == rule:
        return f"“{rule}” is the one to use; the grey lines are forecasts that do not clearly beat it.{marked}"
    ahead = int((table[best] > table[rule]).sum())
    told = f"{ahead} of {len(table)} dates" if len(table) > 1 else ("the one date" if ahead else "no date")
    return f"{best} is ahead of “{rule.lower()}” at {told}; what varies from date to date is how hard the period was to foresee.{marked}"


def calibration_curves(study: Study) -> dict[str, pd.DataFrame]:
    """Promised against realised churn on the last date, the winner first."""
    return {str(name): each for name, each in study.tournament()["calibration"].groupby("contender", sort=False)}


def read_calibration(study: Study) -> str:
    """Whether the winner's probabilities keep their promise."""
    name, curve = next(iter(calibration_curves(study).items()))
    row = scores(study, "churn", days(study)[0]).loc[name]
    kept = int(curve["promised"].between(curve["low"], curve["high"]).sum())
    return (
        f"The promise of {name} lies inside the 90 % interval of what happened in {kept} of {len(curve)} groups (nine in ten are to be expected). Its calibration error is "
        f"{words.percent(row['calibration_error'])}, of which chance alone would make {words.percent(row['calibration_error_of_chance'])}; "
        f"{words.count(row['expected'])} leavers were promised and {words.count(row['leavers'])} left."
    )


def profit_curves(study: Study) -> dict[str, pd.Series]:
    """Profit by share of the customers contacted on the last date, the winner first."""
    table = study.tournament()["profit"]
    return {str(name): each.set_index("share")["profit"] for name, each in table.groupby("contender", sort=False)}


def cut_off(study: Study) -> dict[str, float]:
    """The cut-off that was chosen on the earlier dates: probability, share, profit, everyone."""
    found: dict[str, float] = study.tournament()["about"]["cut_off"]
    return found


def assumed(study: Study) -> str:
    """What an offer is assumed to cost and to bring, in sentences."""
    offer, currency = study.tournament()["about"]["offer"], study.dataset.currency
    return (
        f"Assumed, not measured: a customer who is kept is worth {words.money(offer['value'], currency)} (a year of margin on what a staying customer spends{meaning.still_spent(study)}), to make an offer costs "
        f"{words.money(offer['contact'], currency)}, an offer that is taken {words.money(offer['incentive'], currency)}, and {words.percent(offer['accepted'])} of the leavers who get one stay. "
        f"Under these costs an offer pays from a probability of leaving of {words.percent(offer['break_even'])}; only a campaign with a control group can say what it would really bring."
    )


def read_profit(study: Study) -> str:
    """What the best cut-off would have earned."""
    found, currency = cut_off(study), study.dataset.currency
    name = about(study, "churn")["winner"]
    chosen = "chosen on the earlier dates" if len(days(study)) > 1 else "chosen on the same date"
    if found["share"] == 0:
        return f"By {name} no customer had a probability of leaving above the best cut-off ({chosen}): under these costs nobody should be contacted."
    return (
        f"Contacting those with a probability of at least {words.percent(found['probability'])} by {name} ({chosen}), {words.percent(found['share'])} of the active customers, would have earned "
        f"{words.money(found['profit'], currency)} per active customer under the assumed costs; contacting everyone, {words.money(found['everyone'], currency)}."
    )


def limits(study: Study) -> str:
    """Where this chapter fails."""
    shaky = [
        words.told(note)
        for notes in study.tournament()["about"]["notes"].values()
        for note in notes
        if not note.startswith("did not play")
    ]
    return (
        f"The intervals say how much other customers would change the verdict, not how much another year would: {past_dates(study)} lies in the same past, and a model that won in it may lose when prices, shops or seasons change. "
        "With many contenders some difference looks clear by chance. "
        f"Only {meaning.asked(study)} are judged. "
        f"{used(study)}" + (f" For the analyst, fits warned: {' '.join(dict.fromkeys(shaky))}" if shaky else "")
    )


def used(study: Study) -> str:
    """What the scores are made by, and where that is not what won here, in two sentences."""
    made = study.in_use()["about"]
    leaving, spent = made["churn"], made["value"]
    both = f"{leaving} says" if leaving == spent else f"{leaving} says who leaves, and {spent}"
    rest = "who leaves and what is spent" if leaving == spent else "what is spent"
    others = [name for game, name in made["winners"].items() if name != made[game]]
    why = (
        f" It is used, though {words.listed(dict.fromkeys(others))} did as well and is simpler, because it alone has intervals and reasons."
        if others
        else ""
    )
    return f"In the file of scores and on the page Churn {both} {rest}.{why} The page Lifetime value rests on the purchase model alone."


def meeting(study: Study) -> str:
    """One sentence for the meeting."""
    found, last = about(study, "churn"), scores(study, "churn", days(study)[0])
    best, rule = found["winner"], found["rule"]
    by = f"with {words.number(100 * last.loc[best, 'auc'])} of 100 pairs right"
    if best in NAIVE:
        return f"Held against what came, nothing foretells clearly better who leaves than the simple rule “{best.lower()}”, {by}."
    return f"Held against what came, {best} foretells who leaves {by}, against {words.number(100 * last.loc[rule, 'auc'])} by the simple rule “{rule.lower()}”."
