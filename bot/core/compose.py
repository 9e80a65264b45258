"""Decisions to a channel-neutral reply: words, order, typography. The one place where a reply is put together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date

from bot.core.model import Answer, Choice, Format, Knowledge, Outgoing, Sheet, Topic

NBSP = "\u00a0"
LIMIT = 3900  # UTF-16 units in one outgoing text; Telegram refuses more than 4096
WHOLE = "email:"  # addresses at which a text of any length is one

_BEFORE = re.compile(r"[ \u00a0]+([;:!?»%€])")
_AFTER = re.compile(r"«[ \u00a0]+")
_HOUR = re.compile(r"(\d)[ \u00a0]?h(?![a-zé])(?:[ \u00a0]?(\d{2})\b)?")
_UNIT = re.compile(r"(\d)[ \u00a0](?=(?:\d{3}\b|min\b|minutes?\b|jours?\b|heures?\b|personnes?\b|%))")


def typography(text: str) -> str:
    """Non-breaking spaces where French wants them: « mot », 9 h 30, 1 900 €, before ; : ! ?"""
    text = _BEFORE.sub(NBSP + r"\1", text)
    text = _AFTER.sub("«" + NBSP, text)
    text = _HOUR.sub(lambda m: f"{m[1]}{NBSP}h" + (f"{NBSP}{m[2]}" if m[2] else ""), text)
    return _UNIT.sub(r"\1" + NBSP, text)


def typeset(knowledge: Knowledge, text: str) -> str:
    """The typography of the language: French has its own, English text stands as it was written."""
    return typography(text) if knowledge.language == "fr" else text


def say(knowledge: Knowledge, line: str, **values: object) -> str:
    """A line of the bot's voice, filled in. Typography is the line's own: what people wrote stays as they wrote it."""
    return typeset(knowledge, knowledge.voice[line]).format(**values)


def quoted(knowledge: Knowledge, text: str) -> str:
    return f"« {text} »" if knowledge.language == "fr" else f"“{text}”"


def heading(knowledge: Knowledge, topic: Topic) -> str:
    """What stands above an answer, where one text holds several."""
    colon = " :" if knowledge.language == "fr" else ":"
    return f"{topic.title[:1].upper()}{topic.title[1:]}{colon}\n"


def long_date(iso: str) -> str:
    """2026-11-23 to 23/11/2026."""
    return date.fromisoformat(iso).strftime("%d/%m/%Y")


def _parts(knowledge: Knowledge, answers: Iterable[Answer]) -> Iterator[str]:
    for answer in answers:
        programme = answer.sheet.programme
        if programme and programme not in answer.text:
            yield f"{say(knowledge, 'for_programme', programme=programme)} {answer.text}"
        else:
            yield answer.text


def answer_text(knowledge: Knowledge, topic: Topic, format: Format) -> str:
    """What the sheets say on a topic for a format, or that they say nothing."""
    if format in topic.silent:
        return say(knowledge, "silent", topic=topic.title, format=knowledge.formats[format].label)
    return "\n".join(_parts(knowledge, topic.answers[format]))


def variants_text(knowledge: Knowledge, topic: Topic) -> str:
    """The answer for each format in a few lines: where asking back would cost a day."""
    lines = []
    for format in Format:
        label = say(knowledge, "for_format", format=knowledge.formats[format].label)
        lines.append(f"- {label} {answer_text(knowledge, topic, format)}")
    return "\n".join(lines)


def sources(topic: Topic, formats: Sequence[Format]) -> tuple[Sheet, ...]:
    found = {a.sheet.id: a.sheet for f in formats for a in topic.answers.get(f, ())}
    return tuple(found.values())


def source_line(knowledge: Knowledge, sheets: Iterable[Sheet]) -> str:
    """Names the sheets that an answer comes from, and their dates; sheets of one title are named once."""
    names = {f"{quoted(knowledge, s.title)} ({long_date(s.updated)})": None for s in sheets}
    return say(knowledge, "source", sheets=", ".join(names)) if names else ""


def format_choices(knowledge: Knowledge, topics: Sequence[str]) -> tuple[tuple[Choice, ...], ...]:
    """A button for each format; its code carries the topics asked about, so that it works after the context expired."""
    about = ".".join(topics)
    tail = f":{about}" if about and len(about) <= 36 else ""
    return tuple((Choice(knowledge.formats[f].button, f"f:{f.value}{tail}"),) for f in Format)


def topic_choices(knowledge: Knowledge, options: Sequence[str]) -> tuple[tuple[Choice, ...], ...]:
    return tuple((Choice(knowledge.topics[t].button, f"t:{t}"),) for t in options)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def split(text: str, limit: int = LIMIT) -> list[str]:
    """Cut a long text at the last paragraph, line, sentence or space before the limit (UTF-16 units)."""
    parts = []
    while _units(text) > limit:
        window = text[:limit]
        while _units(window) > limit:
            window = window[:-1]
        at = next((i for i in (window.rfind(s) for s in ("\n\n", "\n", ". ", " ")) if i > limit // 2), len(window) - 1)
        parts.append(text[: at + 1].rstrip())
        text = text[at + 1 :].lstrip()
    return [*parts, text] if text or not parts else parts


def in_parts(outgoing: Outgoing) -> tuple[Outgoing, ...]:
    """One outgoing text as one row for each part, in order; buttons under the last."""
    bodies = [outgoing.body] if outgoing.to.startswith(WHOLE) else split(outgoing.body)
    last = len(bodies) - 1
    return tuple(
        replace(
            outgoing,
            key=outgoing.key if n == 0 else f"{outgoing.key}/{n}",
            body=body,
            choices=outgoing.choices if n == last else (),
            then=outgoing.then if n == last else (),
        )
        for n, body in enumerate(bodies)
    )
