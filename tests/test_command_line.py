"""The command line as an operator meets it: every fault of use is one clear message and an exit code, never a traceback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TOKEN = "123456:test-token-for-the-loopback"
Run = Callable[..., subprocess.CompletedProcess[str]]

IMAP, SMTP = "imaps://contact%40b.fr:p@imap.example", "smtps://contact%40b.fr:p@smtp.example"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def command(*words: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        kept = {n: v for n, v in os.environ.items() if not n.startswith(("ACCUEIL_", "PORT", "DATABASE_URL"))}
        return subprocess.run(
            [sys.executable, "-m", "bot", *words],
            input=stdin,
            env={**kept, "ACCUEIL_DATA_DIR": str(tmp_path / "data"), **environment},
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    return command


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({}, "ACCUEIL_TELEGRAM_TOKEN"),
        ({"ACCUEIL_TELEGRAM_TOKEN": "abc", "ACCUEIL_TRAINER_TELEGRAM_IDS": "1"}, "does not look like a bot's token"),
        ({"ACCUEIL_TELEGRAM_TOKEN": TOKEN}, "ACCUEIL_TRAINER_TELEGRAM_IDS"),
        ({"ACCUEIL_TELEGRAM_TOKEN": TOKEN, "ACCUEIL_TRAINER_TELEGRAM_IDS": "@denis"}, "not a Telegram user id"),
        ({"ACCUEIL_TELEGRAM_TOKEN_FILE": "/nowhere/token"}, "ACCUEIL_TELEGRAM_TOKEN_FILE: /nowhere/token cannot be read"),
        ({"ACCUEIL_TELEGRAM_API_URL": "ftp//x"}, "ACCUEIL_TELEGRAM_API_URL"),
        ({"ACCUEIL_NUDGE_HOURS": "soon"}, "ACCUEIL_NUDGE_HOURS: 'soon' is not a number"),
        ({"DATABASE_URL": "mysql://x/y"}, "DATABASE_URL: not an address that is served"),
        ({"PORT": "http"}, "PORT: 'http' is not a port number"),
        ({"PORT": "5000", "ACCUEIL_DATA_DIR": ""}, "disk may not last"),
        ({"ACCUEIL_LOG_LEVEL": "loud"}, "ACCUEIL_LOG_LEVEL"),
        ({"ACCUEIL_OPERATOR_EMAIL": "ops@example.org"}, "ACCUEIL_OPERATOR_EMAIL: is set, but no mailbox is served"),
        ({"ACCUEIL_IMAP_URL": "imap://a%40b.fr:p@imap.example"}, "ACCUEIL_IMAP_URL: imap:// would send the password in clear"),
        ({"ACCUEIL_IMAP_URL": IMAP}, "ACCUEIL_SMTP_URL: is missing"),
        ({"ACCUEIL_IMAP_URL": IMAP, "ACCUEIL_SMTP_URL": "smtp://u:p@h.example"}, "ACCUEIL_SMTP_URL: smtp:// would send"),
        ({"ACCUEIL_IMAP_URL": IMAP, "ACCUEIL_SMTP_URL": SMTP, "ACCUEIL_MAIL_FROM": "contact"}, "ACCUEIL_MAIL_FROM: 'contact'"),
        ({"ACCUEIL_IMAP_URL": IMAP, "ACCUEIL_SMTP_URL": SMTP, "ACCUEIL_MAIL_MODE": "later"}, "ACCUEIL_MAIL_MODE"),
        (
            {"ACCUEIL_IMAP_URL": IMAP, "ACCUEIL_SMTP_URL": SMTP, "ACCUEIL_TRAINER_EMAILS": "denis"},
            "'denis' is not a mail address",
        ),
        ({"ACCUEIL_TRAINER_TELEGRAM_IDS": "1"}, "ACCUEIL_TRAINER_TELEGRAM_IDS: is set without ACCUEIL_TELEGRAM_TOKEN"),
    ],
)
def test_a_wrong_setting_is_named_and_nothing_starts(run: Run, environment: dict[str, str], told: str) -> None:
    done = run("serve", **environment)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_all_wrong_settings_are_named_at_once(run: Run) -> None:
    done = run("serve", PORT="x", ACCUEIL_NUDGE_HOURS="-1", ACCUEIL_LOG_FORMAT="xml")
    assert all(name in done.stderr for name in ("PORT", "ACCUEIL_NUDGE_HOURS", "ACCUEIL_LOG_FORMAT"))


@pytest.mark.parametrize(
    ("words", "environment", "code", "told"),
    [
        (("ask", "--topic", "houres"), {}, 2, "did you mean 'hours'?"),
        (("ask",), {}, 2, "a message or --topic"),
        (("ask", "x", "--format", "hybrid"), {}, 2, "--format 'hybrid' is not known"),
        (("check",), {"ACCUEIL_KNOWLEDGE_DIR": "/nowhere"}, 1, "no such folder"),
        (("evaluate", "/nowhere.jsonl"), {}, 1, "/nowhere.jsonl cannot be read"),
        (("escalations", "show", "99"), {}, 2, "there is no escalation '99'"),
        (("escalations", "reply", "nonsense", "oui"), {}, 2, "there is no escalation"),
        (("forget", "ana"), {}, 2, "is no person"),
        (("migrate",), {"DATABASE_URL": "postgres://x:y@127.0.0.1:1/z"}, 3, "cannot be used"),
        (("migrate",), {"ACCUEIL_DATA_DIR": "/proc/nowhere"}, 3, "cannot be made"),
    ],
)
def test_faulty_use_gives_a_clear_message(
    run: Run, words: tuple[str, ...], environment: dict[str, str], code: int, told: str
) -> None:
    done = run(*words, **environment)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
    assert told in done.stderr


def test_a_secret_is_never_repeated_in_an_error(run: Run) -> None:
    done = run("migrate", DATABASE_URL="postgres://user:tournesol@127.0.0.1:1/z")
    assert "tournesol" not in done.stderr + done.stdout


def test_doctor_says_in_one_line_each_what_does_not_answer(run: Run, unused_tcp_port: int) -> None:
    done = run(
        "doctor",
        ACCUEIL_TELEGRAM_TOKEN=TOKEN,
        ACCUEIL_TRAINER_TELEGRAM_IDS="1",
        ACCUEIL_TELEGRAM_API_URL=f"http://127.0.0.1:{unused_tcp_port}",
    )
    assert done.returncode == 1
    assert "telegram: Telegram does not answer" in done.stdout
    assert "database: ok" in done.stdout


def test_ask_tells_the_answer_with_its_source_as_json(run: Run) -> None:
    done = run("ask", "--topic", "hours", "--format", "inter", "--json")
    found = json.loads(done.stdout)
    assert set(found) == {"reply", "topics", "options", "format", "escalate", "private", "sources"}
    assert "12\u00a0h\u00a030" in found["reply"]
    assert found["topics"] == ["hours"]
    assert [s["title"] for s in found["sources"]] == ["Planning de votre session"]


def test_a_topic_on_which_the_sheets_are_silent_says_so_and_goes_to_the_trainer(run: Run) -> None:
    found = json.loads(run("ask", "--topic", "lunch", "--format", "distance", "--json").stdout)
    assert found["escalate"] is True
    assert "ne précisent rien" in found["reply"]


def test_check_finds_phrases_that_stand_twice_and_unused_facts(run: Run, tmp_path: Path) -> None:
    folder = shutil.copytree(ROOT / "knowledge", tmp_path / "knowledge")
    assert run("check").returncode == 0
    campus = folder / "campus.yaml"
    text = campus.read_text("utf-8").replace("topics:", "facts:\n  never_used: rien\ntopics:", 1)
    campus.write_text(text + "      - on commence à quelle heure le matin\n", "utf-8")
    schedules = folder / "schedules.yaml"
    first = "    phrases:\n"
    schedules.write_text(
        schedules.read_text("utf-8").replace(first, first + "      - on commence à quelle heure le matin\n", 1), "utf-8"
    )
    done = run("check", ACCUEIL_KNOWLEDGE_DIR=str(folder))
    assert done.returncode == 1
    assert "fact 'never_used' is used by no answer" in done.stdout
    assert "stands in" in done.stdout


def test_evaluate_writes_one_decision_for_each_message(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "decisions.jsonl"
    done = run("evaluate", str(ROOT / "tests/data/dialogues.jsonl"), "--decisions", str(out), "--floor", "exact=0.80", "--json")
    assert done.returncode == 0, done.stderr
    decisions = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [d["id"] for d in decisions][:2] == ["d01/0", "d01/1"]
    assert set(decisions[0]) == {"id", "topics", "options", "format", "escalate", "private"}
    assert run("evaluate", str(ROOT / "tests/data/dialogues.jsonl"), "--floor", "exact=1.01").returncode == 1


def test_a_chat_answers_and_the_terminal_replies_to_an_escalation(run: Run) -> None:
    done = run("chat", stdin="les pauses c'est quand ?\n1\nje voudrais parler au formateur\n")
    assert done.returncode == 0, done.stderr
    assert "15\u00a0minutes" in done.stdout
    assert "reçu par le formateur" in done.stdout
    (waiting,) = json.loads(run("escalations", "list", "--json").stdout)
    assert waiting["words"] == "je voudrais parler au formateur"
    assert run("escalations", "reply", waiting["reference"], "Bonjour, je vous écoute.").returncode == 0
    assert run("escalations", "list", "--json").stdout.strip() == "[]"
    later = run("chat", stdin="merci\n")
    assert "je vous écoute" in later.stdout
