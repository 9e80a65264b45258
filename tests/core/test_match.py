"""What is learnt from phrases, from scratch and on top of what was learnt before; on the lexical view alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bot.core import ridge
from bot.core.match import Learnt, Matcher
from bot.core.model import Knowledge
from bot.library.kernel import teller
from bot.library.learnt import keep_learnt, read_learnt
from bot.library.load import load

FOLDER = Path(__file__).parent.parent.parent / "knowledge"


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    """A few phrases of each class: enough to learn from, in a moment."""
    whole = load(FOLDER)
    topics = {id: replace(t, phrases=t.phrases[:12]) for id, t in whole.topics.items()}
    return replace(whole, topics=topics, classes={id: replace(c, phrases=c.phrases[:12]) for id, c in whole.classes.items()})


@pytest.fixture(scope="module")
def matcher(knowledge: Knowledge) -> Matcher:
    return Matcher(knowledge, None)


def best(matcher: Matcher, text: str) -> str:
    return matcher.rank(text, top=1)[0].id


def test_an_added_phrase_is_known_at_once_and_a_removed_one_forgotten(knowledge: Knowledge, matcher: Matcher) -> None:
    said = "le zouglou du mardi"
    assert best(matcher, said) != "badges"
    taught = replace(knowledge.topics["badges"], phrases=(*knowledge.topics["badges"].phrases, said))
    more = replace(knowledge, topics={**knowledge.topics, "badges": taught})
    after = Matcher(more, None, learnt=matcher.learnt)
    assert best(after, said) == "badges"
    assert len(after.learnt.marks) == len(matcher.learnt.marks) + 1  # learnt on top, not anew
    assert after.learnt.bases is matcher.learnt.bases
    again = Matcher(knowledge, None, learnt=after.learnt)
    assert sorted(again.learnt.marks) == sorted(matcher.learnt.marks)


@pytest.mark.parametrize("count", [1, 20])
def test_phrases_that_are_added_to_one_class_or_gone_from_it_pull_no_others_over(
    knowledge: Knowledge, matcher: Matcher, count: int
) -> None:
    """What else people write is read as before; of themselves new phrases would draw every text towards their class."""
    said = [f"le zouglou de {day} numéro {n}" for n in range(count) for day in ("lundi", "mardi")]
    taught = replace(knowledge.topics["badges"], phrases=(*knowledge.topics["badges"].phrases, *said))
    more = Matcher(replace(knowledge, topics={**knowledge.topics, "badges": taught}), None, learnt=matcher.learnt)
    others = [p for id, t in knowledge.topics.items() if id != "badges" for p in t.phrases]
    others += ["il fait beau à la plage", "bonne continuation", "on se gare où avec un camion", "combien de temps ça prend"]
    read = [matcher.speller.read(text) for text in others]
    before, after = matcher.scores(read), more.scores(read)
    badges = matcher.ids.index("badges")
    assert np.abs(after[:, badges] - before[:, badges]).max() < 0.1
    assert (after.argmax(1) == before.argmax(1)).mean() > 0.99
    assert all(best(more, text) == "badges" for text in said)
    again = Matcher(knowledge, None, learnt=more.learnt).scores(read)
    assert np.abs(again - before).max() < 0.1


def test_where_much_is_gone_all_is_learnt_anew(knowledge: Knowledge, matcher: Matcher) -> None:
    half = {id: replace(t, phrases=t.phrases[:6]) for id, t in knowledge.topics.items()}
    after = Matcher(replace(knowledge, topics=half), None, learnt=matcher.learnt)
    assert after.learnt.bases is not matcher.learnt.bases


def test_a_class_that_is_gone_is_never_found(knowledge: Knowledge, matcher: Matcher) -> None:
    fewer = replace(knowledge, topics={id: t for id, t in knowledge.topics.items() if id != "badges"})
    after = Matcher(fewer, None, learnt=matcher.learnt)
    assert "badges" not in after.ids
    assert all(m.id != "badges" for m in after.rank(knowledge.topics["badges"].phrases[0]))
    assert all(s.predicted in after.ids for s in after.strays())


def test_what_was_learnt_is_the_same_once_it_was_kept_in_a_file(matcher: Matcher, knowledge: Knowledge, tmp_path: Path) -> None:
    keep_learnt(tmp_path / "kept.npz", matcher.learnt)
    found = read_learnt(tmp_path / "kept.npz")
    assert isinstance(found, Learnt)
    again = Matcher(knowledge, None, learnt=found)
    assert again.learnt is found
    texts = [matcher.speller.read(t) for t in ("à quelle heure on commence", "mon mot de passe ne marche pas")]
    np.testing.assert_allclose(again.scores(texts), matcher.scores(texts), atol=0.02)


def test_what_was_forgotten_is_still_understood_and_is_not_kept(knowledge: Knowledge, matcher: Matcher, tmp_path: Path) -> None:
    """The service needs the examples in one place alone, the teller's."""
    texts = [matcher.speller.read(t) for t in ("à quelle heure on commence", "mon mot de passe ne marche pas")]
    light = Matcher(knowledge, None, learnt=matcher.learnt, teller=teller)
    before, kept = light.scores(texts), light.learnt.model
    light.forget()
    assert (len(kept.centres), len(light.learnt.model.centres)) == (len(matcher.learnt.marks), 0)
    np.testing.assert_array_equal(light.scores(texts), before)
    assert len(light.strays()) == len(matcher.strays())
    with pytest.raises(ValueError, match="still known"):
        keep_learnt(tmp_path / "kept.npz", light.learnt)
    assert not (tmp_path / "kept.npz").exists()


