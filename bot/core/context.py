"""A message in the context of its conversation: bare answers, follow-ups, reactions to an answer. Pure."""

from __future__ import annotations

from collections.abc import Callable

from bot.core.columns import PASSED_ON, Columns
from bot.core.cues import AGREE, ASKS, BYE, CORRECTS, NOT_THAT, UNSETTLED, courtesy, opens_with_parting
from bot.core.formats import FormatReader
from bot.core.match import Matcher
from bot.core.model import Dialogue, Format, Kind, Knowledge, Reading
from bot.core.pieces import Part
from bot.core.text import plain, words

MAX_WORDS = 9  # a follow-up is short
COURTESIES = frozenset({"thanks", "goodbye", "greeting"})


class Context:
    """What a message means by what was said before it."""

    def __init__(
        self, knowledge: Knowledge, matcher: Matcher, formats: FormatReader, columns: Columns, is_frame: Callable[[Part], bool]
    ) -> None:
        """is_frame: whether a part only stands around a question."""
        self._k, self._t = knowledge, knowledge.policy.thresholds
        self._matcher, self._formats, self._columns, self._is_frame = matcher, formats, columns, is_frame

    def short_answer(self, flat: str, said: Format | None, dialogue: Dialogue) -> Reading | None:
        """A bare format, a bare yes: read wholly from what was said before."""
        beside = self._formats.words_beside(flat)
        corrects = bool(dialogue.topics and CORRECTS.search(flat) and not ASKS.search(flat) and len(beside) <= 6)
        of_others = bool(dialogue.topics and self._formats.about_others(flat) and len(beside) <= 2)
        answers = not beside or (dialogue.asked == "format" and len(beside) <= 3) or corrects or of_others
        if said and answers:
            return Reading(topics=dialogue.topics, follow_up=bool(dialogue.topics))
        spoken = set(words(flat))
        if spoken and spoken <= AGREE and spoken & AGREE - {"merci", "ok", "svp", "stp"}:
            waiting = tuple(la for la in dialogue.labels if la in PASSED_ON)
            if waiting:
                return Reading(labels=waiting, escalate=True, follow_up=True)
            if dialogue.options:
                return Reading(topics=dialogue.options[:1], follow_up=True)
        return None

    def of(self, reading: Reading, weighed: list[Part], flat: str, dialogue: Dialogue) -> Reading:
        """A short message that says little by itself is about what was last spoken of."""
        if reading.escalate or not weighed or not dialogue.topics:
            return reading
        if NOT_THAT.search(flat) and not reading.topics:
            return Reading(topics=dialogue.topics, follow_up=True)
        if self._continues(reading, weighed, flat, dialogue):
            return Reading(topics=dialogue.topics[:1], follow_up=True)
        unclear = not reading.topics and (not reading.labels or reading.labels == ("offtopic",))
        if not unclear or len(words(flat)) > MAX_WORDS:
            return reading
        if set(dialogue.labels) & {"request", "handoff"}:
            return Reading(labels=("request",), escalate=True, follow_up=True)
        if opens_with_parting(flat) or self._is_far_off(reading, weighed):
            return reading
        if self._settled(weighed) and not self._formats.said(flat):
            return Reading(labels=(_nod(flat),))
        if self._takes_leave(weighed, flat):
            return Reading(labels=("goodbye",))
        return Reading(topics=dialogue.topics, follow_up=True)

    def _is_far_off(self, reading: Reading, weighed: list[Part]) -> bool:
        """Whether what was taken for another subject surely is: "parle-moi du PSG plutôt"; "et le samedi ?" may not be."""
        away = max(self._columns.share(part, Kind.OFFTOPIC) for part in weighed)
        return reading.labels == ("offtopic",) and away >= self._t.far

    def _settled(self, weighed: list[Part]) -> bool:
        """Whether it only reacts to an answer: "ah d'accord, logique"."""
        open_ = any(part.asks or UNSETTLED.search(plain(part.text)) for part in weighed)
        return not open_ and all(map(self._is_frame, weighed))

    def _takes_leave(self, weighed: list[Part], flat: str) -> bool:
        """Whether one of the parts surely is a farewell: "passionnant. au revoir !" asks for nothing once more."""
        said = {
            self._k.classes[best.id].label
            for best in map(self._columns.best, weighed)
            if best.score >= self._t.sure_alone and best.id in self._k.classes
        }
        return bool(BYE.search(flat)) and "goodbye" in said and not any(part.asks for part in weighed)

    def _continues(self, reading: Reading, weighed: list[Part], flat: str, dialogue: Dialogue) -> bool:
        """Whether a short question that is not sure of its own topic fits the last one, once that is put before it."""
        last = self._k.topics.get(dialogue.topics[0])
        if last is None or len(weighed) > 1 or len(words(flat)) > MAX_WORDS or last.id in reading.topics:
            return False
        if not weighed[0].asks or weighed[0].chances.max() >= self._t.sure_alone:
            return False
        chances = self._matcher.scores([self._matcher.speller.read(f"{last.title} {flat}")])
        together = float(chances[0][self._matcher.ids.index(last.id)])
        return together >= self._t.sure_alone


def _nod(flat: str) -> str:
    """The courtesy that fits a reaction to an answer: "ah d'accord, logique" asks for nothing."""
    fitting = courtesy(flat)
    return fitting if fitting in COURTESIES else "thanks"
