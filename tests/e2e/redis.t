#!/bin/bash
# Alerts arrive in a real redis-server: all of them, in order, with what each server can do to a
# client: logins, database, memory limit, read-only, a crash in the middle, a stopped process.
. tests/support/tap.sh
sink=${BUILD_DIR:-build/release}/e2e/redis_sink
socket=$tmp/redis.sock

# --- the server ---

server= # its pid
start_server() { # OPTIONS...
  redis-server --port 0 --unixsocket "$socket" --dir "$tmp" --logfile "$tmp/redis.log" \
    --save "" --daemonize no "$@" > "$tmp/redis.out" 2>&1 &
  server=$!
  pids="$pids $server"
  wait_for 10 cli PING
}

# A free port of the loopback interface: the first that the server can have.
start_tcp_server() { # OPTIONS...
  for _ in 1 2 3 4 5 6 7 8; do
    port=$((20000 + RANDOM % 20000))
    start_server --bind 127.0.0.1 --port $port "$@" && return 0
    stop_server
  done
  return 1
}

stop_server() { # [SIGNAL]
  kill "-${1:-TERM}" "$server" 2> /dev/null
  wait "$server" 2> /dev/null
}

fresh_server() { # OPTIONS...
  stop_server
  rm -rf "$tmp/appendonlydir" "$socket"
  ok "a server starts${*:+ with $*}" start_server "$@"
}

cli() { redis-cli --no-auth-warning -s "$socket" "$@"; }

# --- the sink, told what to do line by line ---

open_sink() { # URL [STREAM [QUEUE]]
  rm -f "$tmp/to" "$tmp/from"
  mkfifo "$tmp/to" "$tmp/from"
  "$sink" "$tmp/alerts.jsonl" "$1" "${2:-dynwatch:alerts}" ${3:+"$3"} \
    < "$tmp/to" > "$tmp/from" 2> "$tmp/sink.err" &
  sink_pid=$!
  pids="$pids $sink_pid"
  exec 3> "$tmp/to" 4< "$tmp/from"
}

# Tell it one thing; what it answers is in $said.
tell() {
  echo "$*" >&3
  said=
  read -r -t 30 said <&4
}

# End it; $said is how many were lost, $status how it exited, $took_ms how long that took.
finish() { # MILLISECONDS
  local before
  before=$(date +%s%3N)
  tell finish "$1"
  wait "$sink_pid"
  status=$?
  took_ms=$(($(date +%s%3N) - before))
  exec 3>&- 4<&-
}

# --- what is in Redis ---

# A field of every entry of the stream, in order.
field() { # FIELD [STREAM]
  cli --raw XRANGE "${2:-dynwatch:alerts}" - + | grep -A 1 -x "$1" | grep -v -x -e "$1" -e --
}

sent_ids() { jq -r .event.id "$tmp/alerts.jsonl"; }

same_ids() { # every alert of the file once, and in its order
  field id > "$tmp/got" && sent_ids > "$tmp/want" && test -s "$tmp/want" && cmp "$tmp/got" "$tmp/want"
}

same_json() { field json > "$tmp/got" && cmp "$tmp/got" "$tmp/alerts.jsonl"; }

no_secret() { ! grep -q "$secret" "$tmp/sink.err"; }

command -v redis-server > /dev/null || { echo "Bail out! redis-server is not installed"; exit 1; }
[ -x "$sink" ] || { echo "Bail out! $sink is not built"; exit 1; }

# --- over a unix socket ---

fresh_server
open_sink "unix://$socket"
tell alerts 1000
tell wait delivered 1000
is "a thousand alerts are acknowledged" "$said" reached
is "and in the stream" "$(cli XLEN dynwatch:alerts)" 1000
ok "all of them, in the order of the file" same_ids
ok "the same bytes as in the file" same_json
is "tenants alternate as raised" "$(field tenant | sort | uniq -c | tr -s ' \n' ' ')" " 500 acme 500 beta "
is "the rule is a field" "$(field rule | sort -u)" lookup.unapproved
is "the severity too" "$(field severity | sort -u)" medium
tell heartbeat 20
tell wait heartbeats 1
is "the heartbeat is a hash" "$(cli --raw HMGET dynwatch:sensor:edge-1 version packets alerts dropped last_packet | tr '\n' ' ')" \
  "0.1.0 1000 1000 7 2026-11-22T12:00:00.000000000Z "
