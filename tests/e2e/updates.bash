# updates.bash -- what updates-*.t have in common: hosts on one switch, recorded, step by step.
#
#   . tests/support/tap.sh
#   . tests/support/net.sh
#   . tests/e2e/updates.bash
#   lan_make                              the switch; a mirror port sees all that crosses it
#   lan_join dns 10.1.0.53/16 ...         a host (a network namespace) with these addresses
#   serve dns LOG COMMAND...              a server in the foreground of that host
#   record                                from here on; every host that is needed is there
#   step NAME [SECONDS]                   what follows is one step, SECONDS (60) after the last one
#   expects [RULE:SEVERITY...]            the alerts of this step: these, and no other
#   judge CONFIGURATION                   ends the recording, replays it, compares each step
#   has WHAT FILTER                       some alert of the replay matches (jq)
#   logged WHAT FILTER                    some line of the change log does
#   explained WHAT PATTERN                some line of --explain-updates does (extended)
#
# The recording runs the steps one after the other; space_steps.py then moves all packets of a
# step by one constant, so that steps are a minute apart, as people work. An alert belongs to the
# step that its event.start lies in. A step's name travels in the capture, as a datagram to the
# discard port, so that nothing depends on two programs' clocks. KEEP=FOLDER keeps the capture there.
# shellcheck disable=SC2154,SC2034 # tmp and pids are of tap.sh; wrong is for the tests
dynwatch=$(readlink -f "${DYNWATCH:-build/release/dynwatch}")
marked=10.1.255.254
server=10.1.0.53
secret=ZHlud2F0Y2ggdGVzdHMgb25seSwgbm90IGEgc2VjcmV0IQ==
wrong=ZHlud2F0Y2ggdGVzdHMgb25seSwgYW5vdGhlciBzZWNyZXQ=
raw=$tmp/raw.pcap
step_name=start
client=0
updater=

lan_make() {
  net_make lan
  in_net lan ip link add br0 type bridge forward_delay 0 mcast_snooping 0 &&
    in_net lan ip link set br0 addrgenmode none up && in_net lan ip addr add $marked/16 dev br0
  lan_join marker 10.1.255.253/16
}

lan_join() { # HOST ADDRESS/LENGTH...
  net_make "$1"
  net_pair lan "$1" "$1" eth0
  in_net lan ip link set "$1" master br0
  host_address "$@"
}

host_address() { # HOST ADDRESS/LENGTH...: on its only interface
  local host=$1 address
  shift
  for address in "$@"; do
    case $address in *:*) address="$address dev eth0 nodad" ;; *) address="$address dev eth0" ;; esac
    echo "addr add $address"
  done | in_net "$host" ip -batch -
}

serve() { # HOST LOG COMMAND...
  local host=$1 log=$2
  shift 2
  # Not in_net: the process that is remembered is the server itself.
  ip netns exec "$(net_of "$host")" "$@" > "$tmp/$log" 2>&1 &
  pids="$pids $!"
  served=$!
}

ask() { # HOST DIG-ARGUMENTS...: fails unless there is an answer
  local host=$1
  shift
  in_net "$host" dig +time=1 +tries=1 +noall +answer "$@" | grep -q '^[^;]'
}

ready() { # WHAT LOG COMMAND...: wait for it; without it the test is over
  if wait_for 10 "${@:3}"; then report 0 "$1"; else
    report 1 "$1"
    tail -n 20 "$tmp/$2" | comment
    done_testing
    exit 1
  fi
}

zone_file() { # NAME: one that a server can start with
  printf '%s\n' '$TTL 300' "@ SOA ns.$1. root.$1. 1 3600 600 86400 60" '@ NS ns' "ns A $server" \
    'old A 10.1.9.9' > "$tmp/$1.zone"
}

bind_options() { # [LINES...]: what every named here has in its configuration
  cat << CONF
options {
  directory "$tmp"; pid-file none; listen-on { any; }; listen-on-v6 { any; };
  recursion no; dnssec-validation no; notify explicit; allow-transfer { none; };
  session-keyfile none; managed-keys-directory "$tmp"; $*
};
controls { };
CONF
}

# --- nsupdate ---

# Each update comes from a client of its own, 10.1.4.1, 10.1.4.2, ..., or from $updater.
clients() { # the host that all of them are on
  # shellcheck disable=SC2046
  lan_join pc 10.1.0.2/16 $(seq -f '10.1.4.%.0f/16' 100) "$@"
}

