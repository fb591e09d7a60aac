"""`Store`: one database with its clock and its secrets; `Tx`: one transaction at one instant."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa

from ...overwrite import keep_private, overwrite_deleted
from ..config import MarketConfig, system_clock
from ..stamps import to_ms
from . import database
from .accounts import keeps_accounts
from .home import check_database
from .keys import agree_on_key, folder_key
from .migrate import migrate
from .outage import Outage
from .round_trips import Asked, Ripe, RoundTrips, Row, sent
from .steady import SteadyClock

__all__ = ["MuchToTouch", "Policies", "Row", "Store", "Tx", "ask", "ask_one", "one", "rows", "tell"]

Result = TypeVar("Result")
_TRIES = 5
_TURNS = 4
"""So many of a process's transactions are under way beside others: while some wait for the database, others work. With
all of its threads at it, a tenth of a server's time goes by in their waiting for the interpreter."""


class Policies(Protocol):
    """The review policies, which act on what just happened: handed in, since they change what they look at."""

    def review_assignment(self, tx: Tx, row: Row, hit: Row, /) -> None:
        """An assignment of a HIT with a policy of its own was submitted."""

    def review_hit(self, tx: Tx, hit: Row, /) -> None:
        """A HIT with a policy became reviewable."""


@dataclass(frozen=True, slots=True)
class Tx:
    """A transaction. `now` is its one instant, in milliseconds; `key` signs cursors and links;
    `policies` act when an assignment is submitted and when a HIT becomes reviewable. Where it is not `alone`, whatever
    it changes has to be locked first, in this order: HIT, worker, requester, HIT type; an assignment goes with its HIT.
    """

    connection: sa.Connection
    now: int
    config: MarketConfig
    key: bytes
    policies: Policies
    clock: Callable[[], int]
    """The time now, for what has to be later than what was waited for."""
    trips: RoundTrips | None = None
    """The way to the database of one that writes beside others, see `ask` and `tell`."""

    @property
    def alone(self) -> bool:
        """Whether nobody else writes now."""
        return self.trips is None

    @property
    def conn(self) -> sa.Connection:
        """The connection, once everything was sent that was told."""
        if self.trips is not None:
            self.trips.flush()
        return self.connection


class MuchToTouch(Exception):
    """Inside of `Store.together`: this touches what cannot be locked in order, so it is done again, alone."""


def one(tx: Tx, statement: sa.Executable, values: Any = None) -> Row | None:
    """The first row as a dict, or None."""
    found = tx.conn.execute(statement, values).mappings().first()
    return None if found is None else dict(found)


def rows(tx: Tx, statement: sa.Executable, values: Any = None) -> list[Row]:
    """All rows as dicts."""
    return [dict(row) for row in tx.conn.execute(statement, values).mappings()]


def ask(tx: Tx, *asked: Asked) -> list[list[Row]]:
    """The rows of each statement, with one way to the database where it can be. For statements that are made once."""
    return [rows(tx, *item) for item in asked] if tx.trips is None else tx.trips.ask(*asked)


def ask_one(tx: Tx, statement: sa.Executable, values: Mapping[str, Any]) -> Row | None:
    """The first row of a statement that is made once, or None."""
    (found,) = ask(tx, (statement, values))
    return found[0] if found else None


def tell(tx: Tx, statement: sa.Executable, values: Mapping[str, Any]) -> None:
    """Change something of which nothing is read back; where it can be, it goes with what is asked next, or with the
    end. For statements that are made once."""
    if tx.trips is None:
        tx.connection.execute(statement, values)
    else:
        tx.trips.tell(statement, values)


