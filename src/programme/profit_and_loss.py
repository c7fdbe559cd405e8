"""What a campaign earned: incremental margin less discounts, contact cost and points, with the error of the effect.

With S the sales that a campaign caused, net of discounts, D the discounts given in it, m the margin on goods sold at
their usual price, and K the cost of contact and points,

    profit = m (S + D) - D - K.

S + D are the caused sales at usual prices: goods sold at a discount cost the retailer as much as others. So the
discount is subtracted once, and from what it was taken off. D, K and m are taken as known: all error is that of S, and
a profit has the width m times that of S. Where D is known of a part of the coupons only, it is a lower bound, and the
profit an upper one. For a programme the sums of campaigns are added, and their errors as they are
said to hang together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.special import ndtr

from ..errors import DataError
from ..points_rules import PointsRules
from .effect import Effect, Interval

LINES = {"discount": "Discounts", "contact": "Contact cost", "points": "Points cost"}
"""How the costs are called in a frame of lines."""


@dataclass(frozen=True)
class Costs:
    """What a campaign cost, money.

    Attributes
    ----------
    discount : taken off prices for those treated because of the campaign; of a programme without coupons 0.
    contact : of printing and sending.
    points : of the points given because of it, at what a point costs when it is handed in.

    Each is 0 where there was none, and None where nobody knows.

    Raises
    ------
    DataError : a cost is negative or not a number.
    """

    discount: float | None = None
    contact: float | None = None
    points: float | None = None

    def __post_init__(self) -> None:
        for name, cost in asdict(self).items():
            if cost is not None and not (np.isfinite(cost) and cost >= 0):
                raise DataError(
                    f"costs.{name}: expected money of 0 or more, found {cost!r}; leave it out where it is not known"
                )

    @property
    def missing(self) -> tuple[str, ...]:
        """Costs that nobody knows."""
        return tuple(name for name, cost in asdict(self).items() if cost is None)

    @property
    def total(self) -> float | None:
        """All costs; None where one is missing."""
        return None if self.missing else float(sum(asdict(self).values()))

    @property
    def known(self) -> float:
        """Those costs that are known."""
        return float(sum(cost for cost in asdict(self).values() if cost is not None))

    def plus(self, other: Costs) -> Costs:
        """Costs of two campaigns; not known where one of them is not."""
        mine, yours = asdict(self), asdict(other)
        both = {name: (cost, yours[name]) for name, cost in mine.items()}
        return Costs(**{name: None if None in pair else sum(pair) for name, pair in both.items()})


def points_cost(caused: float | None, rules: PointsRules | None, *, given: bool) -> float | None:
    """What the points on sales cost that a campaign caused, each taken as redeemed, multipliers left out.

    Parameters
    ----------
    caused : sales, money; None where they are not identified.
    rules : of the points; None where the dataset file says nothing of them.
    given : whether a table of points says that there are any.

    Returns
    -------
    Money; 0 where there are no points, None where nobody knows what one costs.

    Examples
    --------
    >>> rules = PointsRules(per_unit=2, cost_per_point=0.01)
    >>> points_cost(500.0, rules, given=True), points_cost(-500.0, rules, given=True)
    (10.0, 0.0)
    >>> points_cost(500.0, None, given=False), points_cost(500.0, PointsRules(), given=True)
    (0.0, None)
    """
    if rules is None and not given:
        return 0.0
    if caused is None or rules is None or rules.cost_per_point is None:
        return None
    return max(0.0, caused) * rules.per_unit * rules.cost_per_point


@dataclass(frozen=True)
class ProfitAndLoss:
    """Profit of a campaign or a programme.

    Attributes
    ----------
    what : whose.
    sales : sales caused, money, of all customers treated; None where no effect is identified.
    standard_error : of `sales`, money; None too then.
    net : whether `sales` are net of the discounts; those of this package's logs are.
    customers : treated.
    margin : share of sales at usual prices that is left after the cost of goods.
    costs : what it cost.
    discount_share : share of the coupons handed in of which it is known what they took off. Below 1 the discount is at
        least what `costs` say, and the profit at most what it comes out at: each unit of discount takes 1 - margin off.
    refusals : why there is no profit though all costs are known; empty if there is one.
    notes : what else a reader must know, in sentences.
    """

    what: str
    sales: float | None
    standard_error: float | None
    net: bool
    customers: int
    margin: float
    costs: Costs
    discount_share: float = 1.0
    refusals: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.discount_share <= 1:
            raise DataError(f"discount_share: expected a share from 0 to 1, found {self.discount_share!r}")
        if not 0 < self.margin <= 1:
            raise DataError(f"margin: expected a share above 0 and up to 1, found {self.margin!r}")

    @property
    def identified(self) -> bool:
        """Whether what the campaign caused is known."""
        return self.sales is not None

    @property
    def at_most(self) -> bool:
        """Whether the discount is a lower bound, and with it the profit and its chance upper ones."""
        return self.discount_share < 1 and self.costs.discount is not None

    @property
    def missing(self) -> tuple[str, ...]:
        """Costs that nobody knows; the reading stops at the margin then."""
        return self.costs.missing

    @property
    def sales_at_usual_prices(self) -> Interval | None:
        """Sales caused, before discounts; as they are where those are not known, None where the effect is not."""
        if self.sales is None or self.standard_error is None:
            return None
        taken_off = (self.costs.discount or 0.0) if self.net else 0.0
        return Interval.around(self.sales + taken_off, self.standard_error)

    @property
    def incremental_margin(self) -> Interval | None:
        """Margin on the sales caused, at usual prices; None where they are not known."""
        sales = self.sales_at_usual_prices
        return None if sales is None else sales.times(self.margin)

    @property
    def profit(self) -> Interval | None:
        """Incremental margin less all costs; None where a cost is missing or no effect is identified."""
        margin, spent = self.incremental_margin, self.costs.total
        if margin is None or spent is None:
            return None
        return Interval(margin.estimate - spent, margin.low - spent, margin.high - spent)

    @property
    def probability_positive(self) -> float | None:
        """That the profit is above zero, given the error of the effect; None where there is no profit."""
        if self.profit is None:
            return None
        error = self.margin * (self.standard_error or 0.0)
        return float(ndtr(self.profit.estimate / error)) if error > 0 else float(self.profit.estimate > 0)

    def lines(self) -> pd.DataFrame:
        """What the profit is made of.

        Returns
        -------
        line : name.
        kind : `memo`, `part` or `total`; the parts add up to the total, in each of the columns of money.
        estimate, low, high : money. A known cost has no width. Costs that nobody knows have no line, and there is no
            total without them; where no effect is identified only the costs are told.
        """
        rows: list[tuple[str, str, Interval]] = []
        if self.sales_at_usual_prices is not None:
            rows.append(("Incremental sales at usual prices", "memo", self.sales_at_usual_prices))
        if self.incremental_margin is not None:
            rows.append(("Incremental margin", "part", self.incremental_margin))
        if not self.missing or not self.identified:
            spent = {name: cost for name, cost in asdict(self.costs).items() if cost is not None}
            rows += [(LINES[name], "part", Interval(-cost, -cost, -cost)) for name, cost in spent.items()]
        if self.profit is not None:
            rows.append(("Profit", "total", self.profit))
        told = [{"line": line, "kind": kind, **asdict(found)} for line, kind, found in rows]
        return pd.DataFrame(told, columns=["line", "kind", "estimate", "low", "high"])

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> Self:
        """What `to_dict` wrote, also after a detour through JSON."""
        tuples = {name: tuple(said[name]) for name in ("refusals", "notes")}
        return cls(**{**said, "costs": Costs(**said["costs"]), **tuples})


def profit_and_loss(
    effect: Effect,
    margin: float,
    costs: Costs,
    *,
    customers: int | None = None,
    net: bool = True,
    discount_share: float = 1.0,
) -> ProfitAndLoss:
    """What a campaign earned.

    Parameters
    ----------
    effect : on sales, money for each customer treated.
    margin : share of sales at usual prices that is left after the cost of goods, above 0 and up to 1.
    costs : of the whole campaign.
    customers : treated, for whom the costs were paid; those of the effect if None.
    net : whether the effect is on sales net of discounts, as `amount` in a dataset is; if not, on sales at usual
        prices.
    discount_share : see `ProfitAndLoss`.

    Returns
    -------
    Without a profit where the effect is not identified or nobody was treated (`refusals`), or a cost is not known
    (`missing`).

    Raises
    ------
    DataError : the margin or `discount_share` is no share, or `customers` is negative.
    """
    treated = effect.treated if customers is None else customers
    if treated < 0:
        raise DataError(f"customers: expected how many were treated, found {treated!r}")
    refusals = effect.refusals
    if not refusals and not (np.isfinite(effect.found.estimate) and np.isfinite(effect.standard_error)):
        refusals = ("The effect on sales is not known.",)
    if not treated:
        refusals = (*refusals, "Nobody was treated.")
    account = ProfitAndLoss(
        what=effect.what,
        sales=None if refusals else effect.found.estimate * treated,
        standard_error=None if refusals else effect.standard_error * treated,
        net=net,
        customers=treated,
        margin=margin,
        costs=costs,
        discount_share=discount_share,
        refusals=refusals,
    )
    return replace(account, notes=_notes(account, effect.treated))


def _notes(account: ProfitAndLoss, measured: int) -> tuple[str, ...]:
    treated, costs, notes = account.customers, account.costs, []
    if measured != treated:
        notes.append(
            f"The effect was measured on {measured:,} of the {treated:,} customers treated; the others are taken to "
            "have responded as they did."
        )
    if costs.missing:
        names = " and ".join(LINES[name].lower() for name in costs.missing)
        notes.append(f"The account stops at the margin: {names} not known.")
    if account.net and costs.discount is None:
        notes.append("Discounts are not known, so the margin is that on sales as they were paid.")
    if account.at_most:
        notes.append(
            f"Of {100 * account.discount_share:.0f} % of the coupons handed in it is known what they took off: the "
            "discount is at least this, and the profit at most."
        )
    return tuple(notes)
