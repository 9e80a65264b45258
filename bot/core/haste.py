"""A text as a thumb in a hurry would have typed it: the other direction of ``spell.py``. Pure, the same at every run."""

from __future__ import annotations

import random
import re

from bot.core.spell import BESIDE
from bot.core.text import plain

SLIPS = 0.10  # share of the letters


def hasty(text: str, slips: float = SLIPS) -> str:
    """Without accents, capitals and most punctuation, and some letters lost, doubled, swapped or hit beside."""
    dice = random.Random(text)  # noqa: S311 - spoils, guards nothing
    lines = (re.sub(r"[?!.,;:«»\"()]", " ", plain(line)) for line in text.split("\n"))
    return "\n".join(_slipped(" ".join(line.split()), slips, dice) for line in lines)


def _slipped(line: str, slips: float, dice: random.Random) -> str:
    typed: list[str] = []
    for letter in line:
        if not letter.isalpha() or dice.random() >= slips:
            typed.append(letter)
            continue
        kind = dice.randrange(4)
        if kind == 0 and typed and typed[-1].isalpha():
            typed.insert(len(typed) - 1, letter)  # swapped with the one before
        elif kind == 1:
            typed += [letter, letter]
        elif kind == 2:
            typed.append(dice.choice(BESIDE.get(letter, letter)))
    return "".join(typed)
