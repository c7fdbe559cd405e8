"""Chapter 6, the customers who matter most: who they are, what they are worth, and how many may leave."""

from typing import Any

import pandas as pd
from great_tables import GT

from ... import notation
from ...high_value_customers import GIVEN
from ...study import Study
from .. import tables, words
from ..privacy import hidden, suppress

NAMES = {"spend": "By spend", "margin": "By margin", "clv": "By CLV"}
KINDS = {"category": "categories", "channel": "channels", "store": "stores"}
APART = 1.1
"""How many times the others' share a share is to be called larger."""


def about(study: Study) -> dict[str, Any]:
    """Facts about the definitions, see `high_value_customers.high_value`."""
    told: dict[str, Any] = study.high_value()["about"]
    return told


def has_high_value(study: Study) -> bool:
    """Whether enough customers are of high value by spend to tell of them."""
    return about(study)["known"] and bool(_of(study, "spend")["customers"] >= study.dataset.privacy.minimum_cell)


def _of(study: Study, definition: str, *, high: bool = True) -> pd.Series:
    frame = study.high_value()["groups"]
    row: pd.Series = frame[(frame["definition"] == definition) & (frame["high_value"] == high)].iloc[0]
    return row


def _told(study: Study) -> list[str]:
    """Definitions of which the group, and those outside it, are large enough to tell of."""
    minimum = study.dataset.privacy.minimum_cell
    sizes = {name: [_of(study, name, high=high)["customers"] for high in (True, False)] for name in NAMES}
    return [
        name for name, (inside, outside) in sizes.items() if inside >= minimum and (outside >= minimum or not outside)
    ]


def _by(definition: str) -> str:
    """The definition inside a sentence."""
    return NAMES[definition].replace("By", "by")


def opening(study: Study) -> str:
    """The answer of the page on those who matter most."""
    if not about(study)["known"]:
        return "Nobody paid anything in the last year, so that no customer is of high value."
    if not has_high_value(study):
        return f"Fewer than {study.dataset.privacy.minimum_cell} customers spent {_threshold(study)} or more in the last year, too few to tell of."
    row = _of(study, "spend")
    text = (
        f"{words.count(row['customers'])} customers ({words.percent(row['share_of_customers'])} of the last year's buyers) spent {_threshold(study)} or more; "
        f"they brought {words.percent(row['share_of_spend'])} of the spend."
    )
    return f"{text} {_risk_in_short(study)}"


def _threshold(study: Study) -> str:
    """A rule and no estimate: to the unit."""
    currency = study.dataset.currency
    return f"{words.symbol(currency)}{words.exactly(about(study)['threshold'])}"


def _risk_in_short(study: Study) -> str:
    row, minimum = _risk(study, "spend"), study.dataset.privacy.minimum_cell
    if row["scored"] < minimum:
        return "Too few of them are active to say how many may leave."
    leavers = f"{words.whole(row['leavers'])} ({words.between(row['leavers_low'], row['leavers_high'], words.whole)})"
    return (
        f"Of the {words.count(row['scored'])} of them who are active, about {leavers} are expected to buy nothing in the next {words.days(about(study)['horizon_days'])} "
        "(90 % interval of chance alone)."
    )


def rules(study: Study) -> str:
    """The three definitions in words."""
    facts = about(study)
    chosen = (
        f"`{GIVEN}`"
        if facts["tier"] == GIVEN
        else f"the threshold of {facts['tier']}"
        if facts["tier"]
        else f"assumed, a round number near the spend that {words.percent(facts['below'])} of the buyers stay below, for no yearly tier names one"
    )
    share, horizon = words.percent(facts["share"]), words.days(facts["horizon_days"])
    return (
        f"By spend: {_threshold(study)} or more in the last 365 days, net of returns ({chosen}). "
        f"By margin: the fewest customers who together made {share} of the last year's margin; with one margin for everything that is sold this is the same share of the spend. "
        f"By CLV: the fewest active customers who together hold {share} of the margin that is expected of all active ones in the next {horizon}."
    )


# Who they are


def groups(study: Study) -> GT:
    """The three groups, each beside all other buyers, as a table."""
    frame, minimum = study.high_value()["groups"], study.dataset.privacy.minimum_cell
    parts = [suppress(part, "customers", minimum) for _, part in frame.groupby("definition", sort=False)]
    cells = pd.concat(parts)
    cells["who"] = [
        NAMES[name] if high else "… all others"
        for name, high in zip(cells["definition"], cells["high_value"], strict=True)
    ]
    currency = study.dataset.currency
    columns = {
        "who": tables.text("Who"),
        "customers": tables.count("Bought last year"),
        "share_of_customers": tables.percent("Share of buyers"),
        "share_of_spend": tables.percent("Share of spend"),
        "spend_each": tables.money("Spend each", currency),
        "purchase_days_each": tables.number("Purchase days each"),
        "discount_share": tables.percent("Bought at a discount of"),
    }
    return tables.table(
        cells,
        title="The most valuable customers beside all others, last 365 days",
        columns={name: column for name, column in columns.items() if name in cells},
        notes=_sampled(study),
    )  # fmt: skip


