#!/usr/bin/env bash
# FasterSeg's student from its text: compiled, run on a photo, drawn, and compared with its teacher. `make demo` calls it.
#   BIN     where `archdsl` and `python` are (.venv/bin)
#   PHOTO   a photo to segment; else the first one in CAMVID, else a street that is drawn for it
#   WEIGHTS trained weights (safetensors); without them the network's weights are random, and so are its labels
set -euo pipefail
cd "$(dirname "$0")/.."

bin=${BIN:-.venv/bin}
text=spaces/genotypes/fasterseg_student.arch
teacher=spaces/genotypes/fasterseg_teacher.arch
out=compiled/fasterseg_student
weights=(${WEIGHTS:+--weights "$WEIGHTS"})
mkdir -p "$out"

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
    run compile "$text" --target "$target" -o "$out" --verify "${weights[@]}"
done
run compile "$text" --target trt --precision fp16 -o "$out/fp16" --verify "${weights[@]}"

say "It looks at a street"
"$bin/python" docs/demo_photo.py "$out/fasterseg_student.onnx" -o "$out"

say "It is drawn, and compared with its teacher"
run draw "$text" -o "$out/fasterseg_student.svg"
run draw "$text" -o "$out/fasterseg_student.png"
run diff "$teacher" "$text" --format svg -o "$out/teacher_to_student.svg"
run diff "$teacher" "$text" | tee "$out/teacher_to_student.txt"

say "Everything lies in $out"
find "$out" -type f -printf '  %9s  %p\n' | sort -k 2
