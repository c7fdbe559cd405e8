"""What a dataset file says of points: `[programme.points]`."""

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from .roles import Section

__all__ = ["PointKind", "PointsRules"]

PointKind = Literal["earn", "redeem", "expire", "adjust", "return"]


class PointsRules(Section):
    """How points are earned and how long they last.

    Attributes
    ----------
    per_unit : points for a unit of currency.
    whole : whether points are whole, rounded down once a purchase day; else they have two decimals.
    expiry_months, expiry_days : from the day they are earned; on the day after so many they are gone. One of them, or
        neither where points do not expire.
    pending_days : from the purchase, before points can be spent: the return period.
    birthday_multiplier : of points in the month of the customer's birthday.
    tier_multipliers : of points, by name of the tier.
    most_per_month : points that a customer can earn in a calendar month.
    cost_per_point : money, when it is redeemed.
    least_use : share of the points issued that is to be redeemed, below which a report raises the alarm.
    kinds : what the words in the `kind` column of the points table stand for, where it has others than `earn`,
        `redeem`, `expire`, `adjust` and `return`.
    """

    per_unit: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    whole: bool = True
    expiry_months: Annotated[int, Field(ge=1, le=120, strict=True)] | None = None
    expiry_days: Annotated[int, Field(ge=1, le=3650, strict=True)] | None = None
    pending_days: Annotated[int, Field(ge=0, le=365, strict=True)] = 0
    birthday_multiplier: Annotated[float, Field(ge=1, allow_inf_nan=False)] = 1.0
    tier_multipliers: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(default_factory=dict)
    most_per_month: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    cost_per_point: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    least_use: Annotated[float, Field(ge=0, le=1, strict=True)] = 0.5
    kinds: dict[str, PointKind] = Field(default_factory=dict)

    @field_validator("expiry_days")
    @classmethod
    def _one_expiry(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and info.data.get("expiry_months") is not None:
            raise ValueError("no expiry_days where there are expiry_months")
        return value

    @field_validator("pending_days")
    @classmethod
    def _usable_for_a_while(cls, value: int, info: ValidationInfo) -> int:
        months, days = info.data.get("expiry_months"), info.data.get("expiry_days")
        lasting = days if months is None else 28 * months
        if lasting is not None and value >= lasting:
            raise ValueError(f"less than the {lasting} days that points last at least")
        return value

    @property
    def expire(self) -> bool:
        """Whether points expire."""
        return self.expiry_months is not None or self.expiry_days is not None

    def with_other_expiry(self) -> "PointsRules":
        """The same with points that last twice as long, or a year where they do not expire.

        Examples
        --------
        >>> PointsRules(expiry_months=12).with_other_expiry().expiry_months
        24
        >>> PointsRules().with_other_expiry().expiry_months
        12
        """
        if self.expiry_days is not None:
            return self.model_copy(update={"expiry_days": 2 * self.expiry_days})
        return self.model_copy(update={"expiry_months": 12 if self.expiry_months is None else 2 * self.expiry_months})
