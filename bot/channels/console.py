"""The terminal: a learner types, the bot answers, and what goes to the trainer is shown beside."""

from __future__ import annotations

import asyncio
import contextlib
import io
import sys
import threading
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from rich.console import Console as Screen
from rich.text import Text

from bot.core.model import Choice, Ignored, Intent, Message
from bot.core.ports import Arrival, Clock, Delivery, Inlet, OnWire
from bot.core.text import clean

LEARNER = "console:local"
PATIENCE = 10.0  # seconds that a piped line waits for the answer to the one before
_TITLES = {
    "console:trainer": "→ reçu par le formateur",
    "console:accessibility": "→ reçu par le référent handicap",
    "console:operator": "→ reçu par l'exploitant",
}


class Terminal:
    """Implements ``bot.core.ports.Channel`` for one person at one terminal. Ends with the end of the input."""

    name = "console"
    ready = True

    def __init__(self, clock: Clock, source: TextIO = sys.stdin, screen: Screen | None = None) -> None:
        self._clock = clock
        self._source = source
        self._screen = screen or Screen(highlight=False, soft_wrap=True)
        self._choices: Sequence[Choice] = ()
        self._answered = asyncio.Event()

    async def receive(self, inlet: Inlet) -> None:
        lines: asyncio.Queue[str | None] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        if isinstance(self._source, io.TextIOWrapper):
            self._source.reconfigure(errors="replace")

        def read() -> None:
            try:
                for line in self._source:
                    loop.call_soon_threadsafe(lines.put_nowait, line)
            finally:  # also where the input cannot be read: a chat must not wait for ever
                loop.call_soon_threadsafe(lines.put_nowait, None)

        # a daemon: a blocked read of a terminal must not hold up the end of the program
        threading.Thread(target=read, daemon=True).start()
        self._prompt()
        while (line := await lines.get()) is not None:
            text = clean(line)
            if text in ("/quit", "/quitter", "/exit"):
                return
            if text:
                self._answered.clear()
                await inlet.keep([Arrival(f"console:{uuid.uuid4()}", self.name, LEARNER, self._raw(text), self._clock())])
                await self._turn()
            else:
                self._prompt()

    async def _turn(self) -> None:
        """Piped lines wait for the answer to the one before, as a person would: a number means a button of that answer."""
        if not self._source.isatty():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await self._answered.wait()

    def _raw(self, text: str) -> dict[str, str]:
        """A number presses the button of that number under the last text."""
        if text.isdecimal() and len(text) < 4 and 0 < int(text) <= len(self._choices):
            return {"press": self._choices[int(text) - 1].code}
        return {"text": text}

    def read(self, arrival: Arrival) -> Message | Ignored:
        text, press = str(arrival.raw.get("text", "")), str(arrival.raw.get("press", ""))
        first, _, rest = text.partition(" ")
        command = first[1:].lower() if first.startswith("/") else ""
        return Message(
            id=arrival.key,
            channel=self.name,
            sender=LEARNER,
            chat=LEARNER,
            text=rest or text if command else text,
            received_at=arrival.received_at,
            intent=Intent.PRESS if press else Intent.COMMAND if command else Intent.TEXT,
            press=press,
            command=command,
            name="vous",
        )

    async def acknowledge(self, message: Message) -> None:
        return None

    async def send(self, delivery: Delivery, on_wire: OnWire) -> str:
        out = delivery.outgoing
        await on_wire()
        if out.to != LEARNER:
            self._aside(_TITLES.get(out.to, out.to), out.body, out.about)
        else:
            self._screen.print(Text(out.body, style="bold"))
            self._choices = [choice for row in out.choices for choice in row]
            self._answered.set()
            for n, choice in enumerate(self._choices, 1):
                self._screen.print(Text(f"  {n}. {choice.label}", style="cyan"))
        self._prompt()
        return str(delivery.id)

    def _aside(self, title: str, body: str, about: int | None) -> None:
        self._screen.print(Text(f"\n   {title}", style="yellow"))
        for line in body.split("\n"):
            self._screen.print(Text(f"   | {line}", style="dim"))
        if about is not None:
            program = Path(sys.executable).parent / "accueil"
            hint = f'   (dans un autre terminal : {program} escalations reply {about} "votre réponse")'
            self._screen.print(Text(hint, style="yellow"))

    def _prompt(self) -> None:
        if self._source.isatty():
            self._screen.print(Text("> ", style="green"), end="")

    async def found(self, delivery: Delivery) -> str | None:
        return None  # nothing can be looked up there

    async def close(self) -> None:
        return None
