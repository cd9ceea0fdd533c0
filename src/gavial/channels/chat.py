"""Messages as chats take them, posted to the URL that a chat gives out for that."""

from __future__ import annotations

import json
from typing import Any

from gavial.channels.channel import Channel
from gavial.channels.message import Event, Message
from gavial.channels.post import Post

_SECTION = 2_900  # characters; Slack takes 3,000 in a section
_LONGEST = 12_000  # characters of a message; Teams takes 28 kB in all


class Chat(Channel):
    """Posts each message in the form of a chat.

    Args:
        form: `slack`; `teams`, for a workflow of Microsoft Teams; or `text`, for Mattermost,
            Rocket.Chat, Google Chat and others that take `{"text": …}`.
    """

    def __init__(
        self, name: str, post: Post, form: str = "slack", events: frozenset[Event] | None = None
    ) -> None:
        super().__init__(name, events)
        self._post, self._form = post, form

    def send(self, message: Message) -> None:
        self._post.send(json.dumps(rendered(message, self._form)).encode())


def rendered(message: Message, form: str) -> dict[str, Any]:
    """The body for a chat, in which nothing of the message is markup or calls anybody."""
    text = _cut(message.text, _LONGEST)
    if form == "teams":
        return _teams(message.subject, text)
    if form == "slack":
        head, _, rest = text.partition("\n")
        blocks = [_section(f"*{_slack(head)}*")]
        blocks += [_section(_slack(part)) for part in _parts(rest.strip("\n"))]
        return {"text": _slack(message.subject), "blocks": blocks}
    return {"text": _calm(text)}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _slack(text: str) -> str:
    """Source: https://docs.slack.dev/messaging/formatting-message-text#escaping"""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _calm(text: str) -> str:
    """Nobody is called by what stands in a value: `@channel`, `<users/all>`."""
    return text.replace("@", "@\u200b").replace("<", "<\u200b")


def _teams(subject: str, text: str) -> dict[str, Any]:
    """An adaptive card. Runs of text, unlike blocks of it, have no markup."""
    head, _, rest = text.partition("\n")
    runs = [{"type": "TextRun", "text": head, "weight": "bolder"}]
    paragraphs = [{"type": "RichTextBlock", "inlines": runs}]
    paragraphs += [
        {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": one}]}
        for one in rest.split("\n")
        if one.strip()
    ]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": subject,
        "msteams": {"width": "Full"},
        "body": paragraphs,
    }
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "content": card}]}


def _parts(text: str) -> list[str]:
    """Parts of whole lines, none too long for a section once it is escaped."""
    parts: list[str] = []
    for one in text.split("\n") if text else ():
        longer = f"{parts[-1]}\n{one}" if parts else ""
        if parts and len(_slack(longer)) <= _SECTION:
            parts[-1] = longer
        else:
            parts.append(one)
    return parts


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most].rpartition(chr(10))[0]}\n…"
