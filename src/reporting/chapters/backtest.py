"""Chapter 8: which forecast is to be believed, by what came after past dates."""

from typing import Any

import pandas as pd
from great_tables import GT

from ...models.league import ALL, EARLIER
from ...models.line_up import NAIVE
from ...study import Study
from .. import tables, words

CHURN_MEASURE, VALUE_MEASURE = "log_loss", "mae"
"""The measure of each question whose differences are drawn."""


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
    if best == rule:
        return f"On who leaves, no model clearly beats the simple rule “{rule.lower()}”, which is the one to use: {last_test(study)} it told {told}."
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
                f"Forecasts were made as of {dates}, each for the {words.days(study.horizon_days)} that followed and for the {people} customers who were active.",
                how_learned(study),
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
        f"{name} {note.rstrip('.')}."
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
    gain = gains(study, "churn", CHURN_MEASURE, scope(study)).loc[best]
    return (
        f"{best} is chosen as {standing(study, 'churn')}, beyond the 90 % error, in log-loss and pairs told apart: on the dates of the choice its log-loss is better than the rule's by "
        f"{words.number(gain['gain'])} ({words.between(gain['low'], gain['high'], words.number)}). {read_rivals(study, 'churn', table['log_loss'].idxmin(), 'log-loss')}"
    )


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
    table, rule = gains(study, "churn", CHURN_MEASURE), about(study, "churn")["rule"]
    return _read_gains(table, rule, "log-loss")


def read_value_gains(study: Study) -> str:
    """The differences in a sentence."""
    table, rule = gains(study, "value", VALUE_MEASURE), about(study, "value")["rule"]
    return _read_gains(table, rule, "the mean error per customer")


def _read_gains(table: pd.DataFrame, rule: str, what: str) -> str:
    if table.empty:
        return f"Nobody but “{rule}” took part."
    better, worse = list(table.index[table["low"] > 0]), list(table.index[table["high"] < 0])
    said = [f"{words.listed(better)} {'beats' if len(better) == 1 else 'beat'} it"] if better else []
    said += [f"{words.listed(worse)} {'loses' if len(worse) == 1 else 'lose'} to it"] if worse else []
    rest = len(table) - len(better) - len(worse)
    said += [f"{rest} cannot be told from it"] if rest else []
    return f"By {what}, against “{rule.lower()}”: {words.listed(said)}. A line that crosses zero is a difference that chance may have made."


def churn_by_date(study: Study) -> pd.DataFrame:
    """Share of pairs told apart at each date, the earliest first; one column a contender."""
    return _by_date(study, "churn", "auc")


def value_by_date(study: Study) -> pd.DataFrame:
    """Normalised Gini at each date, the earliest first; one column a contender."""
    return _by_date(study, "value", "gini")


def _by_date(study: Study, game: str, score: str) -> pd.DataFrame:
    table = pd.DataFrame({day: scores(study, game, day)[score] for day in reversed(days(study))}).T
    # In two lines, so that they stand apart on a phone.
    return table.set_axis([f"{day.day} {day:%b}\n{day.year}" for day in pd.to_datetime(table.index)], axis=0)


def read_churn_by_date(study: Study) -> str:
    """Whether the winner wins everywhere."""
    return _read_dates(study, "churn", churn_by_date(study))


def read_value_by_date(study: Study) -> str:
    """Whether the winner wins everywhere."""
    return _read_dates(study, "value", value_by_date(study))


def _read_dates(study: Study, game: str, table: pd.DataFrame) -> str:
    best, rule = about(study, game)["winner"], about(study, game)["rule"]
    if best == rule:
        return f"“{rule}” is the one to use; the grey lines are forecasts that do not clearly beat it."
    ahead = int((table[best] > table[rule]).sum())
    told = f"{ahead} of {len(table)} dates" if len(table) > 1 else ("the one date" if ahead else "no date")
    return f"{best} is ahead of “{rule.lower()}” at {told}; what varies from date to date is how hard the period was to foresee."


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
        f"Assumed, not measured: a customer who is kept is worth {words.money(offer['value'], currency)} (a year of margin on what a staying customer spends), to make an offer costs "
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


