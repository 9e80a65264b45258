"""For how long a text is tried, with a real store, a clock that is set by hand, and a way out that refuses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select

from bot.core.desk import Desk
from bot.core.model import Outcome, Outgoing
from bot.core.ports import Delivery, OnWire
from bot.errors import DeliveryError
from bot.flow.delivery import GIVEN_UP, LEAST_TRIES, Deliveries
from bot.flow.signal import Signal
from bot.library.shelf import Shelf
from bot.store.database import Database
from bot.store.schema import outbox
from tests.small import small_knowledge

NOW = datetime(2026, 11, 3, 9, tzinfo=UTC)
LEARNER, OPERATOR = "telegram:12", "telegram:11"
SOON = timedelta(seconds=2)


class Closed:
    """A way out that says "in two seconds" until it is opened."""

    name = "telegram"
    ready = True

    def __init__(self) -> None:
        self.open = False
        self.sent: list[str] = []

    async def send(self, delivery: Delivery, on_wire: OnWire) -> str:
        if not self.open and delivery.outgoing.to == LEARNER:
            raise DeliveryError("not connected yet", retry_after=SOON)
        await on_wire()
        self.sent.append(delivery.outgoing.body)
        return str(len(self.sent))


class Office:
    """One text for a learner, and what sends it."""

    def __init__(self, store: Database, shelf: Shelf, database: Path) -> None:
        self.store, self.database, self.now, self.way = store, database, NOW, Closed()
        desk = Desk(trainers=(OPERATOR,), accessibility=(OPERATOR,), operators=(OPERATOR,), mailbox="")
        self._deliveries = Deliveries(store, {"telegram": self.way}, shelf, desk, lambda: self.now, Signal())  # type: ignore[dict-item]

    async def tries(self, times: int, every: timedelta) -> None:
        for _ in range(times):
            self.now += every
            while await self._deliveries._step("telegram"):
                pass

    def state(self) -> str:
        engine = create_engine(f"sqlite:///{self.database}")
        with engine.connect() as connection:
            found = connection.execute(select(outbox.c.state).where(outbox.c.to == LEARNER)).scalar_one()
        engine.dispose()
        return str(found)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    shelf = Shelf(small_knowledge(tmp_path / "knowledge"))
    store = await Database.open(f"sqlite:///{tmp_path}/accueil.db")
    await store.apply(Outcome("answered", outgoing=(Outgoing("r1", LEARNER, "La réponse", kind="reply"),)), NOW)
    yield Office(store, shelf, tmp_path / "accueil.db")
    await store.close()


async def test_a_way_out_that_is_closed_for_an_hour_uses_nothing_up(office: Office) -> None:
    await office.tries(500, SOON)
    assert office.state() == "waiting"
    office.way.open = True
    await office.tries(1, SOON)
    assert office.way.sent == ["La réponse"]


async def test_what_waits_for_hours_is_told_once_and_given_up_after_days_and_told(office: Office) -> None:
    await office.tries(5, timedelta(hours=1))
    assert office.state() == "waiting"
    assert len(office.way.sent) == 1
    await office.tries(LEAST_TRIES, timedelta(hours=2))
    assert office.now - NOW > GIVEN_UP
    assert office.state() == "failed"
    assert len(office.way.sent) == 2


async def test_a_service_that_was_off_for_days_tries_before_it_gives_up(office: Office) -> None:
    await office.tries(1, timedelta(days=9))
    assert office.state() == "waiting"
    office.way.open = True
    await office.tries(1, SOON)
    assert "La réponse" in office.way.sent
