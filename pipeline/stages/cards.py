"""Dataset cards of a workspace: the approved faceset, its consent records, votes and exclusions put together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...curation.faceset.cards.card import Card, CardDiff, QuestionRecord, SourceRecord, diff_cards, finite, read_card
from ...curation.faceset.cards.compare import FacesetDiff, MergeDiff, diff_listings, diff_merges, list_card, list_folder
from ...curation.faceset.cards.page import card_html
from ...curation.faceset.dialects.left_out import read_left_out
from ...curation.faceset.merging.merge import digest, manifests
from ...curation.faceset.merging.transaction import Manifest, read_checked
from ...curation.files import write_atomic
from ...curation.truth import VotesTable
from ...curation.truth.agreement import krippendorff_alpha, unanimous_share
from ...curation.types import Face, FaceId, Progress, Question, Side, Vote, no_progress
from ..app import App
from ..asking.heeded import heeded_votes
from ..consent.kept import told_pictures
from ..errors import NotApproved, StageError
from ..workspace.state import read_state

__all__ = ["card_path", "compare", "find_card", "make_card", "write_card"]


def make_card(app: App, side: Side) -> Card:
    """The card of the side's approved faceset as it stands. Raises NotApproved where there is none."""
    standing = app.standing_merge(side)
    if standing is None:
        raise NotApproved(f"Side {side.value} is not approved yet. Approve it: galloway merge --side {side.value}")
    paths = app.faceset_paths(side)
    line = _line(app, side, standing.merge_id)
    removals = [row for manifest in line for row in manifest["removals"]]
    faces = app.store.faces(side)
    everyone = app.store.faces(side, rejected=True)
    about = {face.face_id for face in everyone}
    cast = heeded_votes(app)
    votes = list(cast.at(cast.columns["face_id"].where(about.__contains__)))
    return Card(
        id=standing.id,
        side=side.value,
        merge_id=standing.merge_id,
        parents=(standing.parent,) if standing.parent else (),
        digest=standing.digest,
        approved_at=standing.approved_at.isoformat(),
        faces={face.face_id: face.name for face in faces},
        excluded=len(removals),
        reasons=dict(Counter(row["reason"] or "no reason given" for row in removals)),
        decided_by=dict(Counter(row["decided_by"] or "unknown" for row in removals)),
        sources=_sources(app, side, faces),
        questions=tuple(
            _question(question, votes) for question in Question if any(v.question is question for v in votes)
        ),
        changed=digest(paths) != standing.digest,
        notes=tuple(item.sentence for item in read_left_out(paths.faces_dir)),
        by_model=len(line[-1].get("by_model", ())) if line else 0,
        proved=tuple(line[-1].get("proved", ())) if line else (),
    )


def card_path(app: App, faceset_id: str) -> Path:
    """Where a faceset's card is kept, as JSON; the HTML is beside it."""
    return app.workspace.path("reports", f"card-{faceset_id}.json")


def write_card(app: App, card: Card) -> tuple[Path, Path]:
    """Write the card as HTML and JSON under `reports/`; returns both paths."""
    path = card_path(app, card.id)
    page = path.with_suffix(".html")
    for target, text in ((path, card.to_json()), (page, card_html(card))):
        write_atomic(target, text)
    return page, path


def find_card(app: App | None, name: str) -> Card:
    """A card by file, or by the faceset's id in this workspace; a side's letter means its approved faceset now."""
    path = Path(name)
    if path.is_file():
        return read_card(path)
    if app is None:
        raise StageError(
            f"{name} is no file, and there is no workspace here to look it up in: give folders, manifests or cards."
        )
    if name in ("a", "b"):
        return make_card(app, Side(name))
    kept = app.workspace.root / "reports" / f"card-{Path(name).name}.json"
    if not kept.is_file():
        raise StageError(f"There is no card of {name}. A card is written by: galloway faceset card --side a (or b)")
    return read_card(kept)


def compare(
    app: App | None, old: str, new: str, progress: Progress = no_progress
) -> CardDiff | FacesetDiff | MergeDiff:
    """What changed between two facesets or merges: cards, folders of faces, or merges' manifests.

    Each is named by file or folder, by the id of a card or merge in this workspace, or by a side's letter: the approved
    faceset, or the faces as they lie where nothing is approved yet. A folder can be compared with a card, a merge only
    with a merge.
    """
    found = [_named(app, name) for name in (old, new)]
    match found:
        case [Card() as one, Card() as other]:
            return diff_cards(one, other)
        case [dict() as one, dict() as other]:
            return diff_merges(one, other)
        case [dict(), _] | [_, dict()]:
            raise StageError(
                "A merge is compared with another merge, a faceset with a faceset. What is in a merge: "
                "galloway faceset merges MERGE_ID"
            )
    side = Side(next((item.side for item in found if isinstance(item, Card)), Side.A))
    listings = [
        list_card(item) if isinstance(item, Card) else list_folder(item, side, progress)
        for item in found
        if not isinstance(item, dict)
    ]
    return diff_listings(listings[0], listings[1])


def _named(app: App | None, name: str) -> Card | Manifest | Path:
    """What a person names: a folder of faces, a manifest, or a card."""
    path = Path(name)
    if path.is_dir():
        inner = path / "faces"
        return inner if inner.is_dir() and not any(path.glob("*.png")) else path
    if path.is_file() and path.suffix == ".json" and {"removals", "rewrites"} <= _record(path).keys():
        return read_checked(path)
    if app is not None and not path.is_file():
        if name in ("a", "b") and app.standing_merge(Side(name)) is None:
            return app.workspace.faces_dir(Side(name))
        for side in Side:
            for manifest in manifests(app.faceset_paths(side)):
                if manifest["merge_id"] == name:
                    return manifest
    return find_card(app, name)


def _line(app: App, side: Side, merge_id: str) -> list[Manifest]:
    """The applied merges up to this one, oldest first."""
    found = []
    for manifest in manifests(app.faceset_paths(side)):
        if manifest["state"] == "applied":
            found.append(manifest)
        if manifest["merge_id"] == merge_id:
            break
    return found


def _sources(app: App, side: Side, faces: Sequence[Face]) -> tuple[SourceRecord, ...]:
    counts = Counter(face.source for face in faces)
    folder = app.workspace.sources_dir(side)
    recorded = {path.name.removesuffix(".source.json"): path for path in folder.glob("*.source.json")}
    found = []
    for name in sorted(counts.keys() | recorded.keys()):
        record = _record(recorded[name]) if name in recorded else {}
        found.append(
            SourceRecord(
                name=name,
                faces=counts[name],
                pictures=told_pictures(record),
                **{key: str(record.get(key, "")) for key in ("person", "basis", "note", "sha256", "recorded_at")},
            )
        )
    return tuple(found)


def _record(path: Path) -> dict[str, Any]:
    return read_state(path, "Restore it, or have it written anew.")


def _question(question: Question, votes: Sequence[Vote]) -> QuestionRecord:
    cast = [vote for vote in votes if vote.question is question]
    asked: set[FaceId] = {vote.face_id for vote in cast}
    table = VotesTable.from_votes(cast, question)
    return QuestionRecord(
        question=question.value,
        faces=len(asked),
        votes=len(cast),
        workers=len({vote.worker_id for vote in cast}),
        simulated=sum(vote.simulated for vote in cast),
        alpha=finite(krippendorff_alpha(table)),
        unanimous=finite(unanimous_share(table)),
    )
