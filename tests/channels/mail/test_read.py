"""What is read of a mail. The mails are invented; the quote headers are those of the programs named."""

from __future__ import annotations

import json
from email.message import EmailMessage
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.mail.html import text_of
from bot.channels.mail.read import Mail, read_mail
from bot.channels.mail.words import own_words

QUOTES: dict[str, str] = yaml.safe_load((Path(__file__).parents[2] / "data" / "mail" / "quotes.yaml").read_text("utf-8"))
SAID = "Bonjour,\n\nJe commence à quelle heure lundi ?\nMerci d'avance"


@pytest.mark.parametrize("program", QUOTES)
def test_what_a_program_quotes_below_is_not_taken_for_the_senders_words(program: str) -> None:
    assert own_words(f"{SAID}\n\n{QUOTES[program]}\n") == SAID


def test_words_keep_their_apostrophes_and_blanks() -> None:
    said = "C\u2019est à 9\u00a0h\u202f? J\u2019arrive  à\u00a0l\u2019heure."
    assert own_words(f"{said}\u200b\n\nLe 03/11/2026 à 09:12, Ana a écrit\u00a0:\n> Bonjour") == said


def test_answers_below_and_between_quotes_are_kept() -> None:
    quoted = "Le 03/11/2026 à 09:12, Contact a écrit :\n> Venez-vous ?\nOui, lundi.\n> Déjeunez-vous ?\nNon merci."
    assert own_words(quoted) == "Oui, lundi.\nNon merci."


@pytest.mark.parametrize(
    "said",
    [
        "Le formateur a écrit : venez à 9 h. C'est sûr ?",
        "Le 12 à 9:30 Ana m'a écrit : venez. J'y vais ?",
        "De : 9 h à 12 h, c'est ça ?",
        "De : Lyon\nÀ : Poitiers\nDate : 12 mars\nObjet : trajet\nEst-ce remboursé ?",
        "3 agents à inscrire pour le 12/03 à 9:30, contact ana@example.org :\nPaul\nLéa",
        "- un\n- deux ?",
        "- faut-il écrire mon nom au-dessus de la photo ?",
        "1) Effectif\n____\nDouze.\n____\n2) Budget\n____\nNeuf cents euros.",
        "Bonjour\n--\nMerci de nous confirmer les horaires",
        "Attention : je viens de l'extérieur de la ville, où me garer ?",
        "Obtenir Outlook est-il nécessaire ?",
        "Ce mail contient en pièces jointes les deux fiches.",
    ],
)
def test_a_senders_own_sentence_is_not_taken_for_a_quote(said: str) -> None:
    assert own_words(said) == said


@pytest.mark.parametrize(
    "line",
    [
        "Oui, lundi. Le mer. 9 sept. 2026 à 18:38, Contact <contact@example.org> a écrit : Venez-vous ?",
        "Oui, lundi. Envoyé depuis l'application Mail Orange ------------ De: contact@example.org Objet: Stage Venez-vous ?",
        "Oui, lundi. Envoyé de mon iPhone",
    ],
)
def test_a_quote_whose_line_breaks_a_program_dropped_is_cut_within_its_line(line: str) -> None:
    assert own_words(line) == "Oui, lundi."


def test_a_signature_with_an_address_is_none_of_the_senders_words() -> None:
    assert own_words("À quelle heure ?\n\n-- \nMairie\n3 place du Marché\nPrenez rendez-vous") == "À quelle heure ?"


def test_words_below_a_forward_that_ends_with_its_marks_are_kept() -> None:
    assert own_words("Voyez :\n\nBegin forwarded message:\n\n> À lundi.\n\nQu'en pensez-vous ?").endswith("Qu'en pensez-vous ?")


def test_an_organisations_warning_above_a_mail_is_not_the_senders() -> None:
    warned = "ATTENTION : ce message provient d'un expéditeur externe, ne cliquez sur aucun lien.\n\nÀ quelle heure ?"
    assert own_words(warned) == "À quelle heure ?"


