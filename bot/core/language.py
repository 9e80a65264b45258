"""Which language a message is written in: French, English, or too little to say. Pure.

Decided by the small words that hold a sentence together. Nouns travel ("le replay du meeting ?", "is there a convocation?"),
small words do not; so they count alone, with a few nouns that neither language has borrowed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

from bot.core.model import Dialogue, Escalation, Intent, Message, Turn
from bot.core.text import ELISIONS, WORD, clean, plain

Language = Literal["fr", "en"]

# words that both languages use ("on", "me", "as", "car", "pause", "parking", "programme") stand in neither list
_FRENCH = frozenset(
    """le la les l une un des du de d au aux ce cet cette ces ca cela c ceci mon ma mes ton ta tes votre vos notre nos leur leurs
    je j tu il elle nous vous ils elles se s moi toi lui eux y en qui que qu quoi dont ou quand comment combien pourquoi
    quel quelle quels quelles est sont suis es etes sommes etait sera serait serai etre ai avez avons ont avait aura aurait
    avoir aurai peut peux pouvez pouvons pourrait pourriez pourrai dois doit devez faut faudra faudrait fait faire faites va
    vais vont allez veux veut voulez voudrais voudrait sais sait savez viens vient venir pas ne n plus jamais rien et mais
    donc puis alors si dans sur sous avec sans pour par chez vers entre avant apres pendant depuis jusqu jusque lors selon
    meme aussi tres trop bien oui non bonjour bonsoir salut coucou rebonjour merci mercis stp svp plait voila desole desolee
    pardon dites aujourd hier demain tout toute tous toutes bon bonne bons bonnes matin midi soir soiree lundi mardi
    mercredi jeudi vendredi samedi dimanche jour jours heure heures semaine mois annee debut horaire horaires cours
    formation formateur formatrice stagiaire salle lieu adresse acces prix tarif repas dejeuner cantine materiel duree
    referent malade retard besoin quelqu cordialement slt bjr bsr cc koi kel kelle kan komen keske kesk pk pq pcq pck dc ya
    tt ts tte jsuis chui chuis jai jpeux jpe jveux jvoudrais cb qd ds nn mrc mci dsl tkt fo keur cmt mtn ajd oue ouais nan
    bah ben wesh faque""".split()
)
_ENGLISH = frozenset(
    """the an i im ive youre you your yours we were our ours us he she it its they them their theirs my his her hers this that
    these those there here what when where which who whom whose why how is isnt are arent was wasnt be been being am do does
    did doing dont doesnt didnt have has had having havent hasnt can could cannot cant couldnt will would wont wouldnt shall
    should shouldnt may might must not to of in at by from with without into onto about for and but if because than then
    before after during until till while again also too any some every each much many more most few both either neither
    please thanks thank hello hi hey morning afternoon evening tonight today tomorrow yesterday monday tuesday wednesday
    thursday friday saturday sunday day days hour hours week weeks month months time times start starts begin begins finish
    ends ending bring need needs want wants wanted wondering know knows get gets got give gives given take takes tell ask
    asking going make makes send sent speak talk talking help late later early earlier someone somebody anyone anybody
    anything something everything nothing human breaks lunch course trainer teacher room schedule price prices cost costs
    fee fees venue equipment address certificate lasts handouts wheelchair deaf blind disabled sick unwell english goodbye
    regards u ur r pls plz wanna gonna gotta lemme""".split()
)
_CONTRACTED = re.compile(
    r"\b(?:i'm|i've|i'll|i'd|\w+n't|(?:it|that|what|where|when|who|how|there|here)'s|(?:you|we|they)'(?:re|ve|ll|d))\b"
)
_NOISE = re.compile(r"https?://\S+|www\.\S+|\S+@\S+|#A\d+|^\s*\[[^\]]*\]|(?<!\w)/\w+", re.I)
_QUOTED = re.compile(r"“[^”]*”|«[^»]*»|\"[^\"]*\"")  # a title or a term, maybe of the other language
_ACCENTS = re.compile(r"[àâçèéêëîïôùûœ]", re.I)
LONGEST = 32  # letters of a word that tell its language
_SENTENCE_END = frozenset('.?!:;\n—–-"«“(')


def language_of(text: str) -> Language | None:
    """The language of a text; None where it says too little ("ok", "online", "inter", a number)."""
    text = _NOISE.sub(" ", clean(text))
    return _counted(_QUOTED.sub(" ", text)) or _counted(text)


def _counted(text: str) -> Language | None:
    text = ELISIONS.sub(lambda m: m[0][:-1] + "' ", text)
    french = english = 0
    for found in WORD.finditer(text):
        word = found[0]
        if is_name(word, text[: found.start()]):
            continue
        speaks = _speaks(word[:LONGEST])
        french += speaks[0]
        english += speaks[1]
    if english > french:
        return "en"
    return "fr" if french else None


@lru_cache(maxsize=4096)  # small words are most of what is said
def _speaks(word: str) -> tuple[int, int]:
    """How much a word tells of French, and of English."""
    flat = plain(word).strip("'")
    if _CONTRACTED.fullmatch(flat):
        return 0, 2
    accented = bool(_ACCENTS.search(word))
    french = accented or any(piece in _FRENCH for piece in re.split("['-]", flat))
    return int(french), int(flat.replace("'", "") in _ENGLISH and not accented)


def first_known(texts: Iterable[str]) -> Language | None:
    """The language of the first text that tells."""
    return next((known for known in map(language_of, texts) if known), None)


def conversation_language(message: Message, known: Dialogue | None) -> Language:
    """The language to answer in: the message's own, else that of what the learner, or else the bot, said last.

    A button and a command are no words of the learner's. In a group, what was said elsewhere does not count. The stored
    conversation counts also where it expired: an old button still has its label.
    """
    own = () if message.intent in (Intent.PRESS, Intent.COMMAND) else (message.text, message.whole, message.subject or "")
    before = () if message.group or known is None else known.turns
    return first_known((*own, *_said(before, "learner"), message.quoted, *_said(before, "bot"))) or "fr"


def escalation_language(escalation: Escalation) -> Language:
    """The language of the learner whose questions were passed on."""
    if escalation.language in ("fr", "en"):
        return escalation.language  # type: ignore[return-value]
    turns = escalation.conversation
    return first_known((*escalation.questions, *_said(turns, "learner"), *_said(turns, "bot"))) or "fr"


def _said(turns: Iterable[Turn], speaker: str) -> list[str]:
    """The words of one side, the last first."""
    return [turn.text for turn in turns if turn.speaker == speaker][::-1]


def is_name(word: str, before: str) -> bool:
    """A capital inside a sentence is a name's: the "La" of a trainer's name does not make a message French."""
    ahead = before.rstrip(" ")
    return len(word) > 1 and word[0].isupper() and word[1:].islower() and bool(ahead) and ahead[-1] not in _SENTENCE_END
