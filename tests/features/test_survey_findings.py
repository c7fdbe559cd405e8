"""Answers that no net promoter score can be made of, as `loyalty check` tells of them."""

import ibis
import pandas as pd
import pytest
from loyalty.features.survey_findings import survey_findings

TYPES = {"customer": "string", "day": "date", "score": "float64"}


def survey(scores: list[float | None]) -> ibis.Table:
    rows = [(f"c{number}", pd.Timestamp("2020-05-04"), score) for number, score in enumerate(scores)]
    return ibis.memtable(pd.DataFrame(rows, columns=list(TYPES)), schema=TYPES)


def test_without_a_survey_or_a_fault_nothing_is_told() -> None:
    assert survey_findings(None) == []
    assert survey_findings(survey([0.0, 10.0, 7.0])) == []


@pytest.mark.parametrize(
    ("good", "bad", "severity", "end"),
    [
        (200, [11.0], "note", "1 of 201 answers are no whole number from 0 to 10, and are left out"),
        (8, [5.5, None], "warning", "2 of 10 answers are no whole number from 0 to 10, and are left out"),
        (2, [80.0], "warning", "1 of 3 answers are no whole number from 0 to 10, so that no score is given"),
    ],
)
def test_answers_outside_the_scale_are_told(good: int, bad: list[float | None], severity: str, end: str) -> None:
    (found,) = survey_findings(survey([9.0] * good + bad))
    assert (found.name, found.severity) == ("survey_scale", severity)
    assert found.detail.startswith(f"survey: {end}")
    assert found.customers == len(bad)
    assert found.sample[0]["day"] == "2020-05-04"


def test_an_answer_of_nobody_is_told_elsewhere() -> None:
    rows = [(None, pd.Timestamp("2020-05-04"), 12.0)]
    assert survey_findings(ibis.memtable(pd.DataFrame(rows, columns=list(TYPES)), schema=TYPES)) == []
