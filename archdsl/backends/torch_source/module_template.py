"""What stands around the classes of a standalone file: the docstring, `load`, the main block."""

from __future__ import annotations

from dataclasses import dataclass

from archdsl.backends.torch_source.python_layout import Items, Name, literal, prose, statement
from archdsl.ops import Shape


@dataclass(frozen=True, slots=True)
class Origin:
    """What a reader of the file is told of where it comes from."""

    text: str = ""
    """The text that was compiled, `student.arch:fasterseg_student`."""
    hash: str = ""
    """Of the space."""
    weights: str = "weights.safetensors"
    """The name of the file of weights beside it."""
    preprocessing: str = ""
    """What is done to an image before the network, in a sentence; empty where it is not known."""


@dataclass(frozen=True, slots=True)
class Facade:
    """The network's interface: what its callers see."""

    title: str
    """The name in the text."""
    class_name: str
    images: tuple[Shape, ...]
    outputs: int
    """Without auxiliary ones."""
    auxiliary: bool
    """Whether it has auxiliary outputs at all."""
    training_only: tuple[str, ...]
    """Modules that only auxiliary outputs need."""
    counters: bool
    """Whether it has batch norms, whose `num_batches_tracked` torch expects in a state dict."""


def docstring_lines(facade: Facade, origin: Origin) -> list[str]:
    source = f" from {prose(origin.text)}" if origin.text else ""
    lines = [f'"""`{prose(facade.title)}`, compiled by archdsl{source}.', ""]
    if origin.hash:
        lines.append(f"Hash of the space: {prose(origin.hash)}.")
    if origin.preprocessing:
        lines.append(f"{prose(origin.preprocessing)}.")
    lines += [
        "Needs torch and nothing else. With the weights that were written beside this file:",
        "",
        f"    network = load({_quoted(origin.weights)})",
        "",
        f"and without them `{facade.class_name}()`, with torch's own initial weights.",
        '"""',
    ]
    return lines


def _quoted(name: str) -> str:
    """A path as it can stand in a docstring; one with quotes or backslashes is left for the reader to put."""
    return f"'{name}'" if prose(name) == name and "'" not in name else "PATH"


def load_lines(facade: Facade) -> list[str]:
    flag, given = (", *, auxiliary: bool = False", "auxiliary=auxiliary") if facade.auxiliary else ("", "")
    return [
        f"def load(path: str{flag}) -> {facade.class_name}:",
        '    """The network with the weights of a safetensors file, ready for inference."""',
        f"    network = {facade.class_name}({given})",
        "    weights = read_safetensors(path)",
        *_without_training_only(facade.training_only),
        *_given_to_network(counters=facade.counters),
        "    return network.eval()",
    ]


def _without_training_only(modules: tuple[str, ...]) -> list[str]:
    """Their weights are in the file and have no place in a network without auxiliary outputs."""
    if not modules:
        return []
    prefixes = tuple(Name(literal(f"{module}.")) for module in modules)
    return [
        "    if not auxiliary:",
        *statement("training_only = ", Items(prefixes), 2),
        "        weights = {name: weights[name] for name in weights if not name.startswith(training_only)}",
    ]


def _given_to_network(*, counters: bool) -> list[str]:
    if not counters:
        return ["    network.load_state_dict(weights)"]
    return [
        "    # A batch norm has a counter of batches besides, which inference never reads and the file leaves out.",
        '    counters = {name: n for name, n in network.state_dict().items() if name.endswith(".num_batches_tracked")}',
        "    network.load_state_dict({**counters, **weights})",
    ]


def main_lines(facade: Facade) -> list[str]:
    images = ", ".join(f"torch.rand(1, {shape.channels}, {shape.height}, {shape.width})" for shape in facade.images)
    several = facade.outputs > 1
    shown = "*(tuple(output.shape) for output in outputs)" if several else "tuple(output.shape)"
    return [
        'if __name__ == "__main__":',
        f"    network = load(sys.argv[1]) if len(sys.argv) > 1 else {facade.class_name}().eval()",
        "    with torch.inference_mode():",
        f"        {'outputs' if several else 'output'} = network({images})",
        f"    print({shown})",
    ]
