"""knowledge/*.yaml to Knowledge, or every fault with its file, its line and what to write instead."""

from __future__ import annotations

import hashlib
import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import ValidationError
from rapidfuzz.process import extractOne

from bot.core.chance import READINGS, Weights
from bot.core.model import Answer, Format, FormatNames, Kind, Knowledge, Sheet, Topic, Utterances, Words
from bot.core.policy import Costs, Policy, Thresholds
from bot.core.voice import LINES
from bot.errors import Fault, KnowledgeError
from bot.library.english import English, French, Gaps, none_at_all, translated
from bot.library.forms import (
    FORMS,
    ConversationForm,
    EnglishForm,
    Form,
    FormatsForm,
    PolicyForm,
    SheetForm,
    TopicForm,
    VoiceForm,
    WordsForm,
)
from bot.library.phrases import FOLDER, is_phrases, read_phrases
from bot.library.source import Source, read

_FACT = re.compile(r"\{([^{}]*)\}")
BUTTON_LIMIT = 20  # characters: longer ones are cut on a phone


@dataclass(slots=True)
class _Folder:
    """All files of one folder while they are put together."""

    sources: dict[str, Source] = field(default_factory=dict)
    forms: dict[str, Form] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def of(self, kind: type[Form]) -> Iterator[tuple[str, Form]]:
        return ((name, form) for name, form in self.forms.items() if isinstance(form, kind))

    def sheets(self) -> list[tuple[str, SheetForm]]:
        """General sheets first, then those of one programme, each by name: the order in which answers are told."""
        found = [(name, form) for name, form in self.forms.items() if isinstance(form, SheetForm)]
        return sorted(found, key=lambda f: (f[1].sheet.programme is not None, f[0]))

    def add(self, name: str, path: tuple[str | int, ...], what: str, instead: str = "") -> None:
        self.faults.append(self.sources[name].fault(path, what, instead))


def load(folder: Path) -> Knowledge:
    """Read, check and join all files of the folder. Raises KnowledgeError with every fault found."""
    return loaded(folder).knowledge


def load_with_unused(folder: Path) -> tuple[Knowledge, tuple[str, ...]]:
    """The knowledge, and the facts that no answer and no line of the voice draws on."""
    found = loaded(folder)
    return found.knowledge, found.unused


@dataclass(frozen=True, slots=True)
class Loaded:
    """The knowledge, the facts that nothing draws on, and what English lacks."""

    knowledge: Knowledge
    unused: tuple[str, ...]
    gaps: Gaps


def loaded(folder: Path) -> Loaded:
    """Read, check and join all files of the folder. Raises KnowledgeError with every fault found."""
    contents = contents_of(folder)
    parts = _Folder()
    for name, raw in contents.items():
        if not is_phrases(name):
            _read(parts, folder / name, name, raw)
    _collect_facts(parts)
    topics = _topics(parts)
    classes = _classes(parts, topics)
    more, faults = read_phrases(folder, contents, [*topics, *classes])
    parts.faults += faults
    topics |= {id: replace(topics[id], phrases=(*topics[id].phrases, *more[id])) for id in more.keys() & topics.keys()}
    classes |= {id: replace(classes[id], phrases=(*classes[id].phrases, *more[id])) for id in more.keys() & classes.keys()}
    formats = _formats(parts, folder)
    voice = _voice(parts, folder)
    english = _english(parts, topics, formats, voice)
    if parts.faults:
        raise KnowledgeError(sorted(parts.faults, key=lambda f: (str(f.file), f.line)))
    words = next((form for _, form in parts.of(WordsForm)), WordsForm())
    assert isinstance(words, WordsForm)
    knowledge = Knowledge(
        topics=topics,
        classes=classes,
        formats=formats,
        facts=parts.facts,
        voice=voice,
        words=Words(words.abbreviations, words.synonyms, words.health),
        digest=digest(contents),
        policy=_policy(parts),
    )
    unused = tuple(sorted(set(parts.facts) - parts.used))
    if english is None:
        return Loaded(knowledge, unused, none_at_all(folder))
    told = replace(knowledge, topics=english.topics, formats=english.formats, voice=english.voice, language="en")
    return Loaded(replace(knowledge, translations={"en": told}), unused, english.gaps)


def _policy(parts: _Folder) -> Policy:
    """The costs and thresholds of the folder; a folder without them has those that the code names."""
    form = next((form for _, form in parts.of(PolicyForm)), None)
    if not isinstance(form, PolicyForm):
        return Policy()
    weights = None
    if form.weights is not None:
        weights = Weights(**{kind: tuple(getattr(form.weights, kind)[n] for n in names) for kind, names in READINGS.items()})
    return Policy(Costs(**form.costs.model_dump()), Thresholds(**form.thresholds.model_dump()), weights)


