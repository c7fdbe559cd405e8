"""What CI demands of every page, and that it notices where it is missing."""

import base64
import importlib.util
from pathlib import Path

import pytest

SPEC = importlib.util.spec_from_file_location("check_pages", Path(__file__).parents[1] / ".ci" / "check_pages.py")
assert SPEC is not None
assert SPEC.loader is not None
check_pages = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(check_pages)

PNG = base64.b64encode(check_pages.PNG).decode()
POLICY = f'<meta http-equiv="Content-Security-Policy" content="{check_pages.POLICY}x\'">'
FIGURE = f'<img alt="Up 12 %" src="data:image/png;base64,{PNG}">'
NUMBERS = "<p>1 2 3 4 5 6 7 8 9 10</p>"


def told(folder: Path, text: str, name: str = "04_churn") -> str:
    (folder / f"{name}.html").write_text(text, "utf-8")
    return "\n".join(check_pages.faults(folder / f"{name}.html"))


def test_a_whole_page_is_let_pass(tmp_path):
    assert told(tmp_path, POLICY + FIGURE + NUMBERS) == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (FIGURE + NUMBERS, "does not forbid to ask other hosts"),
        (POLICY + NUMBERS, "holds no figure"),
        (POLICY + FIGURE.replace("12", "") + NUMBERS, "has a figure whose description names no number"),
        (POLICY + FIGURE, "holds hardly a number"),
        (POLICY + FIGURE + NUMBERS + "<p>Traceback", "shows an error"),
        (POLICY + FIGURE + NUMBERS + '<img alt="1" src="//evil.example/x.png">', "asks another host"),
    ],
)
def test_what_is_missing_is_told(tmp_path, text, said):
    assert said in told(tmp_path, text)


def test_every_figure_of_a_simulated_programme_says_so(tmp_path):
    file = tmp_path / "06_programme.html"
    marked = FIGURE.replace("Up 12 %", "Up 12 % (simulated programme)")
    file.write_text(POLICY + marked + NUMBERS, "utf-8")
    assert check_pages.faults(file, "cdnow") == []
    file.write_text(POLICY + marked + FIGURE + NUMBERS, "utf-8")
    assert check_pages.faults(file, "cdnow") == [f"{file}: has a figure that does not say (simulated programme)"]
    assert check_pages.faults(file, "complete-journey") == []


@pytest.mark.parametrize(("name", "most"), [("04_churn", 2.0), ("index", 1.5)])
def test_a_heavy_page_is_told(tmp_path, name, most):
    page = POLICY + FIGURE + NUMBERS
    assert told(tmp_path, page.ljust(int(most * 1e6) - 1), name) == ""
    assert f"has {most:.2f} MB, and may have {most:g}" in told(tmp_path, page.ljust(int(most * 1e6)), name)
