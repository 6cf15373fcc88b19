#!/usr/bin/env bash
# How fast wspect is, told in ratios to cat, tcpflow and tshark on the same machine and the same file.
#
#   benches/ratios.sh                    ticks of 100M, bulk of 107M and deflate of 50M, five rounds
#   benches/ratios.sh --memory           peak RSS of every streaming command, ticks of 100M and 1G
#
#   --ticks SIZE, --bulk SIZE, --deflate SIZE  sizes of the captures
#   --small SIZE, --large SIZE           the two sizes of --memory
#   --runs N                             rounds; a figure is the median of them (5)
#   --slow-runs N                        rounds in which tshark takes part; 0 leaves it out (1)
#   --seed N                             seed of the captures (7)
#   --dir DIR                            keeps the captures in DIR, and takes those that are there
#
# WSPECT=/path/to/wspect measures that program instead of building one. It prints and never judges: exit 0 says nothing.

set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")/.."

ticks=100M bulk=107M deflate=50M small=100M large=1G runs=5 slow_runs=1 seed=7 dir='' mode=speed

usage() { sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; }

while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) usage && exit 0 ;;
    --memory) mode=memory && shift && continue ;;
    esac
    [ $# -ge 2 ] || { usage >&2 && exit 2; }
    case $1 in
    --ticks) ticks=$2 ;;
    --bulk) bulk=$2 ;;
    --deflate) deflate=$2 ;;
    --small) small=$2 ;;
    --large) large=$2 ;;
    --runs) runs=$2 ;;
    --slow-runs) slow_runs=$2 ;;
    --seed) seed=$2 ;;
    --dir) dir=$2 ;;
    *) usage >&2 && exit 2 ;;
    esac
    shift 2
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
dir=${dir:-$work}
mkdir -p "$dir"
results=$work/results

has() { command -v "$1" >/dev/null; }

# Peak RSS needs GNU time; CPU time is bash's own, in milliseconds.
timer=()
if [ -x /usr/bin/time ] && /usr/bin/time -f %M true 2>/dev/null; then
    timer=(/usr/bin/time -f %M -o "$work/rss")
else
    echo "GNU time is not installed: no peak RSS"
fi

build() {
    if [ -z "${WSPECT:-}" ]; then
        cargo build --quiet --release --bin wspect
        WSPECT=${CARGO_TARGET_DIR:-target}/release/wspect
    fi
}

# generate PROFILE SIZE: makes the capture if it is not there, and sets $file to it and $truth to what is in it.
generate() {
    file=$dir/$1-$2-$seed.pcap
    if [ ! -s "$file.truth" ]; then
        cargo bench --quiet --bench generate -- "$1" --size "$2" --seed "$seed" -o "$file" 2>"$work/truth"
        tail -n 1 "$work/truth" >"$file.truth"
    fi
    truth=$(cat "$file.truth")
}

# measure NAME COMMAND...: runs it once and adds "NAME CPU RSS STATUS" to the results.
measure() {
    local name=$1 status=0 TIMEFORMAT='%3U %3S'
    shift
    echo - >"$work/rss"
    {
        time ${timer[@]+"${timer[@]}"} "$@" >/dev/null 2>"$work/stderr" || status=$?
    } 2>"$work/cpu"
    echo "$name $(awk '{ print $1 + $2 }' "$work/cpu") $(tail -n 1 "$work/rss") $status" >>"$results"
}

# contend NAME: lets one contender read $file.
contend() {
    case $1 in
    cat) measure "$1" cat "$file" ;;
    wspect-*) wspect_command "${1#wspect-}" && measure "$1" "$WSPECT" "${command[@]}" ;;
    tcpflow)
        mkdir "$work/flows"
        measure "$1" tcpflow -q -r "$file" -o "$work/flows"
        rm -r "$work/flows"
        ;;
    tshark)
        measure "$1" tshark -n -r "$file" -o tcp.reassemble_out_of_order:TRUE -Y websocket -T fields \
            -e frame.number -e tcp.stream -e websocket.opcode -e websocket.fin \
            -e websocket.payload.text -e websocket.payload
        ;;
    esac
}

# wspect_command NAME: sets $command to the arguments that make wspect do it.
wspect_command() {
    case $1 in
    *-json) command=("${1%-json}" --json "$file") ;;
    export-*) command=(export "${1#export-}" "$file") ;;
    *) command=("$1" "$file") ;;
    esac
}

# middle NAME COLUMN: the median of its runs; nothing without runs.
middle() {
    awk -v name="$1" -v column="$2" '$1 == name { print $column }' "$results" | sort -n |
        awk '{ row[NR] = $1 } END { if (NR) print (row[int((NR + 1) / 2)] + row[int(NR / 2) + 1]) / 2 }'
}

