"""respond(): one message in, one Response out. What was understood meets what is remembered; nothing here does I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bot.core import compose, escalation, flags
from bot.core.compose import say
from bot.core.digest import gathered
from bot.core.language import conversation_language
from bot.core.linking import link
from bot.core.mailing import begins_thread, by_mail, completed, framed
from bot.core.marks import digest, file_words, key, pressed_mark, stamp, words_of
from bot.core.model import (
    Choice,
    Dialogue,
    Format,
    Intent,
    Knowledge,
    Message,
    Outcome,
    Outgoing,
    Reading,
    Turn,
)
from bot.core.passing_on import open_escalation, pass_on
from bot.core.situation import Draft, Response, Situation, dialogue_of

COMMANDS: Mapping[str, str] = {
    "horaires": "hours",
    "pauses": "breaks",
    "materiel": "equipment",
    "acces": "venue",
    "accessibilite": "accessibility",
    "formateur": "contact",
}
FORGED = "in the name of one who works here, and nothing proves it"  # a reason to answer nothing
SMALLTALK = ("greeting", "identity", "help", "thanks", "goodbye")
TURNS_KEPT = 10


def respond(message: Message, situation: Situation) -> Response:
    """Decide on one message of a learner."""
    s = _begun(message, situation)
    if message.no_reply or message.loop:
        return _for_a_person(message, s)
    if message.intent is Intent.COMMAND:
        return _command(message, s)
    if message.intent is Intent.PRESS:
        return _press(message, s, situation.dialogue)
    if message.intent is Intent.MEDIA:
        # neither caption nor file name is answered, but both may tell that it is a matter of health
        health = _tells_of_health(message, s)
        return _settle(message, s, Reading(labels=("request",), escalate=True, follow_up=True, health=health), reason="media")
    reading = s.reader.read(message.text, message.subject, dialogue_of(s))
    if by_mail(message):  # what stands in the signature, the subject or a file's name is not answered, but may tell
        reading = replace(reading, health=reading.health or _tells_of_health(message, s))
    if message.media:  # a text with files: what hangs on it is for a person in any case
        return _settle(message, s, replace(reading, escalate=True), "" if reading.escalate else "media")
    decision = digest(reading, message.text)
    if message.intent is Intent.EDIT and situation.earlier_decision == decision:
        return Response(Outcome("ignored", "edited, but the decision is the same"), reading)
    return _settle(message, s, reading)


def stumbled(message: Message, situation: Situation) -> Outcome:
    """Our own fault on a message: a person will read it, and the learner hears so.

    Nobody could tell whether it is a matter of health, so it goes to the disability contact alone.
    """
    s = _begun(message, situation)
    opened = open_escalation(message, s, Reading(labels=("unknown",), escalate=True, private=True), "fault")
    told = () if message.no_reply or message.loop else _reply(message, s, [say(s.spoken, "fault")], ())
    rows = (*told, *escalation.opened(s.knowledge, opened, s.desk), *flags.passed_on(message.thread, key(message)))
    return Outcome("escalated", message=message.id, outgoing=rows, escalations=(opened,))


def _for_a_person(message: Message, s: Situation) -> Response:
    """A mail that no program may answer: the trainer reads it, the sender hears nothing of ours. Several are told once."""
    reading = s.reader.read(message.text, message.subject, dialogue_of(s))
    private = reading.private or _tells_of_health(message, s) or _stays_private(s, reading)
    private = private or any(e.private for e in s.open_escalations)
    reading, marked = replace(reading, private=private), flags.passed_on(message.thread, key(message))
    if message.loop:
        return Response(gathered(message, s, private=private), reading)
    reason = "forged" if message.no_reply == FORGED else "unanswerable"
    waiting = [e for e in s.open_escalations if e.reason == reason and e.private == private]
    if waiting:
        known = replace(waiting[-1], thread=flags.joined(waiting[-1].thread, message.thread))
        more = escalation.added(s.knowledge, known, words_of(message), s.now, key(message))
        return Response(replace(more, message=message.id, outgoing=marked), reading)
    opened = open_escalation(message, s, reading, reason)
    rows = (*escalation.opened(s.knowledge, opened, s.desk), *marked)
    return Response(Outcome("escalated", message=message.id, outgoing=rows, escalations=(opened,)), reading)


def _tells_of_health(message: Message, s: Situation) -> bool:
    """Whether any word of a message, its subject and its files' names included, is one of health."""
    told = (message.subject or str(message.thread.get("subject", "")), message.whole or message.text, file_words(message))
    return s.reader.tells_of_health(" ".join(told))


