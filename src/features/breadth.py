"""How widely the customer buys: over how many categories the money goes, and how evenly."""

from dataclasses import replace

import ibis.expr.types as ir

from .columns import Column, TableBlock, Tables, Window
from .windows import before, in_last_days


def paid_by(kind: str, tables: Tables, window: Window) -> ir.Table | None:
    """Money by customer and category, store or channel; None where the lines do not have it.

    Returns
    -------
    customer, `kind`, paid (money, > 0; returned and free lines left out), last_day (of a purchase there)
    """
    if tables.lines is None or kind not in tables.lines.columns:
        return None
    known = before(tables.lines, window.as_of)
    known = known.filter((known.amount > 0) & known[kind].notnull())
    return known.group_by("customer", kind).agg(paid=known.amount.sum(), last_day=known.day.max())


def columns(window: Window) -> dict[str, Column]:
    """Columns of the block."""
    days, null = window.recent, "nothing paid in a known category"
    named = {
        "categories": Column("Categories bought", "count", "different categories paid for so far"),
        f"categories_{days}": Column(
            f"Categories bought in the last {days} days",
            "count",
            f"different categories paid for in the last {days} days",
        ),
        "category_entropy": Column(
            "Breadth of the categories bought", "nats", "entropy of spend over categories; 0 if all went to one", null
        ),
        "favourite_category_share": Column(
            "Share of spend in the favourite category", "share", "spend in the category with most of it, over all", null
        ),
    }
    return {name: replace(column, needs="products.category") for name, column in named.items()}


def breadth(tables: Tables, window: Window) -> ir.Table | None:
    """Categories of every customer who paid for one before the as-of date; None where the dataset has none."""
    if (parts := paid_by("category", tables, window)) is None:
        return None
    each = parts.group_by("customer").agg(
        categories=parts.count(),
        recent=in_last_days(parts.last_day, window.as_of, window.recent).sum(),
        paid=parts.paid.sum(),
        most=parts.paid.max(),
        spread=(parts.paid * parts.paid.ln()).sum(),
    )
    return each.select(
        "customer",
        "categories",
        **{f"categories_{window.recent}": each.recent},
        # −Σ s ln s of the shares s = paid / Σ paid; rounding could leave less than nothing.
        category_entropy=(each.paid.ln() - each.spread / each.paid).clip(lower=0.0),
        favourite_category_share=each.most / each.paid,
    )


BLOCK = TableBlock("breadth", columns, breadth)
