"""What an audit found is told: settled faces asked once more, and faces that screening would have rejected."""

from __future__ import annotations

import json
from pathlib import Path

from galloway.curation.types import Side
from galloway.pipeline.app import App
from galloway.pipeline.web.site import create_web_app

from tests.support.workspace import answer_everything, built_app, galloway

_SETTINGS = """
[ask]
learn = false
votes = 3
faces_per_hit = 6
audit_share = 1.0

[side_a]
questions = ["usable"]

[side_b]
questions = ["usable"]
"""


def screened(app: App, audit: list[str]) -> None:
    """The report of a screening that was sure of these faces and left them to people."""
    faces = [
        {"face_id": face.face_id, "p_keep": 0.01, "p_same": None, "order": 0.0, "twin_of": None, "flags": []}
        for face in app.store.faces(Side.B)
        if face.face_id in audit
    ]
    data = {"faces": faces, "proposed": [], "audit": audit}
    app.workspace.path("reports", "screen-b.json").write_text(json.dumps(data), encoding="utf-8")


def test_what_audits_find_stands_in_status_report_and_pages(tmp_path: Path) -> None:
    app = built_app(tmp_path / "w", faces=12, settings=_SETTINGS)
    assert json.loads(galloway(app, "status", "--json").stdout)["audits"] == {}
    for _ in range(2):  # the second round is the audit of what the first one settled
        assert galloway(app, "publish", "--yes").returncode == 0
        answer_everything(app, workers=6)
        assert galloway(app, "collect").returncode == 0
    # Every fourth face of the builder is no face; of these two, screening was wrong about the first.
    screened(app, [app.store.faces(Side.B)[0].face_id, app.store.faces(Side.B)[3].face_id])
    status = json.loads(galloway(app, "status", "--json").stdout)["audits"]
    assert (status["usable"]["answers"], status["usable"]["against"]) == (24, 0)
    assert (status["usable"]["low"], round(status["usable"]["high"], 4)) == (0, 0.1425)  # binom.test(0, 24)
    screening = status["screening of side b"]
    assert (screening["answers"], screening["against"], round(screening["expected"], 2)) == (2, 1, 0.02)
    told = "0 of 24 answers on audited faces contradict the decision: 0.0% to 14.2% (exact 95 % interval)"
    assert f"audit, usable: {told}" in galloway(app, "status").stdout
    assert galloway(app, "report").returncode == 0
    folder = app.workspace.root / "reports"
    for name in ("agreement.html", "agreement.json"):
        assert "usable" in json.loads((folder / "agreement.json").read_text(encoding="utf-8"))["audits"], name
    assert told in (folder / "agreement.html").read_text(encoding="utf-8")
    page = create_web_app(app.workspace).test_client().get("/", base_url="http://127.0.0.1:8500").text
    assert told in page
