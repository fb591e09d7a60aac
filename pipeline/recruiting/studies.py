"""Studies: made from batches, drafted at the panel, published, paused, stopped; links; how far they are."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, Decimal

from ...curation.files import write_atomic
from ...mturk.marketplace.lifecycle.recruits import hook_path
from ...mturk.recruiting.signing import is_id
from ...mturk.recruiting.values import OUTCOMES, Entry, Group, Profile, Study
from ...mturk.recruiting.wage import MeasuredPay, measured_pay
from ...mturk.requester.errors import PanelRefused, PanelUnreachable
from ...mturk.requester.recruit.panel import Action
from ...mturk.requester.recruit.prolific import EVENTS, Prolific
from ..errors import StageError
from ..workspace.acts import note_act
from .counter import Counter

__all__ = [
    "StudyState",
    "Terms",
    "change_study",
    "draft_at_panel",
    "listen",
    "make_study",
    "personal_links",
    "remove_study",
    "study_links",
    "study_state",
]

_COMPLETE = "https://app.prolific.com/submissions/complete?cc={code}"
_KEY_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a study is made from. `places` 0: as many as the open work needs; `reward` None: what its HITs pay."""

    key: str
    profile: Profile
    source: str
    title: str
    about: str
    contact: str
    batches: tuple[str, ...]
    hits: int
    minutes: int
    places: int
    reward: Decimal | None
    open_link: bool
    complete_url: str
    screened_url: str
    fee_percent: Decimal
    budget: Decimal | None


def make_study(counter: Counter, terms: Terms) -> Study:
    """Keep a new study over the HITs of some batches. Raises StageError for terms that cannot be, or that pay below the
    floor."""
    if not terms.key or len(terms.key) > 40 or not set(terms.key) <= _KEY_LETTERS:
        raise StageError("A study's name has 1 to 40 small letters, digits and hyphens: galloway recruit new NAME")
    pays, found = _groups(counter, terms)
    reward = terms.reward if terms.reward is not None else pays * terms.hits
    settings = counter.app.settings.recruit
    if not (terms.fee_percent.is_finite() and 0 <= terms.fee_percent <= 100):
        raise StageError(f"{terms.fee_percent} is no fee: what the panel takes is 0 to 100 percent: --fee-percent 33.3")
    prolific = terms.profile == "prolific"
    if prolific != (terms.source == "prolific"):
        raise StageError("Prolific's people have the source prolific, and nobody else has.")
    study = Study(
        key=terms.key,
        profile=terms.profile,
        source=terms.source,
        title=terms.title,
        about=terms.about,
        contact=terms.contact,
        signed="study" if prolific or terms.open_link else "person",
        groups=found,
        hits=terms.hits,
        reward=reward,
        currency=settings.currency or counter.app.settings.market.currency,
        minutes=terms.minutes,
        floor=settings.floor,
        fee_percent=terms.fee_percent,
        budget=terms.budget,
        complete_url=_address(_COMPLETE if prolific else terms.complete_url),
        screened_url=_address(_COMPLETE if prolific else terms.screened_url),
        codes={outcome: "C" + secrets.token_hex(4).upper() for outcome in OUTCOMES} if prolific else {},
    )
    _check_pay(study)
    counter.office.add_study(study)
    return study


def _groups(counter: Counter, terms: Terms) -> tuple[Decimal, tuple[Group, ...]]:
    """(pay of one HIT, groups with places). Raises StageError where there is nothing to do."""
    app, pays = counter.app, Decimal(0)
    free: dict[str, int] = {}
    different: dict[str, int] = {}
    for key in terms.batches:
        rows = [row for row in app.ledger.progress(None, [key]) if row.group_id]
        if not rows:
            raise StageError(f"There is no published batch {key}. See: galloway batch list")
        for group_id in sorted({row.group_id for row in rows if row.group_id}):
            free[group_id], different[group_id] = counter.office.open_work(group_id)
        batch = app.ledger.batch(rows[0].state_key, key)
        assert batch is not None
        pays = max(pays, batch["reward"])
    open_work = {group: count for group, count in free.items() if count}
    if not open_work:
        raise StageError("There is nothing left to do in these batches. Publish first: galloway publish")
    one_group = terms.profile == "prolific" or terms.open_link
    _check_hits(terms.hits, [different[group] for group in open_work], one_group=one_group)
    places = _places_in_each(terms, open_work) if one_group else _places_in_all(terms, open_work)
    return pays, tuple(Group(group, count) for group, count in places.items())


