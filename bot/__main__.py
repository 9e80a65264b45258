"""The command line. Each command imports what it needs when it runs, so that none waits for another's libraries."""

from __future__ import annotations

import json
import os
import sys

if "learn" not in sys.argv:  # before NumPy is loaded: for one message, threads that wait for each other cost more than they bring
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.errors import AccueilError, KnowledgeError, SettingsError
from bot.settings import Settings, read

if TYPE_CHECKING:
    from bot.core.decide import Reader
    from bot.core.model import Knowledge

app = typer.Typer(
    help="Answers the practical questions of a training organisation's learners, and hands the rest to the trainer.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
escalations = typer.Typer(help="What went to the trainer: list, show, reply, close.", no_args_is_help=True)
app.add_typer(escalations, name="escalations")

WORST = 20  # warnings shown by ``check`` unless all are asked for
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def main() -> None:
    """The entry point: every fault of use is one clear message and an exit code, never a traceback."""
    try:
        app()
    except KnowledgeError as error:
        print(*error.faults, sep="\n", file=sys.stderr)
        print(f"accueil: {len(error.faults)} fault(s) in the knowledge files", file=sys.stderr)
        sys.exit(error.exit_code)
    except SettingsError as error:
        print(*(f"accueil: {fault}" for fault in error.faults), sep="\n", file=sys.stderr)
        sys.exit(error.exit_code)
    except AccueilError as error:
        print(f"accueil: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _settings(*, serving: bool = False) -> Settings:
    return read(os.environ, serving=serving)


# ---------------------------------------------------------------- serving


@app.command()
def serve(
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Also take older mails, from this day on."),
    ] = None,
) -> None:
    """Serve all configured channels; on a terminal with none configured, open the console chat."""
    from dataclasses import replace

    settings = _settings(serving=True)
    if since is not None and settings.mail is None:
        raise SettingsError(["--since: no mailbox is served; set ACCUEIL_IMAP_URL"])
    if since is not None and settings.mail is not None:
        settings = replace(settings, mail=replace(settings.mail, since=since.date()))
    if not (settings.telegram_token or settings.mail):
        if sys.stdin.isatty():
            _chat(settings)
            return
        raise SettingsError(
            [
                "no channel is configured: set ACCUEIL_TELEGRAM_TOKEN and ACCUEIL_TRAINER_TELEGRAM_IDS, or ACCUEIL_IMAP_URL and"
                " ACCUEIL_SMTP_URL, or run accueil chat"
            ]
        )
    import asyncio

    from bot.app import configure_logs, run

    configure_logs(settings)
    asyncio.run(run(settings, settings.desk(), chat=False))


@app.command()
def chat() -> None:
    """Talk to the bot here, as a learner; what goes to the trainer is shown beside."""
    _chat(_settings())


def _chat(settings: Settings) -> None:
    import asyncio
    from dataclasses import replace

    from bot.app import configure_logs, run

    quiet = replace(settings, log_level="warning" if settings.log_level == "info" else settings.log_level, trainers=(), mail=None)
    configure_logs(quiet)
    print("Accueil, en local. Posez une question comme un stagiaire ; un chiffre choisit un bouton ; Ctrl-D pour finir.")
    asyncio.run(run(quiet, replace(quiet, accessibility=(), operators=()).desk(console=True), chat=True))


@app.command()
def migrate() -> None:
    """Bring the database up to date (serve does it too)."""
    import asyncio

    from bot.app import opened

    async def work() -> None:
        async with opened(_settings()):
            print("The database is up to date.")

    asyncio.run(work())


@app.command()
def doctor(
    send: Annotated[bool, typer.Option("--send", help="Also send a mail to ourselves, and wait for it.")] = False,
) -> None:
    """Try each configured connection, and say in one line each what is wrong. Exit 1 on a fault."""
    import asyncio

    from bot.commands.doctor import examined

    found = asyncio.run(examined(os.environ, post=send))
    for name, fault in found:
        print(f"{name}: {fault or 'ok'}")
    if any(fault for _, fault in found):
        sys.exit(1)


# ---------------------------------------------------------------- knowledge and understanding


def _understood(settings: Settings) -> tuple[Knowledge, Reader]:
    from bot.library.load import load
    from bot.library.shelf import understanding

    knowledge = load(settings.knowledge_dir)
    return knowledge, understanding(knowledge, beside=settings.knowledge_dir)


@app.command()
def ask(
    text: Annotated[str, typer.Argument(help="A learner's message.")] = "",
    topic: Annotated[str, typer.Option(help="Answer this topic instead of understanding a message.")] = "",
    channel: Annotated[str, typer.Option(help="telegram or email.")] = "",
    format: Annotated[str, typer.Option(help="inter, intra or distance: the format in force.")] = "",
    explain: Annotated[bool, typer.Option(help="Show what each part of the message was taken for.")] = False,
    as_json: Json = False,
) -> None:
    """What the bot would answer; nothing is stored or sent."""
    from bot.core.model import Format
    from bot.core.rehearse import Rehearsal, explained

    _one_of("--format", format, [f.value for f in Format])
    _one_of("--channel", channel, ["telegram", "email"])
    if bool(text.strip()) == bool(topic):
        raise SettingsError(["ask wants a message or --topic, one of the two"])
    settings = _settings()
    known_format = Format(format) if format else None
    if topic:
        from bot.library.load import load

        knowledge, reader = load(settings.knowledge_dir), None
        _one_of("--topic", topic, list(knowledge.topics))
        # no format: the variants of all three, as a mail would tell them
        rehearsal = Rehearsal(knowledge, _Nobody(), channel or ("telegram" if known_format else "email"), known_format)
        response = rehearsal.ask_topic(topic)
    else:
        knowledge, reader = _understood(settings)
        rehearsal = Rehearsal(knowledge, reader, channel or "telegram", known_format)
        response = rehearsal.say(_mail_words(text) if channel == "email" else text)
    found = explained(response, rehearsal)
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    print(found["reply"])
    told = [f"topics {', '.join(found['topics']) or '-'}", f"format {found['format'] or '-'}"]
    told += ["to the trainer" if not found["private"] else "to the disability contact alone"] if found["escalate"] else []
    print(f"\n[{'; '.join(told)}]")
    if explain and reader is not None:
        for question in response.reading.questions:
            print(f"\n« {question.text} »")
            for match in reader.matcher.rank(question.text):
                evidence = f"lexical {match.lexical:.2f}  semantic {match.semantic:.2f}"
                print(f"  {match.score:5.0%}  {match.id:22} {evidence}  {match.phrase}")


class _Nobody:
    """Reads nothing: a topic asked for by its id needs no reading."""

    def read(self, text: str, subject: str | None, dialogue: object) -> Any:
        raise AccueilError("nothing is understood here")

    def tells_of_health(self, text: str) -> bool:
        return False


def _mail_words(text: str) -> str:
    from bot.channels.mail.words import question_text

    return question_text(text)


@app.command("read-mail")
def read_mail(file: Annotated[Path, typer.Argument(help="A raw mail, or its text alone.")], as_json: Json = False) -> None:
    """What is read of a mail: the sender's own words, and whether an automatic answer may go out."""
    from bot.channels.mail.sniff import read_any

    try:
        mail = read_any(file.read_bytes(), file.name)
    except OSError as error:
        raise SettingsError([f"{file} cannot be read: {error.strerror}"]) from error
    found = {
        "kind": mail.kind,
        "may_answer": mail.may_answer,
        "why_not": mail.why_not,
        "from": mail.sender,
        "subject": mail.subject,
        "text": mail.text,
        "attachments": list(mail.attachments),
    }
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    print(f"{mail.kind}, from {mail.sender or 'nobody that can be read'}: {mail.why_not or 'may be answered'}")
    print("\n".join(f"attachment: {name}" for name in mail.attachments) + bool(mail.attachments) * "\n", end="")
    print(f"subject: {mail.subject}\n\n{mail.text}")


def _one_of(option: str, value: str, known: list[str]) -> None:
    if value and value not in known:
        from rapidfuzz.process import extractOne

        near = extractOne(value, known, score_cutoff=60)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
        raise SettingsError([f"{option} {value!r} is not known; {hint}"])


@app.command()
def learn() -> None:
    """Learn from the phrases and keep that beside them, so that a start need not. `check` says when it is out of date."""
    from bot.library.learnt import FILE, keep_learnt
    from bot.library.load import load
    from bot.library.shelf import understanding

    folder = _settings().knowledge_dir
    reader = understanding(load(folder), afresh=True)
    try:
        keep_learnt(folder / FILE, reader.matcher.learnt)
    except OSError as error:
        raise AccueilError(f"{folder / FILE} cannot be written: {error.strerror}") from error
    print(f"{folder / FILE} is up to date.")


@app.command()
def check(all_: Annotated[bool, typer.Option("--all", help="Show every warning, not the worst alone.")] = False) -> None:
    """Check the knowledge files as a whole: faults (exit 1) and warnings, each with file and line."""
    from bot.library.check import check as looked_at

    found = looked_at(_settings().knowledge_dir)
    shown = found.warnings if all_ else found.warnings[:WORST]
    for warning in shown:
        print(f"warning: {warning}")
    if len(shown) < len(found.warnings):
        print(f"... and {len(found.warnings) - len(shown)} more: accueil check --all")
    for fault in found.faults:
        print(f"fault: {fault}")
    phrases = [p for g in found.knowledge.groups.values() for p in g.phrases]
    print(f"{len(found.knowledge.topics)} topics, {len(phrases)} phrases, {found.recognised:.0%} recognised by those beside them")
    print(f"{len(found.faults)} fault(s), {len(found.warnings)} warning(s)")
    if found.faults:
        sys.exit(1)


@app.command()
def schemas() -> None:
    """Write the JSON Schemas of the knowledge files beside them."""
    from bot.library.schemas import write

    for path in write(_settings().knowledge_dir):
        print(path)


@app.command()
def evaluate(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Labelled messages or dialogues, JSON lines; else the knowledge's own examples.")
    ] = None,
    decisions: Annotated[Path | None, typer.Option(help="Write each decision here, JSON lines.")] = None,
    floor: Annotated[
        list[str] | None, typer.Option(help="NAME=SHARE: exit 1 where a file falls below (above, for errors).")
    ] = None,
    known: Annotated[
        Path | None, typer.Option(help="Ids of known failures, one a line: exit 1 where another fails or one of them passes.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write confusions, reliability and the worst messages here, HTML.")] = None,
    as_json: Json = False,
) -> None:
    """Decide on labelled messages and show how many were right, for each file."""
    from bot.commands import evaluation
    from bot.commands.report import html

    settings = _settings()
    knowledge, reader = _understood(settings)
    progress = not as_json and sys.stderr.isatty()
    judged = evaluation.evaluated(files or _examples(settings), knowledge, reader, progress=progress)
    found = evaluation.summed(judged, knowledge)
    if decisions is not None:
        evaluation.write_decisions(decisions, judged)
    if report is not None:
        evaluation.write(report, html(judged, found))
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        for file, figures in found.items():
            print(f"{file}: " + "  ".join(f"{name} {value}" for name, value in figures.items() if value is not None))
    faults = evaluation.fallen(found, floor or [])
    faults += evaluation.surprises(judged, known) if known is not None else []
    if faults:
        raise AccueilError("\n".join(faults))


