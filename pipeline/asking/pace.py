"""Pace: how many seconds a face takes on each kind of page, as measured on the pages that were answered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from statistics import median

from ...curation.store import WorkTime
from ...curation.types import PageKind
from ..app import App
from ..workspace.settings import AskSettings

__all__ = ["measured_pace", "pace_of"]

LEAST_PAGES = 5
"""Fewer answered pages of a kind say nothing: the setting counts."""
FURTHEST = 4.0
"""Nothing measured is believed that is so many times faster or slower than the setting: accepted work lies about while
somebody has lunch, and pages clicked through would lower the pay of all who look."""


def measured_pace(app: App) -> dict[PageKind, float]:
    """Seconds a face, for the kinds of page that were answered often enough."""
    return pace_of(app.store.working_times(), app.settings.ask)


def pace_of(times: Iterable[WorkTime], settings: AskSettings) -> dict[PageKind, float]:
    """The median over workers of each one's median page, in seconds a face: one hasty worker moves it little."""
    kinds = {kind.value: kind for kind in PageKind}
    found: dict[PageKind, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for item in times:
        kind = kinds.get(item.look.partition(":")[0])
        if kind is not None and item.faces and item.seconds > 0:
            found[kind][item.worker_id].append(item.seconds / item.faces)
    guess = float(settings.seconds_per_face)
    return {
        kind: min(max(median(median(pages) for pages in workers.values()), guess / FURTHEST), guess * FURTHEST)
        for kind, workers in found.items()
        if sum(map(len, workers.values())) >= LEAST_PAGES
    }
