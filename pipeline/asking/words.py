"""The words of the pages that people answer: titles, instructions, the names of answers. Keys are `PageKind` values."""

from __future__ import annotations

from typing import NamedTuple

from ...curation.types import Side

__all__ = ["CHOICES", "HEADINGS", "KEEP", "REST", "WARNING", "TaskText", "describe"]

WARNING = "Warning: pictures may be sexual or violent. They are blurred until you tap them; you may skip any."
"""Before pictures that a requester shows with a warning, and in what the market says of the task."""


class TaskText(NamedTuple):
    """The words of a HIT as the market shows them, and its instructions."""

    title: str
    description: str
    keywords: str
    instructions: str


_USE_WORDS = "image, picture, face, keep, reject, quick"
_WHO_WORDS = "image, picture, face, same person, compare, quick"
_CUT = "The pictures were cut from a video by a program that makes mistakes."
_TAUGHT = "A program will learn this face from the pictures that you keep, so only good examples help."
_ON_A = (
    "Blurred, dark, small or turned faces of that person are fine here: keep them too; say where something covers "
    "a part.\n"
    "Reject only what is named below. When in doubt, keep."
)
_ON_B = (
    "Keep a picture if you can see eyes, nose and mouth clearly and nothing covers them. Turned heads and any "
    "expression are fine.\n"
    "Reject what is blurred, covered or cut wrongly. When in doubt, reject."
)
_WHO_A = (
    "The pictures come from a video: many are blurred or dark. Answer if the face, the hair or the clothes make "
    "you fairly sure; otherwise say that you cannot tell. That is a useful answer."
)
_WHO_B = (
    'A program will learn this face from your answers: say "same" only where the face itself makes you sure. '
    "If it does not, say that you cannot tell. That is a useful answer."
)
_GROUPS = (
    "A program put pictures that look alike into groups, and it makes mistakes. Look at every picture of a group. Give "
    "the group one answer; then mark each picture that does not fit, with what is right for it."
)

_SOUGHT = "Look at each picture and mark those to keep. The others you confirm at once as not to be kept."

_TEXTS: dict[tuple[str, Side], TaskText] = {
    ("quality", Side.A): TaskText(
        "Which pictures show a face? Keep them, also the blurred ones",
        "Look at small pictures cut from a video. Keep every face; mark what is no face or cut wrongly.",
        _USE_WORDS,
        f"{_CUT} Keep every picture that shows a face.\n"
        "Blurred, dark, small or turned faces are fine here: keep them too; say where something covers a part.\n"
        "Reject only what is named below. When in doubt, keep.",
    ),
    ("quality", Side.B): TaskText(
        "Which pictures show a face well? Keep only the good examples",
        "Look at small pictures of faces. Keep those that are sharp, free and well cut; "
        "say what is wrong with the others.",
        _USE_WORDS,
        f"{_TAUGHT}\n{_ON_B}",
    ),
    ("usable", Side.A): TaskText(
        "Which faces belong to the right person? Keep them, also the blurred ones",
        "Look at small pictures cut from a video. Keep every face of the person shown; "
        "mark what is no face, somebody else, or cut wrongly.",
        _USE_WORDS,
        f"{_CUT} Keep every picture that shows the face of the right person.\n{_ON_A}",
    ),
    ("usable", Side.B): TaskText(
        "Which pictures show the face well? Keep only the good examples",
        "Look at small pictures of faces. Keep those that are sharp, free and well cut; say what is wrong "
        "with the others.",
        _USE_WORDS,
        f"{_TAUGHT}\n{_ON_B}",
    ),
    ("identity", Side.A): TaskText(
        "Is it the same person? Compare small faces from a video with photographs",
        "Compare faces cut from a video with photographs of one person: same, different, or cannot tell.",
        _WHO_WORDS,
        f"For every picture say whether it shows the person in the photographs.\n{_WHO_A}",
    ),
    ("identity", Side.B): TaskText(
        "Is it the same person? Compare faces with photographs",
        "Compare pictures of faces with photographs of one person: same, different, or cannot tell.",
        _WHO_WORDS,
        f"For every picture say whether it shows the person in the photographs.\n{_WHO_B}",
    ),
    ("both", Side.A): TaskText(
        "Keep the faces of the person in the photographs, also the blurred ones",
        "Look at small pictures cut from a video. Keep every face of the person in the photographs; "
        "mark what is no face, somebody else, or cut wrongly.",
        _USE_WORDS,
        f"{_CUT} Keep every picture that shows the person in the photographs.\n{_ON_A}",
    ),
    ("both", Side.B): TaskText(
        "Keep the good pictures of the person in the photographs",
        "Look at small pictures of faces. Keep those of the person in the photographs that are sharp, free and well "
        "cut; say what is wrong with the others.",
        _USE_WORDS,
        f"{_TAUGHT} They must show the person in the photographs.\n{_ON_B}",
    ),
    ("cluster", Side.A): TaskText(
        "Groups of faces: which show the person in the photographs?",
        "Look at groups of pictures cut from a video. Say of each group whether it shows the person in the "
        "photographs, and mark the pictures that do not fit.",
        _USE_WORDS,
        f"{_GROUPS}\n{_ON_A}",
    ),
    ("cluster", Side.B): TaskText(
        "Groups of faces: which are good pictures of the person in the photographs?",
        "Look at groups of pictures. Say of each group whether they are good pictures of the person in the "
        "photographs, and mark those that do not fit.",
        _USE_WORDS,
        f"{_GROUPS}\n{_TAUGHT}\n{_ON_B}",
    ),
    ("find", Side.A): TaskText(
        "Find the faces of the person in the photographs, also the blurred ones",
        "Look at small pictures cut from a video and mark every face of the person in the photographs.",
        _USE_WORDS,
        f"{_CUT}\n{_SOUGHT}\n{_ON_A}",
    ),
    ("find", Side.B): TaskText(
        "Find the good pictures of the person in the photographs",
        "Look at small pictures of faces and mark those of the person in the photographs that are sharp, free and well "
        "cut.",
        _USE_WORDS,
        f"{_TAUGHT}\n{_SOUGHT}\n{_ON_B}",
    ),
    ("pair", Side.A): TaskText(
        "Same or different? Two pictures side by side",
        "Compare a face cut from a video with a photograph beside it: same person, different, or cannot tell.",
        _WHO_WORDS,
        "On the left is a photograph of one person, on the right a face. Is it the same person? Take "
        f"your time.\n{_WHO_A}",
    ),
    ("pair", Side.B): TaskText(
        "Same or different? Two pictures side by side",
        "Compare a face with a photograph beside it: same person, different, or cannot tell.",
        _WHO_WORDS,
        "On the left is a photograph of one person, on the right a face. Is it the same person? Take "
        f"your time.\n{_WHO_B}",
    ),
    ("merge", Side.A): TaskText(
        "Which of these groups show the person in the photographs?",
        "Compare groups of faces with photographs of one person: same, different, or cannot tell.",
        _WHO_WORDS,
        f"{_GROUPS}\n{_WHO_A}",
    ),
    ("merge", Side.B): TaskText(
        "Which of these groups show the person in the photographs?",
        "Compare groups of faces with photographs of one person: same, different, or cannot tell.",
        _WHO_WORDS,
        f"{_GROUPS}\n{_WHO_B}",
    ),
}

