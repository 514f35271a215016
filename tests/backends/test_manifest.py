"""The manifest: the same bytes for the same content, and nothing read that is not one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archdsl.backends.manifest import (
    Artefact,
    Classes,
    FileWeights,
    Input,
    Manifest,
    ManifestUnreadable,
    Measured,
    Output,
    Preprocessing,
    RandomWeights,
    SourceFile,
    manifest_bytes,
    read_manifest,
)

SHA = "0" * 64


def manifest(weights: RandomWeights | FileWeights) -> Manifest:
    return Manifest(
        name="student",
        space="fasterseg",
        hash="12ab",
        sources=(SourceFile(path="student.arch", sha256=SHA),),
        parameters={"w": 8, "classes": 19},
        target="onnx",
        options={"precision": "fp32"},
        tools={"onnx": "1.0"},
        inputs=(Input(name="image", shape=(1, 3, 64, 64), preprocessing=Preprocessing(mean=(0.5,), std=(0.25,))),),
        outputs=(Output(name="logits", shape=(1, 19, 64, 64), kind="logits"),),
        classes=Classes(count=19, names=("road", "trottoir à gauche")),
        weights=weights,
        artefacts=(Artefact(path="student.onnx", kind="onnx", bytes=1, sha256=SHA),),
        parity=(Measured(runtime="onnxruntime", height=64, width=64, difference=1e-7, tolerance=1e-5, within=True),),
    )


@pytest.mark.parametrize("weights", [RandomWeights(seed=3), FileWeights(path="w.safetensors", sha256=SHA)])
def test_reading_is_the_inverse_of_writing(tmp_path: Path, weights: RandomWeights | FileWeights) -> None:
    written = manifest(weights)
    file = tmp_path / "x.manifest.json"
    file.write_bytes(manifest_bytes(written))
    assert read_manifest(file) == written
    assert manifest_bytes(read_manifest(file)) == file.read_bytes()


def test_the_order_of_keys_does_not_count() -> None:
    first = manifest(RandomWeights(seed=0))
    second = first.model_copy(update={"parameters": {"classes": 19, "w": 8}})
    assert manifest_bytes(first) == manifest_bytes(second)


ARTEFACT = f'{{"bytes": 1, "kind": "onnx", "path": "student.onnx", "sha256": "{SHA}"}}'


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"format_version": 1', '"format_version": 2', "it has format version 2, and this archdsl knows 1"),
        ('"format_version": 1', '"format_version": true', "it has format version true, and this archdsl knows 1"),
        (f'"sha256": "{SHA}"', '"sha256": "x"', "`sources[1].sha256` has to be 64 digits from 0 to f"),
        ('"student.onnx"', '"../student.onnx"', "`artefacts[1].path` has to be the name of a file beside the manifest"),
        ('"student.onnx"', '".."', "`artefacts[1].path` has to be the name of a file beside the manifest"),
        ('"student.onnx"', '"a\\u0000b"', "`artefacts[1].path` has to be the name of a file beside the manifest"),
        (ARTEFACT, "", "`artefacts` is empty"),
        (ARTEFACT, f"{ARTEFACT}, {ARTEFACT}", "`artefacts` have `student.onnx` twice"),
        ('"bytes": 1', '"bytes": -1', "`artefacts[1].bytes` has to be at least 0"),
        ('"bytes": 1', '"bytes": true', "`artefacts[1].bytes` has to be a valid integer"),
        ('"seed": 0', '"seed": 0, "more": 1', "`weights.more` is not known here"),
        ('"seed": 0', '"seed": -1', "`weights.seed` has to be at least 0"),
        ('"seed": 0', '"seed": 0, "seed": 1', "`weights.seed` stands there twice"),
        ('"source": "random"', '"source": "net"', "`weights.source` has to be 'random' or 'file'"),
        ('"precision": "fp32"', '"precision": "fp8"', "`options.precision` has to be 'fp32' or 'fp16'"),
        ("1e-07", "NaN", "`parity[1].difference` has to be a finite number"),
        ("[1, 3, 64, 64]", "[1, 3, 64]", "`inputs[1].shape[4]` is missing"),
        ("[1, 3, 64, 64]", "[2, 3, 64, 64]", "`inputs[1].shape[1]` has to be at most 1"),
        ("[1, 3, 64, 64]", "[1, 3, 64, 99999999]", "`inputs[1].shape[4]` has to be at most 65,536"),
    ],
)
def test_what_is_no_manifest_is_told(tmp_path: Path, old: str, new: str, said: str) -> None:
    file = tmp_path / "x.manifest.json"
    text = json.dumps(json.loads(manifest_bytes(manifest(RandomWeights(seed=0)))))
    assert old in text
    file.write_text(text.replace(old, new))
    with pytest.raises(ManifestUnreadable) as found:
        read_manifest(file)
    assert str(found.value) == f"`{file}` is no manifest: {said}"


@pytest.mark.parametrize("field", ["inputs", "outputs", "artefacts"])
def test_a_manifest_of_nothing_is_none(tmp_path: Path, field: str) -> None:
    file = tmp_path / "x.manifest.json"
    content = json.loads(manifest_bytes(manifest(RandomWeights(seed=0))))
    file.write_text(json.dumps(content | {field: []}))
    with pytest.raises(ManifestUnreadable, match=f"`{field}` is empty"):
        read_manifest(file)
