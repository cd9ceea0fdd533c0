"""The files of a release, for whoever may write in its repository."""

from __future__ import annotations

import json
from pathlib import Path

from gavial.maven.content import Content

SAVED = Path(__file__).parents[1] / "fixtures" / "saved_models" / "spark-4.3" / "churn"


class Version:
    """The files of one version, for whoever may write there."""

    def __init__(self, repository, version):
        self.version = version
        self.folder = repository / "com" / "acme" / "churn" / version

    def file(self, suffix):
        return self.folder / f"churn-{self.version}{suffix}"

    def write(self, suffix, data):
        """Write a file and the checksums that whoever can write it can write as well."""
        place = self.file(suffix)
        place.write_bytes(data)
        for algorithm in ("sha1", "md5"):
            digest = Content.of_bytes(data).digests[algorithm]
            place.with_name(f"{place.name}.{algorithm}").write_text(digest)

    def json(self, suffix):
        return json.loads(self.file(suffix).read_bytes())

    def card(self, change):
        """Change the card."""
        content = self.json("-card.json")
        change(content)
        self.write("-card.json", json.dumps(content).encode())

    def follow(self, suffix):
        """Let the card say of a file what the file is now."""
        there = Content.of_file(self.file(suffix))

        def change(card):
            (entry,) = [one for one in card["files"] if one["name"] == self.file(suffix).name]
            entry |= {"size": there.size, "sha256": there.digests["sha256"]}

        self.card(change)
