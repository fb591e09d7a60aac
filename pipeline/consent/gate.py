"""The gate: faces are used for what their person agreed to, as long as it holds, and for nothing else."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from ..errors import NotApproved
from .kept import of_sources, records
from .lineage import facesets_of_model
from .record import fingerprint

if TYPE_CHECKING:
    from ..app import App

__all__ = ["check_consent", "check_model", "consent_fingerprints", "refusals"]


def refusals(app: App, scope: str, today: date | None = None) -> list[str]:
    """Why the footage that is in the workspace may not be used for `scope`, one reason a person; [] where it may."""
    today = today or datetime.now(UTC).date()
    why = []
    for source, record in of_sources(app):
        if not source.basis:
            why.append(f"nobody said on what basis {source.name} (side {source.side.value}) may be used")
        elif record is not None and (reason := record.why_not(scope, today)):
            why.append(reason)
    return list(dict.fromkeys(why))


def check_consent(app: App, scope: str, today: date | None = None) -> None:
    """Raise NotApproved, naming each person, where faces in the workspace may not be used for `scope`."""
    if why := refusals(app, scope, today):
        raise NotApproved(
            f"{'. '.join(item[0].upper() + item[1:] for item in why)}. See what was made of it: galloway person show "
            "NAME. Take the footage out (galloway source remove) and merge again, or record what was agreed: galloway "
            "person consent NAME"
        )


def check_model(app: App, model_dir: str) -> None:
    """Raise NotApproved where the model in this folder learnt from faces of somebody who withdrew since."""
    learnt = facesets_of_model(app, model_dir)
    for record in records(app.workspace.root):
        if record.withdrawn_at is not None and learnt & set(record.barred):
            raise NotApproved(
                f"The model {model_dir} was trained on faces of {record.person}, who withdrew on "
                f"{record.withdrawn_at:%d %B %Y}: nothing is made with it any more, and training does not go on with "
                "it. Delete its folder, and train a new one on facesets without them."
            )


def consent_fingerprints(app: App) -> dict[str, list[str]]:
    """Side → the fingerprints of the consent records behind its footage, as they stand now; names nobody."""
    found: dict[str, list[str]] = {}
    for source, record in of_sources(app):
        if record is not None:
            found.setdefault(source.side.value, []).append(fingerprint(record))
    return {side: sorted(set(items)) for side, items in found.items()}
