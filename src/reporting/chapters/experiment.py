"""Chapter 5, of an experiment: who was given what, were the arms alike, what did it change, and did it pay?"""

import pandas as pd
from great_tables import GT

from ...experiments import Experiment
from ...programme.effect import Effect, Interval
from ...programme.trial import IMPOSSIBLE
from .. import tables, words
from .experiment_numbers import best_arm, change, ends, level, signed
from .experiment_value import profit_in_short

UNLIKELY = 0.05
FACTS_SHOWN = 15


def answer(trial: Experiment) -> str:
    """The answer of the page, in a few sentences."""
    outcome = trial.main_outcome
    told = [f"{read_effect(trial, outcome, arm)}." for arm in trial.arms[:3]]
    told.append(profit_in_short(trial) or "Chance alone decided who was given what, so these are effects.")
    return " ".join(told)


def read_effect(trial: Experiment, outcome: str, arm: str) -> str:
    """What one arm changed in one outcome, without a full stop."""
    effect = trial.effects()[outcome, arm]
    if not effect.identified:
        return f"What {arm} changed in {outcome} cannot be told: {words.told(effect.refusals[0]).rstrip('.')}"
    interval = f"90 % interval {ends(trial, outcome, effect.found)}"
    if not effect.clear:
        return f"{arm} changed {outcome} by {change(trial, outcome, effect.found.estimate)}, no more than chance ({interval})"
    way = "raised" if effect.found.estimate > 0 else "lowered"
    size = change(trial, outcome, effect.found.estimate).lstrip("+−")
    return f"{arm} {way} {outcome} by {size} ({interval})"


# Who was given what


def arms(trial: Experiment) -> GT:
    """The arms with their sizes, as a table."""
    everyone = int(trial.sizes.sum())
    rows = [
        {
            "arm": f"{arm} (control)" if arm == trial.control else arm,
            "customers": int(size),
            "share": size / everyone,
            "planned": trial.planned.get(str(arm)),
        }
        for arm, size in trial.sizes.items()
    ]
    columns: dict[str, tables.Column | str] = {
        "arm": tables.text("Arm"),
        "customers": tables.count("Customers"),
        "share": tables.percent("Share"),
    }
    if trial.planned:
        columns["planned"] = tables.percent("Planned")
    return tables.table(pd.DataFrame(rows), title="Who was given what", columns=columns)


def read_arms(trial: Experiment) -> str:
    """Whether the arms have the sizes that were planned."""
    everyone, chance = words.count(trial.sizes.sum()), trial.mismatch()
    told = f"{everyone} customers took part, in {len(trial.sizes)} arms."
    fits = chance is None or chance >= IMPOSSIBLE
    if trial.planned and fits:
        return f"{told} The sizes are the planned ones, as far as chance allows (p = {words.chance(chance)})."
    if trial.planned:
        return f"{told} The sizes are not the planned ones (p = {words.chance(chance, 1)}): customers were lost or moved after the draw, and no effect is told."
    if fits:
        return f"{told} Which shares were planned the dataset file does not say (`experiment.planned`); equal ones would fit (p = {words.chance(chance)})."
    return f"{told} The shares are not equal, and the dataset file does not say which were planned: write them down (`experiment.planned`), so that the draw can be checked."


def is_odd(trial: Experiment) -> bool:
    """Whether there is something to tell about the table."""
    return bool(trial.findings)


def read_findings(trial: Experiment) -> str:
    """What is odd about the table."""
    minimum = trial.dataset.privacy.minimum_cell
    return "\n".join(
        f"- {words.told(found['detail'])}: {words.count(found['count']) if found['count'] >= minimum else f'fewer than {minimum}'}."
        for found in trial.findings
    )


# Were the arms alike before?


def differences(trial: Experiment) -> pd.DataFrame:
    """Facts from before in which arms differ most, see `programme.balance.differences`."""
    table: pd.DataFrame = trial.balance()["differences"]
    size = table["difference"].abs().groupby(table["fact"]).max()
    shown = size.sort_values(ascending=False, kind="stable").index[:FACTS_SHOWN]
    return table[table["fact"].isin(shown)].reset_index(drop=True)


def knows_before(trial: Experiment) -> bool:
    """Whether anything is known from before."""
    return not trial.balance()["differences"].empty


def read_balance(trial: Experiment) -> str:
    """Whether the arms were alike before, in words."""
    if not knows_before(trial):
        return "Nothing is known of the customers from before the experiment, so that nothing but the sizes of the arms tells whether chance decided."
    table = trial.balance()["differences"]
    first = table.loc[table["difference"].abs().idxmax()]
    inside = table["low"].le(0) & table["high"].ge(0)
    # Several arms are held against one control group.
    chances = [chance for chance in trial.balance()["alike"].values() if chance is not None]
    chance = min(1.0, min(chances) * len(chances)) if chances else 1.0
    verdict = (
        "as chance makes them"
        if chance >= UNLIKELY
        else "more than chance makes them differ 19 times in 20"
        if chance >= IMPOSSIBLE
        else "which chance does not explain: take no effect on this page for one before that is cleared up"
    )
    return (
        f"Over all {table['fact'].nunique()} facts from before, the arms differ from the control group {verdict} (p = {words.chance(chance)}). The 90 % interval holds zero in "
        f"{inside.sum()} of {len(table)} comparisons (nine in ten are to be expected); furthest apart is {first['arm']} in {first['fact']}, by {words.number(abs(first['difference']))} standard deviations."
    )


