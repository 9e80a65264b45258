"""``evaluate``: labelled messages in files, decided on as real ones are, and their figures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from bot.channels.mail.words import question_text
from bot.core.model import Knowledge
from bot.core.rehearse import cleaned, judged
from bot.core.score import figures
from bot.core.situation import Understand
from bot.errors import AccueilError

ERRORS = frozenset({"wrong", "missed", "needless", "asked", "false_smalltalk"})  # shares that should be small


def evaluated(
    files: Sequence[Path], knowledge: Knowledge, understand: Understand, decisions: Path | None, *, progress: bool
) -> dict[str, dict[str, Any]]:
    """Figures for each file; the decisions of all of them into one file. Raises AccueilError for what cannot be read."""
    found, lines = {}, []
    for file in files:
        items = list(_items(file))
        shown = track(items, file.name, console=Console(stderr=True), disable=not progress)
        pairs = []
        for item in shown:
            made = judged(cleaned(item, question_text), knowledge, understand)
            turns = item.get("turns") or [item]
            pairs += [(turn, got, "turns" in item) for turn, got in zip(turns, made, strict=True)]
            lines += made
        found[str(file)] = figures(pairs)
    if decisions is not None:
        _write(decisions, lines)
    return found


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


def _items(file: Path) -> Iterator[dict[str, Any]]:
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


def _write(path: Path, lines: Sequence[dict[str, Any]]) -> None:
    try:
        path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")
    except OSError as error:
        raise AccueilError(f"{path} cannot be written: {error.strerror}") from error
