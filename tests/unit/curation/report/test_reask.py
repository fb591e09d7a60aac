"""What is worth another vote: as a page, as a table, as a file."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from click.testing import CliRunner
from galloway.pipeline.cli.votes import votes as votes_command

ROWS = (
    [(who, f"sure{task}", "yes") for task in range(6) for who in ("ann", "bob", "cy", "dee")]
    + [(who, f"no{task}", "no") for task in range(6) for who in ("ann", "bob", "cy", "dee")]
    + [("ann", "tied", "yes"), ("bob", "tied", "no"), ("ann", "lone", "yes"), ("cy", "known", "yes")]
)


def test_the_tied_and_the_lone_are_listed_and_what_is_known_is_not(tmp_path: Path) -> None:
    source, gold, again = (tmp_path / name for name in ("votes.csv", "gold.csv", "again.csv"))
    source.write_text("worker,task,label\n" + "".join(",".join(row) + "\n" for row in ROWS))
    gold.write_text("task,label\nknown,yes\n")
    page, tables = tmp_path / "report.html", tmp_path / "tables"
    arguments = ["report", str(source), "--gold", str(gold), "--out", str(page), "--tables", str(tables)]
    done = CliRunner().invoke(votes_command, [*arguments, "--reask", str(again), "--method", "majority"])
    assert done.exit_code == 0, done.output
    listed = pd.read_csv(again)
    assert listed["task"].tolist()[0] == "tied"
    assert {"tied", "lone"} <= set(listed["task"])
    assert "known" not in set(listed["task"])
    assert (listed["gain"].to_numpy() >= 0).all()
    assert pd.read_csv(tables / "reask.csv")["face"].tolist() == listed["task"].tolist()
    assert "Worth another vote" in page.read_text()
    assert f"Wrote {again}" in done.stderr


def test_abstentions_are_said_and_count_for_nothing(tmp_path: Path) -> None:
    source, page = tmp_path / "votes.csv", tmp_path / "report.html"
    source.write_text("worker,task,label\nann,t,yes\nbob,t,unsure\ncy,t,unsure\nann,u,no\nbob,u,no\n")
    done = CliRunner().invoke(votes_command, ["report", str(source), "--out", str(page), "--abstain", "unsure"])
    assert done.exit_code == 0, done.output
    assert "2 more voters could not tell" in done.stdout
    assert "In 2 more answers the voter could not tell" in page.read_text()
    assert "unsure 2" not in done.stdout
