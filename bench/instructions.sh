#!/bin/sh
# Instructions for one more unit of work: two runs of different size, the difference divided.
#   bench/instructions.sh build/release/bin/chain "http 64 %d" 2000 12000
set -eu
program=$1 arguments=$2 small=$3 large=$4
count() {
  out=$(mktemp)
  # shellcheck disable=SC2046,SC2059  # the arguments are words
  valgrind --tool=callgrind --callgrind-out-file="$out" "$program" $(printf "$arguments" "$1") \
    >/dev/null 2>&1
  awk '/^summary:|^totals:/ {print $2; exit}' "$out"
  rm -f "$out"
}
awk -v a="$(count "$small")" -v b="$(count "$large")" -v n="$((large - small))" \
  'BEGIN {printf "%.0f\n", (b - a) / n}'
