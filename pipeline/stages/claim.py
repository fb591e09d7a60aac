"""A copy of a workspace becomes one of its own."""

from __future__ import annotations

from ..app import App
from ..workspace.acts import note_act
from ..workspace.folder import CONFIG_NAME
from ..workspace.place import new_identity, record_place

__all__ = ["claim_copy"]


def claim_copy(app: App) -> int:
    """Give a copied workspace its own identity; how many open HITs at other markets were left to the original.

    The embedded marketplace was copied with the folder, so its HITs are the copy's own. What stands at any other market
    stands there once: the original collects and pays it. Run again after a kill, it goes on; the place is noted last.
    """
    left = 0
    for batch in app.ledger.batches():
        state_key, key = batch["state_key"], batch["batch_key"]
        if state_key == "local":
            continue
        app.ledger.mark_cancelled(state_key, key)
        for hit in app.ledger.hits(state_key, [key]):
            if hit["status"] != "disposed":
                app.ledger.mark_disposed(state_key, key, hit["hit_key"])
                left += 1
    new_identity(app.workspace.root / CONFIG_NAME, app.settings.hosting.s3_prefix)
    record_place(app.workspace.root)
    note_act(app.workspace, "claim", "a copy of its own")
    return left
