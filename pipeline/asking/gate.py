"""Pages that show workers only what they may see: what is held stays away, what has a warning goes apart, to those who
opted in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ...curation.types import FaceId, Progress, Side, no_progress
from ...mturk.requester.hosting import Hosting
from ...mturk.requester.workers import ADULT, create_qualification
from ..app import App
from ..errors import SafetyStop
from ..gate.look import Rulings, look_at_faces, look_at_references, not_looking, rulings, unlooked
from ..market.pictures import link, picture_id, reference_key, shown_references, veiled_key
from ..market.session import MarketSession
from ..wording import counted, noun
from ..workspace.gated import Gated, Ruling
from .layout import BatchPlan, Layout, lay_out
from .needs import Need
from .tasks import Picture
from .words import WARNING, TaskText

__all__ = [
    "LOOK",
    "Shown",
    "check_pictures",
    "check_references",
    "held_lines",
    "lay_out_shown",
    "opted_in",
    "picture_link",
    "warned_references",
    "with_warning",
]

_NAME = "Pictures that may be sexual or violent, blurred until tapped"
_WHAT = (
    "Ask for this if you agree to work on pages with pictures that may be sexual or violent. Each is blurred until you "
    "tap it, and you may skip any."
)
LOOK = "galloway gate list, or Pictures in galloway serve"


@dataclass(frozen=True, slots=True)
class Shown:
    """Batches of pictures that may be seen, and what keeps others away. On them are `unlooked` pictures, more than were
    to be looked at now."""

    plans: tuple[BatchPlan, ...]
    held: frozenset[FaceId] = frozenset()
    kept_out: frozenset[FaceId] = frozenset()
    warned: frozenset[FaceId] = frozenset()
    unlooked: int = 0


def lay_out_shown(
    app: App,
    needs: Sequence[Need],
    layout: Layout,
    *,
    most: int | None = None,
    keep: bool = True,
    progress: Progress = no_progress,
) -> Shown:
    """The batches of these needs. Only what is to stand on a page is looked at, where that are not more than `most`;
    what is held then makes room. What was seen is kept, unless whoever asks only reads."""
    seen: dict[str, Gated] = {}
    while True:
        now = rulings(app).with_seen(seen)
        clear = replace(layout, gold={key: _only(now, faces, Ruling.SHOW) for key, faces in layout.gold.items()})
        parts = [part for need in needs for part in _parts(need, now)]
        plans = [plan for part in parts for plan in lay_out(part, clear)]
        on_pages = unlooked(app, (face for plan in plans for page in plan.pages for face in page.faces))
        new = [face for face in on_pages if face not in seen]
        if not new or not_looking(app) or (most is not None and len(new) > most):
            break
        seen |= look_at_faces(app, map(FaceId, new), progress, keep=keep)
    asked = {face.face_id for need in needs for face in need.faces}
    held, out, warned = (frozenset(_only(now, asked, word)) for word in (Ruling.HELD, Ruling.KEEP_OUT, Ruling.WARN))
    return Shown(tuple(plans), held, out, warned, 0 if not_looking(app) else len(new))


def _only(now: Rulings, faces: Iterable[FaceId], ruling: Ruling) -> list[FaceId]:
    return [face for face in faces if now.of(face) is ruling]


def _parts(need: Need, now: Rulings) -> list[Need]:
    """What of a need is shown as it is, and what with a warning: apart, so that the rest has all workers."""
    parts = (tuple(face for face in need.faces if now.of(face.face_id) is word) for word in (Ruling.SHOW, Ruling.WARN))
    return [replace(need, faces=faces) for faces in parts if faces]


def held_lines(app: App, shown: Shown) -> list[str]:
    """What is kept from workers, in sentences for the requester."""
    told = [reason] if (reason := not_looking(app)) else []
    if shown.held:
        stays = noun(len(shown.held), "is", "are")
        told.append(
            f"{counted(len(shown.held), 'picture')} {stays} held back: likely sexual, as a model judges that knows "
            f"nothing of violence. Look, and say what becomes of them: {LOOK}"
        )
    if shown.kept_out:
        told.append(f"{counted(len(shown.kept_out), 'picture')} that you keep out are not asked about.")
    if shown.warned:
        told.append(
            f"{counted(len(shown.warned), 'picture')} with a warning, blurred until tapped, on pages of their own for "
            "workers who asked for such."
        )
    return told


def check_references(app: App, side: Side, *, keep: bool = True) -> None:
    """Look at the photographs beside questions about a side. Raises SafetyStop where one of them is held."""
    seen = look_at_references(app, side, keep=keep)
    now = rulings(app).with_seen(seen)
    for path in shown_references(app.workspace, side):
        if now.of(picture_id(app.workspace, reference_key(side, path.name))) is Ruling.HELD:
            raise SafetyStop(
                f"The photograph {path.name} of side {side.value}, which would stand on every page, is likely sexual, "
                f"as a model judges. Nothing was sent. Look, and say what becomes of it: {LOOK}"
            )


def warned_references(app: App, side: Side) -> bool:
    """Whether a photograph beside questions about a side has a warning: then all its pages have."""
    now = rulings(app)
    keys = (reference_key(side, path.name) for path in shown_references(app.workspace, side))
    return any(now.of(picture_id(app.workspace, key)) is Ruling.WARN for key in keys)


def check_pictures(now: Rulings, batch_key: str, pictures: Iterable[str]) -> None:
    """Raise SafetyStop where a batch that was planned before would show what is held or kept out since."""
    if stays := [picture for picture in pictures if now.of(picture).stays]:
        raise SafetyStop(
            f"{batch_key} shows {counted(len(stays), 'picture')} held back or kept out since it was planned; nothing "
            f"more was sent. Say what becomes of them ({LOOK}), or take it back: galloway batch cancel {batch_key}"
        )


def picture_link(now: Rulings, hosting: Hosting, key: str, picture: str, until: datetime) -> Picture:
    """The addresses of a picture on a page: blurred, with the clear one behind a tap, where it has a warning."""
    plain = link(hosting, key, until)
    if now.of(picture) is not Ruling.WARN:
        return Picture(*plain)
    return Picture(hosting.url(veiled_key(key), until), clear=plain[1] or plain[0])


def with_warning(text: TaskText) -> TaskText:
    """The words of a batch whose pictures have a warning: before anybody sees one."""
    return text._replace(title=f"{text.title} (may be sexual or violent)", description=f"{WARNING} {text.description}")


def opted_in(session: MarketSession) -> list[Mapping[str, Any]]:
    """The requirement that only workers who asked for such pictures see them; others see that there is such work."""
    if session.market.name in ("aws", "aws-sandbox"):
        kind: Mapping[str, Any] = {"QualificationTypeId": ADULT, "Comparator": "EqualTo", "IntegerValues": [1]}
    else:
        held = create_qualification(session.client, _NAME, _WHAT, "warning", for_asking=True)
        kind = {"QualificationTypeId": held, "Comparator": "Exists"}
    return [{**kind, "ActionsGuarded": "PreviewAndAccept"}]
