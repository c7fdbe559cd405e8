"""What notebooks call: each output says what it is, and JupyterLab can show it."""

import base64
import io
import struct
from typing import Any

import numpy as np
import pandas as pd
import pytest
from loyalty.reporting import page, style
from matplotlib import pyplot as plt
from PIL import Image

Sent = list[tuple[dict[str, Any], dict[str, Any]]]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """Collect the outputs instead of displaying them."""
    outputs: Sent = []

    def collect(data: dict[str, Any], *, raw: bool, metadata: dict[str, Any]) -> None:
        assert raw
        outputs.append((data, metadata))

    monkeypatch.setattr(page, "display", collect)
    return outputs


def size_of(png: str) -> tuple[int, int]:
    """Width and height in the header of a PNG, pixels."""
    return struct.unpack(">II", base64.b64decode(png)[16:24])


@pytest.mark.parametrize(
    ("names", "room", "folded"), [(["a", "b"], 47, 2), (["conversion: Womens E-Mail", "b"], 31, 3)]
)
def test_a_long_line_under_a_figure_is_folded_for_a_phone(sent: Sent, names: list[str], room: int, folded: int) -> None:
    _, ax = style.figure()
    said = "difference from the control group, % of its mean (line: 90 %)"
    ax.set_yticks([0, 1], names)
    ax.set_xlabel(said)
    page.show(ax, "It rises.")
    lines = ax.get_xlabel().split("\n")
    assert " ".join(lines) == said
    assert max(map(len, lines)) <= room
    assert len(lines) == folded


@pytest.mark.parametrize(("width", "height", "shown"), [(720, 400, (720, 400)), (300, 200, (300, 200))])
def test_a_figure_is_drawn_at_twice_its_size(sent: Sent, width: int, height: int, shown: tuple[int, int]) -> None:
    fig, ax = style.figure(width, height)
    page.show(ax, "It rises.")
    data, metadata = sent[0]
    assert size_of(data["image/png"]) == (2 * shown[0], 2 * shown[1])
    assert (metadata["image/png"]["width"], metadata["image/png"]["height"]) == shown
    assert not plt.fignum_exists(fig.number)


def test_a_picture_is_small_and_its_colours_are_those_drawn(sent: Sent) -> None:
    """Of 256 colours; the shades of a gradient and of the edges of letters move by less than the eye sees."""
    fig, ax = style.figure(720, 400)
    ax.imshow(np.linspace(0, 1, 4000).reshape(40, 100), cmap="viridis", aspect="auto")
    ax.plot([0, 99], [0, 39], color=style.VERMILLION)
    whole = io.BytesIO()
    with style.context():
        fig.savefig(whole, format="png", dpi=2 * style.DPI)
    page.show(ax, "It rises by 1.")
    small = base64.b64decode(sent[0][0]["image/png"])
    before, after = (
        np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), dtype=int) for png in (whole.getvalue(), small)
    )
    assert Image.open(io.BytesIO(small)).mode == "P"
    assert len(small) < 0.6 * len(whole.getvalue())
    assert abs(after - before).mean() < 3
    assert np.array_equal(after[0, 0], [255, 255, 255])


def test_a_figure_wider_than_the_page_is_drawn_as_wide_as_the_page(sent: Sent) -> None:
    fig, _ = style.figure(1440, 600)
    page.show(fig, "It rises.")
    assert size_of(sent[0][0]["image/png"]) == (2 * 720, 2 * 600)
    assert sent[0][1]["image/png"]["width"] == 720
    assert sent[0][1]["image/png"]["height"] == 600


def test_a_figure_is_drawn_again_for_a_phone(sent: Sent) -> None:
    """With letters of the same size: shrunk to half its width a figure can no longer be read."""
    page.show(style.figure(720, 300)[0], "It rises.")
    assert size_of(sent[0][0]["image/png"]) == (2 * 720, 2 * 300)
    assert size_of(sent[0][0][page.NARROW]) == (2 * style.NARROW, 2 * 300)


