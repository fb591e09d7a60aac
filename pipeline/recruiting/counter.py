"""Where recruiting comes together: the marketplace's people and ledger on one side, the panel on the other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ...mturk.marketplace.office.recruiting import Recruiting, Sources
from ...mturk.recruiting.values import Study
from ...mturk.requester.recruit.panel import LinkPanel, Panel
from ...mturk.requester.recruit.prolific import API, Prolific
from ...mturk.requester.recruit.secret import find_token
from ...mturk.requester.recruit.transport import http_transport
from ..app import App
from ..errors import StageError
from ..market.local import local_config, running_market
from ..workspace.own import config_dir

__all__ = ["Counter", "open_counter", "sources_of"]


@dataclass(frozen=True, slots=True)
class Counter:
    """The office of one workspace's marketplace. `state_dir` is the marketplace's own folder."""

    app: App
    office: Recruiting
    state_dir: Path

    def panel(self, study: Study) -> Panel:
        """The panel of a study."""
        return LinkPanel() if study.profile == "link" else self.prolific()

    def prolific(self) -> Prolific:
        """The user's Prolific. The address is the user's environment's word, never the workspace's: the token goes
        there. Raises PanelError without a token."""
        workspace = self.app.settings.id
        return Prolific(
            find_token("prolific", config_dir()),
            http_transport(os.environ.get("PROLIFIC_API", API)),
            name_of=lambda study: f"galloway {workspace} {study.key}",
        )

    def site(self, study: Study) -> str:
        """The worker site's address for links, without a slash at the end. Raises StageError where it is not known, or
        where people from outside could not reach it."""
        site = self.app.settings.recruit.site.rstrip("/")
        if study.profile == "prolific" and not site.startswith("https://"):
            raise StageError(
                "Prolific's people come from outside: set recruit.site in galloway.toml to the https address of the "
                "worker site (see docs/recruit.md)."
            )
        if site:
            return site
        running = running_market(self.app.workspace)
        if running is None:
            raise StageError(
                "The worker site has no address yet. Start it (galloway market serve), or set recruit.site."
            )
        return running.worker


@contextmanager
def open_counter(app: App) -> Iterator[Counter]:
    """The office, while this lasts."""
    from ...mturk.marketplace.app import open_store

    config = local_config(app.workspace)
    store = open_store(config)
    try:
        yield Counter(app, Recruiting(store), config.state_dir)
    finally:
        store.close()


def sources_of(app: App) -> Sources:
    """Where this workspace's workers came from, and what was paid by source. Only reads."""
    from ...mturk.marketplace.office.recruiting import recorded_sources

    config = local_config(app.workspace)
    return recorded_sources(config.state_dir, config.url)
