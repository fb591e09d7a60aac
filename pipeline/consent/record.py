"""The consent record of one person, as ISO/IEC TS 27560 structures it, in JSON-LD with the Data Privacy Vocabulary.

Fields and classes follow the DPV Community Group's guide "Consent Records and Receipts as per ISO/IEC TS 27560:2023
using DPV" (https://w3id.org/dpv/guides/consent-27560), profiles `#record` and `#receipt-record`. What the guide has no
word for has the prefix `galloway:`. The file that is kept is the record itself.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

__all__ = [
    "SCOPES",
    "TOLD",
    "ConsentRecord",
    "Evidence",
    "Material",
    "fingerprint",
    "from_jsonld",
    "receipt",
    "to_jsonld",
]

SCOPES = {
    "clean": "crops of the face are shown to people who sort out bad ones",
    "train": "a model is trained on the face",
    "convert": "films are made in which the face is swapped, in or out",
}
"""What can be agreed to, in words for the person."""
_SCHEMA = "https://w3id.org/dpv/schema/dpv-27560"
_CONTEXT = {
    "dpv": "https://w3id.org/dpv#",
    "pd": "https://w3id.org/dpv/pd#",
    "dct": "http://purl.org/dc/terms/",
    "galloway": "urn:galloway:terms:",
}
_PROCESSING = {"clean": "dpv:MakeAvailable", "train": "dpv:Analyse", "convert": "dpv:Transform"}
_LEGAL = {"own": "dpv:Consent", "consent": "dpv:Consent"}
_HISTORY = "galloway:history"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A file that shows the agreement, by its hash: the file itself stays where it is."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Material:
    """A source that the person is in: its side ("a" or "b"), name and SHA-256; and of photographs that came with a
    table what it says of each: `file`, and any of `source`, `licence`, `person` and `date`."""

    side: str
    name: str
    sha256: str
    pictures: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """What one person agreed to, since when and until when. `expires` is the last day on which it holds. `barred` are
    the ids of the facesets that held the person's faces when the consent was withdrawn, also of earlier withdrawals;
    `since`: from when on facesets may hold them, which an agreement anew does not change."""

    id: str
    person: str
    controller: str
    basis: str
    scopes: tuple[str, ...]
    recorded_at: datetime
    note: str = ""
    evidence: tuple[Evidence, ...] = ()
    material: tuple[Material, ...] = ()
    expires: date | None = None
    withdrawn_at: datetime | None = None
    withdrawn_note: str = ""
    barred: tuple[str, ...] = ()
    since: datetime | None = None
    history: tuple[str, ...] = ()
    """Fingerprints of the record as it stood before, oldest first: what receipts that are out were copied from."""

    @classmethod
    def new(cls, person: str, controller: str, basis: str, now: datetime, note: str = "") -> ConsentRecord:
        return cls(str(uuid.uuid4()), person, controller, basis, tuple(SCOPES), now, note)

    def why_not(self, scope: str, today: date) -> str:
        """Why the person's faces may not be used for `scope` on that day; "" where they may."""
        if self.withdrawn_at is not None:
            return f"{self.person} withdrew on {self.withdrawn_at:%d %B %Y}"
        if self.expires is not None and today > self.expires:
            return f"what {self.person} agreed to ended on {self.expires:%d %B %Y}"
        if scope not in self.scopes:
            return f"{self.person} did not agree to “{scope}” ({SCOPES[scope]})"
        return ""

    def changed(self, **values: Any) -> ConsentRecord:
        """The record with other values, and what it was before in its history."""
        return replace(self, **values, history=(*self.history, fingerprint(self)))


def fingerprint(record: ConsentRecord) -> str:
    """SHA-256 of what the record says: its JSON-LD without history, keys in order, no spaces."""
    said = {key: value for key, value in to_jsonld(record).items() if key != _HISTORY}
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def to_jsonld(record: ConsentRecord) -> dict[str, Any]:
    """The record as JSON-LD."""
    return {
        "@context": _CONTEXT,
        "@id": f"urn:uuid:{record.id}",
        "@type": "dpv:ConsentRecord",
        "dct:conformsTo": f"{_SCHEMA}#record",
        "dct:identifier": record.id,
        "dct:created": record.recorded_at.isoformat(),
        **({"dct:valid": record.expires.isoformat()} if record.expires else {}),
        "dpv:hasDataSubject": {"@type": "dpv:DataSubject", "dct:title": record.person},
        "dpv:hasDataController": {"@type": "dpv:DataController", "dct:title": record.controller},
        "dpv:hasLegalBasis": {"@type": _LEGAL.get(record.basis, "dpv:LegalBasis"), "dct:title": record.basis},
        "dpv:hasNotice": {"@type": "dpv:ConsentNotice", "dct:description": record.note},
        "dpv:hasProcess": [_process(scope) for scope in record.scopes],
        "dpv:hasConsentStatus": _events(record),
        "dct:source": [{"dct:title": item.name, "galloway:sha256": item.sha256} for item in record.evidence],
        "galloway:material": [_material(item) for item in record.material],
        **({"galloway:barred": list(record.barred)} if record.barred else {}),
        **({"galloway:since": record.since.isoformat()} if record.since else {}),
        _HISTORY: list(record.history),
    }


