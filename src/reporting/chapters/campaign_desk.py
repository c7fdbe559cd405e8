"""Chapter 5, continued: how surely the next campaign would show an effect, and how long it must be watched."""

import pandas as pd
from great_tables import GT

from ...study import Study
from .. import tables, words
from .campaign_numbers import about


def powers(study: Study) -> pd.DataFrame:
    """How surely effects of several sizes show, see `programme.design.power_curve`."""
    return pd.DataFrame(about(study)["desk"]["power_curve"])


def read_powers(study: Study) -> str:
    """The chance that half of the least effect is seen, and twice of it."""
    desk, currency = about(study)["desk"], study.dataset.currency
    curve, least = powers(study), desk["least_effect"]["cuped"]
    if curve.empty or least is None:
        return "How surely an effect shows cannot be told of so few customers."
    half, double = (curve.iloc[(curve["effect"] - part * least).abs().argmin()] for part in (0.5, 2.0))
    sizes = [words.money(row["effect"], currency) for row in (half, double)]
    return (
        f"If {words.percent(desk['hold_out'])} are held out, an effect of {sizes[0]} a customer shows in {100 * half['cuped']:.0f} of 100 campaigns, "
        f"one of {sizes[1]} in {100 * double['cuped']:.0f}."
    )


def durations(study: Study) -> GT:
    """Least effects by how long customers are watched, as a table."""
    currency = study.dataset.currency
    return tables.table(
        pd.DataFrame(about(study)["desk"]["by_days"]),
        title="Least effect that a campaign would show, by how long it is watched",
        columns={
            "days": tables.count("Days"),
            "mean": tables.money("Spend a customer", currency),
            "cuped": tables.money("Least effect, with the past", currency),
            "cuped_relative": tables.percent("of spend"),
            "plain": tables.money("Least effect, without", currency),
            "plain_relative": tables.percent("of spend, without"),
        },
        notes=[f"If {words.percent(about(study)['desk']['hold_out'])} of the active customers are held out."],
    )


def read_durations(study: Study) -> str:
    """Whether watching longer shows smaller effects, of those measured."""
    rows = pd.DataFrame(about(study)["desk"]["by_days"]).dropna(subset=["cuped_relative"])
    if len(rows) < 2:
        return "The log is too short to say whether watching longer would show smaller effects."
    best = rows.loc[rows["cuped_relative"].idxmin()]
    return (
        f"An effect that lasts as long as it is watched shows best after {words.days(int(best['days']))}, "
        f"from {words.percent(best['cuped_relative'])} of spend on."
    )
