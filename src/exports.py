"""The files of `loyalty actions`: one a channel for whoever sends it, the contacts for next month's evaluation, and a
manifest.

Consent and the list of those who are to be left in peace are applied last, to the very rows that are written, whatever
was decided before. Nothing that a file holds depends on when it was written.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis
import pandas as pd

from .action_plan import Plan, suppressed
from .action_words import reasons
from .programme.consent import allowed
from .programme.drawing import HELD_OUT, TREATED, drawn
from .programme.recommend import recommendations
from .programme.rules import campaign
from .whole import write_whole

if TYPE_CHECKING:
    from .study import Study

DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""With which a cell begins that a spreadsheet takes for a formula."""
CONTACTS, MANIFEST = "contacts", "manifest"
COLUMNS = ("customer", "rule", "offer", "kind", "reason", "next", "value", "value_low", "value_high")
DIGITS = 4
IDS = "customers are told by the retailer's own numbers"
NO_CONSENT_TABLE = "not recorded: the dataset has no [consent], and nobody was left out for want of it"


@dataclass(frozen=True)
class Export:
    """What is to be written.

    Attributes
    ----------
    channels : channel → its file's name and rows (`COLUMNS`, `next` under the name of what is recommended).
    contacts : see `programme.drawing.drawn`.
    manifest : what both are, without their hashes.
    """

    channels: dict[str, tuple[str, pd.DataFrame]]
    contacts: pd.DataFrame
    manifest: dict[str, Any]

    @property
    def files(self) -> dict[str, pd.DataFrame]:
        """Name → rows, as they are written."""
        told = {name: harmless(rows) for name, rows in self.channels.values()}
        return told | {f"{CONTACTS}.csv": harmless(self.contacts, signed=True)}


def exported(study: Study, plan: Plan, told: dict[str, Any], key: bytes) -> Export:
    """The rows of all files.

    Parameters
    ----------
    plan : see `action_plan.planned`.
    told : see `actions.actions`, of the same study.
    key : see `keys.key`.
    """
    rows = _with_campaign(study, plan)
    shares = told["holdouts"].set_index("campaign")["share"].to_dict() if len(told["holdouts"]) else {}
    contacts, refused = _permitted(study, drawn(rows, key, shares, when=study.as_of))
    treated = contacts.loc[contacts["group"] == TREATED, ["customer", "campaign"]]
    sent = treated.merge(rows, on=["customer", "campaign"], validate="1:1")
    sent = sent.assign(reason=_reasons(plan, sent), next=_next(study, told["about"]["item"]["winner"], sent))
    level = told["about"]["item"]["level"] or "item"
    names = file_names(sent["channel"].unique())
    channels = {
        channel: (
            names[channel],
            own[list(COLUMNS)].round(DIGITS).rename(columns={"next": f"next_{level}"}).reset_index(drop=True),
        )
        for channel, own in sent.sort_values(["channel", "rule", "customer"]).groupby("channel")
    }
    return Export(channels, contacts, _manifest(study, plan, told, contacts, sent, names, refused))


def write(folder: Path, export: Export) -> dict[str, Any]:
    """Put the files in a folder, each whole or not at all, the manifest last; returns the manifest.

    What an earlier run wrote there and this one does not is taken away; files of anyone else stay.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    before = _written_before(folder)
    contents = {name: _csv(rows) for name, rows in export.files.items()}
    for name, content in contents.items():
        write_whole(folder / name, content)
    files = {
        name: {"rows": len(export.files[name]), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in contents.items()
    }
    manifest = export.manifest | {"files": files}
    write_whole(folder / f"{MANIFEST}.json", json.dumps(manifest, indent=2, ensure_ascii=False).encode() + b"\n")
    for name in before - set(files):
        (folder / name).unlink(missing_ok=True)
    return manifest


def place(study: Study) -> Path:
    """The folder of a study's files."""
    return study.processed / "actions"


def harmless(rows: pd.DataFrame, *, signed: bool = False) -> pd.DataFrame:
    """Rows of which no text is a formula to a spreadsheet: an apostrophe is put before it.

    Parameters
    ----------
    signed : whether text that is a number with a sign stays: no formula, and a customer number that is read again.

    Examples
    --------
    >>> harmless(pd.DataFrame({"customer": ["=1+1", "+49 30", "c1"]}), signed=True)["customer"].tolist()
    ["'=1+1", '+49 30', 'c1']
    """

    def safe(text: str) -> str:
        if not text.startswith(DANGEROUS) or (signed and re.fullmatch(r"[+-][\d ]+", text)):
            return text
        return f"'{text}"

    columns = [name for name in rows if not pd.api.types.is_numeric_dtype(rows[name])]
    return rows.assign(**{name: rows[name].fillna("").astype(str).map(safe) for name in columns})


def file_names(channels: Any) -> dict[str, str]:
    """A file's name for each channel: its letters and digits, told apart by a hash where they do not tell it.

    Examples
    --------
    >>> file_names(["e-mail", "Telephone"])
    {'Telephone': 'telephone.csv', 'e-mail': 'e-mail.csv'}
    """
    plain = {str(channel): re.sub(r"[^a-z0-9]+", "-", str(channel).lower()).strip("-") for channel in sorted(channels)}
    taken = list(plain.values())
    return {
        channel: f"{name}.csv"
        if name and name not in (CONTACTS, MANIFEST) and taken.count(name) == 1
        else f"{name or 'channel'}-{hashlib.sha256(channel.encode()).hexdigest()[:8]}.csv"
        for channel, name in plain.items()
    }


