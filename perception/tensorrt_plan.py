"""A TensorRT plan on disk is loaded only after its sha256 is the one in the manifest beside it: loading it runs native code."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from perception._cuda import Gpu
from perception.digest import UNSIGNED, check_digest
from perception.digest import manifest_path as digest_path
from perception.engine import EngineMetadata
from scenes.errors import EngineError
from scenes.files import write_whole

FORMAT = 1
SUFFIX = ".plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanKey:
    """All that a plan depends on; two plans of one key may take each other's place."""

    onnx_sha256: str
    tensorrt: str
    gpu: str
    sm: str
    flags: tuple[str, ...]
    power_mode: str | None

    def digest(self) -> str:
        """Returns the name under which a plan of this key is cached."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanManifest:
    """What is known of a plan without loading it; `metadata` is the engine's, as its ONNX file has it."""

    key: PlanKey
    plan_sha256: str
    onnx_file: str
    precision: str
    typed: bool
    dla_core: int | None
    layers: int
    layers_off_dla: int | None
    build_s: float
    metadata: str

    def to_json(self) -> str:
        """Returns the text of the manifest."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> PlanManifest:
        """Reads what `to_json` wrote; raises ValueError with a reason."""
        values: Any = json.loads(text)
        if not isinstance(values, dict) or values.pop("format", None) != FORMAT:
            raise ValueError(f"its format version is not {FORMAT}, the only one this release reads")
        if set(values) != {f.name for f in fields(cls)}:
            raise ValueError("it has not the entries of a plan's manifest")
        try:
            key = values.pop("key")
            return cls(key=PlanKey(**{**key, "flags": tuple(key["flags"])}), **values)
        except (KeyError, TypeError) as error:
            raise ValueError(f"it is incomplete ({error!r})") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The bytes of a plan whose digest is its manifest's; `checked` says by what else."""

    path: Path
    data: bytes
    manifest: PlanManifest
    metadata: EngineMetadata
    checked: str


def read_plan(path: Path, *, sha256: str | None = None) -> Plan:
    """Reads a plan and its manifest and checks its digest; a pinned `sha256` and a `.sha256` beside it are held too.

    Raises EngineError where they do not belong together.
    """
    beside = manifest_path(path)
    try:
        text, data = beside.read_text(encoding="utf-8"), path.read_bytes()
    except (OSError, UnicodeDecodeError) as error:
        raise EngineError(
            f"Cannot read the plan {path} with its manifest {beside.name} ({error}); make both on this board with "
            "`rehearse export ENGINE.onnx OUT.plan --format tensorrt`."
        ) from error
    try:
        manifest = PlanManifest.from_json(text)
        metadata = EngineMetadata.from_json(manifest.metadata)
    except ValueError as error:
        raise EngineError(f"{beside} is not the manifest of a plan: {error}.") from error
    digest = hashlib.sha256(data).hexdigest()
    if manifest.plan_sha256 != digest:
        raise EngineError(
            f"{path} is not the plan of its manifest: sha256 {digest[:16]}... instead of {manifest.plan_sha256[:16]}...; "
            "it was not loaded, because loading a plan runs its code. Build it again."
        )
    also = check_digest(path, digest, pinned=sha256)
    checked = beside.name if also == UNSIGNED else f"{beside.name} and {also}"
    return Plan(path=path, data=data, manifest=manifest, metadata=metadata, checked=checked)


def write_plan(path: Path, data: bytes, manifest: PlanManifest) -> None:
    """Writes a plan, then its manifest, each whole; a plan with another one's manifest is refused when it is read."""
    digest_path(path).unlink(missing_ok=True)  # that of an older plan
    write_whole(path, data)
    write_whole(manifest_path(path), manifest.to_json())


def manifest_path(path: Path) -> Path:
    """Returns where the manifest of a plan lies."""
    return path.with_name(path.name + ".json")


def assert_runs_here(plan: Plan, *, tensorrt: str, gpu: Gpu) -> None:
    """Raises EngineError where a plan was built by another version of TensorRT, or for another GPU."""
    key = plan.manifest.key
    built, here = (key.tensorrt, key.gpu, key.sm), (tensorrt, gpu.name, gpu.sm)
    if built != here:
        raise EngineError(
            f"{plan.path} was built by TensorRT {built[0]} for {built[1]} (sm {built[2]}); here is TensorRT {here[0]} on "
            f"{here[1]} (sm {here[2]}), so build it again from {plan.manifest.onnx_file}."
        )


def cache_folder() -> Path:
    """Returns the folder of built plans, readable by this user alone: REHEARSE_CACHE, else rehearse in the user's cache."""
    given = os.environ.get("REHEARSE_CACHE")
    base = Path(given) if given else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rehearse"
    folder = base / "tensorrt"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