like "that expires after three intervals" "$(cli --raw TTL dynwatch:sensor:edge-1)" '^(60|59)$'
finish 5000
is "nothing is lost" "$said $status" "lost=0 0"
is "nothing is said about it" "$(cat "$tmp/sink.err")" ""

# --- drained at the end ---

cli DEL dynwatch:alerts > /dev/null
open_sink "unix://$socket" dynwatch:alerts
tell alerts 20000
finish 20000
is "twenty thousand alerts and the end at once: none lost" "$said $status" "lost=0 0"
is "all in the stream" "$(cli XLEN dynwatch:alerts)" 20000
ok "in order" same_ids

# --- streams by tenant, another database ---

open_sink "unix://$socket?db=3" "alerts:{tenant}"
tell alerts 10
finish 5000
is "each tenant has its stream" "$(cli -n 3 XLEN alerts:acme) $(cli -n 3 XLEN alerts:beta)" "5 5"
is "in the database of the URL only" "$(cli EXISTS alerts:acme)" 0

# --- a key that is no stream ---

cli SET taken text > /dev/null
open_sink "unix://$socket" taken
tell alerts 50
tell wait refused 50
finish 1000
is "alerts for a key of another type are lost and counted" "$said $status" "lost=50 1"
is "said once" "$(grep -c 'alerts are lost' "$tmp/sink.err")" 1

# --- out of memory, read-only: what passes is waited for ---

cli DEL dynwatch:alerts > /dev/null
open_sink "unix://$socket"
cli CONFIG SET maxmemory 1 > /dev/null
tell alerts 300
sleep 1
is "a server at its memory limit takes none" "$(cli EXISTS dynwatch:alerts)" 0
tell stats
like "they wait" "$said" 'waiting=300 '
is "which is said once" "$(grep -c maxmemory "$tmp/sink.err")" 1
cli CONFIG SET maxmemory 0 > /dev/null
tell wait delivered 300
ok "and arrive in order when there is room" same_ids
cli REPLICAOF 127.0.0.1 1 > /dev/null
tell alerts 300
sleep 0.5
is "a replica takes none" "$(cli XLEN dynwatch:alerts)" 300
cli REPLICAOF NO ONE > /dev/null
tell wait delivered 600
is "nothing was lost on the way" "$said" reached
ok "and nothing is out of order" same_ids
finish 1000
is "the end is clean" "$said $status" "lost=0 0"

# --- a crash in the middle ---

fresh_server --appendonly yes --appendfsync always
open_sink "unix://$socket"
for round in 1 2 3; do
  echo "alerts 3000" >&3
  read -r -t 30 said <&4
  stop_server KILL
  tell alerts 200
  rm -f "$socket"
  start_server --appendonly yes --appendfsync always || break
done
tell wait delivered 9600
is "all are acknowledged although the server was killed $round times" "$said" reached
finish 5000
is "none is lost" "$said $status" "lost=0 0"
field id > "$tmp/got"
sent_ids | sort > "$tmp/want"
sort -u "$tmp/got" > "$tmp/got.once"
ok "every alert is there" cmp "$tmp/got.once" "$tmp/want"
twice=$(($(wc -l < "$tmp/got") - $(wc -l < "$tmp/got.once")))
ok "and at most a batch of each crash twice ($twice were)" test "$twice" -le 768

# --- a server that hangs, a server that is away ---

open_sink "unix://$socket"
tell wait connects 1
kill -STOP "$server"
tell alerts 40
finish 500
kill -CONT "$server"
is "a server that hangs at the end: what is missing is counted" "$said $status" "lost=40 1"
ok "the end comes in time ($took_ms ms)" test "$took_ms" -lt 2000
like "and said" "$(cat "$tmp/sink.err")" '40 alerts could not be delivered'
stop_server
open_sink "unix://$socket" dynwatch:alerts 10
tell alerts 40
finish 300
is "a server that is away: so too" "$said $status" "lost=40 1"
is "the overflow of the queue is said once" "$(grep -c 'queue is full' "$tmp/sink.err")" 1

# --- logins over TCP ---

secret=s3cr3t-p@ss/w:rd
encoded=s3cr3t-p%40ss%2Fw%3Ard
rm -rf "$tmp/appendonlydir"
ok "a server starts on a port" start_tcp_server
cli ACL SETUSER sensor on ">$secret" '~dynwatch:*' +xadd +hset +expire > /dev/null
cli CONFIG SET requirepass "$secret" > /dev/null
admin=(redis-cli --no-auth-warning -s "$socket" -a "$secret")