def _begun(message: Message, s: Situation) -> Situation:
    """What is remembered as far as it still counts, and the language to answer in."""
    return replace(s, dialogue=_in_force(message, s), language=conversation_language(message, s.dialogue))


def _in_force(message: Message, s: Situation) -> Dialogue:
    """The conversation as far as it still counts: an expired context is dropped, a group and a new mail have none."""
    dialogue = s.dialogue
    if dialogue is None or message.group:
        return Dialogue(message.sender, introduced=message.group)
    if (dialogue.expires_at is None or dialogue.expires_at > s.now) and not begins_thread(message):
        return dialogue
    kept = Dialogue(dialogue.person, format=dialogue.format, introduced=dialogue.introduced)
    return replace(kept, linking=dialogue.linking)


# ---------------------------------------------------------------- commands and buttons


def _command(message: Message, s: Situation) -> Response:
    name = message.command
    if name in COMMANDS and COMMANDS[name] in s.knowledge.topics:
        return _settle(message, s, Reading(topics=(COMMANDS[name],)))
    if name == "oublier":
        return _forget(message, s)
    if name == "email" and s.desk.mailbox and message.channel == "telegram" and not message.group:
        return _link(message, s)
    k = s.spoken
    lines = {
        "start": lambda: [_intro(message, s)],
        "aide": lambda: [say(k, "help")],
        "confidentialite": lambda: [_privacy(s)],
        "format": lambda: [_format_state(s)],
    }
    if name not in lines:
        return _settle(message, s, s.reader.read(message.text, message.subject, dialogue_of(s)))
    choices = compose.format_choices(k, ()) if name == "format" else ()
    dialogue = replace(dialogue_of(s), introduced=True, asked="format" if name == "format" else "")
    draft = Draft(lines[name](), {}, list(choices))
    return _close(message, s, Reading(labels=("help",)), draft, dialogue)


def _intro(message: Message, s: Situation) -> str:
    text = say(s.spoken, "intro", person=message.name)
    if message.channel == "telegram":
        text += "\n" + say(s.spoken, "your_id", id=message.sender.partition(":")[2])
    return text


def _privacy(s: Situation) -> str:
    return say(s.spoken, "privacy", days=s.desk.keep.days, health_days=s.desk.keep_health.days)


def _format_state(s: Situation) -> str:
    known = dialogue_of(s).format
    return say(s.spoken, "format_is", format=s.spoken.formats[known].label) if known else say(s.spoken, "format_none")


def _forget(message: Message, s: Situation) -> Response:
    if by_mail(message) and not message.confirmed:  # anybody can write under any address
        reply = _reply(message, s, [say(s.spoken, "forget_confirm")], ())
        return Response(Outcome("answered", outgoing=reply), Reading())
    open_ = [e.reference for e in s.open_escalations]
    line = say(s.spoken, "forgotten_open", references=", ".join(open_)) if open_ else say(s.spoken, "forgotten")
    row = _reply(message, s, [line], ())
    outcome = Outcome("answered", outgoing=row, forget=(message.sender,))
    return Response(completed(message, s.knowledge, replace(s.desk, drafts=False), outcome, s.next_id, told=True), Reading())


def _link(message: Message, s: Situation) -> Response:
    """/email ana@example.org, then /email 123456."""
    given = "" if message.text.startswith("/") else message.text
    linked = link(s.spoken, given, dialogue_of(s).linking, s.code, s.now, message.sender)
    rows = (*_reply(message, s, [linked.word], ()), *linked.outgoing)
    dialogue = replace(dialogue_of(s), introduced=True, linking=linked.linking)
    links = ((f"email:{linked.address}", message.sender),) if linked.address else ()
    return Response(Outcome("answered", dialogue=dialogue, outgoing=rows, links=links), Reading())


