"""From a study to a report that is there whole: run the notebooks, render them, and swap the folder in.

What was run is kept in `data/interim/` under a key of all that it depends on, so that a changed notebook
costs one notebook, and a run that broke off goes on where it stopped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import notation
from ..errors import RefusedError, SettingsError
from . import archive, build, freshness, history, manifest, parameters, place
from .evidence import is_whole, read_notebook
from .jobs import AT_ONCE, NOTEBOOK_SECONDS, Job, Progress, Silent, run_all

if TYPE_CHECKING:
    from ..experiments import Experiment
    from ..study import Study

__all__ = ["Progress", "Silent", "notebook_paths", "publish", "select"]

MIXED = "0" * 20
"""Key of a report that was made while the code was changed: no report has it, so that the next run makes it anew."""

WITHOUT_LOG = ("05_campaigns",)
"""Notebooks that can also be made of an experiment, without a purchase log."""


def publish(
    study: "Study | Experiment",
    *,
    notebooks: Sequence[str] | None = None,
    options: Sequence[str] = (),
    force: bool = False,
    progress: Progress | None = None,
    jobs: int = AT_ONCE,
    notebook_seconds: float | None = NOTEBOOK_SECONDS,
    run: history.Run | None = None,
) -> Path:
    """Make the report of a study, unless it is there already.

    Whoever calls this holds the dataset's lock, see `locks.held`, if another may do the same at the same time.

    Parameters
    ----------
    study : what is reported; of an experiment alone, the notebooks that need no purchase log.
    notebooks : names of the notebooks to run, such as `04_churn`; all if not given. Pages of the report that
        was there are kept if they are still true.
    options : parameters of the notebooks, as `NAME=VALUE`, beside those that say which study it is.
    force : run them even if nothing changed since they were run last.
    progress : told how far the work is.
    jobs : notebooks that run side by side.
    notebook_seconds : longest that one may take; as long as it needs, if None.
    run : the run that this is part of, which is told what becomes of it.

    Returns
    -------
    Path
        The report's `index.html`.

    Raises
    ------
    SettingsError
        If a notebook or parameter is not known, or needs a purchase log that is not there.
    NotebookError
        If a notebook did not run to its end. Nothing is published then, and the report that was there stays.
    RefusedError
        If data or notebooks were changed while they were read. Nothing is published then either.
    """
    tell, run = progress or Silent(), run or history.Run(study.root, study.name, recorded=False)
    plan = _planned(study, notebooks, options)
    place.clear(plan.target.parent, plan.runs)
    keys = plan.keys()
    before = manifest.read(plan.target)
    listed: list[str] = list(before["notebooks"]) if before else []
    current = before is not None and before["key"] == keys[""] and manifest.intact(plan.target, before)
    if current and not force and set(plan.wanted) <= set(listed):
        tell("nothing changed: the report is as it was")
        place.move_latest(plan.target)
        if not archive.is_current(plan.target):
            archive.refresh(study.root, study.name, study.dataset, tell)
        run.outcome = "unchanged"
        return plan.target / "index.html"
    with run.phase("computing"):
        for part in plan.parts:
            part.prepare(tell)
    plan.runs.mkdir(parents=True, exist_ok=True)
    missing = [name for name in plan.wanted if force or not is_whole(plan.executed(keys, name))]
    tell.expect(history.expected(study.root, study.name))
    todo = [Job(plan.paths[name], plan.given[name], plan.executed(keys, name)) for name in missing]
    with run.phase("notebooks"):
        run_all(todo, study.root, tell, at_once=jobs, seconds=notebook_seconds)
    kept = [name for name in listed if name in plan.paths and is_whole(plan.executed(keys, name))]
    tell("rendering")
    _render(plan, sorted({*plan.wanted, *kept}), keys, run, tell)
    place.forget(plan.runs, plan.target.parent, keep={plan.executed(keys, name) for name in plan.paths})
    run.outcome = "done"
    return plan.target / "index.html"


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """What a report is to be made of.

    Attributes
    ----------
    parts : the study, and the experiment beside it if there is one.
    paths : notebooks that can be made, by name; `wanted`, those that are asked for.
    own : parameters that are not those of the study; `given`, all of them by notebook.
    target : the report's folder; `runs`, that of executed notebooks.
    """

    parts: "list[Study | Experiment]"
    paths: Mapping[str, Path]
    wanted: list[str]
    own: Mapping[str, Any]
    given: Mapping[str, Mapping[str, Any]]
    target: Path
    runs: Path

    def keys(self) -> dict[str, str]:
        """Keys of the notebooks as they are now, see `manifest.keys`."""
        own = {
            name: {each: value for each, value in self.given[name].items() if each in self.own} for name in self.paths
        }
        return manifest.keys("\n".join(part.key for part in self.parts), self.paths, own)

    def executed(self, keys: Mapping[str, str], name: str) -> Path:
        """Where a notebook is put when it was run."""
        return self.runs / f"{name}-{keys[name]}.ipynb"


def _planned(study: "Study | Experiment", notebooks: Sequence[str] | None, said: Sequence[str]) -> _Plan:
    """Find out what is to be made, and refuse what cannot be, before anything is computed."""
    everything = notebook_paths(study.root)
    paths = _possible(study, everything)
    wanted = _of_these(select(notebooks, everything) if notebooks else list(paths), paths, study.name)
    sources = {name: read_notebook(path) for name, path in paths.items()}
    own = parameters.read_options(said, {name: sources[name] for name in wanted})
    about = {
        "dataset": study.name,
        "as_of": study.as_of.isoformat(),
        "horizon_days": study.horizon_days,
        "active_within_days": study.active_within_days,
    }
    given = {}
    for name, source in sources.items():
        known = parameters.declared(source, name)
        given[name] = about | {each: value for each, value in own.items() if each in known}
        if name in wanted:
            parameters.checked(source, name, given[name])
    trial = _experiment_in(study)
    return _Plan(
        parts=[study] if trial is None else [study, trial],
        paths=paths,
        wanted=wanted,
        own=own,
        given=given,
        target=study.root / "reports" / study.name / place.folder_name(study, own),
        runs=study.root / "data" / "interim" / study.name / "notebooks",
    )


def _render(plan: _Plan, names: Sequence[str], keys: Mapping[str, str], run: history.Run, tell: Progress) -> None:
    """Render executed notebooks and put the report in its place, if data and notebooks are still what they were."""
    study = plan.parts[0]
    executed = {name: plan.executed(keys, name) for name in names}
    try:
        mixed = freshness.is_code_changed(keys, plan.keys(), plan.paths)
        key = MIXED if mixed else keys[""]
        with run.phase("rendering"), notation.of(study.dataset.number_format):
            files = build.files_of(
                study, executed, run=run, key=key, data=freshness.data_key(study), parameters=plan.own
            )
        with run.phase("checking"):
            freshness.require_unchanged_data(plan.parts, run.started)
    except RefusedError:
        _forget(executed)
        raise
    build.put(files, plan.target)
    archive.refresh(study.root, study.name, study.dataset, tell)
    if mixed:
        tell("the code was changed while the report was made: the next run makes it anew")
        _forget(executed)


def _forget(executed: Mapping[str, Path]) -> None:
    """Delete executed notebooks of which it is not known what they were made of."""
    for path in executed.values():
        path.unlink(missing_ok=True)


def notebook_paths(root: Path) -> dict[str, Path]:
    """Return the notebooks of a project, by name, in order.

    Raises
    ------
    SettingsError
        If there is none.
    """
    paths = {path.stem: path for path in sorted((root / "notebooks").glob("*.ipynb"))}
    if not paths:
        raise SettingsError(f"no notebook in {root / 'notebooks'}")
    return paths


def select(asked: Sequence[str] | None, paths: Mapping[str, Path]) -> list[str]:
    """Return the notebooks asked for, in order; all if none is named.

    Raises
    ------
    SettingsError
        If one is not among them.
    """
    names = sorted({name.strip().removesuffix(".ipynb") for name in asked or ()} - {""})
    unknown = [name for name in names if name not in paths]
    if unknown:
        raise SettingsError(f"unknown notebook {', '.join(unknown)}: there are {', '.join(paths)}")
    return names or list(paths)


def _possible(study: "Study | Experiment", paths: Mapping[str, Path]) -> dict[str, Path]:
    """Return the notebooks that can be made of what the dataset has."""
    from ..experiments import Experiment

    alone = isinstance(study, Experiment)
    return {name: path for name, path in paths.items() if not alone or name in WITHOUT_LOG}


def _of_these(wanted: list[str], paths: Mapping[str, Path], dataset: str) -> list[str]:
    """Return the notebooks asked for, if all of them can be made."""
    if lacking := [name for name in wanted if name not in paths]:
        raise SettingsError(f"{lacking[0]} needs a purchase log: {dataset} has no [transactions] in its dataset file")
    if not wanted:
        raise SettingsError(f"{dataset} has no [transactions], and no notebook is {' or '.join(WITHOUT_LOG)}")
    return wanted


def _experiment_in(study: "Study | Experiment") -> "Experiment | None":
    """Return the experiment beside a purchase log, if there is one."""
    from ..experiments import Experiment

    if isinstance(study, Experiment) or study.dataset.experiment is None:
        return None
    return Experiment.find(study.name, as_of=study.as_of, root=study.root)
