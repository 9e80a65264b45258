"""What the bot knows, as types: sheets, topics, classes of utterances, formats. The rest finds them in ``model``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bot.core.policy import Policy


class Format(StrEnum):
    """How a training is given: the slot on which most answers depend."""

    INTER = "inter"
    INTRA = "intra"
    DISTANCE = "distance"


class Kind(StrEnum):
    """What a class of utterances is: a topic of the sheets, or one of the others."""

    TOPIC = "topic"
    SMALLTALK = "smalltalk"
    REQUEST = "request"
    HANDOFF = "handoff"
    UNKNOWN = "unknown"
    OFFTOPIC = "offtopic"
    CONTEXT = "context"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page of the organisation, taken over into one file."""

    id: str
    title: str
    updated: str  # ISO date
    programme: str | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What one sheet says on a topic for a format; facts are already filled in."""

    text: str
    sheet: Sheet


@dataclass(frozen=True, slots=True)
class Topic:
    """Something that learners ask about and the sheets answer.

    ``answers`` holds, for each format, the main sheet's answer first and then what programme sheets add.
    ``silent`` names the formats for which the pages state nothing: said so, and passed on.
    """

    id: str
    title: str
    button: str
    answers: Mapping[Format, tuple[Answer, ...]]
    silent: frozenset[Format]
    phrases: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether the true answer depends on the format."""
        return bool(self.silent) or len({self.answers.get(f) for f in Format}) > 1


@dataclass(frozen=True, slots=True)
class Utterances:
    """A class that is understood but not answered from a sheet: small talk, requests, what is unknown ...

    ``id`` may be finer than ``label``: ``request-platform`` is labelled ``request`` and ``tells`` the policy of
    ``platform``. ``private``: goes to the disability contact alone.
    """

    id: str
    kind: Kind
    phrases: tuple[str, ...]
    tells: str | None = None
    private: bool = False

    @property
    def label(self) -> str:
        return self.id if self.kind is Kind.SMALLTALK else self.kind.value


@dataclass(frozen=True, slots=True)
class FormatNames:
    """How people name a format: the label that the bot uses, the button, and the ways in which learners say it."""

    format: Format
    label: str
    button: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """Spelling helps: abbreviations, regional words, and the words that make an escalation private."""

    abbreviations: Mapping[str, str] = field(default_factory=dict)
    synonyms: Mapping[str, str] = field(default_factory=dict)
    health: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Knowledge:
    """All that the bot knows, checked as a whole. ``digest`` changes whenever any file does.

    ``translations`` holds, for each further language, the same knowledge with what learners read in that language.
    """

    topics: Mapping[str, Topic]
    classes: Mapping[str, Utterances]
    formats: Mapping[Format, FormatNames]
    facts: Mapping[str, str]
    voice: Mapping[str, str]
    words: Words
    digest: str
    policy: Policy = field(default_factory=Policy)
    language: str = "fr"
    translations: Mapping[str, Knowledge] = field(default_factory=dict)

    def in_language(self, language: str) -> Knowledge:
        """What learners read, in a language; this knowledge itself where there is no translation."""
        return self.translations.get(language, self)

    @property
    def groups(self) -> dict[str, Topic | Utterances]:
        """Topics and classes alike: all that a message may be about, in a fixed order."""
        return {**self.topics, **self.classes}
