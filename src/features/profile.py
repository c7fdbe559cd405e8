"""What is known of the customer beside the purchases.

Attributes have no date: they are as the customers' table has them today, which at a past date may be more than was
known then. A row whose customer joined at or after the as-of date is not seen at all. Of several rows of one customer
the one that joined first is taken whole, so that a later one changes nothing.
"""

import ibis
import ibis.expr.types as ir

from .columns import Column, TableBlock, Tables, Window
from .windows import days_until, is_before

ATTRIBUTE = "profile_"
YEAR = 365.25


def columns(window: Window) -> dict[str, Column]:
    """Columns of the block, without the attributes, whose names are the dataset's own."""
    return {
        "days_since_joined": Column(
            "Days since joining the programme",
            "days",
            "from the day of joining to the as-of date",
            "not known, or joined later",
            "customers.joined",
        ),
        "age": Column("Age", "years", "from the birthday to the as-of date", "not known", "customers.birthday"),
    }


def attribute(name: str) -> Column:
    """Meaning of the column of an attribute, named `profile_<attribute>`."""
    words = name.removeprefix(ATTRIBUTE).replace("_", " ").strip()
    return Column(
        words[:1].upper() + words[1:],
        "category",
        "the attribute as it is known today, not as it was at the as-of date",
        "not known",
        "customers.attributes",
    )


def attributes(tables: Tables) -> list[str]:
    """Names of the columns that hold attributes."""
    return [] if tables.customers is None else [name for name in tables.customers.columns if name.startswith(ATTRIBUTE)]


def profile(tables: Tables, window: Window) -> ir.Table | None:
    """Profile by customer; None where the dataset knows nothing of customers."""
    if (known := tables.customers) is None:
        return None
    if "contract_end" in known.columns:
        # As it is known today, it tells at a past date who will renew.
        known = known.drop("contract_end")
    if "joined" in known.columns:
        known = known.filter(known.joined.isnull() | is_before(known.joined, window.as_of))
    first = _first_row(known)
    named = {}
    if "joined" in first.columns:
        named["days_since_joined"] = days_until(window.as_of, first.joined)
    if "birthday" in first.columns:
        born = is_before(first.birthday, window.as_of).ifelse(first.birthday, None)
        # Without the cast, Spark divides decimals and keeps six digits.
        named["age"] = days_until(window.as_of, born).cast("float64") / YEAR
    named |= {name: first[name] for name in attributes(tables)}
    return first.select("customer", **named) if named else None


def _first_row(known: ir.Table) -> ir.Table:
    """One row a customer: the one that joined first, and of equals the least in all columns."""
    order = ["joined", *sorted(set(known.columns) - {"customer", "joined"})]
    by = [known[name].asc(nulls_first=False) for name in order if name in known.columns]
    placed = known.mutate(place=ibis.row_number().over(ibis.window(group_by=known.customer, order_by=by)))
    return placed.filter(placed.place == 0).drop("place")


BLOCK = TableBlock("profile", columns, profile)
