"""A decoded frame's own samples: how they are stored, and changing only those where a picture was changed.

A picture is swapped in RGB, but a video is stored in other formats, with a matrix and a range of its own. Turning every
frame there and back would shift every colour; so frames stay as they were decoded and only samples under changed
pixels are replaced. Frames here are `av.VideoFrame` in planar formats.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ALIGNED",
    "BT709",
    "UNTOLD",
    "Look",
    "Samples",
    "beside_one_another",
    "brightened",
    "cut",
    "differing",
    "drawn",
    "is_clear",
    "is_full",
    "light",
    "mixed",
    "narrowed",
    "opacity",
    "planar",
    "samples_of",
    "to_rgb",
    "turned",
    "with_edges",
    "with_parts",
    "with_samples",
]

ALIGNED = 16
"""Parts of a frame begin at multiples of this: no format shares a sample of colour among more pixels."""

Picture = NDArray[np.uint8]
Samples = NDArray[np.uint8] | NDArray[np.uint16]

_PLANAR = {
    "nv12": "yuv420p", "nv21": "yuv420p", "nv16": "yuv422p", "yuyv422": "yuv422p", "uyvy422": "yuv422p",
    "yvyu422": "yuv422p", "p010le": "yuv420p10le", "p210le": "yuv422p10le", "nv20le": "yuv422p10le",
    "v210": "yuv422p10le", "y210le": "yuv422p10le", "pal8": "gbrp", "monob": "gray", "monow": "gray", "ya8": "gray",
}  # fmt: skip
"""Formats whose samples lie mixed, and the planar one that holds the same."""
_SWS = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
"""FFmpeg's numbers of a colour matrix (ITU-T H.273, table 4) and swscale's names of the same; others count as BT.601,
as swscale itself takes what is not told."""


@dataclass(frozen=True, slots=True)
class Look:
    """How samples are meant, in FFmpeg's numbers (ITU-T H.273): matrix, primaries, transfer; `range` is 1 (limited), 2
    (full) or 0. Two is "not told" for all but the range. `aspect` is a pixel's width over its height."""

    matrix: int = 2
    primaries: int = 2
    transfer: int = 2
    range: int = 0
    aspect: Fraction = Fraction(1)

    @property
    def told(self) -> bool:
        """Whether the matrix is known, not guessed."""
        return self.matrix not in (2, 3)


UNTOLD = Look()
BT709 = Look(1, 1, 1, 1)
"""What is written where pictures without a meaning of their own become video."""


def planar(frame: Any) -> Any:
    """The frame with its samples in planes: the frame itself, or one of the format that holds the same values."""
    name = frame.format.name
    target = _PLANAR.get(name)
    if target is None and frame.format.is_rgb and not name.startswith("gbr"):
        parts = frame.format.components
        kind = "gbrap" if any(part.is_alpha for part in parts) else "gbrp"
        target = f"{kind}16le" if max(part.bits for part in parts) > 8 else kind
    if target is None and name.endswith("be"):
        target = f"{name[:-2]}le"
    return frame.reformat(format=target) if target else frame


def to_rgb(frame: Any) -> Picture:
    """uint8 (height, width, 3), RGB, by the frame's own matrix and range."""
    if frame.format.is_rgb:
        return np.asarray(frame.to_ndarray(format="rgb24"))
    # A thread for a part of a picture costs more than the part.
    made = frame.reformat(format="rgb24", src_colorspace=_SWS.get(int(frame.colorspace), 5), threads=1)
    return np.asarray(made.to_ndarray())


def drawn(picture: Picture, like: Any) -> Any:
    """The picture in the format, matrix and range of the frame `like`."""
    import av

    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    if like.format.is_rgb:
        return frame.reformat(format=like.format.name)
    return frame.reformat(
        format=like.format.name,
        dst_colorspace=_SWS.get(int(like.colorspace), 5),
        src_color_range=2,
        dst_color_range=2 if is_full(like) else 1,
        threads=1,
    )


def is_full(frame: Any) -> bool:
    """Whether samples of brightness and colour use the full range; a frame of RGB has none of these."""
    return not frame.format.is_rgb and (int(frame.color_range) == 2 or frame.format.name.startswith("yuvj"))


def is_clear(frame: Any) -> bool:
    """Whether the frame's format holds transparency."""
    return any(component.is_alpha for component in frame.format.components)


def opacity(frame: Any) -> NDArray[np.uint8]:
    """How opaque each pixel is, uint8 (height, width), of a frame that `is_clear`."""
    (alpha,) = (part for part in frame.format.components if part.is_alpha)
    return np.asarray(_samples(frame, alpha.plane) >> alpha.bits - 8, np.uint8)


