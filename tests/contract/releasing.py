"""A release of a few bytes through the publish protocol."""

from __future__ import annotations

from gavial.maven import layout, protocol, publish
from gavial.maven.content import Content
from gavial.maven.coordinate import Target
from gavial.maven.drive import Driver


def no_sleep(_):
    """Nobody else writes: there is nothing to wait for."""


def packed(coordinate):
    jar = (layout.jar_path(coordinate), Content.of_bytes(f"jar of {coordinate}".encode()))
    return protocol.Packed((jar,), Content.of_bytes(f"pom of {coordinate}".encode()))


def order(repository, token="t"):
    return publish.Order(
        token,
        repository.lists_itself,
        lambda coordinate: f"{token} {coordinate}".encode(),
        lambda claim: claim.decode().split()[0],
    )


def release(repository, text, token="t", pack=packed):
    steps = publish.publish(order(repository, token), Target.parse(text))
    return str(Driver(repository, pack, sleep=no_sleep).run(steps))