def _examples(settings: Settings) -> list[Path]:
    """The labelled messages that stand beside the knowledge, and that nothing is trained on."""
    found = sorted((settings.knowledge_dir / "examples").glob("*.jsonl"))
    if not found:
        raise SettingsError([f"{settings.knowledge_dir / 'examples'} holds no .jsonl file: name the files to look at"])
    return found


@app.command()
def tune(
    files: Annotated[list[Path] | None, typer.Argument(help="Labelled messages; else the knowledge's own examples.")] = None,
    write: Annotated[bool, typer.Option("--write", help="Put what was found into policy.yaml.")] = False,
    weights: Annotated[bool, typer.Option("--weights", help="Find the weights alone, in seconds.")] = False,
) -> None:
    """Find the weights and thresholds that cost least on labelled examples. The thresholds take minutes."""
    from dataclasses import asdict, replace

    from bot.commands import evaluation, tuning

    settings = _settings()
    knowledge, reader = _understood(settings)
    items = [item for file in files or _examples(settings) for item in evaluation.labelled(file)]
    found = tuning.fitted(items, reader)
    if write:
        tuning.write_weights(settings.knowledge_dir / "policy.yaml", found)
    if weights:
        print(f"weights found on {len(items)} examples" + (", written" if write else "; --write keeps them"))
        return
    knowledge = replace(knowledge, policy=replace(knowledge.policy, weights=found))
    paid = tuning.costs_of(items, knowledge, reader.matcher)
    start = knowledge.policy.thresholds
    before, left_out = tuning.cross_validated(paid, start, len(items))
    print(f"{len(items)} examples: {before:.3f} a message as it is, {left_out:.3f} with thresholds found without them")
    best = tuning.tuned(paid, start, range(len(items)))
    print(f"all together: {sum(paid(best)) / len(items):.3f}")
    for name, value in asdict(best).items():
        was = getattr(start, name)
        print(f"  {name}: {value:g}" + (f"  (was {was:g})" if was != value else ""))
    if write:
        tuning.write_thresholds(settings.knowledge_dir / "policy.yaml", best)


