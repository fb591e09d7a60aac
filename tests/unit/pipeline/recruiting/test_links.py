"""Links of people by name: every one that is made opens, and a name that no link may carry is told before."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from galloway.mturk.recruiting.signing import person_link, read_arrival, study_secret
from galloway.mturk.recruiting.values import Group
from galloway.pipeline.errors import StageError
from galloway.pipeline.recruiting.studies import personal_links

from tests.support.recruits import SITE, link_study

STUDY = link_study((Group("3GROUP", 1),))
SECRET = study_secret(b"k" * 32, STUDY.key)


def counter() -> Any:
    """As much of a counter as links take."""
    office = SimpleNamespace(
        study=lambda key: STUDY,
        person_link=lambda study, site, who, session, until: person_link(site, study, SECRET, who, session, until),
    )
    return SimpleNamespace(office=office, site=lambda study: SITE)


@pytest.mark.parametrize("name", ["ann@example.org", "Jörg", "a.b+c:d=e-f_1", "x" * 128])
def test_a_link_that_is_made_opens(name: str) -> None:
    ((_, _, link),) = personal_links(counter(), "class", [(name, name)], days=None)
    arrival = read_arrival(STUDY, SECRET, dict(parse_qsl(urlsplit(link).query)), 0)
    assert (arrival.participant, arrival.session) == (name, name)


@pytest.mark.parametrize("wrong", ["Ann Example", "Müller, Jörg", "12 34", "x" * 129, "", "PARTICIPANT", "a\nb"])
def test_a_name_that_no_link_may_carry_is_told_and_no_link_is_made(wrong: str) -> None:
    for pair in ((wrong, "s1"), ("ann", wrong)):
        with pytest.raises(StageError, match="cannot stand in a link; no link was made") as told:
            personal_links(counter(), "class", [("bob", "s0"), pair], days=None)
        assert repr(wrong[:60]) in str(told.value)
