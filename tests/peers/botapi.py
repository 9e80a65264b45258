"""A strict Bot API server: what Telegram's own does to a bot, over real HTTP, on a free port of the loopback.

Strict: a text too long or empty, callback data over 64 bytes, an unknown chat are refused as Telegram refuses them; a
second poller ends the first one's request with a 409; no answer holds more than a hundred updates. Faults are scripted with
``faults``: each entry answers one request of its method: ``(code, description)`` or ``(code, description, parameters)``,
"cut" (taken, and the line breaks before the answer), "lost" (the line breaks before anything is taken), None for a sound answer.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

TOKEN = "123456:test-token-for-the-loopback"
BOT = {"id": 123456, "is_bot": True, "first_name": "Accueil", "username": "accueil_test_bot"}


@dataclass
class BotApi:
    """State of one server. ``sent`` holds every text that a chat received, in order."""

    started: set[int] = field(default_factory=set)  # users who pressed Start: a bot cannot write first
    blocked: set[int] = field(default_factory=set)
    sent: list[dict[str, Any]] = field(default_factory=list)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    faults: dict[str, list[Any]] = field(default_factory=dict)
    hold: asyncio.Event | None = None  # while set and unset: sendMessage is taken, and its answer held back
    caught: asyncio.Event = field(default_factory=asyncio.Event)  # set as soon as an answer is held back
    pressed: list[dict[str, Any]] = field(default_factory=list)  # what people who pressed a button were shown
    updates: list[dict[str, Any]] = field(default_factory=list)
    webhook: dict[str, Any] = field(default_factory=dict)
    url: str = ""

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1000)
        self._update_ids = itertools.count(500)
        self._arrived = asyncio.Event()
        self._poll = 0  # number of the newest getUpdates
        self._runner: web.AppRunner | None = None

    # ------------------------------------------------------------ what people do

    def user(self, id: int, text: str = "", *, name: str = "Ana", chat: dict[str, Any] | None = None, **extra: Any) -> int:
        """A person writes; the message's id."""
        self.started.add(id)
        message = {
            "message_id": next(self._numbers),
            "date": int(time.time()),
            "chat": chat or {"id": id, "type": "private", "first_name": name},
            "from": {"id": id, "is_bot": False, "first_name": name},
            **({"text": text} if text else {}),
            **extra,
        }
        self._push({"message": message})
        return int(message["message_id"])

    def edit(self, id: int, message_id: int, text: str) -> None:
        message = {
            "message_id": message_id,
            "date": int(time.time()),
            "edit_date": int(time.time()),
            "chat": {"id": id, "type": "private"},
            "from": {"id": id, "is_bot": False, "first_name": "Ana"},
            "text": text,
        }
        self._push({"edited_message": message})

    def reply(self, id: int, to: dict[str, Any], text: str, **extra: Any) -> int:
        """A person replies to a text that they received."""
        quoted = {
            "message_id": to["message_id"],
            "date": 1,
            "chat": {"id": id, "type": "private"},
            "from": BOT,
            "text": to["text"],
        }
        return self.user(id, text, reply_to_message=quoted, **extra)

    def press(self, id: int, on: dict[str, Any], label: str) -> None:
        """A person presses the button of that label under a text."""
        rows = json.loads(on["reply_markup"])["inline_keyboard"]
        data = next(b["callback_data"] for row in rows for b in row if b["text"] == label)
        self.press_data(id, on, data)

    def press_data(self, id: int, on: dict[str, Any], data: str) -> None:
        query = {
            "id": str(next(self._numbers)),
            "from": {"id": id, "is_bot": False, "first_name": "Ana"},
            "chat_instance": "1",
            "data": data,
            "message": {
                "message_id": on["message_id"],
                "date": 1,
                "chat": {"id": on["chat_id"], "type": "private"},
                "from": BOT,
                "text": on["text"],
            },
        }
        self._push({"callback_query": query})

    def again(self, update: dict[str, Any]) -> None:
        """Telegram delivers an update a second time."""
        self.updates.append(update)
        self._arrived.set()

    def _push(self, content: dict[str, Any]) -> None:
        self.updates.append({"update_id": next(self._update_ids), **content})
        self._arrived.set()

    # ------------------------------------------------------------ what a test waits for

    def texts(self, chat: int) -> list[str]:
        return [m["text"] for m in self.sent if m["chat_id"] == chat]

    async def until(self, holds: Callable[[], Any], seconds: float = 20) -> Any:
        """Wait until something holds; what it gave. Fails with what was sent so far."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = holds()
            if found:
                return found
            await asyncio.sleep(0.03)
        raise AssertionError(f"did not happen within {seconds} s; sent so far: {self.sent}")

    async def text_to(self, chat: int, holding: str = "", nth: int = 1) -> dict[str, Any]:
        """The nth text to a chat that holds these words, as soon as it is there."""

        def found() -> dict[str, Any] | None:
            hits = [m for m in self.sent if m["chat_id"] == chat and holding.lower() in m["text"].lower()]
            return hits[nth - 1] if len(hits) >= nth else None

        got: dict[str, Any] = await self.until(found)
        return got

    # ------------------------------------------------------------ the server

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", f"/bot{TOKEN}/{{method}}", self._answer)
        app.router.add_route("*", "/{rest:.*}", self._unknown)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        self.url = f"http://127.0.0.1:{port}"

    async def stop(self) -> None:
        self._arrived.set()  # a poll that is being held ends now
        if self._runner is not None:
            await self._runner.cleanup()

    async def _unknown(self, request: web.Request) -> web.Response:
        return _error(401, "Unauthorized")

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        data: dict[str, Any] = dict(await request.post())
        self.calls.append((method, data))
        scripted = self.faults.get(method) or []
        if scripted:
            fault = scripted.pop(0)
            if fault in ("cut", "lost"):
                if method == "sendMessage" and fault == "cut":
                    self._send(data)
                assert request.transport is not None
                request.transport.close()
                return web.Response()
            if fault is not None:
                code, description, *parameters = fault
                return _error(code, description, **(parameters[0] if parameters else {}))
        handler = getattr(self, f"_{method}", None)
        if handler is None:
            return _error(404, "Not Found")
        done = handler(data)
        result = await done if asyncio.iscoroutine(done) else done
        return result if isinstance(result, web.Response) else web.json_response({"ok": True, "result": result})

    async def _getUpdates(self, data: dict[str, Any]) -> Any:
        if self.webhook.get("url"):
            return _error(409, "Conflict: can't use getUpdates method while webhook is active")
        self._poll += 1
        mine = self._poll
        self._arrived.set()  # a request that is being held ends now
        await asyncio.sleep(0)
        offset = int(data.get("offset", 0))
        self.updates = [u for u in self.updates if u["update_id"] >= offset]
        if not self.updates:
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), min(float(data.get("timeout", 0)), 2.0))
            except TimeoutError:
                return []
        if mine != self._poll:
            return _error(
                409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
            )
        return list(self.updates[:100])

    def _getMe(self, data: dict[str, Any]) -> Any:
        return BOT

    def _setMyCommands(self, data: dict[str, Any]) -> Any:
        return True

    def _deleteWebhook(self, data: dict[str, Any]) -> Any:
        self.webhook = {}
        return True

    def _setWebhook(self, data: dict[str, Any]) -> Any:
        self.webhook = data
        return True

    def _answerCallbackQuery(self, data: dict[str, Any]) -> Any:
        self.pressed.append(data)
        return True

    def _sendChatAction(self, data: dict[str, Any]) -> Any:
        return self._refusal(int(data["chat_id"])) or True

    def _copyMessage(self, data: dict[str, Any]) -> Any:
        refusal = self._refusal(int(data["chat_id"]))
        if refusal:
            return refusal
        self.sent.append(
            {"chat_id": int(data["chat_id"]), "text": f"[copy of {data['message_id']}]", "message_id": next(self._numbers)}
        )
        return {"message_id": self.sent[-1]["message_id"]}

    async def _sendMessage(self, data: dict[str, Any]) -> Any:
        text = data.get("text", "")
        if not text.strip():
            return _error(400, "Bad Request: message text is empty")
        if len(text.encode("utf-16-le")) // 2 > 4096:
            return _error(400, "Bad Request: message is too long")
        for row in json.loads(data.get("reply_markup", '{"inline_keyboard": []}'))["inline_keyboard"]:
            if any(len(b["callback_data"].encode()) > 64 for b in row):
                return _error(400, "Bad Request: BUTTON_DATA_INVALID")
        refusal = self._refusal(int(data["chat_id"]))
        if refusal:
            return refusal
        sent = self._send(data)
        if self.hold is not None:
            self.caught.set()
            await self.hold.wait()
        sent["answered_at"] = time.monotonic()
        return {"message_id": sent["message_id"], "date": 1, "chat": {"id": sent["chat_id"], "type": "private"}, "text": text}

    def _send(self, data: dict[str, Any]) -> dict[str, Any]:
        sent = {**data, "chat_id": int(data["chat_id"]), "message_id": next(self._numbers), "at": time.monotonic()}
        self.sent.append(sent)
        return sent

    def _refusal(self, chat: int) -> web.Response | None:
        if chat in self.blocked:
            return _error(403, "Forbidden: bot was blocked by the user")
        if chat > 0 and chat not in self.started:
            return _error(400, "Bad Request: chat not found")
        return None


def _error(code: int, description: str, **parameters: Any) -> web.Response:
    body = {"ok": False, "error_code": code, "description": description}
    if parameters:
        body["parameters"] = parameters
    return web.json_response(body, status=code)


def error(code: int, description: str) -> tuple[int, str]:
    """A scripted refusal."""
    return (code, description)
