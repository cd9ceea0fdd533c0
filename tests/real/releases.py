"""Small releases through the publish protocol, with its real waits."""

from __future__ import annotations

import io
import re
import secrets
import zipfile

from gavial.maven import layout, protocol, publish
from gavial.maven.content import Content
from gavial.maven.coordinate import Coordinate, Target
from gavial.maven.drive import Driver
from gavial.maven.pom import Pom

DESCRIPTION = "Wer kündigt? 客户流失 🐊 <&'\">"


def jar(text):
    """A jar, the same for the same text: some servers take nothing else under that name."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as entries:
        entries.writestr(zipfile.ZipInfo("text"), text)
    return Content.of_bytes(file.getvalue())


def pom(coordinate):
    return Content.of_bytes(Pom(coordinate, DESCRIPTION).render())


def packed(coordinate):
    files = (
        (layout.jar_path(coordinate), jar(str(coordinate))),
        (layout.card_path(coordinate), Content.of_bytes(b'{"name": "card"}')),
    )
    return protocol.Packed(files, pom(coordinate))


def order(repository):
    """A deploy of its own each time."""
    token = secrets.token_hex(16)

    def claim(coordinate):
        return f'<?xml version="1.0"?>\n<metadata token="{token}">{coordinate}</metadata>'.encode()

    def token_of(data):
        found = re.search(rb'token="(\w+)"', data)
        return found and found[1].decode()

    return publish.Order(token, repository.lists_itself, claim, token_of)


def release(repository, text, pack=packed, transferred=None):
    """Deploy to a target; the coordinate that was released."""
    steps = publish.publish(order(repository), Target.parse(text))
    coordinate = Driver(repository, pack, transferred).run(steps)
    assert isinstance(coordinate, Coordinate)
    return coordinate


def paths(coordinate):
    """Every file of a release of `packed`, without checksums."""
    return (
        layout.claim_path(coordinate),
        layout.jar_path(coordinate),
        layout.card_path(coordinate),
        layout.pom_path(coordinate),
        layout.metadata_path(coordinate.module),
    )
