"""What a correspondent wrote this time: a mail's text without the quoted thread, the footers and the signature. Pure.

Quote headers wrap over lines and hold no-break spaces; answers stand below or between quotes; a person's own sentence may
look like any of it. What is cut is therefore what a program sets and a person does not, and never what speaks or asks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mailparser_reply import EmailReplyParser

from bot.channels.mail.footers import DELIMITER, DISCLAIMER, FOOTER, OPENS, TRAILING
from bot.channels.mail.quoting import ADDRESS_WROTE, DATE_ALONE, INLINE, LABEL, SEPARATOR, SOMEBODY_WROTE, TELLING, WITHIN, WROTE
from bot.core.cues import ASKS
from bot.core.text import clean, plain, visible

MAX_CHARS = 50_000  # of a mail's text that is read; a longer one is cut, the trainer sees the original
MAX_LIBRARY = 2_000  # characters given to the library, whose patterns are not made for hostile input
CLOSING = 16  # lines at the end among which a closing formula is looked for
MAX_BELOW = 40  # lines of a signature and a disclaimer
HEADER_LINES = 4  # a quote header wraps over at most so many

_GREETING = re.compile(r"(?:bonjour|bonsoir|salut|hello|hi|madame|monsieur|cher|ch[èe]re)\b[^?.:]{0,40}", re.I)
_PERSONAL = re.compile(
    r"\b(?:je|j'\w|moi|mon|ma|mes|m'\w|suis|besoin|faut|faudrait|voudrais|peux|autre chose|my|ich|mir|wir)\b|\bj'|(?-i:\bI\b)"
    r"|\bnous (?:voudrions|souhait\w+|attend\w+|aimerions|avons|serons|sommes)\b|\b\d+ places\b|\b(?:pouvez|pourriez)-vous\b"
    r"|\bmerci de (?!penser|supprimer|d[ée]truire|avertir|pr[ée]venir)(?:nous |me )?\w+(?:er|ir|re)\b",
    re.I,
)
_RULE = re.compile(r"[-_=*—– ]{4,}$|(?:mail|message) transf[ée]r[ée]$", re.I)
_SIGNATURE = re.compile(r"^(?:--|—|__+|[-=*_]{5,})[ \t]*$", re.M)
_SIGN_OFF = re.compile(
    r"^[ \t]*(?:je vous (?:en )?remercie\b(?![^\n]{70})|(?:bien |tr[èe]s )?cordialement|cdl?t|bien (?:à|a) (?:vous"
    r"|toi)|(?:bonne|belle|excellente) (?:journ[ée]e|soir[ée]e|semaine|fin|r[ée]ception)"
    r"|(?:sinc[èe]res|meilleures|cordiales|respectueuses|mes) salutations|salutations|veuillez (?:agr[ée]er"
    r"|recevoir)|je vous prie d'agr[ée]er"
    r"|respectueusement|amicalement|(?:avec )?(?:tous )?mes remerciements|avec mes|(?:un grand "
    r"|mille )?mercis?\b(?! de (?:me|nous|bien|m'|ne|votre)\b)"
    r"(?![^\n]{60})|bien (?:sinc[èe]rement|respectueusement)|(?:kind |best |warm )?regards|best,|cheers|tout de bon"
    r"|(?:à|a) bient[ôo]t"
    r"|au plaisir|d'avance merci|dans l'attente|en vous remerciant|bav\b|bonne (?:continuation|r[ée]ception)|b[àa]v|a\+)",
    re.I,
)
_WISH = re.compile(
    r"\bsvp\b|s'il (?:vous|te) pla[îi]t"
    r"|\b(?:merci|remercie|remerciant) (?:par avance |d'avance )?(?:de |d')(?:(?:me|nous|bien|vouloir|m') ?)*\w+(?:er|ir|re)\b",
    re.I,
)
_WHEN = re.compile(r"\d{4}|\d[:h]\d\d")
_QUESTION = re.compile(r"(?:o[ùu]|quand|combien|comment|quels?|quelles?|qui|quoi|pourquoi|est-ce)\b", re.I)
_AFTERTHOUGHT = re.compile(r"^\s*p\.?\s?s\.?\b", re.I)
_EASTERN = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]")
_PARSER = EmailReplyParser(languages=["ja", "ko", "zh"])


class _Line(str):
    """A line with apostrophes and blanks made plain, as the patterns want it; ``shown`` is the line as it was written."""

    shown: str

    def __new__(cls, written: str) -> _Line:
        line = super().__new__(cls, clean(written))
        line.shown = visible(written).rstrip()
        return line


# what a program sets around a signed text, and a file that an old one writes into it
_WRAPPED = re.compile(
    r"^-----BEGIN PGP SIGNED MESSAGE-----\n(?:[A-Z][\w-]{1,20}: .{0,80}\n)*\n?"
    r"|^-----BEGIN PGP SIGNATURE-----\n(?:.{0,100}\n){0,60}?-----END PGP SIGNATURE-----[ \t]*$"
    r"|^begin [0-7]{3} \S.{0,100}\n(?:[!-`][ -`]{0,61}\n|`?\n){1,9000}end[ \t]*$",
    re.M,
)


def own_words(text: str) -> str:
    """The sender's own words of this mail, line by line; "" where there are none (a mail that only quotes)."""
    text = _WRAPPED.sub("", text[:MAX_CHARS].replace("\r\n", "\n").replace("\r", "\n"))
    lines = [_Line(line) for line in text.split("\n")]
    left = _without_footers(_unquoted(_unfolded(lines)))
    head = "\n".join(line.shown if isinstance(line, _Line) else line for line in left).strip()
    if len(head) > MAX_LIBRARY or not _EASTERN.search(head):
        return head
    replies = _PARSER.read(text=head).replies
    first = next((r.content for r in replies if r.content.strip()), "")
    # it takes a list of dates for a header: what it cut is only trusted where no question is lost
    return first.strip() if first and first.count("?") == head.count("?") else head


