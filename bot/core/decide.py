"""Matches, context and policy to a Reading: what a whole message asks for, and what of it must reach a person.

A missed call for help costs most, then a wrong answer, then a needless escalation, then asking back; the thresholds
follow from that (``policy.py``). Of single messages that nobody showed it, the matcher is right about as often as it says.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from bot.core import chance
from bot.core.columns import NEEDS, PASSED_ON, Columns
from bot.core.context import COURTESIES, Context
from bot.core.cues import (
    ASKED_FOR,
    BYE,
    DISCLAIMED,
    NOTED,
    THANKS,
    asks,
    courtesy,
    without_denied,
)
from bot.core.formats import FormatReader
from bot.core.match import Matcher
from bot.core.model import Dialogue, Kind, Knowledge, Match, Question, Reading
from bot.core.pieces import Part, Pieces, Scored
from bot.core.text import is_bare, plain, words

_ABOUT_THE_BOT = frozenset({"identity", "help"})  # asked of it, not said around a question
LIKELIER = 0.55  # than not
SURELY = 0.7  # needs a person: then a policy is told as well
MAYBE, PERSONAL = 0.1, 0.25  # a matter of health; its share of all needs: shown around is worse than a detour by its contact
LOST, ASKED = 0.2, 3  # a question that is like no class at all, and the words from which on it is one
HEALTH = 0.5  # how much less likely a call may be where health is named
NEAR_BY = 0.7  # a call, or small talk that stands alone, so likely is not about other things
STATED = 0.4  # a need of health that is stated, not asked about, beside a question that is answered
LETTER = 12  # words from which on thanks are no mere formula below a question in the subject


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
        self.labels = {label: share for label, share in self.labels.items() if label not in PASSED_ON}
        self.topics = {id: share for id, share in self.topics.items() if id not in self.told}
        self.unanswered, self.private = [], False

    @property
    def needs_person(self) -> bool:
        return bool(self.labels.keys() & PASSED_ON)


def _gives_thanks(flat: str) -> bool:
    return bool(THANKS.search(flat)) or "remerci" in flat


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
        self._columns = Columns(knowledge, matcher.ids)
        self.kinds = self._columns.kinds
        greeted = frozenset(words(" ".join(knowledge.facts.get(who, "") for who in ("trainer", "disability_contact"))))
        self._pieces = Pieces(matcher, self._t, self._columns.of[Kind.TOPIC] | self._columns.needs, greeted)
        self._context = Context(knowledge, matcher, self._formats, self._columns, self._is_frame)

    def read(self, text: str, subject: str | None, dialogue: Dialogue) -> Reading:
        """What the message asks for, in the context of the conversation."""
        flat = plain(text)
        restore = self.matcher.speller.restore
        restored = plain(restore(text))
        health = bool(self._health.search(flat) or self._health.search(restored)) or self.tells_of_health(subject or "")
        said = self._formats.said(flat) or self._formats.said(restored)
        theirs = bool(said and dialogue.topics and self._formats.about_others(flat))
        own, aside = (None, said) if theirs else (said, None)
        short = self._context.short_answer(flat, said, dialogue)
        if short is not None:
            return replace(short, format=own, aside=aside, health=health)
        scored, pieces = Scored(bare=is_bare(text)), self._pieces.of(text)
        self._pieces.score([*pieces, *([subject] if subject else [])], scored)
        found, weighed = self._whole(pieces, flat, scored)
        if subject and not (found.topics or found.needs_person or found.faint):
            # a letter of thanks below "attestation" asks nothing; a call for help in the subject is one below any formula
            thanked = courtesy(flat) == "thanks" and len(words(flat)) >= LETTER
            asked = asks(subject, restore(subject))
            courteous = bool(found.labels and found.labels.keys() <= COURTESIES)
            alone = thanked or (courteous and not DISCLAIMED.search(flat))
            above = [subject] if alone else [subject, *pieces]
            with_subject, more = self._whole(above, plain(subject if alone else f"{subject} ? {text}"), scored)
            if with_subject.needs_person or (with_subject.topics and (asked or not thanked)):
                found, weighed = with_subject, more
        reading = self._guard(self._context.of(self._reading(found, flat), weighed, flat, dialogue), weighed, flat)
        if not reading.escalate and self._avowed.search(flat) and not DISCLAIMED.search(flat):
            reading = replace(reading, labels=("request",), options=(), escalate=True, private=True)
        questions = tuple(Question(p.text, p.normal, self._columns.matches(p)) for p in weighed)
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
            # "malentendant. sous-titres ?"
            needs = float(seen.chances[~seen.asks][:, self._columns.personal].sum(1).max(initial=0.0))
            asked_for = self._asks_for_care(flat) and not seen.asks.any()  # "demande d'aménagement: fauteuil roulant"
            return asked_for or (seen.health and needs >= STATED)
        if seen.health and needed >= self._least() * HEALTH:
            return True
        if self._asks_for_care(flat):
            return True
        # "tu sais faire quoi ? j'ai besoin d'aide pour mon dossier"
        of_the_bot = bool(found.labels) and found.labels.keys() <= _ABOUT_THE_BOT
        stated = float(seen.chances[~seen.asks][:, self._columns.needs].sum(1).max(initial=0.0))
        return of_the_bot and bool(ASKED_FOR.search(flat)) and stated >= self._t.help / 2

    def _is_unanswered(self, part: Part) -> bool:
        """Whether a question is like no class at all, or most like those that no sheet answers."""
        best = self._columns.best(part)
        return len(words(part.text)) >= ASKED and (best.score < LOST or self._columns.kind(best.id) is Kind.UNKNOWN)

    def _asks_for_care(self, flat: str) -> bool:
        """ "merci de penser à ma boucle magnétique" thanks for nothing yet."""
        return bool(ASKED_FOR.search(flat) and self._health.search(flat))

    def _neediest(self, weighed: Sequence[Part]) -> Part:
        return max(weighed, key=self._columns.need)

    def _is_private(self, found: _Found, weighed: Sequence[Part]) -> bool:
        return found.needs_person and any(map(self._is_personal, weighed))

    def _is_personal(self, part: Part) -> bool:
        """Whether what it needs a person for may well be a matter of health."""
        personal = float(part.chances[self._columns.personal].sum())
        return personal >= MAYBE and personal >= PERSONAL * self._columns.need(part)

    def _called(self, found: _Found, weighed: Sequence[Part], flat: str) -> float:
        """How likely a person must be called for, by the message as a whole, for one to be called."""
        calm = not self._health.search(flat) and sum(self._columns.need(p) >= self._t.doubt for p in weighed) == 0
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
        about = max((float(p.chances[self._columns.of[Kind.TOPIC] | self._columns.needs].sum()) for p in meant), default=0.0)
        return about < self._t.doubt and any(self._columns.share(p, Kind.SMALLTALK) >= self._t.clause for p in meant)

    def _weighed(self, pieces: list[str], flat: str, scored: Scored) -> tuple[list[Part], NDArray[np.float32]]:
        """The parts, each with what its clauses and its neighbours make of it, and what they say read as one."""
        weighed, whole = self._pieces.weigh([kept for piece in pieces for kept in without_denied(piece)], scored)
        if not DISCLAIMED.search(flat):
            return weighed, whole
        return [replace(p, chances=self._columns.disclaimed(p.chances)) for p in weighed], self._columns.disclaimed(whole)

    def evidence_of(self, text: str) -> chance.Evidence | None:
        """What a message's parts tell of it, for finding the weights; None for one without words."""
        flat = plain(text)
        weighed, whole = self._weighed(self._pieces.of(text), flat, Scored(bare=is_bare(text)))
        return self.evidence(weighed, whole, flat) if weighed else None

    def _is_far(self, seen: chance.Evidence | None) -> bool:
        """Whether the message is about other things, as its parts tell together; never one that names a matter of health,
        or of which a part likely calls for a person, or which is one of small talk."""
        weights = self._k.policy.weights
        if seen is None or weights is None or seen.health:
            return False
        needed = float(seen.chances[:, self._columns.needs].sum(1).max())
        small = float(seen.chances[0, self._columns.of[Kind.SMALLTALK]].sum()) if len(seen.chances) == 1 else 0.0
        if max(needed, small) >= NEAR_BY:
            return False
        return chance.far(seen, self.kinds, weights) >= self._t.far

    def _asked(self, weighed: list[Part]) -> bool:
        """Whether some part surely asks for a person: then statements beside it are its reasons, not questions."""
        return any(self._columns.need(p) >= self._t.help and not self._is_frame(p) for p in weighed)

    def _thanks(self, weighed: list[Part], flat: str) -> bool:
        small = self._columns.of[Kind.SMALLTALK]
        help_ = max((self._columns.need(p) for p in weighed), default=0.0)
        return (
            help_ < self._t.doubt
            and not self._health.search(flat)  # "merci, à lundi ! je serai en fauteuil"
            and (  # "merci de transférer mon inscription" is a request
                bool(THANKS.search(flat) or BYE.search(flat)) or any(p.chances[small].sum() > 0.5 for p in weighed)
            )
        )

    def _is_frame(self, part: Part) -> bool:
        """A greeting, a reason, a signature: what stands around a question."""
        best = self._columns.best(part)
        kind, flat = self._columns.kind(best.id), plain(part.text)
        if part.asks and best.id in _ABOUT_THE_BOT and best.score >= self._t.alone:
            return False
        if not part.asks and self._formats.said(flat) and len(self._formats.words_beside(flat)) <= 2:
            return True
        if kind in (Kind.SMALLTALK, Kind.CONTEXT):
            return part.chances.max() >= 0.4 or not part.asks
        return kind is Kind.OFFTOPIC and not part.asks and len(words(part.text)) <= 3

    def _judge(self, part: Part, alone: bool, asked: bool, found: _Found) -> None:
        """What one part adds: a topic that is answered, a class that needs a person, or topics worth offering."""
        best = self._columns.best(part)
        kind = self._columns.kind(best.id)
        topic = self._columns.top(part, Kind.TOPIC)
        need = self._columns.need(part)
        if need >= self._t.help or (kind in NEEDS and best.score >= self._t.alone and (alone or not asked)):
            self._pass_on(part, found)
            return
        bar = self._t.alone if alone else self._t.sure if part.asks else self._t.stated
        if asked and not alone:
            bar = max(bar, self._t.beside) if part.asks else 2.0
        if kind is Kind.TOPIC and best.score >= bar:
            second = self._columns.second(part, best.id)
            if best.score < 0.7 and second and best.score - second.score < self._t.margin:
                found.faint += [best.id, second.id]
            else:
                self._note(best, found)
        elif kind not in NEEDS and kind is not Kind.TOPIC and (alone or part.asks) and best.score >= self._t.alone:
            self._note(best, found)
        elif part.asks and need >= self._t.doubt and len(words(part.text)) >= 4 and not asked:
            self._pass_on(part, found)
        elif topic.score >= self._t.near and (alone or part.asks):
            found.faint += [
                m.id for m in self._columns.matches(part) if self._columns.kind(m.id) is Kind.TOPIC and m.score >= self._t.near
            ]

    def _pass_on(self, part: Part, found: _Found) -> None:
        """A person is needed; for what exactly (a policy to tell, a matter of health) only where that is likely by itself."""
        needed = self._columns.needed(part)
        if part.text not in found.unanswered:
            found.unanswered.append(part.text)
        if needed.score >= self._t.alone:
            self._note(needed, found)
            return
        shares = {kind: self._columns.share(part, kind) for kind in NEEDS}
        label = max(shares, key=lambda kind: shares[kind]) if sum(shares.values()) >= self._t.help else Kind.UNKNOWN
        found.labels[label.value] = max(needed.score, found.labels.get(label.value, 0.0))

    def _note(self, match: Match, found: _Found) -> None:
        kind = self._columns.kind(match.id)
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
            labels &= PASSED_ON
        elif labels - {"offtopic"}:
            labels -= {"offtopic"}
        if labels and labels <= COURTESIES:  # a letter of thanks greets as well
            fitting = "thanks" if _gives_thanks(flat) else courtesy(flat)
            labels = {fitting} & COURTESIES or labels
        offered = [t for t in dict.fromkeys(found.faint) if t not in found.topics]
        return Reading(
            topics=tuple(found.topics),  # in the order in which they were asked
            labels=tuple(sorted(labels)),
            options=tuple(offered[:3]) if not found.topics and not labels and len(offered) > 1 else (),
            escalate=escalate,
            private=found.private,
            unanswered=tuple(found.unanswered),
        )

    def _guard(self, reading: Reading, weighed: list[Part], flat: str) -> Reading:
        """What was understood by nobody goes to the trainer."""
        if not (reading.topics or reading.labels or reading.options):
            meant = [p for p in weighed if not self._is_frame(p)]
            if meant:
                reading = Reading(labels=("unknown",), escalate=True, unanswered=tuple(p.text for p in meant[:1]))
            else:
                reading = Reading(labels=(courtesy(flat),))
        return reading
