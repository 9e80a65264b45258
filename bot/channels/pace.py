"""Keeps to what a peer takes: so many texts a second in all, and in one chat."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Pace:
    """Each ``turn`` returns when the next text may go. Times in seconds of the running loop."""

    def __init__(self, every: float, burst: int, now: Callable[[], float]) -> None:
        self._every = every
        self._slack = every * (burst - 1)
        self._now = now
        self._next: dict[str, float] = {}

    @property
    def behind(self) -> bool:
        """Whether the next unnamed text has to wait."""
        return self._next.get("", 0.0) > self._now()

    def sent(self, name: str = "") -> None:
        """It went out now, however long ago its turn was."""
        self._next[name] = max(self._next.get(name, 0.0), self._now() + self._every - self._slack)

    async def turn(self, name: str = "") -> None:
        now = self._now()
        at = max(self._next.get(name, 0.0), now - self._slack)
        self._next[name] = at + self._every
        if len(self._next) > 5000:
            self._next = {n: t for n, t in self._next.items() if t > now - self._slack}
        if at > now:
            await asyncio.sleep(at - now)
