"""`META-INF/gavial/manifest.json`: which members a release's jar has, with size and sha256."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gavial.errors import CorruptRelease, IncompatibleModel

PATH = "META-INF/gavial/manifest.json"
FORMAT = 1


@dataclass(frozen=True)
class Member:
    """One file of a jar: its size in bytes and its sha256, hexadecimal."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a jar says of its content: the files, without folders and without itself.

    `libraries` are the JVM libraries that the model declares, `group:artifact:version`.
    """

    format: int
    artifact: str
    coordinate: str
    members: Mapping[str, Member]
    libraries: tuple[str, ...] = ()

    def render(self) -> bytes:
        """The file's bytes: the same values give the same bytes."""
        content = {
            "format": self.format,
            "artifact": self.artifact,
            "coordinate": self.coordinate,
            "libraries": list(self.libraries),
            "members": {
                name: {"sha256": one.sha256, "size": one.size}
                for name, one in sorted(self.members.items())
            },
        }
        return json.dumps(content, indent=1).encode() + b"\n"

    @classmethod
    def parse(cls, data: bytes, what: str) -> Manifest:
        """Read a manifest. Additions of later versions are ignored.

        Raises:
            CorruptRelease: it is not one.
            IncompatibleModel: its format is of a later Gavial.
        """
        try:
            content = json.loads(data)
            check_format(content["format"], FORMAT, f"The manifest of {what}")
            members = {name: _member(one) for name, one in content["members"].items()}
            artifact, coordinate = content["artifact"], content["coordinate"]
            libraries = tuple(map(str, content.get("libraries", ())))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise CorruptRelease(f"The manifest of {what} is damaged: {error!r:.200}.") from error
        return cls(content["format"], str(artifact), str(coordinate), members, libraries)


def check_format(found: Any, known: int, what: str) -> None:
    """Check that a file's format number is one that this version reads.

    Raises:
        IncompatibleModel: it is of a later Gavial.
        ValueError: it is no format number.
    """
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise ValueError(f"{found!r:.40} is not a format number")
    if found > known:
        raise IncompatibleModel(
            f"{what} has format {found}; this Gavial reads up to format {known}. "
            'Use a later one: pip install --upgrade gavial, or a newer "io.gavial:gavial" in '
            "--packages."
        )


def _member(content: Any) -> Member:
    size, sha256 = content["size"], content["sha256"]
    if not isinstance(size, int) or not isinstance(sha256, str) or size < 0:
        raise ValueError("a member without size and sha256")
    return Member(size, sha256)
