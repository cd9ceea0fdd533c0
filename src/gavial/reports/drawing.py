"""A chart that is described, drawn as SVG or PNG: by vl-convert, without a browser."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from xml.etree import ElementTree

from gavial.errors import ConfigurationError
from gavial.reports import theme
from gavial.reports.plain import harmless

SVG: Final = "http://www.w3.org/2000/svg"
# What Vega writes for its own event handling and for readers of single marks; the whole is one
# image, which says what it shows.
_DROPPED: Final = ("pointer-events", "role", "aria-label", "aria-roledescription", "aria-hidden")
_LONG_NUMBER: Final = re.compile(r"-?\d+\.\d{3,}(?:e-?\d+)?")
_VARIABLES: Final = {colour.light: f"var(--c-{name})" for name, colour in theme.COLOURS.items()}


@dataclass(frozen=True)
class Drawing:
    """A chart.

    Attributes:
        title: what it shows, in a few words.
        description: what is to be seen in it, for those who do not see it.
        spec: the chart, as Vega-Lite describes it.
    """

    title: str
    description: str
    spec: Mapping[str, Any]

    def svg(self) -> str:
        """An SVG document on white, in which nothing is fetched and nothing runs.

        Raises:
            ConfigurationError: vl-convert is not installed.
        """
        return _text(self._drawn("chart"))

    def png(self, scale: float = 2) -> bytes:
        """A PNG image on white.

        Args:
            scale: pixels for each of the SVG's.

        Raises:
            ConfigurationError: vl-convert is not installed.
        """
        made: bytes = _converter().svg_to_png(self.svg(), scale=scale)
        return made

    def inline(self, name: str, kind: str = "") -> str:
        """An `<svg>` for a page whose style has `theme.variables`; it is as wide as its place.

        Args:
            name: an id that nothing else on the page begins with.
            kind: its class.
        """
        root = self._drawn(name, titled=False)
        for element in root.iter():
            for side in ("fill", "stroke"):
                if element.get(side) in _VARIABLES:
                    element.set(side, _VARIABLES[element.get(side, "")])
        del root.attrib["width"], root.attrib["height"]
        root.set("class", kind)
        return _text(root)

    def _drawn(self, name: str, titled: bool = True) -> ElementTree.Element:
        # A page says in its own words what a chart is of, where the chart has its title.
        spec = {key: value for key, value in self.spec.items() if titled or key != "title"}
        made = _converter().vegalite_to_svg(spec)
        root = ElementTree.fromstring(made)
        _clean(root, name)
        for at, (tag, text) in enumerate((("title", self.title), ("desc", self.description))):
            one = ElementTree.Element(f"{{{SVG}}}{tag}", id=f"{name}-{tag}")
            one.text = harmless(text)
            root.insert(at, one)
        root.set("role", "img")
        root.set("aria-labelledby", f"{name}-title {name}-desc")
        return root


def _clean(root: ElementTree.Element, name: str) -> None:
    """Leave what is seen, in short numbers; ids are the drawing's own."""
    root.attrib.pop("class", None)
    for parent in list(root.iter()):
        for child in list(parent):
            if _unseen(child):
                parent.remove(child)
    for element in root.iter():
        for gone in _DROPPED:
            element.attrib.pop(gone, None)
        if element.get("opacity") == "1":
            del element.attrib["opacity"]
        if element.tag.endswith("}g"):
            element.attrib.pop("class", None)
        for key, value in element.attrib.items():
            short = _LONG_NUMBER.sub(lambda found: f"{float(found[0]):.2f}", value)
            if key == "id" or "url(#" in value:
                short = (
                    short.replace("url(#", f"url(#{name}-") if key != "id" else f"{name}-{value}"
                )
            element.set(key, short)


def _unseen(element: ElementTree.Element) -> bool:
    if element.get("display") == "none" or element.get("opacity") == "0":
        return True
    return element.tag.endswith("}path") and element.get("d", "") in ("", "M0,0h0v0h0Z")


def _text(root: ElementTree.Element) -> str:
    ElementTree.register_namespace("", SVG)
    return ElementTree.tostring(root, encoding="unicode")


def _converter() -> Any:
    try:
        import vl_convert
    except ModuleNotFoundError as error:
        raise missing(error) from error
    return vl_convert


def missing(error: ModuleNotFoundError) -> ConfigurationError:
    """What to do where a library of charts is not installed."""
    return ConfigurationError(
        f'Charts are drawn with {error.name}, which is not installed: pip install "gavial[monitor]"'
    )
