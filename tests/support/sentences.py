"""Every sentence with which the code that pages reach can end: found by reading the code, not by running it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import product
from pathlib import Path
from typing import NamedTuple

import galloway
from galloway import curation, mturk, pipeline
from galloway.pipeline.jobs.kinds import KINDS

__all__ = ["Sentence", "reached", "sentences"]

_ROOTS = {"CurationError", "EngineError", "MTurkError", "PipelineError"}
_SAYS = {"Advice", "Check", "Finding"}
"""Values whose words pages show: what the doctor and the look at a film found, what a round is for and what is next."""
_ELSEWHERE = ("galloway.pipeline.bundle", "galloway.pipeline.cli", "galloway.pipeline.demo", "galloway.curation.truth")
"""What a terminal says: a training that is sent away, the demo, files of votes. Pages import from there what others
say."""
_HOLE = "%s"


class Sentence(NamedTuple):
    """What may be said, `%s` where it is filled in and every other % doubled; `place` is module:line."""

    place: str
    text: str


@cache
def _files() -> dict[str, Path]:
    """Module → file of everything that is ours."""
    rooms = {f"galloway.{room.__name__.rpartition('.')[2]}": room for room in (curation, mturk, pipeline)}
    found = {f"galloway.{file.stem}": file for file in Path(galloway.__file__).parent.glob("*.py")}
    for name, room in rooms.items():
        folder = Path(str(room.__file__)).parent
        for file in folder.rglob("*.py"):
            parts = file.relative_to(folder).with_suffix("").parts
            found[".".join((name, *parts)).removesuffix(".__init__")] = file
    return found


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse(_files()[module].read_text("utf-8"))


def _imports(module: str) -> Iterator[str]:
    """What a module imports of ours, wherever in it that is said."""
    home = module.split(".") if _files()[module].name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.ImportFrom):
            base = home[: len(home) - node.level + 1] if node.level else []
            name = ".".join([*base, *([node.module] if node.module else [])])
            yield from (one for one in (name, *(f"{name}.{item.name}" for item in node.names)) if one in _files())
        elif isinstance(node, ast.Import):
            yield from (item.name for item in node.names if item.name in _files())


@cache
def reached() -> tuple[str, ...]:
    """The modules that pages and their jobs reach, sorted."""
    stages = [f"galloway.pipeline.stages.{kind.word}" for kind in KINDS.values()]
    assert set(stages) <= set(_files()), "a job's command has its step under its name"
    todo = [name for name in _files() if name.startswith(("galloway.pipeline.web", "galloway.pipeline.jobs"))] + stages
    seen: set[str] = set()
    while todo:
        module = todo.pop()
        if module not in seen and not module.startswith(_ELSEWHERE):
            seen.add(module)
            todo += _imports(module)
    return tuple(sorted(seen))


def _errors(modules: Sequence[str]) -> set[str]:
    """The names of our error classes."""
    bases = {
        node.name: {getattr(base, "id", "") for base in node.bases}
        for module in modules
        for node in ast.walk(_tree(module))
        if isinstance(node, ast.ClassDef)
    }
    found = set(_ROOTS)
    while more := {name for name, of in bases.items() if of & found} - found:
        found |= more
    return found


def sentences() -> list[Sentence]:
    """All of them, each once."""
    said = _errors(reached()) | _SAYS
    found: dict[str, Sentence] = {}
    for module in reached():
        tree = _tree(module)
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        inside = {id(part): function for function in functions for part in ast.walk(function)}  # the innermost one
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _name(node.func) in said:
                reader = _Reader(tree, inside.get(id(node)))
                for argument in [*node.args, *(word.value for word in node.keywords)]:
                    for text in reader.said(argument):
                        found.setdefault(text, Sentence(f"{module}:{node.lineno}", text))
    return [one for one in found.values() if _is_said(one.text)]


def _is_said(text: str) -> bool:
    """Whether it is a sentence: words of its own, and not a command alone."""
    own = text.replace(_HOLE, "")
    return re.search(r"[A-Za-z]{2}.* ", own) is not None and re.match(r"(galloway|pip install) ", own) is None


def _name(node: ast.expr) -> str:
    return str(getattr(node, "id", getattr(node, "attr", "")))


class _Reader:
    """Reads what an expression may say, by what its module and function say of the names in it."""

    def __init__(self, tree: ast.Module, function: ast.FunctionDef | None) -> None:
        self.known: dict[str, list[ast.expr]] = {}
        for node in [*tree.body, *(ast.walk(function) if function else ())]:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                self.known.setdefault(node.targets[0].id, []).append(node.value)
        self.made = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        self.tree, self.depth = tree, 0

    def said(self, node: ast.expr) -> list[str]:
        """The texts that it may be; a hole where that is not known."""
        if isinstance(node, ast.Constant):
            return [node.value.replace("%", "%%")] if isinstance(node.value, str) else [_HOLE]
        if isinstance(node, ast.JoinedStr):
            parts = [self.said(part.value if isinstance(part, ast.FormattedValue) else part) for part in node.values]
            return ["".join(texts) for texts in product(*parts)]
        if isinstance(node, ast.IfExp):
            return self.said(node.body) + self.said(node.orelse)
        if isinstance(node, ast.Tuple | ast.List):
            return [text for part in node.elts for text in self.said(part)]
        if isinstance(node, ast.Starred):
            return self.said(node.value)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            return self.said(node.left)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return ["".join(texts) for texts in product(self.said(node.left), self.said(node.right))]
        if isinstance(node, ast.Call):
            return self._called(node)
        if isinstance(node, ast.Name) and node.id in self.known and self.depth < 3:
            self.depth += 1
            found = [text for value in self.known[node.id] for text in self.said(value)]
            self.depth -= 1
            return list(dict.fromkeys(found))
        return [_HOLE]

    def _called(self, node: ast.Call) -> list[str]:
        name = _name(node.func)
        words = [part.value for part in node.args[1:] if isinstance(part, ast.Constant)]
        if name == "noun" and len(words) == len(node.args) - 1:
            return [str(words[0]), str(words[-1]) if len(words) > 1 else f"{words[0]}s"]
        if name == "format" and isinstance(node.func, ast.Attribute):
            return [re.sub(r"\{[^}]*\}", _HOLE, text) for text in self.said(node.func.value)]
        if isinstance(node.func, ast.Name) and name in self.made and self.depth < 2:
            inner = _Reader(self.tree, self.made[name])
            inner.depth = self.depth + 1
            ends = [part.value for part in ast.walk(self.made[name]) if isinstance(part, ast.Return)]
            return list(dict.fromkeys(text for end in ends if end for text in inner.said(end))) or [_HOLE]
        return [_HOLE]
