"""Restores words as people meant them: abbreviations, regional words, lost accents, typos. Pure.

A noisy channel: each word that neither the knowledge nor a French word list knows may be any known word that a slip of the
thumb turns into it (a letter lost, doubled, swapped, or hit beside); which one it was is told by its neighbours, as the
phrases of the knowledge set them side by side. In a text of many slips, short known words are looked at as well. Names, rare
words, and the words of a text in English are no slips.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, pairwise

from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from bot.core.language import is_name, language_of
from bot.core.text import ELISIONS, MAX_CHARS, WORD, clean, plain, plain_each, words

MAX_RESTORED = 60  # words looked up in one message: bounds the cost of long noisy mails
MAX_FAR = 10  # of them looked for two slips away
CHOICES = 8  # kept for one word
FAR, FAR_IN_CLEAN = 5, 7  # letters of an unknown word from which on two slips are looked for; shorter ones may be names
OFTEN = -12.0  # logarithm of the share of all words from which on one is looked for two slips away
LONGEST = 8  # letters from which on three slips are looked for in a text of many slips
SHORTEST = 4  # letters of an unknown word that is restored in a text of few slips: below stand acronyms
NOISY = 0.12  # share of unknown words from which on short known ones are doubted

# natural logarithms of how likely a slip is
SLIP, WILD, FIRST = -3.6, -7.0, -0.8  # a usual slip; a letter from anywhere; the first letter is seldom wrong
DOUBT = -3.5  # beside the slip itself: that a known word is not the one that was meant
TWO, THREE = -8.0, -12.0  # usual slips in one word
NEW = -9.0  # an unknown word stays as it is

RARE = 6  # letters from which on a rare word is believed in a text of many slips, too
ALSO = {"h": "heure"}  # what is more than an abbreviation ("18 h", "à quelle h"): its neighbours tell

SLIPPED = 6000  # phrases with one more slip of their writers that is the same as another's

FEW_CAPITALS = 3  # in a short text
_ORDINARY = re.compile(r"(?:[\w\s,;:'\"()«»€%/&@+\-–]|[.!?](?![.!?]))*")
_STRETCHED = re.compile(r"(\w)\1{2,}")
_ROWS = ("azertyuiop", "qsdfghjklm", "wxcvbn")
BESIDE = {row[i]: row[max(0, i - 1) : i] + row[i + 1 : i + 2] for row in _ROWS for i in range(len(row))}
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class _Choice:
    """What a word may have been: its plain form, the form written out, and the logarithm of the slip's likelihood."""

    key: str
    form: str
    slip: float


@dataclass(frozen=True, slots=True)
class Spelt:
    """A text as it was meant. restored: in the knowledge's own spelling, lower case, without punctuation;
    mended: as it was typed, but for its misspelt words and abbreviations. careful: it had none."""

    restored: str
    mended: str
    careful: bool = False


@dataclass(frozen=True, slots=True)
class WordLists:
    """What is known of words beside the phrases.

    frequent: words of the phrases' language and how often they are used. rare: its others, plain; nothing is restored to
    them. english: likewise, of English, and looked at only for a text that is written in it.
    """

    frequent: Mapping[str, int] = field(default_factory=dict)
    rare: Container[str] = frozenset()
    english: Callable[[], frozenset[str]] = frozenset


@dataclass(slots=True)
class _Budget:
    """How many look-ups a text has left."""

    near: int = MAX_RESTORED
    far: int = MAX_FAR
    seen: dict[str, tuple[_Choice, ...]] = field(default_factory=dict)


