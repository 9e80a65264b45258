"""The knowledge that ships: sound, complete, its own; and faulty files that are named, all at once."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from bot.core.match import digest_of
from bot.core.model import Format
from bot.core.text import words
from bot.errors import KnowledgeError
from bot.library.learnt import FILE, read_learnt
from bot.library.load import load, load_with_unused
from bot.library.schemas import schemas

FOLDER = Path(__file__).parent.parent.parent / "knowledge"
TOPICS = (
    "hours duration breaks lunch venue platform calendar live self-paced equipment handouts accessibility adjustments contact"
    " confidentiality certificate badges feedback assessment objectives audience method price enrolment-delay group-size campus"
    " approach-activity approach-interaction expectations"
).split()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER, tmp_path / "knowledge"))


def change(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / name
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def faults(folder: Path) -> list[str]:
    with pytest.raises(KnowledgeError) as caught:
        load(folder)
    return [str(fault) for fault in caught.value.faults]


def test_every_topic_has_an_answer_or_a_stated_silence_for_every_format() -> None:
    knowledge, unused = load_with_unused(FOLDER)
    assert set(knowledge.topics) == set(TOPICS)
    assert unused == ()
    for topic in knowledge.topics.values():
        for format in Format:
            assert topic.answers[format] or format in topic.silent, f"{topic.id} {format}"
        assert len(topic.phrases) >= 24, topic.id


def test_a_fact_changed_once_is_right_in_every_answer(folder: Path) -> None:
    before = load(folder)
    address = before.facts["trainer_email"]
    change(folder, "organisation.yaml", address, "contact@example.org")
    after = load(folder)
    texts = [a.text for t in after.topics.values() for f in Format for a in t.answers[f]] + list(after.voice.values())
    assert not any(address in text for text in texts)
    assert sum("contact@example.org" in text for text in texts) >= 4


def test_all_faults_are_told_at_once_with_file_line_and_what_to_write(folder: Path) -> None:
    change(folder, "schedules.yaml", "  title:", "  titel:")
    change(folder, "welcome.yaml", "updated: 2026", "updated: the 2026")
    change(folder, "organisation.yaml", "  trainer_email:", "  trainer_mail:")
    found = faults(folder)
    assert any("schedules.yaml:3" in f and "title" in f for f in found)
    assert any("welcome.yaml" in f and "2026-11-23" in f for f in found)
    assert any("unknown fact {trainer_email}" in f and "trainer_mail" in f for f in found)


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("topics: [", "broken YAML"),
        ("sheet:\n\ttitle: x", "broken YAML"),
        ("", "not a form of knowledge"),
        ("- a\n- b", "not a form of knowledge"),
        ("sheet: {title: A, updated: 2026-01-01}\nsheet: {title: B, updated: 2026-01-01}", "stands twice"),
    ],
)
def test_a_broken_file_is_named_with_its_line(folder: Path, broken: str, told: str) -> None:
    (folder / "extra.yaml").write_text(broken, "utf-8")
    assert any("extra.yaml:" in f and told in f for f in faults(folder))


def test_a_file_that_is_no_text_and_a_folder_that_is_not_there_are_named(folder: Path, tmp_path: Path) -> None:
    (folder / "extra.yaml").write_bytes(b"\xff\xfe\x00")
    assert any("UTF-8" in f for f in faults(folder))
    with pytest.raises(KnowledgeError, match="no such folder"):
        load(tmp_path / "nowhere")


def test_a_missing_format_is_a_fault(folder: Path) -> None:
    text = (folder / "schedules.yaml").read_text("utf-8")
    start = text.index("      distance:")
    end = text.index("\n      ", text.index("\n", start) + 1) if text[start:].startswith("      distance: >-") else start
    line_end = text.index("\n    ", end + 1) if end != start else text.index("\n", start)
    (folder / "schedules.yaml").write_text(text[:start] + text[line_end + 1 :].lstrip("\n"), "utf-8")
    assert any("no answer for 'distance'" in f or "broken" in f for f in faults(folder))


def test_a_further_programme_is_a_further_file(folder: Path) -> None:
    (folder / "other.yaml").write_text(
        "sheet:\n  title: Autre programme\n  updated: 2026-11-23\n  programme: {title: Autre programme}\n"
        "topics:\n  duration:\n    answers: {all: 'Trois jours.'}\n",
        "utf-8",
    )
    told = [a.text for a in load(folder).topics["duration"].answers[Format.INTER]]
    assert "Trois jours." in told
    assert len(told) >= 2


def test_the_committed_schemas_are_those_of_the_forms() -> None:
    for name, content in schemas().items():
        assert (FOLDER / "schemas" / name).read_text("utf-8") == content, f"run: accueil schemas ({name})"


def test_no_phrase_is_a_message_that_understanding_is_measured_on() -> None:
    own = Path(__file__).parent.parent / "data"
    files = [*own.glob("*.jsonl"), *(FOLDER / "examples").glob("*.jsonl")]
    files += [Path(p) for p in os.environ.get("ACCUEIL_EVAL_FILES", "").split(":") if p]
    measured = set()
    for file in files:
        for line in file.read_text("utf-8").splitlines():
            item = json.loads(line)
            measured |= {" ".join(words(turn["text"])) for turn in item.get("turns", [item])}
    groups = load(FOLDER).groups.values()
    phrases = {" ".join(words(p)): p for g in groups for p in g.phrases if len(words(p)) > 1}
    assert sorted(measured & phrases.keys()) == []


def test_what_was_learnt_and_is_shipped_was_learnt_from_these_phrases() -> None:
    kept = read_learnt(FOLDER / FILE)
    assert kept is not None
    assert kept.digest == digest_of(load(FOLDER), encoder=True), "run: accueil learn"


def test_phrases_stand_in_files_of_their_own_and_a_fault_in_one_names_file_and_line(folder: Path) -> None:
    before = len(load(folder).topics["hours"].phrases)
    (folder / "phrases/hours.txt").write_text("# a comment\nà quelle heure sonne la cloche\n\n", "utf-8")
    assert load(folder).topics["hours"].phrases[-1] == "à quelle heure sonne la cloche"
    assert len(load(folder).topics["hours"].phrases) < before
    (folder / "phrases/hours.txt").write_bytes("une\nheure indiqu\xe9e".encode("latin-1"))
    (folder / "phrases/huors.txt").write_text("quand", "utf-8")
    assert [f.partition("phrases/")[2] for f in faults(folder)] == [
        "hours.txt:2: not UTF-8 text — save the file as UTF-8",
        "huors.txt:1: 'huors' is neither a topic nor a class — did you mean hours.txt?",
    ]
