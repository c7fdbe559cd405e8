"""Chapter 5, of an experiment, continued: did it pay, who responds, and whom to give it to?"""

from typing import Literal

import pandas as pd
from great_tables import GT

from ...experiments import Experiment
from ...programme.effect import Interval
from ...programme.responders import Responders, Response
from .. import tables, words
from . import response_curves
from .experiment_numbers import best_arm, change, ends
from .response_curves import Spoken

# Did it pay?


def has_money(trial: Experiment) -> bool:
    """Whether an outcome is money."""
    return bool(trial.table.money)


def accounts(trial: Experiment) -> GT:
    """What each arm earned, as a table."""
    currency = trial.dataset.currency
    rows = []
    for arm, account in trial.accounts().items():
        row: dict[str, object] = {"arm": arm, "customers": account.customers, "cost": account.costs.contact}
        found = {"sales": account.sales_at_usual_prices, "margin": account.incremental_margin, "profit": account.profit}
        for name, interval in found.items():
            told = interval if account.identified and interval is not None else Interval(*[float("nan")] * 3)
            row |= {name: told.estimate, f"{name}_low": told.low, f"{name}_high": told.high}
        rows.append(row | {"chance": account.probability_positive})
    # Where a profit is known, the margin on the way to it only makes the table wide.
    last = "profit" if any(account.profit is not None for account in trial.accounts().values()) else "margin"
    spans = {name: (f"{name}_low", f"{name}_high") for name in ("sales", "margin", "profit")}
    columns: dict[str, tables.Column | str] = {
        "arm": tables.text("Arm"),
        "customers": tables.count("Customers"),
        "sales": tables.money("Sales it caused (90 %)", currency, interval=spans["sales"]),
        "margin": tables.money("Margin on them (90 %)", currency, interval=spans["margin"]),
        "cost": tables.money("Cost of contact", currency),
        "profit": tables.money("Profit (90 %)", currency, interval=spans["profit"]),
        "chance": tables.percent("Chance of a profit"),
    }
    shown = {"arm", "customers", "sales"} | ({"cost", "profit", "chance"} if last == "profit" else {"margin"})
    return tables.table(
        pd.DataFrame(rows),
        title="What each arm earned, in all",
        columns={name: column for name, column in columns.items() if name in shown},
        notes=[
            f"Margin: {words.percent(trial.dataset.study.margin)} of {trial.table.money[0]} (`study.margin`). Discounts and points are not in this table, and are taken as none."
        ],
    )


def read_accounts(trial: Experiment) -> str:
    """Whether it paid, in words."""
    short = profit_in_short(trial)
    if short:
        return short
    if not any(account.identified for account in trial.accounts().values()):
        return "No profit is told, because no effect on sales is."
    lacking = words.listed(arm for arm, account in trial.accounts().items() if account.missing)
    return f"What a contact of {lacking} costs is not known, so that the account stops at the margin: write it down as `experiment.cost`."


def profit_in_short(trial: Experiment) -> str:
    """The arm with the highest profit, and how sure it is; empty where no profit is known."""
    known = {arm: account for arm, account in trial.accounts().items() if account.profit is not None}
    if not known:
        return ""
    arm, account = max(known.items(), key=lambda item: item[1].profit.estimate if item[1].profit else float("-inf"))
    assert account.profit is not None  # noqa: S101
    currency = trial.dataset.currency
    chance = account.probability_positive or 0.0
    best = " the most" if len(known) > 1 else ""
    return (
        f"{arm} earned{best}: {words.money(account.profit.estimate, currency)} after the cost of contact (90 % interval "
        f"{words.between(account.profit.low, account.profit.high, lambda value: words.money(value, currency))}), a profit with a chance of {words.percent(chance)}."
    )


# Who responds?


def knows_responders(trial: Experiment) -> bool:
    """Whether effects of single customers could be looked for."""
    return trial.responders() is not None


