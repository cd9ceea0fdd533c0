"""The protocol with one thing broken: an explorer that does not see it sees nothing.

A mutant is the real generator too. It changes what goes in and out of it (`shortcut` answers a
step in the server's place, `repack` changes the files), or replaces one function of `publish`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import pytest
from explorer import Explorer, Found, Pace
from server_models import (
    FOLDER,
    MAKES_FOLDERS,
    METADATA,
    MODULE,
    OVERWRITES,
    REFUSES,
    REFUSES_AT_ONCE,
    ServerModel,
)
from writers import ASK, Shortcut, Writer

from gavial.maven import layout, protocol, publish
from gavial.maven.coordinate import AnyCoordinate, Coordinate, Target
from gavial.maven.metadata import ModuleMetadata

TARGET = Target(MODULE, (1, 0))
_LIST_RELEASE = publish.list_release


@dataclass(frozen=True)
class Mutant:
    """One break, and the kinds of servers on which it shows.

    Without `shows` the whole protocol has nothing wrong there; with it, it has nothing wrong
    that has these words.
    """

    name: str
    shows_on: tuple[ServerModel, ...]
    shortcut: Shortcut | None = None
    repack: Callable[[protocol.Packed, Coordinate], protocol.Packed] | None = None
    function: str = ""
    replacement: Any = None
    pace: Pace = Pace.CLIENTS
    shows: str | None = None

    def caught(self, found: Found) -> str | None:
        """What gives the mutant away."""
        return next((text for text in found.first if (self.shows or "") in text), None)

    def explore(self, model: ServerModel) -> Found:
        """Explore two such writers until one gives it away."""
        with self.applied():
            # Where anything may stand still, crashes only make it longer.
            crashes = 0 if self.pace is Pace.NOBODY else 2
            explorer = Explorer(model, self.writers(2), self.pace, crashes=crashes, reduce=False)
            return explorer.explore(until=self.shows or "", states=200_000)

    def writers(self, count: int) -> tuple[Writer, ...]:
        return tuple(Writer(f"w{n}", TARGET, self.shortcut, self.repack) for n in range(count))

    def applied(self) -> AbstractContextManager[pytest.MonkeyPatch]:
        """Within it, `publish` has the replacement."""
        return _Applied(self)


class _Applied(AbstractContextManager[pytest.MonkeyPatch]):
    def __init__(self, mutant: Mutant) -> None:
        self.mutant, self.patch = mutant, pytest.MonkeyPatch()

    def __enter__(self) -> pytest.MonkeyPatch:
        if self.mutant.function:
            self.patch.setattr(publish, self.mutant.function, self.mutant.replacement)
        return self.patch

    def __exit__(self, *_: object) -> None:
        self.patch.undo()


def _is_claim(step: protocol.Step | None) -> bool:
    looks = isinstance(step, protocol.Read | protocol.Exists)
    return looks and step.path.endswith("-metadata.xml") and step.path != METADATA


def _our_claim(step: protocol.Step, writer: Writer) -> bytes:
    return f"{writer.token} claims {step}".encode()


def _no_settle(before: protocol.Step | None, step: protocol.Step, writer: Writer) -> Any:
    return None if isinstance(step, protocol.Settle) else ASK


def _no_read_back(before: protocol.Step | None, step: protocol.Step, writer: Writer) -> Any:
    if _is_claim(step) and isinstance(before, protocol.Settle):
        return _our_claim(step, writer)
    return ASK


def _never_read_back(before: protocol.Step | None, step: protocol.Step, writer: Writer) -> Any:
    read = isinstance(step, protocol.Read) and _is_claim(step)
    return _our_claim(step, writer) if read and not _wrote(before, ".xml") else ASK


def _no_last_look(before: protocol.Step | None, step: protocol.Step, writer: Writer) -> Any:
    if _is_claim(step) and _wrote(before, ".jar.md5"):
        return _our_claim(step, writer)
    if _is_claim(before) and _looks_for_pom(step):
        return False
    return ASK


def _no_look_before_claim(before: protocol.Step | None, step: protocol.Step, writer: Writer) -> Any:
    claim = isinstance(step, protocol.Exists) and _is_claim(step)
    pom = isinstance(before, protocol.Exists) and _is_claim(before) and _looks_for_pom(step)
    return False if claim or pom else ASK


def _pom_first(packed: protocol.Packed, coordinate: Coordinate) -> protocol.Packed:
    pom = (layout.pom_path(coordinate), packed.pom)
    return protocol.Packed((pom, *packed.files), packed.pom)


def _pom_is_there(before: protocol.Step | None, step: protocol.Step, writer: Writer) -> Any:
    if isinstance(before, protocol.Read) and _is_claim(before) and _looks_for_pom(step):
        return False
    return None if _looks_for_pom(before) and _wrote(step, ".pom") else ASK


def _looks_for_pom(step: protocol.Step | None) -> bool:
    return isinstance(step, protocol.Exists) and step.path.endswith(".pom")


def _wrote(step: protocol.Step | None, end: str) -> bool:
    return isinstance(step, protocol.Write) and step.path.endswith(end)


def _list_once(coordinate: AnyCoordinate, *, lists_itself: bool) -> protocol.Steps[None]:
    steps = _LIST_RELEASE(coordinate, lists_itself=lists_itself)
    answer = None
    while True:
        try:
            step = steps.send(answer)
        except StopIteration:
            return
        answer = yield step
        if isinstance(step, protocol.WriteMetadata):
            return


def _list_blindly(coordinate: AnyCoordinate, *, lists_itself: bool) -> protocol.Steps[None]:
    yield protocol.WriteMetadata(ModuleMetadata(MODULE, (str(coordinate.version),)))


def _no_probes(before: protocol.Step | None, step: protocol.Step, writer: Writer) -> Any:
    lists = isinstance(before, protocol.Read) and before.path == METADATA
    return False if _looks_for_pom(step) and (lists or _looks_for_pom(before)) else ASK


CLIENTS_LIST = (FOLDER, REFUSES_AT_ONCE, REFUSES, MAKES_FOLDERS)

MUTANTS = (
    Mutant("no settle", (REFUSES, OVERWRITES), _no_settle),
    Mutant("no read-back after the settle", (REFUSES, OVERWRITES), _no_read_back),
    Mutant(
        "no last look before the commit",
        (REFUSES,),
        _no_last_look,
        pace=Pace.NOBODY,
        shows="both released",
    ),
    Mutant("no look before the claim", (OVERWRITES,), _no_look_before_claim),
    Mutant("claim never read back", (REFUSES, OVERWRITES), _never_read_back),
    Mutant("POM before jar", CLIENTS_LIST, _pom_is_there, _pom_first),
    Mutant(
        "no second look at the list", CLIENTS_LIST, function="list_release", replacement=_list_once
    ),
    Mutant("blind list", CLIENTS_LIST, function="list_release", replacement=_list_blindly),
    Mutant("unlisted POMs not looked for", CLIENTS_LIST[1:], _no_probes),
)