def _unfolded(lines: Sequence[str]) -> list[str]:
    """Up to the first line in whose middle a quote begins, because a program dropped the line breaks before it."""
    kept: list[str] = []
    for line in lines:
        within = WITHIN.search(line)
        if within and not _wrapped([line], 0):
            return [*kept, _Line(_untrailed(line[: within.start()]))]
        kept.append(line if _untrailed(line) == line else _Line(_untrailed(line)))
    return kept


def _untrailed(line: str) -> str:
    return TRAILING.sub("", line)


def _unquoted(lines: list[str]) -> list[str]:
    """Without what is quoted: below a header, after a separator, or behind ">"; answers between quotes stay."""
    kept: list[str] = []
    at = 0
    while at < len(lines):
        if lines[at].startswith(">") or _spilt(lines, at):
            at += 1
            continue
        block = _header_block(lines, at)
        if block and not _said(kept):  # what was sent on begins with the headers it had: its words are what there is
            kept, at = [], at + block
            continue
        if SEPARATOR.fullmatch(lines[at]) and not _said(kept) and _header_block(lines, _filled(lines, at + 1)):
            at = _filled(lines, at + 1)
            continue
        if SEPARATOR.fullmatch(lines[at]) and _marked(lines, at + 1):
            at += 1  # what was sent on has its marks, and ends with them
            continue
        if block or SEPARATOR.fullmatch(lines[at]):
            break
        wrote = _wrote(lines, at)
        if wrote:
            if not _marked(lines, at + wrote):
                break
            at = _filled(lines, at + wrote)
            continue
        kept.append(lines[at])
        at += 1
    while kept and (not kept[-1] or _RULE.match(kept[-1])):
        kept.pop()
    return kept


