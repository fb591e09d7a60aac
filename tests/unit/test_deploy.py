"""What a team copies: every command line is one that we take, every unit is read by its own program."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest
import yaml
from galloway.pipeline.cli.main import cli

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*"))


def taken(words: list[str]) -> None:
    """Let the command line read the words and run nothing; it raises click's errors."""
    with cli.make_context("galloway", list(words)) as context:
        command: click.Command = cli
        while isinstance(command, click.Group):
            name, found, rest = command.resolve_command(context, [*context._protected_args, *context.args])
            assert found is not None
            command, context = found, found.make_context(name, rest, parent=context)


def compose() -> dict[str, dict]:  # type: ignore[type-arg]
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)  # type: ignore[no-any-return]


@pytest.mark.parametrize("unit", [path for path in UNITS if path.suffix == ".service"], ids=lambda path: path.name)
def test_a_unit_starts_what_the_command_line_takes(unit: Path) -> None:
    (line,) = re.findall(r"^ExecStart=(.+)$", unit.read_text(encoding="utf-8"), re.M)
    program, *words = shlex.split(line)
    assert program == "/opt/galloway/bin/galloway"
    taken(words)


@pytest.mark.systemd
def test_systemd_reads_the_units(tmp_path: Path) -> None:
    for path in UNITS:
        text = path.read_text(encoding="utf-8").replace("/opt/galloway/bin/galloway", "/bin/true")
        (tmp_path / path.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True, text=True, check=False, env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
    )  # fmt: skip
    ours = [line for line in done.stderr.splitlines() if str(tmp_path) in line or "galloway-" in line]
    assert done.returncode == 0 and ours == [], done.stderr


def test_compose_names_what_is_there() -> None:
    made = compose()
    services = made["services"]
    assert set(services) == {"database", "market", "requester", "proxy"}
    for service in services.values():
        for other in service.get("depends_on", ()):
            assert other in services
        for volume in service.get("volumes", ()):
            source = str(volume).partition(":")[0]
            if source.startswith("./"):
                assert (DEPLOY / source).is_file()
            elif not source.startswith("$"):
                assert source in made["volumes"]
    build = services["market"]["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).is_file()
    for name in ("market", "requester"):
        taken([word.replace("${", "").replace(":?}", "").replace("}", "") for word in services[name]["command"]])
    asked = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text(encoding="utf-8")))
    given = re.findall(r"^(\w+)=", (DEPLOY / "example.env").read_text(encoding="utf-8"), re.M)
    assert asked == set(given)


def test_the_proxy_reads_certificates_where_the_example_says_they_are() -> None:
    """certbot's live/ holds links to ../../archive, which lead nowhere where live/ alone is mounted."""
    given = dict(re.findall(r"^(\w+)=(.*)$", (DEPLOY / "example.env").read_text(encoding="utf-8"), re.M))
    proxy = compose()["services"]["proxy"]
    (mounted,) = (volume for volume in proxy["volumes"] if "GALLOWAY_CERTIFICATES" in volume)
    inside = mounted.rpartition("}:")[2].removesuffix(":ro")
    for name, file in (("CERTIFICATE", "fullchain.pem"), ("CERTIFICATE_KEY", "privkey.pem")):
        assert proxy["environment"][name] == f"{inside}/${{GALLOWAY_{name}:?}}"
        assert (given["GALLOWAY_CERTIFICATES"], given[f"GALLOWAY_{name}"]) == (
            "/etc/letsencrypt",
            f"live/team.example/{file}",
        )
    template = (DEPLOY / "nginx.conf.template").read_text(encoding="utf-8")
    filled = set(re.findall(r"\$\{(\w+)\}", template))
    assert filled == set(proxy["environment"])


def test_the_workspaces_folder_belongs_to_who_works_in_it() -> None:
    lines = (DEPLOY / "Containerfile").read_text(encoding="utf-8").splitlines()
    made = lines.index("RUN install -d -o galloway -g galloway /srv/workspace")
    assert made < lines.index("USER galloway") < lines.index("VOLUME /srv/workspace")


def test_the_containerfile_copies_what_is_there_and_asks_for_extras_that_are() -> None:
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert lines[0].startswith("FROM ")
    known = {"FROM", "RUN", "COPY", "USER", "VOLUME", "ENV", "EXPOSE", "ENTRYPOINT", "CMD"}
    assert {line.split()[0] for line in lines} <= known
    copied = [word for line in lines if line.startswith("COPY ") for word in line.split()[1:-1]]
    assert copied and all((ROOT / name).exists() for name in copied)
    rooms = {path.name for path in ROOT.iterdir() if (path / "py.typed").exists()}
    assert rooms <= set(copied), "a room that is not copied is missing from the image"
    (extras,) = re.findall(r"/src\[([a-z,]+)\]", text)
    setup = (ROOT / "setup.cfg").read_text(encoding="utf-8")
    for extra in extras.split(","):
        assert re.search(rf"^{extra} =$", setup, re.M)
