"""A requester's page to look at without a marketplace: everything of ours is in it, and nothing can be sent from it."""

from __future__ import annotations

import re

from ...rules.questions import PREVIEW_ID
from .documents import FrameContext, serve_document
from .scripts import script

__all__ = ["PREVIEW_POLICY", "preview_document"]

_ASSETS = "preview:assets"
_OURS = re.compile(rf'<script\b([^>]*?)\ssrc="{_ASSETS}/([\w.-]+)"([^>]*)>\s*(?:</script>)?', re.IGNORECASE)
PREVIEW_POLICY = "form-action 'none'"
"""The Content-Security-Policy of a preview: whatever the page or a script of it tries, no form leaves it."""
_META = f'<meta http-equiv="Content-Security-Policy" content="{PREVIEW_POLICY}">'
_START = re.compile(r"<!doctype[^>]*>", re.IGNORECASE)


def preview_document(html: str) -> str:
    """The page as a worker sees it before accepting, in one file that a browser opens from anywhere."""
    nowhere = FrameContext(
        assignment_id=PREVIEW_ID, hit_id="", worker_id="", turk_submit_to="", assets=_ASSETS, portal="", preview=True
    )
    page = _OURS.sub(_inline, serve_document(html, nowhere))
    start = _START.match(page.lstrip())
    if start is None:
        return f"<!DOCTYPE html>{_META}{page}"
    page = page.lstrip()
    return f"{page[: start.end()]}{_META}{page[start.end() :]}"


def _inline(found: re.Match[str]) -> str:
    before, name, after = found.groups()
    return f"<script{before}{after}>{script(name)}</script>"