def _check_hits(hits: int, different: Sequence[int], *, one_group: bool) -> None:
    """A person does each HIT once, so nobody can do more than there are: a link of one's own leads to all groups, a
    panel's link to one of them."""
    most = min(different) if one_group else sum(different)
    if hits > most:
        counted = f"{most} different {'HIT is' if most == 1 else 'HITs are'}"
        where = "one of these batches" if one_group and len(different) > 1 else "these batches"
        raise StageError(
            f"{counted} open in {where}, and {hits} were to be done by each person, who does each once: --hits {most}"
        )


def _people(work: int, hits: int) -> int:
    return -(-work // hits)


def _check_places(terms: Terms, enough: int) -> None:
    """Whoever comes after the work is done finds nothing, or does less for the whole pay."""
    if terms.places > enough:
        raise StageError(
            f"With --hits {terms.hits} the open work is enough for --places {enough}, and {terms.places} were wanted: "
            "who comes after them would find nothing to do."
        )


def _places_in_each(terms: Terms, open_work: dict[str, int]) -> dict[str, int]:
    """Each group has a link and people of its own, at least one."""
    wanted = {group: _people(count, terms.hits) for group, count in open_work.items()}
    _check_places(terms, sum(wanted.values()))
    if not terms.places:
        return wanted
    if terms.places < len(wanted):
        raise StageError(
            f"The work lies in {len(wanted)} groups of HITs, each with a link and people of its own: at least "
            f"{len(wanted)} people. Give more --places, or fewer batches."
        )
    total, left, shared = sum(wanted.values()), terms.places, {}
    for after, group in zip(reversed(range(len(wanted))), wanted, strict=True):
        share = round(terms.places * wanted[group] / total) if after else left
        shared[group] = max(1, min(left - after, share))
        left -= shared[group]
    return shared


def _places_in_all(terms: Terms, open_work: dict[str, int]) -> dict[str, int]:
    """A link of one's own leads through all groups, so its places are of no group: they stand beside the first one."""
    first, *others = open_work
    enough = _people(sum(open_work.values()), terms.hits)
    _check_places(terms, enough)
    return {first: terms.places or enough, **dict.fromkeys(others, 0)}


def _address(url: str) -> str:
    good = not url or url.startswith(("https://", "http://127.0.0.1", "http://localhost"))
    if not good or any(letter <= " " for letter in url):
        raise StageError(f"{url!r} is no address to send people back to: it begins with https://.")
    return url


def _check_pay(study: Study) -> None:
    least = (study.floor * study.minutes / 60).quantize(_CENT, ROUND_CEILING)
    if study.reward < least:
        raise StageError(
            f"{study.reward} for {study.minutes} minutes is {study.hourly} an hour; at least {study.floor} is paid "
            f"here (recruit.floor). Pay at least {least}: --reward {least}"
        )


# -- at the panel -------------------------------------------------------------------------------------------------


def study_links(counter: Counter, study: Study) -> list[tuple[str, int]]:
    """(link, places) for the panel, one for each group of HITs."""
    site = counter.site(study)
    if not study.taskflow:
        return [(counter.office.link(study, site), study.places)]
    return [(counter.office.link(study, site, group.group_id), group.places) for group in study.groups]


def draft_at_panel(counter: Counter, study: Study) -> Study:
    """The study with its draft at the panel, made where it is not there yet."""
    if study.profile == "link" or study.panel_id:
        return study
    panel_id = counter.panel(study).draft(study, study_links(counter, study))
    return counter.office.change_study(study.key, panel_id=panel_id)


def change_study(counter: Counter, key: str, action: Action) -> Study:
    """Publish, pause, go on or stop, at the panel and here. Raises StageError where there is no draft to do it to."""
    study = draft_at_panel(counter, counter.office.study(key))
    changed = _changed(counter, study, action)
    note_act(counter.app.workspace, "recruit", f"study {key}: {action.lower()}", f"{study.places} places")
    return changed


def _changed(counter: Counter, study: Study, action: Action) -> Study:
    key = study.key
    if study.status == "draft" and action != "PUBLISH":
        raise StageError(f"The study {key} is not published yet: galloway recruit publish {key}")
    if action in ("PAUSE", "STOP") and study.profile == "link":
        return counter.office.change_study(key, status="paused" if action == "PAUSE" else "stopped")
    # Open here first: the panel's first people may come before its answer does.
    if action in ("PUBLISH", "START"):
        counter.office.change_study(key, status="published")
    try:
        status = counter.panel(study).change(study, action)
    except (PanelUnreachable, PanelRefused):
        counter.office.change_study(key, status=study.status)
        raise
    return counter.office.change_study(key, status=status)


def remove_study(counter: Counter, key: str) -> None:
    """Forget a study of which nobody took a place, and its draft at the panel, so that it can be made anew.

    Raises StageError where it stands published at a panel that keeps it, OperatorError where people came."""
    study = counter.office.study(key)
    if study.profile != "link":
        if study.status != "draft":
            raise StageError(
                f"The study {key} was published at Prolific, which keeps it. Stop it, and make another one by another "
                f"name: galloway recruit stop {key}"
            )
        counter.panel(study).drop(study)
    counter.office.remove_study(key)
    note_act(counter.app.workspace, "recruit", f"study {key}: remove", f"{study.places} places")


def personal_links(
    counter: Counter, key: str, people: Sequence[tuple[str, str]], *, days: int | None
) -> list[tuple[str, str, str]]:
    """(participant, session, link) for each (participant, session). Raises StageError for a study with one link, and
    for a name that no link may carry."""
    study = counter.office.study(key)
    if study.signed == "study":
        raise StageError(f"The study {key} has one link for everybody: galloway recruit status {key}")
    for called in (text for pair in people for text in pair):
        if not is_id(called):
            raise StageError(
                f"{called[:60]!r} cannot stand in a link; no link was made. Name people and sessions by 1 to 128 "
                "letters, digits and . _ @ : + = -, without spaces, as by an e-mail address."
            )
    site = counter.site(study)
    until = None if days is None else int((datetime.now(UTC) + timedelta(days=days)).timestamp())
    office = counter.office
    return [(who, session, office.person_link(study, site, who, session, until)) for who, session in people]


def listen(counter: Counter) -> list[str]:
    """Have Prolific report what happens, and keep the secret with which it signs; the subscriptions' ids."""
    settings = counter.app.settings.recruit
    if not settings.workspace or not settings.site.startswith("https://"):
        raise StageError(
            "Reports need recruit.workspace (the id of your workspace at Prolific) and recruit.site (an https address) "
            "in galloway.toml. Behind a router poll instead: galloway recruit settle NAME --every 60"
        )
    panel: Prolific = counter.prolific()
    secret = panel.hook_secret(settings.workspace)
    write_atomic(hook_path(counter.state_dir, "prolific"), secret.reveal(), private=True)
    target = f"{settings.site.rstrip('/')}/recruit/hooks/prolific"
    return [panel.subscribe(settings.workspace, event, target) for event in EVENTS]


# -- how far ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StudyState:
    """How far a study is: people by state, money by what became of it, pay by the clock; `links` where it has its own,
    `no_link` says why it has none yet."""

    study: Study
    people: dict[str, int]
    paid: Decimal
    fees: Decimal
    due: Decimal
    pay: MeasuredPay | None
    links: tuple[str, ...]
    no_link: str

    @property
    def removable(self) -> bool:
        """Whether it can be made anew: nobody agreed to its terms, and no panel keeps it."""
        return not self.people.keys() - {"declined"} and (self.study.profile == "link" or self.study.status == "draft")


def study_state(counter: Counter, study: Study) -> StudyState:
    """How far a study is, from our own ledger."""
    entries, payments = counter.office.entries(study.key), counter.office.payments(study.key)
    links, no_link = _links(counter, study)
    money = [payment for payment in payments if payment.kind in ("reward", "bonus")]
    return StudyState(
        study,
        _by_state(entries),
        _sum(payment.amount for payment in money if payment.status == "done"),
        _sum(payment.fee for payment in money if payment.status == "done"),
        _sum(payment.amount for payment in money if payment.status != "done"),
        measured_pay(study, entries),
        links,
        no_link,
    )


def _links(counter: Counter, study: Study) -> tuple[tuple[str, ...], str]:
    if study.signed == "person":
        return (), f"one for each person: galloway recruit links {study.key} PEOPLE.csv, or the study's page"
    try:
        return tuple(link for link, _ in study_links(counter, study)), ""
    except StageError as error:
        return (), str(error)


def _by_state(entries: Sequence[Entry]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for entry in entries:
        counts[entry.state] = counts.get(entry.state, 0) + 1
    return counts


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal("0.00"))
