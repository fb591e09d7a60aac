"""A signed film: read by us and by a second reader, valid until a byte changes, and saying nothing about persons."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import pytest
from click.testing import CliRunner
from galloway.curation.types import Side
from galloway.pipeline.app import App
from galloway.pipeline.cli.main import cli
from galloway.pipeline.engines.disclosure import METADATA
from galloway.pipeline.engines.film import rewrite
from galloway.pipeline.engines.frames import open_source
from galloway.pipeline.errors import StageError
from galloway.pipeline.provenance import film as layers
from galloway.pipeline.provenance.credentials import can_hold, read_credentials, sign
from galloway.pipeline.provenance.film import check_signer, look, sign_film, votes_digest
from galloway.pipeline.provenance.signer import CERTIFICATE, KEY, identity

from tests.support.engines import a_picture, write_clip
from tests.support.web import full_workspace

SAID: dict[str, Any] = {
    "made_at": "2026-11-26T12:00:00+00:00", "run": "train-1", "facesets": {"a": "sha256:1", "b": "sha256:2"},
    "basis": {"a": "own", "b": "consent"}, "consent": {"b": ["3" * 64]}, "votes": "sha256:4",
}  # fmt: skip


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", [a_picture(96, 64, seed) for seed in range(12)])


@pytest.fixture(scope="module", params=[".mp4", ".mov"])
def signed(clip: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    folder = tmp_path_factory.mktemp("signed")
    film = folder / f"film{request.param}"
    rewrite(open_source(clip), film, lambda frame: frame.image, metadata=METADATA)
    assert sign_film(folder, film, clip, SAID) == ""
    return film


def second_opinion(film: Path, monkeypatch: pytest.MonkeyPatch, home: Path) -> dict[str, Any]:
    """What an independent reader says; its settings go into a folder of the test."""
    for name in ("HOME", "XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.setenv(name, str(home))
    import encypher_c2pa

    encypher_c2pa.set_telemetry_preference(False)
    found: dict[str, Any] = encypher_c2pa.verify(str(film))
    return found


def payload(film: Path) -> tuple[int, int]:
    """Where the film's own samples lie: first byte and end of the box `mdat`."""
    data, at = film.read_bytes(), 0
    while at < len(data):
        size, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        size = int.from_bytes(data[at + 8 : at + 16]) if size == 1 else size or len(data) - at
        if kind == b"mdat":
            return at + 8, at + size
        at += size
    raise AssertionError("no samples")


def test_it_holds_says_what_it_was_made_of_and_names_its_source_by_hash(signed: Path) -> None:
    found = look(signed)
    assert found.tags and found.genuine and found.credentials is not None
    assert dict(found.credentials.said) == SAID
    assert not found.credentials.trusted and found.credentials.made_with.startswith("Galloway ")
    assert b"clip.mp4" not in signed.read_bytes(), "a file's name may be a person's"


