"""The tables about campaigns: what was offered to whom, and what was handed in."""

from typing import Any

import ibis
import ibis.expr.types as ir

from ..errors import DataError
from ..schema import Campaigns, Contacts, Coupons, Redemptions, Table
from .clock import read_time
from .opening import Opened
from .values import finite, identifier, truth


class Offers(Opened):
    """The tables about campaigns; each is None where the dataset has none. For their columns see `log`."""

    def campaigns(self) -> ir.Table | None:
        """Campaigns, one row each; where several rows describe one, the least of each column."""
        if not self.dataset.campaigns:
            return None
        told = self._stacked("campaigns", self._campaigns_of)
        others = [name for name in told.columns if name != "campaign"]
        return told.group_by("campaign").agg(**{name: told[name].min() for name in others})

    @staticmethod
    def _campaigns_of(raw: ir.Table, roles: Campaigns, where: str) -> dict[str, ir.Value]:
        def day(column: str | None) -> ir.Value:
            return ibis.null("date") if column is None else read_time(raw[column], roles.time_format).date()

        return {
            "campaign": identifier(raw[roles.campaign]),
            "start": day(roles.start),
            "end": day(roles.end),
            "type": _text(raw, roles.type),
            "channel": _text(raw, roles.channel),
            "contact_cost": _one_or_each(raw, roles.contact_cost, roles),
            "budget": _money(raw, roles.budget, roles),
            "hold_out": _one_or_each(raw, roles.hold_out, roles),
        }

    def contacts(self) -> ir.Table | None:
        """Who was to be sent which campaign, dated by the contact, or else by the campaign's first day."""
        if not self.dataset.contacts:
            return None
        sent = self._stacked("contacts", self._contacts_of)
        if (told := self.campaigns()) is not None:
            joined = sent.left_join(told.select("campaign", "start"), "campaign").drop("campaign_right")
            sent = joined.mutate(day=joined.day.coalesce(joined.start)).drop("start")
        return sent.distinct()

    def _contacts_of(self, raw: ir.Table, roles: Contacts, where: str) -> dict[str, ir.Value]:
        if roles.time is None and not self.dataset.campaigns:
            raise DataError(
                f"{where}: neither `time` nor a [campaigns] table says when a contact was; name one of them"
            )
        day = ibis.null("date") if roles.time is None else self._local_time(raw, roles, where).date()
        group = ibis.null("string") if roles.group is None else identifier(raw[roles.group]).lower()
        held_out = group.isin([name.lower() for name in roles.held_out]).coalesce(False)
        return {
            "customer": identifier(raw[roles.customer]),
            "day": day,
            "campaign": identifier(raw[roles.campaign]),
            "held_out": held_out,
            "sent_by": _text(raw, roles.sent_by),
            **self._opened(raw, roles, where),
        }

    def _opened(self, raw: ir.Table, roles: Contacts, where: str) -> dict[str, ir.Value]:
        """Whether a message was opened, and the day where the column tells it."""
        if roles.opened is None:
            return {"opened": ibis.null("boolean"), "opened_day": ibis.null("date")}
        column = raw[roles.opened]
        said = ibis.null("boolean") if column.type().is_temporal() else truth(column)
        at = self._local_time(raw, roles.model_copy(update={"time": roles.opened}), where).date()
        day = said.isnull().ifelse(at, ibis.null("date"))
        return {"opened": said.coalesce(day.notnull()), "opened_day": day}

    def opens(self) -> ir.Table | None:
        """Messages opened, one row each time."""
        return self._dated("opens", lambda raw, roles: {"campaign": identifier(raw[roles.campaign])})

    def redemptions(self) -> ir.Table | None:
        """Coupons handed in, one row each."""
        # With several logs the numbers of their receipts are told apart, and a redemption does not say whose it names.
        one_log = len(self._tables["transactions"]) == 1

        def more(raw: ir.Table, roles: Redemptions) -> dict[str, ir.Value]:
            return {
                "campaign": _text(raw, roles.campaign),
                "coupon": _text(raw, roles.coupon),
                "order": _text(raw, roles.order if one_log else None),
                "amount": _money(raw, roles.amount, roles).abs(),
            }

        return self._dated("redemptions", more)

    def coupons(self) -> ir.Table | None:
        """Which coupon belongs to which campaign and is good for which product."""

        def columns_of(raw: ir.Table, roles: Coupons, where: str) -> dict[str, ir.Value]:
            names = {"coupon": roles.coupon, "campaign": roles.campaign, "product": roles.product}
            return {name: _text(raw, column) for name, column in names.items()}

        return self._stacked("coupons", columns_of).distinct() if self.dataset.coupons else None


def _text(raw: ir.Table, column: str | None) -> Any:
    return ibis.null("string") if column is None else identifier(raw[column])


def _one_or_each(raw: ir.Table, told: float | str | None, roles: Table) -> Any:
    """A number that holds for all rows, or a column."""
    # As text, for an engine takes 0.4 for a decimal number, not for one with a floating point.
    return ibis.literal(str(told)).cast("float64") if isinstance(told, float) else _money(raw, told, roles)


def _money(raw: ir.Table, column: str | None, roles: Table) -> Any:
    return ibis.null("float64") if column is None else finite(raw[column], roles)
