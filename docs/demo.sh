#!/usr/bin/env bash
# FasterSeg's student from its text: compiled, drawn, and compared with its teacher; then a small network of the same
# space that was trained (docs/demo/README.md): compiled, and looking at streets. `make demo` calls it.
#   BIN     where `archdsl` and `python` are (.venv/bin)
#   PHOTO   a photo for it to look at too; else the first one in CAMVID, if there is one
set -euo pipefail
cd "$(dirname "$0")/.."

bin=${BIN:-.venv/bin}
text=spaces/genotypes/fasterseg_student.arch
teacher=spaces/genotypes/fasterseg_teacher.arch
out=compiled/fasterseg_student
small=docs/demo/fasterseg_small.arch:fasterseg_small
seen=compiled/fasterseg_small
size=192x384
mkdir -p "$out" "$seen"

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] && [ -z "${NO_COLOR:-}" ] || say() { printf '\n%s\n' "$*"; }

# Each command is shown as somebody would type it.
run() {
    printf '$ archdsl %s\n' "$*"
    "$bin/archdsl" "$@"
}

say "The text is checked, and what it costs is counted"
run check "$text"
run stats "$text"

say "It is compiled: torch source, ONNX and TensorRT plans, each compared with the torch network"
for target in torch onnx trt; do
    run compile "$text" --target "$target" -o "$out" --verify
done
run compile "$text" --target trt --precision fp16 -o "$out/fp16" --verify

say "It is drawn, and compared with its teacher"
run draw "$text" -o "$out/fasterseg_student.svg"
run draw "$text" -o "$out/fasterseg_student.png"
run diff "$teacher" "$text" --format svg -o "$out/teacher_to_student.svg"
run diff "$teacher" "$text" | tee "$out/teacher_to_student.txt"

say "A small network of the same space, with weights that were trained on drawn streets"
run compile "$small" --weights docs/demo/fasterseg_small.safetensors --target onnx --input "1x3x$size" -o "$seen" --verify
"$bin/python" docs/demo/scenes.py --size "$size" -o "$seen/scenes"
run predict "$seen/fasterseg_small.onnx" "$seen/scenes" -o "$seen/predicted" --overlay 0.7
run data show streets --split val --count 3 --size "$size" -o "$seen/labelled.png"
echo "compare: the labels that it should have found"

photo=${PHOTO:-}
for each in "${CAMVID:-}"/test/images/*.jpg; do
    [ -n "$photo" ] || [ ! -e "$each" ] || photo=$each
done
if [ -n "$photo" ]; then
    run predict "$seen/fasterseg_small.onnx" "$photo" --size "$size" -o "$seen/photo.png" --overlay 0.7
    echo "it was trained on drawings and has never seen a photo: expect road, sky and houses, roughly, and guesses elsewhere"
fi

say "Everything lies in $out and $seen"
find "$out" "$seen" -type f -printf '  %9s  %p\n' | sort -k 2
