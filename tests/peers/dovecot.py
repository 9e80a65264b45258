"""Dovecot, a mail server of the kind that operators have: TLS, SPECIAL-USE folders, mails on disk that outlive a restart."""

from __future__ import annotations

import asyncio
import getpass
import grp
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from imapclient import IMAPClient

from tests.peers.mail import PASSWORD, PATIENCE, USER, Imap

NOBODY = (65534, 65534)  # user and group to whom the mails belong where the tests run as root
PROGRAM = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")

CONFIG = """
base_dir = {run}
log_path = {dir}/log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{dir}/cert.pem
ssl_key = <{dir}/key.pem
disable_plaintext_auth = no
default_internal_user = {internal}
default_internal_group = {group}
default_login_user = {login}
first_valid_uid = 0
first_valid_gid = 0
mail_location = {kind}:{run}/box/mail
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={run}/box
}}
namespace inbox {{
  inbox = yes
  separator = .
  mailbox "Objets envoyes" {{
    special_use = \\Sent
    auto = subscribe
  }}
  mailbox Ebauches {{
    special_use = \\Drafts
    auto = subscribe
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


class Dovecot(Imap):
    """As pymap, over TLS. Folders: "Objets envoyes" is the sent one, "Ebauches" that of the drafts."""

    def __init__(self, folder: Path, port: int, tls_port: int, kind: str = "maildir") -> None:
        """kind: how it keeps the mails."""
        super().__init__(port)
        self._kind = kind
        self._folder = folder
        self._tls_port = tls_port
        self._run: Path | None = None
        self.certificate = folder / "cert.pem"
        self.url = f"imaps://{USER}:p%40ss%2Fwort@localhost:{tls_port}"

    async def start(self) -> None:
        if self._run is None:  # not in the tests' own folder: the paths of its sockets must be short, and its users get there
            self._run = Path(tempfile.mkdtemp(prefix="dovecot"))
            self._run.chmod(0o755)
            (self._run / "box").mkdir()
            if os.getuid() == 0:
                os.chown(self._run / "box", *NOBODY)
        if not self.certificate.exists():
            await asyncio.to_thread(self._certify)
        root = os.getuid() == 0  # then it wants the users that its package makes
        me, group = getpass.getuser(), grp.getgrgid(os.getgid()).gr_name
        config = CONFIG.format(
            dir=self._folder,
            run=self._run,
            kind=self._kind,
            internal="dovecot" if root else me,
            login="dovenull" if root else me,
            group="dovecot" if root else group,
            uid=NOBODY[0] if root else os.getuid(),
            gid=NOBODY[1] if root else os.getgid(),
            password=PASSWORD,
            port=self.port,
            tls_port=self._tls_port,
        )
        (self._folder / "dovecot.conf").write_text(config)
        assert PROGRAM is not None
        self._process = await asyncio.create_subprocess_exec(PROGRAM, "-F", "-c", str(self._folder / "dovecot.conf"))
        await self._answers()

    def _certify(self) -> None:
        made = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost")
        where = ("-addext", "subjectAltName=DNS:localhost", "-keyout", "key.pem", "-out", "cert.pem")
        subprocess.run([*made, *where], cwd=self._folder, check=True, capture_output=True, timeout=PATIENCE)

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()  # its children end with it
            await self._process.wait()

    def clear(self) -> None:
        if self._run is not None:
            shutil.rmtree(self._run, ignore_errors=True)

    def login(self) -> IMAPClient:
        client = IMAPClient("127.0.0.1", self.port, ssl=False, timeout=20)
        client.login(USER, PASSWORD)
        return client
