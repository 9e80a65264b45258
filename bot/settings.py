"""Environment to frozen Settings: every fault at once, each by the name of its variable."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parseaddr
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from rapidfuzz.process import extractOne

from bot.core.desk import Desk
from bot.core.endpoint import Endpoint, Postbox, parse
from bot.errors import SettingsError

PREFIX = "ACCUEIL_"
TELEGRAM_API = "https://api.telegram.org"
NAMES = (
    "DATABASE_URL",
    "PORT",
    *(
        PREFIX + name
        for name in (
            "DATA_DIR KNOWLEDGE_DIR TELEGRAM_TOKEN TELEGRAM_API_URL TELEGRAM_WEBHOOK_URL TRAINER_TELEGRAM_IDS"
            " TRAINER_EMAILS ACCESSIBILITY_TELEGRAM_ID ACCESSIBILITY_EMAIL OPERATOR_TELEGRAM_ID OPERATOR_EMAIL NUDGE_HOURS"
            " IMAP_URL SMTP_URL MAIL_FROM MAIL_MODE SENT_FOLDER DRAFTS_FOLDER IMAP_POLL_SECONDS AUTHSERV_ID TOKEN_COMMAND"
            " RETENTION_DAYS HEALTH_RETENTION_DAYS LOG_FORMAT LOG_LEVEL"
        ).split()
    ),
)
MAIL_ROLES = ("TRAINER_EMAILS", "ACCESSIBILITY_EMAIL", "OPERATOR_EMAIL")
TELEGRAM_ROLES = ("TRAINER_TELEGRAM_IDS", "ACCESSIBILITY_TELEGRAM_ID", "OPERATOR_TELEGRAM_ID")
_ID = re.compile(r"[1-9]\d{0,15}")
_EMAIL = re.compile(r"[^@\s<>,;:\"]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})*")
_TOKEN = re.compile(r"\d{3,}:[A-Za-z0-9_-]{10,}")


@dataclass(frozen=True, slots=True)
class Settings:
    """All that the environment says. Secrets are kept out of ``repr``."""

    database_url: str
    data_dir: Path
    knowledge_dir: Path
    port: int | None
    telegram_token: str
    telegram_api_url: str
    telegram_webhook_url: str
    mail: Postbox | None
    trainers: tuple[str, ...]  # addresses, "telegram:1", "email:trainer@example.org"
    accessibility: tuple[str, ...]
    operators: tuple[str, ...]
    nudge_after: timedelta
    keep: timedelta
    keep_health: timedelta
    log_format: Literal["text", "json"]
    log_level: str
    lasting: bool  # whether the operator said where the data is kept
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return (
            f"Settings(knowledge_dir={str(self.knowledge_dir)!r}, telegram={bool(self.telegram_token)}, mail={bool(self.mail)})"
        )

    def desk(self, *, console: bool = False) -> Desk:
        """Who is told what. console: nobody is configured, the terminal plays all parts."""
        trainers = self.trainers or (("console:trainer",) if console else ())
        accessibility = self.accessibility or (("console:accessibility",) if console else trainers[:1])
        return Desk(
            trainers=trainers,
            accessibility=accessibility,
            operators=self.operators or (("console:operator",) if console else trainers[:1]),
            nudge_after=self.nudge_after,
            keep=self.keep,
            keep_health=self.keep_health,
            mailbox=f"email:{self.mail.address}" if self.mail and not console else "",
            drafts=self.mail is not None and self.mail.drafts,
        )


class _Reader:
    """One environment while it is read; remembers every fault."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.faults: list[str] = []

    def text(self, name: str) -> str:
        """The variable, or the content of the file that NAME_FILE names."""
        value, path = self._environment.get(name, "").strip(), self._environment.get(name + "_FILE", "").strip()
        if value and path:
            self.faults.append(f"{name}: is set and {name}_FILE too; keep one of the two")
        if value or not path:
            return value
        try:
            return Path(path).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            self.faults.append(f"{name}_FILE: {path} cannot be read: {reason}")
            return ""

    def number(self, name: str, default: float) -> float:
        raw = self.text(name)
        if not raw:
            return default
        try:
            value = float(raw.replace(",", "."))
        except ValueError:
            value = 0.0
        if not 0 < value < 100_000:
            self.faults.append(f"{name}: {raw!r} is not a number above 0")
            return default
        return value

    def ids(self, name: str, *, single: bool = False) -> tuple[str, ...]:
        """Telegram user ids, separated by commas or spaces, as addresses."""
        return self._addresses(name, "telegram", _ID, "is not a Telegram user id; /start shows a person their own", single)

    def emails(self, name: str, *, single: bool = False) -> tuple[str, ...]:
        """Mail addresses, separated by commas or spaces, as addresses."""
        return self._addresses(name, "email", _EMAIL, "is not a mail address", single)

    def _addresses(self, name: str, channel: str, form: re.Pattern[str], fault: str, single: bool) -> tuple[str, ...]:
        given = [raw for raw in re.split(r"[,;\s]+", self.text(name)) if raw]
        self.faults += [f"{name}: {raw!r} {fault}" for raw in given if not form.fullmatch(raw)]
        if single and len(given) > 1:
            self.faults.append(f"{name}: names {len(given)} of them, one is wanted")
        return tuple(dict.fromkeys(f"{channel}:{raw.lower()}" for raw in given if form.fullmatch(raw)))

    def endpoint(self, name: str, protocol: Literal["imap", "smtp"]) -> Endpoint | None:
        raw = self.text(name)
        try:
            return parse(raw, protocol, tokens=bool(self.text(PREFIX + "TOKEN_COMMAND"))) if raw else None
        except ValueError as error:
            self.faults.append(f"{name}: {error}")
            return None

    def mail(self) -> Postbox | None:
        """The mailbox, where one is to be served; what is missing of it is a fault."""
        imap = self.endpoint(PREFIX + "IMAP_URL", "imap")
        smtp = self.endpoint(PREFIX + "SMTP_URL", "smtp")
        name, address = parseaddr(self.text(PREFIX + "MAIL_FROM") or (imap.user if imap else ""))
        mode = self.choice(PREFIX + "MAIL_MODE", ("auto", "draft"), "auto")
        poll = self.number(PREFIX + "IMAP_POLL_SECONDS", 120)
        wanted = [n for n in ("IMAP_URL", "SMTP_URL") if self.text(PREFIX + n)]
        if len(wanted) == 1:
            other = "SMTP_URL" if wanted == ["IMAP_URL"] else "IMAP_URL"
            self.faults.append(
                f"{PREFIX}{other}: is missing; the mailbox is read by {PREFIX}IMAP_URL and answers by {PREFIX}SMTP_URL"
            )
        if (self.text(PREFIX + "MAIL_FROM") or imap) and not _EMAIL.fullmatch(address):
            self.faults.append(
                f"{PREFIX}MAIL_FROM: {address!r} is not a mail address; write contact@example.org or Name <contact@...>"
            )
        if imap is None or smtp is None or not _EMAIL.fullmatch(address):
            return None
        return Postbox(
            imap,
            smtp,
            address.lower(),
            name=name,
            drafts=mode == "draft",
            sent_folder=self.text(PREFIX + "SENT_FOLDER"),
            drafts_folder=self.text(PREFIX + "DRAFTS_FOLDER"),
            poll=poll,
            authserv_id=self.authserv_id(),
            token_command=self.command(PREFIX + "TOKEN_COMMAND"),
        )

    def command(self, name: str) -> str:
        """A program and its arguments, as a shell would split them; no shell runs it."""
        raw = self.text(name)
        try:
            shlex.split(raw)
        except ValueError as error:
            self.faults.append(f"{name}: not a command: {error}")
            return ""
        return raw

    def authserv_id(self) -> str:
        """The name that the mailbox's server gives itself in Authentication-Results (RFC 8601)."""
        raw = self.text(PREFIX + "AUTHSERV_ID")
        if raw and not re.fullmatch(r"[\w.-]{1,200}", raw):
            self.faults.append(f"{PREFIX}AUTHSERV_ID: {raw!r} is not the name of a server, as it stands first in its headers")
            return ""
        return raw

    def choice(self, name: str, known: tuple[str, ...], default: str) -> str:
        raw = self.text(name).lower() or default
        if raw not in known:
            self.faults.append(f"{name}: {raw!r} is not one of {', '.join(known)}")
            return default
        return raw

    def url(self, name: str, default: str = "", schemes: tuple[str, ...] = ("https",)) -> str:
        raw = self.text(name) or default
        if not raw:
            return ""
        parts = _split(raw)
        if parts is None or parts[0] not in schemes:
            self.faults.append(f"{name}: not an address of the form {schemes[0]}://host/...")
            return ""
        return raw.rstrip("/")

    def database(self) -> str:
        raw = self.text("DATABASE_URL")
        served = re.match(r"(?:postgres(?:ql)?(?:\+psycopg)?://[^/]*\S|sqlite:///\S)", raw)
        if raw and not (served and _port_is_sound(raw)):
            self.faults.append(
                "DATABASE_URL: not an address that is served; write sqlite:////path/accueil.db or postgres://user:password@host/name"
            )
        return raw

    def port(self) -> int | None:
        raw = self.text("PORT")
        if not raw:
            return None
        if not raw.isdigit() or not 0 < int(raw) < 65536:
            self.faults.append(f"PORT: {raw!r} is not a port number")
            return None
        return int(raw)


