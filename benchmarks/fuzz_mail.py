"""Throws made-up mails at the reader for a while, guided by what code they reach. ``make fuzz SECONDS=600``.

A finding is a mail that raises, that takes longer than a second, or whose text no database would take; it is written to
``fuzz-findings/`` and belongs into ``tests/data/mail/found/``, where a test reads it.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["bot.channels.mail", "email"]):
    from bot.channels.mail.authres import vouched
    from bot.channels.mail.read import Mail, read_mail

LONGEST = 1.0  # seconds of the processor for one mail of at most MAX_LENGTH bytes
MAX_LENGTH = 8192
SEEDS = Path(__file__).parents[1] / "tests" / "data" / "mail" / "made"


def one(data: bytes) -> None:
    started = time.process_time()
    mail = read_mail(data)
    vouched(mail.results, "mx.accueil.example", "learner.example")
    checked(mail)
    assert time.process_time() - started < LONGEST, "too slow"


def checked(mail: Mail) -> None:
    """What holds of every mail that is read."""
    named = (
        mail.subject,
        mail.name,
        mail.sender,
        mail.message_id,
        mail.in_reply_to,
        *mail.attachments,
        *mail.references,
        *mail.to,
    )
    for text in (mail.text, *named):
        text.encode()
        assert "\0" not in text
    assert not {"\r", "\n"} & set("".join(named))
    assert mail.why_not or mail.sender, "nobody to answer"
    assert mail.may_answer or mail.why_not


def main() -> None:
    found = Path("fuzz-findings")
    found.mkdir(exist_ok=True)
    seconds, *samples = sys.argv[1:] or ["60"]
    corpus = found / "corpus"
    corpus.mkdir(exist_ok=True)
    limits = [f"-max_total_time={seconds}", f"-max_len={MAX_LENGTH}", f"-artifact_prefix={found}/", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *limits, str(corpus), str(SEEDS), *samples], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