def mail(text: str = SAID, html: str = "", sender: str = "Ana <ana@example.org>", **headers: str) -> Mail:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, "contact@example.org", "Stage"
    message["Message-ID"] = "<1@example.org>"
    for name, value in headers.items():
        del message[name.replace("_", "-")]
        message[name.replace("_", "-")] = value
    if text:
        message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return read_mail(message.as_bytes())


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({"Auto-Submitted": "auto-replied"}, "autoreply"),
        ({"Auto-Submitted": "auto-generated (cron)"}, "automatic"),
        ({"Return-Path": "<>"}, "bounce"),
        ({"Precedence": "bulk"}, "list"),
        ({"List-Id": "<stage.example.org>"}, "list"),
        ({"List-Unsubscribe": "<mailto:x@example.org>"}, "list"),
        ({"X-Autoreply": "yes"}, "autoreply"),
        ({"X-Failed-Recipients": "x@example.org"}, "bounce"),
        ({"Sender": "mailer-daemon@example.org"}, "automatic"),
        ({"X-Loop": "contact@example.org"}, "automatic"),
        ({"Message-ID": "<dovecot-sieve-1@example.org>"}, "autoreply"),
        ({"Return-Path": "<>", "Auto-Submitted": "auto-replied (vacation)"}, "autoreply"),
        ({"Return-Path": "<>", "Auto-Submitted": "no (vacation)"}, "autoreply"),
        ({"Precedence": "auto-reply"}, "list"),
        ({"X-Autoresponder": "1"}, "autoreply"),
        ({"X-BeenThere": "stage@example.org"}, "list"),
    ],
)
def test_a_programs_mail_is_never_answered(headers: dict[str, str], kind: str) -> None:
    found = mail(**headers)
    assert (found.kind, found.may_answer, found.automatic) == (kind, False, True)


@pytest.mark.parametrize(
    "who", ["no-reply@example.org", "ne-pas-repondre@example.org", "bounces+12=x@example.org", "postmaster@x.fr"]
)
def test_an_address_that_nobody_reads_is_never_answered(who: str) -> None:
    assert mail(sender=who).automatic


@pytest.mark.parametrize("no", ["no", "No", "no (a person)"])
def test_a_mail_that_says_that_it_is_not_automatic_is_answered(no: str) -> None:
    assert mail(Auto_Submitted=no).may_answer


@pytest.mark.parametrize(
    ("text", "may_answer"),
    [
        ("Bonjour,\nJe suis absente du 2 au 9 mars, je vous répondrai à mon retour.\nCordialement", False),
        ("Ceci est une réponse automatique. En cas d'urgence, contactez l'accueil.", False),
        ("Bonjour, je suis en congé maladie, est-ce que je peux décaler mon stage ?", True),
        ("je suis en congé mais je viens lundi, à quelle heure ?", True),
        ("La formation coûte 550 euros ? Mon adresse : ana@example.org", True),
    ],
)
def test_an_out_of_office_without_headers_is_told_from_a_person_on_leave(text: str, may_answer: bool) -> None:
    found = mail(text)
    assert found.may_answer is may_answer
    assert not found.automatic  # words alone prove nothing: what is not answered is a person's to read


@pytest.mark.parametrize(
    "subject", ["Auto-école et horaires", "Absence du 12 mars : puis-je rattraper ?", "RE: lecture : le texte"]
)
def test_a_learners_subject_is_not_taken_for_a_programs(subject: str) -> None:
    assert mail(Subject=subject).may_answer


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({"sender": "Ana <ana@example.org>, Bob <bob@example.org>"}, "several senders"),
        ({"sender": "Ana"}, "no sender"),
        ({"X_Auto_Response_Suppress": "All"}, "no automatic reply"),
        ({"text": "-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----"}, "encrypted"),
        ({"Return_Path": "<bob@example.org>"}, "another sender"),
        ({"X_Spam_Flag": "YES"}, "spam"),
        ({"X_Spam_Status": "Yes, score=12.3 required=5"}, "spam"),
        ({"X_SES_Spam_Verdict": "FAIL"}, "spam"),
        ({"Authentication_Results": "mx.example.org; dmarc=fail header.from=example.org"}, "does not believe"),
        ({"X_Original_Sender": "bob@example.org"}, "a group"),
        ({"Return_Path": "<www-data@web.example>"}, "a website's form"),
        ({"sender": "wordpress@web.example", "Reply_To": "ana@example.org"}, "Reply-To"),
        ({"X_OTRS_Loop": "yes"}, "ticket system"),
        ({"Subject": "[AUTO GENERATED] État"}, "subject of an automatic reply"),
        ({"Subject": "Votre demande a bien été enregistrée", "text": "Elle porte le numéro 12."}, "receipt"),
        ({"Subject": "Accepté : stage", "text": "Ana participera."}, "invitation"),
        ({"text": "Des promotions !\nPour vous désinscrire, cliquez ici."}, "newsletter"),
        ({"text": "Je suis absente jusqu'au 12. Je pourrai vous répondre dès mon retour."}, "words of an automatic reply"),
        ({"text": "Merci de ne pas répondre à ce message."}, "words of an automatic reply"),
    ],
)
def test_what_only_a_person_can_judge_is_left_to_one(headers: dict[str, str], why: str) -> None:
    found = mail(**headers)
    assert why in found.why_not
    assert not found.automatic


