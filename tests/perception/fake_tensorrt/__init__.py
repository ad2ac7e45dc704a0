"""A FAKE of TensorRT and of cuda-python, by version: names and parameters are the recorded ones, a network is computed by ONNX
Runtime on memory that is ordinary memory. It shows that the adapter lives through all it has to, not that a GPU would.

    with installed("10.3.0") as gpu:              # import tensorrt and cuda.bindings.runtime are the fakes
        open_engine("engine.onnx", "tensorrt")
    gpu.assert_all_given_back()
"""

from tests.perception.fake_tensorrt.gpu import FakeGpu, Misuse
from tests.perception.fake_tensorrt.install import installed

__all__ = ["FakeGpu", "Misuse", "installed"]
