"""XML from outside, with defusedxml and without it."""

from __future__ import annotations

import sys

import pytest

from gavial.errors import CorruptRelease
from gavial.maven import xml


@pytest.fixture(params=["defusedxml", "the standard library alone"])
def parser(request, monkeypatch):
    if request.param != "defusedxml":
        for name in [*sys.modules, "defusedxml"]:
            if name.partition(".")[0] == "defusedxml":
                monkeypatch.setitem(sys.modules, name, None)
    return request.param


@pytest.mark.usefixtures("parser")
def test_a_document_is_read_with_and_without_a_byte_order_mark():
    for data in (b"<a><b>1</b></a>", b"\xef\xbb\xbf<a><b>1</b></a>"):
        assert xml.parse(data, "It").findtext("b") == "1"


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize(
    "data",
    [
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        b"<!doctype a><a/>",
        "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>".encode("utf-16"),
        b"<?xml version='1.0' encoding='utf-7'?>+ADwAIQ-DOCTYPE a+AD4-<a/>",
        b"<a>&b;</a>",
        b"<a>",
        b"\xff\xfe",
        b"",
    ],
)
def test_what_declares_something_or_is_no_xml_is_refused(data):
    with pytest.raises(CorruptRelease):
        xml.parse(data, "It")
