"""The bot's own lines: which there are, and which placeholders each may hold. Their words stand in ``voice.yaml``."""

from __future__ import annotations

from collections.abc import Mapping


def _line(*placeholders: str) -> frozenset[str]:
    # every line may draw on any fact ({trainer}, {trainer_email}); these are what it may hold beside
    return frozenset(placeholders)


LEARNERS: Mapping[str, frozenset[str]] = {  # what learners read, in every language
    # first contact and commands
    "intro": _line("person"),
    "privacy": _line("days", "health_days"),
    "help": _line(),
    "your_id": _line("id"),
    "forgotten": _line(),
    "forget_confirm": _line(),
    "forgotten_open": _line("references"),
    "format_is": _line("format"),
    "format_none": _line(),
    # small talk
    "greeting": _line(),
    "thanks": _line(),
    "goodbye": _line(),
    "identity": _line(),
    "offtopic": _line(),
    # answers
    "source": _line("sheets"),
    "for_format": _line("format"),
    "for_programme": _line("programme"),
    "silent": _line("topic", "format"),
    "ask_format": _line(),
    "ask_topic": _line(),
    "not_it_button": _line(),
    # what is passed on
    "passed_request": _line("reference"),
    "passed_private": _line("reference"),
    "passed_handoff": _line("reference"),
    "passed_unknown": _line("reference"),
    "passed_part": _line("parts", "reference"),
    "passed_media": _line("media", "reference"),
    "passed_not_it": _line("reference"),
    "passed_again": _line("reference"),
    "added": _line("reference"),
    "group_personal": _line(),
    "not_forgotten": _line("reference"),
    "fault": _line(),
    "flood": _line("reference"),
    # around what goes out by mail
    "mail_greeting": _line(),
    "mail_footer": _line("days"),
    "ask_topic_variants": _line(),
    "mail_link_subject": _line(),
    "mail_link": _line("code"),
    # an address given on Telegram
    "link_how": _line(),
    "link_sent": _line("address"),
    "link_done": _line("address"),
    "link_wrong": _line(),
    "link_often": _line(),
    # the trainer's answer, as the learner reads it
    "relay": _line("question", "answer", "reference"),
    "correction": _line("answer", "reference"),
}

HOUSE: Mapping[str, frozenset[str]] = {  # what trainers and operators read, in the language of the house alone
    # what the trainer reads
    "notice": _line("reference", "name", "channel", "reason", "words", "conversation", "near"),
    "notice_private": _line("reference", "name", "channel", "reason", "words", "conversation", "near"),
    "notice_added": _line("reference", "name", "words"),
    "notice_how": _line(),
    "notice_how_mail": _line(),
    "notice_subject": _line("reason", "name"),
    "nudge_subject": _line("reference"),
    "nudge_draft": _line("reference", "name", "hours"),
    "nudge_digest": _line("reference", "name", "hours"),
    "digest_subject": _line("reference"),
    "notice_digest": _line("reference", "why", "mails"),
    "digest_how_mail": _line(),
    "why_many": _line(),
    "why_repeated": _line(),
    "digest_more": _line("count"),
    "answered_by_hand": _line("reference"),
    "nudge": _line("reference", "name", "hours"),
    "claim_button": _line(),
    "close_button": _line(),
    "near_button": _line("topic"),
    "claimed": _line("reference"),
    "claimed_by_other": _line("reference", "other"),
    "answered": _line("reference"),
    "answered_by_other": _line("reference", "other"),
    "corrected": _line("reference"),
    "closed": _line("reference"),
    "refused_answered": _line("reference"),
    "refused_closed": _line("reference"),
    "refused_empty": _line("reference"),
    "refused_done": _line("reference"),
    "refused_unknown": _line("reference"),
    "refused_media": _line("reference"),
    "refused_digest": _line("reference"),
    "refused_used": _line("reference"),
    "refused_expired": _line("reference"),
    "correction_subject": _line("reference"),
    "how_to_reply": _line("references"),
    # reasons, as the trainer reads them
    "reason_request": _line(),
    "reason_handoff": _line(),
    "reason_unknown": _line(),
    "reason_silent": _line(),
    "reason_not_it": _line(),
    "reason_media": _line(),
    "reason_fault": _line(),
    "reason_unanswerable": _line(),
    "reason_forged": _line(),
    "reason_digest": _line(),
    "reason_draft": _line(),
    "reason_flood": _line(),
    # what the operator reads
    "alert_undelivered": _line("kind", "reference", "why"),
    "alert_uncertain": _line("kind", "reference"),
    "alert_found": _line("kind", "reference"),
    "alert_aside": _line("row"),
    "alert_mailbox": _line("why"),
    "alert_outbox": _line("channel", "since", "why"),
    "alert_delayed": _line("kind", "reference", "why"),
    "alert_store": _line("why"),
    "alert_store_ok": _line("since"),
    "alert_away": _line("since"),
    "alert_knowledge": _line("count", "faults"),
    "alert_knowledge_ok": _line(),
}

LINES: Mapping[str, frozenset[str]] = {**LEARNERS, **HOUSE}
