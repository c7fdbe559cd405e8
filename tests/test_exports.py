"""The files of actions: who is in them, who never is, and that they are the same every time."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from acting_shop import CONSENT, CONTACTS, RULES, agreed, log, may_be_reached, opened, scored
from loyalty.action_plan import planned, suppressed
from loyalty.actions import actions
from loyalty.errors import SettingsError
from loyalty.exports import Export, exported, file_names, harmless, place, write
from loyalty.study import Study

KEY = b"a key of tests, of 32 bytes long"


@pytest.fixture(scope="module")
def few(simulated_log: pd.DataFrame) -> pd.DataFrame:
    return log(simulated_log)


def made(study: Study) -> tuple[Export, dict[str, Any]]:
    with scored(study):
        plan = planned(study)
        told = actions(study)
        return exported(study, plan, told, KEY), told


@pytest.fixture(scope="module")
def plain(make_shop: Callable[..., Path], shop_toml: str, few: pd.DataFrame) -> tuple[Study, Export, dict[str, Any]]:
    """A shop with a log alone, and what is written."""
    study = opened(make_shop(few, shop_toml + RULES))
    return study, *made(study)


def test_every_chosen_customer_is_in_one_file_or_held_out(plain: tuple[Study, Export, dict[str, Any]]) -> None:
    _, export, told = plain
    sent = pd.concat([rows for _, rows in export.channels.values()])
    held = export.contacts[export.contacts["group"] == "control"]
    assert not sent["customer"].duplicated().any()
    assert not set(sent["customer"]) & set(held["customer"])
    assert len(sent) + len(held) == told["about"]["allocation"]["customers"] > 100
    assert 0.1 < len(held) / len(export.contacts) < 0.4
    assert sorted(export.contacts["customer"]) == sorted([*sent["customer"], *held["customer"]])


def test_the_manifest_counts_what_is_written(plain: tuple[Study, Export, dict[str, Any]], tmp_path: Path) -> None:
    study, export, _ = plain
    said = write(tmp_path / "actions", export)
    for channel, facts in said["channels"].items():
        rows = pd.read_csv(tmp_path / "actions" / facts["file"])
        assert len(rows) == facts["customers"] == said["files"][facts["file"]]["rows"]
        own = [rule for rule in said["rules"] if rule["channel"] == channel]
        assert sum(rule["customers"] for rule in own) == len(rows)
        assert rows["value"].sum() == pytest.approx(sum(rule["value"] for rule in own), abs=0.01)
    assert said["consent"].startswith("not recorded")
    assert said["run"] == study.key
    assert all(rule["evidence"] == "assumed" for rule in said["rules"])


@pytest.mark.slow
def test_twice_the_same_bytes_for_its_owner_alone(plain: tuple[Study, Export, dict[str, Any]], tmp_path: Path) -> None:
    study, export, _ = plain
    folder = tmp_path / "actions"
    write(folder, export)
    first = {file.name: file.read_bytes() for file in folder.iterdir()}
    (folder / "mine.txt").write_text("stays")
    write(folder, made(opened(study.root))[0])
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == first | {"mine.txt": b"stays"}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {(folder / name).stat().st_mode & 0o777 for name in first} == {0o600}


def test_a_file_that_a_run_no_longer_writes_is_taken_away(
    plain: tuple[Study, Export, dict[str, Any]], tmp_path: Path
) -> None:
    _, export, _ = plain
    write(tmp_path, export)
    left = dict(list(export.channels.items())[:1])
    write(tmp_path, Export(left, export.contacts, export.manifest))
    names = {name for name, _ in left.values()} | {"contacts.csv", "manifest.json"}
    assert {file.name for file in tmp_path.iterdir()} == names


def test_no_cell_is_a_formula(plain: tuple[Study, Export, dict[str, Any]]) -> None:
    _, export, _ = plain
    for name, rows in export.files.items():
        text = rows.select_dtypes(exclude="number").astype(str)
        signed = (text == "+49 30 1") & (name == "contacts.csv")
        assert not (text.map(lambda cell: cell.startswith(("=", "+", "-", "@", "\t", "\r"))) & ~signed).any(axis=None)
    customers = set(export.files["contacts.csv"]["customer"])
    assert {"'=1+1", "+49 30 1"} <= customers


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_what_begins_like_a_formula_is_text(start: str) -> None:
    rows = pd.DataFrame({"text": [f"{start}cmd|' /C calc'!A0", "plain", None], "value": [-1.5, 2.0, 3.0]})
    safe = harmless(rows, signed=True)
    assert safe["text"].tolist() == [f"'{start}cmd|' /C calc'!A0", "plain", ""]
    assert safe["value"].tolist() == [-1.5, 2.0, 3.0]


def test_channels_have_files_of_their_own() -> None:
    names = file_names(["E mail", "e-mail", "contacts", "../../etc", "邮件", "短信"])
    assert len(set(names.values())) == 6
    assert "contacts.csv" not in names.values()
    assert all("/" not in name and not name.startswith(".") for name in names.values())
    assert names["../../etc"] == "etc.csv"


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_without_consent_for_a_channel_nobody_is_in_any_file(
    make_shop: Callable[..., Path], shop_toml: str, few: pd.DataFrame, seed: int
) -> None:
    words = agreed(few, seed)
    root = make_shop(few, shop_toml + RULES.replace("hold_out", 'suppress = "data/raw/alone.csv"\nhold_out') + CONSENT)
    words.to_csv(root / "data" / "raw" / "consent.csv", index=False)
    alone = set(few["customer"].unique()[2:40])
    pd.DataFrame({"customer": sorted(alone)}).to_csv(root / "data" / "raw" / "alone.csv", index=False)
    study = opened(root)
    export, told = made(study)
    contacts = export.contacts
    assert len(contacts) > 20
    wrong = [
        (customer, channel)
        for customer, channel in zip(contacts["customer"], contacts["sent_by"], strict=True)
        if customer in alone or not may_be_reached(words, customer, channel, study.as_of)
    ]
    assert not wrong
    for channel, (_, rows) in export.channels.items():
        assert set(rows["customer"]) <= set(contacts.loc[contacts["sent_by"] == channel, "customer"])
    removed = export.manifest["removed"]
    assert removed["consent"] > 0
    assert removed["opt-outs"] == told["about"]["allocation"]["customers"] - len(contacts) > 0
    # Nobody who may be reached is lost: who has no row had no consent for any channel, or is left in peace.
    lost = set(few["customer"]) - set(contacts["customer"]) - alone
    bought = few.groupby("customer")["time"].agg(lambda days: days.dt.date.nunique())
    assert not [c for c in lost if may_be_reached(words, c, "e-mail", study.as_of) and bought[c] >= 2]


@pytest.mark.slow
def test_who_was_reached_or_held_out_last_week_is_not_reached_again(
    make_shop: Callable[..., Path], shop_toml: str, few: pd.DataFrame
) -> None:
    root = make_shop(few, shop_toml + RULES + CONTACTS)
    empty = "customer,campaign,time,sent_by,group\n=nobody,hello 2020-01-01,2020-01-01,e-mail,treated\n"
    (root / "data" / "raw" / "contacts.csv").write_text(empty)
    first = opened(root, as_of="2021-01-20")
    export, _ = made(first)
    write(place(first), export)
    (root / "data" / "raw" / "contacts.csv").write_bytes((place(first) / "contacts.csv").read_bytes())
    again, _ = made(opened(root, as_of="2021-01-20"))
    pd.testing.assert_frame_equal(again.contacts, export.contacts)
    week_later, told = made(opened(root, as_of="2021-01-27"))
    before = export.contacts.assign(rule=export.contacts["campaign"].str.rsplit(n=1).str[0])
    after = week_later.contacts.assign(rule=week_later.contacts["campaign"].str.rsplit(n=1).str[0])
    both = before.merge(after, on="customer", suffixes=("_before", "_after"))
    # The one number that is written with an apostrophe is another one when it is read.
    both = both[both["customer"] != "=1+1"]
    assert not (both["rule_before"] == both["rule_after"]).any()
    # Who was contacted waits for the most contacts as well; who was held out may get another action.
    assert set(both["group_before"]) <= {"control"}
    stages = told["passed"].set_index("stage")["customers"]
    assert stages["rules"] >= stages["cool-down"] > stages["most contacts"]
    assert "+49 30 1" in set(before["customer"])


def test_a_list_of_opt_outs_must_be_there(make_shop: Callable[..., Path], shop_toml: str, few: pd.DataFrame) -> None:
    root = make_shop(few, shop_toml + '\n[actions]\nsuppress = "data/raw/alone.csv"\n')
    study = opened(root)
    with pytest.raises(SettingsError, match=r"actions.suppress: expected a CSV file, found none at data/raw/alone.csv"):
        suppressed(study)
    (root / "data" / "raw" / "alone.csv").write_text("id\n1\n")
    with pytest.raises(SettingsError, match=r"expected a column customer, found id"):
        suppressed(study)


def test_the_manifest_holds_no_customer(plain: tuple[Study, Export, dict[str, Any]]) -> None:
    _, export, told = plain
    text = json.dumps(export.manifest)
    assert not [customer for customer in export.contacts["customer"] if f'"{customer}"' in text]
    frames = {name: part for name, part in told.items() if isinstance(part, pd.DataFrame)}
    assert not [name for name, frame in frames.items() if "customer" in frame]
