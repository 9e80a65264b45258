"""The service as its operator runs it: a process of its own, driven by the environment alone."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.peers.botapi import TOKEN, BotApi
from tests.peers.mail import CONTACT_BOX, Imap, Smtp, until

START = 110  # seconds: learning all phrases is ten of one core, and a machine may be busy
TRAINER, HELPER, CONTACT, ANA, STRANGER = 11, 12, 13, 4001, 4002


class Service:
    """Starts, kills and stops ``python -m bot serve``."""

    def __init__(self, environment: dict[str, str], arguments: tuple[str, ...] = ()) -> None:
        self.environment = environment
        self.arguments = arguments
        self.process: asyncio.subprocess.Process | None = None
        self.log = b""
        self._reading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            "serve",
            *self.arguments,
            env=self.environment,
            stderr=asyncio.subprocess.PIPE,
            stdin=asyncio.subprocess.DEVNULL,
        )
        ready = asyncio.Event()
        self._reading = asyncio.create_task(self._read(ready))
        try:
            await asyncio.wait_for(ready.wait(), START)
        except TimeoutError:  # none is left behind
            self.process.kill()
            raise

    async def _read(self, ready: asyncio.Event) -> None:
        assert self.process is not None
        assert self.process.stderr is not None
        while line := await self.process.stderr.readline():
            self.log += line
            if b"ready" in line:
                ready.set()
        ready.set()

    async def logged(self, words: str, times: int = 1) -> None:
        """Wait until the log holds these words so often."""

        async def count() -> int:
            return self.log.count(words.encode())

        await until(count, lambda found: found >= times)

    async def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        await self.process.wait()

    async def stop(self) -> int:
        """A clean stop; the exit code."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), 20)


@pytest.fixture
async def botapi() -> AsyncIterator[BotApi]:
    server = BotApi(started={TRAINER, HELPER, CONTACT})
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def environment(botapi: BotApi, tmp_path: Path) -> dict[str, str]:
    return on_telegram(botapi, tmp_path)


def on_telegram(botapi: BotApi, folder: Path) -> dict[str, str]:
    """The environment of a service that keeps its data in the folder."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("ACCUEIL_") and name not in ("PORT", "DATABASE_URL")
    }
    return {
        **kept,
        "ACCUEIL_DATA_DIR": str(folder / "data"),
        "ACCUEIL_TELEGRAM_TOKEN": TOKEN,
        "ACCUEIL_TELEGRAM_API_URL": botapi.url,
        "ACCUEIL_TRAINER_TELEGRAM_IDS": f"{TRAINER},{HELPER}",
        "ACCUEIL_ACCESSIBILITY_TELEGRAM_ID": str(CONTACT),
        "ACCUEIL_OPERATOR_TELEGRAM_ID": str(TRAINER),
    }


@pytest.fixture
async def service(environment: dict[str, str]) -> AsyncIterator[Service]:
    running = Service(environment)
    await running.start()
    yield running
    assert running.process is not None
    if running.process.returncode is None:
        await running.stop()


@pytest.fixture
async def imap(unused_tcp_port: int) -> AsyncIterator[Imap]:
    server = Imap(unused_tcp_port)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def smtp() -> AsyncIterator[Smtp]:
    server = Smtp()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def mail_settings(imap: Imap, smtp: Smtp) -> dict[str, str]:
    return {
        "ACCUEIL_IMAP_URL": imap.url,
        "ACCUEIL_SMTP_URL": smtp.url,
        "ACCUEIL_MAIL_FROM": f"Technecampus <{CONTACT_BOX}>",
        "ACCUEIL_IMAP_POLL_SECONDS": "3",
    }


@pytest.fixture
def alone(environment: dict[str, str], mail_settings: dict[str, str]) -> dict[str, str]:
    """The mailbox without Telegram."""
    kept = {name: value for name, value in environment.items() if "TELEGRAM" not in name}
    return {**kept, **mail_settings}


@asynccontextmanager
async def serving(environment: dict[str, str], *arguments: str) -> AsyncIterator[Service]:
    """A service that runs, and that has looked into its mailbox once."""
    running = Service(environment, arguments)
    await running.start()
    try:
        if "ACCUEIL_IMAP_URL" in environment:
            await running.logged("mailbox is read")
        yield running
    finally:
        if running.process is not None and running.process.returncode is None:
            await running.stop()