def test_a_filter_that_finds_nothing_takes_no_answer_away() -> None:
    passed = {"X-Spam-Flag": "NO", "X-Spam-Status": "No, score=-1.0", "X-MS-Exchange-Organization-SCL": "1"}
    assert mail(Authentication_Results="mx.example.org; dmarc=pass", **passed).may_answer


@pytest.mark.parametrize(
    "headers",
    [
        {"Return-Path": "<bounces+SRS=44ldt=IX@relay.example>"},
        {"Return-Path": "<ana+caf_=contact=formation.example@example.org>"},
        {"Feedback-ID": "27473442:user:proton"},
        {"Subject": "RE: Réponse automatique : Horaires"},
        {"Subject": "Invitation : puis-je venir à deux ?"},
        {"X-MS-Exchange-Inbox-Rules-Loop": "ancien@example.org"},
    ],
)
def test_what_a_mailbox_forwards_or_a_provider_marks_is_still_a_persons(headers: dict[str, str]) -> None:
    assert mail(**headers).may_answer


def test_an_answer_to_a_websites_form_has_no_address_to_go_to() -> None:
    found = mail(sender="wordpress@web.example", Reply_To="ana@example.org")
    assert (found.sender, found.automatic) == ("", False)


@pytest.mark.parametrize("text", ["Désinscrivez-moi de la session de mars, puis-je venir en juin ?", "Je veux me désabonner."])
def test_who_wants_to_leave_is_a_person(text: str) -> None:
    assert mail(text).may_answer


def test_a_mail_sent_on_without_a_word_is_left_to_a_person() -> None:
    inner, outer = EmailMessage(), EmailMessage()
    inner["From"], inner["Subject"] = "bob@example.org", "complaint"
    inner.set_content("À quelle heure ?")
    outer["From"], outer["Message-ID"] = "ana@example.org", "<1@example.org>"
    outer.add_attachment(inner)
    assert "sends a mail on" in read_mail(outer.as_bytes()).why_not


def test_what_exchange_made_of_an_encrypted_mail_is_known_for_encrypted() -> None:
    raw = (
        b"From: ana@example.org\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
        b"Content-Type: application/pgp-encrypted\r\n"
        b"\r\nVersion: 1\r\n--b\r\nContent-Type: application/octet-stream; name=encrypted.asc\r\n\r\n-----BEGIN\r\n--b--\r\n"
    )
    assert read_mail(raw).why_not == "encrypted"


def test_words_in_parts_whose_boundary_stands_nowhere_are_read() -> None:
    assert (
        read_mail(b"\r\nFrom: ana@example.org\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\nC'est quand ?\r\n").text
        == "C'est quand ?"
    )


def test_a_report_that_a_mail_arrived_is_no_mail_that_came_back() -> None:
    raw = (
        b"From: MAILER-DAEMON@example.org\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
        b"Final-Recipient: rfc822; a@x\r\nAction: %s\r\n--b--\r\n"
    )
    assert [read_mail(raw % action).kind for action in (b"relayed", b"failed")] == ["automatic", "bounce"]


def test_an_html_mail_of_outlook_gives_its_words_without_the_thread() -> None:
    html = (
        "<html><head><style>p{margin:0}</style></head><body><p class=MsoNormal>Bonjour,</p><p>À quelle heure&nbsp;?<br>Ana</p>"
        '<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3pt 0 0 0"><p><b>De :</b> Contact</p></div><p>Ancien</p>'
    )
    assert mail("", html).text == "Bonjour,\n\nÀ quelle heure ?\nAna"


def test_attachments_are_named_and_never_read() -> None:
    message = EmailMessage()
    message["From"] = "ana@example.org"
    message.set_content("Voici le document.")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="../../etc/conven\u202etion.pdf")
    message.add_attachment("à quelle heure ?", filename="question.txt")
    message.add_attachment(b"x", maintype="image", subtype="png", filename="image001.png")
    found = read_mail(message.as_bytes())
    assert found.attachments == ("convention.pdf", "question.txt")
    assert found.text == "Voici le document."