def contents_of(folder: Path) -> dict[str, bytes]:
    """The knowledge files as they are now. Raises KnowledgeError for a folder that cannot be read."""
    if not folder.is_dir():
        raise KnowledgeError(
            [Fault(folder, 1, "no such folder", "name the folder of the knowledge files in ACCUEIL_KNOWLEDGE_DIR")]
        )
    try:
        found = {path.name: path.read_bytes() for path in sorted(folder.glob("[!.]*.yaml"))}
        found |= {f"{FOLDER}/{path.name}": path.read_bytes() for path in sorted(folder.glob(f"{FOLDER}/[!.]*.txt"))}
    except OSError as error:
        raise KnowledgeError([Fault(folder, 1, f"cannot be read: {error.strerror}")]) from error
    if not any(name.endswith(".yaml") for name in found):
        raise KnowledgeError([Fault(folder, 1, "holds no .yaml file", "name the folder of the knowledge files")])
    return found


def digest(contents: Mapping[str, bytes]) -> str:
    """Changes whenever any file does."""
    total = hashlib.sha256()
    for name, raw in sorted(contents.items()):
        total.update(name.encode() + b"\0" + hashlib.sha256(raw).digest())
    return total.hexdigest()


# ---------------------------------------------------------------- one file


def _read(parts: _Folder, file: Path, name: str, raw: bytes) -> None:
    source = parts.sources[name] = read(file, raw)
    parts.faults += source.faults
    if source.data is None and source.faults:
        return
    kind = _form_of(name, source.data)
    if kind is None:
        known = "sheet:, classes:, formats:, lines:, language:, costs:, or the words of words.yaml"
        parts.add(name, (), "not a form of knowledge that is known", f"begin with one of {known}")
        return
    try:
        parts.forms[name] = kind.model_validate(source.data)
    except ValidationError as error:
        for found in error.errors():
            path = tuple(p for p in found["loc"] if p != "[key]")
            parts.add(name, path, *_explained(found, path, kind))


def _form_of(name: str, data: object) -> type[Form] | None:
    if not isinstance(data, dict):
        return None
    for key, form in FORMS.items():
        if key in data:
            return form
    return WordsForm if name == "words.yaml" else None


def _explained(found: Mapping[str, object], path: tuple[str | int, ...], kind: type[Form]) -> tuple[str, str]:
    where = ".".join(str(p) for p in path)
    kind_of = str(found["type"])
    if kind_of == "extra_forbidden":
        known = sorted(_keys(kind))
        near = extractOne(str(path[-1]), known, score_cutoff=60)
        return f"unknown key {where!r}", f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(known)}"
    if kind_of == "missing":
        return f"{where!r} is missing", "add it"
    message = str(found["msg"]).removeprefix("Value error, ")
    if kind_of in ("string_type", "bool_type"):
        return f"{where!r}: {message.lower()}", "write a text, in quotes if need be"
    return f"{where!r}: {message}", ""


def _keys(form: type[Form]) -> set[str]:
    """All key names of a form and of those inside it."""
    schema = form.model_json_schema()
    found = set(schema.get("properties", {}))
    for inner in schema.get("$defs", {}).values():
        found |= set(inner.get("properties", {}))
    return found


# ---------------------------------------------------------------- facts


def _collect_facts(parts: _Folder) -> None:
    first: dict[str, str] = {}
    for name, form in parts.sheets():
        for fact, value in form.facts.items():
            if not re.fullmatch(r"[a-z][a-z0-9_]*", fact):
                parts.add(name, ("facts", fact), f"fact name {fact!r}", "lower case letters, digits and _ only")
            if fact in first:
                parts.add(
                    name, ("facts", fact), f"fact {fact!r} stands in {first[fact]} too", "a fact stands once; remove this one"
                )
                continue
            first[fact], parts.facts[fact] = name, value


def _filled(parts: _Folder, name: str, path: tuple[str | int, ...], text: str, own: frozenset[str] = frozenset()) -> str:
    """The text with its facts; placeholders in ``own`` stay for later. Unknown ones are faults."""

    def fill(match: re.Match[str]) -> str:
        fact = match[1]
        if fact in own:
            return match[0]
        if fact not in parts.facts:
            near = extractOne(fact, [*parts.facts, *own], score_cutoff=60)
            hint = f"did you mean {{{near[0]}}}?" if near else "define it under facts: of one sheet"
            parts.add(name, path, f"unknown fact {{{fact}}}", hint)
            return match[0]
        parts.used.add(fact)
        return parts.facts[fact]

    filled = _FACT.sub(fill, text)
    if re.search(r"[{}]", _FACT.sub("", text)):
        parts.add(name, path, "a brace without its other half", "write a fact as {fact_name}")
    return filled


