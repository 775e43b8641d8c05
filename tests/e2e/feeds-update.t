#!/bin/bash
# dynwatch-feeds update against a web server that is good, bad and worse: what is fit to be used takes
# the place of the old list, and whatever else comes leaves it as it was.
. tests/support/tap.sh
feeds=$(readlink -f "${DYNWATCH_FEEDS:-build/release/dynwatch-feeds}")
dynwatch=$(readlink -f "${DYNWATCH:-build/release/dynwatch}")
unset http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY SSL_CERT_FILE CURL_CA_BUNDLE
www=$tmp/www yaml=$tmp/feeds.yaml log=$tmp/requests
mkdir "$www" "$tmp/feeds"

serve() { # NAME [CERTIFICATE KEY]
  tests/e2e/serve_feeds.py "$www" "$tmp/$1.port" "$log" "${@:2}" 2> "$tmp/$1.err" &
  pids="$pids $!"
  wait_for 10 test -s "$tmp/$1.port" || { comment < "$tmp/$1.err" && exit 1; }
}
names() { seq -f "$1%g.example" "$2" "$3"; }

# A feed: its name, path of the URL (or all of it) and further options.
begin() { printf 'feeds:\n' > "$yaml"; }
feed() { # NAME URL [OPTION...]
  case $2 in /*) set -- "$1" "$http$2" "${@:3}" ;; esac
  printf '  - {name: %s, path: feeds/%s.txt, kind: malicious, url: "%s"' "$1" "$1" "$2" >> "$yaml"
  [ $# -lt 3 ] || printf ', %s' "${@:3}" >> "$yaml"
  printf '}\n' >> "$yaml"
}
update() {
  timeout 30 "$feeds" update -c "$yaml" --json "$@" > "$tmp/out" 2> "$tmp/err"
  code=$?
}
of() { jq -r ".feeds[] | select(.feed == \"$1\") | $2" "$tmp/out"; }
row() { of "$1" '[.result, .before, .after, .added, .removed, .rejected] | map(. // "-" | tostring) | join(" ")'; }
# Every file in the folder, but for the lock.
files() { find "$tmp/feeds" -mindepth 1 ! -name .dynwatch-feeds.lock -printf '%f\n' | sort | xargs; }
asked() { jq -c "select(.target | startswith(\"$1\")) | .headers$2" "$log"; }

serve plain
http=http://127.0.0.1:$(cat "$tmp/plain.port")
names a 1 100 > "$www/list.txt"

# --- a list that comes, and comes again --------------------------------------------------------
begin
feed etag /etag/list.txt
feed date /date/list.txt
feed gzip /gzip/list.txt
feed packed /packed/list.txt
feed unsaid /unsaid/list.txt
feed moved "/to?/ok/list.txt"
printf '  - {name: own, path: feeds/own.txt, kind: malicious}\n' >> "$yaml"
names o 1 3 > "$tmp/feeds/own.txt"
every="etag date gzip packed unsaid moved"

update --dry-run
is "a dry run tells what would change" "$code $(row etag)" "0 updated - 100 100 0 0"
is "and changes nothing" "$(files)" "own.txt"
update
is "new lists come" "$code" 0
for name in $every; do is "$name: all is new" "$(row $name)" "updated - 100 100 0 0"; done
for name in etag date gzip unsaid moved; do
  ok "$name: the file is what was served" cmp "$www/list.txt" "$tmp/feeds/$name.txt"
done
ok "one that is packed itself stays packed" gzip -t < "$tmp/feeds/packed.txt"
is "everybody may read it" "$(stat -c %a "$tmp/feeds/etag.txt")" 644
is "no feed without url is touched, and nothing else is left" "$(files)" \
  "date.txt date.txt.fetched etag.txt etag.txt.fetched gzip.txt gzip.txt.fetched moved.txt moved.txt.fetched own.txt packed.txt packed.txt.fetched unsaid.txt unsaid.txt.fetched"
like "who asks says who it is" "$(asked /etag '."user-agent"')" '^"dynwatch-feeds/[0-9]'

before=$(stat -c '%i %Y' "$tmp/feeds/"*.txt)
: > "$log"
update
is "the same again is unchanged" "$code" 0
for name in $every; do is "$name: unchanged" "$(row $name)" "unchanged 100 100 0 0 0"; done
is "and the files are the same ones" "$(stat -c '%i %Y' "$tmp/feeds/"*.txt)" "$before"
is "what has an ETag was not sent again" "$(of etag .bytes)" 0
is "nor was what has a date" "$(of date .bytes)" 0
like "they were asked for with their marks" "$(asked /etag '."if-none-match"')$(asked /date '."if-modified-since"')" '"\\".*".*GMT"'

{ names a 11 100 && names b 1 5; } > "$www/list.txt"
touch -d '1 hour ago' "$www/list.txt"
chmod 640 "$tmp/feeds/date.txt"
update etag date
is "what has changed comes, of the feeds that are named" "$code $(jq -r '.feeds | length' "$tmp/out")" "0 2"
is "with what has come and gone" "$(row etag)" "updated 100 95 5 10 0"
ok "the file is the new one" cmp "$www/list.txt" "$tmp/feeds/date.txt"
is "with the mode of the old one" "$(stat -c %a "$tmp/feeds/date.txt")" 640

# --- what is not asked for with its marks ------------------------------------------------------
echo more.example >> "$tmp/feeds/etag.txt"
rm "$tmp/feeds/date.txt"
update etag date
is "a file that was edited is fetched anew" "$(row etag)" "updated 96 95 0 1 0"
is "so is one that is gone" "$(row date)" "updated - 95 95 0 0"
echo '{"version":1,"etag":7' > "$tmp/feeds/etag.txt.fetched"
update etag
is "marks that are damaged are no error" "$code $(row etag)" "0 unchanged 95 95 0 0 0"
like "they are named" "$(cat "$tmp/err")" 'etag.txt.fetched: .*; the whole file is fetched'
update etag
is "and were made anew" "$(of etag .bytes)" 0
sed -i 's|/etag/list.txt|/ok/list.txt|' "$yaml"
: > "$log"
update etag
is "marks of another URL are not used" "$(asked /ok '."if-none-match"')" null

# --- age ---------------------------------------------------------------------------------------
begin
feed aged /etag/list.txt 'max_age: 4h'
feed ageless /etag/list.txt
feed left /old/list.txt 'max_age: 7d'
update
touch -d '2 hours ago' "$tmp/feeds/aged.txt" "$tmp/feeds/ageless.txt"
update
is "an unchanged list is as new as a fetched one" "$(row aged) $(find "$tmp/feeds/aged.txt" -mmin -5 | wc -l)" "unchanged 95 95 0 0 0 1"
is "where no age is asked for it is left alone" "$(find "$tmp/feeds/ageless.txt" -mmin +100 | wc -l)" 1
like "a publisher who has given up is named" "$(cat "$tmp/err")" 'feed left: its publisher has not changed it for [0-9]+d.*; max_age is 7d'

# --- what must not take the place of a list ----------------------------------------------------
names a 1 100 > "$tmp/old.txt"
{ names a 1 20 && seq -f 'broken entry %g' 1 20; } > "$www/broken.txt"
names a 1 40 > "$www/short.txt"
printf '<!DOCTYPE html>\n<html><title>login</title></html>\n' > "$www/page.txt"
printf '# nothing today\n' > "$www/none.txt"
: > "$www/empty.txt"
names a 1 100 | tr '\n' ' ' | sed 's/ $//' > "$www/one-line.txt"
printf '{"list": ["a.example", ' > "$www/cut.json"
begin
refused="" # NAME=PATTERN of its reason
bad() { # NAME RESULT PATTERN URL [OPTION...]
  refused="$refused $1"
  printf -v "result_$1" '%s' "$2"
  printf -v "reason_$1" '%s' "$3"
  cp "$tmp/old.txt" "$tmp/feeds/$1.txt"
  feed "$1" "${@:4}"
}
rm -f "$tmp/feeds/"*
bad missing failed 'HTTP 404 Not Found' /status/404
bad error failed 'HTTP 500 Internal' /status/500
bad partial failed 'HTTP 206$' /status/206
bad refused failed 'onnect' http://127.0.0.1:1/list.txt
bad nohost failed 'esolve' http://feeds.invalid/list.txt
bad page kept '^a web page, not a list$' /ok/page.txt
bad empty kept '^empty$' /ok/empty.txt
bad none kept '^not one entry in it' /ok/none.txt
bad broken kept '20 of 40 entries are broken \(max_rejected: 25 %\)' /ok/broken.txt
bad short kept 'it shrank from 100 entries to 40 \(max_shrink: 50 %\); --force' /ok/short.txt
bad cutjson kept 'end of file|premature' /ok/cut.json 'format: misp'
bad cut failed '^cut off: ' /cut/list.txt
bad chunked failed '^cut off: ' /cut-chunked/list.txt
bad cutunsaid kept '^cut off: it ends within a line' /cut-unsaid/list.txt
bad gzipcut kept 'gzip data ends in the middle' /gzip-cut/list.txt
bad packedcut kept 'gzip data ends in the middle' /packed-cut/list.txt
bad gzipnot kept 'not gzip' /gzip-not/list.txt
bad brotli failed 'encoding that was not asked for \(br\)' /brotli/list.txt
bad bomb kept 'more than 1 MiB \(max_mb\)' /bomb/list.txt 'max_mb: 1'
bad packedbomb kept 'more than 1 MiB \(max_mb\)' /packed-bomb/list.txt 'max_mb: 1'
bad endless failed 'more than 1 MiB \(max_mb\)' /endless/list.txt 'max_mb: 1'
bad told failed 'more than 256 MiB \(max_mb\)' /told/list.txt
bad headers failed 'header|large' /headers/list.txt
bad junk failed 'HTTP|Invalid status line' /junk/list.txt
bad unasked failed 'HTTP 304$' /unasked-304/list.txt
bad loop failed 'redirected more than 5 times' /loop/1
bad tofile failed 'redirected to file://, which is no web server' "/to?file:///etc/passwd"
bad toftp failed 'redirected to ftp://h.example, which' "/to?ftp://h.example/x"
bad user failed 'redential|user|denied' "/to?http://me:secret@127.0.0.1:1/x"
bad slow failed 'not complete in time|too slow' /slow/list.txt 'timeout: 2s'
bad hang failed 'not complete in time' /hang/list.txt 'timeout: 1s'
update --jobs 16
is "what must not be used is told by the exit code" "$code" 1
for name in $refused; do
  result=result_$name reason=reason_$name
  is "$name: it is ${!result}" "$(of "$name" .result)" "${!result}"
  like "$name: with its reason" "$(of "$name" .reason)" "${!reason}"
  ok "$name: the old list is as it was" cmp "$tmp/old.txt" "$tmp/feeds/$name.txt"
done
is "nothing else is left in the folder" "$(files)" "$(printf '%s.txt\n' $refused | sort | xargs)"
is "two jobs or sixteen, each is told once" "$(jq '.feeds | length' "$tmp/out")" "$(echo $refused | wc -w)"

update --force short broken none
is "a list that shrank is taken when that is said" "$(row short)" "updated 100 40 0 60 0"
like "and it is told" "$(of short .reason)" 'it shrank .*; taken because of --force'
is "a broken or empty one is not" "$(of broken .result) $(of none .result) $code" "kept kept 1"
"$feeds" update -c "$yaml" broken page > "$tmp/table" 2> "$tmp/err"
like "the table says it for people" "$(tr -s ' ' < "$tmp/table")" '^broken kept 100 20 0 80 20 [0-9]+ [0-9.]+ 20 of 40 entries are broken'

rm -f "$tmp/feeds/"*
update page cut
is "without an old file nothing is kept" "$(of page .result) $(of cut .result) $(files)" "failed failed "

# --- keys --------------------------------------------------------------------------------------
serve other
other=http://127.0.0.1:$(cat "$tmp/other.port")
printf 's3cret-key\n' > "$tmp/key" && chmod 600 "$tmp/key"
printf 'wr0ng-key' > "$tmp/wrong" && chmod 600 "$tmp/wrong"
cp "$tmp/key" "$tmp/open" && chmod 640 "$tmp/open"
: > "$tmp/no-key" && chmod 600 "$tmp/no-key"
cp "$tmp/key" "$tmp/foreign" && chmod 600 "$tmp/foreign"
begin
feed key /key/list.txt 'auth_file: key'
feed misp /key/list.txt 'auth_file: key' 'auth_header: Authorization'
feed same "/to?$http/key/list.txt" 'auth_file: key'
feed elsewhere "/to?$other/key/list.txt" 'auth_file: key'
feed wrong /key/list.txt 'auth_file: wrong'
feed open /key/list.txt 'auth_file: open'
feed nokey /key/list.txt 'auth_file: no-key'
feed absent /key/list.txt 'auth_file: absent'
: > "$log"
update
like "a key that goes out unencrypted is warned of" "$(cat "$tmp/err")" 'feed key: the key of auth_file is sent unencrypted'
is "a key opens" "$(row key)" "updated - 95 95 0 0"
is "in the header that is asked for" "$(row misp)" "updated - 95 95 0 0"
is "a redirect on the same host has it, too" "$(row same)" "updated - 95 95 0 0"
is "another host does not get it" "$(of elsewhere .result) $(jq -r 'select(.headers.host == "'"${other#http://}"'") | .headers["auth-key"]' "$log")" "failed null"
like "the wrong one is refused" "$(of wrong .reason)" 'HTTP 403 Forbidden: is the key right'
like "one that others may read is not used" "$(of open .reason)" 'auth_file .*/open: group or others may'
like "nor one that is empty" "$(of nokey .reason)" 'its first line is empty'
like "nor one that is not there" "$(of absent .reason)" 'absent: No such file'
is "only feeds with a good key asked at all" "$(jq -r 'select(.target | startswith("/key")) | .headers["auth-key"] // .headers.authorization // "none"' "$log" | sort | uniq -c | xargs)" "1 none 3 s3cret-key 1 wr0ng-key"
is "no key is ever shown" "$(cat "$tmp/out" "$tmp/err" "$tmp/feeds/"* "$tmp/feeds/"*.fetched | grep -c -e s3cret -e wr0ng)" 0
if [ "$(id -u)" -eq 0 ]; then
  chown nobody "$tmp/foreign"
  sed -i 's/auth_file: wrong/auth_file: foreign/' "$yaml"
  update wrong
  like "nor is that of another user" "$(of wrong .reason)" 'foreign: belongs to another user'
fi

# --- https -------------------------------------------------------------------------------------
ca() { openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$1" -keyout "$tmp/$1.key" -out "$tmp/$1.pem" "${@:2}" 2> /dev/null; }
ca authority
openssl req -newkey rsa:2048 -nodes -subj /CN=127.0.0.1 -keyout "$tmp/server.key" -out "$tmp/server.csr" 2> /dev/null
openssl x509 -req -in "$tmp/server.csr" -CA "$tmp/authority.pem" -CAkey "$tmp/authority.key" -CAcreateserial -days 2 \
  -extfile <(echo subjectAltName=IP:127.0.0.1) -out "$tmp/server.pem" 2> /dev/null
serve tls "$tmp/server.pem" "$tmp/server.key"
https=https://127.0.0.1:$(cat "$tmp/tls.port")
begin
feed tls "$https/ok/list.txt"
feed name "${https/127.0.0.1/localhost}/ok/list.txt"
feed down "$https/to?$http/ok/list.txt"
feed up "/to?$https/ok/list.txt"
update
is "a server that nobody vouches for is refused" "$code $(of tls .result) $(of up .result)" "1 failed failed"
like "and why" "$(of tls .reason)" 'certificate|SSL'
SSL_CERT_FILE=$tmp/authority.pem update
is "one that the given authority vouches for is not" "$(row tls)" "updated - 95 95 0 0"
is "also where http leads to it" "$(row up)" "updated - 95 95 0 0"
like "but never under another name" "$(of name .reason)" 'certificate|SSL'
like "nor is https left for http" "$(of down .reason)" 'redirected from https to http://127.0.0.1'

# --- proxy -------------------------------------------------------------------------------------
begin
feed proxied http://feeds.test/ok/list.txt "proxy: \"http://me:pr0xy-key@${http#http://}\""
feed direct /ok/list.txt 'proxy: ""'
feed tunnel "$https/key/list.txt" 'auth_file: key' "proxy: \"$http\""
feed bent http://feeds.test/ok/list.txt 'proxy: "http://me:pr0xy-key@127.0.0.1:1"'
: > "$log"
SSL_CERT_FILE=$tmp/authority.pem http_proxy=http://127.0.0.1:1 update
is "a proxy is used" "$(row proxied) $(asked http://feeds.test .host)" 'updated - 95 95 0 0 "feeds.test"'
is "for https as well, and it does not see the key" "$(row tunnel) $(asked "${https#https://}" '["auth-key"]')" "updated - 95 95 0 0 null"
is "or not, whatever the environment says" "$(row direct)" "updated - 95 95 0 0"
is "one that is away is an error" "$(of bent .result)" failed
is "and its password is not shown" "$(cat "$tmp/out" "$tmp/err" | grep -c pr0xy)" 0
sed -i 's/, proxy: ""//' "$yaml"
http_proxy=http://127.0.0.1:1 update direct
is "without that the environment decides" "$(of direct .result)" failed

# --- two at once, and an end in the middle -----------------------------------------------------
begin
feed slow /hang/list.txt 'timeout: 15s'
feed quick /ok/list.txt
feed keyless /ok/list.txt 'auth_file: absent'
cp "$tmp/old.txt" "$tmp/feeds/slow.txt"
rm -f "$tmp/feeds/quick"*
before=$(files)
: > "$log"
"$feeds" update -c "$yaml" --json slow keyless > "$tmp/first" 2> "$tmp/first.err" &
first=$!
pids="$pids $first"
wait_for 10 grep -q /hang "$log"
update quick
is "two updates at once do not meet" "$code $(of quick .result)" "1 failed"
like "the second says so" "$(of quick .reason)" 'another update is at work'
kill -TERM "$first"
wait_for 10 jq -e . "$tmp/first"
wait "$first"
is "one that is ended says so" "$? $(jq -r '.feeds[0] | .result + " " + .reason' "$tmp/first")" "1 failed interrupted"
is "and leaves nothing behind" "$(files)" "$before"
ok "nor does it touch the old list" cmp "$tmp/old.txt" "$tmp/feeds/slow.txt"
: > "$log"
"$feeds" update -c "$yaml" slow > /dev/null 2>&1 &
first=$!
pids="$pids $first"
wait_for 10 grep -q /hang "$log"
kill -KILL "$first"
wait "$first" 2> /dev/null
is "not even one that is killed" "$(files)" "$before"
echo junk > "$tmp/feeds/quick.txt.new"
update quick
is "the next one goes on, over what a crash left" "$code $(row quick) $(find "$tmp/feeds" -name '*.new')" "0 updated - 95 95 0 0 "

# --- places ------------------------------------------------------------------------------------
mkdir "$tmp/real"
ln -sf "$tmp/real/list" "$tmp/feeds/link.txt"
cp "$tmp/old.txt" "$tmp/real/list"
begin
feed link /ok/list.txt
feed nowhere /ok/list.txt
sed -i 's|feeds/nowhere.txt|nowhere/at/all.txt|' "$yaml"
update
is "a link stays one, and what is behind it changes" "$(of link .result) $(readlink "$tmp/feeds/link.txt") $(cmp "$tmp/real/list" "$www/list.txt")" "updated $tmp/real/list "
like "a folder that is not there is said" "$(of nowhere .reason)" 'the folder of .*nowhere/at/all.txt: No such file'
if [ "$(id -u)" -eq 0 ]; then
  chown nobody "$tmp/real" && rm "$tmp/real/list"*
  cp "$tmp/old.txt" "$tmp/real/list" && chown nobody "$tmp/real/list"
  update link
  is "what root fetches stays its owner's" "$(stat -c %U "$tmp/real/list" "$tmp/real/list.fetched" "$tmp/real/.dynwatch-feeds.lock" | xargs)" "nobody nobody nobody"
fi

# --- the sensor has it -------------------------------------------------------------------------
begin
feed seen /ok/list.txt
like "a feed that was never fetched says who does it" "$("$dynwatch" check -c "$yaml" 2>&1)" \
  'feeds.yaml:2:24: feeds\[0\].path: .*seen.txt: No such file.*; `dynwatch-feeds update` fetches it'
update
like "the sensor's own reading knows the new names" "$("$dynwatch" lookup -c "$yaml" b3.example)" 'malicious, severity high, by seen'

# --- wrong usage -------------------------------------------------------------------------------
refuse() { # PATTERN ARGUMENT...
  "$feeds" update "${@:2}" > "$tmp/out" 2> "$tmp/err"
  is "usage: ${*:2}" "$? $(wc -c < "$tmp/out")" "2 0"
  like "and its reason" "$(cat "$tmp/err")" "$1"
}
printf '  - {name: own, path: feeds/own.txt, kind: malicious}\n' >> "$yaml"
refuse 'a configuration is needed'
refuse 'unknown option --jbs' --jbs
refuse 'takes 1 to 16' -c "$yaml" --jobs 17
refuse 'feeds.yaml:3:.* the feed own has no url' -c "$yaml" own
refuse 'there is no feed sene; did you mean seen' -c "$yaml" sene
refuse 'nowhere.yaml' -c "$tmp/nowhere.yaml"
begin && printf '  - {name: own, path: feeds/own.txt, kind: malicious}\n' >> "$yaml"
update
is "a configuration without any url is none" "$code $(cat "$tmp/out")" '0 {"dry_run":false,"feeds":[]}'
like "but it is said" "$(cat "$tmp/err")" 'no feed has a url'
done_testing
