"""The core's frozen types to JSON and back, and keyed hashes of identifiers."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from pydantic import TypeAdapter

from bot.core.model import Dialogue, Escalation, Outgoing

dialogue = TypeAdapter(Dialogue)
escalation = TypeAdapter(Escalation)
outgoing = TypeAdapter(Outgoing)


def dump(adapter: TypeAdapter[Any], value: object) -> Any:
    return adapter.dump_python(value, mode="json")


class Hasher:
    """Keyed hashes: the same text gives the same hash, and without the key nobody can try texts out."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __call__(self, text: str) -> str:
        return hmac.new(self._key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:40]
