"""The consent record: written and read back, what it allows when, and receipts that can be checked."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from galloway.pipeline.consent.kept import check_receipt, keep, record_of, records, write_receipt
from galloway.pipeline.consent.record import (
    SCOPES,
    ConsentRecord,
    Evidence,
    Material,
    fingerprint,
    from_jsonld,
    to_jsonld,
)
from galloway.pipeline.errors import StageError, WorkspaceError
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
TODAY = NOW.date()
RECORD = ConsentRecord.new("Ann-Lou Élise Lee", "My swap", "consent", NOW, "binder 3")
WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
PICTURES = st.lists(
    st.fixed_dictionaries(
        {"file": WORDS}, optional={"source": WORDS, "licence": WORDS, "person": WORDS, "date": WORDS}
    ),
    max_size=2,
)


@given(
    st.builds(
        ConsentRecord,
        id=st.uuids().map(str),
        person=WORDS,
        controller=WORDS,
        basis=st.sampled_from(["own", "consent", "licence", "public-domain"]),
        scopes=st.lists(st.sampled_from(list(SCOPES)), unique=True).map(tuple),
        recorded_at=st.datetimes(timezones=st.just(UTC)),
        note=WORDS,
        evidence=st.lists(st.builds(Evidence, WORDS, st.just("0" * 64)), max_size=2).map(tuple),
        material=st.lists(
            st.builds(Material, st.sampled_from("ab"), WORDS, st.just("1" * 64), PICTURES.map(tuple)), max_size=2
        ).map(tuple),
        expires=st.none() | st.dates(),
        withdrawn_at=st.none() | st.datetimes(timezones=st.just(UTC)),
        barred=st.lists(WORDS, max_size=2).map(tuple),
        since=st.none() | st.datetimes(timezones=st.just(UTC)),
        history=st.lists(st.just("2" * 64), max_size=2).map(tuple),
    )
)
def test_what_is_written_is_what_is_read(record: ConsentRecord) -> None:
    assert from_jsonld(json.loads(json.dumps(to_jsonld(record)))) == record


def test_it_has_what_iso_27560_asks_for_in_dpvs_words() -> None:
    said = to_jsonld(RECORD)
    assert said["@type"] == "dpv:ConsentRecord" and said["dct:conformsTo"].endswith("dpv-27560#record")
    for name in (
        "dct:identifier", "dct:created", "dpv:hasDataSubject", "dpv:hasDataController", "dpv:hasNotice",
        "dpv:hasLegalBasis", "dpv:hasProcess", "dpv:hasConsentStatus",
    ):  # fmt: skip
        assert said[name], name
    prefixes = {key.split(":")[0] for key in said if ":" in key}
    assert prefixes <= set(said["@context"])


@pytest.mark.parametrize(
    ("changes", "scope", "day", "why"),
    [
        ({}, "train", TODAY, ""),
        ({"expires": TODAY}, "train", TODAY, ""),
        ({"expires": date(2026, 11, 25)}, "train", TODAY, "ended on 25 November 2026"),
        ({"scopes": ("clean",)}, "convert", TODAY, "did not agree to “convert”"),
        ({"withdrawn_at": NOW}, "clean", TODAY, "withdrew on 26 November 2026"),
    ],
)
def test_what_it_allows(changes: dict[str, object], scope: str, day: date, why: str) -> None:
    found = replace(RECORD, **changes).why_not(scope, day)  # type: ignore[arg-type]
    assert (why in found) if why else not found


def test_a_receipt_is_checked_against_the_record_as_it_was_and_is(tmp_path: Path) -> None:
    keep(tmp_path, RECORD)
    write_receipt(RECORD, tmp_path / "r.json")
    assert check_receipt(tmp_path, tmp_path / "r.json") == (RECORD, True)
    changed = RECORD.changed(expires=date(2027, 1, 1))
    keep(tmp_path, changed)
    assert check_receipt(tmp_path, tmp_path / "r.json") == (changed, False)
    assert fingerprint(changed) != fingerprint(RECORD)


def test_a_receipt_that_was_changed_is_none(tmp_path: Path) -> None:
    keep(tmp_path, RECORD)
    path = tmp_path / "r.json"
    write_receipt(RECORD, path)
    path.write_text(path.read_text().replace("Lee", "Smith"))
    with pytest.raises(StageError, match="was changed after"):
        check_receipt(tmp_path, path)
    path.write_text("{}")
    with pytest.raises(StageError, match="no consent receipt"):
        check_receipt(tmp_path, path)
    with pytest.raises(StageError, match="no consent receipt; name another"):
        write_receipt(RECORD, path)
    other = ConsentRecord.new("Bob", "Elsewhere", "own", NOW)
    write_receipt(other, tmp_path / "other.json")
    with pytest.raises(StageError, match="receipt of no record"):
        check_receipt(tmp_path, tmp_path / "other.json")


def test_a_record_is_found_by_the_name_in_it_and_a_broken_one_is_never_no_record(tmp_path: Path) -> None:
    keep(tmp_path, RECORD)
    assert record_of(tmp_path, "ann-lou  élise LEE") == RECORD
    assert record_of(tmp_path, "Bob") is None
    (tmp_path / "consent" / f"{RECORD.id}.json").write_text('{"@type": "dpv:ConsentRecord"}')
    with pytest.raises(WorkspaceError, match="is no consent record"):
        records(tmp_path)
