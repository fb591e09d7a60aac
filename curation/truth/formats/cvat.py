"""CVAT for images (XML): tags of pictures. It does not say who gave them, unless its meta block names the assignee."""

from __future__ import annotations

from .answers import resolve
from .types import Answer, Content, Format, Markup, Reading, Wish, refuse

__all__ = ["IMAGES"]

_FORM = "an export of CVAT"
_WHO = ("meta/job/assignee/username", "meta/task/assignee/username", "meta/job/assignee", "meta/task/assignee")


def _fits(content: Content) -> bool:
    return isinstance(content, Markup) and content.root.tag == "annotations"


def _read(markup: Markup, wish: Wish) -> Reading:
    worker = next((text.strip() for path in _WHO if (text := markup.root.findtext(path)) and text.strip()), "")
    if not worker:
        raise refuse(
            markup.name,
            "is an export of CVAT, which does not say who gave the tags. Several people's votes are several exports: "
            "write them into one table with the columns worker,task,label.",
        )
    answers = []
    for place, image in enumerate(markup.root.iterfind("image"), 1):
        tags = [tag.get("label", "") for tag in image.iterfind("tag")]
        if tags:
            answers.append(Answer(worker, image.get("name", image.get("id", "")), {"tag": tags}, place))
    if not answers:
        raise refuse(markup.name, "holds no tag of a picture; boxes and masks are no votes.")
    return resolve(_FORM, markup.name, answers, wish, unit="picture")


IMAGES = Format(_FORM, _fits, _read)
