"""English of all that learners read: complete, from the same facts, and every gap or fault named where it stands."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bot.core.model import Format, Knowledge
from bot.core.voice import HOUSE, LEARNERS
from bot.errors import KnowledgeError
from bot.library.load import load, loaded
from bot.library.render import Hour, in_english

FOLDER = Path(__file__).parent.parent.parent / "knowledge"
ENGLISH = "english.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER, tmp_path / "knowledge"))


def change(folder: Path, name: str, old: str, new: str) -> int:
    """Replace the first ``old``; the line on which it stood."""
    path = folder / name
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    return text[: text.index(old)].count("\n") + 1


def texts(knowledge: Knowledge) -> list[str]:
    return [a.text for t in knowledge.topics.values() for f in Format for a in t.answers[f]] + list(knowledge.voice.values())


def answer(knowledge: Knowledge, topic: str, format: Format = Format.INTER) -> str:
    return knowledge.topics[topic].answers[format][0].text


def test_every_topic_format_and_learners_line_has_its_english() -> None:
    found = loaded(FOLDER)
    assert (found.gaps.faults, found.gaps.warnings) == ((), ())
    french, english = found.knowledge, found.knowledge.in_language("en")
    assert english.language == "en"
    for id, topic in english.topics.items():
        assert topic.title != french.topics[id].title, id
        for format in Format:
            told = zip(topic.answers[format], french.topics[id].answers[format], strict=True)
            assert all(e.text != f.text and e.sheet == f.sheet for e, f in told), f"{id} {format}"
        assert topic.silent == french.topics[id].silent
    for format, names in english.formats.items():
        assert (names.label, names.button) != (french.formats[format].label, french.formats[format].button)
        assert names.names == french.formats[format].names
    same = {"for_format"}  # "{format}:" says the same in both but for its blank
    for id in LEARNERS.keys() - same:
        assert english.voice[id] != french.voice[id], id
    assert {id: english.voice[id] for id in HOUSE} == {id: french.voice[id] for id in HOUSE}


def test_reserves_are_kept() -> None:
    english = load(FOLDER).in_language("en")
    for topic in ("hours", "duration"):
        assert "unless your convocation letter says otherwise" in answer(english, topic)
    for topic in ("breaks", "lunch"):
        assert "unless stated otherwise" in answer(english, topic)
    assert "depending on the format" in answer(english, "certificate")


def test_english_holds_no_fact_of_its_own() -> None:
    """Each number that learners read comes from a sheet: none stands in the English file."""
    text = (FOLDER / ENGLISH).read_text("utf-8")
    told = text[text.index("\ntopics:") :]
    assert not [c for c in told if c.isdigit()]
    assert "denis" not in told.lower()


@pytest.mark.parametrize(
    ("name", "old", "new", "french", "english"),
    [
        ("schedules.yaml", "morning_start: 9 h", "morning_start: 8 h 45", "8 h 45", "8:45 am"),
        ("schedules.yaml", "intra_notice: 7 jours", "intra_notice: 1 jour", "1 jour", "1 day"),
        ("schedules.yaml", "afternoon_end: 17 h", "afternoon_end: 16h30", "16h30", "4:30 pm"),
        ("schedules.yaml", "masterclass_minutes: 1 h", "masterclass_minutes: 1 h 30", "1 h 30", "1 hour 30 minutes"),
        ("programme.yaml", "price_from: 1 900 € net", "price_from: 2 150 € net", "2 150 €", "€2,150 net"),
        ("organisation.yaml", "trainer: Denis La Mache", "trainer: Ana Ruiz", "Ana Ruiz", "Ana Ruiz"),
    ],
)
def test_a_fact_changed_once_is_right_in_both_languages(
    folder: Path, name: str, old: str, new: str, french: str, english: str
) -> None:
    def count(knowledge: Knowledge, text: str) -> int:
        return sum(text in told for told in texts(knowledge))

    before = load(folder)
    change(folder, name, old, new)
    after = loaded(folder)
    assert (after.gaps.faults, after.gaps.warnings) == ((), ())
    assert count(after.knowledge, french) > 0
    assert count(before.in_language("en"), english) == 0
    assert count(after.knowledge.in_language("en"), english) >= count(after.knowledge, french)


def test_a_fact_without_english_is_a_fault_of_its_line_and_what_draws_on_it_is_told_in_french(folder: Path) -> None:
    line = change(folder, "schedules.yaml", "morning_start: 9 h", "morning_start: vers 9 h")
    found = loaded(folder)
    (fault,) = found.gaps.faults
    assert (fault.file.name, fault.line) == ("schedules.yaml", line)
    assert "'morning_start' is « vers 9 h »" in fault.what
    assert "values: of english.yaml" in fault.instead
    english = found.knowledge.in_language("en")
    assert "On commence à vers 9\u00a0h et on finit à 17\u00a0h" in answer(english, "hours")
    assert answer(english, "breaks").startswith("Yes: a break")
    change(folder, ENGLISH, "  plusieurs: several", "  plusieurs: several\n  vers 9 h: around 9 am")
    assert loaded(folder).gaps.faults == ()
    assert "We start at around 9 am" in answer(load(folder).in_language("en"), "hours")


def test_an_hour_of_which_nobody_said_what_it_is_has_no_english(folder: Path) -> None:
    change(folder, ENGLISH, "inter_hours, ", "")
    (fault,) = loaded(folder).gaps.faults
    assert "'inter_hours'" in fault.what
    assert "times: or durations:" in fault.instead


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("    button: Breaks\n", "", "button of topic 'breaks' has no English"),
        ("  thanks: You are welcome! I am here if another question comes to mind.\n", "", "line 'thanks' has no English"),
        ("  intra: {label: In-house, button: In-house}\n", "", "format 'intra' has no English"),
        (
            '    adds:\n      programme:\n        all: "the course lead is {trainer}."\n',
            "",
            "what programme.yaml says on 'contact'",
        ),
        ("at least {intra_notice} before", "seven days before", "draws on {intra_notice}, the English one does not"),
    ],
)
def test_what_has_no_english_is_a_warning_and_told_in_french(folder: Path, old: str, new: str, told: str) -> None:
    change(folder, ENGLISH, old, new)
    found = loaded(folder)
    (warning,) = found.gaps.warnings
    assert told in warning.what
    assert warning.file.name == ENGLISH
    assert warning.line > 1
    assert found.gaps.faults == ()


def test_a_line_without_english_is_told_in_french(folder: Path) -> None:
    change(folder, ENGLISH, "  thanks: You are welcome! I am here if another question comes to mind.\n", "")
    assert load(folder).in_language("en").voice["thanks"].startswith("Avec plaisir\u00a0!")


def test_a_further_programme_without_english_is_told_in_french_beside_it(folder: Path) -> None:
    (folder / "other.yaml").write_text(
        "sheet:\n  title: Autre programme\n  updated: 2026-11-23\n  programme: {title: Autre programme}\n"
        "topics:\n  duration:\n    answers: {all: 'Trois jours.'}\n",
        "utf-8",
    )
    found = loaded(folder)
    (warning,) = found.gaps.warnings
    assert "what other.yaml says on 'duration'" in warning.what
    told = [a.text for a in found.knowledge.in_language("en").topics["duration"].answers[Format.INTER]]
    assert told[0].startswith("In person,")
    assert "Trois jours." in told


def test_without_the_file_english_is_answered_in_french(folder: Path) -> None:
    (folder / ENGLISH).unlink()
    found = loaded(folder)
    assert found.knowledge.in_language("en") is found.knowledge
    assert [(w.file.name, w.what[:12]) for w in found.gaps.warnings] == [(ENGLISH, "no such file")]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("  breaks:\n", "  breakes:\n", "unknown 'breakes' — did you mean 'breaks'?"),
        ("      programme:\n", "      programe:\n", "unknown 'programe' — did you mean 'programme'?"),
        ("same: [organisation,", "same: [organization,", "did you mean 'organisation'?"),
        ('      all: "Yes, open badges', '      inter: "Yes, open badges', "unknown 'inter'"),
    ],
)
def test_english_to_which_nothing_french_answers_is_a_fault_but_refuses_nothing(
    folder: Path, old: str, new: str, told: str
) -> None:
    line = change(folder, ENGLISH, old, new)
    faults = [str(f) for f in loaded(folder).gaps.faults]
    assert any(told in f and f"{ENGLISH}:{line}:" in f for f in faults), faults


def test_a_topic_that_was_removed_does_not_keep_the_rest_from_service(folder: Path) -> None:
    text = (folder / "campus.yaml").read_text("utf-8")
    (folder / "campus.yaml").write_text(text[: text.index("topics:")] + "topics: {}\n", "utf-8")
    (folder / "phrases/campus.txt").unlink()
    found = loaded(folder)
    (fault,) = found.gaps.faults
    assert "unknown 'campus'" in fault.what
    assert "campus" not in found.knowledge.in_language("en").topics


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "{morning_start} and finish",
            "{morning_strat} and finish",
            "unknown fact {morning_strat} — did you mean {morning_start}?",
        ),
        ("{morning_start} and finish", "{morning_start and finish", "a brace without its other half"),
        ("  thanks: ", "  thank: ", "unknown line 'thank' — did you mean 'thanks'?"),
        ("  thanks: ", "  notice: ", "unknown line 'notice' — the house reads it, in French: remove it"),
        ("    button: Breaks", "    button: Breaks, at what times", "button of 'breaks' has 21 characters"),
        ("    button: Breaks", "    button: Hours", "button 'Hours' stands on 'hours' too"),
        ("    title: the breaks", "    titel: the breaks", "unknown key 'topics.breaks.titel' — did you mean 'title'?"),
        ("language: en", "language: de", "'language'"),
        ("  thanks: ", "  thanks: ''\n  goodbye: ", "empty text"),
    ],
)
def test_what_is_wrong_in_the_file_itself_is_refused_with_its_line(folder: Path, old: str, new: str, told: str) -> None:
    line = change(folder, ENGLISH, old, new)
    with pytest.raises(KnowledgeError) as caught:
        load(folder)
    found = [str(f) for f in caught.value.faults]
    assert any(told in f and f"{ENGLISH}:{line}:" in f for f in found), found


def test_english_stands_in_one_file(folder: Path) -> None:
    shutil.copy(folder / ENGLISH, folder / "more.yaml")
    with pytest.raises(KnowledgeError, match=r"more\.yaml:\d+: English stands in english\.yaml too"):
        load(folder)


@pytest.mark.parametrize(
    ("value", "hour", "told"),
    [
        ("9 h", "time", "9 am"),
        ("13 h 30", "time", "1:30 pm"),
        ("9h05", "time", "9:05 am"),
        ("8:45", "time", "8:45 am"),
        ("12 h", "time", "12 noon"),
        ("12 h 30", "time", "12:30 pm"),
        ("0 h 30", "time", "12:30 am"),
        ("9 h ou 9 h 30", "time", "9 am or 9:30 am"),
        ("25 h", "time", None),
        ("vers 9 h", "time", None),
        ("14 h", "duration", "14 hours"),
        ("1 h", "duration", "1 hour"),
        ("1 h 30", "duration", "1 hour 30 minutes"),
        ("14 h", "", None),
        ("15 minutes", "", "15 minutes"),
        ("20 min", "", "20 minutes"),
        ("7 jours", "", "7 days"),
        ("1 jour", "", "1 day"),
        ("deux jours", "", "two days"),
        ("1,5 jour", "", "1.5 days"),
        ("2 journées", "", "2 days"),
        ("15 jours ouvrés", "", "15 working days"),
        ("12 personnes", "", "12 people"),
        ("1 900 € net", "", "€1,900 net"),
        ("1\u202f900,50\u00a0€", "", "€1,900.50"),
        ("12000 €", "", "€12,000"),
        ("6", "", "6"),
        ("2 à 3", "", "2 to 3"),
        ("10 %", "", "10%"),
        ("23/11/2026", "", "23/11/2026"),
        ("ana@example.org", "", "ana@example.org"),
        ("plusieurs", "", None),
        ("papier et stylo", "", None),
    ],
)
def test_a_fact_in_english(value: str, hour: Hour, told: str | None) -> None:
    assert in_english(value, hour) == told
