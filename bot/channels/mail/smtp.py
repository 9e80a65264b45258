"""One mail to an SMTP server, with each answer of it, and each silence, understood for what it means to the outbox."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import aiosmtplib
from aiosmtplib import SMTP

from bot.channels.mail.bearer import Bearer
from bot.core.endpoint import Endpoint
from bot.core.ports import OnWire
from bot.errors import ChannelError, DeliveryError

STEP = 12.0  # seconds for one command
VERDICT = 28.0  # for the answer to the whole mail, which many servers look into first
FILED = timedelta(seconds=15)
WHOLE = 40.0  # for all of them: shorter than the lease of an outbox row


async def _nobody_asks() -> None:
    return None


async def send(
    endpoint: Endpoint,
    sender: str,
    recipient: str,
    mail: bytes,
    *,
    bearer: Bearer | None = None,
    on_wire: OnWire = _nobody_asks,
) -> None:
    """Hand one mail over, ``on_wire`` right before its content. Raises DeliveryError.

    It is uncertain only where all of the mail was sent and no answer came.
    """
    given = False  # whether the server may have the whole mail
    client = _client(endpoint)
    try:
        async with asyncio.timeout(WHOLE):
            await _connect(client, endpoint, bearer)
            await client.mail(sender)
            await client.rcpt(recipient)
            await on_wire()
            given = True
            await client.data(mail, timeout=VERDICT)
            given = False
    except aiosmtplib.SMTPResponseException as error:
        raise _refused(error) from error
    except UnicodeError as error:  # an address that this way of sending has no form for
        raise DeliveryError("the address cannot be written to", permanent=True) from error
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        # the provider needs a moment to file its copy, by which an uncertain one is known
        filed = FILED if given else None
        raise DeliveryError(reason(error), uncertain=given, unreachable=not given, retry_after=filed) from error
    finally:
        client.close()


async def tried(endpoint: Endpoint, bearer: Bearer | None = None) -> None:
    """Connect and log in, nothing else. Raises ChannelError."""
    client = _client(endpoint)
    try:
        async with asyncio.timeout(WHOLE):
            await _connect(client, endpoint, bearer)
            await client.quit()
    except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as error:
        raise ChannelError(reason(error)) from error
    finally:
        client.close()


def _client(endpoint: Endpoint) -> SMTP:
    return SMTP(
        hostname=endpoint.host,
        port=endpoint.port,
        use_tls=endpoint.security == "tls",
        start_tls=endpoint.security == "starttls",
        timeout=STEP,
        local_hostname="[127.0.0.1]",  # the machine's own name is nobody's business
    )


async def _connect(client: SMTP, endpoint: Endpoint, bearer: Bearer | None) -> None:
    await client.connect()
    if not endpoint.user:
        return
    if bearer is None or endpoint.password:
        await client.login(endpoint.user, endpoint.password)
        return
    token = await asyncio.to_thread(bearer.token)
    try:
        await client.auth_xoauth2(endpoint.user, token)
    except aiosmtplib.SMTPAuthenticationError:  # it may have run out: one new token, on a new connection
        client.close()
        await client.connect()
        await client.auth_xoauth2(endpoint.user, await asyncio.to_thread(bearer.token, token))


def _refused(error: aiosmtplib.SMTPResponseException) -> DeliveryError:
    """5xx is for good, but for what concerns our own account, which an operator can mend; 4xx may pass."""
    ours = isinstance(error, (aiosmtplib.SMTPAuthenticationError, aiosmtplib.SMTPHeloError, aiosmtplib.SMTPSenderRefused))
    if error.code >= 500 and not ours:
        return DeliveryError(reason(error), permanent=True)
    return DeliveryError(reason(error), unreachable=ours)


def reason(error: BaseException) -> str:
    """The server's words on one line, without addresses: they go into logs and alerts."""
    if isinstance(error, TimeoutError) and not str(error):
        return "no answer in time"
    code = f"{error.code} " if isinstance(error, aiosmtplib.SMTPResponseException) else ""
    words = error.message if isinstance(error, aiosmtplib.SMTPException) else str(error)
    return f"{code}{without_addresses(words)}" if words else type(error).__name__


def without_addresses(words: str) -> str:
    return re.sub(r"<?[^\s<>]+@[^\s<>]+>?", "…", " ".join(words.split()))[:160]
