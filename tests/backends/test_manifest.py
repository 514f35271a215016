"""The manifest: the same bytes for the same content, and nothing read that is not one."""

from __future__ import annotations

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


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"format_version": 1', '"format_version": 2'),
        (f'"sha256": "{SHA}"', '"sha256": "x"'),
        ('"path": "student.onnx"', '"path": "../student.onnx"'),
        ('"seed": 0', '"seed": 0, "more": 1'),
        ("{", "["),
    ],
)
def test_what_is_no_manifest_is_told(tmp_path: Path, old: str, new: str) -> None:
    file = tmp_path / "x.manifest.json"
    text = manifest_bytes(manifest(RandomWeights(seed=0))).decode()
    assert old in text
    file.write_text(text.replace(old, new))
    with pytest.raises(ManifestUnreadable, match="is no manifest"):
        read_manifest(file)
