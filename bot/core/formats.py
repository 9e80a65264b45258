"""Which format of the training a text names, and whether that is all it says."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.core.model import Format, FormatNames
from bot.core.text import plain, words

_DENIED = re.compile(r"\b(?:pas|plus|ni|not|sans)\b[\w' ]*$")
_OTHERS = re.compile(r"\b(?:collegues?|ceux|celles?|elles?|eux|lui|mari|amie?s?|chef|cheffe|directrice|directeur|autres?)\b")
_OWN = re.compile(r"\b(?:moi|je|j|jsuis|chui|suis|nous|notre|mon|ma)\b")
_FILLER = frozenset(
    """c ce cest est en a la le les l d de du des au aux je j suis jsuis chui moi pour mon ma notre nous oui non pardon alors donc
    bah ben euh svp stp merci session formation format formule inscrit inscrite avec d'autres autres chez sera cours in the it is
    i'm im my me one version mode plutot enfin dans un une s il vous plait bonjour ok crois pense et finalement qui celle celui
    ca cela t'es tes c'est it's ouais desole desolee voila du coup fait""".split()
)


class FormatReader:
    """Finds the names that people give to the formats."""

    def __init__(self, formats: Mapping[Format, FormatNames]) -> None:
        names = [(plain(name), format) for format, named in formats.items() for name in named.names]
        longest_first = "|".join(re.escape(name) for name, _ in sorted(names, key=lambda n: -len(n[0])))
        self._format_of = dict(names)
        self._named = re.compile(rf"(?<!\w)(?:{longest_first})(?!\w)" if names else r"(?!)")

    def said(self, flat: str) -> Format | None:
        """The format that a plain text names last and does not deny."""
        named = [hit for hit in self._named.finditer(flat) if not _DENIED.search(flat[max(0, hit.start() - 14) : hit.start()])]
        return self._format_of[named[-1][0]] if named else None

    def words_beside(self, flat: str) -> list[str]:
        """The words that are neither a format's name nor filling: none, where the text only names a format."""
        return [word for word in words(self._named.sub(" ", flat)) if word not in _FILLER]

    @staticmethod
    def about_others(flat: str) -> bool:
        """Whether a format named is somebody else's: a colleague's format is not one's own."""
        return bool(_OTHERS.search(flat)) and not _OWN.search(re.sub(r"\bm(?:a|on|es) (?=coll|mari|amie?|chef|direct)", "", flat))
