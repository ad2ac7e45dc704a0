"""Why a connection does not come about is a sentence: libzmq knows it, but only its monitor socket tells."""

from __future__ import annotations

import zmq
from zmq.utils.monitor import recv_monitor_message

from hil.link.keys import AGENT_PUBLIC, HOST_PUBLIC, HOSTS, HostKeys

_FAILURES = (
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_HANDSHAKE_FAILED_AUTH
)
# One side encrypts, the other does not.
_OTHER_MECHANISM = zmq.PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH
# One break in silence may be an agent that is just going away.
_SILENT_BREAKS = 3
_WITH_KEYS = "pass --keys with the folder that `rehearse agent keys` made"


class HandshakeWatch:
    """Watches one socket of the host from before it connects until `end`, which its context waits for."""

    def __init__(self, device: str, keys: HostKeys | None) -> None:
        self._device, self._keys = device, keys
        self._silent = 0
        self._socket: zmq.Socket[bytes] | None = None
        self._monitor: zmq.Socket[bytes] | None = None

    def begin(self, socket: zmq.Socket[bytes]) -> None:
        """Begins to watch; called by `hil.link.sockets.open_dealer`."""
        self._socket, self._monitor = socket, socket.get_monitor_socket(_FAILURES)

    def failure(self, *, final: bool = False) -> str | None:
        """Returns the sentence of why both sides do not come together, None while that is not certain.

        With `final` a suspicion counts too: whoever waits no longer should hear it.
        """
        while self._monitor is not None and self._monitor.poll(0):
            said = recv_monitor_message(self._monitor)
            sentence = self._sentence(said["event"], said["value"])
            if sentence is not None:
                return sentence
        if final and self._keys is None and self._silent >= _SILENT_BREAKS:
            return (
                f"What listens at {self._device} breaks off every handshake: it is no agent, or one that takes encrypted links "
                f"only ({_WITH_KEYS})."
            )
        return None

    def end(self) -> None:
        """Stops watching; safe to call twice."""
        if self._socket is not None and self._monitor is not None:
            self._socket.disable_monitor()
            self._monitor.close(0)
        self._socket = self._monitor = None

    def _sentence(self, event: int, value: int) -> str | None:
        agent = f"The agent at {self._device}"
        if self._keys is None and value == _OTHER_MECHANISM:
            return f"{agent} takes encrypted links only: {_WITH_KEYS}."
        if self._keys is not None and event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
            copied = f"copy {self._keys.folder / HOST_PUBLIC} into the folder {HOSTS}/ of its keys and start it again"
            return f"{agent} does not know this host's key: {copied}."
        self._silent += 1
        if self._keys is None or (self._silent < _SILENT_BREAKS and value != _OTHER_MECHANISM):
            return None
        expected = f"its key is not the one in {self._keys.folder / AGENT_PUBLIC}, or its link is not encrypted"
        return f"{agent} broke off the handshake: {expected} (start it with --keys)."