# What did it change?


def lifts(trial: Experiment) -> pd.DataFrame:
    """Effects in units of the control group's mean: label, estimate, low, high, and the plain ones (raw, raw_low, raw_high)."""
    rows = []
    for (outcome, arm), effect in trial.effects().items():
        mean = trial.levels.at[outcome, trial.control]
        if not effect.identified or not mean > 0:
            continue
        plain = effect.raw or effect.found
        found = [value / mean for value in (effect.found.estimate, effect.found.low, effect.found.high)]
        found += [value / mean for value in (plain.estimate, plain.low, plain.high)]
        rows.append([f"{outcome}: {arm}", *found])
    return pd.DataFrame(rows, columns=["label", "estimate", "low", "high", "raw", "raw_low", "raw_high"])


def effects(trial: Experiment) -> GT:
    """What each arm changed in each outcome, as a table."""
    rows = [_row(trial, outcome, arm, effect) for (outcome, arm), effect in trial.effects().items()]
    return tables.table(
        pd.DataFrame(rows),
        title="What each arm changed",
        columns={
            "outcome": tables.text("Outcome"),
            "arm": tables.text("Arm"),
            "control": tables.text("Control"),
            "raw": tables.text("Difference (90 %)"),
            "found": tables.text("Past taken out (90 %)"),
        },
        notes=[_units(trial), _past(trial)],
    )


def _units(trial: Experiment) -> str:
    """What the numbers of the table are in."""
    kinds = {"money": f"{trial.dataset.currency} a customer", "share": "share of the customers, differences in points"}
    told = [f"{outcome}: {kinds.get(trial.kind(outcome), 'mean a customer')}" for outcome in trial.table.outcomes]
    return f"{'; '.join(told)}."


def _past(trial: Experiment) -> str:
    if trial.table.history:
        return "Past taken out: CUPED, which compares customers with others of the same history."
    return "Nothing is known from before, so that there is only the difference as it is."


def _row(trial: Experiment, outcome: str, arm: str, effect: Effect) -> dict[str, str]:
    def told(found: Interval | None) -> str:
        if not effect.identified or found is None:
            return "not told"
        size = change(trial, outcome, found.estimate).removesuffix(" a customer").removesuffix(" points")
        # An interval stays in one line, under the difference where a phone has no room beside it.
        return f"{size} ({ends(trial, outcome, found).removesuffix(' points')})".replace(" to ", "\u00a0to\u00a0")

    return {
        "outcome": outcome,
        "arm": arm,
        "control": level(trial, outcome, trial.levels.at[outcome, trial.control]),
        "raw": told(effect.raw or effect.found),
        "found": told(effect.found if trial.table.history else None),
    }


def read_effects(trial: Experiment) -> str:
    """The effects on the main outcome and how many of all are clear."""
    told = [effect for effect in trial.effects().values() if effect.identified]
    if not told:
        return f"No effect is told: {words.told(next(iter(trial.effects().values())).refusals[0])}"
    clear = sum(effect.clear for effect in told)
    outcome = trial.main_outcome
    first = "; ".join(read_effect(trial, outcome, arm) for arm in trial.arms[:3])
    return f"{first}. Beyond chance are {clear} of {len(told)} effects; one in ten would be by chance alone if nothing had an effect."


def read_lifts(trial: Experiment) -> str:
    """The figure of the effects, in a sentence."""
    table = lifts(trial)
    if table.empty:
        return "No effect can be drawn."
    first = table.loc[table["estimate"].abs().idxmax()]
    gain = _narrower(trial)
    return (
        f"Largest, against what the control group does, is {first['label']}: {signed(words.percent, first['estimate'])} "
        f"({signed(words.percent, first['low'])} to {signed(words.percent, first['high'])}).{gain}"
    )


def _narrower(trial: Experiment) -> str:
    """What the history gives."""
    told = trial.effects()[trial.main_outcome, trial.arms[0]]
    if not trial.table.history or not told.identified or told.raw is None:
        return ""
    width = (told.found.high - told.found.low) / (told.raw.high - told.raw.low)
    if width > 0.98:
        return " What is known from before tells next to nothing of what came after, so that the two hardly differ."
    return f" Knowing the past makes the interval of {trial.main_outcome} {words.percent(1 - width)} narrower."


def doubts(trial: Experiment) -> str:
    """What must hold for the differences to be effects, and the checks of it."""
    effect = trial.effects()[trial.main_outcome, trial.arms[0]]
    lines = [f"- {line}" for line in effect.assumptions]
    lines += [f"- {words.told(placebo.reading)}" for placebo in effect.placebos]
    lines += [f"- {words.told(note)}" for note in effect.notes if "most extreme" in note]
    return "\n".join(lines)


# Closing


def limits(trial: Experiment) -> str:
    """Where this chapter fails."""
    return (
        "The effects are those of these customers, in those weeks, with that offer; another season or another list may respond otherwise. What came after the days that the "
        "table counts is not in it: a purchase that was only made earlier looks like one more. Each interval is for itself; of many effects some are clear by chance."
    )


def meeting(trial: Experiment) -> str:
    """One sentence for the meeting."""
    told = read_effect(trial, trial.main_outcome, best_arm(trial))
    return f"In an experiment with {words.count(trial.sizes.sum())} customers, {told}."
