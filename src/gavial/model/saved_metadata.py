"""The `metadata/` folder of a saved Spark ML stage: one part file with one line of JSON.

Spark writes it as text (`org.apache.spark.ml.util.DefaultParamsWriter`): `part-00000` until
3.5, `part-00000-<uuid>-c000.txt` from 4.0, compressed where Hadoop's output compression is on.
What Spark could read otherwise than we do is refused, so that what was checked is what loads.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from gavial import limits
from gavial.errors import IncompatibleModel
from gavial.model import json_values

FOLDER = "metadata"
_CHUNK = 1 << 16
_CODECS = {".deflate": 15, ".gz": 31}  # window bits of zlib: with its own header, with gzip's
_OTHER_CODECS = (".bz2", ".lz4", ".snappy", ".zst", ".lzo", ".lzo_deflate", ".xz", ".br", ".z")


@dataclass(frozen=True)
class Metadata:
    """One stage's metadata: the part file and the JSON object in it."""

    file: Path
    content: dict[str, Any]

    def text(self, key: str) -> str:
        """The text under a key, or an empty one."""
        value = self.content.get(key)
        return value if isinstance(value, str) else ""

    def mapping(self, key: str) -> dict[str, Any]:
        """The object under a key, or an empty one."""
        value = self.content.get(key)
        return value if isinstance(value, dict) else {}


def is_hidden(name: str) -> bool:
    """Whether Spark ignores a file or folder of this name when it reads data.

    Source: `HadoopFSUtils.shouldFilterOutPathName`.

    >>> is_hidden("_SUCCESS"), is_hidden(".part-0.crc"), is_hidden("_a=1"), is_hidden("part-0")
    (True, True, False, False)
    """
    if name.startswith("."):
        return True
    return (name.startswith("_") and "=" not in name) or name.endswith("._COPYING_")


def read(folder: Path, where: str) -> Metadata:
    """Read the `metadata` folder of one stage.

    Args:
        folder: the stage's folder.
        where: how messages call it.

    Raises:
        IncompatibleModel: there is none, it is half there, or Spark might read it otherwise.
    """
    part = _only_part(folder / FOLDER, where)
    lines = _decode(part, where).removesuffix("\n")
    if "\n" in lines or "\r" in lines:
        raise IncompatibleModel(
            f"{_name(part)} of {where} has more than one line: Spark writes one and reads the "
            "first. Save the model again."
        )
    return Metadata(part, _parse(lines, part, where))


def plain_name(name: str) -> str:
    """A part file's name without its codec.

    >>> plain_name("part-00000.deflate")
    'part-00000'
    """
    for suffix in _CODECS:
        name = name.removesuffix(suffix)
    return name


def _only_part(folder: Path, where: str) -> Path:
    if not folder.is_dir():
        raise IncompatibleModel(
            f"{where} is not a saved Spark ML model or stage: it has no folder {FOLDER!r}. "
            "Expected what model.write().save(…) writes."
        )
    parts = []
    for entry in _entries(folder, where):
        if is_hidden(entry.name):
            continue
        if not entry.is_file() or entry.name.startswith("_"):
            raise IncompatibleModel(
                f"{FOLDER}/{entry.name} of {where} is not a part file that Spark writes there. "
                "Save the model again."
            )
        parts.append(entry)
    if len(parts) != 1:
        problem = "has no part file" if not parts else f"has {len(parts)} part files"
        raise IncompatibleModel(
            f"{FOLDER} of {where} {problem}: Spark writes exactly one, and reads only one. "
            "The save was interrupted or the folder was edited: save the model again."
        )
    return parts[0]


def _entries(folder: Path, where: str) -> Iterable[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise IncompatibleModel(f"{where} cannot be read: {error.strerror}.") from error


def _decode(part: Path, where: str) -> str:
    suffix = part.suffix.lower()
    if suffix in _OTHER_CODECS:
        raise IncompatibleModel(
            f"{_name(part)} of {where} is compressed with {suffix[1:]}: plain text, .deflate and "
            ".gz can be read. Save the model with "
            "mapreduce.output.fileoutputformat.compress=false."
        )
    try:
        with part.open("rb") as file:
            return _bytes(file, _CODECS.get(suffix)).decode("utf-8")
    except (OSError, EOFError, zlib.error, gzip.BadGzipFile, UnicodeDecodeError) as error:
        raise IncompatibleModel(f"{_name(part)} of {where} cannot be read: {error}.") from error
    except ValueError as error:
        raise IncompatibleModel(f"{_name(part)} of {where} {error}.") from error


def _bytes(file: IO[bytes], window: int | None) -> bytes:
    """All bytes, decompressed, but never more than the limit in memory."""
    if window is None:
        data = file.read(limits.STAGE_METADATA + 1)
    else:
        engine = zlib.decompressobj(window)
        found = bytearray()
        while len(found) <= limits.STAGE_METADATA and not engine.eof:
            chunk = engine.unconsumed_tail or file.read(_CHUNK)
            if not chunk:
                raise EOFError("it is truncated")
            found += engine.decompress(chunk, limits.STAGE_METADATA + 1 - len(found))
        if engine.eof and (engine.unused_data or file.read(1)):
            raise ValueError("has bytes after its end")
        data = bytes(found)
    if len(data) > limits.STAGE_METADATA:
        raise ValueError(
            f"has more than {limits.STAGE_METADATA >> 20} MiB: no stage's parameters have"
        )
    return data


def _parse(text: str, part: Path, where: str) -> dict[str, Any]:
    try:
        content = json.loads(text, object_pairs_hook=_unique)
        json_values.check(content)
    except (ValueError, RecursionError) as error:
        problem = str(error) or "nested too deeply"
        raise IncompatibleModel(
            f"{_name(part)} of {where} is not the JSON that Spark writes: {problem}."
        ) from error
    if not isinstance(content, dict):
        raise IncompatibleModel(f"{_name(part)} of {where} holds no JSON object.")
    return content


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Readers differ on which of two equal keys counts: refuse both."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def _name(part: Path) -> str:
    return f"{part.parent.name}/{part.name}"
