"""The parts of a Live Set's XML that the summary needs, kept one section at a time."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterator
from typing import BinaryIO
from xml.parsers import expat

from services.prompt.alsfile.container import FileRefused, Limits, feed_xml


class Node:
    """An element: tag, attributes, children in document order.

    Notes are not children: `notes` holds beat and length of each sounding one in turn, None where there are none.
    """

    __slots__ = ("attributes", "children", "notes", "tag")

    def __init__(self, tag: str, attributes: dict[str, str]) -> None:
        self.tag = tag
        self.attributes = attributes
        self.children: list[Node] = []
        self.notes: array[float] | None = None

    def at(self, path: str) -> Node | None:
        """The first element under `path`, as `DeviceChain/Mixer`."""
        here: Node | None = self
        for tag in path.split("/"):
            here = next((child for child in here.children if child.tag == tag), None) if here else None
        return here

    def under(self, path: str) -> list[Node]:
        """The children of the element at `path`; none if it is not there."""
        found = self.at(path)
        return found.children if found else []

    def value(self, path: str, default: str = "") -> str:
        """The `Value` attribute of the element at `path`."""
        found = self.at(path)
        return found.attributes.get("Value", default) if found else default

    def number(self, path: str) -> float | None:
        """The `Value` at `path` as a finite number."""
        return as_number(self.value(path))

    def walk(self) -> Iterator[Node]:
        """This element and everything below it, in document order."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(node.children))


def as_number(text: str | None) -> float | None:
    """A finite number within ±1e15, or None."""
    try:
        number = float(text) if text else None
    except ValueError:
        return None
    return number if number is not None and abs(number) < 1e15 else None  # NaN compares false


SECTION_PATHS = {
    ("Tracks", "MidiTrack"),
    ("Tracks", "AudioTrack"),
    ("Tracks", "GroupTrack"),
    ("Tracks", "ReturnTrack"),
    ("MasterTrack",),
    ("MainTrack",),
    ("Locators",),
    ("Scenes",),
    ("SceneNames",),
    ("ScaleInformation",),
    ("InKey",),
    ("Transport",),
}
# Not needed, or not part of what plays: editing state, parameter ranges, raw plugin state, take lanes, frozen copies.
_SKIPPED = frozenset(
    str.split(
        """
    LomId LomIdView LockEnvelope MidiControllerRange ModulationTarget MidiCCOnOffThresholds ModulationAutomation
    ViewData SourceContext MpeSettings WarpMarkers SlicePoint SlicePoints OnsetEvent Onsets ParameterSettings
    ParameterList PluginFloatParameter Buffer ProcessorState ControllerState TakeLanes FreezeSequencer
    ClipSlotsListWrapper AutomationLanes EnvelopeChooser ClipEnvelopeChooserViewState HasStop NeedRefreeze
    Slices OriginalFileRef LastPresetRef
    """
    )
)


class SectionReader:
    """Reads a document and hands each wanted section to a function, holding one at a time."""

    def __init__(self, limits: Limits, take: Callable[[Node], None]) -> None:
        self._limits = limits
        self._take = take
        self._depth = 0
        self._nodes = 0
        self._kept = 0
        self._skip_from = 0  # depth of the skipped element we are in, 0 for none
        self._place: list[str] = []
        self._stack: list[Node] = []
        self.root: dict[str, str] = {}
        self.saw_live_set = False

    def read(self, source: BinaryIO) -> None:
        """Read all of the file.

        Raises:
            FileRefused: It is no Live Set or breaks a limit.
        """
        parser = expat.ParserCreate("UTF-8")  # as Live writes, whatever a damaged declaration says
        parser.buffer_text = False
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.EntityDeclHandler = _refuse_doctype
        feed_xml(source, self._limits, parser)
        if not self.saw_live_set:
            raise FileRefused(
                "LIVE_SET_WRONG_ROOT", "the file holds no LiveSet element; send an .als file of Live 8 to 12"
            )

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._nodes += 1
        self._refuse_excess()
        if self._skip_from:
            return
        if self._stack:
            self._grow(tag, attributes)
        elif self._depth == 1:
            self._open_root(tag, attributes)
        elif self._depth == 2:
            self.saw_live_set = self.saw_live_set or tag == "LiveSet"
            self._skip_from = 0 if tag == "LiveSet" else self._depth
        else:
            self._place.append(tag)
            self._enter_place(tag, attributes)

    def _enter_place(self, tag: str, attributes: dict[str, str]) -> None:
        if tuple(self._place) in SECTION_PATHS:
            self._stack.append(Node(tag, attributes))
        elif self._place != ["Tracks"]:
            self._place.pop()
            self._skip_from = self._depth

    def _grow(self, tag: str, attributes: dict[str, str]) -> None:
        if tag in _SKIPPED:
            self._skip_from = self._depth
            return
        if tag == "MidiNoteEvent":  # a set may hold millions, at 16 bytes each
            self._skip_from = self._depth
            _keep_note(self._stack[-1], attributes)
            return
        self._kept += 1
        node = Node(tag, attributes)
        self._stack[-1].children.append(node)
        self._stack.append(node)

    def _end(self, tag: str) -> None:
        depth, self._depth = self._depth, self._depth - 1
        if self._skip_from:
            if depth == self._skip_from:
                self._skip_from = 0
            return
        if self._stack:
            node = self._stack.pop()
            if not self._stack:
                self._place.pop()
                self._kept = 0
                self._take(node)
        elif self._place and self._place[-1] == tag:
            self._place.pop()

    def _open_root(self, tag: str, attributes: dict[str, str]) -> None:
        if tag != "Ableton":
            raise FileRefused(
                "LIVE_SET_WRONG_ROOT",
                f"the root element is {tag[:60]!r}, not 'Ableton'; send an .als file of Live 8 to 12",
            )
        self.root = attributes

    def _refuse_excess(self) -> None:
        if self._depth > self._limits.depth:
            raise FileRefused(
                "LIVE_SET_TOO_DEEP",
                f"the XML nests deeper than {self._limits.depth} levels; unpack nested racks or save it again in Live",
            )
        if self._nodes > self._limits.nodes or self._kept > self._limits.kept_nodes:
            raise FileRefused(
                "LIVE_SET_TOO_LARGE",
                f"the Live Set holds more than {self._limits.nodes:,} XML elements, or more than "
                f"{self._limits.kept_nodes:,} in one track; split it or remove unused tracks",
            )


def _keep_note(owner: Node, attributes: dict[str, str]) -> None:
    try:
        beat, length = float(attributes["Time"]), float(attributes["Duration"])
    except (KeyError, ValueError):
        return
    if attributes.get("IsEnabled") == "false" or not (math.isfinite(beat) and 0 <= length < math.inf):
        return
    if owner.notes is None:
        owner.notes = array("d")
    owner.notes.extend((beat, length))


def _refuse_doctype(*_details: object) -> None:
    raise FileRefused(
        "LIVE_SET_DOCTYPE_REFUSED", "the XML declares a document type, as Live never does; save it again in Live"
    )
