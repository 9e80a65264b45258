"""What a look at the whole knowledge finds: faults that stop, and warnings that a person should read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.core.match import Matcher, digest_of
from bot.core.model import Knowledge
from bot.core.text import plain, words
from bot.errors import Fault
from bot.library.learnt import FILE, read_learnt
from bot.library.load import contents_of, load_with_unused
from bot.library.phrases import is_phrases, lines_of
from bot.library.shelf import understanding
from bot.library.source import read


@dataclass(frozen=True, slots=True)
class Findings:
    knowledge: Knowledge
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]
    recognised: float  # share of the phrases that the others of their class recognise


def check(folder: Path) -> Findings:
    """Everything that ``load`` does not refuse by itself. Raises KnowledgeError for what it does."""
    knowledge, unused = load_with_unused(folder)
    lines = _lines(folder)
    faults = [*_unused(folder, unused, lines), *_twice(folder, knowledge, lines)]
    matcher: Matcher = understanding(knowledge, beside=folder).matcher
    warnings: list[Fault] = [*_outdated(folder, knowledge)]
    for stray in matcher.strays():
        where = lines.get(stray.phrase, ("", 1))
        what = f"« {stray.phrase} » of {stray.own!r} sits nearer to {stray.predicted!r} ({stray.score:.0%})"
        found = Fault(folder / where[0], where[1], what, "move it, or write more phrases like it")
        warnings.append(found)
    return Findings(knowledge, tuple(faults), tuple(warnings), matcher.left_out_accuracy())


def _outdated(folder: Path, knowledge: Knowledge) -> Iterator[Fault]:
    """Phrases that were changed since are learnt on top at each start: right, but all together are learnt better."""
    file = folder / FILE
    known = read_learnt(file)
    if known is not None and known.digest != digest_of(knowledge, encoder=True):
        yield Fault(file, 1, "was learnt from other phrases", "run: accueil learn")


def _lines(folder: Path) -> dict[str, tuple[str, int]]:
    """Where each text and each fact stands."""
    found: dict[str, tuple[str, int]] = {}
    for name, raw in contents_of(folder).items():
        if is_phrases(name):
            found |= {phrase: (name, line) for line, phrase in lines_of(raw)}
            continue
        source = read(folder / name, raw)
        for path, line in source.lines.items():
            if len(path) == 2 and path[0] == "facts":
                found[f"fact {path[1]}"] = (name, line)
            elif "phrases" in path and isinstance(path[-1], int):
                found[_at(source.data, path)] = (name, line)
    return found


def _at(data: object, path: tuple[str | int, ...]) -> str:
    for step in path:
        data = data[step]  # type: ignore[index]
    return str(data).strip()


def _unused(folder: Path, unused: tuple[str, ...], lines: dict[str, tuple[str, int]]) -> Iterator[Fault]:
    for fact in unused:
        name, line = lines.get(f"fact {fact}", ("", 1))
        yield Fault(folder / name, line, f"fact {fact!r} is used by no answer", f"use {{{fact}}} or remove it")


def _twice(folder: Path, knowledge: Knowledge, lines: dict[str, tuple[str, int]]) -> Iterator[Fault]:
    first: dict[str, str] = {}
    for id, group in knowledge.groups.items():
        for phrase in group.phrases:
            flat = " ".join(words(phrase)) or plain(phrase)
            known = first.setdefault(flat, id)
            if known != id:
                name, line = lines.get(phrase, ("", 1))
                yield Fault(folder / name, line, f"« {phrase} » stands in {known!r} and in {id!r}", "keep it where it belongs")
