"""Dataset cards: what an approved faceset holds, where it came from and on whose word; pure values.

A card is written once, when a faceset is approved, and names it by id, digest and parents; two cards can be compared
long after the files have changed. The sections follow Gebru et al., *Datasheets for Datasets* (2021), as far as a tool
knows the answers; what it does not know is listed as a gap rather than left out.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ...errors import FormatError
from ...plain import lines as as_text

__all__ = ["Card", "CardDiff", "QuestionRecord", "SourceRecord", "card_from_json", "diff_cards", "read_card"]

FORMAT = "galloway-card/1"
_BYTES = 256 << 20
_BASES = {"own": "own likeness", "consent": "consent", "licence": "licence", "public-domain": "public domain"}


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """One source and the record of its use. `basis` is empty where nothing was recorded; `faces` stand now.

    `pictures` says of photographs where each came from: `file`, and what the list beside them told of `source`,
    `licence`, `person` and `date`.
    """

    name: str
    person: str
    basis: str
    note: str
    sha256: str
    recorded_at: str
    faces: int
    pictures: tuple[Mapping[str, str], ...] = ()

    @property
    def basis_text(self) -> str:
        """The basis in words."""
        return _BASES.get(self.basis, self.basis) or "not recorded"


@dataclass(frozen=True, slots=True)
class QuestionRecord:
    """One question as it was asked. `alpha` (Krippendorff's) and `unanimous` are None where they are not defined."""

    question: str
    faces: int
    votes: int
    workers: int
    simulated: int
    alpha: float | None
    unanimous: float | None


@dataclass(frozen=True, slots=True)
class Card:
    """An approved faceset's card.

    `faces` maps face id to file name; `reasons` counts the faces left out, by reason; `decided_by` counts who left them
    out. `screened` counts those that nobody was asked about. `by_model` counts the faces that are in it on the word of
    the model that answers taught, `proved` says what an audit proves of it. `changed` says that the folder no longer
    has this digest.
    """

    id: str
    side: str
    merge_id: str
    parents: tuple[str, ...]
    digest: str
    approved_at: str
    faces: Mapping[str, str]
    excluded: int
    reasons: Mapping[str, int]
    decided_by: Mapping[str, int]
    sources: tuple[SourceRecord, ...]
    questions: tuple[QuestionRecord, ...]
    changed: bool = False
    notes: tuple[str, ...] = field(default=())
    by_model: int = 0
    proved: tuple[str, ...] = field(default=())

    @property
    def screened(self) -> int:
        """Faces left out by screening alone."""
        return self.decided_by.get("screen", 0)

    def gaps(self) -> tuple[str, ...]:
        """What is not known and should be, in sentences."""
        found = [
            f"For {source.name} nobody recorded who is in it and on what basis: galloway ingest --basis"
            for source in self.sources
            if not source.basis
        ]
        found += [
            f"{source.name}: the basis is {source.basis_text}, but nothing says where that can be looked up."
            for source in self.sources
            if source.basis in ("consent", "licence") and not source.note
        ]
        if not self.questions:
            found.append("No question was asked about these faces.")
        found += [
            f"{item.simulated} of {item.votes} votes on {item.question} are by simulated workers."
            for item in self.questions
            if item.simulated
        ]
        if self.screened:
            found.append(f"{self.screened} faces were left out by screening; nobody was asked about them.")
        left_out = self.decided_by.get("model", 0)
        if self.by_model or left_out:
            found.append(f"{self.by_model} faces are in it, and {left_out} were left out, on the model's word.")
            found += self.proved
        if copies := self.decided_by.get("copy", 0):
            found.append(f"{copies} faces were left out by the answer on a near-copy; they were not asked themselves.")
        if self.changed:
            found.append("The folder has changed since: this card is not about what is there now.")
        return tuple(found)

    def as_dict(self) -> dict[str, Any]:
        """For JSON, with the format's name and the gaps."""
        return {"format": FORMAT, **asdict(self), "gaps": list(self.gaps())}

    def to_json(self) -> str:
        """`as_dict` as text, stable: the same card is the same file."""
        return json.dumps(self.as_dict(), sort_keys=True, indent=1, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class CardDiff:
    """What is different from `old` to `new`: face ids that came and went, renamed ones, and what else changed.

    `related` is "parent" where `old` is among `new`'s parents, "same" for one digest, else "unrelated".
    """

    old: str
    new: str
    related: str
    added: tuple[str, ...]
    removed: tuple[str, ...]
    renamed: Mapping[str, tuple[str, str]]
    sources: Mapping[str, tuple[int, int]]
    reasons: Mapping[str, tuple[int, int]]
    changed: Mapping[str, tuple[Any, Any]]

    @property
    def is_empty(self) -> bool:
        """Whether both hold the same faces from the same sources on the same grounds."""
        return not (self.added or self.removed or self.renamed or self.sources or self.reasons or self.changed)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "same": self.is_empty}

    def to_text(self) -> str:
        """For the terminal."""
        if self.is_empty:
            return f"{self.old} and {self.new} hold the same faces."
        kin = {"parent": f"{self.new} was made from {self.old}", "same": "same digest"}
        lines = [f"{self.old} → {self.new} ({kin.get(self.related, 'neither was made from the other')})"]
        lines.append(f"  {len(self.added)} faces added, {len(self.removed)} removed, {len(self.renamed)} renamed")
        for name, (before, after) in sorted(self.sources.items()):
            lines.append(f"  source {name}: {before} → {after} faces")
        for reason, (before, after) in sorted(self.reasons.items()):
            lines.append(f"  left out as {reason.replace('_', ' ')}: {before} → {after}")
        for what, (before, after) in sorted(self.changed.items()):
            lines.append(f"  {what}: {before} → {after}")
        return as_text(lines)


def diff_cards(old: Card, new: Card) -> CardDiff:
    """Compare two cards by face id; names, sources, reasons and agreement follow."""
    shared = old.faces.keys() & new.faces.keys()
    changed: dict[str, tuple[Any, Any]] = {}
    if old.side != new.side:
        changed["side"] = (old.side, new.side)
    bases = [{item.name: item.basis_text for item in card.sources} for card in (old, new)]
    votes = [{item.question: item.votes for item in card.questions} for card in (old, new)]
    changed |= _differing("basis of ", *bases) | _differing("votes on ", *votes)
    related = "same" if old.digest == new.digest else "parent" if old.id in new.parents else "unrelated"
    return CardDiff(
        old=old.id,
        new=new.id,
        related=related,
        added=tuple(sorted(new.faces.keys() - old.faces.keys())),
        removed=tuple(sorted(old.faces.keys() - new.faces.keys())),
        renamed={key: (old.faces[key], new.faces[key]) for key in sorted(shared) if old.faces[key] != new.faces[key]},
        sources=_counts({s.name: s.faces for s in old.sources}, {s.name: s.faces for s in new.sources}),
        reasons=_counts(old.reasons, new.reasons),
        changed=changed,
    )


def read_card(path: Path) -> Card:
    """Read a card's JSON file. Raises FormatError naming what is wrong with it."""
    try:
        if path.stat().st_size > _BYTES:
            raise FormatError(f"{path} is too large for a card.")
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as broken:
        raise FormatError(f"{path} cannot be read as a card ({broken}). Make one: galloway faceset card") from broken
    return card_from_json(values, name=str(path))


def card_from_json(values: Any, *, name: str = "the card") -> Card:
    """The card that `as_dict` gave. Raises FormatError for anything else."""
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise FormatError(f"{name} is not a faceset's card ({FORMAT}). Make one: galloway faceset card")
    try:
        return Card(
            id=str(values["id"]),
            side=str(values["side"]),
            merge_id=str(values["merge_id"]),
            parents=tuple(str(item) for item in values["parents"]),
            digest=str(values["digest"]),
            approved_at=str(values["approved_at"]),
            faces={str(key): str(value) for key, value in values["faces"].items()},
            excluded=int(values["excluded"]),
            reasons={str(key): int(value) for key, value in values["reasons"].items()},
            decided_by={str(key): int(value) for key, value in values["decided_by"].items()},
            sources=tuple(_source(item) for item in values["sources"]),
            questions=tuple(QuestionRecord(**item) for item in values["questions"]),
            changed=bool(values["changed"]),
            notes=tuple(str(item) for item in values["notes"]),
            by_model=int(values.get("by_model", 0)),
            proved=tuple(str(item) for item in values.get("proved", ())),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as broken:
        raise FormatError(f"{name} is a damaged card ({broken!r}). Make it anew: galloway faceset card") from broken


def _source(values: Any) -> SourceRecord:
    pictures = values.get("pictures", ())
    told = tuple({str(key): str(text) for key, text in item.items()} for item in pictures)
    return SourceRecord(**{**values, "pictures": told})


def finite(value: float) -> float | None:
    """A figure as a card holds it: four digits, None where it is not defined."""
    return round(value, 4) if math.isfinite(value) else None


def _counts(old: Mapping[str, int], new: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    keys = sorted(old.keys() | new.keys())
    return {key: (old.get(key, 0), new.get(key, 0)) for key in keys if old.get(key, 0) != new.get(key, 0)}


def _differing(prefix: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    keys = sorted(old.keys() & new.keys())
    return {prefix + key: (old[key], new[key]) for key in keys if old[key] != new[key]}