def test_where_nothing_else_tells_nothing_is_forgotten(knowledge: Knowledge, matcher: Matcher) -> None:
    alone = Matcher(knowledge, None, learnt=matcher.learnt)
    alone.forget()
    assert alone.learnt is matcher.learnt


def test_a_damaged_file_of_what_was_learnt_is_learnt_anew(matcher: Matcher, tmp_path: Path) -> None:
    keep_learnt(tmp_path / "kept.npz", matcher.learnt)
    raw = (tmp_path / "kept.npz").read_bytes()
    for damaged in (b"", raw[: len(raw) // 2], b"PK" + raw[2:100]):
        (tmp_path / "kept.npz").write_bytes(damaged)
        assert read_learnt(tmp_path / "kept.npz") is None


def test_solved_in_blocks_is_nearly_solved_at_once() -> None:
    dice = np.random.default_rng(1)
    own = np.repeat(np.arange(4), 40)
    rows = dice.standard_normal((4, 32))[own] + dice.standard_normal((160, 32))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    edges = (slice(0, 32),)
    whole, _ = ridge.learnt(rows, own, 4, edges)
    blocks, _ = ridge.learnt(rows, own, 4, edges, block=64)
    agreed = whole.foretold(rows).argmax(1) == blocks.foretold(rows).argmax(1)
    assert agreed.mean() > 0.95


def test_what_is_solved_tile_by_tile_is_what_numpy_solves() -> None:
    dice = np.random.default_rng(2)
    own = np.repeat(np.arange(3), 500)  # more than a tile
    rows = dice.standard_normal((3, 24))[own] + 2 * dice.standard_normal((1500, 24))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    edges = (slice(0, 12), slice(12, 24))
    model, left_out = ridge.learnt(rows, own, 3, edges)
    seen = ridge.restored(ridge.rounded(rows)).astype(float)
    kernel = sum(
        share * np.exp(2 * width * (np.minimum(seen[:, view] @ seen[:, view].T, 1) - 1))
        for view, width, share in zip(edges, ridge.WIDTHS[:2], ridge.SHARES[:2], strict=True)
    )
    inverse = np.linalg.inv(kernel + float(ridge.RIDGE) * np.eye(1500))
    wanted = np.where(own[:, None] == np.arange(3), 1.0, -1.0)
    solved = inverse @ (wanted - wanted.mean(0))
    np.testing.assert_allclose(model.weights, solved, atol=1e-3)
    alone = wanted - solved / np.diag(inverse)[:, None]
    np.testing.assert_allclose(left_out, alone, atol=1e-3)
    told = model.foretold(seen[:5].astype(np.float32))
    np.testing.assert_allclose(told, kernel[:5] @ solved + wanted.mean(0), atol=1e-3)


def test_two_texts_side_by_side_are_read_as_one_without_being_encoded(matcher: Matcher) -> None:
    said = ["à quelle heure on commence", "le matin", "mon mot de passe ne marche pas"]
    (hours, morning, password), _ = matcher.seen([matcher.speller.read(t) for t in said])
    none, both = matcher.seen([], [(hours, hours), (hours, morning)])
    assert none == []
    np.testing.assert_allclose(both[0], hours.chances, atol=1e-4)
    assert matcher.ids[int(np.argmax(both[1]))] == matcher.ids[int(np.argmax(hours.chances))]
    _, apart = matcher.seen([], [(hours, password)])
    assert apart[0].max() < hours.chances.max()
