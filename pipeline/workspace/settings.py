"""One frozen Settings: command line over environment over `galloway.toml` over defaults.

Environment variables are `GALLOWAY_` + the path joined by `__`: `GALLOWAY_MARKET__NAME=local`,
`GALLOWAY_ASK__REWARD=0.12`; `GALLOWAY_FACESWAP_HOME` and `GALLOWAY_FACESWAP_PYTHON` are short forms.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from ...curation.types import Question
from ..errors import WorkspaceError
from .config_file import read_config
from .own import KEYS, own_engine

__all__ = [
    "AskSettings",
    "EngineSettings",
    "FacesSettings",
    "GoldSettings",
    "HostingSettings",
    "MarketSettings",
    "RecruitSettings",
    "Settings",
    "SideSettings",
    "WorkspaceSettings",
    "load_settings",
    "read_settings",
]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WorkspaceSettings(_Part):
    """Where the workspace's rows are: ledger, faces, votes, decisions."""

    database: str = ""
    """postgresql://USER@HOST:5432/NAME, with a password best as GALLOWAY_WORKSPACE__DATABASE or in ~/.pgpass. Empty:
    galloway.db in the folder. `galloway workspace move` brings the rows there; files stay in the folder."""


class MarketSettings(_Part):
    """Where HITs go. `name` is local, aws-sandbox, aws, or the URL of any MTurk-compatible endpoint."""

    name: str = "local"
    port: int = Field(default=0, ge=0, le=65535)
    """Port of the worker site; 0 takes a free one and keeps it for this workspace. API and frame origin get others."""
    host: str = "127.0.0.1"
    fee_percent: Decimal = Field(default=Decimal("0"), ge=0, le=1000)
    """What the market takes on top of rewards and bonuses. AWS's own fees are known and not a setting."""
    currency: str = "$"
    database: str = ""
    """Of the embedded marketplace: postgresql://USER:PASSWORD@HOST:5432/NAME, best as GALLOWAY_MARKET__DATABASE. Empty:
    SQLite in `market/`. Every command reads it here, and the first use is noted: another one later is refused."""


class AskSettings(_Part):
    """How HITs are made and paid."""

    votes: int = Field(default=3, ge=1, le=99)
    max_votes: int = Field(default=7, ge=1, le=99)
    faces_per_hit: int = Field(default=24, ge=1, le=60)
    reward: Decimal = Field(default=Decimal("0.15"), gt=0, le=1000)
    seconds_per_face: Decimal = Field(default=Decimal("2"), gt=0, le=3600)
    budget: Decimal | None = Field(default=None, ge=0, le=10**9)
    lifetime_hours: int = Field(default=72, ge=1, le=24 * 365)
    assignment_minutes: int = Field(default=30, ge=1, le=60 * 24 * 365)
    auto_approve_hours: int = Field(default=72, ge=0, le=24 * 7)
    """What nobody decides is paid by itself after so long; people are paid within a week."""
    min_hourly_wage: Decimal = Field(default=Decimal("7.25"), ge=0, le=10**6)
    """Least pay an hour, expected and, with `top_up` or `galloway batch top-up`, on measured time."""
    top_up: bool = False
    """`collect` pays by itself what is missing to `min_hourly_wage` on measured time. The budget is a wall."""
    method: Literal["auto", "majority", "one-coin", "dawid-skene"] = "auto"
    learn: bool = True
    """A model of each side is taught by the answers and decides the faces that nobody needs to be asked about; an audit
    says how often it is wrong. `votes` and `target_error` do not count then."""
    target_error: float = Field(default=0.10, gt=0, lt=0.5)
    """A face is asked about until its label is wrong with at most this chance, by calibrated posteriors."""
    audit_share: float = Field(default=0.05, ge=0, le=1)
    """This share of the settled faces is asked once more, blind, to prove how many are wrong at most."""
    promise: float | None = Field(default=None, gt=0, lt=1)
    """At most this share of the decided faces may be wrong, as the audit proves: else `merge` takes no face on the
    model's word. None: it says what is proved, and goes on."""
    mixed_share: float = Field(default=0.1, ge=0, le=1)
    """This share of the groups of like faces is shown mixed among others, not as groups, to measure what standing
    together does to the answers."""

    @property
    def learns(self) -> bool:
        """Whether a model is taught; other methods go without."""
        return self.learn and self.method == "auto"


