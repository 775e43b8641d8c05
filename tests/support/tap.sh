# tap.sh -- the Test Anything Protocol for the shell tests; read by prove(1).
#
#   . tests/support/tap.sh
#   ok "what holds" COMMAND ARG...       passes when the command succeeds
#   is "what holds" GOT EXPECTED         passes when the two texts are equal
#   like "what holds" TEXT PATTERN       passes when the extended regular expression matches
#   done_testing                         at the end; without it the file fails
#
# A failing check shows what it saw. Every test gets its own empty $tmp, removed at exit; processes
# put into $pids are ended at exit, by pid.
set -u
tap_count=0
pids=
tmp=$(mktemp -d "${TMPDIR:-/tmp}/dynwatch-test.XXXXXX")
cleanup() { :; } # a test may redefine it: called before processes are ended and $tmp goes
tap_exit() {
  status=$?
  trap - EXIT
  cleanup
  for pid in $pids; do kill "$pid" 2>/dev/null; done
  for pid in $pids; do wait "$pid" 2>/dev/null; done
  rm -rf "$tmp"
  exit $status
}
trap tap_exit EXIT
trap 'exit 1' INT TERM

report() { # STATUS TEXT
  tap_count=$((tap_count + 1))
  if [ "$1" -eq 0 ]; then echo "ok $tap_count - $2"; else echo "not ok $tap_count - $2"; fi
}

comment() { sed 's/^/# /' >&2; }

ok() {
  what=$1 && shift
  if "$@" > "$tmp/.ok" 2>&1; then report 0 "$what"; else
    report 1 "$what"
    { echo "failed: $*" && head -n 20 "$tmp/.ok"; } | comment
  fi
}

is() {
  if [ "$2" = "$3" ]; then report 0 "$1"; else
    report 1 "$1"
    printf 'got:      %s\nexpected: %s\n' "$2" "$3" | comment
  fi
}

like() {
  if printf '%s\n' "$2" | grep -Eq -- "$3"; then report 0 "$1"; else
    report 1 "$1"
    printf 'got: %s\nnot matched by: %s\n' "$2" "$3" | head -n 20 | comment
  fi
}

# Wait until a command succeeds, at most SECONDS (tenths are polled).
wait_for() { # SECONDS COMMAND...
  tries=$(($1 * 10)) && shift
  while [ "$tries" -gt 0 ]; do
    "$@" > /dev/null 2>&1 && return 0
    tries=$((tries - 1))
    sleep 0.1
  done
  return 1
}

done_testing() { echo "1..$tap_count"; }
