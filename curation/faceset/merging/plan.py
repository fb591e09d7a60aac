"""What a merge would do: which faces go, which get a new place, which alignments change. Nothing is written here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal

from ...decide import KEPT_ON_A
from ...types import DecidedBy, Decision, FaceId, Progress, Side, Status, Vote, no_progress
from ...votes import Votes
from ..index import FaceIndex, FacesetPaths, KnownFace, places_of, refuse_links
from ..subfolders import refuse_sorted

__all__ = [
    "MergePlan",
    "Move",
    "OpenFace",
    "Removal",
    "Rewrite",
    "moves_after",
    "new_merge_id",
    "plan_merge",
    "rewrites_after",
]

AllowOpen = Literal["keep", "reject"]


@dataclass(frozen=True, slots=True)
class Removal:
    """A face that goes. `cut` says whether its entry leaves the alignments too; `votes` are pseudonymous."""

    name: str
    size: int
    mtime_ns: int
    frame: str
    index: int
    cut: bool
    face_id: str | None = None
    reason: str | None = None
    status: str | None = None
    decided_by: str | None = None
    posterior: float | None = None
    votes: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Move:
    """A face that stays under another name; with another `new_index`, its header is rewritten."""

    name: str
    size: int
    mtime_ns: int
    new_name: str
    frame: str
    index: int
    new_index: int


@dataclass(frozen=True, slots=True)
class Rewrite:
    """An alignments file that loses the faces `removed` (frame key → places); `emptied` frames keep their key.

    `folder` is where it is, relative to the manifests: an undo or a recovery must find the same file.
    """

    file: str
    folder: str
    size: int
    mtime_ns: int
    removed: dict[str, list[int]]
    emptied: tuple[str, ...]
    faces_before: int
    faces_after: int


@dataclass(frozen=True, slots=True)
class OpenFace:
    """A face that is not decided; `status` is "undecided", "disputed" or "unasked"."""

    name: str
    face_id: str
    status: str


@dataclass(frozen=True, slots=True)
class MergePlan:
    """Everything that `apply_merge` will do, and why. `gone` decided faces are no longer in the folder; `spared` ones
    are rejected for a reason that does not count on side A. `by_model` are the ids of faces that stay on the model's
    word; `proved` says what is known of that word."""

    merge_id: str
    side: Side
    created_at: str
    paths: FacesetPaths
    removals: tuple[Removal, ...]
    moves: tuple[Move, ...]
    rewrites: tuple[Rewrite, ...]
    open: tuple[OpenFace, ...]
    spared: tuple[str, ...]
    kept: int
    gone: int
    digest_before: str | None
    allow_open: AllowOpen | None = None
    notes: tuple[str, ...] = ()
    by_model: tuple[str, ...] = ()
    proved: tuple[str, ...] = ()
    known: FaceIndex | None = field(default=None, repr=False, compare=False)

    @property
    def is_empty(self) -> bool:
        """Whether applying it would change nothing."""
        return not (self.removals or self.moves or self.rewrites)

    def to_json(self) -> dict[str, Any]:
        """The plan without its paths, as JSON values."""
        values = {name: value for name, value in _values(self).items() if name not in ("paths", "known")}
        for name in ("removals", "moves", "rewrites", "open"):
            values[name] = [_values(row) for row in values[name]]
        return {**values, "side": self.side.value}

    def reasons(self) -> dict[str, int]:
        """How many faces go for which reason."""
        counts: dict[str, int] = defaultdict(int)
        for removal in self.removals:
            counts[removal.reason or "no reason given"] += 1
        return dict(sorted(counts.items()))


def _values(row: Any) -> dict[str, Any]:
    """A dataclass's fields, not copied."""
    return {item.name: getattr(row, item.name) for item in fields(row)}


def plan_from_json(values: Mapping[str, Any], paths: FacesetPaths) -> MergePlan:
    """The plan that `to_json` gave."""
    return MergePlan(
        **{
            **values,
            "side": Side(values["side"]),
            "paths": paths,
            "removals": tuple(Removal(**{**row, "votes": tuple(row["votes"])}) for row in values["removals"]),
            "moves": tuple(Move(**row) for row in values["moves"]),
            "rewrites": tuple(Rewrite(**{**row, "emptied": tuple(row["emptied"])}) for row in values["rewrites"]),
            "open": tuple(OpenFace(**row) for row in values["open"]),
            "spared": tuple(values["spared"]),
            "notes": tuple(values["notes"]),
            "by_model": tuple(values.get("by_model", ())),
            "proved": tuple(values.get("proved", ())),
        }
    )


