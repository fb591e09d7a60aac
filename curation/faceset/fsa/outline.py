"""Where each face lies inside a `.fsa`'s pickle, and that pickle with some faces cut out, without loading it.

Removing a tenth of twenty thousand faces by unpickling builds millions of numbers only to pickle them again. Here the
opcodes are walked once (which is the safety check anyway), the byte range of every face is noted, and the rest is
copied. Two things keep the copy a valid pickle: FRAME opcodes, whose lengths would be wrong, are left out (they only
batch reads), and memo slots that a cut face filled are filled with None, or with the shared string, dtype or function
that it happened to define first, so that every later reference still finds its number.
"""

from __future__ import annotations

import pickle
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ...files import check_name
from .opcodes import DEFAULT_BOUNDS, Bounds, Tally, extent, run
from .shared_values import definitions, names_asked_for
from .templates import FrameTemplate, Template, make_template

__all__ = ["Outline", "Span", "UnusualPickle", "cut", "outline"]

_FRAMING = 9
_TEMPLATES = 12
_FRAME_COST = 400
_MEMOS = {pickle.MEMOIZE[0]: 1, pickle.BINPUT[0]: 2, pickle.LONG_BINPUT[0]: 5}
_DICT, _LIST, _MARK = pickle.EMPTY_DICT[0], pickle.EMPTY_LIST[0], pickle.MARK[0]
_SETITEM, _SETITEMS = pickle.SETITEM[0], pickle.SETITEMS[0]
_APPEND, _APPENDS = pickle.APPEND[0], pickle.APPENDS[0]
_SHORT, _LONG, _FRAME = pickle.SHORT_BINUNICODE[0], pickle.BINUNICODE[0], pickle.FRAME[0]
_BINGET, _LONG_BINGET = pickle.BINGET[0], pickle.LONG_BINGET[0]
_NONE, _POP = pickle.NONE[0], pickle.POP[0]
_FILLER = frozenset(
    pickle.NONE + pickle.NEWTRUE + pickle.NEWFALSE + pickle.BININT + pickle.BININT1 + pickle.MARK + pickle.TUPLE
    + pickle.TUPLE1 + pickle.TUPLE2 + pickle.TUPLE3 + pickle.STACK_GLOBAL + pickle.REDUCE + pickle.BUILD
    + pickle.SHORT_BINUNICODE + pickle.SHORT_BINBYTES
)  # fmt: skip
"""Opcodes of shared values: strings, functions, dtypes."""


_NAMES = frozenset(
    {("numpy", "ndarray"), ("numpy", "dtype")}
    | {
        (f"numpy.{core}.{module}", name)
        for core in ("core", "_core")
        for module, name in (("multiarray", "_reconstruct"), ("multiarray", "scalar"), ("numeric", "_frombuffer"))
    }
)
"""What v2.3.0's files ask for."""


class UnusualPickle(Exception):
    """The pickle is not laid out as faceswap's pickler lays it out; it must be loaded to be changed."""


class Span(NamedTuple):
    """One face: bytes `start` to `end` of the pickle, filling memo slots `first` to `last` (exclusive)."""

    start: int
    end: int
    first: int
    last: int


@dataclass(slots=True)
class Outline:
    """Frame key → spans of its faces, in order, and what the walk saw."""

    tally: Tally
    frames: dict[str, list[Span]] = field(default_factory=dict)


