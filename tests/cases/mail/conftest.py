"""What the forty cases of mail and Telegram share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.library.shelf import Shelf
from bot.store.database import Database
from tests.cases.mail.office import Office
from tests.e2e.conftest import alone, botapi, environment, imap, mail_settings, smtp

__all__ = ["alone", "botapi", "environment", "imap", "mail_settings", "smtp"]  # the peers of the tests over the wire


@pytest.fixture(scope="session")
def shelf() -> Shelf:
    return Shelf(Path(__file__).parents[3] / "knowledge")


@pytest.fixture
async def office(shelf: Shelf, tmp_path: Path) -> AsyncIterator[Office]:
    store = await Database.open(f"sqlite:///{tmp_path}/accueil.db")
    yield Office(store, shelf)
    await store.close()