# ---------------------------------------------------------------- topics and classes


def _topics(parts: _Folder) -> dict[str, Topic]:
    main: dict[str, tuple[str, TopicForm]] = {}
    for name, form in parts.sheets():
        for id, topic in form.topics.items():
            if topic.title is None:
                continue
            if not re.fullmatch(r"[a-z0-9_-]{1,32}", id):  # it stands in buttons, whose codes are short
                parts.add(name, ("topics", id), f"topic id {id!r}", "1 to 32 lower case letters, digits, - and _")
            if id in main:
                parts.add(
                    name,
                    ("topics", id, "title"),
                    f"topic {id!r} stands in {main[id][0]} too",
                    "keep title, button and phrases in one file",
                )
            else:
                main[id] = (name, topic)
    answers = _answers(parts, main)
    buttons: dict[str, str] = {}
    for id, (name, topic) in main.items():
        _check_topic(parts, name, id, topic, buttons)
    return {
        id: Topic(
            id=id,
            title=topic.title or "",
            button=topic.button or "",
            answers={f: tuple(answers[id][f]) for f in Format},
            silent=frozenset(Format(f) for f in topic.silent),
            phrases=topic.phrases,
        )
        for id, (_, topic) in main.items()
    }


def _answers(parts: _Folder, main: Mapping[str, tuple[str, TopicForm]]) -> dict[str, dict[Format, list[Answer]]]:
    found: dict[str, dict[Format, list[Answer]]] = {id: {f: [] for f in Format} for id in main}
    order = sorted(parts.sheets(), key=lambda s: s[1].sheet.programme is not None)
    for own in (True, False):  # the main file's answer first, then what others add
        for name, form in order:
            head = form.sheet
            programme = head.programme.title if head.programme else None
            sheet = Sheet(
                name.removesuffix(".yaml"), head.title, head.updated, programme, head.programme.names if head.programme else ()
            )
            for id, topic in form.topics.items():
                if id not in main:
                    if own and topic.title is None:
                        near = extractOne(id, list(main), score_cutoff=60)
                        parts.add(
                            name,
                            ("topics", id),
                            f"adds to topic {id!r}, which no file defines",
                            f"did you mean {near[0]!r}?" if near else "give it a title, a button and phrases",
                        )
                    continue
                if (main[id][0] == name) is own:
                    _tell(parts, name, id, topic, sheet, found[id])
    return found


def _tell(parts: _Folder, name: str, id: str, topic: TopicForm, sheet: Sheet, found: dict[Format, list[Answer]]) -> None:
    for format in Format:
        key = "all" if topic.answers.all is not None else format.value
        text = getattr(topic.answers, key)
        if text is None:
            continue
        path = ("topics", id, "answers", key)
        first_use = key != "all" or format is Format.INTER
        filled = _filled(parts, name, path, text) if first_use else found[Format.INTER][-1].text
        found[format].append(Answer(filled, sheet))


def _check_topic(parts: _Folder, name: str, id: str, topic: TopicForm, buttons: dict[str, str]) -> None:
    here: tuple[str | int, ...] = ("topics", id)
    given = {f.value for f in Format if getattr(topic.answers, f.value) is not None}
    if topic.answers.all is not None and given:
        parts.add(
            name,
            (*here, "answers"),
            f"topic {id!r} has both 'all' and {', '.join(sorted(given))}",
            "either one text for all formats or one for each",
        )
    if topic.answers.all is None:
        for format in Format:
            if format.value not in given and format.value not in topic.silent:
                parts.add(
                    name,
                    (*here, "answers"),
                    f"topic {id!r} has no answer for {format.value!r}",
                    f"write one, or add silent: [{format.value}]",
                )
    for format_id in topic.silent:
        if topic.answers.all is not None or format_id in given:
            parts.add(
                name,
                (*here, "silent"),
                f"topic {id!r} is silent for {format_id!r} and has an answer for it",
                "keep one of the two",
            )
    button = topic.button or ""
    if not button or len(button) > BUTTON_LIMIT:
        parts.add(name, (*here, "button"), f"button of {id!r} has {len(button)} characters", f"1 to {BUTTON_LIMIT} characters")
    elif button in buttons:
        parts.add(name, (*here, "button"), f"button {button!r} stands on {buttons[button]!r} too", "choose another text")
    buttons[button] = id
    if not topic.phrases:
        parts.add(name, here, f"topic {id!r} has no phrases", "write some dozens of ways in which people ask")


