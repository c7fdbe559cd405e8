"""Who is still a customer."""

import numpy as np
import pandas as pd

from ....study import Study
from ... import words
from .models import in_use


def alive(study: Study) -> pd.DataFrame:
    """Mean probability of still being a customer by silence and past purchases, groups below the smallest cell left out."""
    each = study.value()["customers"]
    each = each.assign(days_since_last=each["T"] - each["recency"])
    width = max(7, round(each["days_since_last"].quantile(0.95) / 10 / 7) * 7)
    names = {(1, 2): "1–2", (3, 9): "3–9", (10, np.inf): "10 or more"}
    parts = []
    for (low, high), name in names.items():
        group = each[each["frequency"].between(low, high)]
        middle = (group["days_since_last"] // width) * width + width / 2
        table = group.groupby(middle)["probability_alive"].agg(["mean", "size"])
        table = table[table["size"] >= study.dataset.privacy.minimum_cell].rename_axis("days_since_last").reset_index()
        parts.append(table.rename(columns={"mean": "probability_alive", "size": "customers"}).assign(frequency=name))
    return pd.concat(parts, ignore_index=True)


def read_alive(study: Study) -> str:
    """The figure in a sentence."""
    totals = study.value()["totals"]
    return (
        f"About {words.number(totals['repeat_buyers_alive'])} of the {words.count(totals['repeat_buyers'])} customers with a repeat purchase are customers still, by this model. "
        f"Those with a single purchase are not drawn: {of_single_purchases(study)}."
    )


def of_single_purchases(study: Study) -> str:
    """What the model can know of who has bought once, the end of a sentence."""
    blind = in_use(study) in ("NBD", "BG/NBD", "BG/CNBD-k")
    return (
        "this model sees no sign of leaving before a second one"
        if blind
        else "there is no pause between purchases to judge them by"
    )


def grid_title(study: Study) -> str:
    """What the two maps of histories show, a title and not a sentence."""
    return f"customers known for {words.days(study.value()['pictured']['age_days'])}"


def read_alive_grid(study: Study) -> str:
    """P(alive) over histories in a sentence."""
    grid = study.value()["grid"]
    age = grid["recency"].max()
    off = (grid["recency"] - age / 2).abs()
    half = grid[off == off.min()]
    rare, often = half.iloc[0], half.iloc[-1]
    return (
        "Read down a column: the longer ago the last purchase, the surer the model that the customer has left. After "
        f"{words.days(age - float(rare['recency']))} of silence the probability is {words.percent(rare['probability_alive'])} for one with "
        f"{words.count(rare['frequency'])} repeat{'' if rare['frequency'] == 1 else 's'} and {words.percent(often['probability_alive'])} for one with "
        f"{words.count(often['frequency'])}: the same pause says more of a frequent buyer."
    )


def read_purchases_grid(study: Study) -> str:
    """Expected purchases over histories in a sentence."""
    grid = study.value()["grid"]
    best = grid.loc[grid["expected_purchases"].idxmax()]
    often = grid[grid["frequency"] == grid["frequency"].max()]
    gone = often[often["expected_purchases"] < 1]
    text = (
        f"Most is expected of who has come back {words.count(best['frequency'])} times and was there lately: {words.number(best['expected_purchases'])} purchase days in the next "
        f"{words.days(study.horizon_days)}."
    )
    if gone.empty:
        return text
    since = grid["recency"].max() - gone["recency"].max()
    return f"{text} Of who bought as often but has been silent for {words.days(since)} or more, less than one."


def read_story(study: Study) -> str:
    """The invented customer's history in a sentence."""
    value = study.value()
    story, bought = value["story"].set_index("day")["probability_alive"], value["pictured"]["purchases"]
    gap, pause = bought[1] - bought[0], bought[5] - bought[4]
    return (
        f"Nobody's history: it buys every {words.days(gap)} as half of the repeat buyers do, pauses for {words.days(pause)}, comes back three times and falls silent. Before it "
        f"comes back the model gives it {words.percent(story[bought[5] - 1])}, at the end {words.percent(story.iloc[-1])}. Each purchase lifts the doubt at once; silence brings it back by degrees."
    )
