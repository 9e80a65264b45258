"""What mail programs write above what they quote or send on, in the languages of the programs that people use. Pure.

For lines of which apostrophes and blanks were made plain. A program's line names a time, a date or an address; a sentence of
the sender's own ("le 12, le formateur m'a écrit :") does not.
"""

from __future__ import annotations

import re

_DATED = r"(?=[^\n]*(?:\d[:h.]\d\d|\d{4}|\d[/.-]\d|@))(?![^\n]*\b(?:m'|t'|nous |vous )a [ée]crit)"
_TIMED = r"(?=.*(?:\d[:h.]\d\d|\d{4}[-/.]))"
_ADDRESS = r"[^<>\s]+@[^<>\s]+"
_VERB = (
    r"(?:a [ée]crit|wrote|escribi[óo]|schrieb(?: .{1,80})?|ha scritto|geschreven|schreef(?: .{1,80})?|escreveu|skrev(?: .{1,80})?"
    r"|napisa[łl](?:\(a\))?|napsal(?:\(a\))?|kirjoitti|đã viết|a scris|ezt írta|έγραψε|كتب)"
)
WROTE = re.compile(
    rf"[-— ]*(?:Le|On|Am|El|Il|In data|Op|Em|No dia|Den|På|W dniu|Dnia|Dne|Vào|Ti|Pe data|Στις|في)\b{_DATED}.{{3,300}}?"
    rf"\b{_VERB}(?:\s?:|,? ?(?:dans|in|le|am|um|on|sur|via|at|à|<|\(|\[)[^:?!]{{0,70}}:"
    rf"|[^:.?!]{{1,60}}<{_ADDRESS}>\s?:| ?-{{2,}})"
    rf"|(?:Le|On)\b{_DATED}.{{3,300}}<{_ADDRESS}> (?:a [ée]crit|wrote)[-— ]*"
    rf"|{_TIMED}(?:\w{{1,12}}[,.]{{0,2}} )?\d.{{4,200}}<{_ADDRESS} ?>.{{0,40}}[ ]?:"
    rf"|{_TIMED}\d{{1,4}}(?:[-/.]\d|[.]? \w{{3,10}}[.]?,? \d{{4}}).{{0,200}} \S+@\S+\)?.{{0,40}}[ ]?:"
    rf"|[^<>]{{2,80}}<{_ADDRESS}>,? (?:a [ée]crit|wrote|schrieb|kirjoitti).{{0,60}}[ ]?:"
    rf"|{_DATED}.{{2,120}}\bschrieb am\b.{{4,80}}:"
    rf"|Wiadomo[śs][ćc] napisana przez\b{_DATED}.{{3,200}}:"
    rf"|\d{{4}}/\d{{1,2}}/\d{{1,2}} .{{2,80}}<{_ADDRESS}>",
    re.I,
)
ADDRESS_WROTE = re.compile(rf"<?{_ADDRESS}>?,? {_VERB}[ ]?:", re.I)  # it may also be the end of one that wraps
DATE_ALONE = re.compile(r"(?:Le|On|Am|El|Il) (?:\w{2,10}[.,]{0,2} )?[\d./ -]{6,12},?")  # the first line of one that wraps
SOMEBODY_WROTE = re.compile(rf".{{2,120}} {_VERB}\s?:", re.I)  # above ">" alone
INLINE = re.compile(rf"(?:Le|On)\b{_DATED}.{{3,200}}<{_ADDRESS}> (?:a [ée]crit|wrote)\s?:", re.I)  # the quote follows
# a header in the middle of a line, where a program dropped the line breaks: the sender's own words stand before it
WITHIN = re.compile(
    r"(?<=[^\s-])(?:[-— ]{1,6}(?:Le|On) (?:\w{2,10}[.,]{0,2} ){0,3}\d(?=.{0,80}\d[:h]\d\d)[^@]{3,120}"
    rf"<?{_ADDRESS}>?,? (?:a [ée]crit|wrote)\s?:"
    r"|[ ]{1,3}-{4,40}[ ]?(?:De|From)\s?:.{3,200}\b(?:Objet|Subject)\s?:)",
    re.I,
)
SEPARATOR = re.compile(
    r"[-_*=—–# ]{2,}[ ]*(?:Message d'origine|(?:Mail|Message|Courriel|E-?mail) (?:original|initial|trans(?:f[ée]r[ée]|mis))"
    r"|Courriel d'origine|Original[ -](?:Message|Appointment|Nachricht)|Forwarded message|Urspr[üu]ngliche (?:Nachricht|Mail)"
    r"|(?:Antwort|Weitergeleitete) Nachricht|Oprindelig (?:besked|meddelelse)|Opprinnelig melding|Ursprungligt meddelande"
    r"|Vidarebefordrat meddelande|Videresendt (?:besked|melding)|Doorgestuurd bericht|Mensaje reenviado|Messaggio inoltrato"
    r"|Mensagem encaminhada|Původní zpráva|Alkuperäinen viesti|Wiadomość oryginalna"
    r"|Messaggio originale|Mensaje original|Mensagem original|Oorspronkelijk bericht|Reply message)\b.*"
    r"|(?!.*\?\s*$)[-#=* ]{0,8}(?:(?:Veuillez|Merci (?:de|d'[ée]crire)|Please|Bitte) )?"
    r"(?:type |votre |your |[ée]crire ){0,3}(?:r[ée]pon(?:dre|dez|se)|reply)"
    r"\b.{0,20}(?:au-dessus|above)\b.{0,20}(?:ligne|line)\b.{0,8}"
    r"|(?!.*\?\s*$)[-#=*_]{2,12} .{0,80}\b(?:reply|r[ée]pon\w+|write|[ée]cri\w+|sais\w+|answer)\b"
    r".{0,60}\b(?:above|au-dessus)\b.{0,30}"
    r"|(?!.*\?\s*$)[-#=*_]{2,12} .{0,20}\b(?:reply|r[ée]pon\w+)\b.{0,20}\b(?:above|au-dessus|ci-dessus)\b.{0,60}"
    r"|_{32}|_{47}|(?:D[ée]but du (?:message|courriel)|Begin forwarded|Anfang der weitergeleiteten)\b.{0,40}:|Forwarded message:",
    re.I,
)
LABEL = re.compile(
    r"[*_]*[ ]?(?P<from>De|From|Von|Fra|Från|Van|Da|Od|Nadawca|Exp[ée]diteur|L[äa]hett[äa]j[äa]|От|Отправитель|من)[*_]*[ ]?:"
    r"(?P<a>.*)"
    r"|[*_]*[ ]?(?:Envoy[ée](?: le)?|Message du|Date|[ÀA]|Pour|Destinataires?|Objet|Sujet|Copie(?: [àa])?|Cc|Cci"
    r"|Pi[èe]ces jointes|Attachments"
    r"|Sent|To|Subject|Reply-To|R[ée]pondre [àa]|Gesendet|An|Betreff|Datum|Sendt|Til|Emne|Skickat|Till|[ÄA]mne"
    r"|Inviato|Oggetto|تم الإرسال|إلى|الموضوع"
    r"|Enviad[oa](?: em| el)?|Para|Asunto|Assunto|Verzonden|Aan|Onderwerp|L[äa]hetetty|Vastaanottaja|Aihe|Organization"
    r"|Data|Do|Temat|Wys[łl]ano|Adresat|Дата|Отправлено|Кому|Тема|Importance)[*_]*[ ]?:(?P<b>.*)",
    re.I,
)
TELLING = re.compile(  # labels that only a program sets
    r"[*_]*[ ]?(?:Objet|Sujet|Subject|Betreff|Emne|[ÄA]mne|Oggetto|Asunto|Assunto|Onderwerp|Aihe|Temat|Тема|Envoy[ée](?: le)?"
    r"|Sent|Gesendet|Отправлено|Inviato|Enviad[oa](?: em| el)?|Verzonden|Sendt|Skickat|تم الإرسال|الموضوع)[*_]*[ ]?:",
    re.I,
)
