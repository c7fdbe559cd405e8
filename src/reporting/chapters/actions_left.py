"""Chapter 7, those who get nothing: who is left alone and why, and who is held out so that the effect can be told."""

import math

import pandas as pd
from great_tables import GT

from ...actions import NO_RULE, UNREACHED
from ...programme.design import Plan
from ...programme.regret import BEYOND, SURE, SURE_BUYER, TOO_DEAR, WORSE
from ...study import Study
from .. import tables, words
from .actions_numbers import (
    about,
    alone_by_reason,
    capital,
    cash,
    cells,
    contacted,
    has_chosen,
    hidden_in_sum,
    is_planned,
    secret_reasons,
    secret_rules,
)

__all__ = [
    "alone",
    "alone_by_segment",
    "has_alone",
    "has_holdouts",
    "has_segments",
    "holdouts",
    "read_alone",
    "read_holdouts",
    "said",
]

TOLD = {
    NO_RULE: ("No rule is for them", "no rule is for them", "nothing is to be said to them today"),
    UNREACHED["cool-down"]: (
        "In a cool-down",
        "they had the same action lately",
        "they had the same action not long ago",
    ),
    UNREACHED["most contacts"]: (
        "Contacted lately",
        "they were contacted lately",
        "they had as many contacts as they may have",
    ),
    UNREACHED["consent"]: ("No consent", "they gave no consent", "they have not agreed to be contacted by the channel"),
    WORSE: ("Contact makes worse", "contact makes it worse", "they were shown to buy less when contacted"),
    SURE_BUYER: (
        "Buy anyway",
        "they will buy anyway",
        f"with a probability of {words.percent(SURE)} or more they buy without a contact",
    ),
    TOO_DEAR: (
        "Costs more than it brings",
        "it would cost more than it brings",
        "no action is expected to bring what it costs",
    ),
    BEYOND: (
        "Beyond the limits",
        "budget or contacts go to others",
        "an action would pay, but budget or contacts go to others",
    ),
}
"""Reason → how a page calls it, why in a sentence, and what it means; in the order in which it is decided."""


MANY = 52
"""Runs that nobody waits for."""


def has_alone(study: Study) -> bool:
    """Whether enough customers get nothing to tell why."""
    return is_planned(study) and bool(alone_by_reason(study).sum() >= study.dataset.privacy.minimum_cell)


def _by_reason(study: Study) -> pd.DataFrame:
    """Customers who get nothing by reason, reasons of few put together: reason, because, means, customers, share."""
    raw, secret = alone_by_reason(study), secret_reasons(study)
    groups = [[str(name)] for name in secret.index[~secret]]
    groups += [[str(name) for name in secret.index[secret]]] if secret.any() else []
    rows = []
    for names in groups:
        label, because, means = (" or ".join(TOLD[name][part] for name in names) for part in range(3))
        rows.append((capital(label.lower()), because, capital(means), int(raw[names].sum())))
    frame = pd.DataFrame(rows, columns=["reason", "because", "means", "customers"]).astype({"customers": "int64"})
    frame = frame[frame["customers"] >= study.dataset.privacy.minimum_cell]
    return frame.assign(share=frame["customers"] / about(study)["customers"])


def alone(study: Study) -> GT:
    """Who gets nothing, by reason, as a table."""
    return tables.table(
        _by_reason(study),
        title="Who is left alone, and why",
        columns={
            "reason": tables.text("Reason"),
            "customers": tables.count("Customers"),
            "share": tables.percent("Share of all customers"),
            "means": tables.text("That is"),
        },
        notes="Counted, so without an interval: each customer once, under the first reason that stops the last action left. Reasons of few customers are put together.",
    )


def said(study: Study) -> str:
    """The largest reasons in words, for a sentence; empty where none has enough customers."""
    largest = _by_reason(study).nlargest(2, "customers")
    if largest.empty:
        return ""
    if largest["customers"].iloc[0] == alone_by_reason(study).sum():
        return f"all because {largest['because'].iloc[0]}"
    return words.listed(f"{words.count(row.customers)} because {row.because}" for row in largest.itertuples())


def read_alone(study: Study) -> str:
    """What the reasons rest on, and which of them could be changed."""
    raw, most = alone_by_reason(study), said(study)
    none = [f"because {TOLD[name][1]}" for name in (WORSE, BEYOND) if raw[name] == 0]
    text = f"Of those left alone, {most}." if most else "Too few are left alone for any one reason to tell of it."
    if none:
        text += f" Nobody is left alone {' or '.join(none)}."
    if about(study)["assumed"]:
        text += (
            " Who buys less when contacted only a measured effect can show; an assumed one is the same for everybody."
        )
    return f"{text} Whether someone buys anyway is the forecast of page 4, with its errors."


def has_segments(study: Study) -> bool:
    """Whether anyone with an action at hand gets none, of enough customers to tell by segment."""
    if not has_alone(study):
        return False
    wide, secret = _segments(study)
    return bool(((wide > 0) & ~secret).any(axis=None))