def _split(raw: str) -> tuple[str, str] | None:
    """Scheme and host; None for what is no address."""
    try:
        parts = urlsplit(raw)
        _ = parts.port  # raises ValueError for a port that is none
    except ValueError:
        return None
    return (parts.scheme, parts.hostname) if parts.hostname else None


def _port_is_sound(raw: str) -> bool:
    try:
        _ = urlsplit(raw).port
    except ValueError:
        return False
    return True


def default_knowledge_dir() -> Path:
    """The folder beside the program, or else the one where it is started."""
    beside = Path(__file__).resolve().parent.parent / "knowledge"
    return beside if beside.is_dir() else Path("knowledge")


def read(environment: Mapping[str, str], *, serving: bool = False) -> Settings:
    """Settings of an environment. serving: also check what only ``serve`` needs. Raises SettingsError with every fault."""
    r = _Reader(environment)
    token = r.text(PREFIX + "TELEGRAM_TOKEN")
    if token and not _TOKEN.fullmatch(token):
        r.faults.append(f"{PREFIX}TELEGRAM_TOKEN: does not look like a bot's token (123456:ABC...), as @BotFather gives it")
    mail = r.mail()
    emails = {who: r.emails(f"{PREFIX}{who}", single=who != "TRAINER_EMAILS") for who in MAIL_ROLES}
    if mail is None:  # nobody can be reached there
        emails = dict.fromkeys(MAIL_ROLES, ())
    trainers = r.ids(PREFIX + "TRAINER_TELEGRAM_IDS") + emails["TRAINER_EMAILS"]
    if mail is not None and not trainers:
        trainers = (f"email:{mail.address}",)  # the trainer reads the contact mailbox itself
    data_dir = r.text(PREFIX + "DATA_DIR")
    database = r.database()
    settings = Settings(
        database_url=database or f"sqlite:///{Path(data_dir or 'data').absolute()}/accueil.db",
        data_dir=Path(data_dir or "data").absolute(),
        knowledge_dir=_folder(r.text(PREFIX + "KNOWLEDGE_DIR")),
        port=r.port(),
        telegram_token=token,
        telegram_api_url=r.url(PREFIX + "TELEGRAM_API_URL", TELEGRAM_API, ("https", "http")),
        telegram_webhook_url=r.url(PREFIX + "TELEGRAM_WEBHOOK_URL"),
        mail=mail,
        trainers=trainers,
        accessibility=r.ids(PREFIX + "ACCESSIBILITY_TELEGRAM_ID", single=True) + emails["ACCESSIBILITY_EMAIL"],
        operators=r.ids(PREFIX + "OPERATOR_TELEGRAM_ID", single=True) + emails["OPERATOR_EMAIL"],
        nudge_after=timedelta(hours=r.number(PREFIX + "NUDGE_HOURS", 24)),
        keep=timedelta(days=r.number(PREFIX + "RETENTION_DAYS", 180)),
        keep_health=timedelta(days=r.number(PREFIX + "HEALTH_RETENTION_DAYS", 30)),
        log_format="json" if r.choice(PREFIX + "LOG_FORMAT", ("text", "json"), "text") == "json" else "text",
        log_level=r.choice(PREFIX + "LOG_LEVEL", ("debug", "info", "warning", "error"), "info"),
        lasting=bool(data_dir or database),
        warnings=_warnings(environment),
    )
    if serving:
        r.faults += _serving(settings, r)
    if r.faults:
        raise SettingsError(r.faults)
    return settings


