"""Pictures of reasons: drawn on much, little and nothing, and never of a single customer."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from loyalty.models import explain, influence
from loyalty.reporting import explain_figures as figures
from loyalty.reporting import page
from matplotlib import pyplot as plt

LABELS = {name: f"What is known of {name}" for name in ("x", "y", "z")}


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    plt.close("all")


def said(size: int = 300) -> tuple[pd.DataFrame, pd.DataFrame]:
    random = np.random.default_rng(4)
    features = pd.DataFrame(random.normal(size=(size, 3)), columns=list(LABELS))
    features.loc[random.random(size) < 0.3, "z"] = np.nan
    return features.fillna(1) * [2.0, -1.0, 0.2] + [0.0, 0.0, 0.01], features


def with_base(contributions: pd.DataFrame, base: float = -1.5) -> pd.DataFrame:
    return contributions.assign(base=base)


def test_importance_shows_the_strongest_with_their_bands() -> None:
    contributions = with_base(said()[0])
    table = explain.importance(contributions).rename(index=LABELS)
    ax = figures.importance(table, shown=2)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["What is known of x", "What is known of y"]
    assert [bar.get_width() for bar in ax.patches] == pytest.approx(table["importance"].iloc[:2].tolist())


def test_the_swarm_has_one_dot_for_ten_customers_and_is_the_same_each_time() -> None:
    contributions, features = said()
    cloud = influence.cloud(with_base(contributions), features)
    before = np.random.get_state()[1].copy()
    one, two = (figures.beeswarm(cloud, LABELS) for _ in range(2))
    dots = [np.concatenate([part.get_offsets() for part in ax.collections]) for ax in (one, two)]
    assert len(dots[0]) == 3 * 30
    assert np.array_equal(*dots)
    assert np.array_equal(before, np.random.get_state()[1])
    assert one.get_yticklabels()[-1].get_text() == "What is known of x"


@pytest.mark.parametrize("size", [0, 9])
def test_too_few_customers_make_no_swarm(size: int) -> None:
    contributions, features = said(size)
    ax = figures.beeswarm(influence.cloud(with_base(contributions), features), LABELS)
    assert [text.get_text() for text in ax.texts] == ["too few customers to show"]


@pytest.mark.parametrize("count", [1, 3, 4])
def test_dependence_draws_a_panel_a_feature(count: int) -> None:
    contributions, features = said()
    panels = [
        figures.Panel(LABELS[name], influence.dependence(contributions[name], features[name]))
        for name in [*LABELS, "x"][:count]
    ]
    figure = figures.dependence(panels)
    assert [ax.get_xlabel() for ax in figure.axes if ax.get_visible()] == [panel.label for panel in panels]
    if count > 2:
        assert "not known" in [text.get_text() for text in figure.axes[2].texts]


def test_dependence_of_few_customers_is_an_empty_panel() -> None:
    contributions, features = said(9)
    figure = figures.dependence([figures.Panel("x", influence.dependence(contributions["x"], features["x"]))])
    assert not figure.axes[0].lines[1:]


def test_the_waterfall_leads_from_the_base_to_the_prediction() -> None:
    contributions, features = said()
    one = influence.typical(with_base(contributions), features, contributions.sum(axis=1), 12)
    ax = figures.waterfall(one, LABELS, shown=2)
    bars = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.patches]
    total = one.contributions.sum()
    assert bars[0][1] == pytest.approx(total)
    assert bars[-1][0] == pytest.approx(-1.5)
    assert [bar[0] for bar in bars[:-1]] == pytest.approx([bar[1] for bar in bars[1:]])
    assert ax.get_yticklabels()[-1].get_text() == "Everything else"
    assert "they end at" in " ".join(text.get_text() for text in ax.texts)
    assert "12 customers" in ax.get_title(loc="left")


def test_all_of_them_can_be_shown_on_a_page() -> None:
    contributions, features = said()
    cloud = influence.cloud(with_base(contributions), features)
    picture = page.picture(figures.beeswarm(cloud, LABELS), "High values of **x** raise the risk.")
    assert picture.alt.startswith("What raises the risk of leaving")