update() { # SERVER ZONE NSUPDATE-OPTIONS LINE...
  local to=$1 zone=$2 options=$3 from
  shift 3
  client=$((client + 1))
  from=${updater:-10.1.4.$client}
  printf '%s\n' "server $to" "local $from" "zone $zone" "$@" send > "$tmp/update.txt"
  # shellcheck disable=SC2086
  in_net pc nsupdate -t 10 $options "$tmp/update.txt" 2>&1
}

accepted() { # ARGUMENTS...
  ok "$step_name: nsupdate succeeds" update "$@"
}

refused() { # ERROR ARGUMENTS...: nsupdate's word for it
  local error=$1
  shift
  update "$@" > "$tmp/answer.txt"
  like "$step_name: nsupdate is told $error" "$(cat "$tmp/answer.txt")" "$error"
}

signed() { echo "-y hmac-$1:k-${1%%-*}:${2:-$secret}"; } # ALGORITHM[-BITS] [SECRET]

late_update() { # ZONE KEY SECONDS: signed by a clock that is wrong by SECONDS; prints what the server says
  client=$((client + 1))
  in_net pc tests/e2e/late_update.py "${updater:-10.1.4.$client}" $server "$1" late."$1" "$2" $secret "$3"
}

# --- recording ---

mark() { in_net marker bash -c 'printf %s "$1" > "/dev/udp/$2/9"' mark "$1" $marked; }
recorded() { # TEXT: a mark with it is in the file; sends one itself
  mark "$1" && grep -aqF "$1" "$raw"
}

record() {
  serve lan tcpdump.log tcpdump -i br0 --immediate-mode -U -n -Z root -w "$raw" 'port 53 or udp port 9'
  tcpdump=$served
  ready "the recording runs" tcpdump.log recorded '?start'
}

step() { # NAME [SECONDS]
  step_name=$1
  mark "!${2:-60}!$1"
}

expects() { # [RULE:SEVERITY...]
  printf '%s\t%s\n' "$step_name" "$(printf '%s\n' "$@" | sort | tr '\n' ' ' | sed 's/^ *//; s/ *$//')" >> "$tmp/expected"
}

# --- judging ---

# "STEP<tab>RULE:SEVERITY ..." of every step that says what it expects.
step_alerts() {
  jq -r --slurpfile steps "$tmp/steps.jsonl" '
    (.event.start | capture("(?<s>.*)\\.(?<ns>\\d+)Z") | (.s + "Z" | fromdate) + ("0." + .ns | tonumber)) as $at |
    [([$steps[] | select(.from <= $at)] | last | .name), .rule.id + ":" + .dynwatch.severity] | @tsv' "$tmp/alerts.jsonl"
}

replay_steps() { # CONFIGURATION
  "$dynwatch" replay -c "$1" --alerts "$tmp/alerts.jsonl" --changelog "$tmp/changes.jsonl" --explain-updates \
    --summary "$tmp/summary.json" --progress never "$tmp/steps.pcap" > "$tmp/explained"
}

judge() { # CONFIGURATION
  step "the end" 600 # what waits for a while is decided by then
  in_net marker dig +time=1 +tries=1 @10.1.0.53 end.example > "$tmp/end.dig" 2>&1
  ok "the recording is complete" wait_for 15 recorded '?stop'
  kill -INT "$tcpdump" && wait "$tcpdump"
  ok "the steps are moved to their times" tests/e2e/space_steps.py "$raw" "$tmp/steps.pcap" "$tmp/steps.jsonl"
  if [ -n "${KEEP:-}" ]; then cp "$tmp/steps.pcap" "$KEEP/$(basename "$0" .t).pcap"; fi
  ok "the recording is replayed" replay_steps "$1"
  step_alerts > "$tmp/judged"
  local name expected
  while IFS=$'\t' read -r name expected; do
    is "$name: the expected alerts" \
      "$(awk -F'\t' -v name="$name" '$1 == name { print $2 }' "$tmp/judged" | sort | tr '\n' ' ' | sed 's/ $//')" "$expected"
  done < "$tmp/expected"
  is "no alert outside these steps" "$(awk -F'\t' 'NR == FNR { known[$1] = 1; next } !($1 in known)' "$tmp/expected" "$tmp/judged")" ""
  ok "the recording has updates" jq -e '.dns.opcodes.UPDATE > 0' "$tmp/summary.json"
  is "every DNS message was read" "$(jq -c '.dns.malformed, (.packets.rejected | with_entries(select(.value > 0)))' "$tmp/summary.json" | tr -d '\n')" '{}{}'
}

has() { ok "$1" jq -es "any(.[]; $2)" "$tmp/alerts.jsonl"; }
logged() { ok "$1" jq -es "any(.[]; $2)" "$tmp/changes.jsonl"; }
explained() { ok "$1" grep -E -- "$2" "$tmp/explained"; }
