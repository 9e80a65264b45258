"""The wall clock without its jumps: what is due and who holds a lease must not depend on somebody setting the clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def _wall() -> datetime:
    return datetime.now(UTC)


def _elapsed() -> float:
    """Seconds that nobody can set; those in which the machine slept are counted."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class SteadyClock:
    """Goes on as it was when the wall clock jumps, until ``follow``. Implements ``bot.core.ports.Clock``."""

    def __init__(self, wall: Callable[[], datetime] = _wall, elapsed: Callable[[], float] = _elapsed) -> None:
        self._wall = wall
        self._elapsed = elapsed
        self._zero = wall() - timedelta(seconds=elapsed())

    def __call__(self) -> datetime:
        return self._zero + timedelta(seconds=self._elapsed())

    def jump(self) -> timedelta:
        """How far the wall clock is ahead of this one."""
        return self._wall() - self()

    def follow(self, jump: timedelta) -> None:
        self._zero += jump
