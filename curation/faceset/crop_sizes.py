"""How large the pictures of a faceset are, and what faceswap says to that: it trains on squares of one size only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..plain import typed

__all__ = ["CropSizes", "crop_sizes", "set_aside"]


@dataclass(frozen=True, slots=True)
class CropSizes:
    """The `usual` width and height, the names of pictures that are `oblong`, and of squares of `other` sizes; `options`
    name the set on a command line."""

    usual: tuple[int, int]
    oblong: tuple[str, ...]
    other: tuple[str, ...]
    options: str

    @property
    def oblong_message(self) -> str:
        """What is wrong with the oblong ones; empty where there are none."""
        return "pictures that are not square, which faceswap refuses" if self.oblong else ""

    @property
    def other_message(self) -> str:
        """What is wrong with the ones of another size; empty where there are none."""
        width, height = self.usual
        return f"pictures that are not {width}x{height} like most, which faceswap refuses to mix" if self.other else ""

    @property
    def odd(self) -> tuple[str, ...]:
        """All that faceswap refuses, by name."""
        return tuple(sorted((*self.oblong, *self.other)))

    @property
    def set_aside(self) -> str:
        """The commands that take them out of the set and its alignments."""
        return set_aside(self.options)

    def sentences(self) -> tuple[str, ...]:
        """One for each kind of picture that faceswap refuses: how many, which is the first, what to do."""
        kinds = (self.oblong_message, self.oblong), (self.other_message, self.other)
        return tuple(
            f"{len(names):,} {message}; the first is {names[0]}. The embedded engine takes them. "
            f"For faceswap, {self.set_aside}"
            for message, names in kinds
            if names
        )


def set_aside(options: str) -> str:
    """The command that takes pictures of odd sizes out of a set; `options` name it."""
    return f"set them aside: galloway faceset odd-sizes {options} --output move"


def crop_sizes(folder: Path, names: Iterable[str], options: str = "") -> CropSizes:
    """The sizes of these PNGs, by their own headers; no pixels are read. `options` name the set on a command line,
    where that is no folder on its own."""
    sizes = {name: _size(folder / name) for name in names}
    squares = Counter(size for size in sizes.values() if size[0] == size[1])
    usual = squares.most_common(1)[0][0] if squares else (0, 0)
    oblong = tuple(name for name, (across, down) in sizes.items() if across != down)
    other = tuple(name for name, size in sizes.items() if size[0] == size[1] and size != usual)
    return CropSizes(usual, oblong, other, options or f"--faces {typed(folder)}")


def _size(path: Path) -> tuple[int, int]:
    """Width and height by a PNG's own header, in which they are bytes 16 to 24 (PNG specification, 11.2.2)."""
    with path.open("rb") as stream:
        head = stream.read(24)
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