class Speller:
    """Knows the words of one knowledge folder and, where given, of word lists."""

    def __init__(
        self,
        phrases: Iterable[str],
        abbreviations: Mapping[str, str],
        synonyms: Mapping[str, str],
        lists: WordLists | None = None,
    ) -> None:
        spellings: dict[str, dict[str, int]] = {}
        written = _written(phrases)
        counts = Counter(chain.from_iterable(written))
        keys = dict(zip(counts, plain_each(list(counts)), strict=True))
        for word, count in counts.items():
            spellings.setdefault(keys[word], {})[word] = count
        pairs = Counter(chain.from_iterable(pairwise(["", *map(keys.__getitem__, row), ""]) for row in written))
        self._forms = {key: max(c, key=lambda w, c=c: (c[w], w != key)) for key, c in spellings.items()}  # type: ignore[misc]
        self._short = {**synonyms, **abbreviations}
        self._lists = lists or WordLists()
        language = _by_key(self._lists.frequent, self._forms)
        # among many phrases, a word that one or two hold and the language does not is a slip of who wrote them
        often = 1 + len(written) // SLIPPED
        rare = self._lists.rare
        totals = {key: sum(c.values()) for key, c in spellings.items()}
        own = {key: total for key, total in totals.items() if total >= often or key in language or key in rare}
        self._pairs, self._before = pairs, Counter[str]()
        for (first, _), count in pairs.items():
            self._before[first] += count
        self._chance = _chances(own, language)
        self._far = [key for key, chance in self._chance.items() if len(key) >= FAR - 1 and chance > OFTEN]
        self._known: dict[tuple[str, bool], tuple[_Choice, ...]] = {}
        self._meant = lru_cache(maxsize=16)(self._read)  # a piece of a message is looked at for its ends, then for its words

    def restore(self, text: str) -> str:
        """The text in the knowledge's own spelling, lower case, without punctuation."""
        return " ".join(choice.form for choice in self._meant(text))

    def read(self, text: str) -> Spelt:
        """The text as it was meant, with and without what its typing tells beside the words."""
        meant = self._meant(text)
        restored = " ".join(choice.form for choice in meant)
        typed = _STRETCHED.sub(r"\1\1", clean(text[:MAX_CHARS]))
        found = list(WORD.finditer(ELISIONS.sub(lambda m: m[0][:-1] + " ", typed)))  # as long as the text itself
        if len(found) != len(meant):
            return Spelt(restored, typed)
        mended, at = [], 0
        for word, choice in zip(found, meant, strict=True):
            mended += [typed[at : word.start()], self._mended(word[0], choice)]
            at = word.end()
        mended.append(typed[at:])
        return Spelt(restored, (told := "".join(mended)), told == typed and _is_careful(typed))

    def _mended(self, typed: str, meant: _Choice) -> str:
        key = plain(typed)
        unaccented = typed.isascii() and not meant.form.isascii() and len(typed) >= SHORTEST
        if key == meant.key and key not in self._short and not unaccented:
            return typed
        return meant.form[:1].upper() + meant.form[1:] if typed[:1].isupper() else meant.form

    def _is_noisy(self, said: Sequence[str], believed: frozenset[str]) -> bool:
        """Whether so many words are unknown as they were typed that known ones are doubted too."""
        rare = self._lists.rare
        unknown = sum(not (self._knows(word) or word in believed or (len(word) >= RARE and word in rare)) for word in said)
        return unknown > NOISY * len(said) and unknown > 1

    def _believed(self, text: str, said: Sequence[str]) -> frozenset[str]:
        """Words that were meant as they were typed, though the phrases' language does not know them: names, and English."""
        doubted = {word for word in said if word in self._short or not self._knows(word)}
        if not doubted:
            return frozenset()
        named = clean(text[:MAX_CHARS])
        found = {plain(w[0]) for w in WORD.finditer(named) if is_name(w[0], named[: w.start()])} - self._short.keys()
        found |= {word for word in doubted if "-" in word and all(map(self._knows, word.split("-")))} - self._short.keys()
        if language_of(text) == "en":
            found |= self._lists.english()
        return frozenset(doubted & found)

    def keys(self, text: str) -> list[str]:
        """What each word of ``words(text)`` was meant as, in its plain form; an abbreviation counts as its last word."""
        return [choice.key for choice in self._meant(text)]

    def _read(self, text: str) -> tuple[_Choice, ...]:
        """What each word was meant as."""
        said = words(_STRETCHED.sub(r"\1\1", text[:MAX_CHARS]))
        believed = self._believed(text, said)
        budget, noisy = _Budget(), self._is_noisy(said, believed)
        columns = [
            (_Choice(word, self._forms.get(word, word), 0.0),) if word in believed else self._choices(word, noisy, budget)
            for word in said
        ]
        for n, (before, word) in enumerate(pairwise(said), 1):
            if word in ALSO and any(c.isdigit() for c in before):
                columns[n] = columns[n][:1]
        for n, (word, after) in enumerate(pairwise(said)):
            if word == "c" and after in ("est", "etait"):  # an elision, not the abbreviation
                columns[n] = (_Choice("c", "c", 0.0),)
        return self._likeliest(columns)

    def _knows(self, word: str) -> bool:
        return word in self._short or word in self._chance or len(word) < 2 or any(c.isdigit() for c in word)

    def _choices(self, word: str, noisy: bool, budget: _Budget) -> tuple[_Choice, ...]:
        written = self._short.get(word)
        if written is not None:
            return (_Choice(plain(written.split()[-1]) if written.split() else "", written, 0.0),)
        if word in ALSO:
            return (_Choice(word, word, 0.0), _Choice(ALSO[word], ALSO[word], DOUBT))
        figures = any(c.isdigit() for c in word)  # "18h30" is no slip of "8h30"
        known = word in self._chance or (word in self._lists.rare and (not noisy or len(word) >= RARE))
        kept = _Choice(word, self._forms.get(word, word), 0.0 if known or figures else NEW)
        if figures or not budget.near or (known and not (noisy and len(word) <= 6)) or (len(word) < SHORTEST and not noisy):
            return (kept,)
        found = self._known.get((word, noisy))
        if found is None:
            budget.near -= 1
            found = self._near(word)
            if not found and not known and len(word) >= (FAR if noisy else FAR_IN_CLEAN) and budget.far:
                budget.far -= 1
                found = self._farther(word, noisy)
            self._known[word, noisy] = found
            if len(self._known) > 20_000:
                self._known.clear()
        if known:
            found = tuple(_Choice(c.key, c.form, c.slip + DOUBT) for c in found)
        return (kept, *found)

    def _near(self, word: str) -> tuple[_Choice, ...]:
        """Known words one slip away, the likeliest first."""
        found: dict[str, float] = {}
        for candidate, slip in _slips(word):
            if candidate in self._chance and slip > found.get(candidate, -math.inf):
                found[candidate] = slip
        best = sorted(found, key=lambda c: -(found[c] + self._chance[c]))[:CHOICES]
        return tuple(_Choice(c, self._forms.get(c, c), found[c]) for c in best)

    def _farther(self, word: str, noisy: bool) -> tuple[_Choice, ...]:
        """Words two slips away, in a noisy text three of the longest: of long words alone, where slips still tell them apart,
        and to those that are used often."""
        most = 3 if noisy and len(word) >= LONGEST else 2
        hits = extract(word, self._far, scorer=OSA.distance, score_cutoff=most, limit=40)
        slips = {key: (TWO if count <= 2 else THREE) + (FIRST if key[0] != word[0] else 0.0) for key, count, _ in hits}
        best = sorted(slips, key=lambda key: -(slips[key] + self._chance[key]))[:CHOICES]
        return tuple(_Choice(key, self._forms.get(key, key), slips[key]) for key in best)

    def _likeliest(self, choices: Sequence[tuple[_Choice, ...]]) -> tuple[_Choice, ...]:
        """The best path through the choices (Viterbi), by slips and by which words stand side by side."""
        paths: list[tuple[float, tuple[_Choice, ...]]] = [(0.0, ())]
        for column in choices:
            if len(column) == 1 and len(paths) == 1:
                paths = [(0.0, (*paths[0][1], column[0]))]
                continue
            following = []
            for choice in column:
                best = max(
                    ((score + self._follows(path[-1].key if path else "", choice.key), path) for score, path in paths),
                    key=lambda scored: scored[0],
                )
                following.append((best[0] + choice.slip, (*best[1], choice)))
            paths = following
        ended = max(paths, key=lambda p: p[0] + (self._follows(p[1][-1].key, "") if p[1] and len(paths) > 1 else 0.0))
        return ended[1]

    def _follows(self, before: str, word: str) -> float:
        """Logarithm of how likely a word is behind another: by the pairs in the phrases, else by the word alone."""
        alone = math.exp(self._chance.get(word, -16.0))
        seen = self._before[before]
        together = self._pairs[before, word] / seen if seen else 0.0
        weight = seen / (seen + 20.0)
        return math.log(weight * together + (1 - weight) * alone + 1e-9)


