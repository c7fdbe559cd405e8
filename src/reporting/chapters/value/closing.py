"""Where the chapter fails, and what to say of it."""

from ....study import Study
from ... import words
from .forecast import total
from .staying import of_single_purchases
from .tenths import by_tenth


def unseen(study: Study) -> str:
    """How much of what happened no model of known customers could have seen, in a sentence."""
    about = study.purchase_models()["about"]
    new, known = about["newcomers"], about["purchases"]
    everything = new["purchases"] + known
    if new["customers"] == 0:
        return "Nobody new came in the time after the models were fitted, so that nothing is known of what newcomers would add."
    if new["customers"] < study.dataset.privacy.minimum_cell or everything == 0:
        return f"Newcomers are in no forecast; fewer than {study.dataset.privacy.minimum_cell} came in the time after the models were fitted."
    return (
        f"Newcomers are in no forecast: in the {words.days(about['period_days'])} after {words.day(about['calibrated'])} they made "
        f"{words.percent(new['purchases'] / everything)} of all purchases."
    )


def limits(study: Study) -> str:
    """Where this chapter fails."""
    notes = study.value()["notes"]
    sample = words.sampled(
        "Intervals, tenths and other figures of single customers",
        len(study.value()["customers"]),
        study.value()["totals"]["customers"],
    )
    return (
        "The model knows only how often, how lately and how long a customer has bought: no season, no campaign, no price, and not what was bought. "
        f"{unseen(study)} Of customers with a single purchase it knows least: {of_single_purchases(study)}. The model was chosen at a past date that the later tests reach into, which flatters it a little. "
        "The margin is an assumption of the dataset file."
        + (f" {sample}" if sample else "")
        + (f" For the analyst, the fit warns: {words.told(' '.join(notes))}." if notes else "")
    )


def meeting(study: Study) -> str:
    """One sentence for the meeting."""
    spend, currency, tenths = total(study, "expected_spend"), study.dataset.currency, by_tenth(study)
    text = (
        f"We expect our customers to spend about {words.money(spend.mean, currency)} in the next {words.days(study.horizon_days)} "
        f"({spend.interval(lambda v: words.money(v, currency))})"
    )
    return (
        f"{text}."
        if tenths.empty
        else f"{text}; a tenth of them brings {words.percent(tenths['share'].iloc[0])} of the margin."
    )
