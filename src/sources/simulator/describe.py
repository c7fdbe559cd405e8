"""The dataset file of a simulated retailer, and what the columns of the truth mean."""

import json
from collections.abc import Iterable
from datetime import date, timedelta

from .customers import FOUNDING_DAYS
from .dirt import lost_day
from .programme import EXPIRY_DAYS, MULTIPLIERS, QUALIFYING_DAYS
from .settings import CHANNELS, CURRENCY, TIMEZONE, Simulation

CONTACT_COST, POINT_COST = 0.35, 0.01
"""What a contact costs, and a point when it is handed in, euros."""

MARK = "# Written by `loyalty simulate`: a retailer that does not exist."
"""First line of the dataset file; only a file that begins with it is written over."""

TRUTH = {
    "customers": {
        "rate": "purchases per day while active, in a day of average season",
        "regularity": "k of the Erlang times between purchases; 1 is Poisson",
        "dropout_probability": "of leaving after each repeat purchase",
        "dropout_rate": "of leaving, per day",
        "alive": "whether the customer is still active when the log ends",
        "left": "day of leaving; null if alive",
        "mean_order": "expected value of an order before a coupon, money",
        "price_sensitivity": "how readily promotions and coupons are taken, 0 to 1",
        "response": "what a contact of strength 1 adds to the rate while it lasts, as a share of it",
        "orders": "purchases in the log, caused ones included, prevented ones not",
        "orders_without_campaigns": "purchases that there would have been without any campaign",
        "expected_orders_without_campaigns": "their expectation from the first purchase on, which counts",
        "expected_next_orders": "expected purchases in the horizon after the log, without campaigns",
    },
    "contacts": {
        "effect": "what the contact adds to the rate, as a share of it; for held out ones, what it would have added",
        "expected_orders": "caused less prevented orders, lift and dip, expected from the customer's own parameters",
        "expected_spend": "the same in money, net of coupons",
        "orders": "caused less prevented orders as they came out; 0 for held out ones",
        "spend": "the same in money, net of coupons",
    },
    "campaigns": {
        "strength": "factor on every customer's response",
        "treated": "customers contacted",
        "held_out": "customers drawn and not contacted",
        "effect": "mean over the treated, and so for the other columns",
    },
    "survey": {"contentment": "standing of the propensity to leave among all customers, standard normal, sign turned"},
    "season": {"factor": "of the purchase rate on that day; the horizon after the log included"},
    "dirt": {"lines": "with what is wrong; duplicates count once, lines of a dead till and of a lost day are gone"},
}


def dataset_file(settings: Simulation, name: str, tables: Iterable[str]) -> str:
    """Text of the dataset file for the tables that were written."""
    there = set(tables)
    parts = [_head(settings, name), *_logs(settings, name)]
    parts += [text for table, text in _others(settings, name).items() if table in there]
    parts += [_study(settings), *([_tiers(settings)] if "points" in there else []), _events(settings, name, there)]
    parts += [] if settings.plain else [_goals(settings, there), _budget(settings)]
    return "\n".join(filter(None, parts))


def diary(settings: Simulation) -> list[tuple[date, date, str]]:
    """Happenings that the retailer wrote down: first day, last day, name."""
    told = []
    if settings.founders:
        last = min(FOUNDING_DAYS, settings.acquisition_days or settings.days) - 1
        told.append((settings.start, settings.start + timedelta(days=last), "Opening weeks"))
    if settings.dirt:
        day = settings.start + timedelta(days=lost_day(settings))
        told.append((day, day, "Outage"))
    return told


def _head(settings: Simulation, name: str) -> str:
    return f"""\
{MARK}
# The truth about it lies in data/raw/{name}-truth, which no dataset file names.
title = "Simulated retailer {name}"
notice = "Simulated: none of its customers exists. {settings.customers:,} customers, seed {settings.seed}."
currency = "{CURRENCY}"
timezone = "{TIMEZONE}"
"""


def _logs(settings: Simulation, name: str) -> list[str]:
    if not settings.channel_ids:
        channel = 'customer = "customer"\nchannel = "channel"'
        return ["[transactions]                       # one row a line item\n" + _log(settings, name, "", channel)]
    return [
        "[[transactions]]                     # one row a line item; each channel numbers its own customers\n"
        + _log(settings, name, f"_{channel}", f'customer = "number"\nchannel_is = "{channel}"')
        for channel in CHANNELS
    ]


def _log(settings: Simulation, name: str, ending: str, who: str) -> str:
    money = """\
discount = ["discount", "coupon_discount"]
coupon = ["coupon_discount"]          # the part of the discount that needed a coupon
currency = "currency"
"""
    return f"""\
source = "data/raw/{name}/transactions{ending}.parquet"
{who}
time = "time"
order = "receipt"
amount = "amount"                     # what was paid; negative for a return
product = "product"
store = "store"
{"" if settings.plain else money}"""


