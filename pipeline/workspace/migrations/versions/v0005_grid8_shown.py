"""What faces are found and sorted by, one row a face; a person's decisions as steps that can be undone."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_FILL = """
INSERT INTO shown_face (face_id, side, source, frame, size, gone, status, reason, decided_by, doubt, risk, sharpness,
    yaw, person, x, y)
SELECT f.face_id, f.side, f.source, coalesce(f.frame_number, 0), CASE WHEN f.w < f.h THEN f.w ELSE f.h END,
    f.rejected_in IS NOT NULL, coalesce(d.status, 'undecided'), coalesce(d.reason, ''), coalesce(d.decided_by, 'crowd'),
    CASE WHEN d.status IN ('approved', 'rejected') THEN 1.0 - coalesce(d.posterior, 0.5) ELSE 1.0 END,
    CASE WHEN d.status IN ('approved', 'rejected') THEN 1.0 - coalesce(d.posterior, 0.5) ELSE 1.0 END,
    0.0, 0.0, 0, 0.5, 0.5
FROM face f LEFT JOIN decision d
    ON d.face_id = f.face_id AND d.question = '' AND d.run_id = (SELECT max(id) FROM decision_run)
"""


def upgrade() -> None:
    """The rows of the faces that are there are filled from them and from the newest decisions."""
    op.create_table(
        "shown_face",
        sa.Column("face_id", sa.String(32), sa.ForeignKey("face.face_id"), primary_key=True),
        sa.Column("side", sa.String(1), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("frame", sa.Integer, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("gone", sa.Boolean, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("decided_by", sa.String(16), nullable=False),
        sa.Column("doubt", sa.Float, nullable=False),
        sa.Column("risk", sa.Float, nullable=False),
        sa.Column("sharpness", sa.Float, nullable=False),
        sa.Column("yaw", sa.Float, nullable=False),
        sa.Column("person", sa.Integer, nullable=False),
        sa.Column("x", sa.Float, nullable=False),
        sa.Column("y", sa.Float, nullable=False),
    )
    op.execute(_FILL)
    op.create_index("shown_status", "shown_face", ["side", "status", "gone"])
    op.create_index("shown_person", "shown_face", ["side", "person"])
    op.create_index("shown_film", "shown_face", ["side", "source", "frame", "face_id"])
    for column in ("risk", "doubt", "sharpness", "yaw", "size"):
        op.create_index(f"shown_{column}", "shown_face", [column, "face_id"])
    op.create_table(
        "decided_step",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("decided_at", sa.String(40), nullable=False),
        sa.Column("label", sa.String(32), nullable=False),
        sa.Column("reason", sa.String(32)),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("undone_at", sa.String(40)),
    )
    op.create_table(
        "decided_former",
        sa.Column("step_id", sa.String(64), sa.ForeignKey("decided_step.id"), primary_key=True),
        sa.Column("face_id", sa.String(32), primary_key=True, index=True),
        sa.Column("former", sa.Text, nullable=False),
    )