def _vote_row(vote: Vote) -> dict[str, Any]:
    """A vote as a manifest tells it: the voter is a pseudonym, the note stays out."""
    return {
        "question": vote.question.value,
        "label": vote.label,
        "reason": vote.reason,
        "voter": _pseudonym(vote.worker_id),
        "kind": vote.kind.value,
        "round": vote.round,
        "submitted_at": vote.submitted_at.isoformat(),
        "simulated": vote.simulated,
    }


@lru_cache(4096)
def _pseudonym(worker: str) -> str:
    return blake2b(worker.encode(), digest_size=5).hexdigest()


def canonical_name(frame: str, index: int) -> str:
    """What faceswap's `rename` calls the `index`-th face of `frame`."""
    stem, _, suffix = frame.rpartition(".")  # Path(frame).stem, but for twenty thousand names
    return f"{stem if stem and suffix else frame}_{index}.png"


def _final_names(faces: Iterable[tuple[KnownFace, int]]) -> dict[str, str]:
    """PNG name → the name it should have, for faces that stay (with their new index). No two share one: where two
    faces claim one place (a copy, or two folders of photographs with the same names), the second keeps its own."""
    wanted = [(face.name, canonical_name(face.frame, index)) for face, index in faces]
    wanted.sort(key=lambda pair: pair[0] != pair[1])
    own = {name for name, _ in wanted}
    taken: set[str] = set()
    final: dict[str, str] = {}
    clashes: list[str] = []
    for name, target in wanted:
        if target in taken:
            clashes.append(name)
        else:
            taken.add(target)
            final[name] = target
    for name in clashes:
        target, number = name, 1
        while target in taken or (target != name and target in own):
            target, number = f"{Path(name).stem}_copy{number}.png", number + 1
        taken.add(target)
        final[name] = target
    return final


def _cuts(index: FaceIndex, going: set[str]) -> tuple[dict[str, set[int]], list[str]]:
    """Frame key → places that leave the alignments: those whose every PNG goes and that are there at all."""
    claims: dict[tuple[str, int], list[str]] = defaultdict(list)
    frames = {index.faces[name].frame for name in going}
    for face in index.faces.values():
        if face.frame in frames:
            claims[face.frame, face.index].append(face.name)
    counts = places_of(index)
    cuts: dict[str, set[int]] = defaultdict(set)
    notes: list[str] = []
    for (frame, place), names in claims.items():
        if not going.intersection(names):
            continue
        if place >= counts.get(frame, 0):
            notes.append(f"{names[0]} has no place of its own in the alignments; only the picture goes")
        elif going.issuperset(names):
            cuts[frame].add(place)
        else:
            notes.append(f"{frame}, face {place} stays in the alignments: another picture of it is kept")
    return cuts, notes


def rewrites_after(index: FaceIndex, cuts: Mapping[str, set[int]]) -> tuple[Rewrite, ...]:
    rewrites = []
    for name, file in sorted(index.files.items()):
        removed = {frame: sorted(places) for frame, places in cuts.items() if frame in file.frames}
        if not removed:
            continue
        before = sum(file.frames.values())
        rewrites.append(
            Rewrite(
                name,
                index.paths.relative(file.path.parent),
                file.size,
                file.mtime_ns,
                removed,
                tuple(frame for frame, places in removed.items() if len(places) == file.frames[frame]),
                before,
                before - sum(map(len, removed.values())),
            )
        )
    return tuple(rewrites)


def moves_after(index: FaceIndex, going: set[str], cuts: Mapping[str, set[int]], *, rename: bool) -> tuple[Move, ...]:
    staying: list[tuple[KnownFace, int]] = []
    for face in index.faces.values():
        if face.name not in going:
            places = cuts.get(face.frame)
            shift = sum(1 for place in places if place < face.index) if places else 0
            staying.append((face, face.index - shift))
    names = _final_names(staying) if rename else {face.name: face.name for face, _ in staying}
    return tuple(
        Move(face.name, face.size, face.mtime_ns, names[face.name], face.frame, face.index, place)
        for face, place in staying
        if place != face.index or names[face.name] != face.name
    )


def new_merge_id(removals: Sequence[Removal], now: datetime) -> str:
    digest = blake2b(now.isoformat().encode(), digest_size=3)
    for removal in removals:
        digest.update(f"{removal.name}\0{removal.face_id}\n".encode())
    return f"{now:%Y%m%d-%H%M%S}-{digest.hexdigest()}"


