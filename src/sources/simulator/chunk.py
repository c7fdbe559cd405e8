"""One chunk of customers as tables: what the retailer has, and the truth."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from .baskets import Catalogue, Lines, Receipts, draw_catalogue, draw_lines, draw_receipts
from .campaigns import Contacts, Orders, plan, run_campaigns
from .customers import AGE_BANDS, CATEGORIES, PURPOSES, REGIONS, Customers
from .dirt import soil
from .programme import KINDS, draw_ledger, tier_at
from .purchases import Base, draw_base, expected_next, expected_orders
from .randomness import BoolArray, FloatArray, IntArray, generator
from .season import Season
from .settings import CHANNELS, CHUNK, CURRENCY, Simulation
from .survey import contentment, draw_answers

RECEIPTS = 10**8
"""Receipt numbers of one chunk."""
FIRST_CARD = 10**9
"""Numbers that channels give to customers start here, in every channel: the same number is another customer's there."""

Tables = dict[str, pa.Table]
"""Tables by name; those that begin with `truth_` are not for the retailer's eyes."""


@dataclass(frozen=True)
class Retailer:
    """What all chunks share."""

    settings: Simulation
    season: Season
    catalogue: Catalogue

    @classmethod
    def of(cls, settings: Simulation) -> "Retailer":
        """The retailer of these settings."""
        return cls(settings, Season(settings), draw_catalogue(settings))

    def chunks(self) -> Iterator[Tables]:
        """The tables of one chunk after the other."""
        return (draw_chunk(self, chunk) for chunk in range(self.settings.chunks))


def draw_chunk(retailer: Retailer, chunk: int) -> Tables:
    """All tables of one chunk.

    The chunk is drawn whole, and customers beyond the last are cut off: so the first customers are the same in a
    retailer of any size.
    """
    settings = retailer.settings
    base = draw_base(settings, retailer.season, chunk)
    orders, contacts = run_campaigns(base)
    receipts = draw_receipts(settings, base.customers, orders, chunk)
    lines = draw_lines(settings, retailer.catalogue, base.customers, receipts, chunk)
    kept = min(CHUNK, settings.customers - chunk * CHUNK)
    write = _Writer(settings, chunk, kept)
    tables = write.transactions(receipts, lines) | {"truth_customers": write.truth(base, orders, receipts)}
    if settings.plain:
        return tables
    tables |= write.people(base.customers)
    if settings.members:
        ledger = draw_ledger(settings, base.customers, receipts, lines, chunk)
        tables["points"] = write.rows(
            ledger.customer, time=write.times(ledger.moment), points=ledger.points, kind=np.array(KINDS)[ledger.kind]
        )
        tables["consent"] = write.consent(base.customers)
    if settings.surveyed:
        answers = draw_answers(settings, base.customers, receipts, chunk)
        tables["survey"] = write.rows(answers.customer, time=write.times(answers.moment), score=answers.score)
        content = contentment(settings, base.customers)
        tables["truth_survey"] = write.rows(np.arange(CHUNK), contentment=content)
    return tables | (write.campaigns(receipts, contacts) if contacts else {})


