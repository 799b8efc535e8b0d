"""The plugin in the user's language: reads a catalogue of resources/i18n and gives it to Qt.

Catalogues are Qt's own text format (``.ts``), which translators' tools know. They are turned into Qt's binary format in
memory, so that no compiled file has to be in the package and no tool is needed to make one.
"""

import os
import struct
from typing import Iterable, List, NamedTuple, Optional, Tuple

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication, QFile, QIODevice, QTranslator, QXmlStreamReader

from .engine_location import PACKAGE_FOLDER
from .messages import WARNING, log

CATALOGUES = os.path.join(PACKAGE_FOLDER, "resources", "i18n")
MAGIC = bytes.fromhex("3cb86418caef9c95cd211cbf60a1bddd")
END, TRANSLATION, SOURCE, CONTEXT, COMMENT = b"\x01", 3, 6, 7, 8
HASHES, MESSAGES = 0x42, 0x69


class Message(NamedTuple):
    """A text of the plugin, where it is from, and what it is in the language of the catalogue."""

    context: str
    source: str
    translation: str


class Translation:
    """The translator that is in place; English, the language of the source, needs none."""

    def __init__(self) -> None:
        self._translator: Optional[QTranslator] = None
        self._data = b""

    def install(self, path: Optional[str] = None) -> bool:
        """Put the user's language in place, or the catalogue named; False where the texts stay as they are."""
        self.remove()
        path = path or catalogue_for(language())
        if not path:
            return False
        messages = read_catalogue(path)
        translator = QTranslator()
        self._data = compile_catalogue(messages)  # Qt reads from here as long as the translator lives
        if not messages or not translator.loadFromData(self._data):
            log(f"The catalogue '{path}' cannot be read; the texts stay in English.", WARNING)
            return False
        self._translator = translator
        return bool(QCoreApplication.installTranslator(translator))

    def remove(self) -> None:
        """Take the translator away."""
        if self._translator is not None:
            QCoreApplication.removeTranslator(self._translator)
            self._translator = None
            self._data = b""


def language() -> str:
    """The language that QGIS speaks: as it was started with, else as its options say, else the system's."""
    application = QgsApplication.instance()
    chosen = application.translation() if isinstance(application, QgsApplication) else ""
    return str(chosen or QgsApplication.locale())


def language_of_texts() -> str:
    """Code of the language that the texts are in, as web pages name it."""
    return language().replace("-", "_").split("_")[0] if catalogue_for(language()) else "en"


def catalogue_for(locale: str, folder: str = CATALOGUES) -> str:
    """Path of the catalogue for a locale such as ``de_AT``, else of its language, else empty."""
    name = locale.replace("-", "_").split(".")[0]
    for candidate in (name, name.split("_")[0]):
        path = os.path.join(folder, f"hazardmapper_{candidate}.ts")
        if candidate and os.path.isfile(path):
            return path
    return ""


def read_catalogue(path: str) -> List[Message]:
    """The finished translations of a catalogue; none where the file is not one."""
    file = QFile(path)
    if not file.open(QIODevice.OpenModeFlag.ReadOnly):
        return []
    reader = QXmlStreamReader(file)
    messages: List[Message] = []
    context = source = ""
    while not reader.atEnd():
        if reader.readNext() != QXmlStreamReader.TokenType.StartElement:
            continue
        name = reader.name()
        if name == "name":
            context = reader.readElementText()
        elif name == "source":
            source = reader.readElementText()
        elif name == "translation":
            is_open = reader.attributes().hasAttribute("type")
            text = reader.readElementText()
            if text and not is_open:
                messages.append(Message(context, source, text))
    file.close()
    return [] if reader.hasError() else messages


def compile_catalogue(messages: Iterable[Message]) -> bytes:
    """The binary form that QTranslator loads: records of messages, and their places sorted by the source's hash."""
    records: List[bytes] = []
    places: List[Tuple[int, int]] = []
    offset = 0
    for message in messages:
        source = message.source.encode("utf-8")
        places.append((hash_of_source(source), offset))
        record = field(TRANSLATION, message.translation.encode("utf-16-be")) + field(COMMENT, b"")
        record += field(SOURCE, source) + field(CONTEXT, message.context.encode("utf-8")) + END
        records.append(record)
        offset += len(record)
    hashes = b"".join(struct.pack(">II", *place) for place in sorted(places))
    return MAGIC + section(HASHES, hashes) + section(MESSAGES, b"".join(records))


def field(tag: int, data: bytes) -> bytes:
    """One part of a message's record."""
    return struct.pack(">BI", tag, len(data)) + data


def section(tag: int, data: bytes) -> bytes:
    """One part of the file."""
    return struct.pack(">BI", tag, len(data)) + data


def hash_of_source(source: bytes) -> int:
    """The hash of object files in Unix System V, by which Qt looks messages up; never 0."""
    value = 0
    for byte in source:
        value = (value << 4) + byte
        high = value & 0xF0000000
        value = (value ^ (high >> 24)) & ~high & 0xFFFFFFFF
    return value or 1