# ---------------------------------------------------------------- escalations and persons


@escalations.command("list")
def list_escalations(
    all_: Annotated[bool, typer.Option("--all", help="Answered and closed ones too.")] = False, as_json: Json = False
) -> None:
    """Open escalations, oldest first. The words of a private one are not shown."""
    from bot.commands.desk import listed

    _print(listed(_settings(), open_only=not all_), as_json)


@escalations.command("show")
def show_escalation(reference: Annotated[str, typer.Argument(help="12, A12 or #A12")], as_json: Json = False) -> None:
    """One escalation with its conversation. The words of a private one are not shown."""
    from bot.commands.desk import shown

    _print(shown(_settings(), reference), as_json)


@escalations.command("reply")
def reply_escalation(reference: Annotated[str, typer.Argument(help="12, A12 or #A12")], text: str) -> None:
    """Answer the learner, where the question came in."""
    from bot.commands.desk import commanded

    print(commanded(_settings(), reference, "answer", text))


@escalations.command("close")
def close_escalation(reference: Annotated[str, typer.Argument(help="12, A12 or #A12")]) -> None:
    """Close without an answer."""
    from bot.commands.desk import commanded

    print(commanded(_settings(), reference, "close"))


@app.command()
def forget(person: Annotated[str, typer.Argument(help="telegram:4242")]) -> None:
    """Erase what is kept of a person."""
    from bot.commands.desk import forgotten

    print(forgotten(_settings(), person))


@app.command()
def export(person: Annotated[str, typer.Argument(help="telegram:4242")]) -> None:
    """All that is kept of a person, as JSON."""
    from bot.commands.desk import exported

    print(json.dumps(exported(_settings(), person), ensure_ascii=False, indent=2))


def _print(found: list[dict[str, Any]] | dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=2))
        return
    rows = found if isinstance(found, list) else [found]
    for row in rows:
        print("\n".join(f"{name}: {value}" for name, value in row.items() if value not in ("", None)) + "\n")
    if not rows:
        print("Nothing waits.")


if __name__ == "__main__":
    main()
