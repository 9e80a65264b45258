"""Telegram: updates into the inbox by long polling or a webhook, texts out, with every answer of the peer understood."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import warnings
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import httpx
import structlog
import tornado.httpserver
import tornado.web
from telegram import Bot, BotCommand, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions, ReplyParameters
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.request import HTTPXRequest
from telegram.warnings import PTBUserWarning

from bot.channels.pace import Pace
from bot.channels.signed import opened, sign
from bot.channels.telegram_update import Me, key_of, person_of, read
from bot.channels.wire import noted, watch
from bot.core.model import Ignored, Message, Outgoing
from bot.core.ports import Arrival, Clock, Delivery, Inlet, OnWire
from bot.errors import AccueilError, ChannelError, DeliveryError, StoreError

COMMANDS = {
    "start": "Se présenter",
    "aide": "Ce que je sais faire",
    "horaires": "Horaires de la journée",
    "pauses": "Les pauses",
    "materiel": "Ce qu'il faut apporter",
    "acces": "Lieu et accès",
    "accessibilite": "Handicap et accessibilité",
    "formateur": "Joindre le formateur",
    "format": "Choisir le format de ma formation",
    "confidentialite": "Ce que je conserve",
    "oublier": "Effacer ce qui me concerne",
}
MAILED = {"email": "Être aussi joint par courriel"}
UPDATES = ["message", "edited_message", "callback_query"]
POLL = 25  # seconds that Telegram holds a request open for
SEND_TIMEOUT = 15.0
CONFLICTS = 5  # in a row: another poller is there to stay
WEBHOOK_BODY = 1_000_000  # bytes; a real update is far smaller
log = structlog.get_logger("telegram")

# the raw updates are wanted, and the library's own get_updates parses them
warnings.filterwarnings("ignore", message="Please use 'Bot.getUpdates'", category=PTBUserWarning)


class Telegram:
    """Implements ``bot.core.ports.Channel``. Call ``open`` before anything else."""

    name = "telegram"

    def __init__(
        self,
        token: str,
        secret: bytes,
        clock: Clock,
        *,
        api_url: str = "https://api.telegram.org",
        webhook_url: str = "",
        port: int | None = None,
        mailed: bool = False,
    ) -> None:
        """mailed: a mailbox is served too, so that people may give their address."""

        def request(read_timeout: float) -> HTTPXRequest:
            return HTTPXRequest(
                connection_pool_size=16,
                read_timeout=read_timeout,
                write_timeout=10,
                connect_timeout=5,
                pool_timeout=5,
                httpx_kwargs={"event_hooks": {"request": [watch]}},
            )

        self._bot = Bot(token, base_url=f"{api_url}/bot", request=request(SEND_TIMEOUT), get_updates_request=request(POLL + 10.0))
        self._secret = secret
        self._clock = clock
        self._webhook_url = webhook_url
        self._port = port
        self._commands = {**COMMANDS, **(MAILED if mailed else {})}
        self._me: Me | None = None
        loop_time = lambda: asyncio.get_running_loop().time()  # noqa: E731
        self._all = Pace(1 / 25, 1, loop_time)  # Telegram takes about 30; turns that are late bunch up a little
        self._chat = Pace(1.05, 1, loop_time)
        self._group = Pace(3.6, 3, loop_time)  # no more than 20 in any minute
        self._signs: set[asyncio.Task[None]] = set()

    @property
    def me(self) -> Me:
        assert self._me is not None, "open() first"
        return self._me

    @property
    def ready(self) -> bool:
        return self._me is not None

    async def open(self) -> None:
        """Ask Telegram who we are. Raises ChannelError, fatal for a token that is refused."""
        try:
            await self._bot.initialize()
        except (InvalidToken, Forbidden) as error:
            raise ChannelError("Telegram refuses the token in ACCUEIL_TELEGRAM_TOKEN", fatal=True) from error
        except TelegramError as error:
            raise ChannelError(f"Telegram does not answer: {_reason(error)}") from error
        me = self._bot.bot
        self._me = Me(me.id, me.username or "", self._secret)

    # ---------------------------------------------------------------- in

    async def receive(self, inlet: Inlet) -> None:
        await self._open_with_patience()
        await self._introduce()
        if self._webhook_url:
            await self._serve_webhook(inlet)
        else:
            await self._poll(inlet)

    async def _open_with_patience(self) -> None:
        wait = 1.0
        while self._me is None:
            try:
                await self.open()
            except ChannelError as error:
                if error.fatal:
                    raise
                log.warning("tried again", why=str(error), seconds=wait)
                await asyncio.sleep(wait)
                wait = min(wait * 2, 60.0)

    async def _introduce(self) -> None:
        """The commands and their descriptions; a failure costs a menu, not the service."""
        with contextlib.suppress(TelegramError):
            await self._bot.set_my_commands([BotCommand(name, text) for name, text in self._commands.items()])

    async def _poll(self, inlet: Inlet) -> None:
        """The next poll confirms what the last one brought: by then it is committed."""
        await self._without_webhook()
        name = f"telegram:{self.me.id}"
        offset = int(await inlet.cursor(name) or 0)
        log.info("polling")
        while True:
            updates = await self._patiently(partial(self._updates, offset))
            kept = [u for u in updates if isinstance(u, dict) and isinstance(u.get("update_id"), int)]
            if not kept:
                await asyncio.sleep(1 if updates else 0)  # an answer without numbers cannot be confirmed
                continue
            following = max(u["update_id"] for u in kept) + 1
            await self._keep(inlet, kept, (name, str(following)))
            offset = following

    async def _without_webhook(self) -> None:
        """A webhook of an earlier set-up would take the updates; should this fail, the first conflict tries again."""
        with contextlib.suppress(TelegramError):
            await self._bot.delete_webhook(drop_pending_updates=False)

    async def _updates(self, offset: int) -> Sequence[Any]:
        asked = {"offset": offset, "timeout": POLL, "allowed_updates": UPDATES}
        found = await self._bot.do_api_request("getUpdates", api_kwargs=asked, read_timeout=POLL + 10.0)
        return found if isinstance(found, list) else []

    async def _keep(self, inlet: Inlet, updates: Sequence[dict[str, Any]], cursor: tuple[str, str] | None) -> None:
        now = self._clock()
        # a microsecond apart: a button tells by the time which message it answers
        arrivals = [
            Arrival(key_of(u), self.name, person_of(u), u, now + timedelta(microseconds=n)) for n, u in enumerate(updates)
        ]
        while True:
            try:
                await inlet.keep(arrivals, cursor)
                break
            except StoreError as error:  # not confirmed, so nothing is lost: the database is waited for
                if cursor is None:
                    raise
                log.error("store does not answer, intake waits", error=str(error))
                await asyncio.sleep(2)
        for update in updates:
            self._soon(self._answer_press(update))

    async def _patiently(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        """Ask until there is an answer. Raises ChannelError, fatal, where none will come."""
        wait, conflicts = 1.0, 0
        while True:
            try:
                return await ask()
            except (InvalidToken, EndPointNotFound) as error:  # the library's two names for a 401
                raise ChannelError("Telegram refuses the token in ACCUEIL_TELEGRAM_TOKEN", fatal=True) from error
            except RetryAfter as error:
                await asyncio.sleep(_seconds(error).total_seconds())
            except Conflict as error:
                conflicts += 1
                if conflicts >= CONFLICTS:
                    reason = "another program polls with the same token; stop one of the two"
                    raise ChannelError(reason, fatal=True) from error
                if "webhook" in error.message.lower():
                    await self._without_webhook()
                await asyncio.sleep(wait)
                wait = min(wait * 2, 8.0)
            except TelegramError as error:
                log.warning("Telegram does not answer", why=_reason(error), seconds=wait)
                await asyncio.sleep(wait)
                wait = min(wait * 2, 30.0)

    async def _serve_webhook(self, inlet: Inlet) -> None:
        channel = self
        secret = hmac.new(self._secret, b"webhook", hashlib.sha256).hexdigest()

        class Hook(tornado.web.RequestHandler):
            async def post(self) -> None:
                given = self.request.headers.get("X-Telegram-Bot-Api-Secret-Token", "")
                if not hmac.compare_digest(given.encode(), secret.encode()):
                    self.set_status(403)
                    return
                try:
                    update = json.loads(self.request.body)
                    if not isinstance(update, dict) or not isinstance(update.get("update_id"), int):
                        raise ValueError
                except ValueError:
                    self.set_status(400)
                    return
                try:
                    await channel._keep(inlet, [update], None)
                except AccueilError:
                    self.set_status(503)  # Telegram sends it again

        path = urlsplit(self._webhook_url).path or "/"
        app = tornado.web.Application([(path, Hook)], log_function=lambda _: None)
        server = tornado.httpserver.HTTPServer(app, max_body_size=WEBHOOK_BODY)
        try:
            server.listen(self._port or 8080)
        except OSError as error:
            raise ChannelError(f"PORT {self._port or 8080} cannot be opened: {error.strerror}", fatal=True) from error
        try:
            await self._patiently(lambda: self._bot.set_webhook(self._webhook_url, secret_token=secret, allowed_updates=UPDATES))
            log.info("webhook is set")
            await asyncio.Event().wait()
        finally:
            server.stop()

    async def _answer_press(self, update: dict[str, Any]) -> None:
        """The little clock on a button stops; who presses another's button is told."""
        query = update.get("callback_query")
        if not isinstance(query, dict) or not isinstance(query.get("id"), str):
            return
        theirs = opened(self._secret, person_of(update), str(query.get("data", ""))) is not None
        with contextlib.suppress(TelegramError):
            await self._bot.answer_callback_query(query["id"], text=None if theirs else "Ce bouton n'est pas pour vous.")

    def read(self, arrival: Arrival) -> Message | Ignored:
        return read(arrival.raw, self.me, arrival.received_at)

    async def acknowledge(self, message: Message) -> None:
        if message.press or self._all.behind:  # texts come first
            return
        self._soon(self._typing(message.chat))

    async def _typing(self, chat: str) -> None:
        with contextlib.suppress(TelegramError):
            await self._bot.send_chat_action(_native(chat), "typing")

    def _soon(self, sign: Any) -> None:
        if len(self._signs) > 100:  # a flood: signs of life are the first thing to go
            sign.close()
            return
        task = asyncio.create_task(sign)
        self._signs.add(task)
        task.add_done_callback(self._signs.discard)

    # ---------------------------------------------------------------- out

    async def send(self, delivery: Delivery, on_wire: OnWire) -> str:
        out = delivery.outgoing
        if self._me is None:
            raise DeliveryError("not connected to Telegram yet", retry_after=timedelta(seconds=2), unreachable=True)
        chat = _native(out.to)
        if chat < 0:
            await self._group.turn(out.to)
        await self._chat.turn(out.to)
        await self._all.turn()
        try:
            with noted(on_wire):
                return await self._handed_over(out, chat)
        except TelegramError as error:
            if isinstance(error.__cause__, StoreError):  # not noted, so not sent
                raise error.__cause__ from None
            raise _delivery_error(error) from error
        finally:
            self._chat.sent(out.to)

    async def _handed_over(self, out: Outgoing, chat: int) -> str:
        copied = out.thread.get("copy")
        if copied:
            done = await self._bot.copy_message(chat, _native(copied["chat"]), int(copied["message"]))
            return str(done.message_id)
        sent = await self._bot.send_message(
            chat,
            out.body,
            reply_markup=self._keyboard(out),
            reply_parameters=ReplyParameters(int(out.reply_to), allow_sending_without_reply=True) if out.reply_to else None,
            link_preview_options=LinkPreviewOptions(is_disabled=True),
        )
        return str(sent.message_id)

    def _keyboard(self, out: Outgoing) -> InlineKeyboardMarkup | None:
        if not out.choices:
            return None
        owner = str(out.thread.get("owner") or out.to)
        return InlineKeyboardMarkup(
            [[InlineKeyboardButton(c.label, callback_data=sign(self._secret, owner, c.code)) for c in row] for row in out.choices]
        )

    async def unreachable(self, persons: Iterable[str]) -> dict[str, str]:
        """Which of these never pressed Start, or cannot be reached, and why: for ``doctor``."""
        found = {}
        for person in persons:
            try:
                await self._bot.send_chat_action(_native(person), "typing")
            except TelegramError as error:
                found[person] = _reason(error)
        return found

    async def found(self, delivery: Delivery) -> str | None:
        return None  # nothing can be looked up there

    async def close(self) -> None:
        for task in self._signs:
            task.cancel()
        with contextlib.suppress(TelegramError, httpx.HTTPError):
            await self._bot.shutdown()