def _segments(study: Study) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Customers with an action at hand who get none: index segment, columns reasons; and which of them are hidden."""
    frame, minimum = study.actions()["alone_by_segment"], study.dataset.privacy.minimum_cell
    wide = frame.pivot(index="segment", columns="reason", values="customers").fillna(0).astype("int64")
    wide = wide[[name for name in TOLD if name in wide]]
    untold = secret_reasons(study).reindex(wide.columns).to_numpy(dtype=bool)
    return wide, hidden_in_sum(wide.mask(untold[None, :] & (wide > 0), 1), minimum)


def alone_by_segment(study: Study) -> GT:
    """Of those with an action at hand who get none, how many by segment and reason, as a table."""
    (wide, secret), minimum = _segments(study), study.dataset.privacy.minimum_cell
    told = pd.DataFrame({name: cells(wide[name], secret[name], minimum) for name in wide})
    columns: dict[str, tables.Column | str] = {"segment": tables.text("Segment")}
    columns |= {str(name): tables.count(TOLD[str(name)][0]) for name in wide}
    return tables.table(
        told.rename_axis("segment").reset_index(),
        title="Those with an action at hand who get none, by segment",
        columns=columns,
        notes="Counted, so without an interval. Numbers by which a small group could be worked out are hidden with it.",
    )


# Who is held out


def has_holdouts(study: Study) -> bool:
    """Whether anyone is held out."""
    return has_chosen(study) and bool((study.actions()["holdouts"]["share"] > 0).any())


def holdouts(study: Study) -> GT:
    """How many of each action are held out, and what that will show, as a table."""
    frame, secret, currency = _holdouts(study), secret_rules(study), study.dataset.currency
    minimum = study.dataset.privacy.minimum_cell
    told = frame.assign(
        customers=cells(frame["customers"], secret, minimum),
        held_out=cells(frame["held_out"], secret | frame["held_out"].round().between(1, minimum - 1), minimum),
        shows=frame["shows"].mask(secret),
        pays=frame["pays"].mask(secret),
    ).reset_index()
    return tables.table(
        told.assign(rule=told["rule"].str.capitalize()),
        title="Who is held out by chance, and what that will show",
        columns={
            "rule": tables.text("Action"),
            "customers": tables.count("Chosen"),
            "share": tables.percent("Held out"),
            "held_out": tables.count("That is about"),
            "shows": tables.money("Least effect that will show, spend a customer", currency),
            "pays": tables.money("Effect from which it pays", currency),
        },
        notes=f"In the {words.days(study.horizon_days)} after the contact, with a power of {words.percent(Plan().power)} at a {words.percent(Plan().level)} interval. Without a number: too few customers for one run to show anything.",
    )


def _holdouts(study: Study) -> pd.DataFrame:
    """Of each chosen rule: customers, share, held_out, shows and pays (money a customer)."""
    frame = study.actions()["holdouts"].set_index("rule")
    done = contacted(study)
    cost = done["spent"] / done["contacted"]
    return pd.DataFrame(
        {
            "customers": done["customers"],
            "share": frame["share"],
            "held_out": done["held_out"],
            "shows": frame["shows"],
            "pays": cost / study.dataset.study.margin,
        }
    ).loc[done.index]


def read_holdouts(study: Study) -> str:
    """Whether next month will tell if the actions pay."""
    if not has_chosen(study):
        return "Nobody is held out, for nothing is done."
    if not has_holdouts(study):
        return "**Nobody is held out** (`actions.hold_out`): what these actions change will never be known, and next month's values will be as assumed as these."
    draw = "A secret key draws who is held out: the same customers if the list is made again, others for the next campaign."
    return f"{_shown(study, _holdouts(study)[~secret_rules(study)])} {draw}"


def _shown(study: Study, frame: pd.DataFrame) -> str:
    """What one run will show, and how many more customers it would take."""
    if frame.empty:
        return "What each will show is not told, since it would tell of few customers."
    some = frame[frame["shows"].notna()]
    if some.empty:
        return "No action has enough customers for one run to show anything: several runs have to be read together."
    enough = some[some["shows"] <= some["pays"]]
    if len(enough):
        return f"Of {words.listed(f'*{name}*' for name in enough.index)} the next run will tell whether it pays."
    best = some.loc[some["shows"].idxmin()]
    text = f"Of *{best.name}* an effect of {cash(study, best['shows'])} a customer or more will show, either way; it pays from {cash(study, best['pays'])} on."
    if not best["pays"] > 0:
        return text
    times = (best["shows"] / best["pays"]) ** 2
    if times > MANY:
        return f"{text} To tell whether something so cheap pays would take about {words.whole(times)} times as many customers: great good or harm is all that will be seen."
    return f"{text} About {words.whole(math.ceil(times))} runs read together will tell whether it pays."