def _classes(parts: _Folder, topics: Mapping[str, Topic]) -> dict[str, Utterances]:
    found: dict[str, Utterances] = {}
    for name, form in parts.of(ConversationForm):
        assert isinstance(form, ConversationForm)
        for id, group in form.classes.items():
            path = ("classes", id)
            if id in found or id in topics:
                parts.add(name, path, f"class {id!r} stands twice", "one name for one class or topic")
            if group.tells and group.tells not in topics:
                near = extractOne(group.tells, list(topics), score_cutoff=60)
                parts.add(
                    name,
                    (*path, "tells"),
                    f"unknown topic {group.tells!r}",
                    f"did you mean {near[0]!r}?" if near else "name a topic",
                )
            if not group.phrases:
                parts.add(name, path, f"class {id!r} has no phrases", "write some dozens")
            found[id] = Utterances(id, Kind(group.kind), group.phrases, group.tells, group.private)
    return found


# ---------------------------------------------------------------- formats and voice


def _formats(parts: _Folder, folder: Path) -> dict[Format, FormatNames]:
    found: dict[Format, FormatNames] = {}
    for name, form in parts.of(FormatsForm):
        assert isinstance(form, FormatsForm)
        for id, names in form.formats.items():
            if len(names.button) > BUTTON_LIMIT:
                parts.add(name, ("formats", id, "button"), f"{len(names.button)} characters", f"at most {BUTTON_LIMIT}")
            found[Format(id)] = FormatNames(Format(id), names.label, names.button, names.names)
    missing = [f.value for f in Format if f not in found]
    if missing and "formats.yaml" not in parts.sources:
        parts.faults.append(Fault(folder / "formats.yaml", 1, "no such file", "it names the formats inter, intra and distance"))
    elif missing and "formats.yaml" in parts.forms:
        parts.add("formats.yaml", ("formats",), f"missing: {', '.join(missing)}", "name all three formats")
    return found


def _voice(parts: _Folder, folder: Path) -> dict[str, str]:
    if "voice.yaml" not in parts.sources:
        parts.faults.append(Fault(folder / "voice.yaml", 1, "no such file", "it holds the bot's own lines"))
        return {}
    form = parts.forms.get("voice.yaml")
    if not isinstance(form, VoiceForm):
        return {}
    found = {}
    for id, text in form.lines.items():
        if id not in LINES:
            near = extractOne(id, list(LINES), score_cutoff=60)
            parts.add("voice.yaml", ("lines", id), f"unknown line {id!r}", f"did you mean {near[0]!r}?" if near else "remove it")
            continue
        found[id] = _filled(parts, "voice.yaml", ("lines", id), text, LINES[id])
        _check_placeholders(parts, id, found[id])
    for id in LINES.keys() - form.lines.keys():
        parts.add("voice.yaml", ("lines",), f"line {id!r} is missing", "add it; it may hold " + _listed(LINES[id]))
    return found


# ---------------------------------------------------------------- English


def _english(
    parts: _Folder, topics: Mapping[str, Topic], formats: Mapping[Format, FormatNames], voice: Mapping[str, str]
) -> English | None:
    """What learners read in English; None where no file holds it."""
    files = list(parts.of(EnglishForm))
    for name, _ in files[1:]:
        parts.add(name, ("language",), f"English stands in {files[0][0]} too", "keep it in one file")
    if not files:
        return None
    name, form = files[0]
    assert isinstance(form, EnglishForm)
    lines = next((f.lines for _, f in parts.of(VoiceForm) if isinstance(f, VoiceForm)), {})
    french = French(parts.sources, dict(parts.sheets()), parts.facts, topics, formats, voice, lines)
    english = translated(form, parts.sources[name], french, BUTTON_LIMIT)
    parts.faults += english.refused
    return english


def _check_placeholders(parts: _Folder, id: str, text: str) -> None:
    try:
        list(string.Formatter().parse(text))
    except ValueError as error:
        parts.add("voice.yaml", ("lines", id), f"line {id!r}: {error}", "write a placeholder as {name}")


def _listed(names: frozenset[str]) -> str:
    return ", ".join(f"{{{n}}}" for n in sorted(names)) or "no placeholder of its own"