def _press(message: Message, s: Situation, stored: Dialogue | None) -> Response:
    if dialogue_of(s).pressed == pressed_mark(message):
        return Response(Outcome("ignored", "the same button again"), Reading())
    kind, _, rest = message.press.partition(":")
    value, _, about = rest.partition(":")
    if kind == "f" and value in set(Format):
        topics = tuple(t for t in about.split(".") if t in s.knowledge.topics) or dialogue_of(s).topics
        return _settle(message, s, Reading(topics=topics, format=Format(value), follow_up=True))
    if kind == "t" and value in s.knowledge.topics:
        return _settle(message, s, Reading(topics=(value,), follow_up=True))
    if kind == "n":
        return _not_it(message, s, value, stored or dialogue_of(s))
    return Response(Outcome("ignored", "a button that no longer exists"), Reading())


def _not_it(message: Message, s: Situation, at: str, stored: Dialogue) -> Response:
    """The learner says that the answer missed: their own question goes to the trainer, once, however late."""
    asked = next((t for t in stored.turns if t.speaker == "learner" and stamp(t.at) == at), None)
    words = asked.text if asked else ""
    for known in s.open_escalations:
        if known.reason == "not-it" and words in known.questions:
            text = say(s.spoken, "passed_again", reference=known.reference)
            return Response(Outcome("answered", outgoing=_reply(message, s, [text], ())), Reading())
    missed = replace(message, text=words or "(question effacée)")
    read = s.reader.read(words, None, Dialogue(message.sender)) if words else Reading()
    private = bool(asked and asked.private) or read.private
    reading = Reading(labels=("unknown",), escalate=True, private=private, health=read.health, questions=read.questions)
    return _settle(missed, s, reading, reason="not-it")


# ---------------------------------------------------------------- a reading becomes a reply


def _settle(message: Message, s: Situation, reading: Reading, reason: str = "") -> Response:
    dialogue = dialogue_of(s)
    fmt = reading.aside or reading.format or dialogue.format
    draft = Draft()
    waiting = _answers(message, s, reading, fmt, draft)
    silent = [t for t in reading.topics if fmt in s.knowledge.topics[t].silent] if fmt else []
    if silent and not reading.escalate:
        reading, reason = replace(reading, escalate=True), "silent"
    if reading.escalate:
        beside = message.intent is Intent.MEDIA and any(e.private for e in s.open_escalations)  # a file says nothing itself
        reading = replace(reading, private=reading.private or reading.health or beside or _stays_private(s, reading))
        pass_on(message, s, reading, reason, draft)
    if reading.options and message.channel in s.desk.answers_in_variants:
        draft.paragraphs.append(say(s.spoken, "ask_topic_variants"))
        _answers(message, s, replace(reading, topics=reading.options), fmt, draft)
    elif reading.options:
        draft.paragraphs.append(say(s.spoken, "ask_topic"))
        draft.choices += compose.topic_choices(s.spoken, reading.options)
    if waiting:
        draft.paragraphs.append(say(s.spoken, "ask_format"))
        draft.choices += compose.format_choices(s.spoken, waiting)
    if not draft.paragraphs:
        draft.paragraphs += _small_talk(s.spoken, reading)
    elif reading.topics and not waiting and not reading.options and not reading.escalate:
        asked_at = _asked_at(message, s)
        if asked_at is not None:
            draft.choices.append((Choice(say(s.spoken, "not_it_button"), f"n:{stamp(asked_at)}"),))
    asked = "topic" if reading.options else "format" if waiting else ""
    keeps = reading.topics or reading.options or reading.escalate
    dialogue = replace(
        dialogue,
        format=reading.format or dialogue.format,
        topics=reading.topics if keeps else dialogue.topics,
        labels=reading.labels if keeps else dialogue.labels,
        asked=asked,
        options=reading.options,
    )
    return _close(message, s, reading, draft, dialogue)


def _stays_private(s: Situation, reading: Reading) -> bool:
    """What follows a private matter, and is no question of its own, is part of it, answered or not."""
    turns = dialogue_of(s).turns
    passed_on = {"request", "handoff", "unknown"} & set(dialogue_of(s).labels)
    return bool(turns and turns[-1].private and passed_on) and (reading.follow_up or not reading.topics)


