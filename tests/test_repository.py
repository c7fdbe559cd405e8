"""What the repository promises to those who clone it."""

import ast
import os
import re
import shlex
import subprocess
import tomllib
import venv
from pathlib import Path

import nbformat
import pytest
import yaml

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return nbformat.read(request.param, as_version=4)


def test_every_promised_notebook_is_there():
    promised = [
        "01_data_health", "02_customer_base", "03_lifetime_value", "04_churn", "05_campaigns", "06_programme",
        "07_actions", "08_backtest", "09_summary",
    ]  # fmt: skip
    assert [path.stem for path in NOTEBOOKS] == promised


def test_notebook_carries_no_outputs(notebook):
    assert [cell.source for cell in code_cells(notebook) if cell.outputs or cell.execution_count] == []


def test_notebook_defines_nothing_and_keeps_cells_short(notebook):
    for cell in code_cells(notebook):
        tree = ast.parse(cell.source)
        assert not [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda)]
        assert len(cell.source.splitlines()) < 12


def test_notebook_has_the_order_of_the_design(notebook):
    title, parameters, imports, load = notebook.cells[:4]
    assert title.cell_type == "markdown"
    assert title.source.startswith("# ")
    assert title.source.rstrip().endswith("?")
    assert parameters.metadata.tags == ["parameters"]
    assert all(
        isinstance(node, ast.Import | ast.ImportFrom | ast.Expr | ast.Assign) for node in ast.parse(imports.source).body
    )
    assert re.search(r"(Study\.open|Experiment\.find)\(", load.source)
    assert 'role="answer"' in load.source
    assert [cell.source for cell in notebook.cells[-5:] if cell.cell_type == "markdown"] == [
        "## Where this fails",
        "## To say in the meeting",
    ]
    assert notebook.cells[-1].source == "end()"


def test_parameters_are_plain_literals_each_with_its_meaning(notebook):
    source = notebook.cells[1].source
    names = []
    for line in source.splitlines():
        assert re.fullmatch(r"\w+ = \S+  # \S.+", line), line
        assignment = ast.parse(line).body[0]
        ast.literal_eval(assignment.value)
        names.append(assignment.targets[0].id)
    assert names == ["dataset", "as_of", "horizon_days", "active_within_days"]


def test_every_section_has_prose_before_its_code(notebook):
    """Two to four sentences, or one where a section goes on, before each call."""
    kinds = [cell.cell_type for cell in notebook.cells[4:-1]]
    assert kinds == ["markdown", "code"] * (len(kinds) // 2)


@pytest.mark.parametrize("name", ["requirements.lock", "constraints.txt", "pyproject.toml", "environment.yml"])
def test_no_file_names_an_index(name):
    text = (ROOT / name).read_text("utf-8")
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links", text)


def test_lock_has_a_hash_for_every_package():
    blocks = re.split(r"\n(?=\S)", (ROOT / "requirements.lock").read_text("utf-8").strip())
    assert len(blocks) > 100
    assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []


def test_constraints_are_the_lock_without_its_hashes():
    lock = re.findall(r"^(\S+==[^\\\n]+?) *\\?$", (ROOT / "requirements.lock").read_text("utf-8"), flags=re.M)
    assert (ROOT / "constraints.txt").read_text("utf-8").splitlines() == lock


def test_lock_holds_every_direct_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {re.match(r"[\w.-]+", entry).group().lower().replace("_", "-") for entry in wanted}
    locked = {line.split("==")[0] for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()}
    assert names <= locked


def test_make_alone_lists_every_target():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    shown = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in re.findall(r"^([a-z-]+):.*## ", makefile, flags=re.M):
        assert re.search(rf"^  {target} +\S", shown, flags=re.M)
    for command in re.findall(r"^make ([a-z-]+)", (ROOT / "README.md").read_text("utf-8"), flags=re.M):
        assert f"  {command} " in shown


def test_readme_names_only_files_that_exist():
    text = (ROOT / "README.md").read_text("utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / target).exists(), target


def test_an_unsupported_python_is_told(tmp_path):
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    result = subprocess.run(
        ["/bin/sh", "tools/find-python"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": str(tmp_path), "PYTHON": "python3"},
    )
    assert result.returncode == 2
    assert "needs Python 3.11 or newer" in result.stderr


@pytest.mark.slow
def test_conda_environment_installs_in_a_clean_virtual_environment(tmp_path):
    """Conda is not everywhere; its pip section is what can go wrong, and pip can install that."""
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    python, pip, section = environment["dependencies"]
    assert re.fullmatch(r"python=3\.1[123]", python)
    assert pip == "pip"
    checkout = tmp_path / "loyalty"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            (checkout / name).write_bytes((ROOT / name).read_bytes())
    venv.create(tmp_path / "clean", with_pip=True)
    python = tmp_path / "clean" / "bin" / "python"
    arguments = [part for line in section["pip"] for part in shlex.split(line)]
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    subprocess.run([python, "-m", "pip", "install", "--quiet", *arguments], cwd=checkout, check=True, env=clean)
    frozen = subprocess.run(
        [python, "-m", "pip", "freeze"], capture_output=True, text=True, check=True, env=clean
    ).stdout
    installed = {line.lower().replace("_", "-") for line in frozen.splitlines() if re.match(r"[\w.-]+==", line)}
    locked = {line.split(" ;")[0].strip() for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()}
    assert len(installed) > 100
    assert installed <= locked
    answer = subprocess.run(
        [tmp_path / "clean" / "bin" / "loyalty", "--version"], capture_output=True, text=True, check=True, env=clean
    )
    assert re.search(r"\d+\.\d+", answer.stdout)
