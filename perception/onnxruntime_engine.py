"""ONNX Runtime: on the CPU in float32 the engine that runs everywhere, the reference for the others; on a GPU only if asked."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from perception.engine import OUTPUT_NAMES, EngineMetadata, ModelFile, Precision, RawOutput
from perception.typed_onnx import typed_precision
from scenes.errors import EngineError

_SPINNING = "session.intra_op.allow_spinning"
# Names that `open_engine` takes, and ONNX Runtime's own.
PROVIDERS = {
    "onnxruntime": "CPUExecutionProvider", "onnxruntime-cuda": "CUDAExecutionProvider",
    "onnxruntime-tensorrt": "TensorrtExecutionProvider",
}  # fmt: skip


class OnnxRuntimeEngine:
    """A network in an ONNX Runtime session whose threads sleep, not spin, between images."""

    def __init__(
        self, model: ModelFile, *, threads: int, precision: Precision, reason: str, name: str = "onnxruntime"
    ) -> None:
        """Builds the session with the provider of that name, and no other in its place.

        Raises ImportError without onnxruntime, EngineError on a bad model, for bf16 and where the provider is not there.
        """
        import onnxruntime

        self.name = name
        provider = PROVIDERS[name]
        if provider not in onnxruntime.get_available_providers():
            raise EngineError(
                f"This ONNX Runtime has no {provider} (it has {', '.join(onnxruntime.get_available_providers())}); "
                "install onnxruntime-gpu in its place, or take the engine onnxruntime."
            )
        if precision == "bf16":
            raise EngineError("ONNX Runtime has no bf16 on this kind of CPU; use openvino, or precision 'f32'.")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 4
        options.add_session_config_entry(_SPINNING, "0")
        try:
            self._session = onnxruntime.InferenceSession(model.data, options, providers=[(provider, _options(provider))])
        except Exception as error:  # the library's exceptions have no common base but Exception
            raise EngineError(f"{model.path} cannot be used as an engine: ONNX Runtime says {_one_line(error)}.") from error
        if self._session.get_providers()[0] != provider:  # it falls back without an error where a library is missing
            raise EngineError(f"ONNX Runtime could not start its {provider} here; its own log says what is missing.")
        missing = set(OUTPUT_NAMES) - {output.name for output in self._session.get_outputs()}
        if missing or [i.name for i in self._session.get_inputs()] != ["image"]:
            raise EngineError(
                f"{model.path} cannot be used as an engine: it needs one input 'image' and the outputs "
                f"{', '.join(OUTPUT_NAMES)}; missing outputs: {', '.join(sorted(missing)) or 'none'}."
            )
        self._metadata, self._digest = model.metadata, model.digest
        self._settings = {**self._effective(onnxruntime.__version__, reason), "sha256": model.checked}

    def _effective(self, version: str, reason: str) -> dict[str, str]:
        options = self._session.get_session_options()
        return {
            "backend": f"onnxruntime {version}", "chosen": reason,
            "inference_precision_hint": typed_precision(self._metadata),
            "inference_num_threads": str(options.intra_op_num_threads),
            "allow_spinning": str(options.get_session_config_entry(_SPINNING)),
            "providers": ",".join(self._session.get_providers()),
        }  # fmt: skip

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
        """The effective settings, read back from the session."""
        return self._settings

    def infer(self, image: NDArray[np.float32]) -> RawOutput:
        """Runs the network on float32 (1, 3, h, w), RGB 0..255."""
        try:
            arrays = self._session.run(list(OUTPUT_NAMES), {"image": image})
        except Exception as error:  # the library's exceptions have no common base but Exception
            raise EngineError(
                f"ONNX Runtime could not run the network on {image.dtype} {image.shape}: {_one_line(error)}."
            ) from error
        return RawOutput(**dict(zip(OUTPUT_NAMES, arrays, strict=True)))


def _options(provider: str) -> dict[str, str]:
    """Returns a provider's options: float32 means float32 on a GPU too, and a plan is built once."""
    if provider == "CUDAExecutionProvider":
        return {"use_tf32": "0"}
    if provider == "TensorrtExecutionProvider":
        from perception.tensorrt_plan import cache_folder

        folder = str(cache_folder())
        return {
            "trt_engine_cache_enable": "1", "trt_engine_cache_path": folder, "trt_timing_cache_enable": "1",
            "trt_timing_cache_path": folder,
        }  # fmt: skip
    return {}


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")
