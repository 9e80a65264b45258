"""What an operator, a disk or a neighbour does to a running service."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from tests.e2e.conftest import Service


@contextmanager
def database_locked(address: str) -> Iterator[None]:
    """Somebody else holds the database, and writes nothing."""
    url = make_url(address)
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, isolation_level=None, connect_args={"timeout": 10})
        begin = "BEGIN IMMEDIATE"
    else:
        engine = create_engine(url.set(drivername="postgresql+psycopg"))
        begin = "LOCK TABLE inbox, outbox, meta IN EXCLUSIVE MODE"
    with engine.connect() as connection:
        connection.execute(text(begin))
        try:
            yield
        finally:
            connection.execute(text("ROLLBACK"))
    engine.dispose()


@contextmanager
def disk_full(service: Service) -> Iterator[None]:
    """No file that the service writes to grows: each write fails."""
    assert service.process is not None
    _, most = resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (1, most))
    try:
        yield
    finally:
        resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (most, most))


def stopped(service: Service) -> None:
    """From this very moment on it does nothing more; a kill can then be decided on at leisure."""
    assert service.process is not None
    os.kill(service.process.pid, signal.SIGSTOP)