class GoldSettings(_Part):
    """Known faces, mixed unseen into ordinary pages: what the answers to them say of a worker (docs/checks.md)."""

    share: float = Field(default=0.05, ge=0, le=0.5)
    """This share of the faces on pages of single faces is known already, as far as known faces are there; 0: none."""
    source: Literal["agreed", "persons"] = "agreed"
    """Known is what a person decided and what three workers or more agree on; `persons`: only what a person decided."""
    require: int = Field(default=0, ge=0, le=100)
    """Who may take pages: 0 everybody; else who has been right on so many in a hundred known faces, of ten or more."""


class HostingSettings(_Part):
    """Where workers' browsers fetch the pictures. The embedded marketplace serves them itself; another market needs
    `public_url` (an https address under which `galloway serve --pictures` is reachable) or an S3 bucket."""

    public_url: str = ""
    s3_bucket: str = ""
    s3_prefix: str = "faces/"
    s3_region: str = "us-east-1"
    s3_endpoint: str = ""
    """Where the bucket answers, for MinIO, R2 and others; empty: AWS."""
    s3_access_key: str = ""
    """The bucket's keys, where they are not the market's; best as GALLOWAY_HOSTING__S3_ACCESS_KEY and …_SECRET_KEY."""
    s3_secret_key: str = ""


class FacesSettings(_Part):
    """An S3 bucket that has the workspace's facesets beside the folder (`galloway bucket`): faces, alignments,
    manifests. Keys, endpoint and prefix of its own: workers' pictures are under [hosting]."""

    s3_bucket: str = ""
    s3_prefix: str = "workspace/"
    """One workspace, one prefix."""
    s3_region: str = "us-east-1"
    s3_endpoint: str = ""
    """Where the bucket answers, for MinIO, R2 and others; empty: AWS."""
    s3_access_key: str = ""
    """The bucket's keys, where the environment has none; best as GALLOWAY_FACES__S3_ACCESS_KEY and …_SECRET_KEY."""
    s3_secret_key: str = ""


class RecruitSettings(_Part):
    """People from a panel (`galloway recruit`). The panel's token is no setting: it stays in the user's own folder."""

    site: str = ""
    """The https address of the worker site, as people from outside reach it."""
    floor: Decimal = Field(default=Decimal("8.00"), ge=0, le=10**6)
    """The least pay an hour on measured time; what is missing is paid on top. Prolific's own least is £6 or $8."""
    currency: str = ""
    """What the panel pays in; "": what the market does."""
    workspace: str = ""
    """The id of your workspace at Prolific, for reports (`galloway recruit listen`)."""


class GateSettings(_Part):
    """Which pictures are held back from workers until the requester says what becomes of them."""

    look: bool = True
    """Whether pictures are looked at before workers see them (the extra `gate`); what was said by hand holds anyway."""
    hold_from: float = Field(default=0.5, gt=0, le=1)
    """A picture that is at least so likely to be sexual is held back."""
    hold_faces_from: float = Field(default=0.8, gt=0, le=1)
    """The same for close crops of faces, where skin alone misleads the model (docs/responsible-use.md)."""

    def bar(self, kind: str) -> float:
        """From which score a picture of this kind is held."""
        return self.hold_faces_from if kind == "face" else self.hold_from


class PrivacySettings(_Part):
    """For how many days what was only needed for cleaning stays, once nothing is left to clean."""

    rejected_days: int = Field(default=30, ge=0, le=1095)
    """The pictures of rejected faces, mostly of bystanders, after the merge that approved the faceset without them."""
    embeddings_days: int = Field(default=90, ge=0, le=1095)
    """Embeddings and what was computed of them, after the newest merge, once both sides are finished."""


class SideSettings(_Part):
    """What is asked about a side's faces, in this order; identity is asked only of faces still standing."""

    questions: tuple[Question, ...] = (Question.USABLE, Question.IDENTITY)
    person: str = ""


class EngineSettings(_Part):
    """Which engine works, and where faceswap is."""

    name: Literal["auto", "embedded", "faceswap"] = "auto"
    faceswap_home: Path | None = None
    faceswap_python: Path | None = None
    face_size: int = Field(default=256, ge=64, le=1024)
    every_nth: int = Field(default=1, ge=1)
    min_face: int = Field(default=20, ge=8)


class Settings(BaseSettings):
    """Everything that can be set. Frozen."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix="GALLOWAY_", env_nested_delimiter="__")

    name: str = "workspace"
    id: str = "000000"
    """Tells this workspace's batches from others on the same market."""
    workspace: WorkspaceSettings = WorkspaceSettings()
    market: MarketSettings = MarketSettings()
    hosting: HostingSettings = HostingSettings()
    faces: FacesSettings = FacesSettings()
    ask: AskSettings = AskSettings()
    gold: GoldSettings = GoldSettings()
    recruit: RecruitSettings = RecruitSettings()
    gate: GateSettings = GateSettings()
    privacy: PrivacySettings = PrivacySettings()
    side_a: SideSettings = SideSettings()
    side_b: SideSettings = SideSettings()
    engine: EngineSettings = EngineSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment over the file: the file's values arrive as init arguments."""
        assert isinstance(env_settings, EnvSettingsSource)
        # GALLOWAY_WORKSPACE is the folder of every command (-w), no table of settings.
        env_settings.env_vars = {
            name: value for name, value in env_settings.env_vars.items() if name.lower() != "galloway_workspace"
        }
        return (env_settings, init_settings)


