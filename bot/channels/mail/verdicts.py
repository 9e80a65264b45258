"""What mail servers on the way found out about a mail: spam, a forged sender. Pure.

A verdict only ever takes the automatic answer away, so a forged one gains nothing; the mail stays a person's to read. An answer
to spam goes to whoever its From was forged from.
"""

from __future__ import annotations

import re
from email.message import Message as Part

from bot.channels.mail.parts import values

_SPAM = {
    "X-Spam-Flag": r"yes|true",  # SpamAssassin, Rspamd
    "X-Spam-Status": r"yes\b",
    "X-Spam": r"yes|true",
    "X-SES-Spam-Verdict": r"fail",  # Amazon
    "X-SES-Virus-Verdict": r"fail",
    "X-VR-SPAMSTATE": r"spam",  # OVH
    "X-Rspamd-Action": r"reject|add header|rewrite subject|quarantine",
    "X-MS-Exchange-Organization-SCL": r"[5-9]\b",  # Exchange's spam confidence level
    "X-Forefront-Antispam-Report": r".*\bSFV:(?:SPM|SKS|SKB)\b",
}
_VERDICTS = {name: re.compile(rf"\s*(?:{told})", re.I | re.S) for name, told in _SPAM.items()}
_FORGED = re.compile(r"\bdmarc\s*=\s*fail\b", re.I)


def spam(mail: Part) -> bool:
    """Whether a filter on the way takes it for spam."""
    return any(told.match(value[:1000]) for name, told in _VERDICTS.items() for value in values(mail, name))


def forged(mail: Part) -> bool:
    """Whether a server on the way found that its From is not to be believed (RFC 7489)."""
    return any(_FORGED.search(value[:2000]) for value in values(mail, "Authentication-Results")[:20])