def _with_campaign(study: Study, plan: Plan) -> pd.DataFrame:
    """What was chosen, with what the rule says."""
    names = {rule.name: campaign(rule, study.as_of) for rule in plan.rules.rules}
    chosen = plan.allocation.chosen
    return chosen.assign(campaign=chosen["rule"].map(names)).join(plan.described[["offer", "kind"]], on="rule")


def _permitted(study: Study, contacts: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """The contacts that may be written, and how many customers consent and the list of opt-outs take out of them."""
    actions, left = study.dataset.actions, contacts
    if len(contacts) and study.data.consent is not None:
        pairs = ibis.memtable(contacts[["customer", "sent_by"]].rename(columns={"sent_by": "channel"}))
        channels = sorted(contacts["sent_by"].unique())
        agreed = allowed(pairs, study.data.consent, actions.purpose, channels, study.as_of).distinct().to_pandas()
        kept = contacts.merge(agreed, left_on=["customer", "sent_by"], right_on=["customer", "channel"], how="left")
        left = contacts[kept["channel"].notna().to_numpy()]
    peaceful = left[~left["customer"].isin(suppressed(study))]
    counts = {"consent, at the last": len(contacts) - len(left), "opt-outs": len(left) - len(peaceful)}
    return peaceful.reset_index(drop=True), counts


def _reasons(plan: Plan, sent: pd.DataFrame) -> pd.Series:
    """Why each customer gets the action."""
    if sent.empty:
        return pd.Series(dtype="str", index=sent.index)
    needed = sorted({name for rule in plan.rules.rules for name in rule.needs})
    wanted = ibis.memtable(sent[["customer"]].drop_duplicates())
    known = plan.known.select("customer", *needed).semi_join(wanted, "customer").to_pandas().set_index("customer")
    told = [
        reasons(rule, known.loc[own["customer"]].set_axis(own.index))
        for rule in plan.rules.rules
        if len(own := sent[sent["rule"] == rule.name])
    ]
    return pd.concat(told)


def _next(study: Study, winner: str, sent: pd.DataFrame) -> pd.Series:
    """What each customer is likely to buy next; empty where nothing can be said."""
    if not winner or sent.empty:
        return pd.Series("", index=sent.index)
    who = ibis.memtable(sent[["customer"]].drop_duplicates())
    first = recommendations(study.data.tables, study.known_until, winner, 1, customers=who)
    return sent["customer"].map(first.set_index("customer")["item"]).fillna("")


def _manifest(
    study: Study,
    plan: Plan,
    told: dict[str, Any],
    contacts: pd.DataFrame,
    sent: pd.DataFrame,
    names: dict[str, str],
    refused: dict[str, int],
) -> dict[str, Any]:
    left = plan.passed.set_index("stage")["customers"]
    stages = left.index.tolist()
    removed = {stage: int(left[earlier] - left[stage]) for earlier, stage in pairwise(stages)}
    return {
        "dataset": study.name,
        "as_of": study.as_of.isoformat(),
        "known_until": study.known_until.isoformat(),
        "run": study.key,
        "currency": study.dataset.currency,
        "ids": IDS,
        "limits": told["about"]["limits"],
        "default_rules": plan.rules.default,
        "rules": [_rule(study, plan, told, contacts, sent, rule.name) for rule in plan.rules.rules],
        "left_out": [vars(each) for each in plan.rules.left_out],
        "channels": {
            channel: {"file": names[channel], "customers": int((sent["channel"] == channel).sum())}
            for channel in sorted(names)
        },
        "consent": "recorded" if study.data.consent is not None else NO_CONSENT_TABLE,
        "removed": removed | refused,
    }


def _rule(
    study: Study, plan: Plan, told: dict[str, Any], contacts: pd.DataFrame, sent: pd.DataFrame, name: str
) -> dict[str, Any]:
    """What became of a rule: numbers of those who get its action."""
    (rule,) = (rule for rule in plan.rules.rules if rule.name == name)
    own, drew = sent[sent["rule"] == name], contacts[contacts["campaign"] == campaign(rule, study.as_of)]
    holds = told["holdouts"]
    share = holds.loc[holds["rule"] == name, "share"] if len(holds) else pd.Series(dtype="float64")
    designs = sorted(plan.values.loc[plan.values["rule"] == name, "design"].unique())
    return {
        "rule": name,
        "version": rule.version,
        "campaign": campaign(rule, study.as_of),
        "channel": rule.channel,
        "customers": len(own),
        "held_out": int((drew["group"] == HELD_OUT).sum()),
        "share_held_out": round(float(share.iloc[0]), DIGITS) if len(share) else None,
        "cost": round(float(own["cost"].sum()), DIGITS),
        "value": round(float(own["value"].sum()), DIGITS),
        "value_low": round(float(own["value_low"].sum()), DIGITS),
        "value_high": round(float(own["value_high"].sum()), DIGITS),
        "evidence": ", ".join(designs) or None,
    }


def _written_before(folder: Path) -> set[str]:
    """Names of the files that an earlier run's manifest tells."""
    try:
        said = json.loads((folder / f"{MANIFEST}.json").read_text("utf-8"))
    except (OSError, ValueError):
        return set()
    names = said.get("files", {}) if isinstance(said, dict) else {}
    return {name for name in names if isinstance(name, str) and Path(name).name == name}


def _csv(rows: pd.DataFrame) -> bytes:
    text: str = rows.to_csv(index=False, lineterminator="\n")
    return text.encode()
