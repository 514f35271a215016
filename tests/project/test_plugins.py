"""Primitives and targets of an installed package, through the commands."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from archdsl.diagnostics import page

EXTENSION = Path(__file__).parent / "extension"
TEXT = """archdsl 1

use std

space net() {{
  in image: 3x16x32
  x = image -> conv3x3(8)
  out logits = x -> {}
}}
"""


def installed(package: Path, dist: Path, folder: Path) -> Path:
    """A folder in which a package is installed: its wheel, built and unpacked."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(dist)]
    subprocess.run(command, cwd=package, check=True, capture_output=True, timeout=120)
    with zipfile.ZipFile(next(dist.glob("*.whl"))) as wheel:
        wheel.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(EXTENSION, tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("site"))


def archdsl(site: Path | None, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(site or ""), "XDG_CACHE_HOME": str(folder / "cache")}
    command = [sys.executable, "-m", "archdsl", *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environment, check=False, capture_output=True, text=True, timeout=300
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def written(folder: Path, tail: str) -> str:
    (folder / "net.arch").write_text(TEXT.format(tail), encoding="utf-8")
    return "net.arch"


def test_a_primitive_of_a_package_is_checked_counted_compiled_and_verified(site: Path, tmp_path: Path) -> None:
    text = written(tmp_path, "slope(init = 1 / 4) -> softsign -> conv1x1(4)")
    checked = archdsl(site, tmp_path, "check", text)
    assert checked.returncode == 0, checked.stderr
    plain = archdsl(site, tmp_path, "stats", written(tmp_path, "conv1x1(4)"), "--format", "json")
    counted = archdsl(site, tmp_path, "stats", written(tmp_path, "slope -> softsign -> conv1x1(4)"), "--format", "json")
    before, after = (json.loads(done.stdout) for done in (plain, counted))
    assert after["params"] - before["params"] == 8
    assert after["macs"] - before["macs"] == 8 * 16 * 32
    text = written(tmp_path, "slope(init = 1 / 4) -> softsign -> conv1x1(4)")
    for target in ("torch", "onnx"):
        done = archdsl(site, tmp_path, "compile", text, "--target", target, "-o", "out")
        assert done.returncode == 0, done.stderr
    source = (tmp_path / "out" / "net.py").read_text(encoding="utf-8")
    assert "F.softsign(" in source
    assert "nn.PReLU(" in source
    verified = archdsl(site, tmp_path, "verify", text, "out", "--format", "json")
    assert verified.returncode == 0, verified.stderr
    assert [file["within"] for file in json.loads(verified.stdout)["files"]] == [True, True]


def test_without_the_package_the_name_is_unknown(tmp_path: Path) -> None:
    done = archdsl(None, tmp_path, "check", written(tmp_path, "softsign"))
    assert done.returncode == 1
    assert "E0302" in done.stderr + done.stdout


def test_a_text_that_defines_the_name_itself_means_its_own(site: Path, tmp_path: Path) -> None:
    text = written(tmp_path, "absent")
    with (tmp_path / text).open("a", encoding="utf-8") as file:
        file.write("\nop absent() = relu\n")
    assert archdsl(site, tmp_path, "check", text).returncode == 0


@pytest.mark.parametrize(
    ("tail", "code", "said"),
    [
        ("absent", "E0802", "cannot be loaded (ModuleNotFoundError"),
        ("number", "E0802", "is no `archdsl.ops.Primitive`"),
        ("dividing", "E0803", "ZeroDivisionError"),
    ],
)
def test_a_broken_primitive_names_its_package(site: Path, tmp_path: Path, tail: str, code: str, said: str) -> None:
    done = archdsl(site, tmp_path, "check", written(tmp_path, tail))
    found = done.stdout + done.stderr
    assert done.returncode == 1
    assert found.count("error[") == 1, found
    assert f"error[{code}]" in found
    assert "`softsign-ops`" in found
    assert said in found
    assert "help" in found
    explained = archdsl(site, tmp_path, "explain", code)
    assert explained.stdout.startswith(f"# {code}") or code in explained.stdout


def test_a_name_that_two_packages_give_is_nobodys(site: Path, tmp_path: Path) -> None:
    second = shutil.copytree(EXTENSION, tmp_path / "second")
    project = second / "pyproject.toml"
    project.write_text(project.read_text(encoding="utf-8").replace('"softsign-ops"', '"other-ops"'), encoding="utf-8")
    both = installed(second, tmp_path / "dist", shutil.copytree(site, tmp_path / "both"))
    done = archdsl(both, tmp_path, "check", written(tmp_path, "softsign"))
    assert "error[E0802]" in done.stdout
    assert "`softsign-ops`" in done.stdout
    assert "`other-ops`" in done.stdout


def test_a_primitive_that_a_target_cannot_express_is_shown_where_it_stands(site: Path, tmp_path: Path) -> None:
    text = written(tmp_path, "formless")
    assert archdsl(site, tmp_path, "check", text).returncode == 0
    for target in ("torch", "trt", "onnxz"):
        done = archdsl(site, tmp_path, "compile", text, "--target", target, "-o", "out")
        assert done.returncode == 1
        assert f"error[E0801]: the target `{target}` has no form for the primitive `formless`" in done.stderr
        assert "net.arch:8:" in done.stderr
        assert "`softsign-ops`" in done.stderr
    assert not (tmp_path / "out").exists()
    text = page("E0801") or ""
    assert "the target `onnx` has no form for the primitive `softsign`" in text


def test_a_form_that_fails_names_its_package(site: Path, tmp_path: Path) -> None:
    done = archdsl(site, tmp_path, "compile", written(tmp_path, "misbuilt"), "--target", "onnx", "-o", "out")
    assert done.returncode == 3
    assert "`misbuilt` comes from the package `softsign-ops`, whose ONNX form fails" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_target_of_a_package_builds_and_is_verified(site: Path, tmp_path: Path) -> None:
    text = written(tmp_path, "softsign -> conv1x1(4)")
    done = archdsl(site, tmp_path, "compile", text, "--target", "onnxz", "-o", "out/small.onnxz", "--verify")
    assert done.returncode == 0, done.stderr
    assert {file.name for file in (tmp_path / "out").iterdir()} == {"small.onnxz", "small.onnxz.manifest.json"}
    verified = archdsl(site, tmp_path, "verify", text, "out")
    assert verified.returncode == 0, verified.stderr
    assert "onnxruntime, unpacked" in verified.stdout
    gone = archdsl(None, tmp_path, "verify", written(tmp_path, "conv1x1(4)"), "out")
    assert gone.returncode == 2
    assert "`onnxz`" in gone.stderr


def test_targets_of_packages_are_offered_and_broken_ones_named(site: Path, tmp_path: Path) -> None:
    text = written(tmp_path, "conv1x1(4)")
    assert "onnxz" in archdsl(site, tmp_path, "compile", "--help").stdout
    wrong = archdsl(site, tmp_path, "compile", text, "--target", "tflite")
    assert wrong.returncode == 2
    assert "`onnxz`" in wrong.stderr
    refused = archdsl(site, tmp_path, "compile", text, "--target", "onnxz", "--precision", "fp16")
    assert refused.returncode == 2
    assert "`fp32`" in refused.stderr
    broken = archdsl(site, tmp_path, "compile", text, "--target", "broken")
    assert broken.returncode == 3
    assert "`softsign-ops`" in broken.stderr
    assert "pip uninstall softsign-ops" in broken.stderr
