#!/usr/bin/env bash
# Runs a job across several hosts over a good network and a bad one, cuts hosts off in mid-run, and compares the bytes of
# the adapters with those of a single process.
#
#   launch/several-hosts.sh [--rankwise PATH] [--model FOLDER] [--steps N] [--step-timeout SECONDS] [--seconds N]
#
#   --rankwise       the program (.build/release/rankwise)
#   --model          the pretrained model (the tiny BERT of the tests)
#   --steps          steps of the job (150); it is cut off at about a third of them
#   --step-timeout   of the job (8); a job that is cut off must be over 10 s after that
#   --seconds        for everything (120)
#
# The hosts are network namespaces of this machine, each with a host name, a data network and a control network of its own; a
# launch agent that enters them stands in for ssh. They live in namespaces for processes and mounts that end with this script,
# however it ends, and with them every process, interface, name and file. Needs root, or user namespaces.
# Ends with a line "N passed, N failed". Exit codes: 0 all passed, 1 some failed, 77 it may not run here (it says why).
set -euo pipefail

self=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/$(basename "${BASH_SOURCE[0]}")
package=$(dirname "$(dirname "$self")")
rankwise=$package/.build/release/rankwise
model=$package/Tests/Fixtures/tiny-bert
steps=150 step_timeout=8 seconds=120
arguments=("$@")
while [ $# -gt 0 ]; do
    case $1 in
        --rankwise) rankwise=${2-} ;;
        --model) model=${2-} ;;
        --steps) steps=${2-} ;;
        --step-timeout) step_timeout=${2-} ;;
        --seconds) seconds=${2-} ;;
        *) sed -n '2,18s/^# \{0,1\}//p' "$self" >&2; exit 64 ;;
    esac
    shift 2 || exit 64
done
say() { printf 'several-hosts.sh: %s\n' "$*" >&2; }
skip() { say "skipped: $*"; exit 77; }

# Outside: start this script again in namespaces of its own, and pass on how it ended.
if [ "${RANKWISE_INSIDE-}" != yes ] || [ "$$" -ne 1 ]; then
    for needed in "$rankwise" "$model/config.json"; do
        [ -e "$needed" ] || { say "$needed is missing; build with swift build -c release, or name another"; exit 66; }
    done
    for needed in ip:iproute2 tc:iproute2 unshare:util-linux nsenter:util-linux setpriv:util-linux ps:procps \
        mount:mount hostname:hostname mpirun:openmpi-bin; do
        command -v "${needed%:*}" >/dev/null || skip "${needed%:*} is missing; install Debian's package ${needed#*:}"
    done
    namespaces=(--net --uts --mount --pid --fork --kill-child --mount-proc)
    [ "$(id -u)" -eq 0 ] || namespaces=(--user --map-root-user "${namespaces[@]}")
    problem=$(unshare "${namespaces[@]}" mount -t tmpfs tmpfs /run 2>&1) \
        || skip "namespaces cannot be made here ($problem); be root with CAP_SYS_ADMIN and CAP_NET_ADMIN, or allow user namespaces"
    # Killed with this shell, even when nothing can run its trap; and the namespaces with it.
    RANKWISE_INSIDE=yes setpriv --pdeathsig KILL \
        unshare "${namespaces[@]}" bash "$self" ${arguments[@]+"${arguments[@]}"} </dev/null &
    inside=$!
    trap 'kill -KILL "$inside" 2>/dev/null || true' EXIT
    trap 'exit 143' TERM
    trap 'exit 130' INT
    trap 'exit 129' HUP
    code=0
    wait "$inside" || code=$?
    exit "$code"
fi

# Inside: process 1 of the namespaces. What it mounts, nobody else sees.
mount -t tmpfs tmpfs /run
mkdir /run/netns /run/several-hosts
scratch=/run/several-hosts
export TMPDIR=$scratch
# So that every process of a job is known by its name.
ln -s "$(realpath "$rankwise")" "$scratch/rankwise"