open_sink "redis://:$encoded@127.0.0.1:$port"
tell alerts 10
finish 5000
is "the default user logs in with a password" "$said $status" "lost=0 0"

open_sink "redis://sensor:$encoded@localhost:$port/0"
tell alerts 10
tell heartbeat 10
tell wait heartbeats 1
finish 5000
is "an ACL user that may only XADD, HSET and EXPIRE is enough" "$said $status" "lost=0 0"
is "all are there" "$("${admin[@]}" XLEN dynwatch:alerts)" 20
is "nothing was said" "$(cat "$tmp/sink.err")" ""

open_sink "redis://sensor:$encoded@127.0.0.1:$port" other:alerts
tell alerts 10
tell wait refused 10
finish 1000
is "a stream that the user may not write loses alerts and counts them" "$said $status" "lost=10 1"
ok "no password in what is said" no_secret

open_sink "redis://sensor:wrong-$encoded@127.0.0.1:$port"
tell alerts 10
sleep 0.7
like "a wrong password is said" "$(cat "$tmp/sink.err")" 'sensor:\*\*\*@127.0.0.1.*wrong user or password'
is "once" "$(grep -c 'wrong user' "$tmp/sink.err")" 1
ok "without the password" no_secret
"${admin[@]}" ACL SETUSER sensor ">wrong-$secret" > /dev/null
tell wait delivered 10
is "and when it is made right the alerts arrive" "$said" reached
finish 1000

open_sink "redis://127.0.0.1:$port"
tell alerts 5
finish 300
is "without a login none is taken" "$said $status" "lost=5 1"
like "and the reason is said" "$(cat "$tmp/sink.err")" 'wants a login'

# --- TLS, where hiredis has it ---

certificate() { # NAME SUBJECT-ALTERNATIVE-NAME
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=$1" \
    -addext "subjectAltName=$2" -keyout "$tmp/$1.key" -out "$tmp/$1.pem" 2> /dev/null
}

"$sink" "$tmp/alerts.jsonl" "rediss://:$encoded@127.0.0.1:$port" s > "$tmp/tls.out" 2>&1 < /dev/null
if grep -q 'has no TLS' "$tmp/tls.out"; then
  is "rediss:// without TLS in hiredis is refused, without the password" "$(grep -c s3cr3t "$tmp/tls.out")" 0
  done_testing
  exit
fi
certificate good "DNS:localhost,IP:127.0.0.1"
certificate other "DNS:other.example"
tls() { # CERTIFICATE: a server with it, on its port + 1
  stop_server
  start_tcp_server --requirepass "$secret" --tls-port $((20000 + RANDOM % 20000)) --tls-auth-clients no \
    --tls-cert-file "$tmp/$1.pem" --tls-key-file "$tmp/$1.key"
  tls_port=$("${admin[@]}" --raw CONFIG GET tls-port | tail -n 1)
}
for host in localhost 127.0.0.1; do
  tls good
  export SSL_CERT_FILE=$tmp/good.pem
  open_sink "rediss://:$encoded@$host:$tls_port"
  tell alerts 2000
  tell wait delivered 2000
  is "2000 alerts over TLS to $host" "$said" reached
  "${admin[@]}" --raw XRANGE dynwatch:alerts - + | grep -A 1 -x id | grep -v -x -e id -e -- > "$tmp/got"
  sent_ids > "$tmp/want"
  ok "in order" cmp "$tmp/got" "$tmp/want"
  stop_server
  tell alerts 10
  finish 300
  is "and a server that goes is noticed" "$said $status" "lost=10 1"
done
tls other
export SSL_CERT_FILE=$tmp/other.pem
open_sink "rediss://:$encoded@localhost:$tls_port"
tell alerts 5
finish 700
is "a certificate for another host gets nothing" "$said $status" "lost=5 1"
like "which is said" "$(cat "$tmp/sink.err")" 'certificate verify failed'
export SSL_CERT_FILE=$tmp/good.pem
open_sink "rediss://:$encoded@localhost:$tls_port"
tell alerts 5
finish 700
is "nor does one that nobody vouches for" "$said $status" "lost=5 1"
open_sink "rediss://:$encoded@127.0.0.1:$port"
tell alerts 5
finish 700
is "nor a server without TLS" "$said $status" "lost=5 1"
is "the password went nowhere" "$("${admin[@]}" XLEN dynwatch:alerts)" 0
ok "nor into what is said" no_secret
done_testing
