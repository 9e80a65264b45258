"""``evaluate``: labelled messages in files, decided on as real ones are, and their figures."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from bot.channels.mail.words import question_text
from bot.core.model import Knowledge, Reading
from bot.core.ports import Understanding
from bot.core.rehearse import cleaned, judged_readings
from bot.core.score import cost, figures, judge
from bot.errors import AccueilError

ERRORS = frozenset({"wrong", "missed", "needless", "asked", "false_smalltalk", "cost"})  # figures that should be small


@dataclass(frozen=True, slots=True)
class Judged:
    """One labelled message, what was decided on it, and what that cost."""

    file: str
    wanted: Mapping[str, Any]
    got: Mapping[str, Any]
    reading: Reading
    in_dialogue: bool
    verdict: Mapping[str, int]
    cost: float

    @property
    def id(self) -> str:
        return str(self.got["id"])

    @property
    def exact(self) -> bool:
        return bool(self.verdict["exact"])


def evaluated(files: Sequence[Path], knowledge: Knowledge, reader: Understanding, *, progress: bool) -> list[Judged]:
    """Every message of the files with its verdict. Raises AccueilError for what cannot be read."""
    found = []
    for file in files:
        items = list(labelled(file))
        for item in track(items, file.name, console=Console(stderr=True), disable=not progress):
            turns = item.get("turns") or [item]
            made = judged_readings(cleaned(item, question_text), knowledge, reader)
            for turn, (got, reading) in zip(turns, made, strict=True):
                verdict = judge(turn, got, "turns" in item)
                paid = cost(verdict, knowledge.policy.costs)
                found.append(Judged(str(file), turn, got, reading, "turns" in item, verdict, paid))
    return found


def summed(found: Iterable[Judged], knowledge: Knowledge) -> dict[str, dict[str, Any]]:
    """Figures for each file."""
    files: dict[str, list[Judged]] = {}
    for one in found:
        files.setdefault(one.file, []).append(one)
    return {f: figures([(j.wanted, j.got, j.in_dialogue) for j in js], knowledge.policy.costs) for f, js in files.items()}


def write_decisions(path: Path, found: Iterable[Judged]) -> None:
    write(path, "".join(json.dumps(j.got, ensure_ascii=False) + "\n" for j in found))


def write(path: Path, text: str) -> None:
    """Raises AccueilError where the file cannot be written."""
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise AccueilError(f"{path} cannot be written: {error.strerror}") from error


def fallen(found: dict[str, dict[str, Any]], floors: Sequence[str]) -> list[str]:
    """Which floors (``exact=0.80``) which file does not hold. Raises AccueilError for a floor that is none."""
    faults = []
    for floor in floors:
        name, _, raw = floor.partition("=")
        try:
            bound = float(raw)
        except ValueError:
            raise AccueilError(f"--floor {floor!r}: write NAME=SHARE, like exact=0.80") from None
        for file, shares in found.items():
            if name not in shares:
                raise AccueilError(f"--floor {floor!r}: {name!r} is no figure; known: {', '.join(shares)}")
            value = shares[name]
            if value is not None and (value > bound if name in ERRORS else value < bound):
                faults.append(f"{file}: {name} is {value}, the floor is {bound}")
    return faults


def surprises(found: Sequence[Judged], known: Path) -> list[str]:
    """Messages that fail and are not on the list of known failures, and those on it that pass by now.

    The list holds an id a line, whatever follows it says why. Raises AccueilError for a list that cannot be read.
    """
    try:
        lines = known.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise AccueilError(f"{known} cannot be read: {getattr(error, 'strerror', None) or 'not UTF-8 text'}") from error
    listed = {line.split()[0]: n for n, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")}
    by_id = {j.id: j for j in found}
    faults = [f"{known}:{n}: {id} is no message of these files" for id, n in listed.items() if id not in by_id]
    faults += [f"{known}:{n}: {id} passes by now; take it off" for id, n in listed.items() if id in by_id and by_id[id].exact]
    for j in found:
        if not j.exact and j.id not in listed:
            got = ", ".join(j.got["topics"]) or "nothing"
            faults.append(f"{j.file}: {j.id} fails: {', '.join(j.wanted['topics'])} was meant, {got} understood")
    return faults


def labelled(file: Path) -> Iterator[dict[str, Any]]:
    """The items and dialogues of a file. Raises AccueilError, with the line, for one that is none."""
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AccueilError(f"{file} cannot be read: {getattr(error, 'strerror', None) or 'not UTF-8 text'}") from error
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
            for message in item.get("turns", [item]):
                _ = message["text"] + "", set(message["topics"]), message["escalate"], item["id"]
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            what = f"{error} is missing" if isinstance(error, KeyError) else "not a labelled message"
            raise AccueilError(f"{file}:{number}: {what}; each line is an item or a dialogue with its labels") from None
        yield item
