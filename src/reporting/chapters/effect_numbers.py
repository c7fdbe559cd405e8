"""What may be told of effects: the results of the step read back, refusals and amounts in words."""

from typing import Any

import pandas as pd

from ...programme.cannibalisation import Cannibalisation
from ...programme.effect import Effect, Interval
from ...programme.observational import Observed
from ...programme.profit_and_loss import ProfitAndLoss
from ...study import Study
from .. import words

WHY = {
    "campaigns that never were could be compared": "too few campaigns that never were could be compared to show that the method finds nothing there",
    "not identified: weeks before": "contacted customers and those they were compared with already differed in weeks before the campaign",
    "not identified: campaigns at random dates": "the same method also finds effects of campaigns that never were",
    "no pre-period": "the log holds too little before it",
    "are not over": "the weeks after it were not over when the log ended",
    "nobody received it": "nobody received it",
    "customers contacted in a week": "too few customers were contacted in one week",
    "everyone who could be compared": "hardly anyone was left uncontacted",
    "planned shares": "the arms do not have their planned sizes, which chance does not explain",
    "there is no ratio": "an arm ordered nothing",
    "An arm has": "an arm has too few customers",
    "Nobody was held out": "nobody was held out",
    "Nobody was sent": "nobody was sent anything",
    "the same for all customers": "all customers of an arm did the same",
    "Chance did not decide alone": "the arms differed before the campaign more than chance allows",
    "nothing to read yet": "the campaign has not begun",
    "have a past to compare": "too few customers have a past to compare",
    "Hardly anyone who did not join": "hardly anyone who did not join is like those who did",
    "Before they joined": "those who joined already went another way before they joined",
    "Nobody has joined": "nobody has joined yet",
    "Every customer is a member": "every customer is a member",
    "Nobody who joined was known": "nobody who joined was known long enough before",
    "The campaign is not over": "it is not over",
    "registered to be read by": "it is registered to be read by something other than spend",
    "Nothing was redeemed": "nothing was redeemed",
    "No week after the campaign": "no week after the campaign is seen",
    "Nobody was treated": "no campaign of it could be compared",
}
"""What a refusal holds → the same in words for a page, without a number: it may be of few customers."""
OTHERWISE = "the comparison does not hold"


def about(study: Study) -> dict[str, Any]:
    """See `effects.effects`."""
    told: dict[str, Any] = study.effects()["about"]
    return told


def is_known(study: Study | None) -> bool:
    """Whether anyone was sent a campaign."""
    return study is not None and bool(about(study)["known"])


def because(refusals: tuple[str, ...]) -> str:
    """Why no number is given, in words."""
    found = [next((text for part, text in WHY.items() if part in each), OTHERWISE) for each in refusals]
    return words.listed(dict.fromkeys(found)) if found else OTHERWISE


def randomised(study: Study) -> list[dict[str, Any]]:
    """Campaigns with a control group, with their effects read back."""
    return [
        {**each, "effects": {metric: Effect.from_dict(said) for metric, said in each["effects"].items()}}
        for each in study.effects()["randomised"]
    ]


def observed(study: Study, *kinds: str) -> dict[str, Observed]:
    """Effects of chosen customers by name, of these kinds or all."""
    found = study.effects()["observed"]
    return {each["name"]: Observed.from_dict(each["observed"]) for each in found if not kinds or each["kind"] in kinds}


def group(study: Study, name: str) -> dict[str, Any]:
    """Facts about one of `observed`."""
    return next(each for each in study.effects()["observed"] if each["name"] == name)


def splits(study: Study) -> list[Cannibalisation]:
    """Sales with a coupon, split."""
    return [Cannibalisation.from_dict(each) for each in study.effects()["splits"]]


def accounts(study: Study, which: str = "accounts") -> list[ProfitAndLoss]:
    """Accounts of campaigns and types; which, see `effects.ACCOUNTS`."""
    return [ProfitAndLoss.from_dict(each) for each in study.effects()[which]]


def whole(study: Study) -> ProfitAndLoss | None:
    """The account of all of them."""
    said = study.effects()["whole"]
    return None if said is None else ProfitAndLoss.from_dict(said)


def tellable(study: Study, effect: Effect) -> bool:
    """Whether an effect has a number, and one of enough customers."""
    return effect.identified and min(effect.treated, effect.control) >= study.dataset.privacy.minimum_cell


def amount(effect: Effect, value: float, currency: str) -> str:
    """A difference with its sign, in the unit of the effect, without the words of the unit."""
    sign = "−" if value < 0 else "+"
    if effect.unit.startswith(currency):
        return f"{sign}{words.money(abs(value), currency)}"
    if effect.unit.startswith("share"):
        return f"{sign}{words.points(value)}"
    return f"{sign}{words.number(abs(value))}"


def span(effect: Effect, found: Interval, currency: str) -> str:
    """The ends of an interval."""
    return f"{amount(effect, found.low, currency)} to {amount(effect, found.high, currency)}"


def unit(effect: Effect, currency: str) -> str:
    """What follows an amount."""
    if effect.unit.startswith(currency):
        return effect.unit.removeprefix(currency).strip()
    return "" if effect.unit.startswith("share") else effect.unit


def sized(effect: Effect, currency: str) -> str:
    """An effect with its interval, in words."""
    told = f"{amount(effect, effect.found.estimate, currency)} {unit(effect, currency)}".strip()
    return f"{told} (90 % interval {span(effect, effect.found, currency)})"


def cell(effect: Effect, found: Interval | None, currency: str) -> str:
    """An effect in a table."""
    if found is None or not effect.identified:
        return words.NOTHING
    return f"{amount(effect, found.estimate, currency)} ({span(effect, found, currency)})"


def cash(value: float, study: Study) -> str:
    """Money of the dataset."""
    return words.money(value, study.dataset.currency)


def cash_between(found: Interval, study: Study) -> str:
    """An interval of money."""
    return words.between(found.low, found.high, lambda value: cash(value, study))


def mark(study: Study) -> str:
    """What a figure says of its data beside its design; empty where the dataset calls itself nothing of the kind."""
    return ", simulated data" if "simulated" in (study.dataset.notice or "").casefold() else ""


def forest(study: Study, found: list[tuple[str, Effect]]) -> pd.DataFrame:
    """Effects for `effect_figures.forest`; without numbers those that are not told."""
    rows = [
        (name, effect.found.estimate, effect.found.low, effect.found.high)
        if tellable(study, effect)
        else (name, float("nan"), float("nan"), float("nan"))
        for name, effect in found
    ]
    return pd.DataFrame(rows, columns=["label", "estimate", "low", "high"])


def read_lines(study: Study, table: pd.DataFrame) -> str:
    """The figure of several effects in a sentence."""
    told = table.dropna()
    if told.empty:
        return "No effect is identified, so there is nothing to draw."
    clear = told[(told["low"] > 0) | (told["high"] < 0)]
    lost = len(table) - len(told)
    unknown = f" {words.count(lost)} more {'is' if lost == 1 else 'are'} not identified." if lost else ""
    return f"{words.count(len(clear))} of {words.count(len(told))} intervals leave out zero; by chance alone about {words.number(0.1 * len(told))} would.{unknown}"
