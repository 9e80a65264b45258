"""The composition root: builds everything from the settings, runs it, closes it. The only place where concrete classes meet."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import signal
import sys
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import structlog
from sqlalchemy.engine import make_url

from bot.core.desk import Desk
from bot.core.ports import Channel, Clock
from bot.errors import AccueilError, SettingsError, StoreError
from bot.flow.clock import SteadyClock
from bot.flow.delivery import Deliveries
from bot.flow.heartbeat import Heartbeat
from bot.flow.intake import Intake
from bot.flow.signal import Signal
from bot.flow.upkeep import purge, watch
from bot.library.shelf import Shelf
from bot.settings import Settings
from bot.store.database import Database

READERS = 4  # loops in one process
SENDERS = {"telegram": 6, "email": 3, "console": 1}  # for each channel; mail servers take few connections at once
log = structlog.get_logger("app")


def now() -> datetime:
    return datetime.now(UTC)


def configure_logs(settings: Settings) -> None:
    """Structured lines on standard error. Never a learner's words, an address or a token at the default level."""
    level = getattr(logging, settings.log_level.upper())
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False)
            if settings.log_format == "json"
            else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    # the libraries' own loggers name addresses that hold the bot's token: never below warning
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Database]:
    """The store, closed again. Raises StoreError."""
    try:
        store = await Database.open(settings.database_url)
    except ValueError as error:
        raise SettingsError([f"DATABASE_URL: {error}"]) from error
    try:
        yield store
    finally:
        await store.close()


@contextmanager
def alone(settings: Settings) -> Iterator[bool]:
    """On SQLite, hold the file's lock: two services on one file would answer twice. True where we are surely alone."""
    url = make_url(settings.database_url)
    if url.get_backend_name() != "sqlite":
        yield False
        return
    path = Path(f"{url.database}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = path.open("w")
    except OSError as error:
        raise StoreError(f"the data folder {path.parent} cannot be used: {error.strerror}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StoreError(f"another Accueil is running on {url.database}; stop it first") from None
        yield True


async def run(settings: Settings, desk: Desk, *, chat: bool) -> None:
    """Serve until a signal, or in a chat until the input ends. Raises AccueilError."""
    for warning in settings.warnings:
        log.warning(warning)
    sys.setswitchinterval(0.001)  # understanding computes in threads, and the loops should not wait 5 ms at each of their steps
    with _clean_stop(), alone(settings) as surely:
        shelf = await asyncio.to_thread(Shelf, settings.knowledge_dir)
        clock = SteadyClock()
        async with opened(settings) as store:
            if surely:
                await store.release()
            channels = _channels(settings, store, clock, shelf.mind.knowledge.facts.get("organisation", ""), chat)
            try:
                await _serve(store, channels, shelf, desk, clock)
            finally:
                for channel in channels:
                    await channel.close()


@contextmanager
def _clean_stop() -> Iterator[None]:
    """SIGTERM and SIGINT, at any moment from here on, end the work inside in good order and without an error."""
    main, loop, stopped = asyncio.current_task(), asyncio.get_running_loop(), False
    assert main is not None

    def stop() -> None:
        nonlocal stopped
        stopped = True
        main.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    try:
        yield
    except asyncio.CancelledError:
        if not stopped:
            raise
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
    log.info("stopped")


def _channels(settings: Settings, store: Database, clock: Clock, organisation: str, chat: bool) -> list[Channel]:
    """What the settings name; imported only where it is used."""
    if chat:
        from bot.channels.console import Terminal

        return [Terminal(clock)]
    served: list[Channel] = []
    if settings.telegram_token:
        from bot.channels.telegram import Telegram

        served.append(
            Telegram(
                settings.telegram_token,
                store.secret,
                clock,
                api_url=settings.telegram_api_url,
                webhook_url=settings.telegram_webhook_url,
                port=settings.port,
                mailed=settings.mail is not None,
            )
        )
    if settings.mail is not None:
        from bot.channels.mail.channel import Email

        name = settings.mail.name or organisation
        served.append(Email(replace(settings.mail, name=name), store.secret, clock))
    return served


async def _serve(store: Database, channels: Sequence[Channel], shelf: Shelf, desk: Desk, clock: SteadyClock) -> None:
    came, due = Signal(), Signal()
    by_name = {channel.name: channel for channel in channels}
    intake = Intake(store, by_name, shelf, desk, clock, came, due)
    deliveries = Deliveries(store, by_name, shelf, desk, clock, due)
    heartbeat = Heartbeat(store, by_name, shelf, desk, clock, due)
    loops = [
        *(intake.work() for _ in range(READERS)),
        *(deliveries.work(name) for name in by_name for _ in range(SENDERS[name])),
        heartbeat.work(),
        watch(shelf, store, desk, clock, due),
        purge(store, desk, clock),
    ]
    log.info("ready", channels=sorted(by_name))
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in loops]
            await asyncio.gather(*(channel.receive(intake) for channel in channels))
            await _settled(store, due, by_name, clock)
            for task in tasks:
                task.cancel()
    except BaseExceptionGroup as errors:
        ours = errors.subgroup(AccueilError)
        if ours is None:
            raise
        raise _first(ours) from None


async def _settled(store: Database, due: Signal, channels: Collection[str], clock: Clock) -> None:
    """Wait until what came in is answered and sent: the end of a chat's input."""
    while not await store.idle(clock(), channels):
        await due.wait()


def _first(errors: BaseExceptionGroup[BaseException]) -> AccueilError:
    found: BaseException = errors
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    assert isinstance(found, AccueilError)
    return found