def _is_careful(text: str) -> bool:
    """Whether a text looks as phrases are written. Capitals, emoji and rows of dots put an encoder off, which then needs the
    restored text as well."""
    letters = sum(map(str.isalpha, text))
    loud = sum(map(str.isupper, text)) > max(FEW_CAPITALS, letters * 3 // 20)
    return bool(letters) and not loud and bool(_ORDINARY.fullmatch(text))


def _written(phrases: Iterable[str]) -> list[list[str]]:
    """The words of each phrase, as they are spelt; all cleaned at once, which is faster by far."""
    text = clean("\n".join(" ".join(phrase.split("\n")) for phrase in phrases)).lower()
    return [WORD.findall(line) for line in ELISIONS.sub(lambda m: m[0][:-1] + " ", text).split("\n")]


def _by_key(frequencies: Mapping[str, int], forms: dict[str, str]) -> dict[str, int]:
    """Counts by plain form; the most frequent spelling of a form that the knowledge lacks is noted in ``forms``."""
    counts: dict[str, int] = {}
    best: dict[str, int] = {}
    for key, (word, count) in zip(plain_each(list(frequencies)), frequencies.items(), strict=True):
        counts[key] = counts.get(key, 0) + count
        if count > best.get(key, 0):
            best[key] = count
            if key not in forms or best.get(key + "\0"):
                forms[key] = word
                best[key + "\0"] = 1
    return counts


def _chances(own: Mapping[str, int], language: Mapping[str, int]) -> dict[str, float]:
    """Logarithm of each known word's share: half by the phrases, half by the language."""
    here, there = max(1, sum(own.values())), max(1, sum(language.values()))
    known = dict.fromkeys((*own, *language))  # in the same order at every run: of many words as near, the first are looked at
    share = {word: 0.5 * own.get(word, 0) / here + 0.5 * language.get(word, 0) / there for word in known}
    return {word: math.log(s) for word, s in share.items() if s > 0}


def _slips(word: str) -> Iterable[tuple[str, float]]:
    """What was meant, if this was typed with one slip; with the logarithm of the slip's likelihood."""
    for i in range(len(word) + 1):
        first = FIRST if i == 0 else 0.0
        head, tail = word[:i], word[i:]
        for letter in _LETTERS:  # a letter was lost
            yield head + letter + tail, SLIP + first
        if not tail:
            continue
        # a letter too many: doubled, or hit along with its neighbour
        doubled = (i > 0 and word[i - 1] == tail[0]) or (i > 0 and tail[0] in BESIDE.get(word[i - 1], ""))
        yield head + tail[1:], (SLIP if doubled else WILD) + first
        beside = BESIDE.get(tail[0], "")
        for letter in _LETTERS:
            if letter != tail[0]:
                yield head + letter + tail[1:], (SLIP if letter in beside else WILD) + first
        if len(tail) > 1 and tail[0] != tail[1]:
            yield head + tail[1] + tail[0] + tail[2:], SLIP + first
