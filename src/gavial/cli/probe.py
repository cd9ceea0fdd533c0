"""Whether repositories answer, all asked at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gavial.errors import AccessDenied, GavialError, RepositoryUnavailable

if TYPE_CHECKING:
    from gavial.maven.settings import RepositorySettings

PATIENCE_SECONDS = 15.0
# In Maven's layout: servers refuse to look for anything else.
_PATH = "gavial/probe/maven-metadata.xml"


def probed(chosen: Sequence[RepositorySettings]) -> list[str]:
    """In words, what came of reading from each."""
    answers = [f"unreachable: no answer within {PATIENCE_SECONDS:g} s"] * len(chosen)

    def ask(at: int) -> None:
        answers[at] = answer_of(chosen[at])

    # Daemons: one that waits for a silent server holds nobody up.
    threads = [threading.Thread(target=ask, args=(at,), daemon=True) for at in range(len(chosen))]
    for thread in threads:
        thread.start()
    until = time.monotonic() + PATIENCE_SECONDS
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    return list(answers)


def answer_of(settings: RepositorySettings) -> str:
    """What one repository answers to a reader."""
    from gavial.maven.locations import as_path
    from gavial.maven.open import open_repository

    try:
        if settings.is_folder and not as_path(settings.url.value).exists():
            return "is not there yet: the first deploy makes it"
        open_repository(settings).exists(_PATH)
    except AccessDenied as error:
        return f"refuses credentials: {error}"
    except RepositoryUnavailable as error:
        return f"unreachable: {error}"
    except GavialError as error:
        return f"unusable: {error}"
    except OSError as error:
        return f"unreachable: {error.strerror or error}"
    return "answers"
