"""Keys of the encrypted link: made unreadable to others from their first byte, and refused where others could read them.

A folder of keys has, of which each side needs its own two,

    agent.key        secret, stays on the device        host.key       secret, goes to the host
    hosts/host.pub   the hosts that the agent lets in   agent.pub      by which the host knows the agent

Files are 0600, folders 0700, in the format of `zmq.auth` (ZPL; keys of CURVE25519 in Z85).
"""

from __future__ import annotations

import os
import re
import stat
import struct
from dataclasses import dataclass
from pathlib import Path

import zmq

from scenes.errors import LinkError

ENVIRONMENT = "REHEARSE_KEYS"
AGENT_SECRET, AGENT_PUBLIC, HOST_SECRET, HOSTS = "agent.key", "agent.pub", "host.key", "hosts"
HOST_PUBLIC = f"{HOSTS}/host.pub"
FILES = (AGENT_SECRET, HOST_PUBLIC, HOST_SECRET, AGENT_PUBLIC)
_MOST_BYTES = 4096
_LINE = re.compile(r'^\s*(public|secret)-key\s*=\s*"([^"\s]{40})"\s*$', re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentKeys:
    """What the agent listens with; keys are Z85 text, `hosts` the public keys that may connect, by their files' names."""

    public: bytes
    secret: bytes
    hosts: dict[bytes, str]
    folder: Path

    def __repr__(self) -> str:  # so that no log ever has a secret
        return f"AgentKeys({self.public!r}, hosts={sorted(self.hosts.values())})"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostKeys:
    """What a host connects with: its own pair, and the public key of the one agent that it will talk to."""

    public: bytes
    secret: bytes
    agent: bytes
    folder: Path

    def __repr__(self) -> str:
        return f"HostKeys({self.public!r}, agent={self.agent!r})"


def default_folder() -> Path:
    """Returns where keys lie unless said otherwise: $REHEARSE_KEYS, else rehearse/keys in the user's configuration."""
    named = os.environ.get(ENVIRONMENT)
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "rehearse" / "keys"


def make_keys(folder: Path, *, force: bool = False) -> tuple[Path, ...]:
    """Makes the pairs of an agent and of a host and returns the four files; raises LinkError where some are there already."""
    there = [name for name in FILES if (folder / name).exists()]
    if there and not force:
        raise LinkError(
            f"{folder} already has {', '.join(there)}; hosts and agents that use them would be locked out. Give another "
            "--out, or --force to make new ones."
        )
    try:
        for path in (folder, folder / HOSTS):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            _check_mode(path, path.stat().st_mode, 0o022, "chmod 700")
        for secret, public in ((AGENT_SECRET, AGENT_PUBLIC), (HOST_SECRET, HOST_PUBLIC)):
            public_key, secret_key = zmq.curve_keypair()
            _write_private(folder / secret, _text(public_key, secret_key))
            _write_private(folder / public, _text(public_key))
    except OSError as error:
        raise LinkError(f"Cannot write keys to {folder}: {error.strerror or error}.") from error
    return tuple(folder / name for name in FILES)


def instructions(folder: Path) -> str:
    """Returns what to copy where after `make_keys`, for the person who ran it on the device."""
    return f"""\
Keys are in {folder}; nobody else can read them.
  on the device  {AGENT_SECRET} (secret) and {HOST_PUBLIC}, the host that it lets in
  on the host    {HOST_SECRET} (secret) and {AGENT_PUBLIC}, by which it knows the agent
Made on the device? On the host run
  mkdir -m 700 -p KEYS && scp 'DEVICE:{folder}/{{{HOST_SECRET},{AGENT_PUBLIC}}}' KEYS/
and then delete {HOST_SECRET} here. One more host: make its keys there, copy its {HOST_PUBLIC}
here as {HOSTS}/NAME.pub and this {AGENT_PUBLIC} there.
  rehearse agent ENGINE --bind tcp://0.0.0.0:5555 --keys {folder}
  rehearse hil DATASET --device tcp://DEVICE:5555 --keys KEYS"""


def load_agent_keys(folder: Path) -> AgentKeys:
    """Reads what the agent needs; raises LinkError where a file is missing, malformed, or open to others."""
    public, secret = _secret(folder / AGENT_SECRET)
    try:
        found = sorted((folder / HOSTS).glob("*.pub"))
    except OSError:
        found = []
    if not found:
        raise LinkError(
            f"No host may connect: {folder / HOSTS} has no public key. Copy each host's there as NAME.pub, or make a pair "
            "with `rehearse agent keys`."
        )
    _check_mode(folder / HOSTS, (folder / HOSTS).stat().st_mode, 0o022, "chmod 700")
    return AgentKeys(public=public, secret=secret, hosts={_public(path): path.stem for path in found}, folder=folder)


def load_host_keys(folder: Path) -> HostKeys:
    """Reads what a host needs; raises LinkError where a file is missing, malformed, or open to others."""
    public, secret = _secret(folder / HOST_SECRET)
    return HostKeys(public=public, secret=secret, agent=_public(folder / AGENT_PUBLIC), folder=folder)


def _text(public: bytes, secret: bytes | None = None) -> str:
    lines = ['metadata\n    made-by = "rehearse agent keys"', "curve", f'    public-key = "{public.decode()}"']
    return "\n".join([*lines, *([] if secret is None else [f'    secret-key = "{secret.decode()}"']), ""])


def _write_private(path: Path, text: str) -> None:
    """Writes a file that nobody else can read at any moment, and puts it in place whole."""
    staging = path.with_name(f".{path.name}.{os.getpid()}")
    staging.unlink(missing_ok=True)
    descriptor = os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        staging.replace(path)
    finally:
        staging.unlink(missing_ok=True)


def _secret(path: Path) -> tuple[bytes, bytes]:
    keys = _read(path, 0o077)
    if "secret" not in keys or zmq.curve_public(keys["secret"]) != keys["public"]:
        raise LinkError(f"{path} has no secret key that belongs to its public one; copy it again, or make new keys.")
    return keys["public"], keys["secret"]


def _public(path: Path) -> bytes:
    keys = _read(path, 0o022)
    if "secret" in keys:
        raise LinkError(
            f"{path} holds a secret key where a public one belongs; put its .pub there and delete this one."
        )
    return keys["public"]


def _read(path: Path, forbidden: int) -> dict[str, bytes]:
    """Reads the keys of a file; `forbidden` are the bits that its mode must not have."""
    try:
        with path.open("rb") as file:
            _check_mode(path, os.fstat(file.fileno()).st_mode, forbidden, "chmod 600")
            text = file.read(_MOST_BYTES).decode("ascii", errors="replace")
    except OSError as error:
        hint = (
            "; make keys with `rehearse agent keys` and copy them as it says"
            if isinstance(error, FileNotFoundError)
            else ""
        )
        raise LinkError(f"Cannot read the key {path}: {error.strerror or error}{hint}.") from error
    keys = {name: key.encode() for name, key in _LINE.findall(text)}
    if "public" not in keys or not all(_is_z85(key) for key in keys.values()):
        raise LinkError(f"{path} is not a key: expected a line public-key with 40 characters of Z85.")
    return keys


def _is_z85(key: bytes) -> bool:
    from zmq.utils import z85

    try:
        return len(z85.decode(key)) == 32
    except (KeyError, ValueError, struct.error):  # a character that Z85 has not, a length, a number over 32 bits
        return False


def _check_mode(path: Path, mode: int, forbidden: int, remedy: str) -> None:
    if stat.S_IMODE(mode) & forbidden:
        done = "read or change" if forbidden & 0o044 else "change"
        raise LinkError(
            f"{path} has the mode {stat.S_IMODE(mode):04o}, so other users could {done} it: run `{remedy} {path}`."
        )
