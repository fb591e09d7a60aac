"""The tables of 0.1.0: ledger, faces, votes, decisions, sources, tasks, tiles, facesets.

Written out as they were, because today's definitions may be newer than this step.
"""

from alembic import op

revision = "0001"
down_revision = None

_TABLES = """
CREATE TABLE IF NOT EXISTS batch (
    state_key VARCHAR(255) NOT NULL,
    batch_key VARCHAR(100) NOT NULL,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    keywords TEXT NOT NULL,
    reward VARCHAR(20) NOT NULL,
    max_assignments INTEGER NOT NULL,
    lifetime_seconds INTEGER NOT NULL,
    duration_seconds INTEGER NOT NULL,
    auto_approval_seconds INTEGER NOT NULL,
    budget VARCHAR(20),
    price VARCHAR(20) NOT NULL,
    created_at DATETIME NOT NULL,
    cancelled_at DATETIME,
    PRIMARY KEY (state_key, batch_key)
);
CREATE TABLE IF NOT EXISTS hit (
    state_key VARCHAR(255) NOT NULL,
    batch_key VARCHAR(100) NOT NULL,
    hit_key VARCHAR(100) NOT NULL,
    position INTEGER NOT NULL,
    question TEXT NOT NULL,
    question_digest VARCHAR(64) NOT NULL,
    token VARCHAR(64) NOT NULL,
    annotation VARCHAR(255) NOT NULL,
    max_assignments INTEGER NOT NULL,
    status VARCHAR(12) NOT NULL,
    intent_at DATETIME,
    published_at DATETIME,
    adopted BOOLEAN NOT NULL,
    hit_id VARCHAR(64),
    hit_type_id VARCHAR(64),
    group_id VARCHAR(64),
    expires_at DATETIME,
    PRIMARY KEY (state_key, batch_key, hit_key),
    FOREIGN KEY(state_key, batch_key) REFERENCES batch (state_key, batch_key),
    CONSTRAINT hit_once UNIQUE (state_key, hit_id),
    CONSTRAINT annotation_once UNIQUE (state_key, annotation)
);
CREATE TABLE IF NOT EXISTS assignment (
    state_key VARCHAR(255) NOT NULL,
    assignment_id VARCHAR(64) NOT NULL,
    batch_key VARCHAR(100) NOT NULL,
    hit_key VARCHAR(100) NOT NULL,
    hit_id VARCHAR(64) NOT NULL,
    worker_id VARCHAR(64) NOT NULL,
    status VARCHAR(12) NOT NULL,
    answer_xml TEXT NOT NULL,
    accepted_at DATETIME NOT NULL,
    submitted_at DATETIME NOT NULL,
    auto_approval_at DATETIME,
    collected_at DATETIME NOT NULL,
    feedback TEXT NOT NULL,
    PRIMARY KEY (state_key, assignment_id),
    FOREIGN KEY(state_key, batch_key, hit_key) REFERENCES hit (state_key, batch_key, hit_key)
);
CREATE INDEX IF NOT EXISTS assignment_by_hit ON assignment (state_key, batch_key, hit_key);
CREATE TABLE IF NOT EXISTS payment (
    state_key VARCHAR(255) NOT NULL,
    payment_key VARCHAR(200) NOT NULL,
    kind VARCHAR(12) NOT NULL,
    batch_key VARCHAR(100) NOT NULL,
    assignment_id VARCHAR(64) NOT NULL,
    worker_id VARCHAR(64) NOT NULL,
    amount VARCHAR(20) NOT NULL,
    fee VARCHAR(20) NOT NULL,
    reason TEXT NOT NULL,
    token VARCHAR(64) NOT NULL,
    status VARCHAR(12) NOT NULL,
    intent_at DATETIME NOT NULL,
    done_at DATETIME,
    PRIMARY KEY (state_key, payment_key),
    FOREIGN KEY(state_key, assignment_id) REFERENCES assignment (state_key, assignment_id)
);
CREATE TABLE IF NOT EXISTS face (
    face_id VARCHAR(32) NOT NULL,
    side VARCHAR(1) NOT NULL,
    name TEXT NOT NULL,
    source TEXT NOT NULL,
    source_name TEXT NOT NULL,
    face_index INTEGER NOT NULL,
    frame_number INTEGER,
    x INTEGER NOT NULL,
    y INTEGER NOT NULL,
    w INTEGER NOT NULL,
    h INTEGER NOT NULL,
    rejected_in TEXT,
    PRIMARY KEY (face_id)
);
CREATE INDEX IF NOT EXISTS ix_face_side ON face (side);
CREATE TABLE IF NOT EXISTS decision_run (
    id INTEGER NOT NULL,
    made_at VARCHAR(40) NOT NULL,
    method VARCHAR(32) NOT NULL,
    votes INTEGER NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE IF NOT EXISTS vote (
    id INTEGER NOT NULL,
    face_id VARCHAR(32) NOT NULL,
    question VARCHAR(16) NOT NULL,
    label VARCHAR(32) NOT NULL,
    reason VARCHAR(32),
    worker_id VARCHAR(64) NOT NULL,
    assignment_id VARCHAR(64) NOT NULL,
    round INTEGER NOT NULL,
    submitted_at VARCHAR(40) NOT NULL,
    seconds FLOAT,
    kind VARCHAR(8) NOT NULL,
    simulated BOOLEAN NOT NULL,
    note TEXT,
    PRIMARY KEY (id),
    CONSTRAINT vote_once UNIQUE (face_id, question, assignment_id),
    FOREIGN KEY(face_id) REFERENCES face (face_id)
);
CREATE INDEX IF NOT EXISTS ix_vote_worker_id ON vote (worker_id);
CREATE INDEX IF NOT EXISTS ix_vote_face_id ON vote (face_id);
CREATE TABLE IF NOT EXISTS decision (
    run_id INTEGER NOT NULL,
    face_id VARCHAR(32) NOT NULL,
    question VARCHAR(16) NOT NULL,
    status VARCHAR(16) NOT NULL,
    label VARCHAR(32),
    reason VARCHAR(32),
    posterior FLOAT,
    votes INTEGER NOT NULL,
    decided_by VARCHAR(16) NOT NULL,
    method VARCHAR(32) NOT NULL,
    PRIMARY KEY (run_id, face_id, question),
    FOREIGN KEY(run_id) REFERENCES decision_run (id),
    FOREIGN KEY(face_id) REFERENCES face (face_id)
);
CREATE TABLE IF NOT EXISTS source (
    id INTEGER NOT NULL,
    side VARCHAR(1) NOT NULL,
    name TEXT NOT NULL,
    kind VARCHAR(8) NOT NULL,
    path TEXT NOT NULL,
    sha256 VARCHAR(64) NOT NULL,
    person TEXT NOT NULL,
    basis VARCHAR(16) NOT NULL,
    note TEXT NOT NULL,
    ingested_at VARCHAR(40) NOT NULL,
    frames INTEGER,
    faces INTEGER,
    engine VARCHAR(32),
    extracted_at VARCHAR(40),
    PRIMARY KEY (id),
    CONSTRAINT source_name UNIQUE (side, name)
);
CREATE TABLE IF NOT EXISTS batch_plan (
    batch_key VARCHAR(64) NOT NULL,
    market TEXT NOT NULL,
    side VARCHAR(1) NOT NULL,
    question VARCHAR(16) NOT NULL,
    round INTEGER NOT NULL,
    votes INTEGER NOT NULL,
    reward VARCHAR(16) NOT NULL,
    seconds INTEGER NOT NULL,
    excluded TEXT NOT NULL,
    audit BOOLEAN NOT NULL,
    links_until VARCHAR(40) NOT NULL,
    planned_at VARCHAR(40) NOT NULL,
    published_at VARCHAR(40),
    PRIMARY KEY (batch_key)
);
CREATE TABLE IF NOT EXISTS faceset (
    id VARCHAR(64) NOT NULL,
    side VARCHAR(1) NOT NULL,
    merge_id VARCHAR(64) NOT NULL,
    parent VARCHAR(64),
    digest VARCHAR(80) NOT NULL,
    faces INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    approved_at VARCHAR(40) NOT NULL,
    undone_at VARCHAR(40),
    PRIMARY KEY (id)
);
CREATE TABLE IF NOT EXISTS hit_tile (
    batch_key VARCHAR(64) NOT NULL,
    hit_key VARCHAR(64) NOT NULL,
    tile_key VARCHAR(32) NOT NULL,
    face_id VARCHAR(32) NOT NULL,
    position INTEGER NOT NULL,
    gold BOOLEAN NOT NULL,
    PRIMARY KEY (batch_key, hit_key, tile_key),
    FOREIGN KEY(batch_key) REFERENCES batch_plan (batch_key)
);
CREATE INDEX IF NOT EXISTS ix_hit_tile_face_id ON hit_tile (face_id)
"""


def upgrade() -> None:
    """Make what is not there yet: a workspace killed while it was being made is finished."""
    tables = _TABLES
    if op.get_bind().dialect.name == "postgresql":
        tables = tables.replace("DATETIME", "TIMESTAMP").replace("    id INTEGER NOT NULL", "    id SERIAL NOT NULL")
    for statement in tables.split(";"):
        op.execute(statement)
