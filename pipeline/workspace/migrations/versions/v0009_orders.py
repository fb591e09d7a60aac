"""The index of each order of faces begins with side and status, and holds what else is asked for most."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Nothing but indexes."""
    op.drop_index("shown_status", "shown_face")
    for column in ("risk", "doubt", "sharpness", "yaw", "size"):
        op.drop_index(f"shown_{column}", "shown_face")
        op.create_index(f"shown_{column}", "shown_face", ["side", "status", column, "face_id", "gone", "decided_by"])
