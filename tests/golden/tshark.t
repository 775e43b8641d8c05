#!/bin/sh
# A second opinion on every message: the DNS log agrees with tshark field by field, for our own
# captures and for the real ones (DYNWATCH_SHARED, when they are there). What differs is in
# tests/golden/tshark-differences.tsv with its reason; ACCEPT=1 writes the counts that come out.
. tests/support/tap.sh
dynwatch=${DYNWATCH:-build/release/dynwatch}
mkpcap=${MKPCAP:-build/release/mkpcap}
pcaps=${DYNWATCH_SHARED:-../shared}/pcaps
table=tests/golden/tshark-differences.tsv

if ! command -v tshark > /dev/null || ! command -v python3 > /dev/null; then
  echo "1..0 # SKIP tshark or python3 is not installed (tools/install-deps test)"
  exit 0
fi

make_mix() { # NAME OPTIONS...
  name=$1 && shift
  "$mkpcap" "$@" -o "$tmp/$name.pcap"
  captures="$captures $name=$tmp/$name.pcap"
}
captures=demo=tests/data/demo.pcap
make_mix mix-plain -n 4000 --rate 1000
make_mix mix-vlans -n 2000 --vlans --tenants 5 --records 12 --seed 2
make_mix mix-malformed -n 4000 --malformed 0.2 --updates 0.05 --vlans --seed 3
make_mix mix-updates -n 2000 --updates 0.5 --nxdomain 0.3 --seed 4

complete=
if [ -d "$pcaps" ]; then
  complete=--all
  for capture in "$pcaps"/*.pcap* "$pcaps"/*.cap; do
    [ -f "$capture" ] && captures="$captures ${capture##*/}=$capture"
  done
fi
# Names of captures hold no spaces.
# shellcheck disable=SC2086
python3 tests/golden/tshark.py ${ACCEPT:+--accept} ${BUILD_DIR:+--kept="$BUILD_DIR/../tshark"} $complete \
  "$dynwatch" "$table" $captures
