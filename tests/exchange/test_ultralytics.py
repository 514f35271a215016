"""YAML models of Ultralytics: published ones with the parameters that are given for them, and hostile files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from archdsl.backends.onnx.model import to_onnx
from archdsl.exchange import NotImported
from archdsl.pipeline import load
from archdsl.weights import random_weights
from tests.exchange.files import counted, read, written
from tests.onnx_session import run

Array = NDArray[np.floating]

SCALES = """scales:
  n: [0.50, 0.25, 1024]
  s: [0.50, 0.50, 1024]
  m: [0.50, 1.00, 512]
  l: [1.00, 1.00, 512]
  x: [1.00, 1.50, 512]
"""


def backbone(sppf: str) -> str:
    """That of YOLO11 and YOLO26, whose pyramid pooling differs."""
    return f"""backbone:
  - [-1, 1, Conv, [64, 3, 2]]
  - [-1, 1, Conv, [128, 3, 2]]
  - [-1, 2, C3k2, [256, False, 0.25]]
  - [-1, 1, Conv, [256, 3, 2]]
  - [-1, 2, C3k2, [512, False, 0.25]]
  - [-1, 1, Conv, [512, 3, 2]]
  - [-1, 2, C3k2, [512, True]]
  - [-1, 1, Conv, [1024, 3, 2]]
  - [-1, 2, C3k2, [1024, True]]
  - [-1, 1, SPPF, {sppf}]
  - [-1, 2, C2PSA, [1024]]
"""


def pyramid(c3k: bool) -> str:
    return f"""head:
  - [-1, 1, nn.Upsample, [None, 2, "nearest"]]
  - [[-1, 6], 1, Concat, [1]]
  - [-1, 2, C3k2, [512, {c3k}]]
  - [-1, 1, nn.Upsample, [None, 2, "nearest"]]
  - [[-1, 4], 1, Concat, [1]]
  - [-1, 2, C3k2, [256, {c3k}]]
"""


def down(c3k: bool, last: str) -> str:
    return f"""  - [-1, 1, Conv, [256, 3, 2]]
  - [[-1, 13], 1, Concat, [1]]
  - [-1, 2, C3k2, [512, {c3k}]]
  - [-1, 1, Conv, [512, 3, 2]]
  - [[-1, 10], 1, Concat, [1]]
  - [-1, {last}]
"""


YOLO11_SEG = f"""nc: 80
{SCALES}{backbone("[1024, 5]")}{pyramid(False)}{down(False, "2, C3k2, [1024, True]")}
  - [[16, 19, 22], 1, Segment, [nc, 32, 256]]
"""
YOLO26_SEG = f"""nc: 80
end2end: True
reg_max: 1
{SCALES}{backbone("[1024, 5, 3, True]")}{pyramid(True)}{down(True, "1, C3k2, [1024, True, 0.5, True]")}
  - [[16, 19, 22], 1, Segment26, [nc, 32, 256]]
"""
YOLO26_SEM = f"""nc: 19
{SCALES}{backbone("[1024, 5, 3, True]")}{pyramid(True)}
  - [[16, 13], 1, SemanticSegment, [nc]]
