"""What a project asks, pays and works with: the values of `galloway.toml` that people change in the middle of the work,
each checked as the file's reader does."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from ..app import App
from ..asking.layout import page_reward, page_seconds
from ..errors import NothingToDo, StageError
from ..workspace.acts import note_act
from ..workspace.config_file import changed_text, read_config, write_values
from ..workspace.folder import CONFIG_NAME
from ..workspace.settings import Settings, read_settings

__all__ = ["GROUPS", "Choice", "Cost", "by_environment", "choice_of", "configure", "cost_of", "foreseen", "now"]

_LEAST_WAIT = 5.0
_NUMBER = re.compile(r"\d{1,12}([.,]\d{1,6})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Choice:
    """One setting as a form shows it. `key` is its place in the file, `about` what it does; `words` are the values that
    it takes, empty for a number between `least` and `most` (inclusive unless `above`/`below`), of whole ones if
    `whole`. `default` counts where the file says nothing; "" is: none."""

    key: str
    label: str
    about: str
    words: tuple[str, ...]
    least: str
    most: str
    above: bool
    below: bool
    whole: bool
    default: str


@dataclass(frozen=True, slots=True)
class Cost:
    """What the settings amount to. Money before fees; `hourly` is the pay of an hour at `ask.seconds_per_face`,
    `thousand` that of one answer each on 1,000 faces, `minutes` the work that this is."""

    page: Decimal
    hourly: Decimal
    thousand: Decimal
    minutes: int


def cost_of(settings: Settings) -> Cost:
    """The figures of these settings."""
    ask = settings.ask
    seconds = Decimal(str(page_seconds(ask.faces_per_hit, ask)))
    page, pages = page_reward(ask.faces_per_hit, ask), -(-1000 // ask.faces_per_hit)
    return Cost(page, page * 3600 / seconds, page * pages, round(page_seconds(1000, ask) / 60))


def _choice(key: str, label: str, about: str) -> Choice:
    field = _field(key)
    kind = next(kind for kind in (get_args(field.annotation) or (field.annotation,)) if kind is not NoneType)
    words: tuple[str, ...] = ()
    if get_origin(field.annotation) is Literal:
        words = tuple(map(str, get_args(field.annotation)))
    elif kind is bool:
        words = ("yes", "no")
    bounds = {
        name: getattr(item, name) for item in field.metadata for name in ("ge", "gt", "le", "lt") if hasattr(item, name)
    }
    return Choice(
        key, label, about, words, _text(bounds.get("ge", bounds.get("gt"))), _text(bounds.get("le", bounds.get("lt"))),
        "gt" in bounds, "lt" in bounds, kind is int, _text(field.default),
    )  # fmt: skip


def _field(key: str) -> FieldInfo:
    table, _, name = key.partition(".")
    part: Any = Settings.model_fields[table].annotation
    found: FieldInfo = part.model_fields[name]
    return found


def _text(value: object) -> str:
    """A value as a field of a form has it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else f"{value:f}" if isinstance(value, Decimal) else str(value)


GROUPS: Sequence[tuple[str, tuple[Choice, ...]]] = (
    (
        "What it may cost",
        (
            _choice("ask.budget", "Budget", "A wall for everything that is published from here. Empty: none."),
            _choice("ask.reward", "Pay of a full page", "Smaller pages are paid in proportion."),
            _choice("ask.faces_per_hit", "Faces on a page", "So many faces one answered page is about."),
            _choice("ask.min_hourly_wage", "Least pay an hour", "Expected and, where pay is topped up, as measured."),
            _choice("ask.top_up", "Top pay up", "Collecting pays what is missing to the least pay, on measured time."),
        ),
    ),
    (
        "How much is asked",
        (
            _choice("ask.learn", "A model learns", "Answers on some faces teach it, it decides the rest."),
            _choice("ask.votes", "Answers a face", "Counts only where no model learns."),
            _choice("ask.max_votes", "Answers a face at most", "After so many a person decides."),
            _choice("ask.audit_share", "Audited share (0 to 1)", "Asked again, blind. Empty: 0.05, 400 faces at most."),
            _choice("ask.promise", "Share that may be wrong (0 to 1)", "Merging waits for proof. Empty: it does not."),
            _choice("gold.share", "Share of known faces (0 to 1)", "Mixed into pages; they count for the worker."),
        ),
    ),
    (
        "How long things stay open",
        (
            _choice("ask.lifetime_hours", "Hours that a page is offered", "Then it is no longer asked."),
            _choice("ask.assignment_minutes", "Minutes for one page", "Somebody who takes longer loses the page."),
            _choice("ask.auto_approve_hours", "Hours until unread answers are paid", "By themselves."),
        ),
    ),
    (
        "What works",
        (
            _choice("engine.name", "Engine", "auto: faceswap where it is set up, else the embedded one."),
            _choice("engine.min_face", "Smallest face", "In pixels; smaller ones are not extracted."),
        ),
    ),
)  # fmt: skip
"""The settings of the form, by what they are about."""


