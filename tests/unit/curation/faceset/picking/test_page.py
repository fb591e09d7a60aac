"""The map and list of what was picked: every kind has its panel, what lacks is crossed, and no name is markup."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

from galloway.curation.faceset.picking.choose import Cell, Picked
from galloway.curation.faceset.picking.page import PickPage

EVEN = Cell(0, 0, "mouth closed", "lit evenly")
LACKS = Cell(30, -15, "mouth wide open", "lit from the left")
PAGE = PickPage("Picked", ("a<b>.png", "c.png", "d.png"), [Picked(1, EVEN, 1, 40)], [(LACKS, 12)], True)


def words(svg: str) -> list[str]:
    return [(node.text or "") for node in ElementTree.fromstring(svg).iter() if node.tag.endswith("text")]


def test_each_kind_has_a_panel_with_its_counts() -> None:
    for narrow in (False, True):
        drawn = PAGE.picture(narrow=narrow)
        found = words(drawn)
        assert {"mouth closed, lit evenly", "mouth wide open, lit from the left", "1", "12"} <= set(found)
        assert len(re.findall(r'fill="url\(#lacks\)"', drawn)) == 2, "the key's and one cell"


def test_nothing_picked_and_nothing_lacking_is_still_a_picture() -> None:
    empty = PickPage("Picked", ("c.png",), [], [], False)
    assert ElementTree.fromstring(empty.picture()) is not None
    assert "Name side A" in empty.to_html()


def test_the_list_names_faces_with_their_reasons() -> None:
    assert PAGE.to_text() == f"c.png  {PAGE.picked[0].reason}"
    assert json.loads(PAGE.to_json())["lacking"] == [{"cell": str(LACKS), "frames": 12}]
    assert PAGE.summary().endswith("1 kinds lack, in 12 of the clip's frames.")
    assert PAGE.lacks() == [f"Lacking: {LACKS} (12 of the clip's frames)"]


def test_a_name_is_text() -> None:
    odd = PickPage("Picked", PAGE.names, [Picked(0, EVEN, 1, 40)], [], True)
    assert "a&lt;b&gt;.png" in odd.to_html()
    assert "a<b>" not in odd.to_html()
