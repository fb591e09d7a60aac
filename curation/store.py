"""Reads and writes faces, votes and decisions. Votes are appended, never edited; decisions are kept per
run, to be compared.

The store is given a SQLAlchemy engine; whoever owns the database migrates it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import sqlalchemy as sa

from .counts import face_change_table, vote_counts
from .runs import add_decisions, copy_run, of_run, says
from .shown import (
    LookedAt,
    forget_map,
    hide_faces,
    show_decisions,
    show_faces,
    show_looks,
    show_places,
    show_risks,
)
from .tables import (
    Among,
    decision_table,
    decisions_of_rows,
    face_of_row,
    face_table,
    insert_new,
    reading,
    row_of_face,
    row_of_vote,
    run_table,
    streaming,
    vote_columns,
    vote_table,
    votes_of_rows,
)
from .types import AssignmentId, Ballot, DecidedBy, Decision, Face, FaceId, Question, Side, Vote, VoterKind
from .votes import Votes

__all__ = ["DecisionRun", "Store", "WorkTime"]


@dataclass(frozen=True, slots=True)
class DecisionRun:
    """One computation of all decisions. `votes` is how many votes were known to it."""

    id: int
    made_at: datetime
    method: str
    votes: int


class WorkTime(NamedTuple):
    """How long a worker took for one assignment: `look` is that of one of its votes, `faces` how many were answered."""

    look: str
    worker_id: str
    seconds: float
    faces: int


class Store:
    """Reads and writes faces, votes and decisions."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._digests: dict[Side, tuple[object, hashlib._Hash | None]] = {}

    # Faces

    def add_faces(self, faces: Iterable[Face]) -> int:
        """Add the faces that are not known yet; the number added. Known ones keep their row."""
        added = list(faces)
        if not added:
            return 0
        with self._engine.begin() as db:
            before = db.execute(sa.select(sa.func.count()).select_from(face_table)).scalar_one()
            rows = [row_of_face(face) for face in added]
            insert_new(db, face_table, rows)
            show_faces(db, added)
            after = db.execute(sa.select(sa.func.count()).select_from(face_table)).scalar_one()
        return int(after - before)

    def faces(
        self, side: Side | None = None, *, rejected: bool = False, among: Sequence[FaceId] | None = None
    ) -> list[Face]:
        """The faces that stand, in frame order; with `rejected`, those that a merge moved away, too; `among` some."""
        order = (face_table.c[name] for name in ("side", "source", "source_name", "face_index"))
        query = sa.select(face_table).where(*_fits(side, rejected, among)).order_by(*order)
        with reading(self._engine) as db:
            return [face_of_row(row) for row in db.execute(query).mappings()]

    def face_ids(
        self, side: Side | None = None, *, rejected: bool = False, among: Sequence[FaceId] | None = None
    ) -> set[FaceId]:
        """The ids of the same faces: a fifth of the memory."""
        with reading(self._engine) as db:
            found = db.execute(sa.select(face_table.c.face_id).where(*_fits(side, rejected, among)))
            return {FaceId(face) for face in found.scalars()}

    def ids_hashed(self, side: Side, without: Collection[FaceId] = ()) -> hashlib._Hash | None:
        """SHA-256 of the ids of the side's faces, those that a merge moved away among them, but for those `without`:
        sorted, a line each, to go on with; None without faces. Read once as long as none comes or goes."""
        key = (side, self._changes(side), frozenset(without))
        if key[1] is None or self._digests.get(side, (None, None))[0] != key:
            query = sa.select(face_table.c.face_id).where(face_table.c.side == side.value)
            with reading(self._engine) as db:
                ids = sorted(face for face in db.execute(query).scalars() if face not in key[2])
            self._digests[side] = key, hashlib.sha256("\n".join(ids).encode()) if ids else None
        found = self._digests[side][1]
        return None if found is None else found.copy()

    def _changes(self, side: Side) -> int | None:
        """How often a face of the side came or went, where that is counted."""
        if self._engine.dialect.name != "sqlite":
            return None
        query = sa.select(face_change_table.c.changes).where(face_change_table.c.side == side.value)
        with reading(self._engine) as db:
            return db.execute(query).scalar() or 0

    def face(self, face_id: FaceId) -> Face | None:
        """One face, or None. A unique prefix of at least 8 digits is enough."""
        if len(face_id) < 8:
            return None
        # A range, for SQLite does not use an index for LIKE. Ids are hexadecimal: "g" is behind every digit.
        query = sa.select(face_table).where(face_table.c.face_id.between(face_id, f"{face_id}g")).limit(2)
        with reading(self._engine) as db:
            rows = db.execute(query).mappings().all()
        return face_of_row(rows[0]) if len(rows) == 1 else None

    def rejected_path(self, face_id: FaceId) -> str | None:
        """Where a merge moved the face, relative to the workspace; None if it stands or is unknown."""
        with reading(self._engine) as db:
            return db.scalar(sa.select(face_table.c.rejected_in).where(face_table.c.face_id == face_id))

    def rejected_in(self, faces: Sequence[FaceId] | None = None) -> dict[FaceId, str]:
        """Where the faces that merges moved away are now: face id → path relative to the workspace; with `faces` those
        among them."""
        query = sa.select(face_table.c.face_id, face_table.c.rejected_in).where(face_table.c.rejected_in.is_not(None))
        if faces is not None:
            query = query.where(Among(face_table.c.face_id, faces))
        with reading(self._engine) as db:
            return {FaceId(face_id): path for face_id, path in db.execute(query)}

    def place_faces(self, side: Side, standing: dict[FaceId, tuple[str, int]], rejected: dict[FaceId, str]) -> None:
        """After a merge or its undo: `standing` gives name and index of each face that is in the folder, `rejected`
        the path of each face that was moved away. Faces in neither keep what they had."""
        moved = face_table.update().where(
            face_table.c.face_id == sa.bindparam("wanted"), face_table.c.side == side.value
        )
        stands = [
            {"wanted": face_id, "name": name, "face_index": index, "rejected_in": None}
            for face_id, (name, index) in standing.items()
        ]
        gone = [{"wanted": face_id, "rejected_in": path} for face_id, path in rejected.items()]
        with self._engine.begin() as db:
            for rows in (stands, gone):
                if rows:
                    db.execute(moved, rows)
            show_places(db, list(standing), list(rejected))

    def note_looks(self, looks: Sequence[LookedAt]) -> None:
        """What a look found of faces, to find and sort them by."""
        with self._engine.begin() as db:
            show_looks(db, looks)

    def note_risks(self, risks: Mapping[FaceId, float]) -> None:
        """How likely what stands of each face is wrong, to sort them by."""
        with self._engine.begin() as db:
            show_risks(db, risks)

    def forget_map(self) -> None:
        """Take away the places on the map, which were made of embeddings."""
        with self._engine.begin() as db:
            forget_map(db)

    def forget_source(self, side: Side, source: str, frame: str = "") -> None:
        """Remove the faces of one source, or of one `frame` of it, with what people and screening said of them; for
        good."""
        faces = _of_source(side, source, frame)
        with self._engine.begin() as db:
            hide_faces(db, faces)
            for table in (vote_table, decision_table, face_table):
                db.execute(table.delete().where(table.c.face_id.in_(faces)))

    def forget_faces(self, faces: Sequence[FaceId]) -> None:
        """Remove these faces with what screening said of them, for good; those that people voted on stay."""
        voted = sa.select(vote_table.c.face_id)
        with self._engine.begin() as db:
            for start in range(0, len(faces), 500):
                gone = sa.select(face_table.c.face_id).where(
                    face_table.c.face_id.in_(faces[start : start + 500]), face_table.c.face_id.not_in(voted)
                )
                hide_faces(db, gone)
                for table in (decision_table, face_table):
                    db.execute(table.delete().where(table.c.face_id.in_(gone)))

    # Votes

    def rewrite_words(self, pattern: re.Pattern[str], instead: str) -> int:
        """Replace what `pattern` finds in people's reasons and in the names of persons who decided; how many votes
        changed. Labels and workers stay."""
        columns = vote_table.c.id, vote_table.c.note, vote_table.c.worker_id, vote_table.c.kind
        changed = 0
        with self._engine.begin() as db:
            for row in db.execute(sa.select(*columns)).all():
                note = pattern.sub(instead, row.note) if row.note else row.note
                voter = pattern.sub(instead, row.worker_id) if row.kind == VoterKind.PERSON.value else row.worker_id
                if (note, voter) != (row.note, row.worker_id):
                    new = vote_table.update().where(vote_table.c.id == row.id)
                    db.execute(new.values(note=note, worker_id=voter))
                    changed += 1
        return changed

    def add_votes(
        self,
        votes: Iterable[Vote],
        *,
        beside: Callable[[sa.Connection], None] | None = None,
        instead_of: AssignmentId | None = None,
    ) -> int:
        """Append votes; the number that was new. The same face, question and assignment counts once. What `beside`
        writes is there with them, or neither is; so is what a person said before in the page `instead_of`."""
        rows = [row_of_vote(vote) for vote in votes]
        if not rows and beside is None and instead_of is None:
            return 0
        with self._engine.begin() as db:
            if beside is not None:
                beside(db)
            if instead_of is not None:
                db.execute(_said_in(instead_of))
            before = _count_votes(db)
            if rows:
                insert_new(db, vote_table, rows)
            return _count_votes(db) - before

    def votes(
        self, question: Question | None = None, *, faces: Sequence[FaceId] | None = None, side: Side | None = None
    ) -> Votes:
        """The votes in the order in which they were recorded; with `faces` those on them, with `side` those on its."""
        query = sa.select(*vote_columns).order_by(vote_table.c.id)
        if question is not None:
            query = query.where(vote_table.c.question == question.value)
        if faces is not None:
            query = query.where(Among(vote_table.c.face_id, faces))
        if side is not None:
            query = query.where(vote_table.c.face_id.in_(_of_side(side)))
        with streaming(self._engine) if faces is None else reading(self._engine) as db:
            return votes_of_rows(db.execute(query))

    def ballots(self, question: Question) -> list[Ballot]:
        """As `votes`, as plain values for whoever only counts: a quarter of the time."""
        query = sa.select(*(vote_table.c[name] for name in Ballot._fields)).order_by(vote_table.c.id)
        with reading(self._engine) as db:
            rows = db.execute(query.where(vote_table.c.question == question.value))
            return [Ballot._make(row) for row in rows.all()]

    def share_of_reason(self, reason: str, *, without: Collection[str] = ()) -> dict[FaceId, float]:
        """What share of all votes on whether a face is usable name this reason, of faces of which any does; those of
        the assignments `without` left out."""
        columns = vote_table.c
        said = sa.func.sum(sa.case((columns.reason == reason, 1), else_=0))
        query = sa.select(columns.face_id, said, sa.func.count()).group_by(columns.face_id).having(said > 0)
        if without:
            query = query.where(sa.not_(Among(columns.assignment_id, without)))
        with reading(self._engine) as db:
            rows = db.execute(query.where(columns.question == Question.USABLE.value)).all()
            return {FaceId(face): many / asked for face, many, asked in rows}

    def votes_on_source(self, side: Side, source: str, frame: str = "") -> int:
        """How many votes were given on the faces of one source, or of one `frame` of it."""
        on_them = vote_table.c.face_id.in_(_of_source(side, source, frame))
        with reading(self._engine) as db:
            return int(db.execute(sa.select(sa.func.count()).select_from(vote_table).where(on_them)).scalar_one())

    def working_times(self) -> list[WorkTime]:
        """The working time of every assignment of workers on whose votes a page is noted."""
        columns = vote_table.c
        query = (
            sa.select(
                sa.func.min(columns.look),
                columns.worker_id,
                sa.func.sum(columns.seconds),
                sa.func.count(columns.face_id.distinct()),
            )
            .where(columns.kind == VoterKind.WORKER.value, columns.seconds.is_not(None), columns.look != "")
            .group_by(columns.assignment_id, columns.worker_id)
        )
        with reading(self._engine) as db:
            return [WorkTime(*row) for row in db.execute(query).all()]

    def retract(self, assignment_id: AssignmentId, *, beside: Callable[[sa.Connection], None] | None = None) -> int:
        """Remove a person's votes of one page that they take back at once; how many there were. Workers' votes stay.
        What `beside` writes is there once they are gone, and not before."""
        with self._engine.begin() as db:
            if beside is not None:
                beside(db)
            return int(db.execute(_said_in(assignment_id)).rowcount)

    def count_votes(self, *, without: Collection[str] = ()) -> int:
        """How many votes there are, without those of these assignments."""
        those = sa.select(sa.func.count()).select_from(vote_table).where(Among(vote_table.c.assignment_id, without))
        with reading(self._engine) as db:
            return _count_votes(db) - (int(db.execute(those).scalar_one()) if without else 0)

    def vote_state(self) -> tuple[int, int, str]:
        """How many votes there are, the newest one's number, and which one that is: the same as long as none came or
        went. SQLite gives the numbers of those that were taken back to others."""
        newest = sa.select(*(vote_table.c[name] for name in ("id", "assignment_id", "submitted_at")))
        with reading(self._engine) as db:
            row = db.execute(newest.order_by(vote_table.c.id.desc()).limit(1)).first()
            if row is None:
                return 0, 0, ""
            return _count_votes(db), row[0], hashlib.sha256(f"{row[1]} {row[2]}".encode()).hexdigest()[:16]

    # Decisions

    def add_decisions(self, decisions: Sequence[Decision], *, method: str, made_at: datetime) -> int:
        """Record one run of decisions; its id. A run equal to the last one is not recorded again."""
        last = self.last_run()
        if last is not None and says(self._engine, last.id, decisions):
            return last.id
        with self._engine.begin() as db:
            votes = _count_votes(db)
            run = db.execute(
                run_table.insert().values(made_at=made_at.astimezone(UTC).isoformat(), method=method, votes=votes)
            )
            run_id = int(run.inserted_primary_key[0])  # type: ignore[index]
            add_decisions(db, run_id, decisions)
            show_decisions(db, run_id)
        return run_id

    def change_decisions(self, decisions: Sequence[Decision], *, now: datetime, since: datetime | None = None) -> None:
        """Put these decisions, all that there are on their faces, in the place of what the newest run says of them; one
        transaction.

        A run that was made before `since` is kept as it was, for comparison: a copy of it is changed.
        """
        faces = sorted({item.face_id for item in decisions})
        gone = decision_table.delete().where(
            decision_table.c.run_id == sa.bindparam("run"), decision_table.c.face_id == sa.bindparam("face")
        )
        with self._engine.begin() as db:
            newest = sa.select(sa.func.max(run_table.c.id)).scalar_subquery()
            # A write first: from here on nobody else makes a newer run.
            db.execute(run_table.update().where(run_table.c.id == newest).values(votes=run_table.c.votes))
            run = db.execute(sa.select(run_table).where(run_table.c.id == newest)).one()
            run_id = run.id
            if since is not None and datetime.fromisoformat(run.made_at) <= since:
                run_id = copy_run(db, run, now)
            if faces:
                db.execute(gone, [{"run": run_id, "face": face} for face in faces])
                add_decisions(db, run_id, decisions)
                show_decisions(db, run_id, faces)

    def decided_since(self, newest: int) -> set[FaceId]:
        """The faces that persons voted on after the vote with the number `newest`."""
        spoken = sa.select(vote_table.c.face_id).where(
            vote_table.c.id > newest, vote_table.c.kind == VoterKind.PERSON.value
        )
        with reading(self._engine) as db:
            return {FaceId(face) for face in db.execute(spoken).scalars()}

    def forget_runs(self, since: datetime | None) -> None:
        """Remove the runs made after `since` (None: all) but the newest.

        Decisions can be recomputed, and each run holds every face: a run per poll for answers would fill the disk.
        """
        newest = sa.select(sa.func.max(run_table.c.id)).scalar_subquery()
        stale = sa.select(run_table.c.id).where(run_table.c.id < newest)
        if since is not None:
            stale = stale.where(run_table.c.made_at > since.astimezone(UTC).isoformat())
        with self._engine.begin() as db:
            ids = list(db.execute(stale).scalars())
            if ids:
                db.execute(decision_table.delete().where(decision_table.c.run_id.in_(ids)))
                db.execute(run_table.delete().where(run_table.c.id.in_(ids)))

    def runs(self) -> list[DecisionRun]:
        """All runs, oldest first."""
        with reading(self._engine) as db:
            return [
                DecisionRun(row.id, datetime.fromisoformat(row.made_at), row.method, row.votes)
                for row in db.execute(sa.select(run_table).order_by(run_table.c.id))
            ]

    def last_run(self) -> DecisionRun | None:
        runs = self.runs()
        return runs[-1] if runs else None

    def decisions(self, run_id: int | None = None, *, faces: Sequence[FaceId] | None = None) -> list[Decision]:
        """The decisions of one run (default: the newest), by face, per question and, with question None, on the face as
        a whole; with `faces` those on them."""
        wanted = run_id if run_id is not None else sa.select(sa.func.max(run_table.c.id)).scalar_subquery()
        query = of_run(wanted)
        if faces is not None:
            query = query.where(Among(decision_table.c.face_id, faces))
        read = streaming if faces is None else reading
        with read(self._engine) as db, db.execute(query) as rows:
            return decisions_of_rows(rows)

    def crowd_says(self, question: Question) -> list[tuple[str, str, float | None]]:
        """(face, status, posterior) of every face that the crowd answered, in the newest run, as plain values."""
        columns = decision_table.c
        newest = sa.select(sa.func.max(run_table.c.id)).scalar_subquery()
        query = sa.select(columns.face_id, columns.status, columns.posterior).where(
            columns.run_id == newest,
            columns.question == question.value,
            columns.votes > 0,
            columns.decided_by == DecidedBy.CROWD.value,
        )
        with reading(self._engine) as db:
            return [(face, status, sure) for face, status, sure in db.execute(query)]


def _said_in(assignment_id: AssignmentId) -> sa.Delete:
    """What removes the votes of a person, not of a worker, in one page."""
    by_person = vote_table.c.kind == VoterKind.PERSON.value
    return vote_table.delete().where(vote_table.c.assignment_id == assignment_id, by_person)


def _count_votes(db: sa.Connection) -> int:
    votes = vote_counts(db.dialect).votes
    return int(db.execute(sa.select(sa.func.coalesce(sa.func.sum(votes), 0))).scalar_one())


def _fits(side: Side | None, rejected: bool, among: Sequence[FaceId] | None) -> list[sa.ColumnElement[bool]]:
    """The conditions on faces."""
    found = [] if side is None else [face_table.c.side == side.value]
    found += [] if rejected else [face_table.c.rejected_in.is_(None)]
    return found if among is None else [*found, Among(face_table.c.face_id, among)]


def _of_side(side: Side) -> sa.Select[tuple[str]]:
    return sa.select(face_table.c.face_id).where(face_table.c.side == side.value)


def _of_source(side: Side, source: str, frame: str) -> sa.Select[tuple[str]]:
    faces = _of_side(side).where(face_table.c.source == source)
    return faces.where(face_table.c.source_name == frame) if frame else faces
