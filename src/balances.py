"""The step of a study that says what became of points, what is left of them, and what that will cost."""

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from .errors import DataError, RefusedError
from .features.histories import net_spend
from .features.windows import last_days
from .points_rules import PointsRules
from .programme.accounts import Played, play
from .programme.effect import Interval
from .programme.ledger import STEPS
from .programme.liability import Ultimate
from .programme.owed import METHODS, counted, expected
from .programme.owed_tested import back_test, stress, trusted, ultimate_rate
from .programme.points import Account, says_expiry
from .programme.points_measures import Use, balance_by_age, expiry_calendar, moved, to_remind, use
from .programme.points_totals import compare, totals

if TYPE_CHECKING:
    from .study import Study

REMINDED_DAYS = (30, 60, 90)
YEAR, CENTURY = 365, 36_500
MORE = 1.5
"""Times as many points for a unit of currency, in a replay."""


def points(study: "Study") -> dict[str, Any]:
    """What became of the points until `known_until`, by the retailer's own ledger or replayed from the log.

    Returns
    -------
    about : known (whether there are points to tell of), source (`own` ledger, replayed by the `rules` of the dataset
        file, or under `assumed` ones), assumed (whether it is the last), lacking (parts of a dataset file that would
        tell more). Where known also rules (see `PointsRules`; null where there are none), paid_share (of each purchase,
        where it is assumed who redeems what), says_expiry (whether the ledger tells what expired), customers (who ever
        had points), holders (who have some that can be spent), unmet_customers (who wanted to redeem more than was
        there), pending_customers, as_of (ISO), totals (see `programme.points_totals.totals`), year (of the last year or
        since the log began: days, spend, and issued, redeemed, expired, each with _customers), use (share, matured, see
        `programme.points_measures.Use`, least, alarm), refused
        (why nothing is said of what will be redeemed; empty if something is), trusted (the method that was nearer in
        `liability_tested`, survival where nothing was tested; empty where `refused`), findings (of the ledger: label,
        detail, means, mend, customers).
    daily, weekly, kinds : see `programme.points_measures.moved`; the last of all days together, without a day.
    ages, calendar : see `programme.points_measures.balance_by_age` and `expiry_calendar`.
    reminders : within_days, customers, points, that expire within so many days.
    liability : method (`chain-ladder`, `survival`), bound (whether points last longer than any has been seen: then it
        is the least, and _high is all that is there), points, money, rate (of all issued that is redeemed in the end),
        each with _low and _high; money is null where no cost is known. No chain-ladder where `bound`, and no rows where
        `refused`.
    liability_tested : see `programme.owed_tested.back_test`.
    stress : see `programme.owed_tested.stress`, from the `trusted` method; no rows where `refused`.
    changes : change (`none`, `more points`, `expiry`), wishes (`same`, or `more` as points grow), per_unit,
        expiry_months, expiry_days, and the columns of `programme.points_totals.totals`. No rows where no rules are
        known.
    """
    played = play(study.data.tables, study.dataset.programme, study.known_until)
    if isinstance(played, str):
        return {"about": {"known": False, "source": "rules", "assumed": False, "lacking": [played]}}
    used = use(played.account)
    if used is None:
        about: dict[str, Any] = {"known": False, "lacking": []}
        return {"about": about | {"source": played.source, "assumed": played.source == "assumed"}}
    told = totals(played.account, played.issued)
    owed, said = _owed(played.account, told)
    return {
        "about": _about(study, played, used, told) | said,
        "daily": moved(played.account),
        "weekly": moved(played.account, 7),
        "kinds": moved(played.account, CENTURY).drop(columns="day"),
        "ages": balance_by_age(played.account),
        "calendar": expiry_calendar(played.account),
        "reminders": _reminders(played.account),
        **owed,
        "changes": _changes(study, played),
    }


# What is told of it


def _about(study: "Study", played: Played, used: Use, told: dict[str, Any]) -> dict[str, Any]:
    rules, account = played.rules, played.account
    table = study.data.tables.points
    return {
        "known": True,
        "source": played.source,
        "assumed": played.source == "assumed",
        "lacking": _lacking(played),
        "rules": None if rules is None else rules.model_dump(mode="json"),
        "paid_share": played.paid_share,
        "says_expiry": table is not None and says_expiry(table, account.rules, study.known_until),
        "customers": used.customers,
        "holders": account.parts.filter(account.parts.step.isnull()).customer.nunique().to_pyarrow().as_py(),
        "unmet_customers": _lacking_points(account),
        "pending_customers": account.pending.count().to_pyarrow().as_py(),
        "as_of": study.known_until.isoformat(),
        "totals": told,
        "year": _last_year(study, account),
        "use": {
            "share": _ends(used.share), "matured": used.matured and _ends(used.matured), "least": used.least,
            "alarm": used.alarm,
        },
        "findings": [
            {name: each[name] for name in ("label", "detail", "means", "mend", "customers")}
            for each in study.findings()
            if each["name"].startswith("points_")
        ],
    }  # fmt: skip


def _ends(found: Interval) -> dict[str, float]:
    return {"estimate": found.estimate, "low": found.low, "high": found.high}