def _folder(raw: str) -> Path:
    return Path(raw) if raw else default_knowledge_dir()


def _serving(settings: Settings, r: _Reader) -> list[str]:
    faults = []
    if settings.telegram_token and not settings.trainers:
        faults.append(f"{PREFIX}TRAINER_TELEGRAM_IDS: is missing; nobody would read what the bot cannot answer")
    if settings.telegram_webhook_url and not settings.telegram_token:
        faults.append(f"{PREFIX}TELEGRAM_WEBHOOK_URL: is set without {PREFIX}TELEGRAM_TOKEN")
    if settings.port and not settings.lasting:
        faults.append(
            f"{PREFIX}DATA_DIR: is missing. PORT is set, so this looks like a host whose disk may not last: an SQLite file there"
            f" would lose every message at a restart. Set {PREFIX}DATA_DIR to a folder that lasts, or DATABASE_URL"
        )
    if settings.mail is None and not r.faults:
        faults += [
            f"{PREFIX}{who}: is set, but no mailbox is served: {PREFIX}IMAP_URL is missing"
            for who in MAIL_ROLES
            if r.text(PREFIX + who)
        ]
    if not settings.telegram_token:
        faults += [f"{PREFIX}{who}: is set without {PREFIX}TELEGRAM_TOKEN" for who in TELEGRAM_ROLES if r.text(PREFIX + who)]
    return faults


def _warnings(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Variables that look like ours and are not: a misspelt name would otherwise be silently left out."""
    known = {*NAMES, *(name + "_FILE" for name in NAMES)}
    found = []
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known:
            near = extractOne(name, list(known), score_cutoff=85)
            found.append(f"{name} is not a setting of Accueil" + (f"; did you mean {near[0]}?" if near else ""))
    return tuple(found)