def _asked_at(message: Message, s: Situation) -> datetime | None:
    """When the words were said that this reply answers: a button answers an earlier message."""
    if message.intent is not Intent.PRESS:
        return message.received_at if message.intent is not Intent.COMMAND else None
    said = [t.at for t in dialogue_of(s).turns if t.speaker == "learner"]
    return said[-1] if said else None


def _answers(message: Message, s: Situation, reading: Reading, fmt: Format | None, draft: Draft) -> tuple[str, ...]:
    """Tell what is known; which topics wait for the format."""
    waiting = []
    several = len(reading.topics) > 1
    for id in reading.topics:
        topic, differs = s.spoken.topics[id], s.knowledge.topics[id].differs
        if fmt is None and differs and message.channel not in s.desk.answers_in_variants:
            waiting.append(id)
            continue
        used: tuple[Format, ...] = (fmt,) if fmt else tuple(Format)
        text = compose.answer_text(s.spoken, topic, used[0]) if fmt or not differs else compose.variants_text(s.spoken, topic)
        draft.paragraphs.append((compose.heading(s.spoken, topic) if several else "") + text)
        draft.sheets.update({sheet.id: sheet for sheet in compose.sources(topic, used)})
    return tuple(waiting)


def _small_talk(knowledge: Knowledge, reading: Reading) -> list[str]:
    lines = [say(knowledge, label) for label in SMALLTALK if label in reading.labels]
    if not lines and "offtopic" in reading.labels:
        lines = [say(knowledge, "offtopic")]
    if not lines and reading.format:
        lines = [say(knowledge, "format_is", format=knowledge.formats[reading.format].label).split(".")[0] + "."]
    return lines or [say(knowledge, "greeting")]


# ---------------------------------------------------------------- the end of a turn


def _close(message: Message, s: Situation, reading: Reading, draft: Draft, dialogue: Dialogue) -> Response:
    body = "\n\n".join(draft.paragraphs)
    if draft.sheets:
        body += "\n\n" + compose.source_line(s.spoken, draft.sheets.values())
    rows = (*_reply(message, s, [*_introduction(message, s), body], tuple(draft.choices)), *draft.notices)
    # "merci" does not end a private matter; a question of its own does
    goes_on = not (reading.topics or reading.options) and bool(dialogue.turns and dialogue.turns[-1].private)
    private = reading.private or reading.health or goes_on or any(e.private for e in draft.escalations)
    said = Turn("learner", words_of(message)[:1000], message.received_at, private)
    told = Turn("bot", body[:1000], s.now, private)
    asked = () if message.intent in (Intent.PRESS, Intent.COMMAND) else (said,)
    dialogue = replace(
        dialogue,
        turns=(*dialogue.turns, *asked, told)[-TURNS_KEPT:],
        introduced=True,
        expires_at=s.now + s.desk.keeps_context(message.channel),
        pressed=pressed_mark(message),
    )
    outcome = Outcome(
        end="escalated" if draft.escalations else "answered",
        decision=digest(reading, message.text),
        message=message.id,
        dialogue=None if message.group else dialogue,
        outgoing=rows,
        escalations=draft.escalations,
    )
    return Response(completed(message, s.knowledge, s.desk, outcome, s.next_id, told=bool(draft.sheets)), reading)


def _introduction(message: Message, s: Situation) -> list[str]:
    """Said once, above the first reply: one message is answered by one text. A mail says it below, each time."""
    if dialogue_of(s).introduced or by_mail(message) or message.command in ("start", "oublier"):
        return []
    return [say(s.spoken, "intro", person=message.name)]


def _reply(
    message: Message, s: Situation, paragraphs: list[str], choices: tuple[tuple[Choice, ...], ...]
) -> tuple[Outgoing, ...]:
    body = compose.typeset(s.spoken, "\n\n".join(paragraphs))
    row = Outgoing(
        key=f"{key(message)}:reply",
        to=message.chat,
        body=framed(s.spoken, s.desk, body) if by_mail(message) else body,
        choices=choices,
        reply_to=message.native_id if message.group else "",
        subject=message.subject,
        thread={**message.thread, "owner": message.sender},
        language=s.spoken.language,
    )
    return compose.in_parts(row)