class _Reader:
    """Reads the upper levels of the pickle, value by value; faces are skipped by `run`."""

    def __init__(self, data: bytes, tally: Tally) -> None:
        self.data, self.tally, self.position = data, tally, 0
        self.texts: dict[int, str] = {}
        self.templates: list[Template] = []
        self.whole: list[FrameTemplate] = []
        self.walked: list[tuple[int, int]] = []
        self.head = self.tail = b""

    def peek(self) -> int:
        """The next opcode; FRAMEs are noted and passed."""
        code = self.data[self.position]
        while code == _FRAME:
            self.tally.framing.append(self.position)
            self.position += _FRAMING
            code = self.data[self.position]
        return code

    def take(self, code: int) -> None:
        if self.peek() != code:
            raise UnusualPickle
        self.position += 1

    def memo(self) -> None:
        code = self.peek()
        if code == pickle.MEMOIZE[0]:
            self.tally.memo += 1
            self.position += 1
        elif code in _MEMOS:
            raise UnusualPickle

    def text(self) -> str:
        """A string, new or from the memo."""
        data, start, code = self.data, self.position, self.peek()
        start = self.position
        if code in (_BINGET, _LONG_BINGET):
            width = 1 if code == _BINGET else 4
            slot = int.from_bytes(data[start + 1 : start + 1 + width], "little")
            self.tally.fetched[slot] = start
            self.position += 1 + width
            if slot not in self.texts:
                raise UnusualPickle
            return self.texts[slot]
        if code not in (_SHORT, _LONG):
            raise UnusualPickle
        begin = start + (2 if code == _SHORT else 5)
        end = begin + int.from_bytes(data[start + 1 : begin], "little")
        text = data[begin:end].decode("utf-8", "surrogatepass")
        self.tally.cost += 60 + end - begin
        self.position = end
        slot = self.tally.memo
        self.memo()
        if self.tally.memo > slot and len(self.texts) < 1000:
            self.texts[slot] = text
        return text

    def container(self, code: int) -> None:
        self.take(code)
        self.memo()

    def meta(self) -> None:
        """The `__meta__` dict, whatever it holds."""
        self.container(_DICT)
        if self.peek() == _MARK:
            self.position = run(self.data, self.position, self.tally, value=True)
            return
        self.text()
        if self.peek() != pickle.BINFLOAT[0]:
            raise UnusualPickle
        self.position += 9
        self.take(_SETITEM)

    def face(self) -> Span:
        """One face: skipped by a template where one fits, else walked, and a template made of it and the last."""
        data, tally, start = self.data, self.tally, self.position
        first = tally.memo
        for template in self.templates:
            end = template.skip(data, start)
            if end:
                self.position = end
                tally.memo += template.memo
                tally.cost += template.cost
                for slot in template.slots:
                    tally.fetched[slot] = start
                return Span(start, end, first, tally.memo)
        cost = tally.cost
        self.container(_DICT)
        if self.peek() != _MARK:
            raise UnusualPickle
        self.position = run(data, self.position, tally, value=True)
        self.learn(start, tally.cost - cost)
        return Span(start, self.position, first, tally.memo)

    def learn(self, start: int, cost: int) -> None:
        """Make a template of the face that was walked and the one that was walked before it."""
        span = (start, self.position)
        if len(self.templates) < _TEMPLATES and self.walked:
            template = make_template(self.data, self.walked[-1], span, self.tally, cost)
            if template is not None:
                self.templates.insert(0, template)
        self.walked[:] = [span]

    def filler(self) -> None:
        """What `cut` left in the place of a face: up to its POPs."""
        data, tally = self.data, self.tally
        while (code := self.peek()) != _POP:
            if code == pickle.MEMOIZE[0]:
                tally.memo += 1
            elif code == _BINGET:
                tally.fetched[data[self.position + 1]] = self.position
            elif code == pickle.STACK_GLOBAL[0]:
                tally.names = self.position
            elif code not in _FILLER:
                raise UnusualPickle
            self.position = extent(data, self.position)
        while self.data[self.position] == _POP:
            self.position += 1

    def spans(self) -> list[Span]:
        """The faces of a list whose opening was read."""
        spans: list[Span] = []
        while True:
            code = self.peek()
            if code == _NONE:
                self.filler()
            elif code == _MARK:
                self.position += 1
                while (code := self.peek()) != _APPENDS:
                    if code == _NONE:
                        self.filler()
                    else:
                        spans.append(self.face())
                self.position += 1
            elif code == _DICT:
                span = self.face()
                self.take(_APPEND)
                spans.append(Span(span.start, self.position, span.first, span.last))
            else:
                return spans

    def frame(self, outline: Outline) -> None:
        """One frame. What is around its faces is compared with the frame before, and walked where it differs."""
        data, tally = self.data, self.tally
        name = check_name(self.text(), where=tally.name)
        after_name = self.position
        if name in outline.frames:
            raise UnusualPickle
        if self.head and data.startswith(self.head, after_name):
            self.position += len(self.head)
            tally.memo += 2
            tally.cost += _FRAME_COST
            outline.frames[name] = self.spans()
        else:
            framing = len(tally.framing)
            self.container(_DICT)
            self.take(_MARK)
            fetched = self.peek() in (_BINGET, _LONG_BINGET)
            if self.text() != "faces":
                raise UnusualPickle
            self.container(_LIST)
            if fetched and framing == len(tally.framing) and data[self.position - 1] == pickle.MEMOIZE[0]:
                self.head = data[after_name : self.position]
            outline.frames[name] = self.spans()
        self.after_faces()

    def after_faces(self) -> None:
        """`video_meta` and the end of the frame."""
        data, tally, start = self.data, self.tally, self.position
        if self.tail and data.startswith(self.tail, start):
            self.position += len(self.tail)
            tally.memo += 1
            tally.cost += _FRAME_COST
            return
        self.position = run(data, start, tally, value=True, depth=1)
        tail = data[start : self.position]
        if tail[:1] == pickle.BINGET and tail[2:] == pickle.EMPTY_DICT + pickle.MEMOIZE + pickle.SETITEMS:
            self.tail = tail

    def whole_frames(self, outline: Outline) -> None:
        """Frames of one face, as long as they look like ones that were walked: nearly all of a video's."""
        data, tally, frames, memo = self.data, self.tally, outline.frames, self.tally.memo
        if len(self.whole) < len(self.templates) and self.head and self.tail:
            self.whole = [FrameTemplate(template, self.head, self.tail) for template in self.templates]
        used: dict[FrameTemplate, int] = {}
        position, found = self.position, True
        while found:
            found = False
            for template in self.whole:
                skipped = template.skip(data, position)
                if skipped is None:
                    continue
                name, start, end, position = skipped
                if name in frames:
                    raise UnusualPickle
                frames[name] = [Span(start, end, memo + 3, memo + 3 + template.face.memo)]
                memo += template.memo
                tally.cost += template.face.cost + 2 * _FRAME_COST
                used[template] = start
                found = True
                break
        for template, start in used.items():
            for slot in template.face.slots:
                tally.fetched[slot] = max(start, tally.fetched.get(slot, 0))
        self.position, tally.memo = position, memo

    def frames(self, outline: Outline) -> None:
        self.container(_DICT)
        while True:
            code = self.peek()
            if code == _MARK:
                self.position += 1
                while self.peek() != _SETITEMS:
                    self.whole_frames(outline)
                    if self.peek() != _SETITEMS:
                        self.frame(outline)
                self.position += 1
            elif code in (_SHORT, _LONG):
                self.frame(outline)
                self.take(_SETITEM)
            else:
                return