# The range for tests of networks (RFC 2544): 198.18.0.x for data, 198.18.1.x for control.
hosts=(host-a host-b host-c)
echo "127.0.0.1 localhost" >"$scratch/hosts"
ip netns add switch
for network in data control; do
    problem=$(ip -n switch link add name "$network" type bridge 2>&1) || skip "no bridges in this kernel ($problem)"
    ip -n switch link set "$network" up
done
for number in "${!hosts[@]}"; do
    host=${hosts[number]}
    ip netns add "$host"
    ip -n "$host" link set lo up
    for network in data control; do
        problem=$(ip -n switch link add name "$network-$host" type veth peer name "$network" netns "$host" 2>&1) \
            || skip "no virtual Ethernet in this kernel ($problem)"
        ip -n switch link set "$network-$host" master "$network" up
        ip -n "$host" link set "$network" up
    done
    ip -n "$host" address add "198.18.0.$((number + 1))/24" dev data
    ip -n "$host" address add "198.18.1.$((number + 1))/24" dev control
    echo "198.18.1.$((number + 1)) $host" >>"$scratch/hosts"
done
mount --bind "$scratch/hosts" /etc/hosts

# on HOST COMMAND...: what ssh does on real hosts. Open MPI gives the command as one word for a shell.
cat >"$scratch/on" <<'AGENT'
#!/usr/bin/env bash
host=$1
shift
exec nsenter --net="/run/netns/$host" unshare --uts bash -c 'hostname "$0" && eval "$1"' "$host" "$*"
AGENT
chmod +x "$scratch/on"

words=("great good" "not good bad" "love good" "sad and dull bad" "very best good" "worst bad" "fine good" "never funny bad")
openings=("the film was" "a movie that is" "this actor and the music:" "It is" "one long scene of")
{
    printf 'text\tlabel\n'
    for index in {0..39}; do
        word=${words[index * 3 % 8]} ending=
        for ((more = index % 4; more > 0; more--)); do ending+=" the story of a character"; done
        printf '%s %s%s.\t%s\n' "${openings[index % 5]}" "${word% *}" "$ending" "${word##* }"
    done
} >"$scratch/train.tsv"
cat >"$scratch/run.yaml" <<YAML
model: $(realpath "$model")
data: { train: $scratch/train.tsv, max_length: 48 }
adapter: { init_r: 4, target_r: 2, tinit: 4, tfinal: 8, deltaT: 3, lora_alpha: 8, lora_dropout: 0.1 }
optimizer: { lr: 1.0e-2, warmup_steps: 6, max_grad_norm: 1.0, weight_decay: 0.01 }
total_step: $steps
batch_size: 13
gradient_lanes: 5
checkpoint: { every: $((steps / 6 > 0 ? steps / 6 : 1)), keep: 3 }
step_timeout: $step_timeout
output: $scratch/run
YAML

# shellcheck disable=SC2054  # The commas are Open MPI's.
mpirun=(
    mpirun --allow-run-as-root --bind-to none
    --mca plm_rsh_agent "$scratch/on"
    # Data and control each on their network; Open MPI would otherwise go over any that it finds.
    --mca btl tcp,self --mca btl_tcp_if_include data --mca oob_tcp_if_include control
    # More processes than cores: whoever waits lets the others work.
    --mca mpi_yield_when_idle 1
    # mpirun finds a host that is cut off after 3 + 3 · 1 s. That must be less than step_timeout: once it has sent the
    # order to end to a host that cannot take it, it waits for TCP to give up, which takes a quarter of an hour.
    --mca oob_tcp_keepalive_time 3 --mca oob_tcp_keepalive_intvl 1 --mca oob_tcp_keepalive_probes 3
)

