#!/bin/sh
# Processor seconds (user and system) of two commands in alternating rounds: one line a round.
#   bench/alternate.sh 5 "build/release/bin/chain http 64 100000" "turmoil-bench http 64 100000"
set -eu
rounds=$1 first=$2 second=$3
seconds() {
  # shellcheck disable=SC2086  # the command is words
  { command time -f '%U %S' $1 >/dev/null; } 2>&1 | awk '{print $1 + $2}'
}
i=0
while [ "$i" -lt "$rounds" ]; do
  a=$(seconds "$first")
  b=$(seconds "$second")
  awk -v a="$a" -v b="$b" 'BEGIN {printf "%.2f s  %.2f s  ratio %.2f\n", a, b, b / a}'
  i=$((i + 1))
done