failed() { awk -v name="$1" '$1 == name && $4 != 0 { print $4; exit }' "$results"; }

megabytes() { awk -v kib="$1" 'BEGIN { if (kib + 0) printf "%.1f MB", kib / 1024; else printf "-" }'; }

speed_row() {
    local cpu
    cpu=$(middle "$1" 2)
    [ -n "$cpu" ] || return 0
    if [ -n "$(failed "$1")" ]; then
        printf '  %-18s failed with exit code %s\n' "$1" "$(failed "$1")"
        return
    fi
    printf '  %-18s %9.3f s %9s %12s\n' "$1" "$cpu" \
        "$(awk -v cpu="$cpu" -v size="$(wc -c <"$file")" 'BEGIN { printf "%.0f", size / 1e6 / (cpu > 0 ? cpu : 0.001) }')" \
        "$(megabytes "$(middle "$1" 3)")"
}

# ratio_row SLOW FAST GOAL: how many times the CPU time of FAST is in that of SLOW.
ratio_row() {
    local slow fast
    slow=$(middle "$1" 2) fast=$(middle "$2" 2)
    [ -n "$slow" ] && [ -n "$fast" ] || return 0
    [ -z "$(failed "$1")$(failed "$2")" ] || return 0
    awk -v slow="$slow" -v fast="$fast" -v names="$1 / $2" -v goal="$3" \
        'BEGIN { printf "  %-32s %9.1f   goal %s\n", names, slow / (fast > 0 ? fast : 0.001), goal }'
}

# A program that misses messages is not fast: compares wspect's counts with the truth.
truth_row() {
    local said heard
    said=$(counts <<<"$truth")
    heard=$("$WSPECT" stats --json "$file" 2>/dev/null | counts) || true
    if [ "$said" = "$heard" ]; then
        echo "  messages, frames and bytes as in the truth: $said"
    else
        echo "  NOT AS IN THE TRUTH: $said"
        echo "  wspect stats says:   ${heard:-nothing}"
    fi
}

# Messages, frames and payload bytes, to the server and to the client, from a line of JSON.
counts() { grep -oE '"(messages|frames|bytes)":[0-9]+' | cut -d: -f2 | tr '\n' ' '; }

speed() {
    local profile=$1 size=$2 tshark_goal=$3 round name
    generate "$profile" "$size"
    : >"$results"
    cat "$file" >/dev/null
    for round in $(seq "$runs"); do
        for name in cat wspect-stats wspect-ls wspect-msgs-json wspect-export-jsonl tcpflow; do
            [ "$name" != tcpflow ] || has tcpflow || continue
            contend "$name"
        done
        [ "$round" -gt "$slow_runs" ] || ! has tshark || contend tshark
    done
    printf '\n%s %s: %s bytes\n' "$profile" "$size" "$(wc -c <"$file")"
    printf '  %-18s %11s %9s %12s\n' '' 'user+sys' MB/s 'peak RSS'
    for name in cat wspect-stats wspect-ls wspect-msgs-json wspect-export-jsonl tcpflow tshark; do
        speed_row "$name"
    done
    for name in stats ls; do
        ratio_row tshark "wspect-$name" "at least $tshark_goal"
        # Neither inflates.
        [ "$profile" != deflate ] || continue
        ratio_row tcpflow "wspect-$name" 'at least 2'
        ratio_row "wspect-$name" cat 'at most 8'
    done
    ratio_row wspect-export-jsonl wspect-stats 'at most 2.5'
    ratio_row tshark wspect-msgs-json "$([ "$profile" = ticks ] && echo 'at least 25' || echo none)"
    truth_row
}

memory() {
    local size name
    : >"$results"
    for size in "$small" "$large"; do
        generate ticks "$size"
        for name in stats ls msgs msgs-json frames-json handshake-json check export-jsonl; do
            wspect_command "$name"
            measure "$name@$size" "$WSPECT" "${command[@]}"
        done
    done
    printf '\npeak RSS, ticks  %14s %14s\n' "$small" "$large"
    for name in stats ls msgs msgs-json frames-json handshake-json check export-jsonl; do
        printf '  %-14s' "$name"
        for size in "$small" "$large"; do
            if [ -n "$(failed "$name@$size")" ]; then
                printf ' %14s' "exit $(failed "$name@$size")"
            else
                printf ' %14s' "$(megabytes "$(middle "$name@$size" 3)")"
            fi
        done
        echo
    done
}

build
if [ "$mode" = memory ]; then
    memory
    exit
fi
for peer in tcpflow tshark; do
    has "$peer" || echo "$peer is not installed: no ratio to it"
done
speed ticks "$ticks" 100
speed bulk "$bulk" 30
speed deflate "$deflate" 10
