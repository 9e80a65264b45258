"""What a mistake costs, and the thresholds that follow from it. Values alone; they stand in ``knowledge/policy.yaml``."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.core.chance import Weights


@dataclass(frozen=True, slots=True)
class Costs:
    """Of one message, in needless escalations."""

    missed: float = 10.0  # a call for help that nobody saw
    wrong: float = 5.0  # answered with a topic that was not asked about
    needless: float = 1.0  # the trainer was asked what the sheets answer
    asked: float = 0.5  # the learner was asked which topic is meant
    short: float = 1.0  # a topic was left out


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Probabilities, 0 to 1, at which a part of a message is acted upon. Found by ``accueil tune``."""

    alone: float = 0.33  # a message of one part is about a class from this probability on
    sure: float = 0.45  # the same for a part among others that asks something
    stated: float = 0.85  # the same for a part among others that asks nothing
    sure_alone: float = 0.80  # a short question this sure of its own topic is no follow-up
    beside: float = 0.60  # a question beside a request is answered from here on
    help: float = 0.50  # the sum over all classes that need a person, above which a part needs one
    doubt: float = 0.20  # the same for a question that is about nothing else
    clause: float = 0.80  # a clause this sure may stand for itself
    unsure: float = 0.60  # a part less sure than this is read together with its neighbours
    margin: float = 0.08  # two topics closer than this are asked back
    near: float = 0.08  # a topic this likely is worth offering
    # of the message as a whole, as its weighed parts tell
    dropped: float = 0.50  # a topic less likely than this is not told, whatever one part says
    added: float = 0.70  # a topic more likely than this is told, though no part is sure of it
    spared: float = 0.15  # where a person is less likely needed than this, and a topic answers, none is troubled
    called: float = 0.30  # where a person is likelier needed than this, one is called, though no part is sure of it
    far: float = 0.80  # likelier about other things than this, it is declined


@dataclass(frozen=True, slots=True)
class Policy:
    """weights: how a whole message's parts are weighed, where examples told that (``chance.py``)."""

    costs: Costs = field(default_factory=Costs)
    thresholds: Thresholds = field(default_factory=Thresholds)
    weights: Weights | None = None
