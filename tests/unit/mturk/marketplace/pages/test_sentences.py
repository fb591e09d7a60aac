"""Whatever ends a step that a page starts is said in every language: refusals, what is wrong with a file, why a job
failed, what the doctor and the look at a film found."""

from __future__ import annotations

import re
from importlib.resources import files
from itertools import count

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from galloway.mturk.marketplace.pages import words
from galloway.mturk.marketplace.pages.words import LANGUAGES, Spoken

from tests.support.sentences import Sentence, reached, sentences

OTHERS = [code for code in LANGUAGES if code != "en"]
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


def written(language: str) -> Catalog:
    with files(words.__package__).joinpath("locale", f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def translation(known: Catalog, text: str) -> str:
    """What the catalogue says for a sentence with holes, or for one whose numbers are holes too; "" for none."""
    for key in (text if "%s" in text else text.replace("%%", "%"), NUMBER.sub("%s", text)):
        message = known.get(key)
        if message is not None and message.string and not message.fuzzy:
            return str(message.string)
    return ""


def filled(text: str) -> str:
    """A sentence with a name of its own in each hole."""
    names = (f"Name{chr(ord('A') + place)}" for place in count())
    return re.sub("%s", lambda _: next(names), text).replace("%%", "%")


def test_the_code_that_pages_reach_is_read() -> None:
    found = {one.text for one in sentences()}
    assert {"galloway.curation.faceset.merging.merge", "galloway.pipeline.video.mend"} <= set(reached())
    assert "%s is not a file. Name a video: galloway video check VIDEO" in found  # a refusal
    assert "There is no sound in it." in found  # what a look at a film found
    assert "not looked at before workers see them; %s tells the sexual ones" in found  # a name of the function
    assert len(found) > 600


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_has_its_translation(language: str) -> None:
    known = written(language)
    lacking = [f"{one.place}: {one.text}" for one in sentences() if not translation(known, one.text)]
    assert lacking == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_sentence_that_is_filled_in_is_found_again(language: str) -> None:
    """No other sentence of the catalogue takes what belongs to this one."""
    known, wrong = written(language), []
    for one in sentences():
        english = filled(one.text)
        told, wanted = Spoken(language).said(english), filled(translation(known, one.text))
        if told != wanted and (told == english or not NUMBER.search(english)):
            wrong.append((one.place, english, told))
    assert wrong == []


@pytest.mark.parametrize(
    ("english", "german"),
    [
        (
            "1 of 2 sources were not extracted: a.mp4: It cannot be read as a video: no moov.",
            "In 1 von 2 Quellen wurden keine Gesichter gefunden: a.mp4: Es ist nicht als Video zu lesen: no moov.",
        ),
        (
            "clip.mp4 needs no mending.\nThere is no sound in it.",
            "clip.mp4 muss nicht hergerichtet werden.\nEs hat keinen Ton.",
        ),
        ("note: nobody translated this", "note: nobody translated this"),
    ],
)  # fmt: skip
def test_lines_and_headings_are_said_apart(english: str, german: str) -> None:
    assert Spoken("de").said(english) == german


def test_one_without_translation_is_noticed() -> None:
    assert translation(written("de"), Sentence("nowhere:1", "Nobody ever translated %s.").text) == ""