def test_an_independent_reader_says_the_same(signed: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = second_opinion(signed, monkeypatch, tmp_path)
    assert (found["present"], found["integrity"], found["hard_binding"]) == (True, "valid", "match")


@pytest.mark.parametrize("where", [0.02, 0.5, 0.98])
def test_one_flipped_byte_and_it_does_not_hold(
    signed: Path, where: float, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first, end = payload(signed)
    data = bytearray(signed.read_bytes())
    data[int(first + where * (end - 1 - first))] ^= 1
    broken = tmp_path / signed.name
    broken.write_bytes(data)
    found = look(broken)
    assert found.credentials is not None and not found.credentials.holds and not found.genuine
    assert any("do NOT hold" in line for line in found.lines())
    assert second_opinion(broken, monkeypatch, tmp_path)["hard_binding"] != "match"


def test_a_copy_by_ffmpeg_has_lost_them_and_says_so(signed: Path, tmp_path: Path) -> None:
    copy = tmp_path / signed.name
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", signed, "-c", "copy", "-map_metadata", "-1", copy]
    subprocess.run(command, check=True)
    found = look(copy)
    assert found.credentials is None and not found.tags and not found.genuine
    assert "stripped" in found.lines()[1]


def test_signing_twice_and_a_signed_source_both_hold(signed: Path, clip: Path, tmp_path: Path) -> None:
    film = tmp_path / signed.name
    film.write_bytes(signed.read_bytes())
    sign(film, signed, identity(tmp_path), {**SAID, "run": "train-2"})
    found = read_credentials(film)
    assert found is not None and found.holds and found.said["run"] == "train-2"


def test_what_cannot_hold_them_is_left_as_it_is_and_said(clip: Path, tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    film.write_bytes(b"as it is")
    assert "cannot hold" in sign_film(tmp_path, film, clip, SAID)
    assert film.read_bytes() == b"as it is" and not can_hold(film)
    assert look(film).unread


def test_without_the_extra_it_is_said_and_the_film_stays(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(clip.read_bytes())
    monkeypatch.setattr(layers, "missing", lambda: "Content Credentials are signed with: pip install …")
    assert "pip install" in sign_film(tmp_path, film, clip, SAID)
    assert film.read_bytes() == clip.read_bytes()


def test_a_source_that_cannot_be_an_ingredient_does_not_stop_it(clip: Path, tmp_path: Path) -> None:
    film, frames = tmp_path / "film.mp4", tmp_path / "frames"
    film.write_bytes(clip.read_bytes())
    frames.mkdir()
    assert sign_film(tmp_path, film, frames, SAID) == ""
    assert look(film).genuine


def test_the_workspace_has_one_signer_and_a_given_certificate_counts_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = identity(tmp_path)
    assert identity(tmp_path) == own
    assert (tmp_path / "provenance" / "signer.pem").stat().st_mode & 0o077 == 0
    other = identity(tmp_path / "other")
    assert other != own
    (tmp_path / "chain.pem").write_bytes(other.chain)
    (tmp_path / "key.pem").write_bytes(other.key)
    monkeypatch.setenv(CERTIFICATE, str(tmp_path / "chain.pem"))
    with pytest.raises(StageError, match="belong together"):
        identity(tmp_path)
    monkeypatch.setenv(KEY, str(tmp_path / "key.pem"))
    assert identity(tmp_path) == other
    (tmp_path / "key.pem").write_bytes(own.key)
    with pytest.raises(StageError, match="does not fit"):
        identity(tmp_path)
    (tmp_path / "key.pem").write_text("no key")
    with pytest.raises(StageError, match="can be read from"):
        identity(tmp_path)
    monkeypatch.setenv(KEY, str(tmp_path / "gone.pem"))
    with pytest.raises(StageError, match=r"gone\.pem cannot be read"):
        identity(tmp_path)


def test_verify_works_outside_of_a_workspace_and_its_exit_code_tells(signed: Path, clip: Path) -> None:
    good = CliRunner().invoke(cli, ["verify", str(signed)])
    assert good.exit_code == 0 and "hold. Signed by Galloway, who is on no trust list" in good.output
    assert "consent record 333" in good.output
    told = json.loads(CliRunner().invoke(cli, ["verify", str(signed), "--json"]).stdout)
    assert told["genuine"] and told["credentials"]["said"] == SAID
    bare = CliRunner().invoke(cli, ["verify", str(clip)])
    assert bare.exit_code == 1 and "none" in bare.output


def test_the_votes_hash_changes_with_any_vote(tmp_path: Path) -> None:
    app = App(full_workspace(tmp_path / "ws"))
    votes = app.store.votes()
    assert votes_digest(votes) == votes_digest(app.store.votes())
    assert votes_digest(votes[:-1]) != votes_digest(votes)
    assert votes_digest([*votes[:-1], replace(votes[-1], label="other")]) != votes_digest(votes)
    assert app.store.faces(Side.A)


def test_a_signer_that_cannot_be_used_is_found_before_and_a_note_afterwards(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CERTIFICATE, str(tmp_path / "none.pem"))
    monkeypatch.delenv(KEY, raising=False)
    film = tmp_path / "film.mp4"
    film.write_bytes(clip.read_bytes())
    for words, key in (("belong together", ""), ("none.pem cannot be read", str(tmp_path / "key.pem"))):
        monkeypatch.setenv(KEY, key)
        with pytest.raises(StageError, match=words):
            check_signer(tmp_path, film)
        assert words in sign_film(tmp_path, film, clip, SAID)
    assert film.read_bytes() == clip.read_bytes()
    check_signer(tmp_path, tmp_path / "film.mkv")
