"""The executive page of a dataset that holds an experiment and no purchase log."""

from collections.abc import Sequence

from ..experiments import Experiment
from . import experiment_figures, page, words
from .chapters import experiment, experiment_numbers, experiment_value
from .page import Picture
from .summary_types import Finding, Measure, Past

QUESTION = "What did it change, and did it pay?"
PICTURE_QUESTION = "How large is the effect?"
PAGE = "05_campaigns"
MOST = 6


def measures(trial: Experiment) -> list[Measure]:
    """The effect of each arm on the main outcome, and its profit."""
    shown = [*(_effect(trial, arm) for arm in trial.arms), *(_profit(trial, arm) for arm in trial.accounts())]
    return [measure for measure in shown if measure.value != words.NOTHING][:MOST]


def past(trial: Experiment) -> Past:
    """Nothing: an experiment is read once, and no run of it is compared with another."""
    return Past()


def actions(trial: Experiment, pages: Sequence[str]) -> list[Finding]:
    """Nothing beside the findings, which say what to do."""
    return []


def _effect(trial: Experiment, arm: str) -> Measure:
    outcome = trial.main_outcome
    effect = trial.effects()[outcome, arm]
    control = experiment_numbers.level(trial, outcome, trial.levels.at[outcome, trial.control])
    return Measure(
        name=f"{outcome}: {arm}",
        value=experiment_numbers.change(trial, outcome, effect.found.estimate),
        interval=experiment_numbers.ends(trial, outcome, effect.found) if effect.identified else "",
        definition=f"Mean difference from the control group, which has {control}.",
        followed=False,
    )


def _profit(trial: Experiment, arm: str) -> Measure:
    account, currency = trial.accounts()[arm], trial.dataset.currency
    profit = account.profit
    if profit is None:
        return Measure(name=f"Profit: {arm}", value=words.NOTHING, followed=False)
    return Measure(
        name=f"Profit: {arm}",
        value=words.money(profit.estimate, currency),
        interval=words.between(profit.low, profit.high, lambda value: words.money(value, currency)),
        definition="Margin on the sales that it caused, less the cost of contact, over "
        f"{words.count(account.customers)} customers.",
        followed=False,
    )


def findings(trial: Experiment) -> list[Finding]:
    """What was found, a sentence each."""
    told = [experiment.read_arms(trial), experiment.read_balance(trial), experiment.read_effects(trial)]
    if experiment_value.has_money(trial):
        told.append(experiment_value.read_accounts(trial))
    return [Finding(text=text, page=PAGE) for text in told]


def answer(trial: Experiment) -> str:
    """The answer in a few sentences."""
    return experiment.answer(trial)


def certainty(trial: Experiment) -> str:
    """How sure it is, and which pages there are none of."""
    return (
        f"{experiment.limits(trial)}\n\nThis dataset has no purchase log (`[transactions]` in its dataset file), only "
        "an experiment. The pages on data health, the customer base, lifetime value, churn and the backtest need one, "
        "so that they are not here."
    )


def picture(trial: Experiment) -> Picture:
    """The one figure of the page."""
    return page.picture(experiment_figures.lifts(experiment.lifts(trial)), experiment.read_lifts(trial))
