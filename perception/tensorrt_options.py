"""How the TensorRT engine runs, written behind its name: `tensorrt:memory=mapped,graph=off,wait=asleep,dla=0`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

from scenes.errors import EngineError, UnknownNameError

_CHOICES = {
    "memory": ("auto", "pinned", "mapped"), "graph": ("on", "off"), "wait": ("driver", "asleep"), "build": ("on", "off"),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorRtOptions:
    """`memory`: `pinned` copies between host and device, `mapped` lets the device read and write the host's memory, `auto`
    is mapped where they share it. `graph`: one CUDA graph of copies and network instead of one launch per kernel. `wait`:
    as the `driver` does, or `asleep`, which leaves the core free and wakes up later. `dla`: the number of a DLA core that
    runs what it can, None for the GPU alone. `build`: whether a plan that is missing is built when an ONNX file is opened.
    """

    memory: Literal["auto", "pinned", "mapped"] = "auto"
    graph: Literal["on", "off"] = "on"
    wait: Literal["driver", "asleep"] = "driver"
    build: Literal["on", "off"] = "on"
    dla: int | None = None

    @classmethod
    def parse(cls, text: str) -> TensorRtOptions:
        """Reads `name=value,name=value`; raises UnknownNameError or EngineError."""
        found: dict[str, str | int] = {}
        for part in filter(None, (part.strip() for part in text.split(","))):
            name, equals, value = part.partition("=")
            if name not in {f.name for f in fields(cls)} or not equals:
                raise UnknownNameError("option of the engine tensorrt", name, [f.name for f in fields(cls)])
            if name == "dla":
                found[name] = _core(value)
            elif value not in _CHOICES[name]:
                raise UnknownNameError(f"value of the option {name}", value, _CHOICES[name])
            else:
                found[name] = value
        return cls(**found)  # type: ignore[arg-type]  # each was held against its choices


def _core(text: str) -> int:
    if not text.isdecimal():
        raise EngineError(f"The option dla needs the number of a DLA core such as 0, got {text!r}.")
    return int(text)