def _sampled(study: Study) -> str:
    facts = about(study)
    return words.sampled(
        "What rests on scores, and what they buy,", facts["scored"], facts["active"], "active customers"
    )


def read_groups(study: Study) -> str:
    """How they differ from others, in what they spend and in how price-sensitive they are."""
    if not (named := _told(study)):
        return "Too few customers are of high value to describe them."
    high, others = _of(study, named[0]), _of(study, named[0], high=False)
    currency = study.dataset.currency
    text = (
        f"{NAMES[named[0]]}, one of them spent {words.money(high['spend_each'], currency)} in the year and came on {words.number(round(high['purchase_days_each'], 1))} days, "
        f"one of the others {words.money(others['spend_each'], currency)} on {words.number(round(others['purchase_days_each'], 1))}."
    )
    if "discount_share" not in high or pd.isna(high["discount_share"]) or pd.isna(others["discount_share"]):
        return f"{text} How price-sensitive they are the log does not tell (`transactions.discount`)."
    mine, theirs = high["discount_share"], others["discount_share"]
    more = "more" if mine > theirs * APART else "less" if theirs > mine * APART else "no more"
    return f"{text} Discounts took {words.percent(mine)} off what they bought and {words.percent(theirs)} off what others did: they are {more} price-sensitive by this measure."


def has_mix(study: Study, kind: str) -> bool:
    """Whether it is known what they buy, or where, by category, channel or store."""
    return has_high_value(study) and len(mix(study, kind)) > 1


def mix(study: Study, kind: str) -> pd.DataFrame:
    """What high-value customers pay for, or where, see `tier_figures.mix`; small cells left out.

    They are those by spend, or where they are too few by margin or by CLV; definition says which.
    """
    minimum = study.dataset.privacy.minimum_cell
    every = study.high_value()["mix"]
    found = every.head(0)
    for name in NAMES:
        frame = every[(every["definition"] == name) & (every["kind"] == kind)].set_index("name")
        few = hidden(frame["customers"], minimum) | hidden(frame["other_customers"], minimum)
        found = frame[~few & (frame["customers"] > 0) & (frame["other_customers"] > 0)]
        if len(found) > 1:
            break
    # A number alone would not say that it is a store.
    return found.rename(index=lambda name: f"store {name}") if kind == "store" else found


def read_mix(study: Study, kind: str) -> str:
    """Where they differ most from others."""
    frame = mix(study, kind)
    first = frame.iloc[0]
    text = f"Of what high-value customers {_by(first['definition'])} pay, {words.percent(first['high_value'])} goes to {first.name}; of what others pay, {words.percent(first['others'])}."
    apart = frame[(frame["index"] > APART) | (frame["index"] < 1 / APART)]
    if apart.empty:
        return f"{text} In none of the {KINDS[kind]} shown do the two differ by more than a tenth."
    more, less = frame["index"].idxmax(), frame["index"].idxmin()
    return (
        f"{text} Among the {words.count(len(frame))} {KINDS[kind]} shown, their share against the others' is largest for {more} ({words.number(frame.at[more, 'index'])} times) "
        f"and smallest for {less} ({words.number(frame.at[less, 'index'])} times). That says what these customers like, not what made them valuable."
    )


# How many may leave


def _risk(study: Study, definition: str) -> pd.Series:
    row: pd.Series = study.high_value()["risk"].set_index("definition").loc[definition]
    return row


def has_risk(study: Study) -> bool:
    """Whether enough of them are active to say how many may leave."""
    return has_high_value(study) and bool(
        (study.high_value()["risk"]["scored"] >= study.dataset.privacy.minimum_cell).any()
    )


def risk(study: Study) -> GT:
    """How many of each group are at risk, and what they are worth, as a table."""
    minimum, currency = study.dataset.privacy.minimum_cell, study.dataset.currency
    frame = study.high_value()["risk"]
    few = frame["scored"].between(1, minimum - 1)
    under = ~few & frame["at_risk"].between(1, minimum - 1)
    cells = frame.assign(who=frame["definition"].map(NAMES)).astype(
        {"at_risk": object, "scored": object, "share": object}
    )
    numbers = [name for name in frame.select_dtypes("number") if name not in ("customers", "scored", "at_risk")]
    cells.loc[few, numbers] = None
    cells.loc[few, ["scored", "at_risk"]] = f"<{minimum}"
    cells.loc[under, "at_risk"] = f"<{minimum}"
    cells.loc[under, "share"] = [
        notation.write(f"under {100 * minimum / scored:.1f}") for scored in frame.loc[under, "scored"]
    ]
    cells.loc[under, "worth_at_risk"] = None
    horizon = words.days(about(study)["horizon_days"])
    return tables.table(
        cells,
        title=f"The most valuable customers at risk, next {horizon}",
        columns={
            "who": tables.text("Who"),
            "scored": tables.count("Active"),
            "at_risk": tables.count("At risk"),
            "share": tables.percent("Share at risk, 90 %", interval=("share_low", "share_high")),
            "leavers": tables.Column(
                label="Expected to leave, 90 %", kind="count", interval=("leavers_low", "leavers_high")
            ),
            "worth": tables.money("Margin expected of all", currency),
            "worth_at_risk": tables.money("… of those at risk", currency),
        },
        notes=[_cut(study), _sampled(study)],
    )  # fmt: skip


