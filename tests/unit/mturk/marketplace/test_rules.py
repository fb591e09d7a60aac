"""The marketplace's rules as functions of values."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from galloway.mturk.marketplace.errors import Refused
from galloway.mturk.marketplace.rules import money, review
from galloway.mturk.marketplace.rules.answerkey import AnswerKey, KeyQuestion, parse_answer_key
from galloway.mturk.marketplace.rules.answers import Answer, answers_xml, form_answers, read_answers
from galloway.mturk.marketplace.rules.hits import Counts, extension_refusal, status_of
from galloway.mturk.marketplace.rules.notifications import is_queue, public_address
from galloway.mturk.marketplace.rules.qualifications import Held, Requirement, describe, meets, system_values
from galloway.mturk.marketplace.rules.questionform import FreeText, SelectionAnswer
from galloway.mturk.marketplace.rules.questions import check_question, external_url, parse_question
from hypothesis import given
from hypothesis import strategies as st

from tests.support.marketplace import QUESTION_FORM, SCHEMAS, external_question, html_question


@pytest.mark.parametrize(
    ("cents", "places", "masters", "fee"),
    [
        (5, 3, False, 1),
        (10, 10, False, 4),
        (100, 3, True, 25),
        (52, 1, False, 10),
        (53, 1, False, 11),
        (0, 1, False, 0),
    ],
)
def test_fees_as_mturk_charged_them(cents: int, places: int, masters: bool, fee: int) -> None:
    """$0.05 ×3, $0.10 ×10 and $1.00 for Masters; 10.4 cents round down, 10.6 up."""
    assert money.reward_fee(cents, percent=Decimal(20), assignments=places, masters=masters) == fee


def test_half_a_cent_rounds_up() -> None:
    assert money.bonus_fee(105, percent=Decimal(10)) == 11
    assert money.bonus_fee(1, percent=Decimal(20)) == 1
    assert money.bonus_fee(100, percent=Decimal(0)) == 0


@pytest.mark.parametrize(
    ("text", "cents"), [("5", 500), ("5.", 500), ("0.05", 5), ("0.1", 10), ("0012.30", 1230), ("100000.00", 10_000_000)]
)
def test_amounts(text: str, cents: int) -> None:
    assert money.parse_amount(text) == cents


@pytest.mark.parametrize("text", ["", ".5", "-1", "$1", "1.234", "1,00", "100000.01", "9" * 50, "٣"])
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match=r"amount|more than"):
        money.parse_amount(text)


@given(st.integers(0, money.LARGEST_CENTS))
def test_amounts_are_written_as_they_are_read(cents: int) -> None:
    assert money.parse_amount(money.format_cents(cents)) == cents


COUNTS = st.builds(Counts, *(st.integers(0, 9) for _ in range(5)))


@given(COUNTS, st.booleans(), st.booleans())
def test_a_hit_is_assignable_exactly_while_places_are_free(counts: Counts, expired: bool, reviewing: bool) -> None:
    status = status_of(counts, expired=expired, reviewing=reviewing, disposed=False)
    assert (status == "Assignable") == (counts.free > 0 and not expired)
    if status in ("Reviewable", "Reviewing"):
        assert counts.held == 0
    assert status_of(counts, expired=expired, reviewing=reviewing, disposed=True) == "Disposed"


def test_extensions_never_cross_ten() -> None:
    assert extension_refusal(9, 1) and extension_refusal(1, 9)
    assert not extension_refusal(1, 8) and not extension_refusal(10, 5)
    assert extension_refusal(10, 1_000_000_000)


def wants(comparator: str, *integers: int, places: tuple[tuple[str, str], ...] = ()) -> Requirement:
    return Requirement("3Q", comparator, integers, places)


@pytest.mark.parametrize(
    ("requirement", "passes", "fails"),
    [
        (wants("LessThan", 5), 4, 5),
        (wants("LessThanOrEqualTo", 5), 5, 6),
        (wants("GreaterThan", 5), 6, 5),
        (wants("GreaterThanOrEqualTo", 5), 5, 4),
        (wants("EqualTo", 5), 5, 4),
        (wants("NotEqualTo", 5), 4, 5),
        (wants("In", 1, 2), 2, 3),
        (wants("NotIn", 1, 2), 3, 2),
    ],
)
def test_comparators(requirement: Requirement, passes: int, fails: int) -> None:
    assert meets(Held(passes), requirement)
    assert not meets(Held(fails), requirement)
    assert not meets(None, requirement)
    assert describe(requirement)


def test_presence_and_places() -> None:
    assert meets(Held(0), wants("Exists")) and not meets(None, wants("Exists"))
    assert meets(None, wants("DoesNotExist")) and not meets(Held(0), wants("DoesNotExist"))
    ny, california, india = Held(0, "US", "NY"), Held(0, "US", "CA"), Held(0, "IN")
    assert not meets(ny, wants("EqualTo", places=(("US", "PA"),)))
    for place in (ny, india):
        assert meets(place, wants("NotEqualTo", places=(("US", "CA"),)))
    assert meets(california, wants("In", places=(("IN", ""), ("US", ""))))
    assert describe(wants("In", places=(("IN", ""), ("US", "CA")))) == "one of IN, US-CA"


def test_the_approval_rate_is_100_below_100_submissions() -> None:
    facts = {"country": "", "subdivision": "", "masters": False, "adult": False}
    few = system_values(**facts, submitted=99, approved=1, rejected=98)
    many = system_values(**facts, submitted=100, approved=89, rejected=10)
    assert (few["000000000000000000L0"].value, many["000000000000000000L0"].value) == (100, 89)
    assert "00000000000000000071" not in few


def test_the_worked_example_of_plurality() -> None:
    policy = review.Plurality(("A", "B", "C", "D"), threshold=50)
    rows = {"w1": "coat blue large 1", "w2": "sweater blue large 2", "w3": "coat green large 3"}
    answers = {name: dict(zip("ABCD", ((value,) for value in row.split()), strict=True)) for name, row in rows.items()}
    found = review.plurality(policy, answers)
    assert found.hit_score == 75
    assert found.workers == {"w1": 100, "w2": 66, "w3": 66}
    assert found.questions["D"] == (None, 33)


def test_ties_and_long_answers_agree_on_nothing() -> None:
    policy = review.Plurality(("q",), threshold=50)
    tie = review.plurality(policy, {"a": {"q": ("yes",)}, "b": {"q": ("no",)}})
    assert (tie.questions["q"], tie.workers) == ((None, 50), {"a": None, "b": None})
    long = review.plurality(policy, {"a": {"q": ("x" * 257,)}, "b": {}})
    assert long.questions["q"] == (None, 0)


@given(st.lists(st.sampled_from(["yes", "no", "maybe"]), min_size=1, max_size=9), st.randoms())
def test_plurality_ignores_the_order_of_workers(values: list[str], random: object) -> None:
    policy = review.Plurality(("q",), threshold=40)
    answers = {str(place): {"q": (value,)} for place, value in enumerate(values)}
    shuffled = list(answers.items())
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert review.plurality(policy, answers) == review.plurality(policy, dict(shuffled))


def test_known_answers_compare_sets_without_outer_blanks() -> None:
    policy = review.KnownAnswers({"a": frozenset({"x", "y"}), "b": frozenset({"Keep"})})
    assert review.score_known(policy, {"a": (" y", "x "), "b": ("keep",)}) == (50, {"a": True, "b": False})


def test_boxes_of_a_page_count_as_known_answers() -> None:
    policy = review.KnownAnswers({"a": frozenset({"x", "y"})})
    assert review.score_known(policy, {"a": ("y|x",)})[0] == 100
    assert review.score_known(policy, {"a": ("x|y|z",)})[0] == review.score_known(policy, {"a": ("x",)})[0] == 0
    assert review.score_known(review.KnownAnswers({"a": frozenset({"x|y"})}), {"a": ("x|y",)})[0] == 100


def plurality_policy(**values: str) -> dict[str, object]:
    given = {"QuestionIds": "q", "QuestionAgreementThreshold": "50", **values}
    parameters = [{"Key": key, "Values": value.split(",")} for key, value in given.items()]
    return {"PolicyName": "SimplePlurality/2011-09-01", "Parameters": parameters}


def test_a_question_named_twice_is_one() -> None:
    policy = review.parse_hit_policy(plurality_policy(QuestionIds="q,q"))
    assert review.plurality(policy, {"w": {"q": ("yes",)}}).hit_score == 100


@pytest.mark.parametrize(
    ("value", "meant"), [("True", True), ("1", True), ("false", False), ("No", False), ("", False), ("banana", None)]
)
def test_a_flag_says_yes_or_no(value: str, meant: bool | None) -> None:
    given = plurality_policy(DisregardAssignmentIfRejected=value)
    assert review.parse_hit_policy(given).drop_rejected is bool(meant), "what is stored is only read"
    if meant is None:
        with pytest.raises(Refused, match="DisregardAssignmentIfRejected must be true or false, not 'banana'"):
            review.parse_hit_policy(given, new=True)
    else:
        assert review.parse_hit_policy(given, new=True).drop_rejected is meant


@pytest.mark.parametrize(("total", "value"), [(4, 1), (5, 2), (10, 2), (11, 0)])
def test_answer_keys_map_ranges(total: int, value: int) -> None:
    question = KeyQuestion("q", ((frozenset({"a"}), total),))
    assert AnswerKey((question,), ranges=((1, 4, 1), (5, 10, 2)), out_of_range=0).score({"q": ("a",)}) == value


def key(mapping: str, score: int = 5) -> str:
    return (
        f'<AnswerKey xmlns="{SCHEMAS}/2005-10-01/AnswerKey.xsd"><Question><QuestionIdentifier>q</QuestionIdentifier>'
        f"<AnswerOption><SelectionIdentifier>a</SelectionIdentifier><AnswerScore>{score}</AnswerScore></AnswerOption>"
        f"<DefaultScore>-1</DefaultScore></Question>{mapping}</AnswerKey>"
    )


def mapping(inner: str) -> str:
    return f"<QualificationValueMapping>{inner}</QualificationValueMapping>"


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        (key(""), 5, -1),
        (key(mapping("<PercentageMapping><MaximumSummedScore>8</MaximumSummedScore></PercentageMapping>")), 63, -13),
        (key(mapping("<ScaleMapping><SummedScoreMultiplier>2.5</SummedScoreMultiplier></ScaleMapping>")), 13, -3),
    ],
)
def test_answer_keys_score_and_scale(text: str, right: int, wrong: int) -> None:
    parsed = parse_answer_key(text)
    assert (parsed.score({"q": ("a",)}), parsed.score({"q": ("a", "b")})) == (right, wrong)


@pytest.mark.parametrize(
    "text",
    [
        key(mapping("<PercentageMapping><MaximumSummedScore>0</MaximumSummedScore></PercentageMapping>")),
        key(mapping("<ScaleMapping><SummedScoreMultiplier>NaN</SummedScoreMultiplier></ScaleMapping>")),
        key(mapping("")),
        key("").replace("<AnswerScore>5", "<AnswerScore>five"),
        key("").replace("AnswerKey.xsd", "Other.xsd"),
        f'<AnswerKey xmlns="{SCHEMAS}/2005-10-01/AnswerKey.xsd"/>',
    ],
)
def test_broken_answer_keys(text: str) -> None:
    with pytest.raises(Refused):
        parse_answer_key(text)


TEXT = st.text(max_size=40)


@given(st.dictionaries(TEXT.filter(bool), TEXT, max_size=5))
def test_answers_are_read_as_they_were_written(fields: dict[str, str]) -> None:
    from galloway.mturk.marketplace.rules.xml import clean

    document = answers_xml([Answer(name, text=value) for name, value in fields.items()])
    assert read_answers(document) == {clean(name): (clean(value),) for name, value in fields.items()}


def test_question_forms_become_values() -> None:
    form = parse_question(QUESTION_FORM).form
    assert form is not None
    colour, age = form.questions
    assert isinstance(colour.answer, SelectionAnswer) and colour.required and colour.answer.other is not None
    assert [choice.identifier for choice in colour.answer.selections] == ["red", "blue"]
    assert isinstance(age.answer, FreeText) and (age.answer.min_value, age.answer.max_value) == (1, 120)
    assert form.parts[0][0].text == "Three questions"  # type: ignore[index]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ([], "a choice is needed"),
        ([("colour", "red"), ("colour", "blue"), ("other:colour", "x")], "at most 2"),
        ([("colour", "red"), ("age", "121")], "outside"),
        ([("colour", "red"), ("age", "nan")], "outside"),
        ([("colour", "red"), ("age", " ")], ""),
    ],
)
def test_forms_say_what_is_wrong(fields: list[tuple[str, str]], problem: str) -> None:
    form = parse_question(QUESTION_FORM).form
    assert form is not None
    wrong = form_answers(form, fields)[1]
    assert (problem in wrong[0]) if problem else wrong == []


@pytest.mark.parametrize(
    "change",
    [
        ("<QuestionIdentifier>age<", "<QuestionIdentifier>colour<"),
        ("<SelectionIdentifier>red<", "<SelectionIdentifier>blue<"),
        ("minValue='1'", "minValue='one'"),
        ("<FreeTextAnswer>", "<FileUploadAnswer>"),
        ("<Title>", "<Script>"),
    ],
)
def test_broken_question_forms(change: tuple[str, str]) -> None:
    old, new = change
    text = QUESTION_FORM.replace(old, new).replace(old.replace("<", "</"), new.replace("<", "</"))
    with pytest.raises(Refused):
        parse_question(text)


EVERYTHING = (
    f'<QuestionForm xmlns="{SCHEMAS}/2017-11-06/QuestionForm.xsd" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    f'xsi:schemaLocation="{SCHEMAS}/2017-11-06/QuestionForm.xsd q.xsd"><!-- all of it --><Overview><Title>T</Title>'
    "<Text>a &lt;b&gt; <!-- - --> c</Text><List><ListItem>one</ListItem><ListItem>two</ListItem></List>"
    "<Binary><MimeType><Type>image</Type><SubType>gif</SubType></MimeType><DataURL>https://x.org/a.gif</DataURL>"
    "<AltText>a</AltText></Binary><FormattedContent>a <b>bold</b> word</FormattedContent></Overview>"
    "<Question><QuestionIdentifier>q</QuestionIdentifier><DisplayName>D</DisplayName><IsRequired> true </IsRequired>"
    "<QuestionContent><Application><Flash><FlashMovieURL>https://x.org/a.swf</FlashMovieURL><Width>4</Width>"
    "<Height>3</Height><ApplicationParameter><Name>n</Name><Value>v</Value></ApplicationParameter></Flash></Application>"
    "<EmbeddedBinary><EmbeddedMimeType><Type>audio</Type><SubType>mp3</SubType></EmbeddedMimeType>"
    "<DataURL>https://x.org/a.mp3</DataURL><AltText>a</AltText><Width>4</Width><Height>3</Height></EmbeddedBinary>"
    "</QuestionContent><AnswerSpecification><SelectionAnswer><MinSelectionCount>3</MinSelectionCount>"
    "<MaxSelectionCount>3</MaxSelectionCount><StyleSuggestion>multichooser</StyleSuggestion><Selections><Selection>"
    "<SelectionIdentifier>a</SelectionIdentifier><FormattedContent><![CDATA[<i>A</i>]]></FormattedContent></Selection>"
    "<Selection><SelectionIdentifier>b</SelectionIdentifier><Text>B</Text></Selection><OtherSelection><Constraints>"
    '<Length minLength="2" maxLength="2"/></Constraints></OtherSelection></Selections></SelectionAnswer>'
    "</AnswerSpecification></Question><Overview><Text>more</Text></Overview><Question>"
    "<QuestionIdentifier>r</QuestionIdentifier><QuestionContent><Text>?</Text></QuestionContent><AnswerSpecification>"
    '<FreeTextAnswer><Constraints><IsNumeric minValue="-3" maxValue="-3"/><AnswerFormatRegex regex="^[a-z]$" '
    'errorText="a letter" flags="i"/></Constraints><DefaultText>x</DefaultText><NumberOfLinesSuggestion>3'
    "</NumberOfLinesSuggestion></FreeTextAnswer></AnswerSpecification></Question></QuestionForm>"
)


@pytest.mark.parametrize(
    "text",
    [EVERYTHING, QUESTION_FORM, html_question(), external_question("https://x.org/?a=1&amp;b=2")],
    ids=["everything", "form", "html", "external"],
)
def test_what_the_schemas_know_is_taken(text: str) -> None:
    check_question(text)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (">more<", ">Keep <b>only</b> sharp ones<", "Text holds text only, not <b>. Put HTML into a CDATA section of"),
        ("<IsRequired> true </IsRequired>", "<IsRequried>true</IsRequried>", "Question cannot hold IsRequried"),
        ("> true <", ">yes<", "IsRequired must be true or false, not 'yes'"),
        (
            "<QuestionContent><Text>",
            "<QuestionContent>Pick<Text>",
            "QuestionContent holds elements and no text: 'Pick'",
        ),
        ("</Title>", "</Title>and more", "Overview holds elements and no text: 'and more'"),
        ("<DisplayName>", "<DisplayName>E</DisplayName><DisplayName>", "Question holds more than one DisplayName"),
        ('maxLength="2"', 'maxlength="2"', "Length has no attribute 'maxlength'"),
        ("multichooser", "checkboxes", "StyleSuggestion must be radiobutton, checkbox, list, dropdown"),
        ("<MaxSelectionCount>3", "<MaxSelectionCount>0", "MaxSelectionCount must be a whole number from 1, not '0'"),
        ("<Text>more", '<Text xmlns="urn:other">more', "Overview cannot hold Text"),
        ("<MinSelectionCount>3", "<MinSelectionCount>4", "'q': MinSelectionCount 4 is above MaxSelectionCount, 3"),
        (
            '<OtherSelection><Constraints><Length minLength="2" maxLength="2"/></Constraints></OtherSelection>',
            "",
            "its selections, 2",
        ),
        ('minLength="2"', 'minLength="3"', "'q': minLength 3 is above maxLength, 2"),
        ('minValue="-3"', 'minValue="4"', "'r': minValue 4 is above maxValue, -3"),
    ],
)
def test_what_would_be_passed_over_or_never_answered_is_refused(old: str, new: str, words: str) -> None:
    text = EVERYTHING.replace(old, new)
    assert text != EVERYTHING
    with pytest.raises(Refused, match=re.escape(words)):
        check_question(text)
    assert parse_question(text).form is not None, "what is stored is read as before"


def test_html_outside_of_cdata_is_refused() -> None:
    text = html_question("text <b>bold</b> and more").replace("<![CDATA[", "").replace("]]>", "")
    with pytest.raises(Refused, match=r"HTMLContent holds text only, not <b>\. Put HTML into a CDATA section\."):
        check_question(text)
    check_question(html_question("").replace("<![CDATA[]]>", "&lt;p&gt;escaped"))


def test_an_answer_key_with_a_misspelt_element_is_refused() -> None:
    text = key("").replace("DefaultScore", "DefautScore")
    assert parse_answer_key(text).score({}) == 0
    with pytest.raises(Refused, match="Question cannot hold DefautScore"):
        parse_answer_key(text, new=True)
    for inner in ("", mapping("<ScaleMapping><SummedScoreMultiplier>2</SummedScoreMultiplier></ScaleMapping>")):
        parse_answer_key(key(inner), new=True)


@pytest.mark.parametrize("encoding", ["UTF-8", "ISO-8859-1", "US-ASCII", "UTF-16", "windows-1252"])
def test_a_declared_encoding_changes_no_letter(encoding: str) -> None:
    declared = f'<?xml version="1.0" encoding="{encoding}"?>'
    assert parse_question(declared + html_question("<p>ü€顔</p>")).html == "<p>ü€顔</p>"


def test_external_urls_keep_one_question_mark() -> None:
    assert external_url("https://x.org/a?b=c#d", {"hitId": "3H", "workerId": ""}) == "https://x.org/a?b=c&hitId=3H#d"
    assert external_url("https://x.org", {"a": "b c"}) == "https://x.org?a=b+c"


def test_frame_heights() -> None:
    assert parse_question(html_question(height=450)).frame_height == 450
    for wrong in (1_000_001, "x", ""):
        with pytest.raises(Refused):
            parse_question(html_question(height=wrong))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "::1", "fe80::1", "::ffff:192.168.0.1", "0.0.0.0", "224.0.0.1", "x"]
)
def test_addresses_of_this_network_are_not_public(address: str) -> None:
    assert not public_address(address)


def test_public_addresses_and_queues() -> None:
    assert public_address("8.8.8.8") and public_address("2606:4700::1111")
    assert is_queue("https://sqs.us-east-1.amazonaws.com/123456789012/hits.fifo", "")
    assert is_queue("http://localhost:4566/123456789012/hits", "http://localhost:4566")
    assert not is_queue("http://localhost:4566/123456789012/hits", "")
    assert not is_queue("https://evil.org/123456789012/hits", "")
