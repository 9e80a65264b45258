"""The hand on a mail: the flags that tell the trainer, in their own mail program, what became of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.core.model import Outgoing

MAILBOX = "email:mailbox"  # where flags are sent to: not an address that a mail could have
ANSWERED, SEEN, FLAGGED = "\\Answered", "\\Seen", "\\Flagged"


def answered(thread: Mapping[str, Any], key: str) -> tuple[Outgoing, ...]:
    """Nothing is left to do."""
    return _flags(thread, f"{key}:answered", add=(ANSWERED, SEEN), remove=(FLAGGED,))


def passed_on(thread: Mapping[str, Any], key: str) -> tuple[Outgoing, ...]:
    """The trainer's turn: unread and flagged."""
    return _flags(thread, f"{key}:passed-on", add=(FLAGGED,), remove=(SEEN,))


def closed(thread: Mapping[str, Any], key: str) -> tuple[Outgoing, ...]:
    """Put aside without an answer."""
    return _flags(thread, f"{key}:closed", add=(SEEN,), remove=(FLAGGED,))


def _flags(thread: Mapping[str, Any], key: str, add: tuple[str, ...], remove: tuple[str, ...]) -> tuple[Outgoing, ...]:
    marks = thread.get("marks")
    if not marks:  # it came in on a channel that has no flags
        return ()
    told = {"marks": list(marks), "add": list(add), "remove": list(remove)}
    return (Outgoing(f"{key}:flags", MAILBOX, "", kind="mark", thread=told),)


def joined(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """The thread of an escalation that a further message joins: answered below the last, flagged as a whole."""
    if not later:
        return dict(earlier)
    known = [*earlier.get("message_ids", ()), earlier.get("message_id", "")]
    marks = [*earlier.get("marks", ()), *later.get("marks", ())]
    return {**later, "marks": marks, "message_ids": [id for id in known if id]}


def answers(thread: Mapping[str, Any], ids: frozenset[str]) -> bool:
    """Whether a mail that answers these Message-IDs answers this thread."""
    return bool(ids & {str(thread.get("message_id", "")), *map(str, thread.get("message_ids", ()))} - {""})