def narrowed(frame: Any) -> Any:
    """A frame of the full range in the limited one, with ten bits or more, so that no two values become one. swscale
    rounds all of them down, by a third of an 8-bit step."""
    import av

    found = re.fullmatch(r"(yuva?)j?(420|422|444)p.*", frame.format.name)
    if found is None:
        return frame.reformat(src_color_range=2, dst_color_range=1)
    bits = max(component.bits for component in frame.format.components)
    wide = max(bits, 10)
    made = av.VideoFrame(frame.width, frame.height, f"{found[1]}{found[2]}p{wide}le")
    values, most, step = np.arange(1 << bits), (1 << bits) - 1, 1 << wide - 8
    # ITU-T H.273, equations 26 to 31.
    brightness = (16 + values / most * 219) * step
    colour = (128 + (values - (1 << bits - 1)) / most * 224) * step
    clear = values / most * ((1 << wide) - 1)
    for index, scale in enumerate((brightness, colour, colour, clear)[: len(frame.planes)]):
        _samples(made, index)[:] = np.rint(scale).astype(np.uint16)[_samples(frame, index)]
    made = _meant_like(made, frame)
    made.color_range = 1
    return made


def cut(frame: Any, left: int, top: int, right: int, bottom: int) -> Any:
    """A part of the frame as a frame of its own; left and top are multiples of ALIGNED."""
    import av

    made = av.VideoFrame(right - left, bottom - top, frame.format.name)
    for index in range(len(frame.planes)):
        samples = _samples(made, index)
        samples[:] = _under(frame, index, left, top, samples.shape)
    return _meant_like(made, frame)


def light(frame: Any, left: int, top: int, right: int, bottom: int, step: int) -> NDArray[np.float32]:
    """Every `step`th sample of a part's brightness (of RGB, its green), in 8-bit steps."""
    bits = max(component.bits for component in frame.format.components)
    samples = _samples(frame, 0)[top:bottom:step, left:right:step]
    return np.asarray(samples, np.float32) / np.float32(1 << max(bits - 8, 0))


def with_parts(frame: Any, parts: Sequence[tuple[int, int, Picture, Picture]], *, opaque: bool = False) -> Any:
    """The frame with new pictures in some places: (left, top, the RGB picture that `cut` and `to_rgb` gave there, the
    new one) each. Samples under equal pixels stay bit for bit, and transparency everywhere if they are not `opaque`."""
    planes = [part.plane for part in frame.format.components if opaque or not part.is_alpha]
    made = None
    for left, top, before, after in parts:
        apart = before != after
        lines = np.flatnonzero(apart.reshape(len(apart), -1).any(axis=1))
        if not len(lines):
            continue
        rows = _around(lines)
        columns = _around(np.flatnonzero(apart[rows].any(axis=0).any(axis=1)))
        left, top, changed = left + columns.start, top + rows.start, _of_pixels(apart[rows, columns])
        height, width = changed.shape
        if made is None:
            made = cut(frame, 0, 0, frame.width, frame.height)
        new = drawn(after[rows, columns], cut(frame, left, top, left + width, top + height))
        for index in planes:
            samples = _samples(new, index)
            there = _under(made, index, left, top, samples.shape)
            np.copyto(there, samples, where=_shrunk(changed, samples.shape))
    return frame if made is None else made


def samples_of(frame: Any, left: int, top: int, right: int, bottom: int) -> tuple[Samples, ...]:
    """The samples under a part of the frame, plane by plane, that `with_samples` puts into another; left and top are
    multiples of ALIGNED."""
    part = cut(frame, left, top, right, bottom)
    return tuple(_samples(part, index).copy() for index in range(len(part.planes)))


def with_samples(frame: Any, parts: Sequence[tuple[int, int, tuple[Samples, ...]]]) -> Any:
    """A copy of the frame with other samples in some places: left, top and what `samples_of` gave of each."""
    made = cut(frame, 0, 0, frame.width, frame.height)
    for left, top, planes in parts:
        for index, samples in enumerate(planes):
            _under(made, index, left, top, samples.shape)[:] = samples
    return made


def _around(used: NDArray[np.intp]) -> slice:
    """From the first to the last of these rows or columns, aligned, with some more on both sides: colours at a part's
    very edge may differ from the whole picture's."""
    first, last = int(used[0]) // ALIGNED - 1, int(used[-1]) // ALIGNED + 2
    return slice(max(0, first) * ALIGNED, last * ALIGNED)


def brightened(frame: Any, steps: Callable[[Samples, int], NDArray[np.int8] | NDArray[np.int16]]) -> Any:
    """A copy of the frame with something added to its brightness: `steps` gets its samples, (height, width), and how
    many of them make a step of 255. Of RGB all three colours get what the green one gets."""
    made = cut(frame, 0, 0, frame.width, frame.height)
    bits = max(component.bits for component in frame.format.components)
    added = steps(_samples(made, 0), 1 << bits - 8)
    for index in range(3 if frame.format.name.startswith("gb") else 1):
        samples = _samples(made, index)
        # Some rows at a time, which stay in the processor's cache.
        for top in range(0, len(samples), _AT_ONCE):
            _add(samples[top : top + _AT_ONCE], added[top : top + _AT_ONCE], (1 << bits) - 1)
    return made


