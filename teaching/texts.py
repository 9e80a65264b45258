"""What the pupil is taught on: the knowledge's own texts, as written, restored and in haste, and others of any subject."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable
from pathlib import Path

from bot.core.haste import hasty
from bot.library.load import load
from bot.library.shelf import understanding

WORDS = range(3, 28)  # of a sentence of another subject
FRENCH, PLAIN_FRENCH, ENGLISH = 60_000, 15_000, 15_000
APART = 400  # phrases that are not taught, to see what came of it


def texts(folder: Path, french: Path, english: Path) -> dict[str, list[str]]:
    """Of a knowledge folder, and of the npm packages fr-corpus and nlp-corpus, each unpacked in a folder."""
    knowledge = load(folder)
    restored = understanding(knowledge, beside=folder).matcher.speller.restore
    groups = [*knowledge.topics.values(), *knowledge.classes.values()]
    phrases = sorted({phrase for group in groups for phrase in group.phrases})
    messages = sorted({sentence for file in folder.glob("examples/*.jsonl") for sentence in _sentences(file)})
    others = _others(french)
    dice = random.Random(3)  # noqa: S311 - shuffles, guards nothing
    dice.shuffle(phrases)
    apart, phrases = phrases[:APART], phrases[APART:]
    return {
        "apart": apart,
        "phrases": phrases,
        "restored": [restored(phrase) for phrase in phrases],
        "messages": messages,
        "messages restored": [restored(sentence) for sentence in messages],
        "hasty": [hasty(text) for text in [*phrases, *messages, *messages]],
        "French": others[:FRENCH],
        "plain French": [re.sub(r"[^\w ]+", " ", text.lower()) for text in others[FRENCH : FRENCH + PLAIN_FRENCH]],
        "English": _others(english)[:ENGLISH],
    }


def _sentences(file: Path) -> Iterable[str]:
    for line in file.read_text("utf-8").splitlines():
        item = json.loads(line)
        for one in item.get("turns", [item]):
            yield from filter(None, map(str.strip, re.split(r"(?<=[.!?\n])\s+", one["text"])))


def _others(package: Path) -> list[str]:
    """Sentences of a package's files, each a list of sentences or of pairs of one and its hash."""
    found = list[str]()
    for file in sorted(package.glob("builds/*.json")):
        found += [one if isinstance(one, str) else one[0] for one in json.loads(file.read_text("utf-8"))]
    if not found:
        raise FileNotFoundError(f"{package} has no builds/*.json: unpack the npm package there")
    random.Random(3).shuffle(found)  # noqa: S311 - shuffles, guards nothing
    return [text for text in found if len(text.split()) in WORDS]
