"""The publish protocol under every order of its steps that Hypothesis thinks of.

The code under test is the protocol itself; only the server is a model. A schedule says which
writer takes the next step, and after how many steps a writer dies.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gavial.errors import RepositoryError, RepositoryRefused
from gavial.maven import layout, publish
from gavial.maven.content import Content
from gavial.maven.coordinate import Coordinate, Module, Target
from gavial.maven.metadata import ModuleMetadata
from gavial.maven.repository import FolderAnswer

CHURN = Module("com.acme", "churn")
TARGET = Target(CHURN, (1, 0))
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Server:
    """A model of a repository: `folders` makes folders, else it refuses to overwrite, by a
    check that precedes the write, so that others' steps may come between the two."""

    def __init__(self, *, folders: bool) -> None:
        self.folders = folders
        self.made: set[str] = set()
        self.files: dict[str, bytes] = {}

    def answer(self, step):
        """Answer in one or more turns: a generator that yields where others may come between."""
        match step:
            case publish.Read(path):
                return self.files.get(path)
            case publish.Exists(path):
                return path in self.files
            case publish.Names(path):
                return self.names(path) if self.folders else None
            case publish.MakeFolder(path):
                if not self.folders:
                    return FolderAnswer.UNSUPPORTED
                if path in self.made:
                    return FolderAnswer.EXISTS
                self.made.add(path)
                return FolderAnswer.MADE
            case publish.Write(path, content, replace):
                if path in self.files and not replace:
                    return RepositoryRefused(f"{path} exists")
                yield
                self.files[path] = content.source
                return None
            case publish.WriteMetadata(metadata):
                self.files[layout.metadata_path(metadata.module)] = metadata.render(NOW)
                return None
            case publish.Settle():
                return "settle"
            case publish.Pack(coordinate):
                return packed(coordinate)

    def names(self, path):
        prefix = f"{path}/"
        everything = self.made | set(self.files)
        return tuple({p[len(prefix) :].split("/")[0] for p in everything if p.startswith(prefix)})

    def released(self):
        return {p.split("/")[-2] for p in self.files if p.endswith(".pom")}

    def listed(self):
        data = self.files.get(layout.metadata_path(CHURN))
        return set(ModuleMetadata.parse(data, CHURN).versions)


def packed(coordinate):
    jar = Content.of_bytes(b"jar")
    return publish.Packed(((layout.jar_path(coordinate), jar),), Content.of_bytes(b"pom"))


class Writer:
    """One deploy that can be advanced a step at a time, and killed."""

    def __init__(self, server: Server, token: str) -> None:
        self.server = server
        order = publish.Order(
            token,
            server.folders,
            lambda coordinate: f"{token} {coordinate}".encode(),
            lambda claim: claim.decode().split()[0],
        )
        self.steps = publish.publish(order, TARGET)
        self.step = next(self.steps)
        self.pending = None
        self.settling = False
        self.result: Coordinate | None = None
        self.alive = True

    def advance(self) -> None:
        try:
            answer = self._answer()
        except RepositoryError:
            self.alive = False
            return
        if answer is _PENDING:
            return
        try:
            self.step = self.steps.send(answer)
        except StopIteration as end:
            self.result = end.value
            self.alive = False
        self.settling = isinstance(self.step, publish.Settle)

    def _answer(self):
        self.pending = self.pending or self.server.answer(self.step)
        try:
            next(self.pending)
        except StopIteration as end:
            self.pending = None
            return end.value
        return _PENDING


_PENDING = object()


def run(writers: list[Writer], schedule: list[tuple[int, int]], deaths: dict[int, int]) -> None:
    """Advance writers in the bursts of the schedule, then in turn. A settle ends only when
    every other writer has had the turns to end a write that it had begun."""
    taken = [0] * len(writers)

    def advance(n: int) -> None:
        writer = writers[n]
        if writer.settling:
            for other in writers:
                if other is not writer and other.alive and other.pending is not None:
                    other.advance()
            writer.settling = False
        taken[n] += 1
        if deaths.get(n) == taken[n]:
            writer.alive = False
        if writer.alive:
            writer.advance()

    for choice, turns in schedule:
        for _ in range(turns):
            advance(choice % len(writers))
    while any(w.alive for w in writers):
        for n, writer in enumerate(writers):
            if writer.alive:
                advance(n)


@pytest.mark.parametrize("folders", [True, False], ids=["folders", "refuses, not atomically"])
@settings(max_examples=300, deadline=None)
@given(
    schedule=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 30)), max_size=20),
    deaths=st.dictionaries(st.integers(0, 1), st.integers(1, 45), max_size=2),
)
def test_no_number_is_used_twice_and_all_that_is_released_is_listed(folders, schedule, deaths):
    server = Server(folders=folders)
    writers = [Writer(server, f"w{n}") for n in range(3)]
    run(writers, schedule, deaths)
    results = [w.result for w in writers if w.result]
    assert len(set(results)) == len(results)
    assert writers[2].result, "whoever is left makes progress"
    assert {str(r.version) for r in results} <= server.released()
    assert server.listed() <= server.released()
    after = Writer(server, "after")  # a crash is repaired by the next deploy
    run([after], [], {})
    assert server.listed() == server.released()
    for coordinate in results:
        claim = server.files[layout.claim_path(coordinate)].decode().split()
        owner = next(w for w in writers if w.result == coordinate)
        assert claim[0] == f"w{writers.index(owner)}"


@given(step=st.integers(1, 40))
def test_a_release_has_all_its_files_from_the_moment_its_pom_is_there(step):
    server = Server(folders=True)
    writer = Writer(server, "w")
    for _ in range(step):
        if writer.alive:
            writer.advance()
    for version in server.released():
        assert f"com/acme/churn/{version}/churn-{version}.jar.sha1" in server.files
