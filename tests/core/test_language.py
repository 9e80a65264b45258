"""In which language a message is written: whole sentences, two words, and what says too little."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.language import conversation_language, escalation_language, language_of
from bot.core.model import Dialogue, Escalation, Intent, Message, Status, Turn
from bot.core.rehearse import START

ENGLISH = """Is there parking?
thanks!
Thank you so much, that helps
what time do we start
Hello
hi there
when is lunch?
and the breaks?
Where's the venue?
where
yes please
how long
don't know
I'm late
It's in person
intra, at our office
can i bring my dog
r u open tomorrow
do I need a laptop
Can I speak to Denis La Mache?
thanks Denis La Mache
what does “convention de formation” mean
Is “Sociologie du travail pour managers” right for me?
is it online or on site?
[photo] here is my certificate
my password doesn't work
I am deaf, will there be an interpreter for me
good morning, my name is José and I am in the March session
WHAT TIME DO WE FINISH
are you an AI?
Please send the invoice to compta@la-mairie-de-la-ville.fr as soon as possible
who is the référent handicap for us?""".splitlines()

FRENCH = """le replay du meeting ?
c'est quoi le welcome pack
je suis late au meeting
le workshop c'est when ?
on fait un feedback à la fin ?
y a un badge pour le parking ?
slt c koi l heure
koi com materiel svp
jsuis en remote moi
hello c'est à quelle heure ?
hello, horaires ?
thanks pour la réponse
we dispo ce week-end ?
ou est le parking
bon week-end
où ?
merci
Bonjour
horaires
à quelle heure on commence
le login Moodle est hs
peut on venir par le train
t'es là ?
C'EST OU
est-ce certifiant
dites-moi
le trainer est sympa
faut-il un laptop
https://www.the-school.com/when-is-it c'est le bon lien ?""".splitlines()

TOO_LITTLE = """ok
online
inter
remote
feedback
badge
welcome pack
replay
parking?
Moodle ?
deadline
👍
123
?
#A12
/horaires
[photo]
https://www.the-school.com/when
Denis""".splitlines()


@pytest.mark.parametrize("text", ENGLISH)
def test_english(text: str) -> None:
    assert language_of(text) == "en"


@pytest.mark.parametrize("text", FRENCH)
def test_french(text: str) -> None:
    assert language_of(text) == "fr"


@pytest.mark.parametrize("text", ["", *TOO_LITTLE])
def test_too_little_to_say(text: str) -> None:
    assert language_of(text) is None


def said(text: str, **form: object) -> Message:
    return replace(Message("telegram:1", "telegram", "telegram:5", "telegram:5", text, START), **form)  # type: ignore[arg-type]


def known(*words: str) -> Dialogue:
    return Dialogue("telegram:5", turns=tuple(Turn("learner", w, START) for w in words))


def test_what_says_too_little_keeps_the_language_of_what_was_said_last() -> None:
    for words, language in (("is there lunch?", "en"), ("et le repas ?", "fr")):
        assert conversation_language(said("ok"), known("bonjour", words, "online")) == language
        assert conversation_language(said("", intent=Intent.PRESS, press="f:inter"), known(words)) == language
        assert conversation_language(said("/horaires", intent=Intent.COMMAND, command="horaires"), known(words)) == language
    assert conversation_language(said("ok"), None) == "fr"
    assert conversation_language(said("merci"), known("is there lunch?")) == "fr"
    assert conversation_language(said("is there lunch?"), known("bonjour")) == "en"


def test_a_group_has_no_conversation_but_a_button_there_is_under_a_text_of_ours() -> None:
    press = said("", intent=Intent.PRESS, press="f:inter", group=True)
    assert conversation_language(press, known("is there lunch?")) == "fr"
    asked = "That depends on the format of your course."
    assert conversation_language(replace(press, quoted=asked), known("bonjour")) == "en"


def test_a_mail_that_says_too_little_is_in_the_language_of_its_subject() -> None:
    assert conversation_language(said("Moodle?", channel="email", subject="How do I get in"), None) == "en"


def test_an_escalation_is_in_the_language_of_its_questions_or_else_of_the_conversation() -> None:
    me = "telegram:5"
    opened = Escalation(1, me, me, "", ("can I bring my dog?",), (), "unknown", (), False, Status.OPEN, ("telegram:1",), START)
    before = (Turn("learner", "hello, when is lunch?", START), Turn("bot", "Bonjour, à midi.", START))
    assert escalation_language(opened) == "en"
    assert escalation_language(replace(opened, questions=("ok",))) == "fr"
    assert escalation_language(replace(opened, questions=("ok",), conversation=before)) == "en"
    assert escalation_language(replace(opened, language="fr")) == "fr"
