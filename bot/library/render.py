"""A fact as it reads in English: 9 h to 9 am, 7 jours to 7 days, 1 900 € to €1,900. Pure.

A fact is a short value, so its words are few. What holds any other word is not guessed at: it has no English here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

Hour = Literal["time", "duration", ""]  # what "14 h" means in a fact; "" where nobody said

_NUMBER = r"\d{1,3}(?: \d{3})+(?!\d)(?:,\d+)?|\d+(?:,\d+)?"
_UNITS = {
    "minute": "minute",
    "min": "minute",
    "heure": "hour",
    "jour": "day",
    "journée": "day",
    "demi-journée": "half-day",
    "semaine": "week",
    "mois": "month",
    "an": "year",
    "année": "year",
    "fois": "time",
    "personne": "person",
    "participant": "participant",
    "stagiaire": "learner",
    "euro": "euro",
}
_WORDS = {
    "un": "one", "une": "one", "deux": "two", "trois": "three", "quatre": "four", "cinq": "five", "six": "six", "sept": "seven",
    "huit": "eight", "neuf": "nine", "dix": "ten", "onze": "eleven", "douze": "twelve", "midi": "12 noon", "minuit": "midnight",
    "à": "to", "et": "and", "ou": "or", "environ": "about", "entre": "between", "net": "net", "nets": "net", "ht": "excl. VAT",
    "ttc": "incl. VAT", "par": "per", "personne": "person", "jour": "day", "heure": "hour", "plus": "more", "moins": "less",
    "maximum": "at most", "minimum": "at least",
}  # fmt: skip
_PLURALS = {"person": "people"}
_HOUR = re.compile(r"(\d{1,3}) ?(?:heures?|h|:(?=\d\d))(?![a-zà-ÿ])(?: ?(\d{2})(?!\d))?", re.I)
_MONEY = re.compile(rf"({_NUMBER}) ?(?:€|euros?\b)", re.I)
_COUNTED = re.compile(rf"({_NUMBER}) ?({'|'.join(sorted(_UNITS, key=len, reverse=True))})s?\b( ouvrée?s?| ouvrables?)?", re.I)
_SHARE = re.compile(rf"({_NUMBER}) ?%")
_DATE = re.compile(r"\d{1,2}/\d{1,2}/\d{4}|\d{4}-\d{2}-\d{2}")
_PLAIN = re.compile(rf"(?:{_NUMBER})(?![\d\w])")
_ADDRESS = re.compile(r"https?://\S+|www\.\S+|[^\s@]+@[^\s@]+\.\w+")
_WORD = re.compile(r"[a-zà-ÿ]+", re.I)
_MARK = re.compile(r"[ ,;()/–-]")


def in_english(value: str, hour: Hour = "") -> str | None:
    """A fact's value in English; None where a word of it is not known, or an hour is not known for a time or a duration."""
    left = re.sub(r"[\s\u00a0\u202f]+", " ", value).strip()
    said = ""
    readers: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str | None]], ...] = (
        (_ADDRESS, lambda m: m[0]),
        (_DATE, lambda m: m[0]),
        (_HOUR, lambda m: _clock(m) if hour == "time" else _span(m) if hour else None),
        (_MONEY, lambda m: "€" + _number(m[1])),
        (_COUNTED, _counted),
        (_SHARE, lambda m: _number(m[1]) + "%"),
        (_PLAIN, lambda m: _number(m[0])),
        (_WORD, lambda m: _word(m[0].lower())),
        (_MARK, lambda m: m[0]),
    )
    while left:
        found = next(((m, read) for pattern, read in readers if (m := pattern.match(left))), None)
        told = found[1](found[0]) if found else None
        if found is None or told is None:
            return None
        said, left = said + told, left[found[0].end() :]
    return said or None


def _number(text: str) -> str:
    """1 900,50 to 1,900.50."""
    whole, _, cents = text.replace(" ", "").partition(",")
    return (f"{int(whole):,}" if len(whole) > 3 else whole) + (f".{cents}" if cents else "")


def _word(word: str) -> str | None:
    """One word alone; a unit in the plural stands behind a number in words ("deux jours")."""
    unit = _UNITS.get(word.removesuffix("s"))
    return _WORDS.get(word) or (_PLURALS.get(unit, unit + "s") if unit else None)


def _clock(found: re.Match[str]) -> str | None:
    hour, minutes = int(found[1]), found[2] or "00"
    if hour > 24 or int(minutes) > 59:
        return None
    if hour == 12 and minutes == "00":
        return "12 noon"
    if hour in (0, 24) and minutes == "00":
        return "midnight"
    shown = f"{hour % 12 or 12}" + (f":{minutes}" if minutes != "00" else "")
    return f"{shown} {'am' if hour % 24 < 12 else 'pm'}"


def _span(found: re.Match[str]) -> str:
    hours = _several(found[1], "hour")
    if not found[2] or found[2] == "00":
        return hours
    minutes = _several(str(int(found[2])), "minute")
    return f"{hours} {minutes}" if int(found[1]) else minutes


def _counted(found: re.Match[str]) -> str:
    unit = _UNITS[found[2].lower()]
    return _several(found[1], unit, "working " if found[3] else "")


def _several(number: str, unit: str, kind: str = "") -> str:
    one = number in ("1", "1,0")
    return f"{_number(number)} {kind}{unit if one else _PLURALS.get(unit, unit + 's')}"