class _Writer:
    """Arrays of one chunk as tables of the customers kept."""

    def __init__(self, settings: Simulation, chunk: int, kept: int) -> None:
        self.settings, self.chunk, self.kept = settings, chunk, kept
        self.first_day = np.datetime64(settings.start)

    def times(self, moment: FloatArray) -> pa.Array:
        """Moments as local times, to the second."""
        seconds = np.rint(moment * 86400).astype("timedelta64[s]")
        return pa.array((self.first_day.astype("datetime64[s]") + seconds).astype("datetime64[ms]"))

    def dates(self, moment: FloatArray) -> pa.Array:
        """Moments as dates; null where NaN."""
        known = np.isfinite(moment)
        days = np.floor(np.where(known, moment, 0)).astype("timedelta64[D]")
        return pa.array(self.first_day + days, mask=~known)

    def rows(self, customer: IntArray, **columns: object) -> pa.Table:
        """A table of the customers kept, under their numbers from 1."""
        table = pa.table({"customer": self.chunk * CHUNK + customer + 1, **columns})
        return table if self.kept == CHUNK else table.filter(pa.array(customer < self.kept))

    def transactions(self, receipts: Receipts, lines: Lines) -> Tables:
        """Lines and returns, sorted by customer and time, with the dirt asked for; in one table or one a channel."""
        back = np.flatnonzero(np.isfinite(lines.back))
        line = np.concatenate([np.arange(lines.order.size), back])
        returned = np.arange(line.size) >= lines.order.size
        order = lines.order[line]
        moment = np.where(returned, lines.back[line], receipts.moment[order])
        receipt = np.where(returned, receipts.customer.size + np.arange(line.size) - lines.order.size, order)
        if back.size:
            rows = np.lexsort([receipt, moment, receipts.customer[order]])
            line, returned, order, moment, receipt = (each[rows] for each in (line, returned, order, moment, receipt))
        customer, store, channel = receipts.customer[order], receipts.store[order], receipts.channel[order]
        table = self.rows(
            customer,
            time=self.times(moment),
            receipt=self.chunk * RECEIPTS + receipt + 1,
            product=(lines.product[line] + 1).astype(np.int32),
            store=pa.array((store + 1).astype(np.int32), mask=store < 0),
            channel=np.array(CHANNELS)[channel],
            amount=np.where(returned, -lines.amount[line], lines.amount[line]) / 100,
            **({} if self.settings.plain else self._money_off(lines, line, returned)),
        )
        if not self.settings.dirt:
            return self._by_channel(table)
        table, counts = soil(self.settings, table, self.chunk)
        return self._by_channel(table) | {"truth_dirt": counts}

    def _money_off(self, lines: Lines, line: IntArray, returned: BoolArray) -> dict[str, object]:
        """Discounts, of which a return gives nothing back, and the currency."""
        return {
            "discount": np.where(returned, 0, lines.discount[line]) / 100,
            "coupon_discount": np.where(returned, 0, lines.coupon[line]) / 100,
            "currency": pa.repeat(CURRENCY, line.size),
        }

    def _by_channel(self, table: pa.Table) -> Tables:
        """The log as one table, or as one a channel with that channel's own numbers, and who is who."""
        if not self.settings.channel_ids:
            return {"transactions": table}
        rng, tables, known = generator(self.settings.seed, "numbers", self.chunk), {}, []
        channels = np.array(table["channel"])
        for channel in CHANNELS:
            number = FIRST_CARD + self.chunk * CHUNK + rng.permutation(CHUNK)
            part = table.filter(pa.array(channels == channel)).drop_columns("channel")
            position = part["customer"].fill_null(self.chunk * CHUNK + 1).to_numpy() - self.chunk * CHUNK - 1
            named = pa.array(number[position], mask=part["customer"].is_null().to_numpy())
            tables[f"transactions_{channel}"] = part.set_column(0, "number", named)
            mine = np.unique(position[part["customer"].is_valid().to_numpy()])
            known.append(self.rows(mine, number=number[mine], channel=pa.repeat(channel, mine.size)))
        return tables | {"identity": pa.concat_tables(known)}

    def people(self, customers: Customers) -> Tables:
        """What the retailer knows of its customers."""
        everyone = np.arange(CHUNK)
        band = np.searchsorted([30, 45, 60], customers.age, side="right")
        end_year = self.settings.end.year
        born = (end_year - 1 - np.floor(customers.age).astype(int) - 1970).astype("datetime64[Y]")
        known = self.rows(
            everyone,
            joined=self.dates(customers.joined),
            birthday=born.astype("datetime64[D]") + customers.birthday,
            age_band=np.array(AGE_BANDS)[band],
            region=np.array(REGIONS)[customers.region],
            household=customers.household,
        )
        return {"customers": known}

    def consent(self, customers: Customers) -> pa.Table:
        """What members agreed to when they joined, and withdrawals."""
        member, purpose = np.nonzero(np.repeat(np.isfinite(customers.joined)[:, None], len(PURPOSES), axis=1))
        left = np.flatnonzero(np.isfinite(customers.withdrew))
        moment = np.concatenate([customers.joined[member], customers.withdrew[left]])
        said = np.concatenate([customers.agreed[member, purpose], np.zeros(left.size, dtype=bool)])
        of = np.concatenate([purpose, np.full(left.size, PURPOSES.index("contact"))])
        customer = np.concatenate([member, left])
        rows = np.lexsort([of, moment, customer])
        return self.rows(
            customer[rows], time=self.times(moment[rows]), purpose=np.array(PURPOSES)[of[rows]], granted=said[rows]
        )

    def campaigns(self, receipts: Receipts, contacts: list[Contacts]) -> Tables:
        """Contacts with who was held out, coupons handed in, and the truth about both."""
        each = {name: np.concatenate([vars(one)[name] for one in contacts]) for name in vars(contacts[0])}
        customer, campaign = each.pop("customer"), each.pop("campaign")
        moment, group = each.pop("moment"), np.where(each.pop("treated"), "treated", "held out")
        redeemed = np.flatnonzero(receipts.campaign)
        return {
            "contacts": self.rows(customer, campaign=campaign, time=self.times(moment), group=group),
            "truth_contacts": self.rows(customer, campaign=campaign, group=group, **each),
            "redemptions": self.rows(
                receipts.customer[redeemed],
                campaign=receipts.campaign[redeemed],
                time=self.times(receipts.moment[redeemed]),
                receipt=self.chunk * RECEIPTS + redeemed + 1,
                discount=receipts.coupon[redeemed] / 100,
            ),
        }

    def truth(self, base: Base, orders: Orders, receipts: Receipts) -> pa.Table:
        """What drives each customer, which no retailer sees; see `describe.TRUTH`."""
        settings, customers = self.settings, base.customers
        happened, own = ~orders.prevented, orders.cause == 0
        last_tier = np.zeros(CHUNK, dtype=np.int64)
        last_tier[receipts.customer] = tier_at(settings, receipts)  # the last one of each customer stays
        leaving = {
            "geometric": {"dropout_probability": customers.leaving},
            "exponential": {"dropout_rate": customers.leaving},
            "none": {},
        }
        gone = base.purchases.gone
        lost = np.isfinite(gone)
        return self.rows(
            np.arange(CHUNK),
            rate=customers.rate,
            regularity=customers.k,
            **leaving[settings.dropout],
            alive=~lost,
            left=self.dates(np.where(lost, base.season.day(np.where(lost, gone, 0)), np.nan)),
            mean_order=customers.mean_order,
            price_sensitivity=customers.sensitivity,
            response=customers.response,
            favourite=np.array(CATEGORIES)[customers.favourite],
            main_channel=np.array(CHANNELS)[customers.main_channel],
            omnichannel=customers.omnichannel,
            tier_at_last_order=np.array(["", *(tier.name for tier in settings.tiers)])[last_tier],
            orders=np.bincount(orders.customer[happened], minlength=CHUNK),
            orders_without_campaigns=np.bincount(orders.customer[own], minlength=CHUNK),
            expected_orders_without_campaigns=expected_orders(base),
            expected_next_orders=expected_next(base),
        )


def shared_tables(retailer: Retailer) -> Tables:
    """Tables that do not grow with the customers: products, campaigns, events, and the season as it was."""
    settings = retailer.settings
    days = np.datetime64(settings.start) + np.arange(retailer.season.factor.size)
    tables = {"truth_season": pa.table({"day": days, "factor": retailer.season.factor})}
    if settings.plain:
        return tables
    number = np.arange(settings.products)
    tables["products"] = pa.table(
        {"product": (number + 1).astype(np.int32), "category": np.array(CATEGORIES)[retailer.catalogue.category]}
    )
    campaigns = plan(settings)
    if campaigns:
        starts = np.datetime64(settings.start) + np.array([each.start for each in campaigns])
        told = {name: [getattr(each, name) for each in campaigns] for name in ("kind", "design", "strength")}
        number = np.array([each.number for each in campaigns])
        tables["truth_campaigns"] = pa.table({"campaign": number, "start": starts, **told})
        tables["campaigns"] = tables["truth_campaigns"].drop_columns("strength")
    return tables
