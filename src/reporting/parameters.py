"""Parameters that notebooks declare, typed, and checked before a kernel starts.

A notebook declares them in its cell tagged `parameters`: a name, a default, and if it likes an annotation and a
comment. `top: int = 10  # customers to list, 1 to 100` is a whole number from 1 to 100.
"""

import ast
import difflib
import io
import math
import re
import tokenize
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, NamedTuple

from nbformat import NotebookNode
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, create_model

from ..errors import NotebookError, SettingsError

KINDS: dict[str, Any] = {"int": int, "float": float, "str": str, "bool": bool, "None": None}
"""What an annotation may be made of, with `|` between."""

RANGE = re.compile(r"(?<![\w.-])(-?\d+(?:\.\d+)?) to (-?\d+(?:\.\d+)?)(?![\w.]*\d)")
WHOLE = re.compile(r"-?(0|[1-9]\d*)")
"""A whole number as text: `007` is none, it is a name."""


def _is_date(value: str) -> str:
    try:
        date.fromisoformat(value)
    except ValueError:
        raise ValueError("a date as YYYY-MM-DD") from None
    return value


Days = Annotated[int, Field(ge=1, le=3650)]
STUDY: dict[str, Any] = {
    "dataset": str,
    "as_of": Annotated[str, AfterValidator(_is_date)] | None,
    "horizon_days": Days | None,
    "active_within_days": Days | None,
}
"""The parameters that say which study it is. The command sets them."""

EXPECTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "finite_number": "a number that is finite",
    "none_required": "nothing",
}


class Declared(NamedTuple):
    """A parameter as a notebook declares it.

    Attributes
    ----------
    kind : type, as pydantic knows it; any plain value if the notebook does not say.
    default : its value if it is not given; of no meaning where the cell computes it.
    computed : whether the cell computes it.
    """

    kind: Any
    default: Any
    computed: bool


def declared(notebook: NotebookNode, name: str) -> dict[str, Declared]:
    """Return what a notebook's cells tagged `parameters` declare, by name.

    Raises
    ------
    NotebookError
        If such a cell is not Python, or an annotation is none of `KINDS`.
    """
    found: dict[str, Declared] = {}
    for cell in notebook.cells:
        if cell.cell_type != "code" or "parameters" not in cell.metadata.get("tags", []):
            continue
        try:
            statements, comments = ast.parse(cell.source).body, _comments(cell.source)
        except (SyntaxError, ValueError, tokenize.TokenError) as error:
            said = error.msg if isinstance(error, SyntaxError) else error
            raise NotebookError(f"{name}: the cell tagged 'parameters' is not Python: {said}") from None
        for statement in statements:
            comment = comments.get(statement.end_lineno or 0, "")
            for target, value, annotation in _assignments(statement):
                found[target] = _declaration(target, value, annotation, comment, name)
    return found


