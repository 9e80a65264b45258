"""What the cases of mail share. The service knows all its sheets and few phrases, so that it starts in seconds."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.library.learnt import FILE
from bot.library.phrases import lines_of
from bot.library.shelf import Shelf
from bot.store.database import Database
from tests.cases.mail.office import Office
from tests.e2e.conftest import alone, botapi, imap, mail_settings, smtp
from tests.e2e.conftest import environment as full

__all__ = ["alone", "botapi", "full", "imap", "mail_settings", "smtp"]  # the peers of the tests over the wire

KNOWLEDGE = Path(__file__).parents[3] / "knowledge"
PHRASES = 14  # of each class


@pytest.fixture(scope="session")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The knowledge with few phrases."""
    folder = tmp_path_factory.mktemp("few") / "knowledge"
    shutil.copytree(KNOWLEDGE, folder, ignore=shutil.ignore_patterns(FILE))
    for file in folder.glob("*.yaml"):
        known = _thinned(yaml.safe_load(file.read_text("utf-8")))
        file.write_text(yaml.safe_dump(known, allow_unicode=True, sort_keys=False), "utf-8")
    for file in folder.glob("phrases/*.txt"):
        file.write_text("\n".join(phrase for _, phrase in lines_of(file.read_bytes())[:PHRASES]), "utf-8")
    return folder


def _thinned(data: Any) -> Any:
    if isinstance(data, dict):
        return {k: v[:PHRASES] if k == "phrases" and isinstance(v, list) else _thinned(v) for k, v in data.items()}
    return data


@pytest.fixture(scope="session")
def shelf(few: Path) -> Shelf:
    return Shelf(few)


@pytest.fixture
async def office(shelf: Shelf, tmp_path: Path) -> AsyncIterator[Office]:
    store = await Database.open(f"sqlite:///{tmp_path}/accueil.db")
    yield Office(store, shelf)
    await store.close()


@pytest.fixture
def environment(full: dict[str, str], few: Path) -> dict[str, str]:
    return {**full, "ACCUEIL_KNOWLEDGE_DIR": str(few)}