def plan_merge(
    faceset: FacesetPaths,
    decisions: Sequence[Decision],
    votes: Sequence[Vote] = (),
    *,
    side: Side | None = None,
    allow_open: AllowOpen | None = None,
    rename: bool = True,
    now: datetime | None = None,
    progress: Progress = no_progress,
) -> MergePlan:
    """The plan for face-level `decisions` (those with `question` None; others are passed over).

    Rejected faces go; on side A not those that are only blurred or covered. Faces without a final answer are listed
    as `open`; `allow_open` "keep" leaves them, "reject" removes them, None makes `apply_merge` refuse. `rename` gives
    every PNG the name that faceswap's own job gives it. Planning an applied plan again gives an empty one.
    """
    side = side or faceset.side
    refuse_links(faceset)
    index = FaceIndex.load(faceset).refresh(ids=True, content=True, progress=progress)
    index.save()
    refuse_sorted(index)
    by_face: dict[FaceId, Decision] = {d.face_id: d for d in decisions if d.question is None}
    rejected, open_faces, spared = _sort_out(index, by_face, side)
    going = {face.name for face in rejected}
    if allow_open == "reject":
        going |= {face.name for face in open_faces}
    cuts, notes = _cuts(index, going)
    notes += [f"{name} was passed over: {reason}" for name, reason in index.unusable.items()]
    told = {face.face_id for face in index.faces.values() if face.name in going}
    cast = Votes.of(votes)
    by_vote: dict[FaceId, list[Vote]] = defaultdict(list)
    for vote in cast.at(cast.columns["face_id"].where(told.__contains__)):
        by_vote[vote.face_id].append(vote)
    removals = tuple(
        _removal(face, by_face.get(face.face_id) if face.face_id else None, by_vote, cuts)
        for face in index.faces.values()
        if face.name in going
    )
    present = {face.face_id for face in index.faces.values()}
    leaving = {removal.face_id for removal in removals}
    now = now or datetime.now(UTC)
    return MergePlan(
        merge_id=new_merge_id(removals, now),
        side=side,
        created_at=now.isoformat(),
        paths=faceset,
        removals=removals,
        moves=moves_after(index, going, cuts, rename=rename),
        rewrites=rewrites_after(index, cuts),
        open=tuple(open_faces),
        spared=tuple(spared),
        kept=len(index.faces) - len(removals),
        gone=sum(1 for face in by_face if face not in present),
        digest_before=index.digest(),
        allow_open=allow_open,
        notes=tuple(notes),
        by_model=tuple(face_id for face_id in _by_model(by_face) if face_id in present and face_id not in leaving),
        known=index,
    )


def _by_model(decisions: Mapping[FaceId, Decision]) -> list[FaceId]:
    """The faces that are kept on the model's word."""
    return [
        face_id
        for face_id, decision in decisions.items()
        if decision.decided_by is DecidedBy.MODEL and decision.status is Status.APPROVED
    ]


def _sort_out(
    index: FaceIndex, decisions: Mapping[FaceId, Decision], side: Side
) -> tuple[list[KnownFace], list[OpenFace], list[str]]:
    rejected: list[KnownFace] = []
    open_faces: list[OpenFace] = []
    spared: list[str] = []
    for face in index.faces.values():
        assert face.face_id is not None
        decision = decisions.get(face.face_id)
        if decision is None:
            open_faces.append(OpenFace(face.name, face.face_id, "unasked"))
        elif decision.status in (Status.UNDECIDED, Status.DISPUTED):
            open_faces.append(OpenFace(face.name, face.face_id, decision.status.value))
        elif decision.status is Status.REJECTED:
            if side is Side.A and decision.reason in KEPT_ON_A:
                spared.append(face.name)
            else:
                rejected.append(face)
    return rejected, open_faces, spared


def _removal(
    face: KnownFace,
    decision: Decision | None,
    votes: Mapping[FaceId, Sequence[Vote]],
    cuts: Mapping[str, set[int]],
) -> Removal:
    own = votes.get(face.face_id, ()) if face.face_id else ()
    return Removal(
        face.name,
        face.size,
        face.mtime_ns,
        face.frame,
        face.index,
        cut=face.index in cuts.get(face.frame, ()),
        face_id=face.face_id,
        reason=decision.reason if decision and decision.status is Status.REJECTED else "open",
        status=decision.status.value if decision else "unasked",
        decided_by=decision.decided_by.value if decision else None,
        posterior=decision.posterior if decision else None,
        votes=tuple(_vote_row(vote) for vote in own),
    )
