"""The files that vouch for a release: its signature, and gpg's `.asc` beside each file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from gavial.maven import layout
from gavial.maven.content import Content
from gavial.maven.coordinate import Coordinate, Module
from gavial.model.signature import Statement
from gavial.registry import gpg, places, signer, trust
from gavial.registry.signer import Signer


@dataclass(frozen=True)
class Seals:
    """What a deploy signs with. `gpg` is a key as gpg knows it, or empty."""

    signer: Signer | None = None
    gpg: str = ""

    @classmethod
    def of(
        cls, module: Module, key: str | os.PathLike[str] | None = None, gpg_key: str | None = None
    ) -> Seals:
        """What arguments and the configuration say, checked before a number is taken.

        Raises:
            ConfigurationError: a key cannot be used, or is not one that this user's own trust
                policy asks for.
        """
        settings = places.settings()
        found = cls(signer.of(settings.signing, key), gpg_key or settings.signing.gpg)
        if found.gpg:
            gpg.check(found.gpg)
        trust.check_signer(module, settings.trust, found.signer)
        return found

    @property
    def names(self) -> tuple[str, ...]:
        """Who signs: a deploy under another name is another one."""
        signer = (self.signer.public.fingerprint,) if self.signer else ()
        return (*signer, f"gpg {self.gpg}") if self.gpg else signer

    def beside(
        self, coordinate: Coordinate, files: Mapping[str, Content]
    ) -> tuple[tuple[str, Content], ...]:
        """The files that go up beside a release's own.

        Args:
            coordinate: the release.
            files: all its files by their path, the POM among them.

        Raises:
            ConfigurationError: a command or gpg does not sign.
        """
        made = dict(files)
        if self.signer is not None:
            path = layout.signature_path(coordinate)
            digests = {_name(one): content.digests["sha256"] for one, content in files.items()}
            statement = Statement(str(coordinate), digests)
            made[path] = Content.of_bytes(self.signer.sign(statement, _name(path)))
        if self.gpg:
            for path, content in list(made.items()):
                made[f"{path}.asc"] = Content.of_bytes(gpg.sign(self.gpg, content))
        return tuple((path, content) for path, content in made.items() if path not in files)


def _name(path: str) -> str:
    return path.rpartition("/")[2]
