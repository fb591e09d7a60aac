"""Is what was built also wired? Public functions, classes and methods that nothing but tests uses, one a line.

Names are matched, not types: a name that the product uses anywhere counts for every definition of that name, so what is
told here is unused for certain. Uses are names, attributes and strings in code outside the definition itself, the
benches' code too, and words in templates. Not told: what a decorator registers (commands, routes, operations), methods
of classes with a base from outside, migrations, and what a package's public face exports, with its methods.

Run it: python tests/wired.py   (exit code 1 where something is told)
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROOMS = ("galloway", "curation", "mturk", "pipeline", "templates")
FACES = ("galloway", "curation/truth", "curation/faceset", "curation/screen", "mturk")
"""Packages whose `__all__` is for people who import them."""
PLAIN = frozenset(
    {
        *("abstractmethod", "cache", "cached_property", "classmethod", "contextmanager", "dataclass", "lru_cache"),
        *("override", "property", "runtime_checkable", "staticmethod", "total_ordering"),
    }
)
"""Decorators that register nothing."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
Trees = dict[Path, ast.Module]


@dataclass(frozen=True)
class Definition:
    """A public function, class or method; `within` is how often its name stands in itself, where it proves nothing."""

    path: Path
    line: int
    name: str
    owner: str
    within: int

    def __str__(self) -> str:
        name = f"{self.owner}.{self.name}" if self.owner else self.name
        return f"{self.path}:{self.line}: {name} is used by nothing but tests. Wire it or delete it."


def main() -> int:
    """Tell what is not wired; 1 where something is."""
    found = unwired(ROOT)
    print("\n".join(str(item) for item in found) or "Everything public is used by the product.")
    return 1 if found else 0


def unwired(root: Path) -> list[Definition]:
    """The definitions below `root` that only tests use."""
    trees = {
        path.relative_to(root): ast.parse(path.read_text(encoding="utf-8"))
        for room in ROOMS
        for path in sorted((root / room).rglob("*.py"))
        if "versions" not in path.parts
    }
    benches = [ast.parse(path.read_text(encoding="utf-8")) for path in (root / "bench").glob("*.py")]
    uses = Counter(word for tree in (*trees.values(), *benches) for word in words(tree, unproven(tree)))
    uses += Counter(word for text in templates(root) for word in re.findall(r"\w+", text))
    faces = (trees.get(Path(face, "__init__.py")) for face in FACES)
    exported = frozenset(name for face in faces if face is not None for name in listed(face))
    found = (item for item in definitions(trees, exported) if uses[item.name] <= item.within)
    return list(found)


def definitions(trees: Trees, exported: frozenset[str]) -> Iterator[Definition]:
    """What has to be used by somebody."""
    ours = {node.name for tree in trees.values() for node in tree.body if isinstance(node, ast.ClassDef)}
    for path, tree in trees.items():
        for node in tree.body:
            if not isinstance(node, Function | ast.ClassDef) or hidden(node) or node.name in exported:
                continue
            yield Definition(path, node.lineno, node.name, "", count(node, node.name))
            if isinstance(node, ast.ClassDef) and bases(node) <= ours | {"Protocol", "Exception", "Enum", "StrEnum"}:
                for item in node.body:
                    if isinstance(item, Function) and not hidden(item):
                        yield Definition(path, item.lineno, item.name, node.name, count(item, item.name))


def hidden(node: Function | ast.ClassDef) -> bool:
    """Whether it is private, or registered by a decorator."""
    return node.name.startswith("_") or not {last(item) for item in node.decorator_list} <= PLAIN


def bases(node: ast.ClassDef) -> set[str]:
    """The names of the classes that it is made from; what another package names is no name of ours."""
    plain = [base.value if isinstance(base, ast.Subscript) else base for base in node.bases]
    return {base.id if isinstance(base, ast.Name) else ast.unparse(base) for base in plain}


def last(node: ast.expr) -> str:
    """The word that names it: `cache` of `functools.cache`, `get` of `blueprint.get("/")`."""
    node = node.func if isinstance(node, ast.Call) else node
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def count(node: ast.AST, name: str) -> int:
    return sum(word == name for word in words(node, unproven(node)))


def words(tree: ast.AST, unproven: frozenset[int]) -> Iterator[str]:
    """Every name that code mentions; of strings those that are nothing but names, such as "..stages.train:train"."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif is_name(node) and id(node) not in unproven:
            yield from re.findall(r"\w+", str(getattr(node, "value", "")))


def is_name(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(re.fullmatch(r"[\w.:]+", node.value))


def unproven(tree: ast.AST) -> frozenset[int]:
    """The strings of `__all__`: to be listed is not to be used."""
    return frozenset(
        id(item)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and any(last(target) == "__all__" for target in node.targets)
        for item in ast.walk(node)
    )


def listed(tree: ast.Module) -> list[str]:
    """The names of `__all__`."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(last(target) == "__all__" for target in node.targets):
            return [item.value for item in ast.walk(node.value) if isinstance(item, ast.Constant)]
    return []


def templates(root: Path) -> Iterator[str]:
    """What Jinja's templates do, between their braces."""
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.html")):
            yield from re.findall(r"\{[{%](.*?)[%}]\}", path.read_text(encoding="utf-8"), re.DOTALL)


if __name__ == "__main__":
    sys.exit(main())
