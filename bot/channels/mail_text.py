"""What a correspondent wrote this time: a mail's text without the quoted thread, the footers and the signature. Pure.

``mailparser_reply`` knows the quote headers of many programs; the passes here mend what it misses in French (no-break
spaces before the colon, headers that wrap, mobile footers, names that end in "le") and take the signature off.
"""

from __future__ import annotations

import re

from mailparser_reply import EmailReplyParser

from bot.core.text import clean

MAX_CHARS = 50_000  # of a mail's text that is read; a longer one is cut, the trainer sees the original

_QUOTE_HEADER = re.compile(
    r"^[ \t]*(?:"
    r"(?:Le|On|El|Am|Il|Op|Em)\b[^\n]{0,200}(?:\n[^\n]{0,200}){0,2}?\b(?:a [ée]crit|wrote|escribi[óo]|schrieb"
    r"|ha scritto|schreef|escreveu)"
    r"[^\n:]{0,80}:[ \t]*$"
    r"|[-_ ]{2,}[ \t]*(?:Message (?:d'origine|transf[ée]r[ée]|original|initial)|Original Message|Forwarded message"
    r"|Courriel d'origine)\b"
    r"|_{10,}[ \t]*$"
    r"|(?:De|From|Von)[ \t]*:[^\n]+\n(?:[^\n]*\n)?[ \t]*(?:Envoy[ée]|Sent|Date|[ÀA]|To|Gesendet|Objet|Subject)[ \t]*:"
    r")",
    re.M | re.I,
)
_FOOTER = re.compile(
    r"^[ \t]*(?:Envoy[ée] (?:de|depuis|avec|par|via)\b|Sent (?:from|with)\b|T[ée]l[ée]charge[rz] Outlook"
    r"|Get Outlook|Obtenir Outlook"
    r"|Ce (?:message|courriel|mail|courrier)\b[^\n]{0,80}(?:confidentiel|engage|pi[èe]ces? jointes?|destin|usage|responsab)"
    r"|Les informations contenues dans ce|L'exp[ée]diteur d[ée]cline|Pensez (?:à l'environnement|avant d'imprimer)"
    r"|This (?:e-?mail|message)\b[^\n]{0,60}(?:confidential|intended)|Avant d'imprimer|P Avant d'imprimer"
    r"|[^\n]{0,60}Ce (?:courriel|message|mail) n'engage)",
    re.M | re.I,
)
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
    r"|au plaisir|d'avance merci|dans l'attente|en vous remerciant|bav|bonne (?:continuation|r[ée]ception)|b[àa]v|a\+)",
    re.I,
)
_AFTERTHOUGHT = re.compile(r"^\s*p\.?\s?s\.?\b", re.I)
_PARSER = EmailReplyParser(languages=["fr", "en"])


def own_words(text: str) -> str:
    """The sender's own words of this mail; "" where there are none (a mail that only quotes)."""
    text = "\n".join(clean(line) for line in text[:MAX_CHARS].replace("\r\n", "\n").split("\n"))
    cut = _QUOTE_HEADER.search(text)
    head = text[: cut.start()] if cut else text
    head = "\n".join(line for line in head.split("\n") if not line.lstrip().startswith(">"))
    footer = _FOOTER.search(head)
    if footer:
        head = head[: footer.start()]
    replies = _PARSER.read(text=head).replies
    body = replies[0].body.strip() if replies else ""
    # it takes a list of questions for a signature: what it cut is only trusted where no question is lost
    return body if body and body.count("?") == head.count("?") and "\n-" not in head else head.strip()


def question_text(text: str) -> str:
    """Own words without the closing and the signature: what is read for its meaning."""
    lines = own_words(text).split("\n")
    mark = next((n for n, line in enumerate(lines) if n and _SIGNATURE.match(line)), len(lines))
    lines, after = lines[:mark], lines[mark:]
    kept: list[str] = []
    for n, line in enumerate(lines):
        if kept and _SIGN_OFF.match(line) and _ends_soon(lines[n + 1 :]):
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
    return len(line.split()) <= 6 and line.strip()[:1].isupper() and not re.search(r"[?!.:;)]\s*$", line)


def _ends_soon(rest: list[str]) -> bool:
    """Whether what follows a closing formula is a signature and not more of the message."""
    said = [line for line in rest if line.strip() and not _AFTERTHOUGHT.match(line)]
    return len(said) <= 8 and not any("?" in line for line in said)


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
