"""What to say of a campaign before it begins: sentences made of `designs.Desk`."""

from ..designs import Desk
from ..notation import write as noted
from .words import count, day, days, listed, money, number, percent, points

UNITS = {"spend": "a customer", "orders": "orders a customer"}
NAMES = {"spend": "spend", "orders": "the number of orders", "repurchase": "the share of buyers"}


def sentences(found: Desk) -> list[str]:
    """What to say in the meeting."""
    variation, plan = found.variation, found.plan
    held = count(plan.hold_out * found.customers)
    odds = f"{100 * plan.power:.0f} of 100 such campaigns"
    past = f" with {variation.covariate} from before (CUPED)" if variation.covariate else ""
    said = [
        f"Holding out {percent(plan.hold_out)} ({held} of {count(found.customers)}) and watching {days(found.days)}, "
        f"{odds} would show an effect of {sized(found, found.least())}{past}"
        + (f", of {sized(found, found.least(cuped=False))} without." if past else ".")
    ]
    if found.effect is not None:
        said += _for_the_effect(found)
    if plan.arms > 1:
        held, level = noted(f"{1 - (1 - plan.level) / plan.arms:.3f}"), noted(f"{plan.level:.2f}")
        said.append(
            f"{plan.arms} arms share one control group: each is held to {held} instead of {level} "
            f"(Bonferroni), which is safe for Holm's correction in the evaluation."
        )
    return [
        *said,
        f"An effect shows if its {100 * plan.level:.0f} % interval "
        + ("lies above zero on its one side." if plan.one_sided else "leaves out zero.")
        + " Read it on the day that was fixed, or every day by the wider sequential interval.",
    ]


def _for_the_effect(found: Desk) -> list[str]:
    """What the least effect that matters asks for."""
    effect, chance, needed = sized(found, found.effect or 0.0), found.chance() or 0.0, found.needed() or 0
    said = [
        f"An effect of {effect}, if it is there, shows with a chance of {percent(chance)}"
        + f" ({percent(found.chance(cuped=False) or 0.0)} without what is known from before)."
    ]
    least = found.hold_out_needed()
    if least is None:
        said.append(
            f"No hold-out of these {count(found.customers)} customers shows it with a chance of "
            f"{percent(found.plan.power)}: at a hold-out of {percent(found.plan.hold_out)} it takes {count(needed)}."
        )
    else:
        said.append(
            f"To show it, hold out at least {percent(least)} ({count(least * found.customers)} customers); "
            f"at {percent(found.plan.hold_out)} the campaign needs {count(needed)} customers in all."
        )
    relative = percent((found.effect or 0.0) / found.variation.mean) if found.variation.mean else "as much"
    enough = found.days_needed()
    longest = found.variations[-1].days
    return [
        *said,
        f"If it stays {relative} of the mean, "
        + (f"{days(enough)} are enough." if enough else f"even {days(longest)}, the longest measured, are not enough."),
    ]


def basis(found: Desk) -> str:
    """What the answer rests on."""
    variation = found.variation
    spread = "" if variation.share else f", standard deviation {written(found, variation.standard_deviation)}"
    past = (
        f"; {variation.covariate} from before correlates with it by {noted(f'{variation.correlation:.2f}')}, "
        f"which makes the variance {percent(1 - variation.correlation**2)} of what it is"
        if variation.covariate
        else "; nothing from before tells anything of it"
    )
    return (
        f"{NAMES[found.metric]} over {found.days} days is {written(found, variation.mean)} on average{spread}, and "
        f"{percent(variation.buyers)} buy{past}. Measured without regard to campaigns on "
        f"{listed(day(each) for each in found.dates)}; {count(found.customers)} customers could take part."
    )


def sized(found: Desk, effect: float) -> str:
    """An effect in a sentence, with its share of the mean."""
    mean = found.variation.mean
    share = f" ({percent(effect / mean)} of the mean)" if mean else ""
    unit = f" {UNITS[found.metric]}" if found.metric in UNITS else ""
    return f"{written(found, effect, True)}{unit}{share}"


def written(found: Desk, value: float, difference: bool = False) -> str:
    """A value of the metric: money, orders, or a share and its difference in points."""
    if value != value:
        return "–"
    if found.metric == "spend":
        return money(value, found.currency)
    if found.metric == "orders":
        return number(value)
    return points(value) if difference else percent(value)
