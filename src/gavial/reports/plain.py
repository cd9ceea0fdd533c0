"""Text from outside, made fit to be shown on a terminal, a page or a chart. Pure."""

from __future__ import annotations

import unicodedata

# Controls, invisible formatting (bidirectional overrides among it), halves of pairs, and what
# breaks a line. Joiners are formatting too, and Persian and Indic words need them.
_HARMFUL = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINERS = frozenset("\u200c\u200d")
_UNITS = ("kB", "MB", "GB", "TB", "PB")


def harmless(text: object) -> str:
    """One line that a terminal only shows: what would steer it stands there as an escape.

    >>> harmless("\\x1b[31mred\\x1b[0m")
    '\\\\x1b[31mred\\\\x1b[0m'
    """
    return "".join(_shown(character) for character in str(text))


def harmless_lines(text: object) -> list[str]:
    """The lines of a text, each of them harmless, without empty ones at its ends.

    >>> harmless_lines("Scores customers.\\nDaily.\\n")
    ['Scores customers.', 'Daily.']
    """
    return [harmless(line.rstrip("\r")) for line in str(text).strip().split("\n")]


def human_size(count: int) -> str:
    """A number of bytes in decimal units, with three digits or more.

    >>> [human_size(count) for count in (0, 999, 1000, 12_345_678)]
    ['0 B', '999 B', '1.00 kB', '12.3 MB']
    """
    if count < 1000:
        return f"{count} B"
    value = float(count)
    for unit in _UNITS:
        value /= 1000
        if value < 999.5 or unit == _UNITS[-1]:
            break
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{digits}f} {unit}"


def _harms(character: str) -> bool:
    # The last two of a plane are no characters, and XML may not have them.
    no_character = ord(character) & 0xFFFE == 0xFFFE
    return no_character or unicodedata.category(character) in _HARMFUL


def _shown(character: str) -> str:
    if character in _JOINERS or not _harms(character):
        return character
    return character.encode("unicode_escape").decode("ascii")
