"""Mails as we write them, and the Message-IDs by which they are known again."""

from __future__ import annotations

import email
from datetime import UTC, datetime
from email.policy import default
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.mail import ids
from bot.channels.mail.ids import Token
from bot.channels.mail.read import read_mail
from bot.channels.mail.write import Letterhead, bare, written
from bot.core.model import Choice, Outgoing

SECRET = b"s" * 32
HEAD = Letterhead("contact@accueil.example", "Accueil", SECRET)
NOW = datetime(2026, 11, 3, 9, tzinfo=UTC)
THREAD = {
    "message_id": "2@x",
    "references": ["1@x"],
    "subject": "RE: Fwd: Stage",
    "quote": "un\ndeux",
    "sent": "03/11/2026 09:12",
}


def mail(outgoing: Outgoing) -> Any:
    return email.message_from_bytes(written(outgoing, HEAD, NOW), policy=default)


def test_a_reply_stands_in_its_thread_and_is_marked_as_automatic() -> None:
    found = mail(Outgoing("k", "email:ana@x.example", "Bonjour", thread=THREAD))
    assert found["Subject"] == "Re: Stage"
    assert found["References"] == "<1@x> <2@x>"
    assert found["Auto-Submitted"] == "auto-replied"
    assert "> un\n> deux" in found.get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert "vous avez écrit" in found.get_body(("plain",)).get_content()


def test_a_retry_carries_the_same_message_id() -> None:
    first, second = (mail(Outgoing("k", "email:ana@x.example", text)) for text in ("un", "un"))
    assert first["Message-ID"] == second["Message-ID"] != mail(Outgoing("k2", "email:ana@x.example", "un"))["Message-ID"]


@pytest.mark.parametrize("hostile", ["a\r\nBcc: eve@x.example", "a\nBcc: eve@x.example\n\nbody", "=?utf-8?q?a=0ABcc:_eve?="])
def test_nothing_that_a_sender_wrote_adds_a_header(hostile: str) -> None:
    thread = {"message_id": "2@x", "references": [], "subject": hostile, "name": hostile, "quote": hostile, "sent": ""}
    raw = written(Outgoing("k", "email:ana@x.example", "Bonjour", thread=thread), HEAD, NOW)
    head = raw.split(b"\r\n\r\n")[0].decode()
    assert not [line for line in head.split("\r\n") if line.lower().startswith("bcc")]
    assert email.message_from_bytes(raw, policy=default)["Bcc"] is None


def test_no_message_id_of_a_sender_adds_a_header() -> None:
    hostile = read_mail(b"From: ana@x.example\nMessage-ID: <=?utf-8?q?a=0ABcc:_eve?=>\nReferences: <a=?b?q?=0A?=@x> <1@x>\n\nx ?")
    assert (hostile.message_id, hostile.references) == ("", ("1@x",))


def test_html_of_a_sender_is_shown_as_text() -> None:
    found = mail(Outgoing("k", "email:ana@x.example", "<b>1 < 2</b>", thread={**THREAD, "quote": "<script>x</script>"}))
    html = found.get_body(("html",)).get_content()
    assert "&lt;b&gt;1 &lt; 2" in html
    assert "<script>" not in html


def test_buttons_become_a_list_and_the_trainers_are_left_out() -> None:
    choices = ((Choice("À distance", "f:distance"),), (Choice("Ce n'est pas ça", "n:1"),))
    assert "- À distance" in str(
        mail(Outgoing("k", "email:a@x.example", "?", choices=choices)).get_body(("plain",)).get_content()
    )


def test_our_own_mails_are_known_and_a_notice_names_its_escalation() -> None:
    notice = mail(Outgoing("esc:7:notice:0", "email:t@x.example", "…", kind="notice", about=7, subject="demande"))
    id = notice["Message-ID"].strip("<>")
    assert ids.kind_of(SECRET, id) == ids.NOTICE
    assert ids.noticed(SECRET, [id], "") == ids.noticed(SECRET, [], f"RE: {notice['Subject']}") == Token(7)
    assert ids.kind_of(b"t" * 32, id) == ""


def test_a_relay_to_a_learner_is_no_token() -> None:
    relay = mail(Outgoing("esc:7:relay", "email:ana@x.example", "…", kind="relay", about=7))
    comfort = mail(Outgoing("esc:7:comfort", "email:ana@x.example", "…", kind="comfort", about=7))
    for sent in (relay, comfort):
        assert ids.noticed(SECRET, [sent["Message-ID"].strip("<>")], sent["Subject"]) is None


@given(st.integers(0, 60), st.characters(codec="ascii"))
def test_an_altered_token_is_refused(at: int, other: str) -> None:
    id = ids.message_id(SECRET, ids.NOTICE, 7, "esc:7:notice:0", "accueil.example")
    local = id.partition("@")[0]
    at %= len(local)
    altered = local[:at] + other + local[at + 1 :]
    if altered != local:
        assert ids.noticed(SECRET, [f"{altered}@accueil.example"], "") is None


@given(st.integers(1, 10**12 - 1), st.integers(0, 9999), st.text(max_size=40))
def test_a_token_is_read_as_it_was_written(about: int, use: int, key: str) -> None:
    id = ids.message_id(SECRET, ids.NOTICE, about, key, "accueil.example", use)
    subject = f"Re: une question {ids.subject_token(SECRET, about, use)}"
    assert ids.noticed(SECRET, [id], "") == ids.noticed(SECRET, [], subject) == Token(about, use)
    assert ids.about(id) == about
    assert ids.noticed(b"another secret", [id], subject) is None
    assert ids.claimed([id], "")
    assert ids.claimed([], subject)


@given(st.lists(st.text(alphabet="accueil.n.0123456789abcdefz[]-@A", max_size=80), max_size=5), st.text(max_size=80))
def test_no_made_up_token_is_good(references: list[str], subject: str) -> None:
    assert ids.noticed(SECRET, references, subject) is None


@given(st.integers(1, 99), st.integers(0, 9), st.integers(1, 99), st.integers(0, 9))
def test_the_token_of_one_answer_is_good_for_no_other(about: int, use: int, other: int, later: int) -> None:
    mine, others = ids.subject_token(SECRET, about, use), ids.subject_token(SECRET, other, later)
    moved = mine.replace(mine.split("-")[0], others.split("-")[0])
    if (about, use) != (other, later):
        assert ids.noticed(SECRET, [], moved) is None


def test_what_we_write_is_read_by_another_of_us_as_automatic() -> None:
    assert read_mail(written(Outgoing("k", "email:ana@x.example", "Bonjour", thread=THREAD), HEAD, NOW)).automatic


@pytest.mark.parametrize("subject", ["Re: Stage", "RE : Stage", "Rép: TR: Stage", "Re[2]: Stage", "Stage"])
def test_a_subject_says_re_once(subject: str) -> None:
    assert bare(subject) == "Stage"