def _spilt(lines: list[str], at: int) -> bool:
    """Whether this is the end of a quoted line that some program wrapped."""
    return (
        0 < at < len(lines) - 1
        and bool(lines[at])
        and lines[at - 1].startswith(">")
        and len(lines[at - 1]) >= 60
        and lines[at][:1].islower()
        and lines[at + 1].startswith(">")
    )


def _said(kept: list[str]) -> bool:
    return any(line and not FOOTER.fullmatch(line) and not _RULE.match(line) for line in kept)


def _marked(lines: list[str], at: int) -> bool:
    """Whether the next line that is not empty is quoted."""
    at = _filled(lines, at)
    return at < len(lines) and lines[at].startswith(">")


def _filled(lines: list[str], at: int) -> int:
    """The next line that is not empty."""
    while at < len(lines) and not lines[at]:
        at += 1
    return at


def _wrote(lines: list[str], at: int) -> int:
    """How many lines from here are a "Le ... a écrit :", 0 where none is."""
    wrapped = _wrapped(lines, at)
    if wrapped or ADDRESS_WROTE.fullmatch(lines[at]):
        return wrapped or 1
    return int(_marked(lines, at + 1) and SOMEBODY_WROTE.fullmatch(lines[at]) is not None)


def _wrapped(lines: list[str], at: int) -> int:
    if INLINE.match(lines[at]):
        return 1
    joined = ""
    for n, line in enumerate(lines[at : at + HEADER_LINES], 1):
        if not line:
            break
        joined = f"{joined} {line}".strip()
        if WROTE.fullmatch(joined):  # unless the last line alone is one, and those above it are the sender's own
            whole = n == 1 or DATE_ALONE.fullmatch(lines[at])
            return n if whole or not any(_wrapped(lines[: at + n], later) for later in range(at + 1, at + n)) else 0
    return 0


def _header_block(lines: list[str], at: int) -> int:
    """How many lines from here are headers that a program set above what it quotes (From, Sent, To ...), 0 where none are."""
    start, labels, sender, end, bare = at, 0, False, at, 0
    empty = False  # the last label had no value: that stands on the next line
    while at < len(lines) and at - start < 24:
        line = lines[at]
        label = LABEL.match(line) or (LABEL.match(f"{line} {lines[at + 1]}") if _splits(lines, at) else None)
        if label:
            labels, sender = labels + 1, sender or (label["from"] is not None and not label["a"].strip()[:1].isdigit())
            empty = not (label["a"] or label["b"] or "").strip()
            bare += empty
            at += 1 if LABEL.match(line) else 2
            end = at
        elif line and labels and (empty or ("@" in line and (lines[at - 1].endswith((",", ";", ":")) or line.startswith("<")))):
            empty, at = False, at + 1
            end = at
        elif not line and labels and at - end < 3:
            at += 1
        else:
            break
    # "De : 9 h à 12 h" and "À : Lyon" are the sender's own: a program's block names an address or a subject
    real = bare >= 2 or any("@" in line for line in lines[start:end])
    told = any(TELLING.match(line) for line in lines[start:end]) and any(_WHEN.search(line) for line in lines[start:end])
    real = real or (labels >= 3 and told)
    return end - start if labels >= 2 and sender and real else 0


def _splits(lines: list[str], at: int) -> bool:
    return at + 1 < len(lines) and lines[at + 1].startswith(":")


def _without_footers(lines: list[str]) -> list[str]:
    """Without "Envoyé de mon ...", disclaimers, and a signature below its delimiter, where nobody speaks below them."""
    speaks = _speaking(lines)
    kept: list[str] = []
    for n, line in enumerate(lines):
        if FOOTER.fullmatch(line) or _broken_footer(lines, n):
            if _said(kept) and not speaks[n]:
                break
            continue
        if (DISCLAIMER.match(line) or _delimits(lines, n)) and not speaks[n] and _says_more(kept):
            break
        kept.append(line)
    return kept


