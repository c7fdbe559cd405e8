"""Promises of earlier scores beside what became of them, summed where the rows are."""

import ibis
import ibis.expr.types as ir

FINE = 100
"""Classes of probability in which promises are summed."""


def sums(scores: ir.Table, outcomes: ir.Table) -> ir.Table:
    """Promises and outcomes by class of probability, summed where the rows are.

    Parameters
    ----------
    scores : customer, churn_probability.
    outcomes : customer, churned; see `features.labels.labels`, at the day and with the horizon of the scores.

    Returns
    -------
    cell (0 to 99); scored, customers (whose outcome is known), promised (sum of their probabilities), chance (sum of
    p(1 - p)), left.
    """
    p = scores.churn_probability
    fine = scores.select("customer", p=p, cell=ibis.least((p * FINE).floor().cast("int64"), FINE - 1))
    known = outcomes.filter(outcomes.churned.notnull()).select("customer", left=outcomes.churned.cast("int64"))
    joined = fine.left_join(known, "customer")
    seen = joined.left.notnull()
    return (
        joined.group_by("cell")
        .agg(
            scored=joined.count(),
            customers=seen.sum(),
            promised=seen.ifelse(joined.p, 0.0).sum(),
            chance=seen.ifelse(joined.p * (1 - joined.p), 0.0).sum(),
            left=joined.left.coalesce(0).sum(),
        )
        .order_by("cell")
    )
