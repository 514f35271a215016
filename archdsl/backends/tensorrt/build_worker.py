"""The process in which TensorRT builds: reads an ONNX model, answers with the plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from archdsl.backends.tensorrt.process import Message, answer_with, import_tensorrt, listening_logger

MISSING, REFUSED, BUILT = "missing", "refused", "built"


def build(request: Mapping[str, Any], onnx_bytes: bytes) -> Message:
    """Builds for `module` and `compute_capabilities`; answers with the plan and its ports, or why there is none."""
    module, capabilities = str(request["module"]), list(request["compute_capabilities"])
    trt = import_tensorrt(module)
    if trt is None:
        return {"outcome": MISSING}, b""
    logger = listening_logger(trt)
    builder = trt.Builder(logger)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(onnx_bytes):
        errors = [_parser_error(parser.get_error(index)) for index in range(parser.num_errors)]
        return _refused("TensorRT cannot read the network", [*errors, *logger.complaints])
    if network.num_outputs == 0:
        return _refused("TensorRT read a network without outputs", logger.complaints)
    config = builder.create_builder_config()
    # On by default, and 10 bits of mantissa: fp32 would then mean something else than on every other target.
    config.clear_flag(trt.BuilderFlag.TF32)
    if capabilities:
        known = getattr(trt, "ComputeCapability", None)
        unknown = [name for name in capabilities if not hasattr(known, name)]
        if unknown:
            return _refused(f"{module} {trt.__version__} does not know the compute capability {unknown[0]}", [])
        config.num_compute_capabilities = len(capabilities)
        for index, name in enumerate(capabilities):
            config.set_compute_capability(getattr(known, name), index)
    serialized = builder.build_serialized_network(network, config)
    if serialized is None:
        return _refused("TensorRT built no plan", logger.complaints)
    inputs = [_port(trt, network.get_input(index)) for index in range(network.num_inputs)]
    outputs = [_port(trt, network.get_output(index)) for index in range(network.num_outputs)]
    fields = {"outcome": BUILT, "version": str(trt.__version__), "inputs": inputs, "outputs": outputs}
    return fields, bytes(serialized)


def _refused(message: str, details: Sequence[str]) -> Message:
    return {"outcome": REFUSED, "message": message, "details": list(details)}, b""


def _parser_error(error: Any) -> str:
    place = f"{error.node_operator()} `{error.node_name()}`: " if error.node_name() else ""
    return f"{place}{error.desc()}"


def _port(trt: Any, tensor: Any) -> dict[str, Any]:
    return {"name": tensor.name, "dtype": trt.nptype(tensor.dtype).__name__, "shape": list(tensor.shape)}


if __name__ == "__main__":
    answer_with(build)
