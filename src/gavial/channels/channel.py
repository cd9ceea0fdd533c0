"""The ports: what takes messages, what takes gauges, and how long either is tried."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

from gavial.channels.gauges import Gauge
from gavial.channels.message import Event, Message
from gavial.errors import NotDelivered

ATTEMPTS = 4
SECONDS = 300.0
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 90.0


class Later(NotDelivered):
    """The same message may be taken a little later.

    Attributes:
        after: seconds that the other side asks to be left alone for.
    """

    def __init__(self, message: str, after: float = 0.0) -> None:
        super().__init__(message)
        self.after = after


class PartlyDelivered(NotDelivered):
    """Some got it, and others never will: to send it again would only repeat it."""


class Channel(ABC):
    """What takes messages when something is news.

    Attributes:
        name: as the configuration has it.
        events: what it is told.
        seconds: after which a delivery is given up, whatever it is doing.
    """

    usual: ClassVar[frozenset[Event]] = frozenset(Event) - {Event.SILENT}

    def __init__(self, name: str, events: frozenset[Event] | None = None) -> None:
        self.name = name
        self.events = self.usual if events is None else events
        self.seconds = SECONDS

    @abstractmethod
    def send(self, message: Message) -> None:
        """Deliver a message, once.

        Raises:
            Later: it was not taken, and may be when it is tried again.
            PartlyDelivered: somebody got it.
            NotDelivered: it was not taken.
        """


class Meter(ABC):
    """What takes gauges, at every run.

    Attributes:
        name, seconds: as a channel's.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.seconds = SECONDS

    @abstractmethod
    def publish(self, module: str, gauges: Sequence[Gauge]) -> None:
        """Publish all gauges of a module, in the place of those before.

        Raises:
            NotDelivered: they could not be published.
        """

    def forget(self, module: str) -> None:  # noqa: B027
        """Take back what was published of a module, where it stays until then."""


def persist(
    act: Callable[[], None],
    attempts: int = ATTEMPTS,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Do something that may succeed when it is tried again.

    The pauses double, and are no shorter than the other side asks for; where it asks for more
    than a minute and a half, the next run is to try again.

    Raises:
        NotDelivered: it failed every time.
    """
    for attempt in range(attempts):
        try:
            act()
        except Later as error:
            pause = max(FIRST_PAUSE * 2**attempt, error.after)
            if attempt == attempts - 1 or pause > LONGEST_PAUSE:
                raise
            sleep(pause)
        else:
            return
