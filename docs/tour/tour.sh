#!/usr/bin/env bash
# The four systems searched on drawn streets, each at a width at which a search takes minutes on one core.
#   BIN    where `archdsl` and `python` are (.venv/bin)
#   OUT    the folder of the runs (compiled/tour); what is there is not done again
#   ONLY   some of the systems, as in ONLY="gas cas"; else all four
#   STEPS  of each phase, instead of those below
set -euo pipefail
cd "$(dirname "$0")/../.."

bin=${BIN:-.venv/bin}
out=${OUT:-compiled/tour}
size=64x128
train_steps=200 random_networks=2

# What is searched, the spaces that it needs prices for, parameters, images of a step, steps of a phase. A step of a
# phase takes, on one core: CAS 2.0 s in the backbone and 2.4 s in the multi-scale cell, AutoRTNet 1.0 s, GAS 0.5 s,
# FasterSeg 0.8 s for the student, and about as much for the teacher and while pretraining.
# With fewer than 8 channels in front of a strided 1x1 conv torch 2.13 crashes: CAS needs f = 4, AutoRTNet and GAS f = 8.
system() {
    case $1 in
    cas) search=spaces/cas.arch:cas_gt spaces="spaces/cas.arch:cas_backbone spaces/cas.arch:cas" set="f=4" batch=4 steps=50 ;;
    autortnet) search=spaces/autortnet.arch:autortnet_a spaces=spaces/autortnet.arch set="f=8 cells=3" batch=4 steps=220 ;;
    gas) search=spaces/gas.arch:gas_s spaces=spaces/gas.arch set="f=8" batch=4 steps=400 ;;
    fasterseg) search=spaces/fasterseg.arch:fasterseg_s spaces=spaces/fasterseg.arch set="w=4 layers=4" batch=2 steps=90 ;;
    *) echo "error: no system \`$1\`: there are cas, autortnet, gas, fasterseg" >&2 && exit 2 ;;
    esac
}

# Each command is shown as somebody would type it.
run() {
    printf '$ archdsl %s\n' "$*"
    "$bin/archdsl" "$@"
}

resumed() { [ ! -e "$1/run.json" ] || echo --resume; }

for name in ${ONLY:-cas autortnet gas fasterseg}; do
    system "$name"
    printf '\n%s\n' "$name"
    table=docs/tour/tables/$name.json folder=$out/$name data=(--data streets --size "$size" --device cpu)
    given=()
    for each in $set; do given+=(--set "$each"); done

    # Measured again where it is missing: half a minute, four for FasterSeg's 615 rows.
    # shellcheck disable=SC2086
    [ -e "$table" ] || run cost fill $spaces --runtime ort "${given[@]}" --set classes=11 --input "1x3x$size" -o "$table"

    # shellcheck disable=SC2046
    [ -e "$folder/search/supernet.safetensors" ] ||
        run search "$search" "${data[@]}" --batch "$batch" --iterations "${STEPS:-$steps}" "${given[@]}" \
            --cost "$table" --out "$folder/search" $(resumed "$folder/search")
    found=$folder/search/genotype.arch
    run check "$found"
    run stats "$found" --input "1x3x$size" --cost "$table"

    # What was found is trained, and random networks of equal cost beside it.
    # shellcheck disable=SC2046
    [ -e "$folder/train/last.safetensors" ] ||
        run train "$found" "${data[@]}" --iterations "$train_steps" --batch 4 --out "$folder/train" $(resumed "$folder/train")
    # shellcheck disable=SC2046
    run baseline "${search%%:*}" --by random --evaluations "$random_networks" "${data[@]}" --iterations "$train_steps" \
        --batch 4 --cost "$table" --input "1x3x$size" --set classes=11 "${given[@]}" \
        $("$bin/python" docs/tour/page.py "$folder" --bounds) --out "$folder/random" $(resumed "$folder/random") ||
        [ $? = 2 ]  # no random network costs as little, which the page says

    kept=spaces/genotypes/found/$name.arch
    run derive "$folder/search" --name "${name}_found" --input "1x3x$size" --cost "$table" -o "$kept"
    run diff "$kept" "$found"
    run compile "$found" --target onnx --weights "$folder/train" --input "1x3x$size" -o "$folder/compiled" --verify
    run draw "$kept" -o "docs/pictures/found_$name.svg"
    run report "$folder/search" -o "$folder/report.html"
done

"$bin/python" docs/tour/page.py "$out" -o docs/search-tour.md
