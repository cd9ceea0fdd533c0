"""How large what comes from outside may be: all limits, and why.

An environment variable raises or lowers one: `GAVIAL_LIMIT_JAR_ENTRIES=5000000`. It is read when
Gavial is imported.
"""

from __future__ import annotations

import os
import re

from gavial.errors import ConfigurationError

_PREFIX = "GAVIAL_LIMIT_"


def _limit(name: str, default: int) -> int:
    text = os.environ.get(f"{_PREFIX}{name}")
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise ConfigurationError(f"{_PREFIX}{name} is {text!r}: expected a number, as {default}.")
    return int(text)


# Bytes of a descriptor, `maven-metadata.xml`, claim, card or checksum, which are read into memory
# whole. A `maven-metadata.xml` of 100,000 versions has about 4 MB.
SMALL_FILE = _limit("SMALL_FILE", 32 << 20)

# Characters of one part of a card that its author filled: the example, the golden sample, free
# fields, the description of data. Every reader of a release reads them.
CARD_PART = _limit("CARD_PART", 2 << 20)

# Bytes of a file of a record beside a model, such as an alias. A withdrawal names each version that
# is withdrawn, in about 200 bytes.
RECORD = _limit("RECORD", 1 << 20)

# Bytes of a file of settings, which somebody wrote by hand.
SETTINGS = _limit("SETTINGS", 1 << 20)

# Entries of a jar. A random forest of 10,000 trees has about as many files, and a directory of a
# million entries takes half a gigabyte of memory.
JAR_ENTRIES = _limit("JAR_ENTRIES", 1_000_000)

# Bytes of a jar's manifest: about 150 for each entry.
JAR_MANIFEST = _limit("JAR_MANIFEST", 256 << 20)

# By which factor a jar may grow when it is unpacked, once it is larger than `JAR_HARMLESS` bytes.
# What Spark saves is compressed already: models seen here grow by less than 10, bombs by thousands.
JAR_RATIO = _limit("JAR_RATIO", 100)
JAR_HARMLESS = _limit("JAR_HARMLESS", 100 << 20)

# Folders within folders of a jar: a pipeline in a pipeline adds three.
JAR_DEPTH = _limit("JAR_DEPTH", 200)

# Bytes of one stage's metadata in a saved model, uncompressed. Real ones have kilobytes.
STAGE_METADATA = _limit("STAGE_METADATA", 16 << 20)

# Stages within stages. Python's own limit of recursion is a thousand calls, several for each.
STAGE_DEPTH = _limit("STAGE_DEPTH", 50)

# Values within values of a parameter or a card.
JSON_DEPTH = _limit("JSON_DEPTH", 100)

# Folders within folders that a catalogue walks.
WALK_DEPTH = _limit("WALK_DEPTH", 40)

# Pages of a server's search, of 50 to 100 names each.
SEARCH_PAGES = _limit("SEARCH_PAGES", 1_000)

# Bytes of a release's signature: about 200 for each file that it covers, and certificates.
SIGNATURE = _limit("SIGNATURE", 1 << 20)

# Values of one stage that `gavial diff` compares one by one; beyond, by digest and summary.
DIFF_VALUES = _limit("DIFF_VALUES", 100_000)

# Bytes, uncompressed, of a part of one file (a row group) that `gavial diff` reads at once: a
# StringIndexer's labels are one value. Larger ones are compared by their files' digests alone.
DIFF_BYTES = _limit("DIFF_BYTES", 512 << 20)
