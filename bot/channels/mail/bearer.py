"""Access tokens in place of a password, for servers that demand XOAUTH2: printed by a command that the operator names.

Source: https://developers.google.com/gmail/imap/xoauth2-protocol, which Microsoft 365 follows.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import threading
import time

from bot.errors import ChannelError

PATIENCE = 20.0  # seconds that the command may take
KEPT = 300.0  # seconds that a token is used again before the command is asked anew; providers give them an hour


class Bearer:
    """Asks the command. It blocks: call it from a thread. Shared by all connections of a mailbox."""

    def __init__(self, command: str) -> None:
        self._command = shlex.split(command)
        self._turn = threading.Lock()
        self._token = ""
        self._asked_at = 0.0

    def token(self, refused: str = "") -> str:
        """A token; a new one where ``refused`` is the one at hand. Raises ChannelError, fatal where there is no such command."""
        with self._turn:
            old = time.monotonic() - self._asked_at > KEPT
            if not self._token or old or self._token == refused:
                self._token = self._asked()
                self._asked_at = time.monotonic()
            return self._token

    def _asked(self) -> str:
        # nothing that it prints is repeated: it may be the token
        try:
            done = subprocess.run(  # noqa: S603 - the operator's own command, and no shell
                self._command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False
            )
        except subprocess.TimeoutExpired:
            raise ChannelError(f"ACCUEIL_TOKEN_COMMAND did not end within {PATIENCE:.0f} seconds") from None
        except OSError as error:
            raise ChannelError(f"ACCUEIL_TOKEN_COMMAND cannot be run: {error.strerror}", fatal=True) from None
        if done.returncode:
            raise ChannelError(f"ACCUEIL_TOKEN_COMMAND ended with {done.returncode}")
        printed = done.stdout.decode("ascii", "replace").strip()
        if not re.fullmatch(r"[!-~]{1,16000}", printed):
            raise ChannelError("ACCUEIL_TOKEN_COMMAND printed no token: one word on one line is wanted")
        return printed
