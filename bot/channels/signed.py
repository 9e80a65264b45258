"""Button codes that only we can make and only their owner can use. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac

LENGTH = 10  # characters of signature: 60 bits, and a guess costs a press
LIMIT = 64  # bytes of callback data that Telegram takes


def sign(secret: bytes, owner: str, code: str) -> str:
    """The code with its signature for one person. Raises ValueError where it would be too long to send."""
    data = _signature(secret, owner, code) + code
    if len(data.encode()) > LIMIT:
        raise ValueError(f"button code of {len(code)} characters is too long")
    return data


def opened(secret: bytes, owner: str, data: str) -> str | None:
    """The code, where the signature is ours and the button this person's; else None."""
    given, code = data[:LENGTH], data[LENGTH:]
    right = _signature(secret, owner, code)
    return code if hmac.compare_digest(given.encode("utf-8", "replace"), right.encode()) else None


def _signature(secret: bytes, owner: str, code: str) -> str:
    mac = hmac.new(secret, f"button\0{owner}\0{code}".encode("utf-8", "replace"), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac)[:LENGTH].decode()