def _lacking_points(account: Account) -> int:
    events = account.settled
    short = events.filter((events.step == STEPS.index("redeem")) & (events.wanted > events.taken))
    return int(short.customer.nunique().to_pyarrow().as_py())


def _lacking(played: Played) -> list[str]:
    """Parts of a dataset file that would tell more of these points, as it calls them."""
    rules = played.rules
    lacks = {
        "points": played.source != "own",
        "programme.points": played.source == "assumed" or rules is None,
        "programme.points.cost_per_point": rules is not None and rules.cost_per_point is None,
        "programme.points.expiry_months": rules is not None and not rules.expire,
    }
    return [name for name, lacking in lacks.items() if lacking]


def _last_year(study: "Study", account: Account) -> dict[str, float]:
    """Points moved, by how many, and money spent net of returns, in the last year or since the log began."""
    end = study.known_until
    days = min(YEAR, (end - study.first_day).days)
    periods = moved(account, days)
    recent = periods[periods["day"] == pd.Timestamp(end) - pd.Timedelta(days=days)].set_index("kind")
    spent = last_days(net_spend(study.data.tables), end, days).spend.sum().to_pyarrow().as_py()
    told = {"days": days, "spend": float(spent or 0.0)}
    for kind in ("issued", "redeemed", "expired"):
        told[kind] = float(recent["points"].get(kind, 0.0))
        told[f"{kind}_customers"] = int(recent["customers"].get(kind, 0))
    return told


def _reminders(account: Account) -> pd.DataFrame:
    """Customers whose points expire within some days, counted: within_days, customers, points."""
    rows = []
    for days in REMINDED_DAYS:
        due = to_remind(account, days)
        counted = due.agg(customers=due.count(), units=due.units.sum()).to_pyarrow().to_pylist()[0]
        rows.append((days, counted["customers"], float(counted["units"] or 0) / 100))
    return pd.DataFrame(rows, columns=["within_days", "customers", "points"])


# What it will cost


def _owed(account: Account, told: dict[str, Any]) -> tuple[dict[str, pd.DataFrame], dict[str, str]]:
    """Liability by both methods, their test and the stress table; which method it is made of, and why there is none."""
    cost = np.nan if account.rules.cost_per_point is None else account.rules.cost_per_point
    there = told["outstanding"] - told["pending"]
    try:
        seen = counted(account)
    except RefusedError as error:
        nothing = {"liability": "method", "liability_tested": "method", "stress": "case"}
        frames = {name: pd.DataFrame({key: pd.Series(dtype="string")}) for name, key in nothing.items()}
        return frames, {"refused": str(error), "trusted": ""}
    tested, found = back_test(seen, account.as_of), {}
    for method in METHODS:
        # Where points last longer than the log is, chain-ladder says nothing.
        with suppress(DataError):
            found[method] = expected(seen, method)
    rows = [_row(method, each, told, there, cost) for method, each in found.items()]
    by = trusted(tested)
    frames = {"liability": pd.DataFrame(rows), "liability_tested": tested, "stress": stress(found[by], there, cost)}
    return frames, {"refused": "", "trusted": by}


def _row(method: str, found: Ultimate, told: dict[str, Any], there: float, cost: float) -> dict[str, Any]:
    """One method; more than is there cannot be redeemed, and of what has no known end all may be."""
    ends = (found.total, found.low, there if found.bound else found.high)
    points_ = Interval(*(min(float(each), there) for each in ends))
    rate = ultimate_rate(told["issued"], told["redeemed"], points_)
    parts = {"points": points_, "money": points_.times(cost), "rate": rate}
    names = {"": "estimate", "_low": "low", "_high": "high"}
    return {"method": method, "bound": found.bound} | {
        f"{name}{ending}": getattr(part, end) for name, part in parts.items() for ending, end in names.items()
    }


# What other rules would do


def _changes(study: "Study", played: Played) -> pd.DataFrame:
    """The same purchases under other rules; nobody is taken to buy otherwise."""
    rules, tables, days = played.rules or played.account.rules, study.data.tables, played.days
    columns = ["change", "wishes", "per_unit", "expiry_months", "expiry_days"]
    if played.rules is None or days is None:
        return pd.DataFrame({name: pd.Series(dtype="string") for name in columns})
    more = rules.model_copy(update={"per_unit": MORE * rules.per_unit})
    named = {"none": rules, "more points": more, "expiry": rules.with_other_expiry()}

    def under(rules: dict[str, PointsRules], wishes: ir.Table) -> pd.DataFrame:
        return compare(days, wishes, rules, study.known_until, tables.returns, tables.customers, played.levels)

    found = under(named, played.wishes).assign(wishes="same")
    if played.source == "own":
        # What was redeemed was bounded by what was there: had there been more, more might have been redeemed.
        wishes = played.wishes.mutate(units=(played.wishes.units * MORE).floor().cast("int64"))
        found = pd.concat([found, under({"more points": more}, wishes).assign(wishes="more")])
    for key in columns[2:]:
        found[key] = [getattr(named[str(name)], key) for name in found.index]
    told = found.astype(dict.fromkeys(columns[2:], "float64")).rename_axis("change").reset_index()
    return told.sort_values("change", key=lambda names: names.map(list(named).index), kind="stable", ignore_index=True)