def _others(settings: Simulation, name: str) -> dict[str, str]:
    def section(table: str, keys: str) -> str:
        return f'[{table}]\nsource = "data/raw/{name}/{table}.parquet"\n{keys}\n'

    timed = 'customer = "customer"\ntime = "time"'
    return {
        "identity": section("identity", 'id = "number"\nchannel = "channel"\ncustomer = "customer"'),
        "products": section("products", 'product = "product"\ncategory = "category"'),
        "customers": section(
            "customers",
            'customer = "customer"\nattributes = ["age_band", "region", "household"]\n'
            'joined = "joined"                     # the programme\nbirthday = "birthday"',
        ),
        "campaigns": section(
            "campaigns",
            'campaign = "campaign"\nstart = "start"\ntype = "kind"\n'
            f"contact_cost = {CONTACT_COST}                  # of one contact: what this retailer pays"
            + _hold_out(settings),
        ),
        "contacts": section(
            "contacts", timed + '\ncampaign = "campaign"\ngroup = "group"                       # treated or held out'
        ),
        "redemptions": section(
            "redemptions", timed + '\ncampaign = "campaign"\norder = "receipt"\namount = "discount"'
        ),
        "points": section("points", timed + '\npoints = "points"\nkind = "kind"'),
        "survey": section("survey", timed + '\nscore = "score"'),
        "consent": section("consent", timed + '\ngranted = "granted"\npurpose = "purpose"'),
    }


def _hold_out(settings: Simulation) -> str:
    """The planned share, where some are held out and some are not."""
    share = settings.hold_out
    return f"\nhold_out = {share!r}                       # of those drawn, by chance" if 0 < share < 1 else ""


def _study(settings: Simulation) -> str:
    return f"""\
[study]
horizon_days = {settings.horizon}
active_within_days = {settings.horizon}
margin = 0.3
"""


def _tiers(settings: Simulation) -> str:
    tiers = "\n".join(
        f"    {{ name = {json.dumps(tier.name)}, spend = {tier.threshold!r} }}," for tier in settings.tiers
    )
    multipliers = ", ".join(
        f"{json.dumps(tier.name)} = {MULTIPLIERS[min(level, len(MULTIPLIERS) - 1)]!r}"
        for level, tier in enumerate(settings.tiers, start=1)
    )
    return f"""\
[programme]
qualifying_days = {QUALIFYING_DAYS}
tiers = [
{tiers}
]

[programme.points]
per_unit = 1.0
expiry_days = {EXPIRY_DAYS}
tier_multipliers = {{ {multipliers} }}
cost_per_point = {POINT_COST}
"""


def _goals(settings: Simulation, there: set[str]) -> str:
    """Goals with a date that lie around the end of the log."""
    starts, deadline = _around(settings)
    asked = {
        "churn": "change = -0.05                        # 5 % less than at the start",
        "order_value": "change = 0.05",
        "members": "change = 0.2" if settings.members and "customers" in there else "",
        "redemption": "target = 0.75" if "points" in there else "",
        "nps": "target = 55" if "survey" in there else "",
    }
    dates = f"starts = {starts}\ndeadline = {deadline}"
    return "\n".join(f"[goals.{name}]\n{dates}\n{how}\n" for name, how in asked.items() if how)


def _budget(settings: Simulation) -> str:
    """A budget that grows with the customers, people known up to the launch."""
    starts, deadline = _around(settings)
    launched, many = starts + timedelta(days=56), settings.customers
    spans = {
        "preparation": (starts - timedelta(days=28), starts),
        "launch": (starts, launched),
        "evaluation": (launched, deadline + timedelta(days=1)),
    }
    shares = {
        "preparation": {"rewards": 0.12, "contacts": 0.1, "people": 1.0},
        "launch": {"rewards": 0.15, "contacts": 0.1, "people": 0.5},
        "evaluation": {"rewards": 1.5, "contacts": 0.4},
    }
    spent = {"preparation": 1.1, "launch": 0.5}
    parts = []
    for name, (first, after) in spans.items():
        plan = ", ".join(f"{kind} = {round(share * many)}" for kind, share in shares[name].items())
        actual = f"actual = {{ people = {round(spent[name] * many)} }}\n" if name in spent else ""
        dates = f"starts = {first}\nends = {after - timedelta(days=1)}"
        parts.append(f"[budget.{name}]\n{dates}\nplan = {{ {plan} }}\n{actual}")
    return "\n".join(parts)


def _around(settings: Simulation) -> tuple[date, date]:
    """First and last day of a year of which the end of the log is the middle; it begins later in a short log."""
    return settings.end - timedelta(days=min(182, settings.days // 2)), settings.end + timedelta(days=182)


def _events(settings: Simulation, name: str, there: set[str]) -> str:
    """The season before Christmas of each year, which the simulation has, and the retailer's diary."""
    table = f'[events.table]\nsource = "data/raw/{name}/events.parquet"\n\n' if "events" in there else ""
    years = range(settings.start.year, settings.end.year + 1)
    seasons = [(date(year, 11, 27), date(year, 12, 24)) for year in years] if settings.season else []
    return table + "\n".join(
        f'[[events.marked]]\nday = {first}\nuntil = {last}\nname = "Before Christmas"\n'
        for first, last in seasons
        if settings.start <= last and first < settings.end
    )