def _response(trial: Experiment) -> Response:
    response = trial.responders()
    assert response is not None  # noqa: S101
    return response


def _of_best(trial: Experiment) -> Responders:
    response = _response(trial)
    return next((each for each in response.arms if each.arm == best_arm(trial)), response.arms[0])


def tenths(trial: Experiment) -> pd.DataFrame:
    """Predicted and realised effects of the best arm by tenths of the prediction, those that may be told."""
    return response_curves.tenths(_of_best(trial), trial.dataset.privacy.minimum_cell)


def read_tenths(trial: Experiment) -> str:
    """Whether customers differ in what they gain."""
    found, outcome = _of_best(trial), trial.main_outcome
    if not found.differ.shown:
        return (
            f"Nothing shows that customers differ in what {found.arm} changes in {outcome}: those for whom more was predicted gained no more beyond chance "
            f"(p = {words.chance(found.differ.p_value)}). Whoever gets it may as well be drawn."
        )
    fifths = found.differ.fifths
    return (
        f"Customers differ in what {found.arm} changes in {outcome} (p = {words.chance(found.differ.p_value, 1)}): the fifth predicted to gain most gained "
        f"{change(trial, outcome, fifths.estimate).lstrip('+')} more than the fifth predicted to gain least (90 % interval {ends(trial, outcome, fifths)})."
    )


def curves(trial: Experiment, kind: Literal["qini", "uplift"]) -> dict[str, pd.DataFrame]:
    """Curves of the arms: share, gain, low, high, random."""
    return response_curves.curves(_response(trial).arms, kind, trial.dataset.privacy.minimum_cell)


def read_qini(trial: Experiment) -> str:
    """The Qini curve of the best arm in words."""
    return response_curves.read_qini(_of_best(trial), _spoken(trial))


def read_uplift(trial: Experiment) -> str:
    """The uplift curve of the best arm in words."""
    return response_curves.read_uplift(_of_best(trial), _spoken(trial))


def _spoken(trial: Experiment) -> Spoken:
    outcome = trial.main_outcome
    return Spoken(
        f"Giving {_of_best(trial).arm}",
        lambda value: change(trial, outcome, value).lstrip("+"),
        lambda found: ends(trial, outcome, found),
    )


def budget(trial: Experiment) -> pd.DataFrame:
    """Value of giving it to the best so many: share, gain, low, high, random."""
    response = _response(trial)
    return response_curves.budget(response.policy, response.overlap.kept, trial.dataset.privacy.minimum_cell)


def read_budget(trial: Experiment) -> str:
    """Whom to give it to, and what that is worth."""
    return response_curves.read_budget(_response(trial).policy, trial.dataset.currency)


def differs(trial: Experiment) -> bool:
    """Whether customers differ beyond chance, and enough of them to tell who."""
    enough = trial.sizes.sum() / 5 >= trial.dataset.privacy.minimum_cell
    return knows_responders(trial) and _of_best(trial).differ.shown and bool(enough)


def profile(trial: Experiment) -> GT:
    """Who gains most and who least, as a table."""
    table = _of_best(trial).profile.head(8)
    names = [
        row["feature"] if pd.isna(row["value"]) else f"{row['feature']}: {row['value']}" for _, row in table.iterrows()
    ]
    rows = [
        {
            "fact": name,
            "most": words.number(row["most"]) if pd.isna(row["value"]) else words.percent(row["most"]),
            "least": words.number(row["least"]) if pd.isna(row["value"]) else words.percent(row["least"]),
        }
        for name, (_, row) in zip(names, table.iterrows(), strict=True)
    ]
    return tables.table(
        pd.DataFrame(rows),
        title=f"Who gains most from {_of_best(trial).arm}",
        columns={
            "fact": tables.text("Known before"),
            "most": tables.text("Fifth that gains most"),
            "least": tables.text("Fifth that gains least"),
        },
        notes=["As predicted; means, or shares of the fifth. It says who they are, not why they respond."],
    )
