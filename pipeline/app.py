"""The composition root: puts store, ledger, market, hosting and engine together for one workspace. No logic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from ..curation.faceset.merging.merge import FacesetPaths
from ..curation.spread import Spread
from ..curation.store import Store
from ..curation.types import Side
from .engines.base import Engine, EngineError
from .workspace.approved import ApprovedFaceset, standing_merge
from .workspace.folder import Workspace
from .workspace.programs import check_allowed
from .workspace.settings import Settings

if TYPE_CHECKING:
    from ..mturk.requester.ledger import Ledger
    from .market.session import MarketSession, MarketTerms

__all__ = ["App"]


class App:
    """One open workspace with everything that works on it."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    @property
    def settings(self) -> Settings:
        return self.workspace.settings

    @cached_property
    def store(self) -> Store:
        return Store(self.workspace.db)

    @cached_property
    def ledger(self) -> Ledger:
        from ..mturk.requester.ledger import Ledger

        return Ledger(self.workspace.db)

    def engine(self, name: str | None = None, spread: Spread | None = None) -> Engine:
        """The engine of that name (default: the setting; `auto` is faceswap where it is configured). Raises EngineError
        for workers to `spread` over with an engine that is a program of its own."""
        name, home = self.engine_name(name), self.settings.engine.faceswap_home
        if name == "embedded":
            from .engines.embedded.engine import EmbeddedEngine

            return EmbeddedEngine(spread)
        if name != "faceswap":
            raise EngineError(f"There is no engine {name!r}. Choose embedded or faceswap.")
        if spread is not None:
            raise EngineError(
                "faceswap is a program of its own, which --jobs and --dask cannot divide. Leave them out, or use the "
                "embedded engine: --engine embedded"
            )
        from .engines.faceswap import FaceswapEngine

        check_allowed(self.settings.engine)
        return FaceswapEngine.from_settings(
            home, self.settings.engine.faceswap_python, self.workspace.root / "faceswap"
        )

    def engine_name(self, name: str | None = None) -> str:
        """Which engine `engine` gives for a name: what `auto` stands for here."""
        name = name or self.settings.engine.name
        if name == "auto":
            return "embedded" if self.settings.engine.faceswap_home is None else "faceswap"
        return name

    @contextmanager
    def market(self, name: str | None = None) -> Iterator[MarketSession]:
        """A session with the market of that name (default: the setting). The embedded marketplace is started for the
        time of the session where none is running for this workspace."""
        from .market.session import open_market

        with open_market(self.workspace, name or self.settings.market.name) as session:
            yield session

    def terms(self) -> MarketTerms:
        """What is known of the setting's market without opening it: enough to say what a round would cost."""
        from .market.session import market_terms

        return market_terms(self.workspace, self.settings.market.name)

    def faceset_paths(self, side: Side) -> FacesetPaths:
        workspace = self.workspace
        return FacesetPaths(
            side=side,
            faces_dir=workspace.faces_dir(side),
            alignments_dir=workspace.alignments_dir(side),
            merges_dir=workspace.merges_dir(side),
            rejected_dir=workspace.rejected_dir(side),
        )

    def standing_merge(self, side: Side) -> ApprovedFaceset | None:
        """The newest approved faceset of the side that was not undone, or None."""
        return standing_merge(self.workspace, side)