# train RUN COUNT [OPTIONS]: the job on so many hosts, a process on each; on one, without mpirun.
train() {
    local run=$1 count=$2 left=$((seconds - SECONDS)) names
    shift 2
    local command=("$scratch/rankwise" train --config "$scratch/run.yaml" --set output="$scratch/$run" "$@")
    names=$(IFS=,; echo "${hosts[*]:0:count}")
    [ "$count" -eq 1 ] || command=("${mpirun[@]}" --host "$names" "${command[@]}")
    timeout --kill-after=1 "$((left > 1 ? left : 1))" "$scratch/on" host-a "${command[*]@Q}" >>"$scratch/log" 2>&1
}

# What must be equal: every file of the adapter, and the metrics but for times.
fingerprint() {
    cat "$scratch/$1"/adapter/* | sha256sum
    sed 's/"step_seconds":[^,}]*//' "$scratch/$1/metrics.jsonl" | sha256sum
}

# What the hosts have sent over the data network, in kB.
sent() {
    # shellcheck disable=SC2016  # The dollars are awk's.
    for host in "${hosts[@]}"; do nsenter --net="/run/netns/$host" cat /proc/net/dev; done \
        | awk '$1 == "data:" { sum += $10 } END { printf "%.0f", sum / 1000 }'
}

# Makes the data network a bad one, and a good one again: what each host sends comes 5 ms later, and 1 % of it never.
# shellcheck disable=SC2016  # The dollars are awk's.
spoil() {
    local host
    for host in "${hosts[@]}"; do
        if [ -n "$netem" ]; then
            tc -n "$host" qdisc add dev data root netem delay 5ms loss 1%
        else
            ip -n switch link set "data-$host" nomaster
        fi
    done
    [ -z "$netem" ] || return 0
    nsenter --net=/run/netns/switch python3 "$package/Tests/SeveralHosts/slow-network.py" 5 1 "${hosts[@]/#/data-}" >"$scratch/lost" &
    hub=$!
}
mend() {
    local host
    if [ -z "$netem" ]; then
        kill "$hub"
        wait "$hub" || true
    fi
    for host in "${hosts[@]}"; do
        if [ -n "$netem" ]; then
            tc -s -n "$host" qdisc show dev data | sed -n 's/.*(dropped \([0-9]*\),.*/\1/p' >>"$scratch/lost"
            tc -n "$host" qdisc del dev data root
        else
            ip -n switch link set "data-$host" master data
        fi
    done
    lost=$(awk '{ sum += $1 } END { print sum + 0 }' "$scratch/lost")
    : >"$scratch/lost"
}
hub='' lost=0 netem=yes
if ! problem=$(tc -n host-a qdisc add dev data root netem delay 5ms loss 1% 2>&1); then
    netem=
    command -v python3 >/dev/null || skip "neither netem (module sch_netem: $problem) nor python3 (Debian's package python3)"
    say "no netem in this kernel (module sch_netem: $problem); slow-network.py delays and loses instead"
else
    tc -n host-a qdisc del dev data root
fi

# Of the processes that this namespace knows, those of a job.
# shellcheck disable=SC2016  # The dollars are awk's.
survivors() { ps -e -o pid=,comm= | awk '$2 ~ /^(mpirun|orted|rankwise)$/ { print $1 }'; }

passed=0 failed=0
# verdict NAME BEGAN PROBLEM DETAIL: one line for a case; an empty problem is none.
verdict() {
    local tenths=$((($(now) - $2) / 100000))
    if [ -z "$3" ]; then
        passed=$((passed + 1))
        printf 'passed: %s: %s (%d.%d s)\n' "$1" "$4" $((tenths / 10)) $((tenths % 10))
    else
        failed=$((failed + 1))
        printf 'FAILED: %s: %s (%d.%d s)\n' "$1" "$3" $((tenths / 10)) $((tenths % 10))
        tail -n 15 "$scratch/log" | sed 's/^/    /'
    fi
    : >"$scratch/log"
}
# Microseconds.
now() { printf '%s' "${EPOCHREALTIME/[.,]/}"; }