def choice_of(key: str) -> Choice:
    """The setting of that key. Raises StageError for one that is not in the form."""
    for _, choices in GROUPS:
        for choice in choices:
            if choice.key == key:
                return choice
    raise StageError(f"There is no setting {key[:60]!r} to change here. galloway.toml has them all.")


def now(settings: Settings, key: str) -> str:
    """A setting as a field of a form has it: its value, "" for a number that nobody set, where the default counts."""
    table, _, name = key.partition(".")
    unset = name not in getattr(settings, table).model_fields_set
    return "" if unset and not choice_of(key).words else _value(settings, key)


def _value(settings: Settings, key: str) -> str:
    table, _, name = key.partition(".")
    return _text(getattr(getattr(settings, table), name))


def by_environment(key: str) -> str:
    """The variable of the environment that stands above the file for a setting; "" where there is none."""
    table, _, name = key.partition(".")
    above = (f"GALLOWAY_{table}".upper(), f"GALLOWAY_{table}__{name}".upper())
    return next((given for given in os.environ if given.upper() in above), "")


def foreseen(app: App, given: Mapping[str, str], seen: Mapping[str, str]) -> Settings:
    """The settings as `configure` would make them; nothing is written. Raises as it does."""
    config = app.workspace.root / CONFIG_NAME
    text = read_config(config)
    values = _values(given, seen, read_settings(text, config))
    return read_settings(changed_text(text, values, config), config)


def configure(app: App, given: Mapping[str, str], seen: Mapping[str, str]) -> Settings:
    """Write the settings that `given` changes against what was `seen` into galloway.toml; one act each. The new ones.

    Values are as fields of a form have them; an empty one takes the line out, so that the default counts. Raises
    NothingToDo where nothing is changed; StageError for a value that does not fit, one that the environment stands
    above, and one that somebody else changed since it was seen. Then nothing is written.
    """
    config = app.workspace.root / CONFIG_NAME
    with app.workspace.lock("changing settings", wait=max(_LEAST_WAIT, app.workspace.patience)):
        text = read_config(config)
        before = read_settings(text, config)
        values = _values(given, seen, before)
        after = read_settings(changed_text(text, values, config), config)
        write_values(config, values)
        for key in map(".".join, values):
            note_act(
                app.workspace, "settings", key, f"{_value(before, key) or 'none'} → {_value(after, key) or 'none'}"
            )
    return after


def _values(given: Mapping[str, str], seen: Mapping[str, str], before: Settings) -> dict[tuple[str, str], Any]:
    """What the file gets, by table and key."""
    wanted = {key: text.strip() for key, text in given.items() if text.strip() != seen.get(key, "")}
    if not wanted:
        raise NothingToDo("Nothing was changed.")
    return {_place(key): _checked(choice_of(key), said, seen.get(key, ""), before) for key, said in wanted.items()}


def _place(key: str) -> tuple[str, str]:
    table, _, name = key.partition(".")
    return table, name


def _checked(choice: Choice, said: str, seen: str, before: Settings) -> Any:
    """The value that the file gets."""
    if variable := by_environment(choice.key):
        raise StageError(f"{choice.label}: {variable} in the environment stands above galloway.toml. Unset it first.")
    if now(before, choice.key) != seen:
        raise StageError(f"{choice.label}: somebody changed it meanwhile. Nothing was written; look at it again.")
    if not said:
        return None
    if choice.words:
        if said not in choice.words:
            raise StageError(f"{choice.label}: {said[:40]!r} is none of {', '.join(choice.words)}.")
        return said == "yes" if choice.words == ("yes", "no") else said
    if (number := _number(said)) is None:
        raise StageError(f"{choice.label}: {said[:40]!r} is no number.")
    if choice.whole and number != int(number):
        raise StageError(f"{choice.label}: {said[:40]!r} is no whole number.")
    _check_bounds(choice, number, said)
    if choice.whole:
        return int(number)
    return f"{number:f}" if "Decimal" in str(_field(choice.key).annotation) else float(number)


def _number(said: str) -> Decimal | None:
    """A number as people write it, with a point or a comma; None for anything else."""
    return Decimal(said.replace(",", ".")) if _NUMBER.fullmatch(said) else None


def _check_bounds(choice: Choice, number: Decimal, said: str) -> None:
    if choice.least and (number < Decimal(choice.least) or (choice.above and number == Decimal(choice.least))):
        low = "more than" if choice.above else "at least"
        raise StageError(f"{choice.label}: {said} is too little. It has to be {low} {choice.least}.")
    if choice.most and (number > Decimal(choice.most) or (choice.below and number == Decimal(choice.most))):
        high = "less than" if choice.below else "at most"
        raise StageError(f"{choice.label}: {said} is too much. It has to be {high} {choice.most}.")