def _native(address: str) -> int:
    return int(address.partition(":")[2])


def _delivery_error(error: TelegramError) -> DeliveryError:
    """What an answer of Telegram, or its silence, means for the text. The order matters: the classes are nested."""
    reason = _reason(error)
    if isinstance(error, RetryAfter):
        return DeliveryError(reason, retry_after=_seconds(error))
    if isinstance(error, ChatMigrated):
        return DeliveryError(reason, moved_to=f"telegram:{error.new_chat_id}")
    if isinstance(error, (Forbidden, BadRequest)):
        return DeliveryError(reason, permanent=True)
    if isinstance(error, (TimedOut, NetworkError)):
        unsure = _may_have_arrived(error)
        return DeliveryError(reason, uncertain=unsure, unreachable=not unsure)
    return DeliveryError(reason)


def _may_have_arrived(error: TelegramError) -> bool:
    """Only a connection that never came about is sure not to have carried the text; a 5xx is an answer."""
    cause = error.__cause__
    if not isinstance(cause, httpx.HTTPError):
        return False
    return not isinstance(cause, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout))


def _seconds(error: RetryAfter) -> timedelta:
    wait = error.retry_after
    return wait if isinstance(wait, timedelta) else timedelta(seconds=wait)


def _reason(error: TelegramError) -> str:
    return f"{type(error).__name__}: {error.message}"[:200]
