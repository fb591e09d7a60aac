"""What the recruiting pages share: the blueprint, who may do what, and how much may be sent."""

from __future__ import annotations

from flask import Blueprint, abort, request

from ..opened import may_act

__all__ = ["blueprint"]

blueprint = Blueprint("recruits", __name__, url_prefix="/recruits")
_LISTS = frozenset({"recruits.links", "recruits.redeem"})
_LARGEST_LIST = 8 << 20


@blueprint.before_request
def _allowed() -> None:
    """Everybody may look at studies; only who may spend starts anything. Lists of people are longer than forms."""
    if request.method == "POST" and not may_act():
        abort(403, "You may look here, not start anything: that takes somebody who may spend.")
    if request.endpoint in _LISTS:
        request.max_content_length = request.max_form_memory_size = _LARGEST_LIST
