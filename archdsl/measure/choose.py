"""The runtime that a command line names, where it can run here."""

from __future__ import annotations

from archdsl.extras import Package, require_for, require_package
from archdsl.measure.runtime import DeviceName, NotMeasured, Runtime, RuntimeName

CPU_ONLY = (RuntimeName.ORT, RuntimeName.OPENVINO)


def find_runtime(name: RuntimeName, device: DeviceName) -> Runtime:
    """Raises NotMeasured for a runtime that is not for this device, ToolMissing, TargetFailed without a device."""
    if name is RuntimeName.TRT and device is DeviceName.CPU:
        raise NotMeasured("TensorRT runs on GPUs alone: add `--device cuda`")
    if name in CPU_ONLY and device is DeviceName.CUDA:
        raise NotMeasured(f"`{name}` is measured on the CPU alone: leave out `--device cuda`")
    require_for(f"cost fill --runtime {name}")
    match name:
        case RuntimeName.ORT:
            from archdsl.measure.onnx_runtimes import OnnxRuntime

            return OnnxRuntime()
        case RuntimeName.OPENVINO:
            require_package(Package("openvino", "openvino"), "pip install openvino")
            from archdsl.measure.onnx_runtimes import OpenVino

            return OpenVino()
        case RuntimeName.TRT:
            from archdsl.measure.cuda import TensorRtOnCuda

            return TensorRtOnCuda()
        case RuntimeName.EAGER | RuntimeName.COMPILE if device is DeviceName.CUDA:
            from archdsl.measure.cuda import TorchOnCuda

            return TorchOnCuda(compiled=name is RuntimeName.COMPILE)
        case RuntimeName.EAGER | RuntimeName.COMPILE:
            from archdsl.measure.torch_cpu import TorchOnCpu

            return TorchOnCpu(compiled=name is RuntimeName.COMPILE)
