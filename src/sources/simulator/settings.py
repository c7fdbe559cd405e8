r"""What a simulated retailer is like: the settings, their defaults and what they mean.

Purchasing follows the buy-till-you-die models, whose parameters keep the papers' names:

- rates :math:`\lambda \sim \Gamma(r, \alpha)`, and after each repeat purchase a dropout with probability
  :math:`p \sim \mathrm{Beta}(a, b)`: BG/NBD, Fader, Hardie & Lee (2005), Marketing Science 24 (2), 275-284;
- or an exponential lifetime of rate :math:`\mu \sim \Gamma(s, \beta)`: Pareto/NBD, Schmittlein, Morrison & Colombo
  (1987), Management Science 33 (1), 1-24;
- Erlang-k times between purchases, from Poisson (k = 1) to clockwork: Platzer & Reutterer (2016), Marketing Science
  35 (5), 779-799, and Reutterer, Platzer & Schröder (2021), International Journal of Research in Marketing 38 (1),
  194-215;
- order values :math:`\Gamma(p, \nu)` with :math:`\nu \sim \Gamma(q, v)`: Gamma-Gamma, Fader & Hardie (2013),
  http://www.brucehardie.com/notes/025/.

Seasons, channels, campaigns, programme and dirt are this project's own; each module says how it works.
"""

from datetime import date, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from ...errors import SettingsError
from ...schema import Days, Section, Share, Tier

CHUNK = 10_000
"""Customers drawn at once. Each chunk has its own seed, so that a customer is the same in a retailer of any size."""

CHANNELS = ("store", "web", "app")
CURRENCY = "EUR"
TIMEZONE = "Europe/Berlin"

Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1, strict=True)]


class Simulation(Section):
    """A retailer to be simulated. Times are in days, money in euros.

    Attributes
    ----------
    customers, days, seed : how many, how long, which. The log ends with the day before `end`.
    end : first day after the log.
    horizon_days : of the forecasts that the truth contains and the dataset file asks for; a quarter of `days`, at most
        90, if not given.
    r, alpha : gamma shape and rate of the purchase rates per day: mean `r / alpha`.
    regularity : the k that customers have, each as likely as the others.
    dropout : `geometric` after each repeat purchase, `exponential` in time, or `none`.
    a, b : beta of the geometric dropout probabilities.
    s, beta : gamma shape and rate of the exponential dropout rates per day.
    p, q, v : of the order values; their mean is `p * v / (q - 1)`.
    season : strength of week and year: 0 none, 1 as in `season`.
    founders : share of customers whose first purchase falls into the first four weeks; the others follow evenly.
    acquisition_days : length of the period in which customers come; all of `days` if not given.
    lines_per_order : mean.
    lines_per_customer : sets `alpha` so that customers have this many lines on average, before campaigns and returns.
    products, stores : how many there are.
    omnichannel : share of customers who use more than one channel.
    channel_ids : each channel has numbers of its own for its customers, and a table says who is who.
    returned : share of lines that are brought back.
    members : share of customers who join the programme.
    tiers : of the programme, by spend in 365 days.
    campaign_every : days from one campaign to the next; 0 for none.
    lift, lift_spread : mean and standard deviation over customers of what a contact adds to the purchase rate, as a
        share of it; below zero where it annoys.
    lift_days : how long that lasts; the dip after it, which takes back `pull_forward` of it, lasts as long.
    reach : share of those who may be contacted that a randomised campaign draws.
    hold_out : share of the drawn who are not contacted.
    surveyed : share of orders after which the customer answers a survey; see `survey`.
    dirt : share of lines with something wrong; see `dirt`.
    plain : transactions only, one row a line, without discounts, returns, programme and campaigns.
    """

    customers: Count = 10_000
    days: Days = 730
    seed: Annotated[int, Field(ge=0, strict=True)] = 1
    end: date = date(2025, 1, 1)
    horizon_days: Days | None = None
    r: Positive = 1.0
    alpha: Positive = 30.0
    regularity: Annotated[tuple[Annotated[int, Field(ge=1, le=12)], ...], Field(min_length=1)] = (1, 2, 4)
    dropout: Literal["geometric", "exponential", "none"] = "geometric"
    a: Positive = 0.8
    b: Positive = 12.0
    s: Positive = 0.8
    beta: Positive = 400.0
    p: Positive = 4.0
    q: Annotated[float, Field(gt=1)] = 4.0
    v: Positive = 30.0
    season: Share = 1.0
    founders: Share = 0.3
    acquisition_days: Days | None = None
    lines_per_order: Annotated[float, Field(ge=1, le=30)] = 2.5
    lines_per_customer: Positive | None = None
    products: Annotated[int, Field(ge=50, strict=True)] = 600
    stores: Count = 12
    omnichannel: Share = 0.3
    channel_ids: bool = False
    returned: Annotated[float, Field(ge=0, le=0.5)] = 0.03
    members: Share = 0.85
    tiers: tuple[Tier, ...] = (
        Tier(name="Silver", spend=250.0),
        Tier(name="Gold", spend=750.0),
        Tier(name="Platinum", spend=2000.0),
    )
    campaign_every: Annotated[int, Field(ge=0, strict=True)] = 60
    lift: Annotated[float, Field(ge=-0.9, le=5)] = 0.3
    lift_spread: Annotated[float, Field(ge=0, le=5)] = 0.4
    lift_days: Days = 21
    pull_forward: Share = 0.3
    reach: Share = 0.6
    hold_out: Share = 0.2
    surveyed: Share = 0.1
    dirt: Annotated[float, Field(ge=0, le=0.15)] = 0.0
    plain: bool = False

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.campaign_every and self.campaign_every < 2 * self.lift_days + 1:
            raise ValueError(
                f"campaign_every of 0, or at least {2 * self.lift_days + 1} days, so that the effects of one campaign "
                "(twice lift_days) end before the next"
            )
        if self.acquisition_days is not None and self.acquisition_days > self.days:
            raise ValueError("acquisition_days no longer than days")
        if self.lines_per_customer is not None and self.lines_per_customer <= self.lines_per_order:
            raise ValueError("lines_per_customer above lines_per_order: every customer buys at least once")
        if self.plain and (self.channel_ids or self.dirt):
            raise ValueError("plain without channel_ids and without dirt")
        return self

    @classmethod
    def checked(cls, **asked: Any) -> Self:
        """Settings as given by a person.

        Raises
        ------
        SettingsError
            Naming each setting that is wrong, with what was expected and found.
        """
        try:
            return cls.model_validate(asked)
        except ValidationError as error:
            raise SettingsError("; ".join(map(_problem, error.errors()))) from None

    @property
    def start(self) -> date:
        """First day of the log."""
        return self.end - timedelta(days=self.days)

    @property
    def mean_order(self) -> float:
        """Expected order value over all customers, money."""
        return self.p * self.v / (self.q - 1)

    @property
    def horizon(self) -> int:
        """`horizon_days`, or its default."""
        return self.horizon_days or max(1, min(90, self.days // 4))

    @property
    def chunks(self) -> int:
        """How many chunks the customers fill."""
        return -(-self.customers // CHUNK)


def _problem(detail: Any) -> str:
    """One finding of pydantic, in words: setting, expected, found."""
    expected = detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if not detail["loc"]:
        return f"expected {expected}"
    return f"{detail['loc'][0]}: expected {expected}, found {detail['input']!r}"
