"""Who did what, when: rows that are added and never changed."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_SAID = "what was done stays as it was written"
_REFUSE = f"""
CREATE FUNCTION team_act_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '{_SAID}' USING ERRCODE = 'integrity_constraint_violation';
END $$
"""


def upgrade() -> None:
    """One table of its own, and two guards: the database refuses to change or to delete a row of it."""
    op.create_table(
        "team_act",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", sa.String(40), nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("through", sa.String(8), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("figure", sa.Text, nullable=False),
    )
    refused = f"BEGIN SELECT RAISE(ABORT, '{_SAID}'); END"
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_REFUSE)
        refused = "FOR EACH ROW EXECUTE FUNCTION team_act_stays()"
    for change in ("UPDATE", "DELETE"):
        op.execute(f"CREATE TRIGGER team_act_stays_{change.lower()} BEFORE {change} ON team_act {refused}")