def _add(samples: Samples, added: NDArray[np.int8] | NDArray[np.int16], most: int) -> None:
    """Add to samples in place, within 0 … `most`."""
    least, highest = int(samples.min()) + int(added.min()), int(samples.max()) + int(added.max())
    if added.dtype == np.int8 and samples.dtype == np.uint8 and least >= 0 and highest <= most:
        # Nothing has to be held within bounds: a byte is added to a byte.
        np.add(samples, added.view(np.uint8), out=samples)
    else:
        samples[:] = np.clip(np.add(samples, added, dtype=np.int32), 0, most)


_AT_ONCE = 64


def beside_one_another(left: Any, right: Any) -> Any:
    """Two frames of one size as one in 8-bit 4:2:0, None where their samples do not lie alike."""
    import av

    name = left.format.name
    if name != right.format.name or not name.startswith("yuv") or left.width % 2 or right.width < left.width:
        return None
    both = [frame if name in ("yuv420p", "yuvj420p") else frame.reformat(format="yuv420p") for frame in (left, right)]
    made = av.VideoFrame(2 * left.width, left.height, both[0].format.name)
    for index in range(3):
        samples = _samples(made, index)
        half = samples.shape[1] // 2
        for place, frame in enumerate(both):
            samples[:, place * half : (place + 1) * half] = _samples(frame, index)[: samples.shape[0], :half]
    return _meant_like(made, left)


def mixed(before: Picture, after: Picture, share: float) -> Picture:
    """`share` of `after` over the rest of `before`, both uint8 of one shape."""
    if share >= 1:
        return after
    return np.asarray(before + (after.astype(np.float32) - before) * share + 0.5).astype(np.uint8)


def differing(before: Picture, after: Picture) -> NDArray[np.bool_]:
    """Which pixels of two RGB pictures differ, (height, width)."""
    return _of_pixels(before != after)


def _of_pixels(apart: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which pixels differ in any of three colours."""
    return np.asarray(apart[..., 0] | apart[..., 1] | apart[..., 2])


def _under(frame: Any, index: int, left: int, top: int, shape: tuple[int, ...]) -> Samples:
    """The view of a plane that lies under a part of the picture."""
    samples = _samples(frame, index)
    down, across = (-(-whole // part) for whole, part in zip((frame.height, frame.width), samples.shape, strict=True))
    row, column = top // down, left // across
    return samples[row : row + shape[0], column : column + shape[1]]


def _samples(frame: Any, index: int) -> Samples:
    """A view of one plane, (height, width)."""
    plane = frame.planes[index]
    wide = max(component.bits for component in frame.format.components) > 8
    kind: Any = np.uint16 if wide else np.uint8
    flat = np.frombuffer(plane, kind)
    return flat.reshape(plane.height, -1)[:, : plane.width]


def _shrunk(changed: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which samples of a plane lie under a changed pixel."""
    height, width = changed.shape
    if shape == (height, width):
        return changed
    down, across = -(-height // shape[0]), -(-width // shape[1])
    padded = np.pad(changed, ((0, shape[0] * down - height), (0, shape[1] * across - width)))
    result = np.zeros(shape, np.bool_)
    for row in range(down):
        for column in range(across):
            result |= padded[row::down, column::across]
    return result


def turned(frame: Any, quarters: int) -> Any:
    """The frame turned counter-clockwise by quarter turns, sample by sample."""
    import av

    if quarters % 4 == 0:
        return frame
    square = re.fullmatch(r"yuva?j?(420|444)p.*|gray.*|gbra?p.*", frame.format.name)
    if quarters % 2 and not square:
        deep = max(component.bits for component in frame.format.components)
        frame = frame.reformat(format="yuv444p" if deep == 8 else f"yuv444p{deep}le")
    size = (frame.height, frame.width) if quarters % 2 else (frame.width, frame.height)
    made = av.VideoFrame(*size, frame.format.name)
    for index in range(len(frame.planes)):
        _samples(made, index)[:] = np.rot90(_samples(frame, index), quarters)
    return _meant_like(made, frame)


def with_edges(frame: Any, width: int, height: int) -> Any:
    """The frame grown to this size by repeating its last column and row."""
    import av

    if (frame.width, frame.height) == (width, height):
        return frame
    made = av.VideoFrame(width, height, frame.format.name)
    for index in range(len(frame.planes)):
        old, new = _samples(frame, index), _samples(made, index)
        more = ((0, new.shape[0] - old.shape[0]), (0, new.shape[1] - old.shape[1]))
        new[:] = np.pad(old, more, mode="edge")
    return _meant_like(made, frame)


def _meant_like(made: Any, frame: Any) -> Any:
    made.colorspace, made.color_range = frame.colorspace, frame.color_range
    made.pts, made.time_base = frame.pts, frame.time_base
    return made
