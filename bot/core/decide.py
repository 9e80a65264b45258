"""Matches, context and policy to a Reading: what a whole message asks for, and what of it must reach a person.

A missed call for help costs most, then a wrong answer, then a needless escalation, then asking back; the thresholds
below follow that order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from bot.core.match import Matcher
from bot.core.model import Dialogue, Format, Kind, Knowledge, Match, Question, Reading, Utterances
from bot.core.text import parts, plain, words

SURE = 0.40  # a part is about a class when its probability is at least this
ALONE = 0.28  # the same for a message of one part: its best guess is all there is
HELP = 0.45  # the sum over all classes that need a person, above which a part needs one
MARGIN = 0.10  # two topics closer than this are asked back
FAINT = 0.16  # below this, nothing was understood
MAX_PARTS = 24

_NEGATED = re.compile(r"\b(?:je (?:ne )?(?:demande|parle|parlais|voulais|veux) pas|pas (?:de )?question (?:de|sur))\b")
_NOT_THAT = re.compile(r"\bnon\b.*\bje (?:parlais|parle|voulais dire|demandais)\b(?P<rest>.*)")
_ASIDE = re.compile(r"\b(?:collegues?|ceux|celles?|elle|elles|eux|lui|mari|amie?|chef|cheffe|directrice|directeur)\b")
_OWN = re.compile(r"\b(?:moi|je|j|jsuis|suis|nous|notre|mon|ma)\b")
_AGREE = {"oui", "ok", "yes", "ouais", "daccord", "d'accord", "si", "volontiers", "exactement", "voila", "c'est ca"}
_FILLER = set(
    [
        "c",
        "ce",
        "cest",
        "est",
        "en",
        "a",
        "la",
        "le",
        "les",
        "l",
        "d",
        "de",
        "du",
        "des",
        "au",
        "aux",
        "je",
        "j",
        "suis",
        "jsuis",
        "moi",
        "pour",
        "mon",
        "ma",
        "notre",
        "nous",
        "oui",
        "non",
        "pardon",
        "alors",
        "donc",
        "bah",
        "ben",
        "euh",
        "svp",
        "merci",
        "session",
        "formation",
        "format",
        "formule",
        "inscrit",
        "inscrite",
        "avec",
        "d'autres",
        "autres",
        "chez",
        "sera",
        "cours",
        "in",
        "the",
        "it",
        "is",
        "i'm",
        "im",
        "my",
        "me",
        "one",
        "version",
        "mode",
        "plutot",
        "enfin",
        "dans",
        "un",
        "une",
        "s",
        "il",
        "vous",
        "plait",
        "bonjour",
        "ok",
        "crois",
        "pense",
        "et",
        "finalement",
        "qui",
    ]
)
_SELF = re.compile(
    r"\b(?:je suis|j ai|jai|j'ai|chui|jsuis|suis|ma |mon |mes |une? de mes|me |moi|elle|il a|collaborat|agente?|participant|i am"
    r"|i m|i have|i use|my )"
)


@dataclass(frozen=True, slots=True)
class _Part:
    text: str
    normal: str
    matches: tuple[Match, ...]
    help: float  # probability that a person is needed

    @property
    def best(self) -> Match:
        return self.matches[0]


class Reader:
    """Reads messages with one knowledge and its matcher."""

    def __init__(self, knowledge: Knowledge, matcher: Matcher) -> None:
        self._k = knowledge
        self._matcher = matcher
        names = [(plain(n), f) for f, names in knowledge.formats.items() for n in names.names]
        self._formats = sorted(names, key=lambda n: -len(n[0]))
        self._health = re.compile(
            r"\b(?:" + "|".join(re.escape(plain(h)) for h in sorted(knowledge.words.health, key=len, reverse=True)) + r")"
        )
        self._needs = np.array([self._kind(i) in (Kind.REQUEST, Kind.HANDOFF, Kind.UNKNOWN) for i in matcher.ids])

    def read(self, text: str, subject: str | None, dialogue: Dialogue) -> Reading:
        """What the message asks for, in the context of the conversation."""
        pieces = parts(text)[:MAX_PARTS] or ([subject] if subject else [])
        flat = plain(text)
        said = self.format_said(flat)
        aside = said if said and self._about_other(flat, dialogue) else None
        own = None if aside else said
        short = self._short_answer(flat, said, dialogue, own, aside)
        if short is not None:
            return short
        found = self._parts(pieces)
        reading = self._whole(found, text, dialogue)
        reading = self._in_context(reading, found, flat, dialogue)
        reading = self._guard(reading, found, flat)
        own = own or (None if aside else self._format_of(reading))
        return Reading(
            **{f: getattr(reading, f) for f in ("topics", "labels", "options", "escalate", "private", "unanswered")},
            format=own,
            aside=aside,
            follow_up=reading.follow_up,
            questions=tuple(Question(p.text, p.normal, p.matches) for p in found),
        )

    # ------------------------------------------------------------ format

    def format_said(self, flat: str) -> Format | None:
        """The format that the text names last and does not deny."""
        hits: list[tuple[int, Format]] = []
        taken = flat
        for name, format in self._formats:
            for hit in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", taken):
                before = flat[max(0, hit.start() - 14) : hit.start()]
                if not re.search(r"\b(?:pas|plus|ni|not)\b[\w' ]*$", before):
                    hits.append((hit.start(), format))
                taken = taken[: hit.start()] + " " * len(hit[0]) + taken[hit.end() :]
        return max(hits)[1] if hits else None

    @staticmethod
    def _about_other(flat: str, dialogue: Dialogue) -> bool:
        """A colleague's format is not one's own; who only writes about others has none to remember either way."""
        return bool(dialogue.topics and _ASIDE.search(flat) and not _OWN.search(_ASIDE.sub("", flat.replace("ma coll", ""))))

    def _format_of(self, reading: Reading) -> Format | None:
        return None

    # ------------------------------------------------------------ short messages

    def _short_answer(
        self, flat: str, said: Format | None, dialogue: Dialogue, own: Format | None, aside: Format | None
    ) -> Reading | None:
        """A bare format, a bare yes: read wholly from what was said before."""
        left = flat
        for name, _ in self._formats:
            left = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", " ", left)
        rest = [w for w in words(left) if w not in _FILLER]
        if said and dialogue.topics and not rest:
            return Reading(topics=dialogue.topics, format=own, aside=aside, follow_up=True)
        if said and dialogue.asked == "format" and dialogue.topics and len(rest) <= 3:
            return Reading(topics=dialogue.topics, format=own, aside=aside, follow_up=True)
        if set(words(flat)) <= _AGREE and flat.strip():
            if set(dialogue.labels) & {"handoff", "request", "unknown"}:
                labels = tuple(la for la in dialogue.labels if la in ("handoff", "request", "unknown"))
                return Reading(labels=labels, escalate=True, follow_up=True)
            if dialogue.options:
                return Reading(topics=dialogue.options[:1], follow_up=True)
        return None

    # ------------------------------------------------------------ parts and whole

    def _parts(self, pieces: list[str]) -> list[_Part]:
        normal, probabilities = self._matcher.scores(pieces)
        found = []
        for text, plain_, row in zip(pieces, normal, probabilities, strict=True):
            order = np.argsort(-row)[:5]
            matches = tuple(Match(self._matcher.ids[n], float(row[n])) for n in order)
            found.append(_Part(text, plain_, matches, float(row[self._needs].sum())))
        return found

    def _whole(self, found: list[_Part], text: str, dialogue: Dialogue) -> Reading:
        """Join what the parts say; a message of few words is also read as one."""
        topics: dict[str, float] = {}
        labels: dict[str, float] = {}
        unanswered: list[str] = []
        alone = len([p for p in found if self._kind(p.best.id) not in (Kind.CONTEXT, Kind.SMALLTALK)]) <= 1
        for part in found:
            if _NEGATED.search(plain(part.text)):
                continue
            self._add(part, SURE if not alone else ALONE, topics, labels, unanswered)
        if len(found) > 1 and len(words(text)) <= 40:
            whole = self._parts([text])[0]
            self._with_whole(whole, topics, labels, unanswered)
        return self._reading(topics, labels, unanswered, found)

    def _add(self, part: _Part, sure: float, topics: dict[str, float], labels: dict[str, float], unanswered: list[str]) -> None:
        best = part.best
        kind = self._kind(best.id)
        if part.help >= HELP and kind is not Kind.SMALLTALK:
            helper = next((m for m in part.matches if self._needs_person(m.id)), best)
            self._note(helper, topics, labels)
            unanswered.append(part.text)
        elif best.score >= sure:
            self._note(best, topics, labels)
        elif kind is Kind.TOPIC and best.score >= FAINT:
            labels.setdefault("?" + best.id, best.score)

    def _with_whole(self, whole: _Part, topics: dict[str, float], labels: dict[str, float], unanswered: list[str]) -> None:
        understood = topics or set(labels) & {"request", "handoff", "unknown"}
        if whole.help >= 0.6 and not unanswered:
            helper = next(m for m in whole.matches if self._needs_person(m.id))
            self._note(helper, topics, labels)
            unanswered.append(whole.text)
        elif not understood and whole.best.score >= ALONE:
            self._note(whole.best, topics, labels)

    def _note(self, match: Match, topics: dict[str, float], labels: dict[str, float]) -> None:
        kind = self._kind(match.id)
        if kind is Kind.TOPIC:
            topics[match.id] = max(match.score, topics.get(match.id, 0))
            return
        group = self._k.classes[match.id]
        labels[group.label] = max(match.score, labels.get(group.label, 0))
        if group.tells:
            topics.setdefault(group.tells, match.score)
        if group.private:
            labels["private"] = 1.0

    def _reading(self, topics: dict[str, float], labels: dict[str, float], unanswered: list[str], found: list[_Part]) -> Reading:
        faint = [la[1:] for la in labels if la.startswith("?") and la[1:] not in topics]
        named = {la for la in labels if not la.startswith("?")} - {"private", "context"}
        escalate = bool(named & {"request", "handoff", "unknown"})
        if topics or escalate:
            named &= {"request", "handoff", "unknown"}
        elif named - {"offtopic"}:
            named -= {"offtopic"}
        options = self._options(found, faint) if not topics and not named else ()
        return Reading(
            topics=tuple(sorted(topics, key=lambda t: -topics[t])),
            labels=tuple(sorted(named)),
            options=options,
            escalate=escalate,
            private="private" in labels,
            unanswered=tuple(unanswered),
        )

    def _options(self, found: list[_Part], faint: list[str]) -> tuple[str, ...]:
        """Two or three near topics to choose among; a single one is no choice."""
        if not faint:
            return ()
        part = max(found, key=lambda p: p.best.score)
        near = [m.id for m in part.matches if self._kind(m.id) is Kind.TOPIC and m.score >= 0.08]
        return tuple(dict.fromkeys((*faint, *near)))[:3]

    # ------------------------------------------------------------ context and safety

    def _in_context(self, reading: Reading, found: list[_Part], flat: str, dialogue: Dialogue) -> Reading:
        """A short message that says little by itself is about what was last spoken of."""
        if reading.escalate or not found:
            return reading
        correction = _NOT_THAT.search(flat)
        small = bool(reading.labels) and not reading.topics
        if correction and not reading.topics and dialogue.topics:
            return Reading(topics=dialogue.topics, follow_up=True)
        unclear = not reading.topics and (not reading.labels or reading.labels == ("offtopic",))
        if unclear and dialogue.topics and len(words(flat)) <= 9 and not small:
            if set(dialogue.labels) & {"request", "handoff"}:
                return Reading(labels=("request",), topics=(), escalate=True, follow_up=True)
            return Reading(topics=dialogue.topics, follow_up=True)
        return reading

    def _guard(self, reading: Reading, found: list[_Part], flat: str) -> Reading:
        """What was understood by nobody goes to the trainer, and health words make an escalation private."""
        if not (reading.topics or reading.labels or reading.options):
            meant = [p for p in found if self._kind(p.best.id) not in (Kind.CONTEXT, Kind.SMALLTALK, Kind.OFFTOPIC)]
            if meant:
                return Reading(labels=("unknown",), escalate=True, private=self._is_health(flat), unanswered=(meant[0].text,))
            return Reading(labels=("greeting",))
        if reading.escalate and not reading.private and self._is_health(flat):
            return Reading(
                topics=reading.topics,
                labels=reading.labels,
                escalate=True,
                private=True,
                unanswered=reading.unanswered,
                follow_up=reading.follow_up,
            )
        return reading

    def _is_health(self, flat: str) -> bool:
        return bool(self._k.words.health) and bool(self._health.search(flat))

    def _kind(self, id: str) -> Kind:
        group: Utterances | None = self._k.classes.get(id)
        return group.kind if group else Kind.TOPIC

    def _needs_person(self, id: str) -> bool:
        return self._kind(id) in (Kind.REQUEST, Kind.HANDOFF, Kind.UNKNOWN)
