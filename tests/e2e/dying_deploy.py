"""Deploy, and die by SIGKILL before or after the n-th step of the protocol.

    python dying_deploy.py SAVED GAV REPOSITORY before|after STEP

Prints each step that was reached, one a line.
"""

import functools
import os
import signal
import sys

import gavial
import gavial.registry.deploy
import gavial.registry.runtime
from gavial.maven.drive import Driver

saved, gav, repository, when, step = sys.argv[1:]
reached = 0


class Dying(Driver):
    def _answer(self, step_):
        global reached
        reached += 1
        if reached == int(step):
            print(type(step_).__name__, getattr(step_, "path", ""), flush=True)
            if when == "after":
                super()._answer(step_)
            os.kill(os.getpid(), signal.SIGKILL)
        return super()._answer(step_)


def no_sleep(_):
    """Nobody else deploys meanwhile."""


gavial.registry.deploy.Driver = functools.partial(Dying, sleep=no_sleep)
gavial.registry.runtime.Driver = functools.partial(Driver, sleep=no_sleep)
print("released", gavial.deploy(saved, gav, repository=repository).coordinate, reached)
