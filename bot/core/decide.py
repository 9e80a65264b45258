"""Matches, context and policy to a Reading: what a whole message asks for, and what of it must reach a person.

A missed call for help costs most, then a wrong answer, then a needless escalation, then asking back; the thresholds
follow from that (``policy.py``). Of single messages that nobody showed it, the matcher is right about as often as it says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from bot.core import chance
from bot.core.cues import (
    AGREE,
    ASKED_FOR,
    ASKS,
    BYE,
    CORRECTS,
    DISCLAIMED,
    NOT_THAT,
    NOTED,
    THANKS,
    UNSETTLED,
    asks,
    courtesy,
    opens_with_parting,
    without_denied,
)
from bot.core.formats import FormatReader
from bot.core.match import Matcher
from bot.core.model import Dialogue, Format, Kind, Knowledge, Match, Question, Reading
from bot.core.pieces import Part, Pieces, Scored
from bot.core.text import is_bare, plain, words

_PASSED_ON = frozenset({"request", "handoff", "unknown"})
_COURTESIES = frozenset({"thanks", "goodbye", "greeting"})
_ABOUT_THE_BOT = frozenset({"identity", "help"})  # asked of it, not said around a question
_NEEDS = (Kind.REQUEST, Kind.HANDOFF, Kind.UNKNOWN)
LIKELIER = 0.55  # than not
SURELY = 0.7  # needs a person: then a policy is told as well
MAYBE, PERSONAL = 0.1, 0.25  # a matter of health; its share of all needs: shown around is worse than a detour by its contact
LOST, ASKED = 0.2, 3  # a question that is like no class at all, and the words from which on it is one
HEALTH = 0.5  # how much less likely a call may be where health is named
NEAR_BY = 0.7  # a call, or small talk that stands alone, so likely is not about other things
STATED = 0.4  # a need of health that is stated, not asked about, beside a question that is answered
LETTER = 12  # words from which on thanks are no mere formula below a question in the subject
MAX_CONTEXT_WORDS = 9  # a follow-up is short


@dataclass(slots=True)
class _Found:
    """What the parts of a message say together."""

    topics: dict[str, float] = field(default_factory=dict)
    labels: dict[str, float] = field(default_factory=dict)
    faint: list[str] = field(default_factory=list)  # topics worth offering
    unanswered: list[str] = field(default_factory=list)
    told: set[str] = field(default_factory=set)  # topics that nobody asked about: policies beside a request
    private: bool = False

    def spare(self) -> None:
        """Nobody is needed after all."""
        self.labels = {label: share for label, share in self.labels.items() if label not in _PASSED_ON}
        self.topics = {id: share for id, share in self.topics.items() if id not in self.told}
        self.unanswered, self.private = [], False

    @property
    def needs_person(self) -> bool:
        return bool(self.labels.keys() & _PASSED_ON)


def _gives_thanks(flat: str) -> bool:
    return bool(THANKS.search(flat)) or "remerci" in flat


def _nod(flat: str) -> str:
    """The courtesy that fits a reaction to an answer: "ah d'accord, logique" asks for nothing."""
    fitting = courtesy(flat)
    return fitting if fitting in _COURTESIES else "thanks"


class Reader:
    """Reads messages with one knowledge and its matcher."""

    def __init__(self, knowledge: Knowledge, matcher: Matcher) -> None:
        self._k = knowledge
        self._t = knowledge.policy.thresholds
        self.matcher = matcher
        self._formats = FormatReader(knowledge.formats)
        named = "|".join(re.escape(plain(h)) for h in sorted(knowledge.words.health, key=len, reverse=True))
        self._health = re.compile(rf"\b(?:{named})" if named else r"(?!)")
        # "je suis aveugle": said of oneself, it may be a need, whatever is asked beside it
        self._avowed = re.compile(
            r"\b(?:(?:je suis|j?'?suis|chui|i am|i'm|etant|en tant que(?: personne(?: a| en)?)?) (?!pas\b)(?:\w+ )?"
            r"|j'ai (?:un|une|des|mon|ma|mes) )"
            rf"(?:{named})"
            if named
            else r"(?!)"
        )
        self._masks = {kind: np.array([self._kind(i) is kind for i in matcher.ids]) for kind in Kind}
        self._personal = np.array([i in knowledge.classes and knowledge.classes[i].private for i in matcher.ids])
        self._frames = self._masks[Kind.SMALLTALK] | self._masks[Kind.CONTEXT]
        self._needs = self._masks[Kind.REQUEST] | self._masks[Kind.HANDOFF] | self._masks[Kind.UNKNOWN]
        greeted = frozenset(words(" ".join(knowledge.facts.get(who, "") for who in ("trainer", "disability_contact"))))
        self._pieces = Pieces(matcher, self._t, self._masks[Kind.TOPIC] | self._needs, greeted)
        told = {g.tells for g in knowledge.classes.values() if g.kind is Kind.REQUEST}
        self.kinds = chance.Kinds(
            topics=self._masks[Kind.TOPIC],
            needs=self._needs,
            frames=self._frames,
            small=self._masks[Kind.SMALLTALK],
            far=self._masks[Kind.OFFTOPIC],
            told=np.array([i in told for i in matcher.ids]),
        )

    def read(self, text: str, subject: str | None, dialogue: Dialogue) -> Reading:
        """What the message asks for, in the context of the conversation."""
        flat = plain(text)
        restore = self.matcher.speller.restore
        restored = plain(restore(text))
        health = bool(self._health.search(flat) or self._health.search(restored)) or self.tells_of_health(subject or "")
        said = self._formats.said(flat) or self._formats.said(restored)
        theirs = bool(said and dialogue.topics and self._formats.about_others(flat))
        own, aside = (None, said) if theirs else (said, None)
        short = self._short_answer(flat, said, dialogue)
        if short is not None:
            return replace(short, format=own, aside=aside, health=health)
        scored, pieces = Scored(bare=is_bare(text)), self._pieces.of(text)
        self._pieces.score([*pieces, *([subject] if subject else [])], scored)
        found, weighed = self._whole(pieces, flat, scored)
        if subject and not (found.topics or found.needs_person or found.faint):
            # a letter of thanks below "attestation" asks nothing; a call for help in the subject is one below any formula
            thanked = courtesy(flat) == "thanks" and len(words(flat)) >= LETTER
            asked = asks(subject, restore(subject))
            courteous = bool(found.labels and found.labels.keys() <= _COURTESIES)
            alone = thanked or (courteous and not DISCLAIMED.search(flat))
            above = [subject] if alone else [subject, *pieces]
            with_subject, more = self._whole(above, plain(subject if alone else f"{subject} ? {text}"), scored)
            if with_subject.needs_person or (with_subject.topics and (asked or not thanked)):
                found, weighed = with_subject, more
        reading = self._guard(self._in_context(self._reading(found, flat), weighed, flat, dialogue), weighed, flat)
        if not reading.escalate and self._avowed.search(flat) and not DISCLAIMED.search(flat):
            reading = replace(reading, labels=("request",), options=(), escalate=True, private=True)
        questions = tuple(Question(p.text, p.normal, self._matches(p)) for p in weighed)
        return replace(reading, format=own, aside=aside, questions=questions, health=health)

    def tells_of_health(self, text: str) -> bool:
        """Whether any word is one of health, as it was typed or once its spelling is restored."""
        return any(self._health.search(said) for said in (plain(text), plain(self.matcher.speller.restore(text))))

    # ------------------------------------------------------------ parts

    def _whole(self, pieces: list[str], flat: str, scored: Scored) -> tuple[_Found, list[Part]]:
        weighed, whole = self._weighed(pieces, flat, scored)
        meant = [p for p in weighed if not self._is_frame(p)] or weighed
        found = _Found()
        if NOTED.search(flat) and "?" not in flat and not any(p.asks for p in weighed) and self._thanks(weighed, flat):
            found.labels["goodbye" if BYE.search(flat) and not THANKS.search(flat) else "thanks"] = 1.0
            return found, weighed
        weights = self._k.policy.weights
        seen = self.evidence(weighed, whole, flat) if weighed and weights is not None else None
        if self._is_far(seen):
            found.labels["offtopic"] = 1.0
            return found, weighed
        if self._is_thanks(meant, flat):
            found.labels["thanks"] = 1.0
            return found, weighed
        asked = self._asked(weighed)
        for part in meant:
            self._judge(part, len(meant) == 1, asked, found)
        if seen is not None and weights is not None:
            found.private = found.private or self._is_private(found, weighed)  # before it could be talked away
            self._balance(found, seen, weighed, weights, flat)
        for part in meant:  # asked outright, and answered by nothing: whatever else is
            if len(meant) > 1 and "?" in part.text and self._is_unanswered(part):
                self._pass_on(part, found)
        found.private = found.private or self._is_private(found, weighed)
        return found, weighed

    def evidence(self, weighed: Sequence[Part], whole: NDArray[np.float32], flat: str) -> chance.Evidence:
        """What the parts of a message tell of it as a whole."""
        return chance.Evidence(
            np.array([p.chances for p in weighed]),
            np.array([p.seen.told for p in weighed]),
            np.array([np.max([c.chances for c in p.within] or [p.chances], 0) for p in weighed]),
            whole,
            np.array([p.asks for p in weighed]),
            np.array([p.asking for p in weighed]),
            np.array([self._is_frame(p) for p in weighed]),
            np.array([len(words(p.text)) for p in weighed]),
            bool(DISCLAIMED.search(flat)),
            bool(self._health.search(flat)),
        )

    def _balance(self, found: _Found, seen: chance.Evidence, weighed: Sequence[Part], weights: chance.Weights, flat: str) -> None:
        """The parts propose; the message as a whole has the last word on what is unlikely, and on what none was sure of."""
        ids = self.matcher.ids
        likely = {ids[n]: share for n, share in chance.topics(seen, self.kinds, weights).items()}
        needed = chance.need(seen, self.kinds, weights)
        for id in [t for t in found.topics if t not in found.told and likely.get(t, 0.0) < self._t.dropped]:
            del found.topics[id]
            found.faint.append(id)
        if needed < SURELY:  # called to be on the safe side: what nobody may have asked about is not told as well
            found.topics = {id: share for id, share in found.topics.items() if id not in found.told}
            found.told.clear()
        for id, share in likely.items():
            if share >= self._t.added and id not in found.topics:
                found.topics[id] = share
        unlikely = needed < self._t.spared and not found.private  # a private matter is never talked away
        if found.needs_person and unlikely and found.topics.keys() - found.told:
            found.spare()
        others = found.labels.keys() - {"context"} - _ABOUT_THE_BOT
        if not found.needs_person and not others and needed >= self._called(found, weighed, flat):
            self._pass_on(self._neediest(weighed), found)
        if not found.needs_person and not seen.disclaims and self._is_heard(found, seen, needed, flat):
            self._pass_on(self._neediest(weighed), found)

    def _is_heard(self, found: _Found, seen: chance.Evidence, needed: float, flat: str) -> bool:
        """Whether what may be a call is one, whatever courtesy is about it or policy fits it."""
        if found.topics:
            needs = float(seen.chances[~seen.asks][:, self._personal].sum(1).max(initial=0.0))  # "malentendant. sous-titres ?"
            asked_for = self._asks_for_care(flat) and not seen.asks.any()  # "demande d'aménagement: fauteuil roulant"
            return asked_for or (seen.health and needs >= STATED)
        if seen.health and needed >= self._least() * HEALTH:
            return True
        if self._asks_for_care(flat):
            return True
        # "tu sais faire quoi ? j'ai besoin d'aide pour mon dossier"
        of_the_bot = bool(found.labels) and found.labels.keys() <= _ABOUT_THE_BOT
        stated = float(seen.chances[~seen.asks][:, self._needs].sum(1).max(initial=0.0))
        return of_the_bot and bool(ASKED_FOR.search(flat)) and stated >= self._t.help / 2

    def _is_unanswered(self, part: Part) -> bool:
        """Whether a question is like no class at all, or most like those that no sheet answers."""
        best = self._best(part)
        return len(words(part.text)) >= ASKED and (best.score < LOST or self._kind(best.id) is Kind.UNKNOWN)

    def _asks_for_care(self, flat: str) -> bool:
        """ "merci de penser à ma boucle magnétique" thanks for nothing yet."""
        return bool(ASKED_FOR.search(flat) and self._health.search(flat))

    def _neediest(self, weighed: Sequence[Part]) -> Part:
        return max(weighed, key=lambda p: float(p.chances[self._needs].sum()))

    def _is_private(self, found: _Found, weighed: Sequence[Part]) -> bool:
        return found.needs_person and any(map(self._is_personal, weighed))

    def _is_personal(self, part: Part) -> bool:
        """Whether what it needs a person for may well be a matter of health."""
        personal = float(part.chances[self._personal].sum())
        return personal >= MAYBE and personal >= PERSONAL * float(part.chances[self._needs].sum())

    def _called(self, found: _Found, weighed: Sequence[Part], flat: str) -> float:
        """How likely a person must be called for, by the message as a whole, for one to be called."""
        calm = not self._health.search(flat) and sum(float(p.chances[self._needs].sum()) >= self._t.doubt for p in weighed) == 0
        about_the_bot = calm and bool(found.labels.keys() & _ABOUT_THE_BOT)
        # one thing that is understood, with nothing beside it that could call for a person, must be likelier a call than not
        if about_the_bot or (found.topics and len(weighed) == 1):
            return max(self._t.called, LIKELIER)
        if not (found.topics or found.labels or found.faint) and courtesy(flat) == "help" and not _gives_thanks(flat):
            return min(self._t.called, self._least())  # nothing else to say
        return self._t.called

    def _least(self) -> float:
        """How likely a person must be needed for a call to cost less than none."""
        costs = self._k.policy.costs
        return costs.needless / ((costs.needless + costs.missed) or 1.0)

    def _is_thanks(self, meant: list[Part], flat: str) -> bool:
        """A letter that only thanks: nothing in it asks, or is surely about the training."""
        if "?" in flat or not _gives_thanks(flat) or self._health.search(flat):
            return False
        about = max((float(p.chances[self._masks[Kind.TOPIC] | self._needs].sum()) for p in meant), default=0.0)
        return about < self._t.doubt and any(p.chances[self._masks[Kind.SMALLTALK]].sum() >= self._t.clause for p in meant)

    def _weighed(self, pieces: list[str], flat: str, scored: Scored) -> tuple[list[Part], NDArray[np.float32]]:
        """The parts, each with what its clauses and its neighbours make of it, and what they say read as one."""
        weighed, whole = self._pieces.weigh([kept for piece in pieces for kept in without_denied(piece)], scored)
        if not DISCLAIMED.search(flat):
            return weighed, whole
        return [replace(p, chances=self._disclaimed(p.chances)) for p in weighed], self._disclaimed(whole)

    def evidence_of(self, text: str) -> chance.Evidence | None:
        """What a message's parts tell of it, for finding the weights; None for one without words."""
        flat = plain(text)
        weighed, whole = self._weighed(self._pieces.of(text), flat, Scored(bare=is_bare(text)))
        return self.evidence(weighed, whole, flat) if weighed else None

    def _disclaimed(self, row: NDArray[np.float32]) -> NDArray[np.float32]:
        """What somebody says of themselves and wants nothing done about is context."""
        moved = row.copy()
        context = np.flatnonzero(self._masks[Kind.CONTEXT])
        if len(context):
            moved[context[0]] += moved[self._personal].sum()
            moved[self._personal] = 0.0
        return moved

    def _is_far(self, seen: chance.Evidence | None) -> bool:
        """Whether the message is about other things, as its parts tell together; never one that names a matter of health,
        or of which a part likely calls for a person, or which is one of small talk."""
        weights = self._k.policy.weights
        if seen is None or weights is None or seen.health:
            return False
        needed = float(seen.chances[:, self._needs].sum(1).max())
        small = float(seen.chances[0, self._masks[Kind.SMALLTALK]].sum()) if len(seen.chances) == 1 else 0.0
        if max(needed, small) >= NEAR_BY:
            return False
        return chance.far(seen, self.kinds, weights) >= self._t.far

    def _asked(self, weighed: list[Part]) -> bool:
        """Whether some part surely asks for a person: then statements beside it are its reasons, not questions."""
        return any(p.chances[self._needs].sum() >= self._t.help and not self._is_frame(p) for p in weighed)

    def _thanks(self, weighed: list[Part], flat: str) -> bool:
        small = self._masks[Kind.SMALLTALK]
        help_ = max((float(p.chances[self._needs].sum()) for p in weighed), default=0.0)
        return (
            help_ < self._t.doubt
            and not self._health.search(flat)  # "merci, à lundi ! je serai en fauteuil"
            and (  # "merci de transférer mon inscription" is a request
                bool(THANKS.search(flat) or BYE.search(flat)) or any(p.chances[small].sum() > 0.5 for p in weighed)
            )
        )

    def _is_frame(self, part: Part) -> bool:
        """A greeting, a reason, a signature: what stands around a question."""
        best = self._best(part)
        kind, flat = self._kind(best.id), plain(part.text)
        if part.asks and best.id in _ABOUT_THE_BOT and best.score >= self._t.alone:
            return False
        if not part.asks and self._formats.said(flat) and len(self._formats.words_beside(flat)) <= 2:
            return True
        if kind in (Kind.SMALLTALK, Kind.CONTEXT):
            return part.chances.max() >= 0.4 or not part.asks
        return kind is Kind.OFFTOPIC and not part.asks and len(words(part.text)) <= 3

    def _judge(self, part: Part, alone: bool, asked: bool, found: _Found) -> None:
        """What one part adds: a topic that is answered, a class that needs a person, or topics worth offering."""
        best = self._best(part)
        kind = self._kind(best.id)
        topic = self._top(part, Kind.TOPIC)
        need = float(part.chances[self._needs].sum())
        if need >= self._t.help or (self._kind_needs(kind) and best.score >= self._t.alone and (alone or not asked)):
            self._pass_on(part, found)
            return
        bar = self._t.alone if alone else self._t.sure if part.asks else self._t.stated
        if asked and not alone:
            bar = max(bar, self._t.beside) if part.asks else 2.0
        if kind is Kind.TOPIC and best.score >= bar:
            second = self._second(part, best.id)
            if best.score < 0.7 and second and best.score - second.score < self._t.margin:
                found.faint += [best.id, second.id]
            else:
                self._note(best, found)
        elif not self._kind_needs(kind) and kind is not Kind.TOPIC and (alone or part.asks) and best.score >= self._t.alone:
            self._note(best, found)
        elif part.asks and need >= self._t.doubt and len(words(part.text)) >= 4 and not asked:
            self._pass_on(part, found)
        elif topic.score >= self._t.near and (alone or part.asks):
            found.faint += [m.id for m in self._matches(part) if self._kind(m.id) is Kind.TOPIC and m.score >= self._t.near]

    def _pass_on(self, part: Part, found: _Found) -> None:
        """A person is needed; for what exactly (a policy to tell, a matter of health) only where that is likely by itself."""
        needed = self._needed(part)
        if part.text not in found.unanswered:
            found.unanswered.append(part.text)
        if needed.score >= self._t.alone:
            self._note(needed, found)
            return
        shares = {kind: float(part.chances[self._masks[kind]].sum()) for kind in _NEEDS}
        label = max(shares, key=lambda kind: shares[kind]) if sum(shares.values()) >= self._t.help else Kind.UNKNOWN
        found.labels[label.value] = max(needed.score, found.labels.get(label.value, 0.0))

    def _note(self, match: Match, found: _Found) -> None:
        kind = self._kind(match.id)
        if kind is Kind.TOPIC:
            found.told.discard(match.id)
            found.topics[match.id] = max(match.score, found.topics.get(match.id, 0.0))
            return
        group = self._k.classes[match.id]
        found.labels[group.label] = max(match.score, found.labels.get(group.label, 0.0))
        if group.tells and group.tells not in found.topics:
            found.topics[group.tells] = match.score
            found.told.add(group.tells)
        found.private = found.private or group.private

    def _reading(self, found: _Found, flat: str) -> Reading:
        labels = set(found.labels) - {"context"}
        escalate = found.needs_person
        if found.topics or escalate:
            labels &= {"request", "handoff", "unknown"}
        elif labels - {"offtopic"}:
            labels -= {"offtopic"}
        if labels and labels <= _COURTESIES:  # a letter of thanks greets as well
            fitting = "thanks" if _gives_thanks(flat) else courtesy(flat)
            labels = {fitting} & _COURTESIES or labels
        offered = [t for t in dict.fromkeys(found.faint) if t not in found.topics]
        return Reading(
            topics=tuple(found.topics),  # in the order in which they were asked
            labels=tuple(sorted(labels)),
            options=tuple(offered[:3]) if not found.topics and not labels and len(offered) > 1 else (),
            escalate=escalate,
            private=found.private,
            unanswered=tuple(found.unanswered),
        )

    # ------------------------------------------------------------ context and safety

    def _short_answer(self, flat: str, said: Format | None, dialogue: Dialogue) -> Reading | None:
        """A bare format, a bare yes: read wholly from what was said before."""
        beside = self._formats.words_beside(flat)
        corrects = bool(dialogue.topics and CORRECTS.search(flat) and not ASKS.search(flat) and len(beside) <= 6)
        of_others = bool(dialogue.topics and self._formats.about_others(flat) and len(beside) <= 2)
        answers = not beside or (dialogue.asked == "format" and len(beside) <= 3) or corrects or of_others
        if said and answers:
            return Reading(topics=dialogue.topics, follow_up=bool(dialogue.topics))
        spoken = set(words(flat))
        if spoken and spoken <= AGREE and spoken & AGREE - {"merci", "ok", "svp", "stp"}:
            waiting = tuple(la for la in dialogue.labels if la in ("handoff", "request", "unknown"))
            if waiting:
                return Reading(labels=waiting, escalate=True, follow_up=True)
            if dialogue.options:
                return Reading(topics=dialogue.options[:1], follow_up=True)
        return None

    def _in_context(self, reading: Reading, weighed: list[Part], flat: str, dialogue: Dialogue) -> Reading:
        """A short message that says little by itself is about what was last spoken of."""
        if reading.escalate or not weighed or not dialogue.topics:
            return reading
        if NOT_THAT.search(flat) and not reading.topics:
            return Reading(topics=dialogue.topics, follow_up=True)
        if self._continues(reading, weighed, flat, dialogue):
            return Reading(topics=dialogue.topics[:1], follow_up=True)
        unclear = not reading.topics and (not reading.labels or reading.labels == ("offtopic",))
        if not unclear or len(words(flat)) > MAX_CONTEXT_WORDS:
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
        away = max(float(part.chances[self._masks[Kind.OFFTOPIC]].sum()) for part in weighed)
        return reading.labels == ("offtopic",) and away >= self._t.far

    def _settled(self, weighed: list[Part]) -> bool:
        """Whether it only reacts to an answer: "ah d'accord, logique"."""
        open_ = any(part.asks or UNSETTLED.search(plain(part.text)) for part in weighed)
        return not open_ and all(map(self._is_frame, weighed))

    def _takes_leave(self, weighed: list[Part], flat: str) -> bool:
        """Whether one of the parts surely is a farewell: "passionnant. au revoir !" asks for nothing once more."""
        said = {
            self._k.classes[best.id].label
            for best in map(self._best, weighed)
            if best.score >= self._t.sure_alone and best.id in self._k.classes
        }
        return bool(BYE.search(flat)) and "goodbye" in said and not any(part.asks for part in weighed)

    def _continues(self, reading: Reading, weighed: list[Part], flat: str, dialogue: Dialogue) -> bool:
        """Whether a short question that is not sure of its own topic fits the last one, once that is put before it."""
        last = self._k.topics.get(dialogue.topics[0])
        if last is None or len(weighed) > 1 or len(words(flat)) > MAX_CONTEXT_WORDS or last.id in reading.topics:
            return False
        if not weighed[0].asks or weighed[0].chances.max() >= self._t.sure_alone:
            return False
        chances = self.matcher.scores([self.matcher.speller.read(f"{last.title} {flat}")])
        together = float(chances[0][self.matcher.ids.index(last.id)])
        return together >= self._t.sure_alone

    def _guard(self, reading: Reading, weighed: list[Part], flat: str) -> Reading:
        """What was understood by nobody goes to the trainer."""
        if not (reading.topics or reading.labels or reading.options):
            meant = [p for p in weighed if not self._is_frame(p)]
            if meant:
                reading = Reading(labels=("unknown",), escalate=True, unanswered=tuple(p.text for p in meant[:1]))
            else:
                reading = Reading(labels=(courtesy(flat),))
        return reading

    # ------------------------------------------------------------ lookups

    def _best(self, part: Part) -> Match:
        at = int(np.argmax(part.chances))
        return Match(self.matcher.ids[at], float(part.chances[at]))

    def _top(self, part: Part, kind: Kind) -> Match:
        return self._among(part, np.flatnonzero(self._masks[kind]))

    def _needed(self, part: Part) -> Match:
        return self._among(part, np.flatnonzero(self._needs))

    def _among(self, part: Part, columns: NDArray[np.intp]) -> Match:
        at = int(columns[int(np.argmax(part.chances[columns]))])
        return Match(self.matcher.ids[at], float(part.chances[at]))

    def _second(self, part: Part, best: str) -> Match | None:
        return next((m for m in self._matches(part) if m.id != best and self._kind(m.id) is Kind.TOPIC), None)

    def _matches(self, part: Part) -> tuple[Match, ...]:
        order: Iterable[int] = np.argsort(-part.chances)[:5]
        return tuple(Match(self.matcher.ids[n], float(part.chances[n])) for n in order)

    def _kind(self, id: str) -> Kind:
        group = self._k.classes.get(id)
        return group.kind if group else Kind.TOPIC

    @staticmethod
    def _kind_needs(kind: Kind) -> bool:
        return kind in _NEEDS
