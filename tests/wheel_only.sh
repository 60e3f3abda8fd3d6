#!/usr/bin/env bash
# What a board's install must do: BIN is an environment with the wheel and its base
# dependencies only, WORK a folder to make. Needs tests/golden/shapes.tflite.
set -euo pipefail
bin=$(cd "$1" && pwd) work=$2
golden=$(cd "$(dirname "$0")" && pwd)/golden/shapes.tflite
mkdir -p "$work"
cd "$work" # away from the checkout: only what is installed can be imported

fail() { echo "wheel-only: $1" >&2; exit 1; }

"$bin/python" -c "import tensorflow" 2>/dev/null && fail "TensorFlow is installed"
site=$(dirname "$("$bin/python" -c "import edgeseg.runtime; print(edgeseg.runtime.__path__[0])")")
[ -z "$(find "$site" -name README.md)" ] || fail "the wheel holds chapters for the repository's readers"
"$bin/edgeseg" --help >help.txt
"$bin/python" -m edgeseg --version >version.txt
"$bin/edgeseg" info "$golden" --json >info.json
"$bin/edgeseg" run "$golden" synthetic:320x240,frames=4 -o overlays -o masks:ids -o found.jsonl
"$bin/edgeseg" run "$golden" "overlays/*.png" -o clip.mp4
"$bin/edgeseg" run "$golden" clip.mp4 -o null:
[ "$(ls overlays | wc -l)" = 4 ] || fail "expected 4 overlays"
[ "$(wc -l <found.jsonl)" = 4 ] || fail "expected 4 JSON lines"
grep -q '"label":"disc"\|"label":"square"\|"label":"triangle"' found.jsonl ||
  fail "no shape was found in drawn shapes"
status=0
"$bin/edgeseg" convert model.keras --calibration overlays -o out.tflite 2>error.txt || status=$?
[ "$status" = 1 ] || fail "convert without its extra exits $status, expected 1"
[ "$(wc -l <error.txt)" = 1 ] || fail "convert without its extra: expected one line"
grep -q "edgeseg\[convert\]" error.txt || fail "convert does not name the extra"
"$bin/edgeseg" demo -o demo >demo.txt
grep -q "^cat: .*cat" demo.txt || fail "the demo finds no cat in the cat's photo"
grep -q "^astronaut: .*person" demo.txt || fail "the demo finds no person"
[ -s demo/clip.mp4 ] || fail "the demo writes no clip"
"$bin/edgeseg" run animals demo/clip.mp4 --frames 5 --effect blur -o blurred.mp4
echo "wheel-only: passed"
