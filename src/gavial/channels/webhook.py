"""The message's JSON document, posted to a URL."""

from __future__ import annotations

import json

from gavial.channels.channel import Channel
from gavial.channels.message import Event, Message
from gavial.channels.post import Post


class Webhook(Channel):
    """Posts the document of each message as it is."""

    def __init__(self, name: str, post: Post, events: frozenset[Event] | None = None) -> None:
        super().__init__(name, events)
        self._post = post

    def send(self, message: Message) -> None:
        self._post.send(json.dumps(message.document, allow_nan=False).encode())
