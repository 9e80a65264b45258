"""An address given on Telegram: believed with the code that was sent there, and only then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.core.endpoint import parse
from bot.core.linking import CODES_A_DAY, TRIES, link
from bot.core.model import Knowledge
from bot.library.load import load

NOW = datetime(2026, 11, 3, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load(Path(__file__).parents[2] / "knowledge")


def test_the_right_code_links_the_address_once(knowledge: Knowledge) -> None:
    asked = link(knowledge, "Ana@X.example", None, "123456", NOW, "k")
    (mail,) = asked.outgoing
    assert (mail.to, "123456" in mail.body, "123456" in asked.word) == ("email:ana@x.example", True, False)
    done = link(knowledge, "123456", asked.linking, "000000", NOW, "k2")
    assert done.address == "ana@x.example"
    assert link(knowledge, "123456", done.linking, "000000", NOW, "k3").address == ""


def test_a_wrong_or_late_code_links_nothing_and_guessing_ends(knowledge: Knowledge) -> None:
    known = link(knowledge, "ana@x.example", None, "123456", NOW, "k").linking
    assert link(knowledge, "123456", known, "", NOW + timedelta(hours=1), "k").address == ""
    for n in range(TRIES):
        known = link(knowledge, f"00000{n}", known, "", NOW, "k").linking
    assert link(knowledge, "123456", known, "", NOW, "k").address == ""


def test_strangers_cannot_be_mailed_at_will(knowledge: Knowledge) -> None:
    known, mails = None, 0
    for n in range(CODES_A_DAY + 2):
        found = link(knowledge, f"ana{n}@x.example", known, "123456", NOW, f"k{n}")
        known, mails = found.linking, mails + len(found.outgoing)
    assert mails == CODES_A_DAY
    assert link(knowledge, "ana@x.example", known, "123456", NOW + timedelta(days=2), "k").outgoing


def test_an_address_of_a_mail_server_is_read() -> None:
    found = parse("imaps://contact%40x.example:p%40ss%2Fword@imap.example/Bo%C3%AEte", "imap")
    assert (found.user, found.password, found.port, found.folder) == ("contact@x.example", "p@ss/word", 993, "Boîte")
    assert "p@ss" not in repr(found)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ("imap://u:p@imap.example", "in clear"),
        ("imaps://imap.example", "lacks the user"),
        ("https://imap.example", "imaps://user"),
        ("imaps://u:p@imap.example:abc", "percent-encode"),
        ("smtps://u:p@smtp.example", "imaps://user"),
    ],
)
def test_an_address_that_is_none_or_unsafe_is_refused_without_its_password(raw: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as error:
        parse(raw, "imap")
    assert "u:p" not in str(error.value)