def value_table(study: Study) -> GT:
    """The contenders on what customers spend, over all dates, as a table."""
    best, table, currency = (
        about(study, "value")["winner"],
        scores(study, "value").reset_index(),
        study.dataset.currency,
    )
    table["contender"] = table["contender"].map(lambda name: f"{name} (chosen)" if name == best else name)
    columns = {
        "contender": tables.text("Forecast, simplest first"),
        "gini": tables.percent("Normalised Gini"),
        "spearman": tables.percent("Rank correlation"),
        "mae": tables.money("Mean error per customer", currency),
        "rmse": tables.money("Root mean square", currency),
        "explained": tables.percent("Deviance explained"),
        "bias": tables.percent("Total off by"),
        "tenths": tables.percent("Tenths off by"),
        "orders_mae": tables.number("Mean error, purchase days"),
        "coverage": tables.percent("Inside the 90 % interval"),
        "width": tables.money("Its mean width", currency),
    }
    told = {name: column for name, column in columns.items() if table[name].notna().any()}
    return tables.table(
        table, title="Who foretells best what is spent, over all dates", columns=told, notes=[explain_value(study)]
    )


def explain_value(study: Study) -> str:
    """How to read the table."""
    return (
        "The Gini and the rank correlation judge the order of the customers, 100 % is perfect; the mean error is that of the median where a forecast tells one. "
        "The deviance judges order and level at once. Tenths are customers in ten groups by what was promised."
    )


def read_value(study: Study) -> str:
    """Who is chosen on value, and why."""
    found, table = about(study, "value"), scores(study, "value")
    best, rule, currency = found["winner"], found["rule"], study.dataset.currency
    if best == rule:
        return f"“{rule}” stays: no contender is better beyond the error in mean error, Gini or deviance without being worse in another."
    gain = gains(study, "value", VALUE_MEASURE, scope(study)).loc[best]
    return (
        f"{best} is chosen as {standing(study, 'value')}, beyond the 90 % error, in mean error, Gini and deviance: on the dates of the choice its mean error is smaller than that of “{rule.lower()}” by "
        f"{words.money(gain['gain'], currency)} ({words.between(gain['low'], gain['high'], lambda v: words.money(v, currency))}). "
        f"{read_rivals(study, 'value', table['mae'].idxmin(), 'mean error')}"
    )


def tenths(study: Study) -> pd.DataFrame:
    """Spend promised by the winner and realised on the last date, by groups of equal size."""
    table = study.tournament()["tenths"]
    return table[table["contender"] == about(study, "value")["winner"]]


def read_tenths(study: Study) -> str:
    """Whether the promised amounts come."""
    table, currency, name = tenths(study), study.dataset.currency, about(study, "value")["winner"]
    kept = int(table["promised"].between(table["low"], table["high"]).sum())
    top = table.iloc[-1]
    return (
        f"The promise of {name} lies inside the 90 % interval of what was spent in {kept} of {len(table)} groups; the group with the most promised was promised "
        f"{words.money(top['promised'], currency)} a customer and spent {words.money(top['realised'], currency)}. {read_coverage(study)}"
    ).rstrip()


def read_coverage(study: Study) -> str:
    """Whether the intervals hold what they promise, in a sentence; empty if there are none."""
    row = scores(study, "value", days(study)[0]).loc[about(study, "value")["winner"]]
    if pd.isna(row["coverage"]):
        return ""
    return f"{words.percent(row['coverage'])} of the customers spent an amount inside the 90 % interval given for them."


def limits(study: Study) -> str:
    """Where this chapter fails."""
    shaky = [
        note
        for notes in study.tournament()["about"]["notes"].values()
        for note in notes
        if not note.startswith("did not play")
    ]
    return (
        f"The intervals say how much other customers would change the verdict, not how much another year would: {past_dates(study)} lies in the same past, and a model that won in it may lose when prices, shops or seasons change. "
        "With many contenders some difference looks clear by chance. Only customers who were active are judged."
        + (f" For the analyst, fits warned: {' '.join(dict.fromkeys(shaky))}" if shaky else "")
    )


def meeting(study: Study) -> str:
    """One sentence for the meeting."""
    found, last = about(study, "churn"), scores(study, "churn", days(study)[0])
    best, rule = found["winner"], found["rule"]
    by = f"with {words.number(100 * last.loc[best, 'auc'])} of 100 pairs right"
    if best == rule:
        return f"Held against what came, nothing foretells clearly better who leaves than the simple rule “{rule.lower()}”, {by}."
    return f"Held against what came, {best} foretells who leaves {by}, against {words.number(100 * last.loc[rule, 'auc'])} by the simple rule “{rule.lower()}”."
