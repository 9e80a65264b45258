"""By which words a message shows what it is about to do: ask, deny, disclaim, correct, greet, thank. Pure.

Written for plain text (``text.plain``): lower case, no accents.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from bot.core.text import plain, words

ASKS = re.compile(
    r"\?|^(?:et |mais )?(?:qui|quand)\b|\b(?:quel(?:le)?s?|combien|comment|c'est (?:quand|qui)|(?:a|avec|pour|par) qui"
    r"|(?:t'es|tu es|vous etes) qui"
    r"|ou est|c'est ou"
    r"|quoi|pourquoi|est[- ]ce|est-il|qu'est|faut|peut[- ]on|puis[- ]je|peux[- ]je"
    r"|a-t-il|a-t-on|y a|ya|(?:dois|doit|devons|devra|devrons)-|pouvez|pourriez|pourrais|savoir|dites|indiquer"
    r"|preciser|confirmer|sera[- ]t"
    r"|sont[- ](?:ils|elles)|avez[- ]vous|aurons[- ]nous|aura[- ]t|faites[- ]vous|cherche|trouve (?:pas|nulle)"
    r"|ne vois|ou ca|what|when|where|how"
    r"|which|is there|is it|are there|do (?:we|i|you)|does|can (?:i|we|you)|will (?:i|we|there)|should)\b"
    r"|\b(?:ou|quand)(?: (?:du coup|exactement|precisement|deja|svp|stp))?\W*$"  # "je me connecte où"
)
# nothing need be done about what is told beside it
DISCLAIMED = re.compile(
    r"\b(?:rien a (?:prevoir|faire|amenager|adapter)|(?:prevoyez|organisez|changez|prevoir|besoin de) rien|ne prevo\w+ rien"
    r"|pas (?:besoin )?d'amenagements?|aucun (?:amenagement|besoin)|aucune (?:mesure|demande)|rien de (?:special|particulier)"
    r"|je ne demande rien|nothing (?:is )?(?:needed|special)|need nothing|don'?t (?:organi[sz]e|need) any\w*"
    r"|personne n'est concerne|ne vous concerne pas|n'y (?:changez|faites) rien)\b"
)
NEGATED = re.compile(
    r"\b(?:je (?:ne )?(?:demande|parle|parlais|voulais|veux) pas|pas (?:de )?question (?:de|sur)"
    r"|(?:m'en|on s'en|je m'en) (?:fiche|fous|moque))\b"
)
LEANS = re.compile(
    r"^(?:et |ou |mais |puis )?(?:ca|c'est|elles?|ils?|est-ce que c'|(?:a quoi|d'ou|comment|quand|pourquoi) (?:cela|ca|y)"
    r"|(?:il )?y en a|is it|are they|how long is it|do (?:i|we))\b"
    r"|\b(?:quelle? (?:en|y) (?:est|sont))\b|\bqui (?:en )?est (?:l'|le |la )(?:refer|interloc)"
    r"|^(?:et )?(?:sous quelle forme|a quel endroit|par quel moyen|comment|quand|pourquoi|ou|combien)(?: ca| exactement)?\W*$"
)
# what may be asked of anything that was just spoken of: "c'est payant ?", "ça dure combien de temps ?"
ATTRIBUTES = re.compile(
    r"\b(?:dur\w+|long\w*|temps|heures?|h|quand|ou|combien|cher|gratuit\w*|pay\w+|cout\w*|obligatoire\w*|facultati\w+|compris\w*"
    r"|inclus\w*|prevue?s?|ser(?:t|vent|vir\w*)|utiles?|possibles?|jours?|comment|refer\w+|interloc\w+"
    r"|how|when|where|long|free|much|many)\b"
)
CORRECTS = re.compile(r"\b(?:non|pardon|finalement|en fait|trompee?|erreur|plutot|sorry|actually)\b")
GREETS = re.compile(r"\W*(?:re\W*)?(?:bonjour|bjr|bonsoir|bsr|salut|slt|hello|hi|coucou|cc|hey|good (?:morning|evening))\b")
_PREPOSED = re.compile(r"^(?:a|de|en|dans|pour|jusqu'a) ")
_OF_YOU = re.compile(r"^(?!.*\bqui\b).*\b(?:vous|tu|toi|t'es|vas?|vont|quelqu'un|you)\b")  # "comment allez-vous", "ça va"
_OF_ME = re.compile(r"(?:j'|(?:j[b-df-hk-np-tv-x]\w+|jai\w*|jarriv\w+|chuis?|je|on|nous|mon|ma|mes|i|i'm|my|we)\b)")
_INTRODUCES = re.compile(  # who somebody is, not what they need
    r"(?:je (?:m'appelle|me presente|participe|fais partie|viens de m'inscrire)|moi c'est|my name"
    r"|je suis (?:inscrite?|stagiaire|participante?|nouve\w+|l[ea]))\b"
)
_ADDRESSES = frozenset(
    """monsieur madame mademoiselle messieurs mesdames dames m mr mme mlle cher chere la le a l'equipe tous toutes
    tout monde et bonsoir bonjour toi vous encore rebonjour there all team sir dear everyone again ,""".split()
)
ADDRESSED = 4  # words of a greeting at most: "bonjour monsieur la mache,"
NOT_THAT = re.compile(r"\bnon\b.*\bje (?:parlais|parle|voulais dire|demandais)\b")
NOTED = re.compile(
    r"^\W*(?:ok(?:ay)?|d'?acc?(?:ord)?|c'?(?:est)? note|bien (?:recu|note)|super|parfait|nickel|top|tres bien|merci|merki"
    r"|ca marche|dac|(?:c'est |tout est )?(?:parfait|clair|impec\w*)|plus (?:aucune|de) questions?)\b"
)
JOINED = re.compile(r"\b(?:et|ainsi que|and)\b", re.I)
BYE = re.compile(
    r"\b(?:bonne (?:soiree|journee|nuit|fin|aprem|semaine)|bon (?:week-?end|aprem)"
    r"|a (?:demain|bientot|plus|lundi|jeudi|la revoyure|une autre fois)|ciao|bye|allez salut|au revoir|adieu|je vous laisse)\b"
    r"|^\W*a ?\+"
)
GRATEFUL = re.compile(
    r"\b(?:merci|thank|thx|(?:vous |te |soyez.{0,4} )?remerci\w*|(?:vous |t'|te )en (?:sais|suis) )"
    r"(?!.{0,12}\b(?:d'avance|par avance|de )\b)"
)
ASKED_FOR = re.compile(  # "merci de prévoir", which thanks for nothing yet; "demande d'aménagement"
    r"\b(?:merci|remercie)(?: bien| d'avance| par avance)? (?:de |d')(?:me |nous |m'|bien |ne pas )?"
    r"(?!avoir|etre|votre|notre|autre)\w+(?:er|ir|oir|re)\b"
    r"|(?<!pas )(?<!aucun )\b(?:demande|besoin)s? d'(?:une? )?"
    r"(?:amenagement|adaptation|accompagnement|assistance|aide)s?\b"
)
_OPENING = re.compile(r"^\W*(?:(?:allez|bon|ok|super|parfait)\W+(?!salut))*")
THANKS = re.compile(r"\b(?:m(?:er)?[ck]i|thank|thx)")
# not settled: "je ne comprends pas", "pour mon collègue"
UNSETTLED = re.compile(
    r"\b(?:pas|not|don't)\b|^(?:et|mais|ou|pour|avec|sans|chez|en|aux?|a|du|de|si|and|but|or|for|with|if|in)\b"
)
AGREE = frozenset(
    """oui ok yes ouais daccord d'accord si volontiers exactement voila c'est ca ouep yep svp stp merci absolument tout a
    fait""".split()
)


def opens_with_parting(flat: str) -> bool:
    """Whether a message without a question mark begins with thanks or a farewell; "de lundi à jeudi" is neither."""
    return "?" not in flat and any(regex.match(_OPENING.sub("", flat)) for regex in (GRATEFUL, BYE))


def without_denied(piece: str) -> list[str]:
    """A part without the clauses that say what is not asked: "je parle pas du prix, juste la durée"."""
    if not NEGATED.search(plain(piece)):
        return [piece]
    return [c for c in re.split(r"[,;]\s*|\s+(?:mais|juste|seulement)\s+", piece) if c.strip() and not NEGATED.search(plain(c))]


def is_greeting(piece: str) -> bool:
    """Whether a part greets and says nothing else: "bonjour monsieur," and "salut"."""
    return bool(GREETS.match(plain(piece))) and len(words(piece)) <= ADDRESSED and "?" not in piece


def without_greeting(piece: str, restore: Callable[[str], str], names: Collection[str] = ()) -> str:
    """What follows a greeting in one breath, which it would drown: "Bonjour, je n'arrive pas à me connecter".

    names: plain words by which somebody may be greeted in lower case as well."""
    if not GREETS.match(plain(piece)):
        return piece
    said = piece.split()
    for at in range(1, min(len(said), ADDRESSED + 1)):
        if at > 1 and not _is_address(said[at - 1], names):
            break
        if _stands(rest := " ".join(said[at:]), said[at - 1], restore):
            return rest
    return piece


def _is_address(word: str, names: Collection[str]) -> bool:
    """Whether a word behind a greeting may still be whom it greets: "bonjour monsieur La Mache"."""
    flat = plain(word).strip(".,;:!")
    return word[0].isupper() or word[-1] in ",;:" or flat in _ADDRESSES or flat in names


def _stands(rest: str, before: str, restore: Callable[[str], str]) -> bool:
    """Whether what follows a greeting, whose last word stands before it, is more than a part of it."""
    flat, count = plain(rest), len(words(rest))
    if count < 2 or (count <= ADDRESSED and _OF_YOU.search(flat)):
        return False
    if _INTRODUCES.match(flat):
        return asks(rest, rest)
    if before[-1] in ",;:":
        return count > 2 or asks(rest, restore(rest))
    return bool(ASKS.match(_PREPOSED.sub("", flat))) or (count > 2 and bool(_OF_ME.match(flat)))


def asks(text: str, normal: str) -> bool:
    """Whether a part asks something, as it was typed or once its spelling is restored."""
    return bool(ASKS.search(plain(text)) or ASKS.search(plain(normal)))


def courtesy(flat: str) -> str:
    """Which small talk fits a message that asks nothing: thanks, a farewell, a greeting, a nod, or what the bot cannot place."""
    if "?" not in flat and GRATEFUL.search(flat):
        return "thanks"
    if "?" not in flat and BYE.search(flat):
        return "goodbye"
    if GREETS.match(flat):
        return "greeting"
    if set(words(flat)) <= AGREE and "?" not in flat:
        return "thanks"  # "ok", a thumb up
    return "help"
