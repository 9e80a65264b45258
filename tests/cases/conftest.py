"""The service against peers that misbehave. It knows little, so that it starts in seconds: what it understands is no matter."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.conftest import alone, botapi, imap, mail_settings, on_telegram  # noqa: F401 - fixtures
from tests.peers.botapi import BotApi
from tests.peers.scripted import ScriptedSmtp
from tests.small import small_knowledge


@pytest.fixture(scope="session")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the small knowledge."""
    return small_knowledge(tmp_path_factory.mktemp("small"))


@pytest.fixture
def environment(botapi: BotApi, tmp_path: Path, few: Path) -> dict[str, str]:  # noqa: F811
    return {**on_telegram(botapi, tmp_path), "ACCUEIL_KNOWLEDGE_DIR": str(few)}


@pytest.fixture
def both(environment: dict[str, str], mail_settings: dict[str, str]) -> dict[str, str]:  # noqa: F811
    """Telegram and the mailbox; the trainer is on Telegram."""
    return {**environment, **mail_settings}


@pytest.fixture
def on_either(environment: dict[str, str], database_address: str) -> dict[str, str]:
    """The same service on SQLite and on PostgreSQL."""
    if database_address.startswith("sqlite"):
        return environment
    return {**environment, "DATABASE_URL": database_address.replace("postgresql://", "postgres://")}


@pytest.fixture
async def smtp() -> AsyncIterator[ScriptedSmtp]:
    server = ScriptedSmtp()
    await server.start()
    yield server
    if server.hold is not None:
        server.hold.set()
    await server.stop()
