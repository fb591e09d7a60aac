"""One design language: colours are tokens of one sheet, templates keep to it, and one page shows all of it."""

from __future__ import annotations

import re
from pathlib import Path

from flask.testing import FlaskClient
from galloway.pipeline.web import create_web_app
from galloway.pipeline.web.components import TOKENS
from galloway.pipeline.workspace.folder import Workspace

WEB = Path(__file__).parents[4] / "pipeline" / "web"
SHEET = (WEB / "static" / "site.css").read_text(encoding="utf-8")
TEMPLATES = {path.name: path.read_text(encoding="utf-8") for path in (WEB / "templates").rglob("*.html")}
ROOTS = re.findall(r":root[^{},]*\{([^}]*--[^}]*)\}", SHEET)
RULES = re.sub(r":root[^{},]*\{[^}]*\}", "", SHEET)
CLASSES = set(re.findall(r"\.([a-z][\w-]*)", re.sub(r"\{[^{}]*\}", "{}", RULES)))
HOOKS = {"scripted"}
"""Classes by which scripts find what they show."""

STATES = {"again", "low", "marked", "near-page", "near-top", "out", "pane", "paying", "sky"}
"""What a script or a rare state adds to a component, or stands inside of a larger one."""


def test_colours_stand_among_the_tokens_and_nowhere_else() -> None:
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\(", RULES) == []
    light, dark, chosen = (dict(re.findall(r"--([\w-]+):([^;]+)", root)) for root in ROOTS)
    assert dark.keys() <= light.keys()
    assert chosen == dark, "the system's dark and the chosen one are one"
    light = set(light)
    used = set(re.findall(r"var\(--([\w-]+)\)", RULES))
    assert (used - light, light - used) == (set(), set()), "unknown, and of no use"


def test_templates_use_what_the_sheet_has() -> None:
    for name, text in TEMPLATES.items():
        assert not re.search(r"<style|\sstyle=", text), name
        said = re.sub(r"\{[{%].*?[%}]\}", " \N{REPLACEMENT CHARACTER} ", text)
        for classes in re.findall(r'class="([^"]*)"', said):
            # What stands beside an expression is half of a name.
            whole = [word for word in classes.split() if re.fullmatch(r"[a-z][\w-]*[a-z0-9]", word)]
            assert set(whole) <= CLASSES | HOOKS, (name, classes)


def test_the_page_shows_every_token_and_component(workspace: Workspace) -> None:
    client: FlaskClient = create_web_app(workspace).test_client()
    page = client.get("/components").text
    for token in TOKENS:
        assert f"token-{token}" in CLASSES
        assert f'class="token token-{token}"' in page
    shown = {word for classes in re.findall(r'class="([^"]*)"', page) for word in classes.split()}
    assert sorted(CLASSES - shown - STATES) == []
    assert sorted(STATES & shown) == [], "which is shown, and need not be excused"