def outline(data: bytes, *, name: str, bounds: Bounds = DEFAULT_BOUNDS) -> Outline:
    """Walk the pickle of a `.fsa` 2.x and note where its faces lie.

    Raises UnsafeFile and FormatError as `opcodes.run` does, UnusualPickle where the layout is another (v1 files,
    protocols 2 and 3); such a file is read with `read_alignments` instead.
    """
    tally = Tally(name, bounds)
    result, reader = Outline(tally), _Reader(data, tally)
    try:
        if data[:2] not in (b"\x80\x04", b"\x80\x05"):
            raise UnusualPickle
        reader.position = 2
        reader.container(_DICT)
        reader.take(_MARK)
        if reader.text() != "__meta__":
            raise UnusualPickle
        reader.meta()
        if reader.text() != "__data__":
            raise UnusualPickle
        reader.frames(result)
        reader.take(_SETITEMS)
        reader.take(pickle.STOP[0])
    except (IndexError, UnicodeDecodeError):
        raise UnusualPickle from None
    if tally.explicit or not _NAMES.issuperset(names_asked_for(data, tally.names) if tally.names else ()):
        raise UnusualPickle  # what else it asks for, the unpickler's allow-list decides
    return result


def _kept_bytes(data: memoryview, start: int, end: int, framing: list[int]) -> Iterator[memoryview]:
    """`data[start:end]` without the FRAME opcodes in it."""
    at = bisect_left(framing, start)
    while at < len(framing) and framing[at] < end:
        if framing[at] > start:
            yield data[start : framing[at]]
        start = framing[at] + _FRAMING
        at += 1
    if start < end:
        yield data[start:end]


def _in_place_of(data: bytes, span: Span, outline: Outline) -> bytes:
    """What keeps the memo right where `span` is cut out: `None`, as often memoized as there are slots, the shared
    values that the face defined, and as many POPs as values were pushed."""
    fetched = outline.tally.fetched
    needed = [slot for slot in range(span.first, span.last) if fetched.get(slot, 0) >= span.end]
    parts, pushed, slot = [pickle.NONE], 1, span.first
    for definition in definitions(data, span.start, span.end, span.first, needed) if needed else ():
        if definition is None:
            raise UnusualPickle
        if pushed > 1 and definition.first > slot:
            parts.append(pickle.NONE)
            pushed += 1
        parts += (pickle.MEMOIZE * (definition.first - slot), definition.opcodes)
        pushed, slot = pushed + 1, definition.slot + 1
    if pushed > 1 and span.last > slot:
        parts.append(pickle.NONE)
        pushed += 1
    parts += (pickle.MEMOIZE * (span.last - slot), pickle.POP * pushed)
    return b"".join(parts) if span.last > span.first else b""


def cut(data: bytes, found: Outline, removed: Mapping[str, set[int]]) -> Iterator[bytes | memoryview]:
    """The pickle without the faces `removed` (frame key → places in its list), in pieces.

    Frames stay, with an empty list where nothing is left. Raises UnusualPickle, before the first piece, where a cut
    face defines something that cannot be kept without it.
    """
    spans = sorted(
        (found.frames[name][index] for name, places in removed.items() for index in places), key=lambda s: s.start
    )
    replacements = [_in_place_of(data, span, found) for span in spans]
    return _pieces(data, found, spans, replacements)


def _pieces(data: bytes, found: Outline, spans: list[Span], replacements: list[bytes]) -> Iterator[bytes | memoryview]:
    view, position = memoryview(data), 0
    for span, replacement in zip(spans, replacements, strict=True):
        yield from _kept_bytes(view, position, span.start, found.tally.framing)
        if replacement:
            yield replacement
        position = span.end
    yield from _kept_bytes(view, position, len(data), found.tally.framing)
