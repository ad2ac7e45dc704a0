"""Sockets of the link are opened here alone: loopback by default, bounded everywhere, and no error without a sentence.

DEALER on the host, ROUTER on the agent. IMMEDIATE keeps frames from queueing for a peer that is not there, so nothing
stale is replayed after a reconnect; MAXMSGSIZE bounds every part.

No heartbeats of ZeroMQ's: its I/O thread answers them while a program hangs, so they tell nothing that the PINGs of the
protocol do not, and libzmq ends the process where one is due on a connection whose peer went away while its input waited
at the high-water mark (libzmq issues 4364 and 4841): an agent that was stopped for a second died of it.
"""

from __future__ import annotations

import errno
import ipaddress
from urllib.parse import urlsplit

import zmq

from hil.protocol import MAX_PART_BYTES
from scenes.errors import LinkError

DEFAULT_ADDRESS = "tcp://127.0.0.1:5555"

_OPTIONS = {
    zmq.IMMEDIATE: 1,
    zmq.LINGER: 0,
    zmq.SNDHWM: 4,
    zmq.RCVHWM: 4,
    zmq.MAXMSGSIZE: MAX_PART_BYTES,
    zmq.RECONNECT_IVL: 50,
    zmq.RECONNECT_IVL_MAX: 500,
    zmq.TCP_KEEPALIVE: 1,
    zmq.TCP_KEEPALIVE_IDLE: 10,
    zmq.TCP_KEEPALIVE_INTVL: 2,
    zmq.TCP_KEEPALIVE_CNT: 5,
}


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach that address: ipc, localhost, or a loopback IP."""
    scheme, host = _split(address)
    if scheme == "ipc" or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def open_router(context: zmq.Context[zmq.Socket[bytes]], bind: str, *, insecure: bool) -> zmq.Socket[bytes]:
    """Binds the agent's socket; raises LinkError where it is not loopback, occupied, or not an address."""
    if not is_loopback(bind) and not insecure:
        raise LinkError(
            f"The agent refuses to listen on {bind}: the link is neither encrypted nor authenticated yet, so anyone on "
            "that network could use it. Bind to 127.0.0.1 and tunnel (ssh -L), or pass --insecure on a network you trust."
        )
    socket = context.socket(zmq.ROUTER)
    _configure(socket)
    socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
    socket.setsockopt(zmq.ROUTER_HANDOVER, 1)
    try:
        socket.bind(bind)
    except zmq.ZMQError as error:
        socket.close(0)
        raise LinkError(_bind_sentence(bind, error)) from error
    return socket


def open_dealer(context: zmq.Context[zmq.Socket[bytes]], device: str, identity: bytes) -> zmq.Socket[bytes]:
    """Starts to connect the host's socket (no wait); raises LinkError where `device` is not an address."""
    _split(device)
    socket = context.socket(zmq.DEALER)
    _configure(socket)
    socket.setsockopt(zmq.ROUTING_ID, identity)
    try:
        socket.connect(device)
    except zmq.ZMQError as error:
        socket.close(0)
        raise LinkError(f"Cannot connect to {device!r}: {error.strerror}.") from error
    return socket


def endpoint(socket: zmq.Socket[bytes]) -> str:
    """Returns the address that a socket is really bound to (a wildcard port is filled in)."""
    return str(socket.getsockopt_string(zmq.LAST_ENDPOINT))


def beside(address: str, port: str | None = None) -> str:
    """Returns the address of the small socket that goes with one of frames: the next port, or `port`; a file's name grows."""
    scheme, host = _split(address)
    if scheme == "ipc":
        return f"{address}.clock"
    own = address.rpartition(":")[2]
    following = "*" if own == "*" or int(own) + 1 >= 2**16 else str(int(own) + 1)
    return f"tcp://{f'[{host}]' if ':' in host else host}:{port or following}"


def _configure(socket: zmq.Socket[bytes]) -> None:
    for option, value in _OPTIONS.items():
        socket.setsockopt(option, value)


def _split(address: str) -> tuple[str, str]:
    parts = urlsplit(address)
    host, _, port = parts.netloc.rpartition(":")
    is_tcp = parts.scheme == "tcp" and bool(host) and (port == "*" or (port.isdecimal() and int(port) < 2**16))
    if not is_tcp and not (parts.scheme == "ipc" and parts.path):
        raise LinkError(f"Expected an address such as {DEFAULT_ADDRESS}, got {address!r}.")
    return parts.scheme, host.strip("[]")


def _bind_sentence(bind: str, error: zmq.ZMQError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Cannot listen on {bind}: the port is occupied, perhaps by another agent; stop it or choose another --bind."
    return f"Cannot listen on {bind!r}: {error.strerror}."
