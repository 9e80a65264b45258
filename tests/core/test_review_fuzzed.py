"""The trainer's commands in any order, by anybody, with any text: an escalation answers one learner, once at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.escalation import Command, review
from bot.core.model import Escalation, Knowledge, Outcome, Status
from bot.library.load import load

NOW = datetime(2026, 11, 3, 9, tzinfo=UTC)
ANA, DENIS, PAUL = "telegram:4001", "telegram:11", "telegram:12"
OPEN = Escalation(
    id=7, learner=ANA, chat=ANA, name="Ana", questions=("Puis-je venir avec mon chien ?",), conversation=(), reason="unknown",
    near=("breaks",), private=False, status=Status.OPEN, recipients=(DENIS, PAUL), opened_at=NOW,
)  # fmt: skip
COMMANDS = st.builds(
    Command,
    verb=st.sampled_from(["claim", "close", "near", "answer"]),
    actor=st.sampled_from([DENIS, PAUL]),
    key=st.integers(0, 5).map(lambda n: f"telegram:press:{n}"),
    text=st.one_of(
        st.text(max_size=80), st.sampled_from(["Oui.", "", " ", "clore", "{answer}", "{0}", "%s", "\ud800", "x" * 9000])
    ),
    name=st.text(max_size=20),
)
ALLOWED = {
    Status.OPEN: {Status.OPEN, Status.CLAIMED, Status.ANSWERED, Status.CLOSED},
    Status.CLAIMED: {Status.CLAIMED, Status.ANSWERED, Status.CLOSED},
    Status.ANSWERED: {Status.ANSWERED},
    Status.CLOSED: {Status.CLOSED},
}


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load(Path(__file__).parents[2] / "knowledge")


def carried_out(knowledge: Knowledge, commands: list[Command]) -> list[tuple[Escalation, Command, Outcome]]:
    """Each command with the state that it met."""
    state, seen = OPEN, []
    for n, command in enumerate(commands):
        outcome = review(knowledge, state, command, NOW + timedelta(minutes=n))
        seen.append((state, command, outcome))
        state = outcome.escalations[0] if outcome.escalations else state
    return seen


@settings(max_examples=200, deadline=None)
@given(st.lists(COMMANDS, max_size=8))
def test_the_states_follow_their_arrows_and_each_change_is_one_event(knowledge: Knowledge, commands: list[Command]) -> None:
    for state, command, outcome in carried_out(knowledge, commands):
        for changed in outcome.escalations:
            assert changed.status in ALLOWED[state.status]
            assert len(changed.events) == len(state.events) + 1
            assert changed.events[-1].actor == command.actor
            assert (changed.id, changed.learner, changed.recipients, changed.private) == (
                state.id, state.learner, state.recipients, state.private,
            )  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(COMMANDS, max_size=8))
def test_the_learner_hears_only_answers_and_of_one_trainer_alone(knowledge: Knowledge, commands: list[Command]) -> None:
    answered_by = set()
    for state, command, outcome in carried_out(knowledge, commands):
        to_learner = [row for row in outcome.outgoing if row.to == ANA]
        assert all(row.to in (ANA, DENIS, PAUL) for row in outcome.outgoing)
        if not to_learner:
            continue
        assert command.verb in ("answer", "near")
        assert state.status is not Status.CLOSED
        assert {row.kind for row in to_learner} == {"relay"}
        answered_by.add(command.actor)
    assert len(answered_by) <= 1


@settings(max_examples=200, deadline=None)
@given(st.lists(COMMANDS, max_size=8))
def test_every_command_is_answered_by_a_word_or_ignored_with_a_reason(knowledge: Knowledge, commands: list[Command]) -> None:
    for _, command, outcome in carried_out(knowledge, commands):
        if outcome.end == "ignored":
            assert outcome.reason
            assert not outcome.outgoing
        else:
            assert any(row.to == command.actor for row in outcome.outgoing)
        assert len({row.key for row in outcome.outgoing}) == len(outcome.outgoing)


@settings(max_examples=100, deadline=None)
@given(COMMANDS)
def test_a_closed_escalation_moves_nobody(knowledge: Knowledge, command: Command) -> None:
    outcome = review(knowledge, replace(OPEN, status=Status.CLOSED), command, NOW)
    assert not outcome.escalations
    assert {row.to for row in outcome.outgoing} == {command.actor}


@settings(max_examples=150, deadline=None)
@given(st.text(min_size=1, max_size=9000))
def test_a_trainers_words_arrive_as_they_were_typed(knowledge: Knowledge, text: str) -> None:
    outcome = review(knowledge, OPEN, Command("answer", DENIS, "k", text), NOW)
    told = "".join(row.body for row in outcome.outgoing if row.to == ANA)
    assert all(line.strip() in told for line in text.strip().split("\n") if len(line) < 500) or not text.strip()