def test_on_a_phone_long_names_take_two_lines(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(page, "_png", lambda fig, _: seen.append([t.get_text() for t in fig.axes[0].get_yticklabels()]))
    ax = style.figure(720, 300)[1]
    ax.barh(["Meat", "Frozen meat and meat dinners"], [1, 2])
    ax.get_figure().canvas.draw()
    page.show(ax, "Of 2.")
    assert seen == [["Meat", "Frozen meat and meat dinners"], ["Meat", "Frozen meat and\nmeat dinners"]]


@pytest.mark.parametrize("place", ["left", "center", "suptitle", "none"])
def test_the_alternative_text_is_the_title_and_the_reading(sent: Sent, place: str) -> None:
    fig, ax = style.figure(300, 200)
    if place == "suptitle":
        fig.suptitle("Fewer leave")
    elif place != "none":
        ax.set_title("Fewer leave", loc=place)
    page.show(ax, "Now **12 %** (10 to 14 %) leave, `x_1` of [them](a.html).")
    alt = "Now 12 % (10 to 14 %) leave, x_1 of them."
    assert sent[0][1]["image/png"]["alt"] == (alt if place == "none" else f"Fewer leave: {alt}")
    assert sent[0][0]["text/plain"] == sent[0][1]["image/png"]["alt"]


def test_the_caption_follows_for_jupyterlab_and_is_marked_as_such(sent: Sent) -> None:
    page.show(style.figure(300, 200)[1], "It rises.")
    assert sent[0][1]["loyalty"] == {"role": "figure", "caption": "It rises."}
    assert sent[1] == (
        {"text/markdown": "It rises.", "text/plain": "It rises."},
        {"loyalty": {"role": "caption"}},
    )


def test_dollars_are_no_formula(sent: Sent) -> None:
    page.say(r"From $5 to $7, or \$9.")
    assert sent[0][0] == {
        "text/markdown": r"From \$5 to \$7, or \$9.",
        "text/plain": "From $5 to $7, or $9.",
    }


@pytest.mark.parametrize("role", ["text", "answer", "meeting", "limit", "warning"])
def test_sentences_carry_their_role(sent: Sent, role: Any) -> None:
    page.say("We lose one in ten.", role=role)
    assert sent == [
        (
            {"text/markdown": "We lose one in ten.", "text/plain": "We lose one in ten."},
            {"loyalty": {"role": role}},
        )
    ]


def test_a_frame_is_set_as_a_table(sent: Sent) -> None:
    page.table(pd.DataFrame({"n_customers": [1234]}), "There are 1,234.")
    assert "1,234" in sent[0][0]["text/html"]
    assert "N customers" in sent[0][0]["text/html"]
    assert sent[0][1]["loyalty"] == {"role": "table", "caption": "There are 1,234."}
    assert sent[1][1]["loyalty"]["role"] == "caption"


def test_a_table_without_a_reading_has_no_caption(sent: Sent) -> None:
    page.table(pd.DataFrame({"n": [1]}))
    assert len(sent) == 1


def test_the_end_is_an_output_of_its_own_kind(sent: Sent) -> None:
    page.end()
    assert sent == [({page.END: {"version": 1}, "text/plain": ""}, {"loyalty": {"role": "end"}})]


def test_the_style_has_no_effect_outside() -> None:
    before = dict(plt.rcParams)
    with style.context():
        assert plt.rcParams["axes.spines.top"] is False
    style.figure(300, 200)
    plt.close("all")
    assert dict(plt.rcParams) == before


def test_the_style_names_only_fonts_that_are_there(caplog: pytest.LogCaptureFixture, sent: Sent) -> None:
    ax = style.figure(300, 200)[1]
    with style.context():
        ax.set(title="−5 ≤ x ≤ 5 €, $3 to $4", xlabel="days", ylabel="share")
    style.thousands(ax.yaxis, unit="USD")
    ax.set_ylim(0, 20000)
    page.show(ax, "It rises.")
    assert "findfont" not in caplog.text


def test_axes_are_written_as_a_person_would() -> None:
    fig, ax = style.figure(600, 300)
    with style.context():
        ax.plot(pd.to_datetime(["2017-01-01", "2017-12-31"]), [0, 12000])
        style.thousands(ax.yaxis, unit="USD")
        style.dates(ax.xaxis)
        fig.canvas.draw()
    assert "12,000 USD" in [tick.get_text() for tick in ax.get_yticklabels()]
    assert "Mar" in [tick.get_text() for tick in ax.get_xticklabels()]
    plt.close(fig)
