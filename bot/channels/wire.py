"""The very moment in which an HTTP request goes on the wire: the connection is there, and its first byte is about to be written.

Whoever dies before it sent nothing; so what is noted then is as near to the truth as can be.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpx

from bot.core.ports import OnWire

_told: ContextVar[OnWire | None] = ContextVar("told", default=None)


@contextmanager
def noted(on_wire: OnWire) -> Iterator[None]:
    """Requests that are made inside, by this task, await ``on_wire`` first. What it raises ends the request unsent."""
    token = _told.set(on_wire)
    try:
        yield
    finally:
        _told.reset(token)


async def watch(request: httpx.Request) -> None:
    """An event hook of a client; httpcore's own trace tells when the request goes out (through a proxy: a little earlier)."""
    on_wire = _told.get()
    if on_wire is None:
        return

    async def trace(name: str, _: dict[str, Any]) -> None:
        if name.endswith("send_request_headers.started"):
            await on_wire()

    request.extensions["trace"] = trace
