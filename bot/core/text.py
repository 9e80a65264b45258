"""Plain text work: normalise, restore misspelt words, split a message into the parts that stand for themselves."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*", re.UNICODE)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_BLANKS = re.compile(r"\s+")
ELISIONS = re.compile(r"\b(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu)['’](?=\w)", re.I)
_SENTENCE = re.compile(r"(?<=[?!;])\s+|(?<=[^\s.]{2}\.)\s+|(?:\.{2,}|…)\s*|\n+|\s+[-–•*]\s+|(?<=[^\d]):\s+(?=\w)")
_JOINT = re.compile(
    r"\s+[+&]\s+"
    r"|,?\s+(?:et\s+(?:puis|aussi|est[- ]ce|sinon|surtout|enfin|apres|après|accessoirement|tant que)|sinon|premi[eè]rement"
    r"|deuxi[eè]mement|troisi[eè]mement|par ailleurs|autre chose|ensuite|pis|and|also|puis)\s+"
    r"|,?\s+et\s+(?=(?:si|on|le|la|les|y|ya|il|a|à|au|ou|où|qui|que|quoi|combien|cb|comment|quand|c|c'est|niveau|faut|pour"
    r"|est|l'|d'|enfin|entre|quel|quelle|quels|je|jusqu|mon|votre|vos|vous|peut|peux|pouvez|avez|faudra)\b"
    r"|[^\W\d]+(?:-t)?-(?:vous|on|je|il|elle|ils|elles|tu|nous)\b)",
    re.I,
)
_JOINTS = frozenset("et ou mais puis alors donc and or but".split())
_WHERE = re.compile(r"\W*(?:(?:et|and)\s+)?(?:où\W*|ou\s*\?\W*)", re.I)  # "et où ?": a question, and no joint
_CLAUSE = re.compile(r"[,()/;]+\s*|\s+-\s+|\s+(?:et|ainsi que|ou|mais|car|parce que?|pcq|puis|and|or|but|because)\s+", re.I)
_DICTATED = (
    (re.compile(r"\s+point d'interrogation\b", re.I), " ?"),
    (re.compile(r"\s+(?:virgule|point virgule)\b", re.I), ","),
    (re.compile(r"\s+(?:à la ligne|a la ligne|point final)\b", re.I), "."),
)
MAX_CHARS = 6000  # of one message that is read for its meaning; the trainer sees the whole


def visible(text: str) -> str:
    """Without control characters, invisible marks and lone surrogates; everything else as it was written."""
    return unicodedata.normalize("NFC", _CONTROL.sub("", text)).replace("\r", "")


def clean(text: str) -> str:
    """Without control characters, invisible marks and lone surrogates; apostrophes and spaces made plain."""
    text = unicodedata.normalize("NFC", _CONTROL.sub("", text))
    return re.sub(r"[ \t\u00a0\u202f]+", " ", text.replace("’", "'").replace("\r", "")).strip()


@lru_cache(maxsize=256)  # many look at the same parts of one message
def plain(text: str) -> str:
    """Lower case, no accents, one space between words."""
    text = clean(text).lower()
    if text.isascii():
        return _BLANKS.sub(" ", text)
    # fancy capitals come apart into plain ones, so lower case comes after, and may itself come apart
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).lower()).replace("œ", "oe").replace("æ", "ae")
    text = "".join(c for c in text if not unicodedata.combining(c))
    return _BLANKS.sub(" ", text).strip()  # a lone accent comes apart into a blank and a mark


def plain_each(lines: Sequence[str]) -> list[str]:
    """The plain form of each line, all found at once, which is faster by far. No line is blank or holds a line break."""
    text = clean("\n".join(lines)).lower()
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).lower()).replace("œ", "oe").replace("æ", "ae")
    found = "".join(c for c in text if not unicodedata.combining(c)).split("\n")
    return found if len(found) == len(lines) else [plain(line) for line in lines]


def words(text: str) -> list[str]:
    """The words of a text, plain, elisions split off ("l'heure" is "l", "heure")."""
    return WORD.findall(ELISIONS.sub(lambda m: m[0][:-1] + " ", plain(text)))


def parts(text: str) -> list[str]:
    """Cut a message into sentences, and sentences at the joints of several questions."""
    found = []
    text = clean(text)[:MAX_CHARS]
    for spoken, mark in _DICTATED:
        text = spoken.sub(mark, text)
    for sentence in (point for whole in _SENTENCE.split(text) for point in numbered(whole or "")):
        pieces = _JOINT.split(sentence or "")
        for piece in pieces:
            if piece and set(words(piece)) - _JOINTS:
                found.append(piece.strip(" ,;-–"))
            elif piece and (_WHERE.fullmatch(piece) or (len(pieces) > 1 and piece.strip() == "ou")):
                found.append("où ?")
    return found


_NUMBER = re.compile(r"(?<!\S)([1-9])\s*[).:/°-]?\s+(?=[^\W\d])")


def numbered(text: str) -> list[str]:
    """The points of "1 le parking 2 le café 3 les horaires", with what stands before them; the text itself, if it has none."""
    at, wanted = [], 1
    for mark in _NUMBER.finditer(text):
        if int(mark[1]) == wanted:
            at.append(mark)
            wanted += 1
    if len(at) < 2:
        return [text]
    starts = [(0, 0), *((m.start(), m.end()) for m in at)]
    return [text[a[1] : b[0]] for a, b in zip(starts, [*starts[1:], (len(text), 0)], strict=True) if text[a[1] : b[0]].strip()]


def is_bare(text: str) -> bool:
    """Whether a text has no sentence marks: typed in a hurry, or dictated."""
    return not re.search(r"[?!]|[^\W\d]\.(?:\s|$)", text)


MAX_LIST = 7  # words in a list of topics
_LISTED = re.compile(r",|\s(?:et|and)\s", re.I)


def is_list(piece: str) -> bool:
    """Whether a part is a bare list ("adresse, heure de début, repas ?"), in which each word may stand for itself."""
    return bool(_LISTED.search(piece)) and len(WORD.findall(piece)) <= MAX_LIST


def fragments(piece: str) -> list[str]:
    """The clauses of a part, cut at commas, brackets and conjunctions; [] where it has only one."""
    least = 1 if is_list(piece) else 2
    found = [f.strip() for f in _CLAUSE.split(piece) if f and len(WORD.findall(f)) >= least and len(f.strip()) >= 4]
    return found if 1 < len(found) <= 6 else []
