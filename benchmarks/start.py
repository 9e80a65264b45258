"""How long the whole service takes to be ready, and how much memory it holds: a process of its own, with an empty cache.

Usage: python benchmarks/start.py [STARTS]. Telegram is a Bot API server on loopback, the mailbox an IMAP and an SMTP server.
Linux alone: memory is read from /proc.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.e2e.conftest import ANA, CONTACT, HELPER, TRAINER, Service, on_telegram
from tests.peers.botapi import BotApi
from tests.peers.mail import CONTACT_BOX, Imap, free_port
from tests.peers.scripted import ScriptedSmtp

KNOWLEDGE = Path(__file__).parent.parent / "knowledge"
QUESTIONS = ("on commence à quelle heure ?", "il y a une pause ? et je me gare où ?", "comment j'entre dans Moodle ?")
AT_ONCE = 30
PATIENCE = 90  # seconds for their answers


async def started(folder: Path) -> tuple[float, int, int, int]:
    """Seconds until it is ready; megabytes then, after thirty messages at once, and at the peak."""
    botapi, smtp, imap = BotApi(started={TRAINER, HELPER, CONTACT}), ScriptedSmtp(), Imap(free_port())
    for peer in (botapi, smtp, imap):
        await peer.start()
    environment = {
        **on_telegram(botapi, folder),
        "HOME": str(folder),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "ACCUEIL_KNOWLEDGE_DIR": str(KNOWLEDGE),
        "ACCUEIL_IMAP_URL": imap.url,
        "ACCUEIL_SMTP_URL": smtp.url,
        "ACCUEIL_MAIL_FROM": f"Technecampus <{CONTACT_BOX}>",
    }
    service, begun = Service(environment), time.monotonic()
    try:
        await service.start()
        seconds = time.monotonic() - begun
        assert service.process is not None
        ready = _megabytes(service.process.pid, "VmRSS")
        for n in range(AT_ONCE):
            botapi.user(ANA + n, QUESTIONS[n % len(QUESTIONS)])
        await botapi.until(lambda: all(botapi.texts(ANA + n) for n in range(AT_ONCE)), PATIENCE)
        used, peak = _megabytes(service.process.pid, "VmRSS"), _megabytes(service.process.pid, "VmHWM")
        return seconds, ready, used, peak
    finally:
        await service.kill()
        for peer in (imap, smtp, botapi):
            await peer.stop()


def _megabytes(process: int, name: str) -> int:
    status = Path(f"/proc/{process}/status").read_text("ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(f"{name}:")) // 1024


def main() -> None:
    logging.disable(logging.CRITICAL)
    found = []
    for n in range(int(sys.argv[1]) if len(sys.argv) > 1 else 5):
        with tempfile.TemporaryDirectory() as folder:
            found.append(asyncio.run(started(Path(folder))))
        seconds, ready, used, peak = found[-1]
        print(
            f"start {n + 1}: ready after {seconds:.2f} s, {ready} MiB;"
            f" after {AT_ONCE} messages at once {used} MiB, peak {peak} MiB"
        )
    times = sorted(seconds for seconds, *_ in found)
    print(
        f"ready after {times[len(times) // 2]:.2f} s ({times[0]:.2f} to {times[-1]:.2f}); at most {max(f[3] for f in found)} MiB"
    )


main()