def test_a_receipt_an_invitation_and_a_report_are_told_apart() -> None:
    def multipart(kind: str, inner: str) -> bytes:
        head = f"From: ana@example.org\nMIME-Version: 1.0\nContent-Type: multipart/{kind}; boundary=b\n\n"
        return f"{head}--b\nContent-Type: {inner}\n\nx\n--b--\n".encode()

    assert read_mail(multipart("report; report-type=disposition-notification", "text/plain")).kind == "receipt"
    assert read_mail(multipart("report; report-type=delivery-status", "message/delivery-status")).kind == "bounce"
    assert read_mail(multipart("mixed", 'text/calendar; method="REQUEST"')).kind == "invitation"
    enveloped = read_mail(multipart("mixed", "application/pkcs7-mime; smime-type=enveloped-data"))
    assert enveloped.why_not == "encrypted"


@pytest.mark.parametrize(
    ("body", "charset", "text"),
    [
        ("à quelle heure ?".encode("latin-1"), "iso-8859-1", "à quelle heure ?"),
        ("à quelle heure ?".encode(), "x-unknown", "à quelle heure ?"),
        ("à 9 h".encode("cp1252"), "utf-8", "à 9 h"),
        (b"\x00salut\x1b[31m", "us-ascii", "salut[31m"),
    ],
)
def test_any_charset_gives_text(body: bytes, charset: str, text: str) -> None:
    raw = f"From: ana@example.org\nContent-Type: text/plain; charset={charset}\n\n".encode() + body
    assert read_mail(raw).text == text


def test_an_encoded_line_feed_in_a_header_stays_in_its_line() -> None:
    found = read_mail(b"From: =?utf-8?q?A=0ABcc:_x?= <ana@example.org>\nSubject: =?utf-8?q?a=0D=0ABcc:_x@y.z?=\n\nBonjour ?")
    assert found.sender == "ana@example.org"
    assert "\n" not in found.subject + found.name


NESTED = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(2000))
HOSTILE = {
    "nested": b"From: ana@example.org\n" + NESTED,
    "parts": b"From: ana@example.org\nContent-Type: multipart/mixed; boundary=a\n\n" + b"--a\n\n\n" * 100_000,
    "header": b"From: ana@example.org\nReferences: " + b"<a@b> " * 200_000 + b"\n\nBonjour",
    "to": b"From: ana@example.org\nTo: " + b"a@b.fr, " * 100_000 + b"\n\nBonjour",
    "size": b"From: ana@example.org\n\n" + b"Bonjour\n" * 1_300_000,
    "html": b"From: ana@example.org\nContent-Type: text/html\n\n" + b"<div>" * 100_000,
    "line": b"From: ana@example.org\n\n" + b"a" * 500_000,
    "quotes": b"From: ana@example.org\n\n" + b"Le 3 mars\n" * 40_000,
    "semicolons": b"From: ana@example.org\nContent-Type: multipart/mixed" + b";" * 300_000 + b"\n\nBonjour",
    "message id": b"From: ana@example.org\nMessage-ID: <[x]>\n\nBonjour ?",
}


@pytest.mark.parametrize("what", HOSTILE)
@pytest.mark.timeout(20)  # a bound, no measure: each takes far less than a second
def test_a_hostile_mail_is_read_in_bounded_time(what: str) -> None:
    assert read_mail(HOSTILE[what]).sender == "ana@example.org"


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=400), st.sampled_from([b"From: ", b"Subject: ", b"Content-Type: ", b"Message-ID: ", b"Date: ", b"\n\n"])
)
def test_no_bytes_make_the_reader_raise(noise: bytes, before: bytes) -> None:
    found = read_mail(b"From: ana@example.org\n" + before + noise + b"\n\n" + noise)
    found.text.encode()


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300))
def test_no_html_makes_the_reader_raise(html: str) -> None:
    text_of(f"<div>{html}</div>").encode("utf-8", "surrogatepass")


CASES = [
    json.loads(line) for line in (Path(__file__).parents[2] / "data" / "mail" / "own_words.jsonl").read_text("utf-8").splitlines()
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_mail_of_many_programs_gives_its_senders_words(case: dict[str, str]) -> None:
    """Blank lines do not count. What is known to fail complains when it starts to pass."""
    content = case["content"]
    found = {
        "mail": lambda: read_mail(content.encode()).text,
        "html": lambda: own_words(text_of(content)),
        "text": lambda: own_words(content),
    }[case["form"]]()
    same = _lines(found) == _lines(case["expected"])
    assert same is not case.get("fails", False)


def _lines(text: str) -> list[str]:
    text = text.replace("’", "'").replace("\u00a0", " ").replace("\u202f", " ")
    return [line.rstrip() for line in text.split("\n") if line.strip()]