"""


@pytest.mark.parametrize(
    ("scale", "params"), [("n", 2_876_832), ("s", 10_113_232), ("m", 22_420_880), ("l", 27_678_352), ("x", 62_142_640)]
)
def test_yolo11_seg_has_the_parameters_that_its_file_gives(scale: str, params: int, tmp_path: Path) -> None:
    """Those with a gradient: the others are 16 fixed numbers with which boxes are decoded."""
    found = read(written(tmp_path / "yolo11-seg.yaml", YOLO11_SEG), scale=scale)
    assert counted(found, tmp_path, (64, 64)).params_training == params


@pytest.mark.parametrize(
    ("scale", "millions", "flops"),
    [("n", 1.6, 22.7), ("s", 6.5, 88.8), ("m", 14.3, 304.5), ("l", 17.9, 384.7), ("x", 40.2, 861.7)],
)
def test_yolo26_sem_has_the_size_that_its_documentation_gives(
    scale: str, millions: float, flops: float, tmp_path: Path
) -> None:
    found = read(written(tmp_path / "yolo26-sem.yaml", YOLO26_SEM), scale=scale)
    figures = counted(found, tmp_path, (1024, 2048))
    assert round(figures.params_training / 1e6, 1) == millions
    assert abs(2 * figures.macs / 1e9 / flops - 1) < 0.12  # theirs are at half of this size, without matrices


def test_yolo26_seg_has_both_heads(tmp_path: Path) -> None:
    found = read(written(tmp_path / "yolo26-seg.yaml", YOLO26_SEG))
    assert "C3k2(256, attn = yes, heads = 2)" in found.text
    assert "out prototypes = fused" in found.text
    assert "out aux many_masks_p5" in found.text
    figures = counted(found, tmp_path, (64, 64))
    assert figures.params < figures.params_training


def changed(old: str, new: str) -> str:
    assert old in YOLO26_SEM
    return YOLO26_SEM.replace(old, new)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "it is no YAML that is read"),
        ("- 1", "valid dictionary"),
        ("backbone: 3", "`backbone`: input should be a valid list"),
        ("backbone: []", "it has no layers"),
        ("a: &a [1]\nb: *a\nbackbone: []", "line 2: it is no YAML that is read: an alias stands for another place"),
        ("nc: 3\nnc: 4\nbackbone: []", "a field stands there twice"),
        ("backbone: !!python/object/apply:os.system ['true']", "it is no YAML that is read"),
        ("backbone: " + "[" * 60 + "]" * 60, "it nests too deep"),
        ("backbone: " + "[" * 20_000, "it is no YAML that is read"),
        ("#" * 300_000, "more than 256 KiB"),
        (changed("nc: 19", "nc: -1"), "`nc`: input should be greater"),
        (changed("n: [0.50, 0.25, 1024]", "n: [0.50, 1.0e+9, 1024]"), "`scales.n`: depth, width and the most channels"),
        (changed("Conv, [64, 3, 2]", "Foo, [64]"), "line 9: `layer 0: Foo`: `Foo` is not known: import the file with"),
        (changed("[-1, 1, Conv, [64, 3, 2]]", "[5, 1, Conv, [64, 3, 2]]"), "`layer 0`: it reads 5"),
        (changed("[-1, 1, Conv, [64, 3, 2]]", "[-1, 1, Conv]"), "`layer 0`: a layer is .from, repeats, module"),
        (changed("Conv, [64, 3, 2]", "Conv, [many]"), "its argument 1 is `many`, and a whole number above 0 is read"),
        (changed("[[-1, 6], 1, Concat", "[[-1, 4], 1, Concat"), "joins maps at 1/8, 1/16 of the image"),
        (changed("2, C2PSA, [1024]", "90, C2PSA, [1024]"), "45 repeats, and the op has up to 2"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said_with_its_line(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(NotImported, match=said):
        read(written(tmp_path / "yolo26-sem.yaml", text))


def test_every_changed_character_is_read_or_refused(tmp_path: Path) -> None:
    for at in range(0, len(YOLO26_SEM), 23):
        for other in ("", "[", "-", "9"):
            text = YOLO26_SEM[:at] + other + YOLO26_SEM[at + 1 :]
            try:
                read(written(tmp_path / "yolo26-sem.yaml", text))
            except NotImported:
                continue


ATTENTION = """archdsl 1

use ultralytics

space net() {
  in image: 128x4x6
  out y = image -> Attention(heads = 2)
}
"""


def test_attention_computes_what_it_is_defined_by(tmp_path: Path) -> None:
    """Of each head's 128 channels 32 ask, 32 answer and 64 are seen, weighed by softmax(q k / sqrt(32))."""
    graph = load(str(written(tmp_path / "net.arch", ATTENTION))).network()
    weights = random_weights(graph, 3)
    parts = list(dict.fromkeys(name.rpartition(".")[0] for name in weights))

    def norm(y: Array, at: int) -> Array:
        weight, bias, mean, variance = (
            weights[f"{parts[at]}.{name}"][:, None, None] for name in ("weight", "bias", "running_mean", "running_var")
        )
        return (y - mean) / np.sqrt(variance + 1e-3) * weight + bias

    def pointwise(y: Array, at: int) -> Array:
        return norm(np.einsum("oc,chw->ohw", weights[f"{parts[at]}.weight"][:, :, 0, 0], y), at + 1)

    def depthwise(y: Array, at: int) -> Array:
        padded, kernel = np.pad(y, ((0, 0), (1, 1), (1, 1))), weights[f"{parts[at]}.weight"]
        shifted = (padded[:, i : i + 4, j : j + 6] * kernel[:, 0, i, j, None, None] for i in range(3) for j in range(3))
        return norm(np.sum(list(shifted), axis=0), at + 1)

    x: Array = np.random.default_rng(0).normal(size=(128, 4, 6))
    heads = pointwise(x, 0).reshape(2, 128, 24)
    query, key, value = heads[:, :32], heads[:, 32:64], heads[:, 64:]
    scores = np.einsum("hdn,hdm->hnm", query, key) / np.sqrt(32)
    shares = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    seen = np.einsum("hdm,hnm->hdn", value, shares).reshape(128, 4, 6)
    wanted = pointwise(seen + depthwise(value.reshape(128, 4, 6), 2), 4)
    found = run(to_onnx(graph, weights), x[None].astype(np.float32))["y"]
    assert np.allclose(found[0], wanted, rtol=1e-4, atol=1e-5)
