"""Words and lines stand out from their paper as WCAG 2 asks, in the light and in the dark, on pages and in figures.

In the dark the pages turn their figures over with CSS filters; what these do to a colour is computed here as the
standard defines it (Filter Effects Module 1, sections 6.1 and 12).
"""

import re

import numpy as np
import pytest
from loyalty.reporting import style
from loyalty.reporting.render import TEMPLATES

CSS = (TEMPLATES / "page" / "page.css").read_text("utf-8")
THEMES = [dict(re.findall(r"--(\w+): (#\w{6})", block)) for block in re.findall(r":root {(.*?)}", CSS, re.DOTALL)][:2]
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
WORDS, LINES = 4.5, 3.0
"""Least contrast of text (success criterion 1.4.3), and of what else must be seen to understand (1.4.11)."""

SEEN = {
    "all cones": np.eye(3),
    "no green": np.array([[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]]),
    "no red": np.array([[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]]),
}
"""What eyes see that lack one kind of cones (Machado, Oliveira and Fernandes 2009, table 1, severity 1)."""


def channels(colour: str) -> np.ndarray:
    """Red, green and blue, 0 to 1."""
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255


def contrast(one: np.ndarray, other: np.ndarray) -> float:
    """Contrast of two colours."""
    linear = [np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) for c in (one, other)]
    darker, lighter = sorted(float(c @ LUMINANCE) for c in linear)
    return (lighter + 0.05) / (darker + 0.05)


def turned(colour: np.ndarray) -> np.ndarray:
    """What the filters of the dark theme make of a colour of a figure."""
    [(amount, degrees)] = re.findall(r"filter: invert\(([.\d]+)\) hue-rotate\((\d+)deg\)", CSS)
    inverted = float(amount) * (1 - colour) + (1 - float(amount)) * colour
    grey, sine = (
        np.array([0.213, 0.715, 0.072]),
        np.array([[-0.213, -0.715, 0.928], [0.143, 0.140, -0.283], [-0.787, 0.715, 0.072]]),
    )
    angle = np.deg2rad(float(degrees))
    around = np.tile(grey, (3, 1))
    matrix = around + np.cos(angle) * (np.eye(3) - around) + np.sin(angle) * sine
    return np.clip(matrix @ inverted, 0, 1)


def on_paper(colour: str, theme: int) -> float:
    """Contrast of a colour of a figure to the paper under it, as a theme shows both."""
    paper = channels(THEMES[theme]["paper"])
    if theme == 0:
        return contrast(channels(colour), channels(style.PAPER))
    assert "mix-blend-mode: lighten" in CSS
    return contrast(np.maximum(turned(channels(colour)), paper), np.maximum(turned(channels(style.PAPER)), paper))


def test_the_formula_is_that_of_the_standard() -> None:
    """Known pairs: black on white, and the grey that just passes."""
    white = channels("#ffffff")
    assert contrast(channels("#000000"), white) == pytest.approx(21)
    assert contrast(channels("#767676"), white) == pytest.approx(4.54, abs=0.005)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("paper", ["paper", "tint"])
@pytest.mark.parametrize("ink", ["ink", "soft", "accent", "keyword", "string"])
def test_words_on_pages(theme: int, paper: str, ink: str) -> None:
    assert contrast(channels(THEMES[theme][ink]), channels(THEMES[theme][paper])) >= WORDS


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("colour", ["INK", "GREY", "ACCENT", "VERMILLION"])
def test_words_in_figures(theme: int, colour: str) -> None:
    assert on_paper(getattr(style, colour), theme) >= WORDS


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("colour", sorted({*style.PALETTE, style.LIGHT_GREY, style.LOW, style.HIGH}))
def test_lines_and_bars_in_figures(theme: int, colour: str) -> None:
    assert on_paper(colour, theme) >= LINES


def test_a_figure_lies_on_the_dark_page_without_an_edge() -> None:
    paper = channels(THEMES[1]["paper"])
    assert np.array_equal(np.maximum(turned(channels(style.PAPER)), paper), paper)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("eyes", SEEN.values(), ids=list(SEEN))
def test_a_series_is_told_from_the_next(theme: int, eyes: np.ndarray) -> None:
    """The first four, which most figures have at most."""
    shown = [channels(c) if theme == 0 else turned(channels(c)) for c in style.PALETTE[:4]]
    seen = [eyes @ colour for colour in shown]
    assert min(np.linalg.norm(one - other) for at, one in enumerate(seen) for other in seen[:at]) > 0.17


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_low_is_told_from_high_on_grey_paper(theme: int) -> None:
    low, high = (channels(c) if theme == 0 else turned(channels(c)) for c in (style.LOW, style.HIGH))
    assert contrast(low, high) > 1.9


def test_pages_and_figures_share_one_accent() -> None:
    assert THEMES[0]["accent"] == style.ACCENT