def _parsed(text: str, toml: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise WorkspaceError(f"{toml} is not valid TOML: it is nested too deep. Put it back.") from None
    except ValueError as error:
        raise WorkspaceError(f"{toml} is not valid TOML: {error}") from error


_GONE = {
    "as_good_as": "a model that people's answers teach asks less than half of what it asked",
    "as_good_as_loss": "it belonged to as_good_as",
    "copies": "faces of one track are asked as a group, and the model decides their like",
    "copies_audit": "it belonged to copies",
    "gold_per_hit": "[gold] share says which share of the faces on a page is known already",
}
"""What [ask] once had, and what stands in its place."""


def _refuse_gone(toml: Path | None, ask: object) -> None:
    """Raise WorkspaceError where the file or the environment still has settings that are gone."""
    for key, why in _GONE.items():
        name = f"GALLOWAY_ASK__{key.upper()}"
        if isinstance(ask, dict) and key in ask:
            raise WorkspaceError(f"{toml}: {key} under [ask] is no setting any more: {why}. Delete the line.")
        if name in os.environ:
            raise WorkspaceError(f"{name} in the environment is no setting any more: {why}. Unset it.")


def load_settings(toml: Path | None) -> Settings:
    """Read `galloway.toml` (None: defaults and environment only).

    Raises WorkspaceError naming the file and the key where a value cannot be used.
    """
    return read_settings("" if toml is None else read_config(toml), toml)


def read_settings(text: str, toml: Path | None) -> Settings:
    """What the text of `galloway.toml` amounts to, under the environment. Raises WorkspaceError as `load_settings`."""
    values = {} if toml is None else _parsed(text, toml)
    _refuse_gone(toml, values.get("ask"))
    engine = values.setdefault("engine", {})
    if not isinstance(engine, dict):
        raise WorkspaceError(f"{toml} has settings that cannot be used: engine is a table, [engine].")
    own = own_engine()
    for key in KEYS:
        # The user's own word counts more than the workspace's in the environment, less in config.toml.
        if os.environ.get(f"GALLOWAY_{key.upper()}") or (key in own and not engine.get(key)):
            engine[key] = own[key]
    _refuse_unknown()
    try:
        return Settings(**values)
    except ValidationError as error:
        found = [(_variable(item["loc"]), item) for item in error.errors()]
        of_file = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for name, item in found if name is None]
        told = [f"{name} in the environment cannot be used: {item['msg']}" for name, item in found if name is not None]
        if of_file:
            told.insert(0, f"{toml or 'The environment'} has settings that cannot be used: {'; '.join(of_file)}")
        raise WorkspaceError("; ".join(told)) from error
    except SettingsError as error:
        raise WorkspaceError(
            f"{_unread(str(error))} in the environment cannot be read. Lists are written as JSON there: "
            """GALLOWAY_SIDE_A__QUESTIONS='["usable"]'"""
        ) from error


def _variable(place: Sequence[int | str]) -> str | None:
    """The variable of the environment that a value came from; None where it stands in the file."""
    for length in range(len(place), 0, -1):
        name = f"GALLOWAY_{'__'.join(map(str, place[:length]))}".upper()
        if name in {given.upper() for given in os.environ}:
            return name
    return None


def _unread(told: str) -> str:
    """The variables of the table that could not be read, which is all that is told of them."""
    table = re.search(r'field "(\w+)"', told)
    start = f"GALLOWAY_{table[1] if table else ''}".upper()
    return ", ".join(sorted(name for name in os.environ if name.upper().startswith(start)))


def _refuse_unknown() -> None:
    """Raise WorkspaceError for a variable that names a table which there is none of: it would do nothing."""
    tables = sorted(name for name, field in Settings.model_fields.items() if field.annotation is not str)
    for name in os.environ:
        table, joined, _ = name.lower().removeprefix("galloway_").partition("__")
        if name.lower().startswith("galloway_") and joined and table not in tables:
            raise WorkspaceError(
                f"{name} in the environment names [{table}], which is no table of settings. There are: "
                f"{', '.join(tables)}. Correct it, or unset it."
            )
