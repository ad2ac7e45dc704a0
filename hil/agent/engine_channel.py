"""The doorbell between the agent and its engine's process: small msgpack maps, whole or not at all, never a pickle.

A message is four bytes of length, little endian, and a map of at most `MAX_BYTES`. What is larger, or is no map, closes
the channel: the two ends are one release, so it can only come from a process whose memory is damaged.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgpack

MAX_BYTES = 256 * 2**10
_LENGTH = struct.Struct("<I")
_READ_BYTES = 64 * 2**10


class ChannelClosed(Exception):  # noqa: N818  # it is an event
    """The other end is gone, or said what no end says."""


class Channel:
    """One end. `receive` never waits, `wait` does; the socket blocks only where `blocking` is said."""

    def __init__(self, end: socket.socket, *, blocking: bool) -> None:
        end.setblocking(blocking)
        self._socket = end
        self._buffer = bytearray()

    def fileno(self) -> int:
        """The descriptor to wait on."""
        return self._socket.fileno()

    def send(self, message: Mapping[str, Any]) -> None:
        """Sends a message; raises ChannelClosed where the other end is gone or does not read."""
        packed = msgpack.packb(message, use_bin_type=True)
        if len(packed) > MAX_BYTES:
            raise ValueError(f"A message to or from the engine's process takes {len(packed)} bytes, over {MAX_BYTES}.")
        try:
            self._socket.sendall(_LENGTH.pack(len(packed)) + packed)
        except OSError as error:
            raise ChannelClosed from error

    def receive(self) -> dict[str, Any] | None:
        """Returns the next whole message, None where there is none yet; raises ChannelClosed."""
        with suppress(BlockingIOError):
            return self.wait()
        return None

    def wait(self) -> dict[str, Any]:
        """Returns the next message as soon as it is there; raises ChannelClosed, BlockingIOError where it may not wait."""
        while (message := self._whole()) is None:
            self._read()
        return message

    def close(self) -> None:
        """Closes this end; the other one finds ChannelClosed."""
        self._socket.close()

    def _read(self) -> None:
        try:
            read = self._socket.recv(_READ_BYTES)
        except (ConnectionError, ValueError) as error:
            raise ChannelClosed from error
        if not read:
            raise ChannelClosed
        self._buffer += read

    def _whole(self) -> dict[str, Any] | None:
        if len(self._buffer) < _LENGTH.size:
            return None
        (size,) = _LENGTH.unpack_from(self._buffer)
        if size > MAX_BYTES:
            raise ChannelClosed
        end = _LENGTH.size + size
        if len(self._buffer) < end:
            return None
        packed = bytes(self._buffer[_LENGTH.size : end])
        del self._buffer[:end]
        return _unpack(packed)


def _unpack(packed: bytes) -> dict[str, Any]:
    try:
        message = msgpack.unpackb(packed, raw=False, strict_map_key=True, max_ext_len=0)
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:
        raise ChannelClosed from error
    if not isinstance(message, dict):
        raise ChannelClosed
    return message
