"""Tries each part that the environment names; one line each says what is wrong."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping

from bot.app import now, opened
from bot.channels.mail.channel import Email
from bot.channels.telegram import Telegram
from bot.errors import AccueilError, KnowledgeError, SettingsError
from bot.library.load import load
from bot.settings import Settings, read

PATIENCE = 20.0  # seconds for one connection
POST = 60.0  # seconds for a mail to come back


async def examined(environment: Mapping[str, str], *, post: bool = False) -> list[tuple[str, str]]:
    """(part, what is wrong or "") in the order in which they depend on each other. post: also send a mail to ourselves."""
    try:
        settings = read(environment, serving=True)
    except SettingsError as error:
        return [("settings", fault) for fault in error.faults]
    found = [("settings", "; ".join(settings.warnings)), ("knowledge", _knowledge(settings))]
    try:
        async with opened(settings) as store:
            counts = await store.counts()
            failed, aside = counts.get("outbox.failed", 0), counts.get("inbox.aside", 0)
            found.append(("database", f"{failed} text(s) could not be sent" if failed else ""))
            found.append(("inbox", f"{aside} message(s) set aside" if aside else ""))
            found += await _telegram(settings, store.secret)
            found += await _mail(settings, store.secret, post)
    except AccueilError as error:
        found.append(("database", str(error)))
    return found


def _knowledge(settings: Settings) -> str:
    try:
        load(settings.knowledge_dir)
    except KnowledgeError as error:
        return f"{len(error.faults)} fault(s), the first: {error.faults[0]}"
    return ""


async def _telegram(settings: Settings, secret: bytes) -> list[tuple[str, str]]:
    if not settings.telegram_token:
        return [("telegram (not configured)", "")]
    telegram = Telegram(settings.telegram_token, secret, now, api_url=settings.telegram_api_url)
    try:
        async with asyncio.timeout(PATIENCE):
            await telegram.open()
            persons = {
                **dict.fromkeys(settings.trainers, "trainer"),
                **dict.fromkeys(settings.accessibility, "disability contact"),
                **dict.fromkeys(settings.operators, "operator"),
            }
            persons = {person: part for person, part in persons.items() if person.startswith("telegram:")}
            away = await telegram.unreachable(persons)
    except (AccueilError, TimeoutError) as error:
        return [("telegram", str(error) or "no answer in time")]
    finally:
        await telegram.close()
    found = [("telegram", "")]
    for person, part in persons.items():
        start = "cannot be written to: they must press Start in a chat with the bot once"
        found.append((f"{part} {person}", f"{start} ({away[person]})" if person in away else ""))
    return found


async def _mail(settings: Settings, secret: bytes, post: bool) -> list[tuple[str, str]]:
    if settings.mail is None:
        return [("mailbox (not configured)", "")]
    mailbox = Email(settings.mail, secret, now)
    try:
        found = await mailbox.examined()
        if post and not any(fault for _, fault in found):
            found.append(("a mail to ourselves", await _posted(mailbox)))
        return found
    finally:
        await mailbox.close()


async def _posted(mailbox: Email) -> str:
    try:
        async with asyncio.timeout(POST):
            await mailbox.post_to_itself(uuid.uuid4().hex)
    except TimeoutError:
        return f"was sent and did not arrive within {POST:.0f} seconds"
    except AccueilError as error:
        return str(error)
    return ""
