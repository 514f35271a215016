#!/usr/bin/env bash
# Makes the weights of the demo: `make demo-weights` calls it. Minutes on one core, without a GPU and without files.
#   BIN   where `archdsl` and `python` are (.venv/bin)
#   RUN   the folder of the run; one that is there is resumed
set -euo pipefail
cd "$(dirname "$0")/../.."

bin=${BIN:-.venv/bin}
run=${RUN:-compiled/fasterseg_small_run}
network=docs/demo/fasterseg_small.arch:fasterseg_small
weights=docs/demo/fasterseg_small.safetensors
resume=()
[ ! -e "$run/run.json" ] || resume=(--resume)

set -x
"$bin/archdsl" train "$network" --recipe drawn_streets --data streets --size 192x384 --score-every 4 --seed 0 \
    --device cpu --out "$run" "${resume[@]}"
"$bin/python" docs/demo/store.py "$network" "$run/best.safetensors" -o "$weights"
"$bin/archdsl" eval "$network" --weights "$weights" --data streets --split val --size 192x384