def _broken_footer(lines: list[str], at: int) -> bool:
    """Whether a footer begins here that was broken at its links ("Envoyé à partir de", "Courrier", "pour Windows")."""
    if not OPENS.match(lines[at]):
        return False
    some = [line for line in lines[at : at + 4] if line][:3]
    return any(len(some) >= n and len(max(some[:n], key=len)) <= 40 and FOOTER.fullmatch(" ".join(some[:n])) for n in (2, 3))


def _delimits(lines: list[str], at: int) -> bool:
    """Whether a signature that a program set begins here. No program sets a closing formula: that is the sender's own."""
    below = _filled(lines, at + 1)
    if lines[at].startswith("__") and sum(line.startswith("__") for line in lines) > 1:  # rules between points
        return False
    return bool(DELIMITER.fullmatch(lines[at])) and not (below < len(lines) and _SIGN_OFF.match(lines[below]))


def _speaking(lines: list[str]) -> list[bool]:
    """For each line, whether a person speaks in it or below it, or too much follows to be a signature or a disclaimer."""
    found, count, spoken = [False] * len(lines), 0, False
    for n in range(len(lines) - 1, -1, -1):
        line = lines[n]
        count += bool(line)
        of_a_program = FOOTER.fullmatch(line) or DISCLAIMER.match(line)
        spoken = spoken or bool(not of_a_program and (_PERSONAL.search(line) or line.endswith("?")))
        found[n] = spoken or count > MAX_BELOW
    return found


def _says_more(kept: list[str]) -> bool:
    """Whether more than a greeting stands there."""
    return _said([line for line in kept if not _GREETING.fullmatch(line)])


def question_text(text: str) -> str:
    """Own words without the closing and the signature: what is read for its meaning."""
    lines = [clean(line) for line in own_words(text).split("\n")]
    speaks = _speaking(lines)
    marked = (n for n, line in enumerate(lines) if n and _SIGNATURE.match(line) and not speaks[n])
    mark = next(marked, len(lines))
    lines, after = lines[:mark], lines[mark:]
    kept: list[str] = []
    for n, line in enumerate(lines):
        closes = _SIGN_OFF.match(line) and "?" not in line and not _WISH.search(line)
        if kept and len(lines) - n <= CLOSING and closes and _ends_soon(lines[n + 1 :]):
            after = lines[n + 1 :] + after
            break
        kept.append(line)
    kept += [line for line in after if _AFTERTHOUGHT.match(line)]
    return "\n".join(_joined(_unsigned(kept))).strip() or own_words(text)


def _unsigned(lines: list[str]) -> list[str]:
    """Without a name and a function at the end that no formula announces."""
    end = len(lines)
    while end > 1 and (not lines[end - 1].strip() or _is_name(lines[end - 1])):
        end -= 1
    said = [line for line in lines[:end] if len(line.split()) > 3]
    return lines[:end] if said else lines


def _is_name(line: str) -> bool:
    named = len(line.split()) <= 6 and line.strip()[:1].isupper() and not re.search(r"[?!.:;)]\s*$", line)
    return bool(named) and not _PERSONAL.search(line) and not (ASKS.search(plain(line)) or _QUESTION.match(line))


def _ends_soon(rest: list[str]) -> bool:
    """Whether what follows a closing formula is a signature and not more of the message."""
    said = [line for line in rest if line.strip() and not _AFTERTHOUGHT.match(line)]
    return len(said) <= 8 and all(_SIGN_OFF.match(line) or not (_PERSONAL.search(line) or "?" in line) for line in said)


def _joined(lines: list[str]) -> list[str]:
    """Lines that a mail program wrapped are one sentence again; short lines and list items stay their own."""
    out: list[str] = []
    for line in lines:
        wrapped = out and len(out[-1]) >= 60 and line[:1].islower() and not re.match(r"\s*[-*•\d]", line)
        if wrapped:
            out[-1] = f"{out[-1]} {line}"
        else:
            out.append(line)
    return out
