"""What mail programs and organisations set below a mail, and above it: devices, disclaimers, warnings. Pure.

For lines of which apostrophes and blanks were made plain. None of them asks or speaks of the sender.
"""

from __future__ import annotations

import re

_DEVICE = (
    r"(?:phone|ipad|ipod|mobile|smartphone|t[ée]l[ée]?|appareil|tablette|android|galaxy|samsung|huawei|xiaomi|wiko|outlook"
    r"|yahoo|gmail|e?-?mail\b|courriel\b|courrier pour|messagerie|application|spark|sparrow|thunderbird|windows|blackberry"
    r"|device|proton|\bcell\b|mailbox|\w*app\b|<http)"
)
FOOTER = re.compile(
    r"(?!.*\?\s*$)(?:(?:(?:(?:Message |Ce message a [ée]t[ée] )?Envoy[ée] (?:de|depuis|avec|par|via|[àa] partir d[eu']|sans fil)"
    r"|(?:Sent|Verstuurd|Verzonden|Gesendet) (?:from|via|using|wirelessly|vanaf|vanuit|mit|von))"
    rf"\b(?!.*\b(?:le|on|du) (?:\d|\w+ \d)).{{0,30}}{_DEVICE}.{{0,100}})"
    r"|Sent with (?:my )?\W{0,3}(?:Proton ?Mail|Airmail|Mailspring|Spark|Canary|Tuta(?:nota)?|Superhuman|Missive|BlueMail"
    r"|eM Client|\w*phone)\b.{0,100}"
    r"|Sent from my [A-Z][\w-]{1,20}|From my iphone\b.{0,20}"
    r"|(?:T[ée]l[ée]charge[rz]|Get|Obtenir|Obtenez|Obtener|Ottieni|Obter o|Holen Sie sich) (?:Outlook|BlueMail)\b"
    r"(?: (?:pour|for|f[üu]r|para|per|voor) .{1,80}|\s*[<(]?https?.{0,200}|\s*<.{0,200})?"
    r"|Envoy[ée] (?:depuis|de|[àa] partir de) mon (?-i:[A-Z])[\w-]{1,15}(?: [\w-]{1,12}){0,2}"
    r"|Outlook f[üu]r (?:iOS|Android) beziehen.{0,60}"
    r"|(?:Diese Nachricht wurde )?Von meinem [\w-]+ .{0,40}gesendet\.?|Von meinem \w+ gesendet"
    r"|Enviado (?:desde|d[oe]|do meu|a partir)\b.{0,60}|Inviato da\b.{0,60}"
    r"|Skickat från\b.{0,60}|Sendt fra\b.{0,60}|Wys[łl]ane z\b.{0,60}|L[äa]hetetty \w*(?:phone|pad|mail|android)\w*"
    r"|Trimis de pe\b.{0,60}|Az? \S+ (?:küldve|elküldve)|أُ?رسلت من\b.{0,40}"
    r"|Provenance : (?:Courrier|Mail|Outlook).{0,60}"
    r"|Garanti sans virus\b.{0,60}|Sans virus\. ?www\..{0,60}|Virus-free\..{0,60}|L'absence de virus dans ce\b.{0,100}"
    r"|[*_ ]*(?:CAUTION|WARNING|ATTENTION|AVERTISSEMENT)\b[*_ ]*[:!]"
    r".{0,60}\b(?:message|mail|e-?mail|courriel|sender|exp[ée]diteur)\b.{0,60}\b(?:external|exte?rn[ea]|ext[ée]rieur)\b.{0,200}"
    r"|(?:\[\w{3,12}\] ?)?[*_\[( ]*(?:This (?:message|e-?mail)|Cet? (?:message|mail|e-?mail|courriel))"
    r" (?:comes|originated|provient|[ée]mane)\b"
    r".{0,40}\b(?:external|outside|ext[ée]rieur|externe)\b.{0,200})",
    re.I,
)
# one that ends a line of the sender's own, where a program dropped the line break
TRAILING = re.compile(
    r"(?<=[^\s\"«'(]) +(?:Envoy[ée] (?:depuis l'application Mail|de mon (?:iPhone|iPad))|Sent from my iPhone)\b[^.?!\"»]{0,40}$"
)
OPENS = re.compile(r"(?:Envoy[ée]|T[ée]l[ée]charge[rz]|Obtenir|Obtenez|Get|Sent|Sans virus)\b", re.I)  # one that may be broken
DISCLAIMER = re.compile(
    r"(?!.*\?)(?!.*\b(?:je|j'|nous voudrions|merci de me)\b)[*P ]{0,3}"
    r"(?:(?:AVERTISSEMENT ?: ?)?(?:Ce|Cet|Le pr[ée]sent) (?:message|courriel|mail|e-?mail|courrier)"
    r"(?! (?:pour|que|dont|afin)\b).{0,120}"
    r"(?:confidentiel|n'engage|(?:ses|toutes?|[ée]ventuel\w*|les?|leurs?) (?:fichiers?|pi[èe]ces? jointes?)"
    r"|exclusi|usage|responsabilit|responsable d)"
    r"|Les informations contenues dans (?:ce|cet)\b|L'exp[ée]diteur d[ée]cline"
    r"|(?:Merci de )?Pense[rz] (?:[àa] l'environnement|avant d'imprimer)"
    r"|(?:Avant d'imprimer|.{0,60}n'imprimez ce)\b"
    r"|This (?:e-?mail|message)\b.{0,80}(?:confidential|intended (?:only|solely|for)|privileged)"
    r"|Avis de confidentialit|(?:Confidentiality|Legal) notice|Please consider the environment"
    r"|CONFIDENTIALIT[ÉE](?: ?:? ?(?:ce|les|cet)\b|$)|DISCLAIMER|Diese (?:E-?Mail|Nachricht)\b.{0,60}vertraulich"
    r"|Toute (?:modification|utilisation|[ée]dition|diffusion)\b.{0,80}\bnon autoris[ée]e\b"
    r"|The information contained in th|Este mensaje .{0,100}confidencial|Le informazioni contenute in quest"
    r"|.{0,60}Ce (?:courriel|message|mail) n'engage)",
    re.I,
)
DELIMITER = re.compile(r"--|_{2}|_{20,60}|—")  # RFC 3676, 4.3, without its blank, which many programs strip
