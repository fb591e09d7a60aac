"""Image links: short, opaque, ending. Workers: blocks, messages, pseudonyms."""

from datetime import UTC, datetime, timedelta

import pytest
from galloway.mturk.requester.errors import MTurkError
from galloway.mturk.requester.hosting import LocalHosting, S3Hosting
from galloway.mturk.requester.workers import block, blocked, notify, pseudonym, unblock
from hypothesis import given
from hypothesis import strategies as st

from tests.support.mturk import FakeMarket, in_process_client

NOW = datetime(2026, 11, 22, 9, 0, 30, tzinfo=UTC)
FACE = "0123456789abcdef0123456789abcdef"


def hosting(now: datetime = NOW, secret: bytes = b"s" * 32) -> LocalHosting:
    return LocalHosting(secret, "http://127.0.0.1:8801/i/", clock=lambda: now)


def test_links_are_short_and_opaque() -> None:
    link = hosting().url(FACE, timedelta(hours=72))
    assert link.startswith("http://127.0.0.1:8801/i/")
    assert len(link) <= 60
    assert FACE not in link
    assert hosting().url(FACE, timedelta(hours=72)) == link
    assert hosting().url(FACE, timedelta(hours=73))[-20:] != link[-20:]


@given(st.one_of(st.text(st.characters(exclude_categories=("Cs",)), min_size=1), st.from_regex(r"[0-9a-f]{32}\Z")))
def test_every_key_comes_back(key: str) -> None:
    if key.startswith("\0"):
        with pytest.raises(MTurkError):
            hosting().token(key, timedelta(hours=1))
    else:
        assert hosting().resolve(hosting().token(key, timedelta(hours=1))) == key


def test_links_end() -> None:
    token = hosting().token(FACE, timedelta(minutes=10))
    assert hosting(NOW + timedelta(minutes=10)).resolve(token) == FACE
    assert hosting(NOW + timedelta(minutes=11, seconds=1)).resolve(token) is None
    assert hosting().resolve(hosting().token(FACE, NOW - timedelta(minutes=2))) is None


@given(st.integers(0, 35), st.sampled_from("ABCxyz019-_"))
def test_a_changed_link_shows_nothing(place: int, letter: str) -> None:
    token = hosting().token(FACE, timedelta(hours=1))
    changed = token[:place] + letter + token[place + 1 :]
    assert (hosting().resolve(changed) == FACE) == (changed == token)


@given(st.text(max_size=60))
def test_made_up_links_show_nothing(token: str) -> None:
    assert hosting().resolve(token) is None


def test_other_secrets_and_other_spellings_show_nothing() -> None:
    token = hosting().token("face-7", timedelta(hours=1))
    assert hosting(secret=b"t" * 32).resolve(token) is None
    assert hosting().resolve(token + "=") is None
    assert hosting().resolve("") is None


def test_hosting_refuses_what_cannot_work() -> None:
    with pytest.raises(MTurkError, match="16 bytes"):
        LocalHosting(b"short", "http://x")
    with pytest.raises(MTurkError, match="cannot end"):
        hosting().token(FACE, datetime(2070, 1, 1, tzinfo=UTC))
    with pytest.raises(MTurkError, match="empty"):
        hosting().token("", timedelta(hours=1))


def s3() -> S3Hosting:
    return S3Hosting(
        "faces", b"secret", endpoint_url="http://127.0.0.1:1", region="us-east-1", access_key="a", secret_key="b"
    )


def test_s3_links_are_presigned_and_tell_no_face() -> None:
    link = s3().url(FACE, timedelta(hours=1))
    assert link.startswith("http://127.0.0.1:1/faces/faces/")
    assert "X-Amz-Signature=" in link
    assert "X-Amz-Expires=3600" in link
    assert FACE not in link
    assert s3().object_name(FACE) == s3().object_name(FACE) != s3().object_name("other")


@pytest.mark.parametrize("span", [timedelta(0), timedelta(days=8)])
def test_s3_links_live_at_most_a_week(span: timedelta) -> None:
    with pytest.raises(MTurkError, match="7 days"):
        s3().url(FACE, span)


def test_pseudonyms_are_stable_and_keyed() -> None:
    name = pseudonym("A1B2C3", b"secret")
    assert name == pseudonym("A1B2C3", b"secret")
    assert len({name, pseudonym("A1B2C3", b"other"), pseudonym("A1B2C4", b"secret")}) == 3
    assert name.startswith("W-")
    assert "A1B2C3" not in name


def test_blocks() -> None:
    client = in_process_client(FakeMarket(page=2))
    for number in range(5):
        block(client, f"A{number}", "answers at random")
    assert len(blocked(client)) == 5
    unblock(client, "A0")
    unblock(client, "A0", "by mistake")
    assert blocked(client)["A1"] == "answers at random"
    with pytest.raises(MTurkError, match="needs a reason"):
        block(client, "A9", "")


def test_messages_go_out_by_the_hundred() -> None:
    fake = FakeMarket()
    workers = [f"A{number}" for number in range(250)] + ["ALOST", "A0"]
    assert notify(in_process_client(fake), workers, "Paid", "Thank you.") == {"ALOST": "gone"}
    assert fake.calls == ["NotifyWorkers"] * 3
    with pytest.raises(MTurkError, match="4,096"):
        notify(in_process_client(fake), workers, "Paid", "x" * 4097)