def checked(notebook: NotebookNode, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return values for a notebook's parameters, held against what it declares.

    Parameters
    ----------
    notebook : whose cell tagged `parameters` declares them.
    name : of the notebook, for messages.
    given : by name; a whole number is no text, and no text a number.

    Raises
    ------
    SettingsError
        If one is not declared, or not of the type or in the range that is.
    NotebookError
        If the declaration itself is wrong.
    """
    known = declared(notebook, name)
    if unknown := sorted(set(given) - set(known)):
        close = difflib.get_close_matches(unknown[0], known, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise SettingsError(
            f"{name} has no parameter {', '.join(unknown)}: "
            f"its cell tagged 'parameters' assigns {', '.join(sorted(known)) or 'none'}{hint}"
        )
    for each, value in given.items():
        if isinstance(value, str) and not value.isprintable():
            raise SettingsError(f"{name}: {each}: expected text that can be printed, found {value!a}")
    shape = model(known)
    defaults = {each: one.default for each, one in known.items() if not one.computed and each not in given}
    try:
        shape.model_validate(defaults)
    except ValidationError as error:
        raise NotebookError(f"{name}: the default of {_problem(error)}") from None
    try:
        return shape.model_validate(dict(given)).model_dump(exclude_unset=True)
    except ValidationError as error:
        raise SettingsError(f"{name}: {_problem(error)}") from None


def model(known: Mapping[str, Declared]) -> type[BaseModel]:
    """Return the model of the parameters of a notebook; none is required, and no other is allowed."""
    fields: dict[str, Any] = {name: (one.kind, one.default) for name, one in known.items()}
    return create_model("Parameters", __config__=ConfigDict(strict=True, extra="forbid"), **fields)


def read_options(said: Sequence[str], notebooks: Mapping[str, NotebookNode]) -> dict[str, Any]:
    """Read `NAME=VALUE` as the notebooks that are run declare it.

    Parameters
    ----------
    said : texts of the command line.
    notebooks : by name; every one that declares `NAME` is to agree with `VALUE`.

    Raises
    ------
    SettingsError
        If a text is not of this form, or nothing declares `NAME`, or one of `STUDY` is set in this way.
    """
    known = {name: declared(notebook, name) for name, notebook in notebooks.items()}
    names = sorted(set().union(*known.values()) - set(STUDY))
    found: dict[str, Any] = {}
    for text in said:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise SettingsError(f"--param: expected NAME=VALUE, found {text!r}")
        if name in STUDY:
            raise SettingsError(f"--param {name}: the command sets it; use its argument or --{name.replace('_', '-')}")
        where = [notebook for notebook, ones in known.items() if name in ones]
        if not where:
            close = difflib.get_close_matches(name, names, n=1)
            hint = f"did you mean {close[0]!r}? " if close else ""
            raise SettingsError(
                f"--param {name}: {hint}the notebooks declare {', '.join(names) or 'none of their own'}"
            )
        found[name] = from_text(known[where[0]][name].kind, value)
        for notebook in where:
            checked(notebooks[notebook], notebook, {name: found[name]})
    return found


def from_text(kind: Any, text: str) -> Any:
    """Read a value of a command line as a type; as text where that is meant, or where it is nothing else.

    Examples
    --------
    >>> from_text(int, "7"), from_text(str, "007"), from_text(int, "007"), from_text(float | None, "0.5")
    (7, '007', '007', 0.5)
    """
    kinds = _plain_kinds(kind)
    if bool in kinds and text in ("true", "false"):
        return text == "true"
    if int in kinds and WHOLE.fullmatch(text):
        return int(text)
    if float in kinds:
        try:
            number = float(text)
        except ValueError:
            return text
        return number if math.isfinite(number) else text
    return text


def _plain_kinds(kind: Any) -> set[Any]:
    """The Python types that a type is made of."""
    inner = getattr(kind, "__metadata__", None) is not None and [kind.__origin__]
    parts = inner or getattr(kind, "__args__", None)
    return set().union(*map(_plain_kinds, parts)) if parts else {kind}


def _assignments(statement: ast.stmt) -> list[tuple[str, ast.expr | None, ast.expr | None]]:
    """Names that a statement assigns, each with its value and annotation."""
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return [(statement.target.id, statement.value, statement.annotation)]
    if isinstance(statement, ast.Assign):
        return [(target.id, statement.value, None) for target in statement.targets if isinstance(target, ast.Name)]
    return []


def _declaration(
    target: str, value: ast.expr | None, annotation: ast.expr | None, comment: str, notebook: str
) -> Declared:
    try:
        default = ast.literal_eval(value) if value is not None else None
        computed = value is None
    except ValueError:
        default, computed = None, True
    if annotation is not None:
        kind = _annotated(ast.unparse(annotation), f"{notebook}: parameter {target}")
    elif target in STUDY:
        return Declared(STUDY[target], default, computed)
    else:
        kind = type(default) if type(default) in KINDS.values() else Any
    return Declared(_in_range(kind, comment), default, computed)


def _annotated(text: str, where: str) -> Any:
    """The type that an annotation of `KINDS` says."""
    parts = [part.strip() for part in text.strip("'\"").split("|")]
    if unknown := [part for part in parts if part not in KINDS]:
        raise NotebookError(f"{where}: expected an annotation of {', '.join(KINDS)}, found {unknown[0]}")
    kind: Any = KINDS[parts[0]]
    for part in parts[1:]:
        kind = kind | KINDS[part] if kind is not None else KINDS[part] | None
    return kind


def _in_range(kind: Any, comment: str) -> Any:
    """A type of numbers with the range that a comment names, such as "1 to 100"."""
    said = RANGE.search(comment)
    if said is None or not {int, float} & _plain_kinds(kind):
        return kind
    low, high = map(float, said.groups())

    def inside(value: Any) -> Any:
        if isinstance(value, int | float) and not low <= value <= high:
            raise ValueError(f"{low:g} to {high:g}")
        return value

    return Annotated[kind, AfterValidator(inside)]


def _comments(source: str) -> dict[int, str]:
    """Comments by the number of their line."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {token.start[0]: token.string for token in tokens if token.type == tokenize.COMMENT}


def _problem(error: ValidationError) -> str:
    """What is wrong with the first parameter that is: its name, expected, found."""
    detail = error.errors()[0]
    said = detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return f"{detail['loc'][0]}: expected {EXPECTED.get(detail['type'], said)}, found {detail['input']!r}"
