"""Whether the answers of a survey lie on the scale of a net promoter score, told by `loyalty check`."""

import ibis.expr.types as ir

from .companions import NOTEWORTHY, count, first_rows, usable
from .findings import Found

LOWEST, HIGHEST = 0, 10

MOST_UNUSABLE = 0.2
"""Share of the answers outside the scale above which another scale was used."""


def is_usable(score: ir.NumericValue) -> ir.BooleanValue:
    """Whether a score is a whole number from 0 to 10."""
    return ((score >= LOWEST) & (score <= HIGHEST) & (score == score.floor())).coalesce(False)


def survey_findings(survey: ir.Table | None) -> list[Found]:
    """Answers that are no whole number from 0 to 10.

    Parameters
    ----------
    survey : customer, day, score; the rows that cannot be used too, which are told elsewhere. None without one.
    """
    if survey is None:
        return []
    answers = usable(survey)
    outside = answers.filter(~is_usable(answers.score))
    if not (lost := count(outside)):
        return []
    total = count(answers)
    refused = lost > MOST_UNUSABLE * total
    done = "so that no score is given: another scale was used" if refused else "and are left out"
    return [
        Found(
            name="survey_scale",
            severity="warning" if lost > NOTEWORTHY * total else "note",
            done="counted",
            detail=f"survey: {lost:,} of {total:,} answers are no whole number from {LOWEST} to {HIGHEST}, {done}",
            customers=outside.customer.nunique().to_pyarrow().as_py(),
            sample=first_rows(outside.select("customer", "day", "score")),
        )
    ]
