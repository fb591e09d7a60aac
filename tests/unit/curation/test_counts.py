"""Counts that the database keeps say what counting every row says, whatever was written."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace

import pytest
import sqlalchemy as sa
from galloway.curation.counts import CELLS, cell_count_table, face_count_table, vote_count_table
from galloway.curation.listing import Wanted, count_faces, count_statuses, map_cells
from galloway.curation.shown import LookedAt
from galloway.curation.store import Store
from galloway.curation.tables import metadata, shown_table, vote_table
from galloway.curation.types import AssignmentId, DecidedBy, Side, Status, VoterKind

from tests.support.faces import NOON, make_decision, make_face, make_vote


@pytest.fixture
def engine() -> sa.Engine:
    engine = sa.create_engine("sqlite://")
    metadata.create_all(engine)
    return engine


def kept(engine: sa.Engine, table: sa.Table) -> Counter[tuple[object, ...]]:
    with engine.connect() as db:
        return Counter({tuple(row[:-1]): row[-1] for row in db.execute(sa.select(table)) if row[-1]})


def recounted(engine: sa.Engine) -> tuple[Counter[tuple[object, ...]], ...]:
    with engine.connect() as db:
        rows = db.execute(sa.select(shown_table)).all()
        kinds = db.execute(sa.select(vote_table.c.kind)).scalars().all()
    last = CELLS - 1
    return (
        Counter((row.side, row.gone, row.status, row.reason, row.decided_by) for row in rows),
        Counter((row.side, int(row.x * last), int(row.y * last), row.status) for row in rows),
        Counter((kind,) for kind in kinds),
    )


def one_step(store: Store, chance: random.Random) -> None:
    """Anything that is done to faces, votes and decisions, on faces drawn by chance."""
    faces = [
        make_face(n, side=list(Side)[n % 2], source=f"film{n % 3}")
        for n in chance.sample(range(1, 40), chance.randint(1, 12))
    ]
    there = [face for face in faces if store.face(face.face_id) is not None]
    match chance.randrange(9):
        case 0 | 1:
            store.add_faces(faces)  # some of them are there already
        case 2:
            said = [
                replace(
                    make_decision(face, chance.choice(list(Status)), reason=chance.choice([None, "blurred"])),
                    decided_by=chance.choice(list(DecidedBy)),
                )
                for face in there
            ]
            store.add_decisions(said, method="majority", made_at=NOON)
        case 3 if store.last_run() is not None:
            again = [make_decision(face, chance.choice(list(Status))) for face in there]
            store.change_decisions(again, now=NOON)
        case 4:
            half = len(there) // 2
            side = chance.choice(list(Side))
            store.place_faces(
                side, {f.face_id: (f.name, 0) for f in there[:half]}, {f.face_id: "away/1.png" for f in there[half:]}
            )
        case 5:
            store.note_looks([LookedAt(f.face_id, 0.5, 0.0, 1, chance.random(), chance.random()) for f in there])
        case 6:
            store.add_votes([make_vote(face, "keep", f"A{chance.randrange(4)}") for face in there])
        case 7:
            person = [make_vote(face, "keep", "person:Ann", kind=VoterKind.PERSON) for face in there]
            store.add_votes(person)
            if chance.random() < 0.5:
                store.retract(AssignmentId("ASG-person:Ann-1-0"))
        case 8 if chance.random() < 0.3:
            store.forget_map()
            store.forget_source(chance.choice(list(Side)), "film1")


@pytest.mark.parametrize("seed", range(8))
def test_kept_counts_are_what_counting_gives(engine: sa.Engine, seed: int) -> None:
    store, chance = Store(engine), random.Random(seed)
    for _ in range(60):
        one_step(store, chance)
        counts = tuple(kept(engine, table) for table in (face_count_table, cell_count_table, vote_count_table))
        assert counts == recounted(engine)
    by_rows = Counter((row[0], row[2]) for row in recounted(engine)[0].elements())
    told = {(side, word): n for side, found in count_statuses(engine).items() for word, n in found.items() if n}
    assert told == by_rows
    for side in Side:  # one film after the other is counted by its rows, the whole side by what is kept
        films = [Wanted(side=side, source=f"film{n}") for n in range(3)]
        assert count_faces(engine, Wanted(side=side)) == sum(count_faces(engine, film) for film in films)
        rows = sum((cells(engine, film) for film in films), Counter[tuple[object, ...]]())
        assert cells(engine, Wanted(side=side)) == rows


def cells(engine: sa.Engine, wanted: Wanted) -> Counter[tuple[object, ...]]:
    return Counter({(x, y, word): count for x, y, word, count in json.loads(map_cells(engine, wanted))})