echo "network namespaces for ${#hosts[@]} hosts; $steps steps, step_timeout $step_timeout s"
began=$(now)
train alone 1 || { cat "$scratch/log" >&2; exit 70; }
expected=$(fingerprint alone)
verdict "one process without MPI" "$began" "" "the bytes to be met"

# whole NAME RUN COUNT [bad]: a job that nobody cuts off, over a good network or a bad one.
whole() {
    local name=$1 run=$2 count=$3 network=${4-} began problem='' detail='' kilobytes
    kilobytes=$(sent) began=$(now)
    [ -z "$network" ] || spoil
    train "$run" "$count" || problem="the job failed"
    [ -z "$network" ] || mend
    kilobytes=$(($(sent) - kilobytes)) detail="$kilobytes kB over the network"
    [ -z "$network" ] || detail+=", $lost frames lost"
    if [ -n "$problem" ]; then
        :
    elif [ "$(fingerprint "$run")" != "$expected" ]; then
        problem="DIFFERENT bytes"
    elif [ "$kilobytes" -le "$steps" ]; then
        # The gradients of every step have to cross the network; what does not, went another way.
        problem="too little went over the network"
    elif [ -n "$network" ] && [ "$lost" -eq 0 ]; then
        problem="nothing was lost"
    fi
    verdict "$name" "$began" "$problem" "equal bytes, $detail"
}

# cut NAME RUN COUNT CAUSE COMMAND...: a job whose last host is cut off by the command. It must be over in time, with a non-zero
# status and the cause in its output, and resumed on one host end with the expected bytes.
cut() {
    local name=$1 run=$2 count=$3 cause=$4 began job code=0 problem='' bound=$((step_timeout + 10)) over
    shift 4
    began=$(now)
    train "$run" "$count" &
    job=$!
    until [ "$(compgen -G "$scratch/$run/checkpoints/step-????????" | wc -l)" -ge 2 ]; do
        kill -0 "$job" 2>/dev/null || break
        sleep 0.05
    done
    "$@"
    over=$(now)
    while [ -n "$(survivors)" ] && [ $(($(now) - over)) -lt $((bound * 1000000)) ]; do sleep 0.1; done
    over=$((($(now) - over) / 100000))
    if [ -n "$(survivors)" ]; then
        problem="not over after $bound s"
        survivors | xargs kill -KILL
    fi
    wait "$job" || code=$?
    if [ -e "$scratch/$run/summary.json" ]; then
        problem="it was done before it was cut off; give it more --steps"
    elif [ "$code" -eq 0 ]; then
        problem="it ended with status 0"
    fi
    [ -n "$problem" ] || grep -q "$cause" "$scratch/log" || problem="its output does not say: $cause"
    if [ -z "$problem" ]; then
        if ! train "$run" 1 --resume; then
            problem="it could not be resumed"
        elif [ "$(fingerprint "$run")" != "$expected" ]; then
            problem="DIFFERENT bytes after it was resumed"
        fi
    fi
    verdict "$name" "$began" "$problem" \
        "over with status $code after $((over / 10)).$((over % 10)) s of $bound s, resumed on one host, equal bytes"
}

whole "2 hosts" two 2
whole "3 hosts" three 3

whole "2 hosts, 5 ms and 1 % loss" bad-two 2 bad
whole "3 hosts, 5 ms and 1 % loss" bad-three 3 bad

# The control network stays, so the processes themselves must find that they get no further. Nothing tells them: the cable stays
# in, but the switch passes nothing on.
cut "2 hosts, the data network of one fails" cut-data 2 "no progress for" ip -n switch link set data-host-b nomaster
ip -n switch link set data-host-b master data

cut "3 hosts, one is cut off altogether" cut-host 3 "lost communication with a remote daemon" \
    sh -c 'ip -n switch link set data-host-c down; ip -n switch link set control-host-c down'

echo "$SECONDS s"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
