"""What is measured of campaigns is the same by DuckDB and by Spark."""

import pytest
from agreement import Pair, assert_agree
from loyalty.features.offer_findings import offer_findings
from loyalty.programme.campaigns import daily, overview
from loyalty.programme.channels import purchase_channels
from loyalty.programme.redeeming import curves
from loyalty.programme.responses import Responses, responses, segments_before
from loyalty.programme.stop_loss import stop_loss
from loyalty.schema import Programme


@pytest.fixture(scope="module", params=["journey_pair", "dirty_pair"])
def seen(request: pytest.FixtureRequest) -> list[Responses]:
    def of(study: object) -> Responses:
        offers, tables = study.data.offers, study.data.tables  # type: ignore[attr-defined]
        as_of, first = study.as_of, study.first_day  # type: ignore[attr-defined]
        return responses(offers, tables, as_of, first, segments_before(tables, offers, as_of))

    return [of(study) for study in request.getfixturevalue(request.param)]


def test_measures(seen: list[Responses]) -> None:
    one, other = map(overview, seen)
    assert list(one) == list(other)
    for name, table in one.items():
        assert_agree(table.reset_index(), other[name].reset_index())


def test_days_curves_and_stop_loss(seen: list[Responses]) -> None:
    assert_agree(*map(daily, seen))
    assert_agree(*map(curves, seen))
    assert_agree(*(curves(one, "segment") for one in seen))
    lines = Programme(stop_redemption_below=0.15)
    assert_agree(*(stop_loss(one, lines).reset_index() for one in seen))


def test_channels_and_findings(dirty_pair: Pair) -> None:
    assert_agree(*(purchase_channels(study.data.lines, study.as_of) for study in dirty_pair))
    one, other = (offer_findings(study.data.offers) for study in dirty_pair if study.data.offers is not None)
    assert [found.told() for found in one] == [found.told() for found in other]
