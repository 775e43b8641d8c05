#!/bin/sh
# The man pages have every option that --help has, and no other.
. tests/support/tap.sh
dynwatch=${DYNWATCH:-build/release/dynwatch}
feeds=${DYNWATCH_FEEDS:-build/release/dynwatch-feeds}
mkpcap=${MKPCAP:-build/release/mkpcap}

long_of_help() { grep -oE -- '--[a-z][a-z-]+' | sort -u; }
# In mdoc a long option is an argument of Fl, written with one dash less.
long_of_page() { grep -oE '(Fl|,|\|) -[a-z][a-z-]+' "$1" | sed 's/.* -/--/' | sort -u; }

{
  "$dynwatch" --help
  for command in run replay check lookup rules reload; do "$dynwatch" "$command" --help; done
} 2>&1 | long_of_help > "$tmp/help"
{
  echo --manual # for the build of dynwatch.conf(5), not for users
  long_of_page tools/man/dynwatch.8
} | sort -u > "$tmp/page"
is "dynwatch(8) and --help" "$(cat "$tmp/page")" "$(cat "$tmp/help")"

{
  "$feeds" --help
  for command in $("$feeds" --help | sed -nE 's/^  ([a-z]+) .*/\1/p'); do "$feeds" "$command" --help; done
} | long_of_help > "$tmp/help"
long_of_page tools/man/dynwatch-feeds.8 > "$tmp/page"
is "dynwatch-feeds(8) and --help" "$(cat "$tmp/page")" "$(cat "$tmp/help")"

"$mkpcap" --help | long_of_help > "$tmp/help"
{
  echo --help
  long_of_page tools/man/mkpcap.1
} | sort -u > "$tmp/page"
ok "the example of a configuration passes check" "$dynwatch" check -c tools/dynwatch.yaml.example
is "mkpcap(1) and --help" "$(cat "$tmp/page")" "$(cat "$tmp/help")"
done_testing
