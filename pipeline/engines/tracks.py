"""What a video holds beside its picture, carried from one container to another: sound, subtitles, chapters, titles."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from ..video.opening import codec_of
from .encodings import kept_as_it_is
from .languages import in_quicktime

__all__ = ["Tracks", "timecode_of"]

_AAC_RATES = frozenset({8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000})
_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1", 8: "7.1"}
_NOT_TITLES = frozenset({"encoder", "major_brand", "minor_version", "compatible_brands", "duration"})
"""Tags that a container writes of itself."""
_OF_A_STREAM = ("language", "title", "handler_name", "timecode", "creation_time")


class Tracks:
    """The streams of `source` but its picture `video`, in `output`. `left_out` names what it cannot hold, `has_sound`
    says whether any sound goes along.

    `shift` is taken off every time, in seconds.
    """

    def __init__(self, source: Any, video: Any, output: Any, suffix: str, shift: Fraction) -> None:
        self._source, self._video, self._output, self._suffix, self._shift = source, video, output, suffix, shift
        self._copied: dict[int, Any] = {}
        self._encoded: dict[int, Any] = {}
        self._last: dict[int, int] = {}
        self._notes: list[str] = []
        self.streams: list[Any] = []
        for stream in source.streams:
            if stream.index != video.index and self._taken(stream):
                self.streams.append(stream)
        # Asked now: a stream of a film that is closed is no longer there.
        self.has_sound = any(stream.type == "audio" for stream in self.streams)

    @property
    def left_out(self) -> tuple[str, ...]:
        """What is not in the result, in words."""
        return tuple(self._notes)

    def _taken(self, stream: Any) -> bool:
        """Make room for a stream; False where it is not read at all."""
        if stream.type in ("audio", "subtitle") and (codec := codec_of(stream)) is not None:
            if kept_as_it_is(self._suffix, stream.type, codec) and self._copy(stream):
                return True
            if stream.type == "audio":
                return self._encode(stream)
        if stream.type == "attachment" and self._suffix == ".mkv" and stream.data:
            name = stream.metadata.get("filename", "attachment")
            self._output.add_attachment(name, stream.mimetype or "application/octet-stream", stream.data)
            return False
        if stream.type == "data" and ("timecode" in stream.metadata or self._source.chapters()):
            # These go along as a tag of the picture and as chapters, of which a container makes the streams again.
            return False
        why = ": a result has one film" if stream.type == "video" else f" does not go into {self._suffix}"
        self._notes.append(_called(stream) + why)
        return False

    def _copy(self, stream: Any) -> bool:
        try:
            new = self._output.add_stream_from_template(stream)
        except ValueError:
            return False
        self._copied[stream.index] = self._dressed(new, stream)
        return True

    def _encode(self, stream: Any) -> bool:
        context = stream.codec_context
        rate = context.sample_rate if context.sample_rate in _AAC_RATES else 48000
        # PCM streams often do not name their layout, only count their channels.
        layout = _LAYOUTS.get(context.channels, "stereo")
        new = self._output.add_stream("aac", rate=rate, layout=layout)
        new.codec_context.bit_rate = 96_000 * min(context.channels or 2, 8)
        self._encoded[stream.index] = self._dressed(new, stream)
        self._notes.append(f"{_called(stream)} does not go into {self._suffix} and became AAC")
        return True

    def _dressed(self, new: Any, old: Any) -> Any:
        """The new stream with the old one's language, title and disposition."""
        for key, text in _tags(old):
            new.metadata[key] = in_quicktime(text) if key == "language" and self._suffix == ".mov" else text
        new.disposition = old.disposition
        return new

    def describe(self, picture: Any, metadata: dict[str, str]) -> None:
        """Titles, chapters and the tags of the picture's stream; `metadata` comes over the source's own."""
        own = {key: text for key, text in self._source.metadata.items() if key.lower() not in _NOT_TITLES}
        merged = {**own, **metadata}
        if own.get("title") and metadata.get("title") and own["title"] != metadata["title"]:
            merged["title"] = f"{own['title']} ({metadata['title'].lower()})"
        if own.get("comment") and metadata.get("comment") and own["comment"] != metadata["comment"]:
            merged["comment"] = f"{metadata['comment']} {own['comment']}"
        self._output.metadata.update(merged)
        self._dressed(picture, self._video)
        if code := timecode_of(self._source):
            picture.metadata["timecode"] = code
        self._chapters()

    def _chapters(self) -> None:
        chapters = self._source.chapters()
        if not chapters:
            return
        for chapter in chapters:
            ticks = round(self._shift / chapter["time_base"]) if chapter["time_base"] else 0
            chapter["start"], chapter["end"] = chapter["start"] - ticks, chapter["end"] - ticks
        self._output.set_chapters(chapters)

    def pass_on(self, packet: Any) -> None:
        """One packet of `streams`."""
        index = packet.stream.index
        ticks = round(self._shift / packet.time_base) if packet.time_base else 0
        if index in self._copied:
            if packet.dts is not None and packet.size:
                self._mux_copy(packet, index, ticks)
            return
        for frame in packet.decode():
            if frame.pts is not None:
                frame.pts -= ticks
            self._output.mux(self._encoded[index].encode(frame))

    def _mux_copy(self, packet: Any, index: int, ticks: int) -> None:
        packet.dts -= ticks
        packet.pts = packet.dts if packet.pts is None else packet.pts - ticks
        # Some containers (AVI) time sound by their own clock and give two packets one tick; muxers want them to grow.
        last = self._last.get(index)
        if last is not None and packet.dts <= last:
            packet.dts = last + 1
            packet.pts = max(packet.pts, packet.dts)
        self._last[index] = packet.dts
        packet.stream = self._copied[index]
        self._output.mux(packet)

    def finish(self) -> None:
        """Write what the encoders hold back."""
        for stream in self._encoded.values():
            self._output.mux(stream.encode(None))


def timecode_of(container: Any) -> str | None:
    """The timecode of a film's first frame: of one of its streams, or, as Matroska has it, of the whole (TIMECODE)."""
    tags = [container.metadata, *(stream.metadata for stream in container.streams)]
    told = (text for tag in tags for key, text in tag.items() if key.lower() == "timecode")
    return next(told, None)


def _tags(stream: Any) -> Iterator[tuple[str, str]]:
    for key in _OF_A_STREAM:
        if text := stream.metadata.get(key):
            yield key, text


def _called(stream: Any) -> str:
    """A stream in words: "sound stream 2 (fra, dts)"."""
    kind = {"audio": "sound", "video": "picture", "attachment": "attached", "subtitle": "subtitle"}
    told = ", ".join(part for part in (stream.metadata.get("language"), codec_of(stream) or "unknown codec") if part)
    return f"{kind.get(stream.type, stream.type)} stream {stream.index} ({told})"
