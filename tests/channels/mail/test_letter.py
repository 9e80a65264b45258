"""A raw mail of the mailbox to a message, or to the reason why it asks for no answer."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.channels.mail.letter import Mailbox, letter
from bot.core.model import Ignored, Message
from bot.core.ports import Arrival

OURS = Mailbox("contact@formation.example", b"s" * 32)


def received(list_id: str) -> Message | Ignored:
    raw = (
        f"From: Ana <ana@example.org>\r\nMessage-ID: <1@example.org>\r\nList-ID: {list_id}\r\n\r\nC'est à quelle heure ?\r\n"
    ).encode()
    return letter(raw, Arrival("email:1", "email", "", {"mark": ["INBOX", 1, 1]}, datetime(2026, 1, 5, tzinfo=UTC)), OURS)


def test_a_mail_that_a_group_of_our_own_passed_on_is_a_persons_to_read() -> None:
    found = received("Contact <contact.formation.example>")
    assert isinstance(found, Message)
    assert found.no_reply  # a group shows its address in place of who writes


def test_a_mail_of_any_other_list_is_ignored() -> None:
    assert isinstance(received("<lettre.example.org>"), Ignored)
