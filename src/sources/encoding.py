"""What the bytes of a text file mean: packed or not, and in which encoding."""

import codecs
import gzip
import io
import re
from collections import Counter
from pathlib import Path
from typing import IO, TextIO, cast

import pyarrow as pa

CHUNK = 1 << 22
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
# Python's codecs for these know fewer characters than the files that go by their names.
WIDER = {"gbk": "gb18030", "gb2312": "gb18030"}

UTF8 = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
HIGH = re.compile(rb"[\x80-\xff]+")
LONG_OR_APART = re.compile(rb"[\x80-\xff]{4,}|(?<![A-Za-z\x80-\xff])[\x80-\xff]{2}(?![A-Za-z\x80-\xff])")
# Lead bytes of the 3,755 most usual characters of GB 2312 and of its punctuation.
USUAL = bytes([*range(0xA1, 0xA4), *range(0xB0, 0xD8)])


def opened(file: Path) -> IO[bytes]:
    """The bytes of a file, unpacked where it is `.gz` or `.zst`."""
    if file.suffix == ".gz":
        return cast("IO[bytes]", gzip.open(file, "rb"))
    if file.suffix == ".zst":
        return io.BufferedReader(pa.input_stream(file, compression="zstd"))
    return file.open("rb")


def is_utf8(encoding: str) -> bool:
    """Whether an encoding is UTF-8, with or without a byte order mark."""
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")


def find_encoding(file: Path) -> str:
    """The encoding of a text file, found out by a fixed rule.

    1. A byte order mark tells (UTF-8 or UTF-16).
    2. What is valid UTF-8 is UTF-8; so is what is meant to be: most bytes above 127 belong to valid sequences. The
       others are then told as an error by whoever reads on.
    3. Otherwise most bytes above 127 stand in long runs or in pairs with no Latin letter beside them, as Chinese
       does (GB 18030, which includes GBK), or they stand alone inside words, as accents do (Windows-1252, or Latin-1
       where a byte has no meaning in Windows-1252).

    Raises
    ------
    ValueError
        If the file holds zero bytes, or the bytes look like neither.
    """
    with opened(file) as stream:
        start = stream.read(3)
    for mark, name in MARKS.items():
        if start.startswith(mark):
            return name
    if _is_valid_utf8(file):
        return "utf-8"
    seen = _bytes_seen(file)
    if seen["utf8"] > seen["high"] / 2:
        return "utf-8"
    if seen["apart"] <= seen["high"] / 2:
        return "latin-1" if seen["undefined"] else "cp1252"
    if seen["usual"] <= seen["apart"] / 4:  # one usual character is two bytes
        raise ValueError("its encoding cannot be found out; give it, such as encoding = 'cp1251'")
    return "gb18030"


def _is_valid_utf8(file: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with opened(file) as stream:
        while block := stream.read(CHUNK):
            if b"\0" in block:
                raise ValueError("it holds zero bytes: it is no text, or its encoding must be given, such as 'utf-16'")
            try:
                decoder.decode(block)
            except UnicodeDecodeError:
                return False
    return not decoder.getstate()[0]


def _bytes_seen(file: Path) -> Counter[str]:
    """How many bytes of a file are above 127, part of valid UTF-8, …; counted in blocks of whole lines."""
    seen: Counter[str] = Counter()
    with opened(file) as stream:
        while block := stream.read(CHUNK) + stream.readline():
            if block.isascii():
                continue
            seen["high"] += sum(map(len, HIGH.findall(block)))
            seen["utf8"] += sum(map(len, UTF8.findall(block)))
            seen["undefined"] += len(block) - len(block.translate(None, b"\x81\x8d\x8f\x90\x9d"))
            for run in LONG_OR_APART.findall(block):
                seen["apart"] += len(run)
                leads = run[::2]
                seen["usual"] += len(leads) - len(leads.translate(None, USUAL))
    return seen


def text_of(file: Path, encoding: str) -> TextIO:
    """The text of a file with its line ends as they are."""
    name = codecs.lookup(encoding).name
    name = "utf-8-sig" if name == "utf-8" else WIDER.get(name, name)
    return io.TextIOWrapper(opened(file), encoding=name, newline="")


def undecodable(file: Path, encoding: str) -> str:
    """Where the bytes of a file are not of an encoding, in words."""
    codec = WIDER.get(codecs.lookup(encoding).name, encoding)
    if not codec.startswith("utf-16"):  # whose line ends are not single bytes
        with opened(file) as stream:
            for number, line in enumerate(stream, start=1):
                try:
                    line.decode(codec)
                except UnicodeDecodeError as error:
                    return f"line {number}, byte {error.start + 1} (0x{line[error.start]:02x}) is not {encoding}"
    return f"it is not {encoding}"