HEADINGS: dict[tuple[str, Side], str] = {
    ("quality", Side.A): "Keep every face, also blurred ones",
    ("quality", Side.B): "Keep only the good examples",
    ("usable", Side.A): "Keep every face of the right person, also blurred ones",
    ("usable", Side.B): "Keep only the good examples",
    ("identity", Side.A): "Is it the same person as in the photographs?",
    ("identity", Side.B): "Is it the same person as in the photographs?",
    ("both", Side.A): "Keep every face of this person, also blurred ones",
    ("both", Side.B): "Keep only good pictures of this person",
    ("cluster", Side.A): "Is a whole group this person? Mark the odd ones",
    ("cluster", Side.B): "Is a whole group good pictures of this person? Mark the odd ones",
    ("find", Side.A): "Find every face of this person, also blurred ones",
    ("find", Side.B): "Find the good pictures of this person",
    ("pair", Side.A): "The same person or a different one?",
    ("pair", Side.B): "The same person or a different one?",
    ("merge", Side.A): "Which groups are this person? Mark the odd ones",
    ("merge", Side.B): "Which groups are this person? Mark the odd ones",
}

CHOICES: dict[str, tuple[str, str, str]] = {
    # value: (name, meaning on both sides, mark)
    "keep:covered": ("Covered", "kept, too: the right face, but a hand, a cup or another thing hides a part", "good"),
    "reject:not_a_face": ("Not a face", "the picture shows something else", "bad"),
    "reject:another_person": ("Another person", "a face, but somebody else's", "bad"),
    "reject:blurred": ("Blurred", "the face is out of focus or smeared by movement", "bad"),
    "reject:covered": ("Covered", "a hand, hair, glass or another thing hides eyes, nose or mouth", "bad"),
    "reject:bad_crop": ("Bad crop", "the face is cut off, tilted wrongly or only in a corner", "bad"),
    "same": ("Same person", "the face of the person in the photographs", "good"),
    "different": ("Different", "somebody else", "bad"),
    "cannot_tell": ("Cannot tell", "you looked, and it could be this person or not", "open"),
    "skip": ("Skip", "you would rather not answer for this picture; nothing is counted", "none"),
}
KEEP: dict[tuple[Side, bool], tuple[str, str, str]] = {
    # side, whether the person is shown: the same three for "keep"
    (Side.A, True): ("Keep", "the right person's face, sharp or not", "good"),
    (Side.B, True): ("Keep", "a clear, free, well cut face of the person", "good"),
    (Side.A, False): ("Keep", "a face, sharp or not", "good"),
    (Side.B, False): ("Keep", "a clear, free, well cut face", "good"),
}
_KEEP_ALL = "Keep them all. I have looked at each of them."
REST: dict[str, str] = {
    "quality": _KEEP_ALL,
    "usable": _KEEP_ALL,
    "both": _KEEP_ALL,
    "cluster": _KEEP_ALL,
    "find": "None of the others is to be kept. I have looked at each of them.",
    "identity": "They all show the same person. I have looked at each of them.",
    "pair": "They all show the same person. I have looked at each of them.",
    "merge": "They all show somebody else. I have looked at each of them.",
}


def describe(page: str, side: Side) -> TaskText:
    """The title, description, keywords and instructions of a kind of page about a side."""
    return _TEXTS[page, side]
