# net.sh -- network namespaces of a test's own, for the shell tests; root is needed.
#
#   . tests/support/tap.sh
#   . tests/support/net.sh
#   net_make a b              namespaces, each with lo up; the test ends here when that cannot be
#   net_pair a eth1 b eth1    a veth pair between two of them, both ends up, no IPv6 of its own
#   in_net a COMMAND...       run a command there
#
# At exit every process in the namespaces is ended and the namespaces go.
# shellcheck disable=SC2154 # tmp is of tap.sh
net_list=

net_of() { echo "dw-$1-$$"; }

in_net() {
  net_name=$(net_of "$1") && shift
  ip netns exec "$net_name" "$@"
}

net_make() {
  for net in "$@"; do
    if ! ip netns add "$(net_of "$net")" 2> "$tmp/.net" || ! in_net "$net" ip link set lo up 2>> "$tmp/.net"; then
      report 1 "network namespaces can be made (root is needed)"
      comment < "$tmp/.net"
      done_testing
      exit 1
    fi
    net_list="$net_list $net"
  done
}

net_pair() { # NAMESPACE INTERFACE NAMESPACE INTERFACE
  ip link add "$2" netns "$(net_of "$1")" type veth peer name "$4" netns "$(net_of "$3")" &&
    in_net "$1" ip link set "$2" addrgenmode none && in_net "$3" ip link set "$4" addrgenmode none &&
    in_net "$1" ip link set "$2" up && in_net "$3" ip link set "$4" up
}

cleanup() {
  for net in $net_list; do
    for pid in $(ip netns pids "$(net_of "$net")" 2> /dev/null); do kill "$pid" 2> /dev/null; done
  done
  sleep 0.2
  for net in $net_list; do
    for pid in $(ip netns pids "$(net_of "$net")" 2> /dev/null); do kill -9 "$pid" 2> /dev/null; done
    ip netns del "$(net_of "$net")" 2> /dev/null
  done
}
