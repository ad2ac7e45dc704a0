"""OpenVINO on the CPU: bfloat16 where the CPU has it, tuned for the latency of one image."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from perception.engine import OUTPUT_NAMES, EngineMetadata, ModelFile, Precision, RawOutput
from scenes.errors import EngineError

_REPORTED = ("INFERENCE_PRECISION_HINT", "PERFORMANCE_HINT", "NUM_STREAMS", "INFERENCE_NUM_THREADS", "ENABLE_CPU_PINNING")


class OpenVinoEngine:
    """A network compiled by OpenVINO; `precision` `auto` is bf16 where the CPU reports it, else f32."""

    name = "openvino"

    def __init__(self, model: ModelFile, *, threads: int, precision: Precision, reason: str) -> None:
        """Compiles for this CPU (about a second); raises ImportError without openvino, EngineError on a bad model."""
        import openvino

        core = openvino.Core()
        if precision == "auto":
            precision = "bf16" if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"
        options = {
            "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1", "INFERENCE_PRECISION_HINT": precision,
            "INFERENCE_NUM_THREADS": str(threads), "ENABLE_CPU_PINNING": "NO",
        }  # fmt: skip
        try:
            compiled = core.compile_model(core.read_model(model.data, b""), "CPU", options)
            self._outputs = {name: compiled.output(name) for name in OUTPUT_NAMES}
            self._input = compiled.input("image")
        except RuntimeError as error:
            raise EngineError(f"{model.path} cannot be used as an engine: OpenVINO says {_last_line(error)}.") from error
        self._request = compiled.create_infer_request()
        self._metadata, self._digest = model.metadata, model.digest
        effective = {key.lower(): _plain(compiled.get_property(key)) for key in _REPORTED}
        own = {"backend": f"openvino {openvino.__version__}", "chosen": reason, "sha256": model.checked}
        self._settings = {**own, **effective}

    @property
    def metadata(self) -> EngineMetadata:
        """What the file says of itself."""
        return self._metadata

    @property
    def digest(self) -> str:
        """The sha256 of the file."""
        return self._digest

    @property
    def settings(self) -> Mapping[str, str]:
        """The effective settings, read back from the compiled model."""
        return self._settings

    def infer(self, image: NDArray[np.float32]) -> RawOutput:
        """Runs the network on float32 (1, 3, h, w), RGB 0..255."""
        try:
            result = self._request.infer({self._input: image}, share_inputs=True)
        except RuntimeError as error:
            raise EngineError(
                f"OpenVINO could not run the network on {image.dtype} {image.shape}: {_last_line(error)}."
            ) from error
        return RawOutput(**{name: result[port] for name, port in self._outputs.items()})


def _plain(value: object) -> str:
    """Returns `bf16` for `<Type: 'bfloat16'>`, and the text of anything else."""
    text = value.to_string() if hasattr(value, "to_string") else str(value)
    return str(text)


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__).rstrip(".")
