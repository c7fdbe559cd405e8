"""Chapter 6, points: their rules in words, what is not known of them, what is odd about the ledger, and the limits."""

from typing import Any

from ...study import Study
from .. import words
from .points_numbers import about, is_known

WANTED = {
    "points": "the retailer's own ledger of points (`[points]`): without it nobody knows who redeemed what",
    "programme.points": "the rules of its points (`[programme.points]`): what a unit of currency brings, when points "
    "expire, what one costs",
    "programme.points.cost_per_point": "what a point costs (`programme.points.cost_per_point`): without it points are "
    "not money",
    "programme.points.expiry_months": "when points expire (`programme.points.expiry_months`): without it there is no "
    "calendar of expiry",
    "programme.tiers": "the tiers that multiply points (`programme.tiers`)",
    "customers.birthday": "the birthdays that multiply points (`customers.birthday`)",
}


def nothing(study: Study) -> str:
    """Why there are no points to tell of, or what it would take."""
    facts = about(study)
    if facts["known"]:
        return f"Fewer than {study.dataset.privacy.minimum_cell} customers have points, too few to tell of."
    if facts["lacking"]:
        return f"Points cannot be told: it would take {WANTED[facts['lacking'][0]]}."
    return f"Nobody had earned a point before {words.day(study.known_until)}, so that there is nothing to tell."


def rules(study: Study) -> str:
    """The rules in words, those that are assumed first."""
    facts = about(study)
    if not facts["known"]:
        return nothing(study)
    said = facts["rules"]
    if said is None:
        return "The ledger is the retailer's own. Its rules are not known (`[programme.points]`), and nothing is assumed of them."
    assumed = (
        "The log has no programme, so that one is assumed and replayed on its purchases: " if facts["assumed"] else ""
    )
    # A ledger tells points on the day from which they count.
    waiting = {"pending_days": 0} if facts["source"] == "own" else {}
    text = f"{assumed}{_earning(study, said)}. {_lasting(said | waiting)} {_costing(study, said)}"
    return f"{text} {_redeeming(facts)}".strip()


def _earning(study: Study, said: dict[str, Any]) -> str:
    per = f"{words.number(said['per_unit'])} point{'' if said['per_unit'] == 1 else 's'} for each {study.dataset.currency}"
    more = [f"times {words.number(said['birthday_multiplier'])} in the month of the birthday"] * (
        said["birthday_multiplier"] > 1
    )
    more += [f"times {words.number(factor)} in {tier}" for tier, factor in said["tier_multipliers"].items()]
    more += [f"at most {words.count(said['most_per_month'])} a month"] if said["most_per_month"] else []
    rounded = "rounded down once a day" if said["whole"] else "with two decimals"
    return f"{per} of a day's purchases, {rounded}{', ' + words.listed(more) if more else ''}"


def _lasting(said: dict[str, Any]) -> str:
    months, days = said["expiry_months"], said["expiry_days"]
    wait = (
        f"They can be spent {words.days(said['pending_days'])} after the purchase"
        if said["pending_days"]
        else "They can be spent at once"
    )
    if months is None and days is None:
        return f"{wait} and do not expire."
    lasts = f"{months} month{'' if months == 1 else 's'}" if months is not None else words.days(days)
    return f"{wait} and expire {lasts} after it." if said["pending_days"] else f"{wait} and expire after {lasts}."


def _costing(study: Study, said: dict[str, Any]) -> str:
    if said["cost_per_point"] is None:
        return "What a point costs is not known (`programme.points.cost_per_point`)."
    return f"A point costs {words.money(said['cost_per_point'], study.dataset.currency)} when it is redeemed."


def _redeeming(facts: dict[str, Any]) -> str:
    if facts["paid_share"] is None:
        return "What was redeemed is what the retailer's own ledger says."
    return f"Everyone is taken to want to pay {words.percent(facts['paid_share'])} of every purchase with points, as far as earlier purchases have brought any."


def missing(study: Study) -> str:
    """What the dataset file could say of points and does not."""
    return "\n".join(f"- Not known: {WANTED[name]}." for name in about(study)["lacking"]) or "Nothing is missing here."


def findings(study: Study) -> str:
    """What is odd about the retailer's own ledger, as a list."""
    minimum = study.dataset.privacy.minimum_cell
    if about(study)["source"] != "own":
        return "There is no ledger of the retailer's own that could be checked."
    rows = [
        f"- {each['label']}: "
        + (
            words.told(each["detail"].removeprefix("points: "))
            if each["customers"] >= minimum
            else f"of fewer than {minimum} customers"
        )
        + f". {each['mend'][0].upper()}{each['mend'][1:]}."
        for each in about(study)["findings"]
    ]
    return (
        "\n".join(rows)
        or "Nothing is odd: no balance is below zero, and the movements fit the rules as far as these are known."
    )


def limits(study: Study) -> str:
    """Where this chapter fails."""
    if not is_known(study):
        return "Without points this page can only say what it would take to tell of them."
    facts = about(study)
    parts = []
    if facts["source"] != "own":
        parts.append(
            "Nothing here was redeemed by a customer: who redeems what is assumed, and with it use, breakage and cost; only what purchases earn follows from the log."
        )
        parts.append("Accounts begin at nothing on the first day of the log, so that early months hold too few points.")
    if not facts["totals"]["expired"]:
        parts.append(
            "No point has expired in this log: how many lapse when their time is over is not known yet, and breakage may be more than its interval says."
        )
    if facts["totals"]["pending"]:
        parts.append(f"{words.count(facts['totals']['pending'])} points are still pending and are in no liability.")
    if not facts["refused"]:
        parts.append(
            "Intervals of what points will cost come from groups of customers. On ledgers made up to try them, whose customers do not change their ways, they hold nine times in ten; where a programme grows, has seasons or changes they hold less often, chain-ladder's most of all. What was promised on earlier dates shows how it was here."
        )
    parts.append(
        "Both methods learn from how points were used so far: a new reward, a reminder or the end of the programme changes that at once."
    )
    return " ".join(parts)