TOLD = {
    "file": "dct:title",
    "source": "dct:source",
    "licence": "dct:license",
    "person": "dpv:hasDataSubject",
    "date": "dct:date",
}
"""What is told of a picture, in Dublin Core's and the vocabulary's words."""


def _material(item: Material) -> dict[str, Any]:
    pictures = [{TOLD[key]: value for key, value in row.items()} for row in item.pictures]
    return {
        "galloway:side": item.side,
        "dct:title": item.name,
        "galloway:sha256": item.sha256,
        **({"dct:hasPart": pictures} if pictures else {}),
    }


def _material_in(values: Mapping[str, Any]) -> Material:
    pictures = tuple(
        {key: str(row[term]) for key, term in TOLD.items() if term in row} for row in values.get("dct:hasPart", ())
    )
    return Material(str(values["galloway:side"]), str(values["dct:title"]), str(values["galloway:sha256"]), pictures)


def _process(scope: str) -> dict[str, Any]:
    return {
        "@type": "dpv:Process",
        "dpv:hasPurpose": {"@type": "dpv:Purpose", "dct:title": scope, "dct:description": SCOPES[scope]},
        "dpv:hasPersonalData": ["pd:Face", "pd:FacialPrint"],
        "dpv:hasProcessing": _PROCESSING[scope],
    }


def _events(record: ConsentRecord) -> list[dict[str, Any]]:
    given = {
        "@type": "dpv:ConsentGiven",
        "dct:date": record.recorded_at.isoformat(),
        "dpv:isIndicatedBy": record.person,
    }
    if record.withdrawn_at is None:
        return [given]
    note = {"dct:description": record.withdrawn_note} if record.withdrawn_note else {}
    return [given, {"@type": "dpv:ConsentWithdrawn", "dct:date": record.withdrawn_at.isoformat(), **note}]


def from_jsonld(values: Mapping[str, Any]) -> ConsentRecord:
    """The record in JSON-LD that `to_jsonld` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    if values["@type"] != "dpv:ConsentRecord":
        raise ValueError(f"it is a {values['@type']}")
    withdrawn = next((item for item in values["dpv:hasConsentStatus"] if item["@type"] == "dpv:ConsentWithdrawn"), None)
    scopes = tuple(str(item["dpv:hasPurpose"]["dct:title"]) for item in values["dpv:hasProcess"])
    if unknown := set(scopes) - set(SCOPES):
        raise ValueError(f"nothing is known of the purpose {sorted(unknown)[0]!r}")
    return ConsentRecord(
        id=str(values["dct:identifier"]),
        person=str(values["dpv:hasDataSubject"]["dct:title"]),
        controller=str(values["dpv:hasDataController"]["dct:title"]),
        basis=str(values["dpv:hasLegalBasis"]["dct:title"]),
        scopes=scopes,
        recorded_at=_time(values["dct:created"]),
        note=str(values["dpv:hasNotice"]["dct:description"]),
        evidence=tuple(Evidence(str(item["dct:title"]), str(item["galloway:sha256"])) for item in values["dct:source"]),
        material=tuple(_material_in(item) for item in values["galloway:material"]),
        expires=date.fromisoformat(values["dct:valid"]) if "dct:valid" in values else None,
        withdrawn_at=_time(withdrawn["dct:date"]) if withdrawn else None,
        withdrawn_note=str(withdrawn.get("dct:description", "")) if withdrawn else "",
        barred=tuple(map(str, values.get("galloway:barred", ()))),
        since=_time(values["galloway:since"]) if "galloway:since" in values else None,
        history=tuple(map(str, values[_HISTORY])),
    )


def _time(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def receipt(record: ConsentRecord, now: datetime) -> dict[str, Any]:
    """The receipt for the person: a copy of the record, with what proves later which state of it was copied."""
    return {
        "@context": _CONTEXT,
        "@id": f"urn:uuid:{uuid.uuid5(uuid.UUID(record.id), now.isoformat())}",
        "@type": "dpv:ConsentReceipt",
        "dct:conformsTo": f"{_SCHEMA}#receipt-record",
        "dct:created": now.isoformat(),
        "dct:publisher": record.controller,
        "galloway:fingerprint": fingerprint(record),
        "dpv:hasRecordOfActivity": {key: value for key, value in to_jsonld(record).items() if key != _HISTORY},
    }
