"""From a database address to an engine whose transactions serve both databases alike; migrations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.errors import StoreError

_LOCK = 0x616363756569  # PostgreSQL advisory lock of the migration: any fixed number


def database_url(address: str) -> URL:
    """The SQLAlchemy address of ``sqlite:///path`` or ``postgres://...``, as hosts write it. Raises ValueError."""
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise ValueError(
            "not a database address; write sqlite:////path/accueil.db or postgres://user:password@host/name"
        ) from None
    backend = url.drivername.partition("+")[0]
    if backend in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg")
    if backend == "sqlite":
        if not url.database or url.database == ":memory:":
            raise ValueError("a database in memory would lose every message; name a file: sqlite:////path/accueil.db")
        return url.set(drivername="sqlite+aiosqlite")
    raise ValueError(f"{backend!r} is not served; use sqlite:// or postgres://")


def create_engine(url: URL) -> AsyncEngine:
    """An engine; the file's folder is made where it is missing. Raises StoreError."""
    if url.get_backend_name() != "sqlite":
        engine = create_async_engine(url, pool_pre_ping=True, pool_size=5, max_overflow=5, connect_args={"connect_timeout": 10})
        event.listen(engine.sync_engine, "connect", _open_postgresql)
        return engine
    folder = Path(url.database or "").parent
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreError(f"the data folder {folder} cannot be made: {error.strerror}") from error
    # each transaction takes the write lock, so a second connection would only wait, and SQLite's own waiting is not in turn
    engine = create_async_engine(url, pool_size=1, max_overflow=0)
    event.listen(engine.sync_engine, "connect", _open_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _open_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we begin transactions ourselves, below
    cursor = connection.cursor()
    for pragma in ("busy_timeout=15000", "journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _open_postgresql(connection: Any, _record: object) -> None:
    """Wait for another's lock as long as on SQLite, not for ever."""
    cursor = connection.cursor()
    cursor.execute("SET lock_timeout = '15s'")
    cursor.close()
    connection.commit()


def _begin_sqlite(connection: Connection) -> None:
    # a transaction that reads first and writes later would fail half-way when another wrote between
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def upgrade(connection: Connection) -> None:
    """Bring the schema up to date; waits for another process that is doing the same."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _LOCK})
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