def _cut(study: Study) -> str:
    cut = words.percent(about(study)["cut"])
    return (
        f"At risk: a churn probability of {cut} or more, the mean of all active customers. Those who matter most should be safer than that; "
        "who is not is worth a call."
    )


def read_risk(study: Study) -> str:
    """How many are at risk, and what is expected of them."""
    minimum, currency, facts = study.dataset.privacy.minimum_cell, study.dataset.currency, about(study)
    active = [name for name in NAMES if _risk(study, name)["scored"] >= minimum]
    named = next((name for name in active if _risk(study, name)["at_risk"] >= minimum), active[0])
    row = _risk(study, named)
    all_worth = f"The {words.count(row['scored'])} active ones {_by(named)} are expected to bring a margin of {words.money(row['worth'], currency)} in the next {words.days(facts['horizon_days'])}"
    if facts["worth"] > 0:
        all_worth += f", {words.percent(row['worth'] / facts['worth'])} of that of all active customers"
    if row["at_risk"] < minimum:
        return f"{all_worth}. Fewer than {minimum} of them are at risk."
    return (
        f"{all_worth}. {words.count(row['at_risk'])} of them ({words.percent(row['share'])}, 90 % interval {words.between(row['share_low'], row['share_high'], words.percent)}) are as likely to leave as the average active customer or more ({words.percent(facts['cut'])}), "
        f"and {words.money(row['worth_at_risk'], currency)} of the margin is theirs."
    )


# Whether the definitions agree


def overlap(study: Study) -> GT:
    """Customers by the definitions that they meet, as a table."""
    frame = suppress(study.high_value()["overlap"], "customers", study.dataset.privacy.minimum_cell)
    for name in NAMES:
        frame[name] = ["yes" if there else words.NOTHING for there in frame[name]]
    columns = {name: tables.text(label) for name, label in NAMES.items()} | {"customers": tables.count("Customers")}
    return tables.table(frame, title="Who is of high value by which definition", columns=columns, notes=_sampled(study))


def read_overlap(study: Study) -> str:
    """How many meet all definitions, and how many one alone."""
    frame, minimum = study.high_value()["overlap"], study.dataset.privacy.minimum_cell
    met = frame[list(NAMES)].sum(axis="columns")
    total, every, one = (int(frame.loc[chosen, "customers"].sum()) for chosen in (met > 0, met == len(NAMES), met == 1))
    parts = [
        f"{words.count(number)} ({words.percent(number / total)}) meet {what}"
        for number, what in ((every, "all three"), (one, "one alone"))
        if number >= minimum
    ]
    if not parts:
        return "Too few customers meet a definition to tell how they agree."
    return (
        f"Of {words.count(total)} customers who meet a definition, {words.listed(parts)}. Spend and margin look back, CLV looks ahead: "
        "who is of high value by spend and not by CLV has bought much and is expected to buy little."
    )


def limits(study: Study) -> str:
    """Where this chapter fails."""
    text = "One margin stands for everything that is sold, so that who buys what earns little counts as much as who buys what earns much."
    if not about(study)["known"]:
        return text
    return (
        f"{text} The CLV is the margin of the next {words.days(about(study)['horizon_days'])} alone, and of active customers alone. "
        "Who is called at risk depends on the cut; the number expected to leave does not."
    )


def meeting(study: Study) -> str:
    """One sentence for the meeting."""
    if not has_risk(study):
        return opening(study)
    row, minimum = _of(study, "spend"), study.dataset.privacy.minimum_cell
    text = f"{words.percent(row['share_of_customers'])} of the buyers brought {words.percent(row['share_of_spend'])} of last year's spend"
    risk_ = _risk(study, "spend")
    if risk_["scored"] < minimum or risk_["at_risk"] < minimum:
        return f"{text}."
    return f"{text}; {words.count(risk_['at_risk'])} of them are as likely to leave as the average customer, with {words.money(risk_['worth_at_risk'], study.dataset.currency)} of margin in the next {words.days(about(study)['horizon_days'])}."
