"""XML from outside: small, without a DOCTYPE, and our own error where it is not."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, ParseError, SubElement, fromstring, indent, tostring

from gavial.errors import CorruptRelease

_DECLARES = re.compile(r"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def parse(data: bytes, what: str) -> Element:
    """Read an XML document that somebody else wrote.

    Raises:
        CorruptRelease: it is not well formed, or has a DOCTYPE or entities, which no Maven
            file needs and which can read files and exhaust memory.
    """
    try:
        from defusedxml.common import DefusedXmlException
        from defusedxml.ElementTree import fromstring as parse_safely
    except ImportError:
        return _parse_plain(data, what)
    try:
        root: Element = parse_safely(data, forbid_dtd=True)
    except DefusedXmlException as error:
        raise CorruptRelease(
            f"{what} has a DOCTYPE or entities: no Maven file has, so it is not read."
        ) from error
    except (ParseError, ValueError, LookupError) as error:
        raise CorruptRelease(f"{what} is not XML: {error}.") from error
    return root


def _parse_plain(data: bytes, what: str) -> Element:
    """As `parse`, with the standard library alone, as on a cluster: of UTF-8, and nothing else.

    Text is parsed as it was looked at: no declaration in it can make it another encoding's.
    """
    try:
        text = data.decode("utf-8-sig")
        if _DECLARES.search(text):
            raise CorruptRelease(
                f"{what} has a DOCTYPE or entities: no Maven file has, so it is not read."
            )
        return fromstring(text)
    except (ParseError, ValueError, LookupError, RecursionError) as error:
        raise CorruptRelease(f"{what} is not XML: {error}.") from error


def child(parent: Element, name: str, text: str | None = None) -> Element:
    """Append an element, with text where there is any."""
    element = SubElement(parent, name)
    if text is not None:
        element.text = legal(text)
    return element


def render(root: Element) -> bytes:
    """The bytes of a document, indented as Maven does."""
    indent(root)
    body: bytes = tostring(root, encoding="utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + body + b"\n"


def legal(text: str) -> str:
    """Replace what XML 1.0 cannot hold (https://www.w3.org/TR/xml/#charsets)."""
    return _ILLEGAL.sub("\ufffd", text)
