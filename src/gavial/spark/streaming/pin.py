"""What is written beside a stream's checkpoint: whose it is, and the version of each batch."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from gavial.errors import CorruptRelease, GavialError, IncompatibleModel
from gavial.maven.coordinate import Coordinate

FORMAT = 1
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Pin:
    """The version of one batch: decided before it is scored, and read by every replay.

    Attributes:
        coordinate: the release.
        sha256: of its jar, so that a replay runs on those very bytes.

    >>> pin = Pin(Coordinate.parse("com.acme:churn:1.0.3"), "ab" * 32)
    >>> Pin.parse(pin.render(), "pins/7") == pin
    True
    """

    coordinate: Coordinate
    sha256: str

    def render(self) -> bytes:
        return _render(coordinate=str(self.coordinate), sha256=self.sha256)

    @classmethod
    def parse(cls, data: bytes, where: str) -> Self:
        """Read a pin; `where` is its place, for messages.

        Raises:
            CorruptRelease: it is not one.
            IncompatibleModel: a newer Gavial wrote it.
        """
        known = _parse(data, where, ("coordinate", "sha256"))
        if not _SHA256.fullmatch(known["sha256"]):
            raise _broken(where, f"{known['sha256']!r} is no sha256")
        try:
            return cls(Coordinate.parse(known["coordinate"]), known["sha256"])
        except GavialError as error:
            raise _broken(where, str(error)) from error


@dataclass(frozen=True)
class Owner:
    """Which query a checkpoint belongs to.

    Attributes:
        model: `group:artifact`.
        output: the URI of a folder, or the name of a table.
        format: of the output.
        watermark: the column that names the version.
    """

    model: str
    output: str
    format: str
    watermark: str

    def render(self) -> bytes:
        return _render(**asdict(self))

    @classmethod
    def parse(cls, data: bytes, where: str) -> Self:
        """Read it; `where` is its place, for messages.

        Raises:
            CorruptRelease: it is not one.
            IncompatibleModel: a newer Gavial wrote it.
        """
        return cls(**_parse(data, where, tuple(one.name for one in fields(cls))))

    def differences(self, other: Owner) -> str:
        """In what two queries differ, for a message; empty where they are one."""
        return ", ".join(
            f"{one.name} {getattr(self, one.name)!r} and not {getattr(other, one.name)!r}"
            for one in fields(self)
            if getattr(self, one.name) != getattr(other, one.name)
        )


def _render(**values: str) -> bytes:
    return json.dumps({"format_number": FORMAT, **values}, sort_keys=True).encode()


def _parse(data: bytes, where: str, names: tuple[str, ...]) -> dict[str, str]:
    try:
        found: Any = json.loads(data)
    except ValueError as error:  # of JSON, and of bytes that are no text
        raise _broken(where, str(error)) from error
    number = found.get("format_number") if isinstance(found, dict) else None
    if not isinstance(number, int):
        raise _broken(where, "it has no format number")
    if number > FORMAT:
        raise IncompatibleModel(
            f"{where} has the format {number}, and this Gavial knows {FORMAT} at most: run the "
            "stream with the newer Gavial that wrote it."
        )
    missing = [name for name in names if not isinstance(found.get(name), str)]
    if missing:
        raise _broken(where, f"it does not say {', '.join(missing)}")
    return {name: found[name] for name in names}


def _broken(where: str, why: str) -> CorruptRelease:
    return CorruptRelease(
        f"{where} is not what Gavial writes there: {why}. Restore the checkpoint from a copy, or "
        "start with a new one."
    )
