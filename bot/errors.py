"""One root and a few children. Each carries what a person needs to find the fault; none ends in a traceback."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path


class AccueilError(Exception):
    """The root of every error that Accueil raises on purpose."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault in a file: where it stands, what is wrong, and what to write instead."""

    file: Path
    line: int
    what: str
    instead: str = ""

    def __str__(self) -> str:
        hint = f" — {self.instead}" if self.instead else ""
        return f"{self.file}:{self.line}: {self.what}{hint}"


class KnowledgeError(AccueilError):
    """The knowledge files do not hold together; carries every fault found, not the first."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class SettingsError(AccueilError):
    """The environment is incomplete or wrong; carries one line for each variable at fault."""

    exit_code = 2

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


class StoreError(AccueilError):
    """The database cannot be reached or used; nothing was acknowledged."""

    exit_code = 3


class StaleLease(StoreError):
    """The row was taken back meanwhile: another worker handles it, and nothing of ours was written."""


class DeliveryError(AccueilError):
    """A text could not be handed to a channel.

    permanent: the same send can never succeed (blocked, unknown address, malformed); never retried.
    uncertain: the peer may have taken it (the line broke after the last byte); sent at most once more.
    retry_after: what the peer asked us to wait, or None to let the outbox back off by its own rule.
    unreachable: the peer was not there, or refuses us whatever we send: all other texts meet the same.
    """

    def __init__(
        self,
        reason: str,
        *,
        permanent: bool = False,
        uncertain: bool = False,
        retry_after: timedelta | None = None,
        moved_to: str | None = None,
        unreachable: bool = False,
    ) -> None:
        self.reason = reason
        self.permanent = permanent
        self.uncertain = uncertain
        self.retry_after = retry_after
        self.moved_to = moved_to  # the new address, where the peer names one (a group that migrated)
        self.unreachable = unreachable
        super().__init__(reason)


class ChannelError(AccueilError):
    """A channel cannot be opened or read: wrong token, another poller, no network."""

    exit_code = 4

    def __init__(self, reason: str, *, fatal: bool = False) -> None:
        self.fatal = fatal  # no retry will mend it: the operator must act
        super().__init__(reason)
