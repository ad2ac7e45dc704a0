"""Sockets of the link are opened here alone: loopback or encrypted, bounded everywhere, and no error without a sentence.

DEALER on the host, ROUTER on the agent. IMMEDIATE keeps frames from queueing for a peer that is not there, so nothing
stale is replayed after a reconnect; MAXMSGSIZE bounds every part; a peer that does not finish its handshake is dropped.
With keys the link is CURVE, and only known hosts get in.

No heartbeats of ZeroMQ's: its I/O thread answers them while a program hangs, so they tell nothing that the PINGs of the
protocol do not, and libzmq ends the process where one is due on a connection whose peer went away while its input waited
at the high-water mark (libzmq issues 4364 and 4841): an agent that was stopped for a second died of it.
"""

from __future__ import annotations

import errno
import ipaddress
from pathlib import Path
from urllib.parse import urlsplit

import zmq

from hil.link.authenticator import DOMAIN
from hil.link.handshake_watch import HandshakeWatch
from hil.link.keys import (
    AGENT_SECRET,
    HOST_SECRET,
    AgentKeys,
    HostKeys,
    default_folder,
    load_agent_keys,
    load_host_keys,
)
from hil.link.protocol import MAX_PART_BYTES
from scenes.errors import LinkError

DEFAULT_ADDRESS = "tcp://127.0.0.1:5555"

_OPTIONS = {
    zmq.IMMEDIATE: 1,
    zmq.LINGER: 0,
    zmq.SNDHWM: 4,
    zmq.RCVHWM: 4,
    zmq.RECONNECT_IVL: 50,
    zmq.RECONNECT_IVL_MAX: 500,
    zmq.TCP_KEEPALIVE: 1,
    zmq.TCP_KEEPALIVE_IDLE: 10,
    zmq.TCP_KEEPALIVE_INTVL: 2,
    zmq.TCP_KEEPALIVE_CNT: 5,
    zmq.HANDSHAKE_IVL: 3000,
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


def keys_for_agent(folder: Path | None, bind: str, *, insecure: bool) -> AgentKeys | None:
    """Reads the agent's keys: those asked for, or the user's own where other machines can reach it; None = a plain link."""
    if folder is None and (insecure or is_loopback(bind) or not (default_folder() / AGENT_SECRET).exists()):
        return None
    return load_agent_keys(folder or default_folder())


def keys_for_host(folder: Path | None, device: str, *, insecure: bool) -> HostKeys | None:
    """Reads the host's keys as `keys_for_agent` does; raises LinkError where none are there and the device is elsewhere."""
    if folder is None and (insecure or is_loopback(device)):
        return None
    if folder is None and not (default_folder() / HOST_SECRET).exists():
        raise LinkError(
            f"Without keys nobody can tell whether it is the agent that answers at {device}. Make keys with `rehearse agent "
            "keys` and pass --keys, or tunnel (ssh -L) to a loopback address, or pass --insecure."
        )
    return load_host_keys(folder or default_folder())


def open_router(
    context: zmq.Context[zmq.Socket[bytes]],
    bind: str,
    *,
    insecure: bool,
    keys: AgentKeys | None = None,
    most_bytes: int = MAX_PART_BYTES,
) -> zmq.Socket[bytes]:
    """Binds the agent's socket; raises LinkError where it is not loopback, occupied, or not an address.

    With `keys` an `Authenticator` has to run in that context, or nobody gets in. No part is longer than `most_bytes`.
    """
    if keys is None and not is_loopback(bind) and not insecure:
        raise LinkError(
            f"The agent refuses to listen on {bind} without keys: anyone on that network could use it. Make keys with "
            "`rehearse agent keys` and pass --keys, or bind to 127.0.0.1 and tunnel (ssh -L), or pass --insecure."
        )
    socket = context.socket(zmq.ROUTER)
    _configure(socket, most_bytes)
    socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
    socket.setsockopt(zmq.ROUTER_HANDOVER, 1)
    if keys is not None:
        socket.setsockopt(zmq.CURVE_SERVER, 1)
        socket.setsockopt(zmq.CURVE_PUBLICKEY, keys.public)
        socket.setsockopt(zmq.CURVE_SECRETKEY, keys.secret)
        socket.setsockopt(zmq.ZAP_DOMAIN, DOMAIN)
        socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)
    try:
        socket.bind(bind)
    except zmq.ZMQError as error:
        socket.close(0)
        raise LinkError(_bind_sentence(bind, error)) from error
    return socket


def open_dealer(
    context: zmq.Context[zmq.Socket[bytes]],
    device: str,
    identity: bytes,
    keys: HostKeys | None = None,
    *,
    most_bytes: int = MAX_PART_BYTES,
    watch: HandshakeWatch | None = None,
) -> zmq.Socket[bytes]:
    """Starts to connect the host's socket (no wait); raises LinkError where `device` is not an address.

    `watch` then tells why no connection comes about.
    """
    _split(device)
    socket = context.socket(zmq.DEALER)
    _configure(socket, most_bytes)
    socket.setsockopt(zmq.ROUTING_ID, identity)
    if keys is not None:
        socket.setsockopt(zmq.CURVE_PUBLICKEY, keys.public)
        socket.setsockopt(zmq.CURVE_SECRETKEY, keys.secret)
        socket.setsockopt(zmq.CURVE_SERVERKEY, keys.agent)
    if watch is not None:
        watch.begin(socket)
    try:
        socket.connect(device)
    except zmq.ZMQError as error:
        if watch is not None:
            watch.end()
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


def _configure(socket: zmq.Socket[bytes], most_bytes: int) -> None:
    for option, value in _OPTIONS.items():
        socket.setsockopt(option, value)
    socket.setsockopt(zmq.MAXMSGSIZE, most_bytes)


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
