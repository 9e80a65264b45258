"""``english.yaml`` joined to the French knowledge: the same knowledge with what learners read in English. Pure.

English never stands in the way of French. What has no English, or draws on a fact that cannot be told in English, is told in
French; what is wrong in the file itself is refused like a fault of any other file.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from rapidfuzz.process import extractOne

from bot.core.compose import typography
from bot.core.model import Answer, Format, FormatNames, Topic
from bot.core.voice import LEARNERS, LINES
from bot.errors import Fault
from bot.library.forms import AnswersForm, EnglishForm, EnglishTopicForm, SheetForm
from bot.library.render import Hour, in_english
from bot.library.source import Path_, Source

_FACT = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class French:
    """What there is to translate, with the files in which it stands."""

    sources: Mapping[str, Source]
    sheets: Mapping[str, SheetForm]  # by file name
    facts: Mapping[str, str]
    topics: Mapping[str, Topic]
    formats: Mapping[Format, FormatNames]
    voice: Mapping[str, str]
    lines: Mapping[str, str]  # of the voice as they were written, facts not filled in


@dataclass(frozen=True, slots=True)
class Gaps:
    """What is told in French for want of English. faults: something stands there, but does not hold. warnings: nothing does."""

    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class English:
    """The parts that replace the French ones; ``refused``: faults for which no part of the folder is taken."""

    topics: Mapping[str, Topic]
    formats: Mapping[Format, FormatNames]
    voice: Mapping[str, str]
    gaps: Gaps
    refused: tuple[Fault, ...]


def translated(form: EnglishForm, source: Source, french: French, button_limit: int) -> English:
    """The English of all that learners read, text by text; French where there is none."""
    work = _Work(form, source, french)
    topics = {id: _topic(work, id, topic) for id, topic in french.topics.items()}
    formats = {format: _format(work, format, names) for format, names in french.formats.items()}
    voice = {**french.voice, **{id: _line(work, id) for id in LEARNERS if id in french.voice}}
    _leftovers(work)
    _buttons(work, button_limit)
    gaps = Gaps(tuple(dict.fromkeys(work.faults)), tuple(work.warnings))
    return English(topics, formats, voice, gaps, tuple(work.refused))


@dataclass(slots=True)
class _Work:
    form: EnglishForm
    source: Source
    french: French
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    refused: list[Fault] = field(default_factory=list)

    def missing(self, path: Path_, what: str) -> None:
        self.warnings.append(self.source.fault(path, f"{what} has no English", "until it is written, French is told"))


# ---------------------------------------------------------------- facts


def _filled(work: _Work, path: Path_, text: str | None, french: str, own: frozenset[str] = frozenset()) -> str | None:
    """An English text with its facts; None where French is to be told. ``french``: what it translates, facts not filled in."""
    if text is None:
        return None
    if re.search(r"[{}]", _FACT.sub("", text)):
        work.refused.append(work.source.fault(path, "a brace without its other half", "write a fact as {fact_name}"))
        return None
    used = [name for name in _FACT.findall(text) if name not in own]
    for name in (n for n in used if n not in work.french.facts):
        near = extractOne(name, [*work.french.facts, *own], score_cutoff=60)
        hint = f"did you mean {{{near[0]}}}?" if near else "a fact stands under facts: of one sheet"
        work.refused.append(work.source.fault(path, f"unknown fact {{{name}}}", hint))
        return None
    told = {name: _fact(work, name) for name in used}
    left_out = [name for name in dict.fromkeys(_FACT.findall(french)) if name in work.french.facts and name not in used]
    for name in left_out:
        what = f"the French text draws on {{{name}}}, the English one does not"
        work.warnings.append(work.source.fault(path, what, f"write {{{name}}}, so that a change of it is right in both"))
    if None in told.values():
        return None
    return _FACT.sub(lambda m: m[0] if m[1] in own else str(told[m[1]]), text)


def _fact(work: _Work, name: str) -> str | None:
    """A fact in English; where it has none, that is a fault of the line on which the fact stands."""
    form, value = work.form, work.french.facts[name]
    if name in form.same:
        return value
    if value in form.values:
        return form.values[value]
    hour: Hour = "time" if name in form.times else "duration" if name in form.durations else ""
    told = in_english(value, hour)
    if told is None:
        file = next(file for file, sheet in work.french.sheets.items() if name in sheet.facts)
        what = f"fact {name!r} is « {value} », which has no English: what draws on it is told in French"
        names = "" if hour else f", or name {name} under same:, times: or durations:"
        hint = f"write it under values: of {work.source.file.name}{names}"
        work.faults.append(work.french.sources[file].fault(("facts", name), what, hint))
    return told


# ---------------------------------------------------------------- topics


def _topic(work: _Work, id: str, topic: Topic) -> Topic:
    form = work.form.topics.get(id)
    path: Path_ = ("topics", id)
    if form is None:
        work.missing(("topics",), f"topic {id!r}")
        form = EnglishTopicForm()
    else:
        for key in (k for k in ("title", "button") if getattr(form, k) is None):
            work.missing((*path, key), f"{key} of topic {id!r}")
    answers = {f: tuple(_answer(work, id, form, f, a) for a in topic.answers[f]) for f in topic.answers}
    return replace(topic, title=form.title or topic.title, button=form.button or topic.button, answers=answers)


def _answer(work: _Work, id: str, form: EnglishTopicForm, format: Format, answer: Answer) -> Answer:
    """One sheet's answer for a format. A text for all formats is looked at once for each, and found at fault once."""
    sheet = work.french.sheets[f"{answer.sheet.id}.yaml"].topics[id]
    main = sheet.title is not None
    key = "all" if sheet.answers.all is not None else format.value
    given = form.answers if main else form.adds.get(answer.sheet.id, AnswersForm())
    path: Path_ = ("topics", id, "answers", key) if main else ("topics", id, "adds", answer.sheet.id, key)
    first = key != "all" or format is Format.INTER
    scratch = work if first else _Work(work.form, work.source, work.french)
    text = getattr(given, key)
    if text is None and id in work.form.topics:
        scratch.missing(path, f"what {answer.sheet.id}.yaml says on {id!r} ({key})")
    told = _filled(scratch, path, text, getattr(sheet.answers, key))
    return replace(answer, text=told if told is not None else typography(answer.text))


