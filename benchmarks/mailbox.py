"""What a new mail costs in an empty mailbox and in a large one: a real service, a real Dovecot, mails by IMAP.

Usage: python benchmarks/mailbox.py [--mails N] [--new K]. Prints, for both mailboxes, how long after its delivery a new mail
is answered, and how much of the processor the service and its IMAP session take for it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from bot.channels.mail.imap import Session
from bot.core.endpoint import parse
from tests.e2e.conftest import Service
from tests.peers.dovecot import PROGRAM, Dovecot
from tests.peers.mail import CONTACT_BOX, Smtp, free_port, letter
from tests.small import small_knowledge

AT_ONCE = 500  # mails of one APPEND
PATIENCE = 60.0  # seconds for one answer


async def measured(mails: int, new: int, folder: Path) -> dict[str, float]:
    """Milliseconds: median and worst from delivery to answer, processor of the service, wall of one look into the mailbox."""
    dovecot, smtp = Dovecot(folder, free_port(), free_port(), kind="mdbox"), Smtp()
    await dovecot.start()
    await smtp.start()
    try:
        await _filled(dovecot, mails)
        os.environ["SSL_CERT_FILE"] = str(dovecot.certificate)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ACCUEIL_")} | {
            "ACCUEIL_DATA_DIR": str(folder / "data"),
            "ACCUEIL_KNOWLEDGE_DIR": str(small_knowledge(folder / "knowledge")),
            "ACCUEIL_IMAP_URL": dovecot.url,
            "ACCUEIL_SMTP_URL": smtp.url,
            "ACCUEIL_MAIL_FROM": CONTACT_BOX,
            "ACCUEIL_TRAINER_EMAILS": "denis@trainer.example",
            "ACCUEIL_IMAP_POLL_SECONDS": "300",  # what is found sooner, IDLE announced
        }
        service = Service(environment)
        await service.start()
        await service.logged("mailbox is read")
        waits, worked = [], _processor(service)
        for n in range(new):
            address = f"ana{n}@learner{n}.example"
            started = time.perf_counter()
            words = "Les pauses durent combien ?"
            await dovecot.deliver(letter(f"Ana <{address}>", f"Question {n}", words, f"{n}@learner.example"))
            while not any(mail["To"].addresses[0].addr_spec == address for mail in smtp.sent):
                if time.perf_counter() - started > PATIENCE:
                    raise TimeoutError(f"mail {n} was not answered in {PATIENCE:.0f} s")
                await asyncio.sleep(0.002)
            waits.append(1000 * (time.perf_counter() - started))
        worked = 1000 * (_processor(service) - worked) / new
        await service.stop()
        look = await asyncio.to_thread(_looked, dovecot)
        return {"answered": statistics.median(waits), "worst": max(waits), "processor": worked, "look": look}
    finally:
        await smtp.stop()
        await dovecot.stop()
        dovecot.clear()


async def _filled(dovecot: Dovecot, mails: int) -> None:
    def put(client: object) -> None:
        for start in range(0, mails, AT_ONCE):
            some = range(start, min(mails, start + AT_ONCE))
            bodies = [letter("Old <old@learner.example>", f"Old {n}", "Merci.", f"old{n}@learner.example") for n in some]
            client.multiappend("INBOX", bodies)  # type: ignore[attr-defined]

    await dovecot.do(put)


def _looked(dovecot: Dovecot) -> float:
    """The median of what the service does for each new mail: which are new, the mail, its flags."""
    session = Session(parse(dovecot.url, "imap"))
    session.open()
    found = []
    for _ in range(20):
        started = time.perf_counter()
        validity, last = session.examine("INBOX")
        (uid,) = session.after(last - 1)
        session.fetch([uid])
        session.mark("INBOX", validity, uid, ["\\Seen"], [])
        found.append(1000 * (time.perf_counter() - started))
    session.abort()
    return statistics.median(found)


def _processor(service: Service) -> float:
    """Seconds that the service's process has worked."""
    assert service.process is not None
    fields = Path(f"/proc/{service.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--mails", type=int, default=100_000)
    parser.add_argument("--new", type=int, default=30)
    given = parser.parse_args()
    if PROGRAM is None:
        sys.exit("Dovecot is not installed (Debian: apt-get install dovecot-imapd)")
    print("milliseconds for a new mail: delivered to answered (median, worst), processor of the service, one look by IMAP")
    for mails in (0, given.mails):
        with tempfile.TemporaryDirectory() as folder:
            found = asyncio.run(measured(mails, given.new, Path(folder)))
        print(f"{mails:>8} mails: " + ", ".join(f"{name} {value:.1f}" for name, value in found.items()))


if __name__ == "__main__":
    main()
