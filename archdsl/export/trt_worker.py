"""The process in which TensorRT builds: reads a request on stdin, writes an answer on stdout, and ends.

Nothing in TensorRT's Python raises, and a wrong move crashes the interpreter; here a crash costs one process.
A message is one line of JSON, followed by the bytes that it announces: the ONNX model, or the plan. TensorRT's own
prints go to stderr.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

MISSING, REFUSED, BUILT = "missing", "refused", "built"


@dataclass(frozen=True, slots=True)
class Outcome:
    fields: Mapping[str, Any]
    plan: bytes = b""


def main() -> None:
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    request, onnx_bytes = read_message(sys.stdin.buffer)
    outcome = _build(str(request["module"]), list(request["compute_capabilities"]), onnx_bytes)
    write_message(answers, outcome.fields, outcome.plan)


def read_message(stream: BinaryIO) -> tuple[Mapping[str, Any], bytes]:
    """One message. Raises EOFError where the stream ends within it."""
    head = stream.readline()
    if not head.endswith(b"\n"):
        raise EOFError("the stream ended within a message")
    fields: Mapping[str, Any] = json.loads(head)
    body = stream.read(fields["bytes"])
    if len(body) != fields["bytes"]:
        raise EOFError("the stream ended within a message")
    return fields, body


def write_message(stream: BinaryIO, fields: Mapping[str, Any], body: bytes) -> None:
    stream.write(json.dumps({**fields, "bytes": len(body)}).encode() + b"\n")
    stream.write(body)
    stream.flush()


def _build(module: str, capabilities: Sequence[str], onnx_bytes: bytes) -> Outcome:
    try:
        trt: Any = importlib.import_module(module)
    except ImportError as error:
        return Outcome({"outcome": MISSING, "details": [str(error)]})
    logger = _logger(trt)
    builder = trt.Builder(logger)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(onnx_bytes):
        errors = [_parser_error(parser.get_error(index)) for index in range(parser.num_errors)]
        return _refused("TensorRT cannot read the network", [*errors, *logger.complaints])
    if network.num_outputs == 0:
        return _refused("TensorRT read a network without outputs", logger.complaints)
    config = builder.create_builder_config()
    known = getattr(trt, "ComputeCapability", None)
    if capabilities:
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
    return Outcome(fields, bytes(serialized))


def _logger(trt: Any) -> Any:
    """The process's one logger: keeps what TensorRT says of warnings and errors."""

    class Complaints(trt.ILogger):
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.complaints: list[str] = []

        def log(self, severity: Any, message: str) -> None:
            if severity in (trt.ILogger.WARNING, trt.ILogger.ERROR, trt.ILogger.INTERNAL_ERROR):
                self.complaints.append(message)

    return Complaints()


def _refused(message: str, details: Sequence[str]) -> Outcome:
    return Outcome({"outcome": REFUSED, "message": message, "details": list(details)})


def _parser_error(error: Any) -> str:
    place = f"{error.node_operator()} `{error.node_name()}`: " if error.node_name() else ""
    return f"{place}{error.desc()}"


def _port(trt: Any, tensor: Any) -> dict[str, Any]:
    return {"name": tensor.name, "dtype": trt.nptype(tensor.dtype).__name__, "shape": list(tensor.shape)}


if __name__ == "__main__":
    main()