# ---------------------------------------------------------------- formats and voice


def _format(work: _Work, format: Format, names: FormatNames) -> FormatNames:
    form = work.form.formats.get(format.value)
    if form is None:
        work.missing(("formats",), f"format {format.value!r}")
        return names
    return replace(names, label=form.label, button=form.button)


def _line(work: _Work, id: str) -> str:
    path: Path_ = ("lines", id)
    text = work.form.lines.get(id)
    if text is None:
        work.missing(("lines",), f"line {id!r}")
    told = _filled(work, path, text, work.french.lines[id], LINES[id])
    if told is None:
        return typography(work.french.voice[id])
    try:
        list(string.Formatter().parse(told))
    except ValueError as error:
        work.refused.append(work.source.fault(path, f"line {id!r}: {error}", "write a placeholder as {name}"))
    return told


# ---------------------------------------------------------------- what does not belong


def _leftovers(work: _Work) -> None:
    """English to which nothing French answers: a mistyped name, or what is left of something removed."""
    for path, name, known in _strays(work):
        near = extractOne(name, known, score_cutoff=60)
        hint = f"did you mean {near[0]!r}?" if near else "nothing French stands there: remove it"
        work.faults.append(work.source.fault(path, f"unknown {path[-1]!r}", hint))
    for id in work.form.lines.keys() - LEARNERS.keys():
        near = extractOne(id, list(LEARNERS), score_cutoff=60)
        house = "the house reads it, in French: remove it" if id in LINES else "remove it"
        hint = f"did you mean {near[0]!r}?" if near and id not in LINES else house
        work.refused.append(work.source.fault(("lines", id), f"unknown line {id!r}", hint))


def _strays(work: _Work) -> Iterator[tuple[Path_, str, list[str]]]:
    for key in ("same", "times", "durations"):
        for n, name in enumerate(getattr(work.form, key)):
            if name not in work.french.facts:
                yield (key, n), name, list(work.french.facts)
    for id, form in work.form.topics.items():
        if id not in work.french.topics:
            yield ("topics", id), id, list(work.french.topics)
            continue
        telling = {file.removesuffix(".yaml"): s.topics[id] for file, s in work.french.sheets.items() if id in s.topics}
        for sheet, topic in telling.items():
            path: Path_ = ("topics", id, "answers") if topic.title is not None else ("topics", id, "adds", sheet)
            given = form.answers if topic.title is not None else form.adds.get(sheet, AnswersForm())
            has, wants = given.model_dump(exclude_none=True), topic.answers.model_dump(exclude_none=True)
            yield from (((*path, key), key, list(wants)) for key in has if key not in wants)
        adding = [sheet for sheet, topic in telling.items() if topic.title is None]
        yield from ((("topics", id, "adds", sheet), sheet, adding) for sheet in form.adds if sheet not in adding)


def _buttons(work: _Work, limit: int) -> None:
    seen: dict[str, str] = {}
    for id, topic in work.form.topics.items():
        _button(work, ("topics", id, "button"), id, topic.button, limit, seen)
    for id, format in work.form.formats.items():
        _button(work, ("formats", id, "button"), id, format.button, limit, seen)


def _button(work: _Work, path: Path_, id: str, button: str | None, limit: int, seen: dict[str, str]) -> None:
    if button is None:
        return
    if len(button) > limit:
        work.refused.append(work.source.fault(path, f"button of {id!r} has {len(button)} characters", f"at most {limit}"))
    if seen.setdefault(button, id) != id:
        what = f"button {button!r} stands on {seen[button]!r} too"
        work.refused.append(work.source.fault(path, what, "choose another text"))


def none_at_all(folder: Path) -> Gaps:
    what = "no such file: messages in English are answered in French"
    return Gaps(warnings=(Fault(folder / "english.yaml", 1, what, "docs/knowledge.md says what it holds"),))
