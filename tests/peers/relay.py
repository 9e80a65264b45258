"""A line between a program and its server that can break in each of the ways in which lines break."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct


class Relay:
    """TCP from a free port of the loopback to a server's. ``seen`` holds what the server said.

    ``gate``: where the program says these words, it waits until ``opened`` is set; ``reached`` is set meanwhile.
    """

    def __init__(self, port: int) -> None:
        self._server_port = port
        self._open: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._silent: set[asyncio.StreamWriter] = set()
        self.seen = bytearray()
        self.gate = b""
        self.reached, self.opened = asyncio.Event(), asyncio.Event()
        self.port = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._joined, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._server_port)
        except OSError:
            writer.close()
            return
        pair = (writer, far_writer)
        self._open.add(pair)
        ways = [self._pump(reader, far_writer, writer, False), self._pump(far_reader, writer, writer, True)]
        self._tasks |= (tasks := {asyncio.create_task(way) for way in ways})
        with contextlib.suppress(OSError):
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        self._tasks -= tasks
        if writer not in self._silent:
            self._open.discard(pair)
            for end in pair:
                end.close()

    async def _pump(
        self, source: asyncio.StreamReader, to: asyncio.StreamWriter, near: asyncio.StreamWriter, watched: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                if near in self._silent:
                    continue  # a dead NAT entry: swallowed, and nobody is told
                if watched:
                    self.seen += data
                elif self.gate and self.gate in data:
                    self.gate = b""
                    self.reached.set()
                    await self.opened.wait()
                to.write(data)
                await to.drain()

    def silence(self) -> None:
        """The connections that are open now carry nothing any more, and nobody hears of it; new ones are sound."""
        self._silent |= {near for near, _ in self._open}

    def reset(self) -> None:
        """The connections that are open now end with a RST."""
        for near, far in list(self._open):
            near.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            near.transport.abort()
            far.close()
        self._open.clear()

    def say(self, words: bytes) -> None:
        """The server seems to say this on all connections, and hangs up."""
        for near, far in list(self._open):
            near.write(words)
            near.close()
            far.close()
        self._open.clear()

    async def stop(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        for pair in self._open:
            for end in pair:
                end.close()
