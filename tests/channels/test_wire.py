"""When a text counts as being on the wire: not before its connection is there, and then before its first byte."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from bot.channels.telegram import Telegram
from bot.core.model import Outgoing
from bot.core.ports import Delivery
from bot.errors import DeliveryError, StaleLease
from tests.peers.botapi import TOKEN, BotApi

ANA = 4001


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
async def botapi() -> AsyncIterator[BotApi]:
    server = BotApi(started={ANA})
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def telegram(botapi: BotApi) -> AsyncIterator[Telegram]:
    channel = Telegram(TOKEN, b"s" * 32, now, api_url=botapi.url)
    await channel.open()
    yield channel
    await channel.close()


def delivery(n: int = 1) -> Delivery:
    return Delivery(n, Outgoing(f"k{n}", f"telegram:{ANA}", "bonjour"), 1, 0, now())


async def test_it_is_noted_once_and_before_the_peer_has_anything(botapi: BotApi, telegram: Telegram) -> None:
    there: list[int] = []

    async def noted() -> None:
        there.append(len(botapi.sent))

    await telegram.send(delivery(), noted)
    assert there == [0]
    assert len(botapi.sent) == 1


async def test_what_cannot_be_noted_is_not_sent(botapi: BotApi, telegram: Telegram) -> None:
    async def taken_back() -> None:
        raise StaleLease("another worker has it")

    with pytest.raises(StaleLease):
        await telegram.send(delivery(), taken_back)
    assert not botapi.sent
    await telegram.send(delivery(2), _nothing)
    assert len(botapi.sent) == 1


async def test_without_a_connection_nothing_is_on_the_wire(botapi: BotApi, telegram: Telegram) -> None:
    await botapi.stop()
    noted: list[bool] = []

    async def note() -> None:
        noted.append(True)

    for n in range(3):  # the first may find a connection that is still open, and break on it
        noted.clear()
        with pytest.raises(DeliveryError) as refused:
            await telegram.send(delivery(n), note)
    assert not noted
    assert refused.value.unreachable
    assert not refused.value.uncertain


async def _nothing() -> None:
    return None