class Store:
    """One marketplace's database. Safe to use from many threads and, by SQLite's or PostgreSQL's locks, processes."""

    def __init__(
        self,
        config: MarketConfig,
        *,
        due: sa.Select[Any],
        advance: Callable[[Tx], None],
        policies: Policies,
    ) -> None:
        """`due` selects whether the clock has work to do at `:now`, and nothing else; `advance` does it: before
        anything else, so that nobody ever sees an assignment past its deadline."""
        self.config = config
        config.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(OSError):  # requesters' keys and workers' names: of a folder that is not ours the rights stay
            config.state_dir.chmod(0o700)
        check_database(config.state_dir, config.url)
        self.engine = database.make_engine(config.url, config.patience_seconds)
        try:
            self.key, upgraded = self._opened()
            self.config = replace(config, sandbox=not keeps_accounts(self.engine, wanted=not config.sandbox))
        except BaseException:
            self.engine.dispose()
            raise
        # This process's writers queue here: SQLite's own waiting sleeps up to 100 ms and takes no turns.
        self._writer = threading.Lock()
        self._turns = threading.BoundedSemaphore(_TURNS)
        if upgraded:
            self.overwrite_deleted()  # what older versions kept openly; in use elsewhere, their pages are zeroed anyway
        self.outage = Outage()
        self._due, self._due_together = due, due.add_columns(database.TOGETHER)
        self._advance = advance
        self._policies = policies
        # A clock that is moved on purpose (tests) is obeyed.
        self._steady = SteadyClock(to_ms(config.clock())) if config.clock is system_clock else None

    def _opened(self) -> tuple[bytes, bool]:
        """The key that all servers of this database have, and whether its tables had to be made or changed."""
        if self.engine.dialect.name == "sqlite" and self.engine.url.database:
            keep_private(Path(self.engine.url.database))
        key = folder_key(self.engine, self.config.state_dir)
        upgraded = migrate(self.engine, key)
        agree_on_key(self.engine, key, self.config.state_dir)
        return key, upgraded

    def _ripe(self, tx: Tx) -> Tx:
        """The transaction at the instant up to which things are due."""
        return tx if self._steady is None else replace(tx, now=self._steady.due_at(to_ms(self.config.clock())))

    def _tx(self, connection: sa.Connection) -> Tx:
        return Tx(connection, self.now(), self.config, self.key, self._policies, self.now)

    def _is_due(self, ripe: Tx) -> bool:
        return bool(ripe.conn.scalar(self._due, {"now": ripe.now}))

    def now(self) -> int:
        """The time on the market's clock, in milliseconds; it does not go backwards."""
        now = to_ms(self.config.clock())
        return now if self._steady is None else self._steady.now_at(now)

    def overwrite_deleted(self) -> str:
        """Leave nothing of deleted rows in SQLite's files; "" or why not. A PostgreSQL server keeps its own house."""
        if self.engine.dialect.name != "sqlite" or not self.engine.url.database:
            return ""
        with self._writer:
            return overwrite_deleted(Path(self.engine.url.database))

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """A consistent view at one instant, after everything that is due has happened."""
        with database.reading(self.engine) as connection:
            tx = self._tx(connection)
            if not self._is_due(self._ripe(tx)):
                yield tx
                return
        with self.write() as tx:
            yield tx

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """A transaction that writes; committed when the block ends, undone when an exception leaves it."""
        with self._writer, database.writing(self.engine) as connection:
            tx = self._tx(connection)
            ripe = self._ripe(tx)
            if self._is_due(ripe):
                self._advance(ripe)
            yield tx

    def look(self, statement: sa.Executable, values: Mapping[str, Any]) -> Row | None:
        """The first row of one statement, made once, about what no deadline changes; cheaper than `read`."""
        if self.engine.dialect.name != "postgresql":
            with database.reading(self.engine) as connection:
                return one(self._tx(connection), statement, values)
        try:
            return self._looked(statement, values)
        except sa.exc.DBAPIError as error:
            if not database.is_conflict(error):
                raise
            return self._looked(statement, values)

    def _looked(self, statement: sa.Executable, values: Mapping[str, Any]) -> Row | None:
        with database.in_round_trips(self.engine) as connection:
            (found,) = sent(connection, (statement, values))
            return found[0] if found else None

    def together(self, work: Callable[[Tx], Result]) -> Result:
        """The result of `work`, in a transaction that writes beside others where the database can: it locks what it
        changes (see `Tx`). Done again where it and another were in each other's way, so it changes nothing else."""
        if self.engine.dialect.name != "postgresql":
            with self.write() as tx:
                return work(tx)
        for tries_left in reversed(range(_TRIES)):
            try:
                return self._beside_others(work)
            except MuchToTouch:
                break
            except Ripe:
                pass
            except sa.exc.DBAPIError as error:
                if not tries_left or not database.is_conflict(error):
                    raise
                continue
            with self.write():
                pass  # what is due happens first
        with self.write() as tx:
            return work(tx)

    def _beside_others(self, work: Callable[[Tx], Result]) -> Result:
        with self._turns, database.in_round_trips(self.engine) as connection:
            tx = self._tx(connection)
            trips = RoundTrips(connection, (self._due_together, {"now": self._ripe(tx).now}))
            try:
                result = work(replace(tx, trips=trips))
                trips.commit()
            except BaseException:
                trips.rollback()
                raise
            return result

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()
