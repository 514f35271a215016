"""Records of version 1, which had class names where the language has words."""

from __future__ import annotations

from typing import Any, Final, cast

_FORMS: Final = {"bootstrapped": "bootstrapped_cross_entropy", "distillation": "kl"}
_WORDS: Final = {"start": "from", "end": "to", "low": "from", "high": "to"}


def of_version_1(values: dict[str, Any]) -> dict[str, Any]:
    recipe: dict[str, Any] = dict(values["recipe"])
    head = {name: recipe.pop(name) for name in ("name", "space")}
    parameters, initial, duration = (recipe.pop(name) for name in ("parameters", "initial", "duration"))
    settings = {
        "from": _in_words(initial),
        **_length_in_words(duration),
        **{name: _in_words(value) for name, value in recipe.items() if name != "type"},
    }
    named = {"item": "train", **head, "parameters": dict(parameters), "settings": settings}
    return {**values, "format_version": 2, "recipe": named}


def _length_in_words(duration: dict[str, Any]) -> dict[str, Any]:
    if duration["type"] == "epochs":
        return {"epochs": duration["epochs"], "iterations_per_epoch": duration["iterations"]}
    return {"iterations": duration["iterations"]}


def _in_words(value: Any) -> Any:
    """A value of version 1 in the terms of the language."""
    match value:
        case {"type": "constant", "value": number}:
            return number
        case {"type": "initial", "data": data, "part": part}:
            return {"form": data, "part": part}
        case {"type": "auxiliary", "weight": weight, "named": named}:
            return {"form": "weights", **dict(named)} if named else weight
        case {"type": "weight_step", "optimizer": optimizer, "batch": batch, "clip": clip}:
            return {**_in_words(optimizer), "batch": batch, "clip": clip}
        case {"type": "adam", "decoupled": decoupled, **settings}:
            return {"form": "adamw" if decoupled else "adam", **_all_in_words(settings)}
        case {"type": str(kind), **settings}:
            return {"form": _FORMS.get(kind, kind), **_all_in_words(settings)}
        case list():
            return [_in_words(each) for each in cast("list[Any]", value)]
        case _:
            return value


def _all_in_words(settings: dict[str, Any]) -> dict[str, Any]:
    return {_WORDS.get(name, name): _in_words(each) for name, each in settings.items()}
