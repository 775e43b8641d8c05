#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""tshark.py -- compare the DNS log of dynwatch with what tshark reads in the same captures.

    tshark.py [--accept] [--all] [--kept=FOLDER] DYNWATCH TABLE NAME=CAPTURE...

Messages of both sides are matched by time, addresses, ports, transport, id, direction and order;
those left over once more without the time. Of matched messages every field is compared: opcode,
flags, response code, question, VLAN ids, and of each record section, owner, type, class, TTL and
the address or name that it holds.

A difference is (capture, what), counted. TABLE holds the known ones, one a line: capture, what,
count, why, with tabs between; "86|85" where versions of tshark count differently. Prints TAP: one
check a capture; a difference without its row fails, as does a row without its difference (with
--all also a row of no capture here). --accept rewrites the counts that are not right for this
tshark, keeps the reasons that are there, and leaves '?' for those that somebody must find first
('?' fails, too).

What tshark read is kept in FOLDER for the next run, which is mostly another build's: it takes ten times
as long as all else.

What of a difference:
    only tshark: REASON     tshark has a message that the log has not; REASON as tshark shows it
    only dynwatch           the other way round
    FIELD                   both have it, and this field differs
"""
import collections
import functools
import hashlib
import json
import ipaddress
import os
import pickle
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

PORT = 53
COPY_NS = 10_000_000  # a mirror's second copy comes within this
SECTIONS = ("answers", "authority", "additional")
FLAGS = (("AA", 0x0400), ("TC", 0x0200), ("RD", 0x0100), ("RA", 0x0080), ("AD", 0x0020), ("CD", 0x0010))
# Record types whose data is compared: tshark's field, and which word of our text it is.
DATA = {
    1: ("dns.a", 0), 28: ("dns.aaaa", 0), 2: ("dns.ns", 0), 5: ("dns.cname", 0),
    12: ("dns.ptr.domain_name", 0), 15: ("dns.mx.mail_exchange", 1), 33: ("dns.srv.target", 3),
    6: ("dns.soa.mname", 0), 39: ("dns.dname", 0),
}
OPT = 41
SHOWN = "frame vlan ip ipv6 udp tcp dns _ws.malformed"

# The layers in which a packet may travel inside another, as tshark names them.
TUNNELS = ("gre", "erspan", "vxlan", "geneve", "gtp", "mpls", "pppoes", "tzsp", "ppp")


def mnemonics(path, macro):
    """Numbers of a .def table of sensor/dns by mnemonic: the log has the words."""
    with open(path, encoding="ascii") as table:
        rows = re.findall(r"^%s\((\w+), (\d+)" % macro, table.read(), re.M)
    return {name.replace("_", "-"): int(number) for name, number in rows}


TYPES = mnemonics("sensor/dns/types.def", "RRTYPE")
RCODES = mnemonics("sensor/dns/rcodes.def", "RCODE")
OPCODES = {"QUERY": 0, "IQUERY": 1, "STATUS": 2, "NOTIFY": 4, "UPDATE": 5, "DSO": 6}
CLASSES = {"IN": 1, "CH": 3, "HS": 4, "NONE": 254, "ANY": 255}


def number_of(text, table):
    """"A", "TYPE65280", "RCODE17" -> number."""
    if text is None:
        return None
    if text in table:
        return table[text]
    return int(re.sub(r"^[A-Z]+", "", text))


def folded(octets):
    """A name as text in lower case. What is no UTF-8 tshark shows as U+FFFD, so it is that here;
    but two octets for an ASCII character, which UTF-8 forbids, it takes for that character."""
    octets = re.sub(rb"[\xc0\xc1][\x80-\xbf]",
                    lambda pair: bytes([(pair[0][0] & 1) << 6 | pair[0][1] & 0x3f]), octets)
    return re.sub("\ufffd+", "\ufffd", octets.decode("utf-8", "replace")).lower()


def unescape(text):
    """A name of the log, its escapes undone."""
    def octet(match):
        word = match.group(1)
        return bytes([int(word)]) if word[:1].isdigit() else word
    return folded(re.sub(rb"\\([0-9]{3}|.)", octet, text.encode("ascii")))


# --- our side -------------------------------------------------------------------------------


def nanoseconds(text):
    """"2026-11-22T13:25:36.000000001Z" -> nanoseconds since 1970."""
    from datetime import datetime, timezone
    when = datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    return int(when.timestamp()) * 10**9 + int(text[20:29])


def our_data(number, text):
    """The address or name in a record's data; None where there is none to compare."""
    if number not in DATA or text == "" or text.startswith("\\#"):
        return None
    # The words are parted by spaces, and a name may hold an escaped one.
    words = re.findall(r"(?:\\[0-9]{3}|\\.|[^\\ ])+", text)
    if number in (1, 28):
        return str(ipaddress.ip_address(words[0]))
    place = DATA[number][1]
    return unescape(words[place]) if place < len(words) else None


def our_record(section, record):
    number = number_of(record["type"], TYPES)
    if number == OPT:
        return (section, number)
    return (section, unescape(record["name"]), number, number_of(record["class"], CLASSES),
            record["ttl"], our_data(number, record["data"]))


def our_message(line):
    m = json.loads(line)
    return {
        "ts": nanoseconds(m["ts"]),
        "key": (m["src"], m["sport"], m["dst"], m["dport"], m["proto"], m["id"], m["response"]),
        "vlan": m["vlan"],
        "opcode": number_of(m["opcode"], OPCODES),
        "rcode": number_of(m["rcode"], RCODES),
        "flags": m["flags"],
        "qname": None if m["qname"] is None else unescape(m["qname"]),
        "qtype": number_of(m["qtype"], TYPES),
        "qclass": number_of(m["qclass"], CLASSES),
        "records": [our_record(s, r) for s in SECTIONS for r in m[s]],
    }


def our_messages(dynwatch, capture, folder):
    """The DNS log of one capture, and the exit code."""
    log = os.path.join(folder, "dns")
    done = subprocess.run([dynwatch, "replay", "--alerts", os.devnull, "--dns-log", log,
                           "--progress", "never", capture],
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    if done.returncode not in (0, 3):
        raise RuntimeError("exit code %d: %s" % (done.returncode, done.stderr.decode()))
    with open(log, encoding="ascii") as lines:
        return [our_message(line) for line in lines]


# --- tshark's side --------------------------------------------------------------------------
#
# Its JSON keeps the order of layers and fields, and repeats keys: objects are lists of pairs.


def value_of(pairs, name):
    """The first value of this name; None without one."""
    return next((value for key, value in pairs if key == name), None)


def number(pairs, name):
    text = value_of(pairs, name)
    return None if text is None else int(text, 0)


def c_octet(match):
    word = match.group(1)
    if len(word) > 1:
        return chr(int(word, 8)) if word.isdigit() else chr(int(word[1:], 16))
    return dict(zip("abfnrtv", "\a\b\f\n\r\t\v")).get(word, word)


def tshark_name(text):
    if text is None:
        return None
    if text == "<Root>":
        return "."
    # Control octets are written as in C; a backslash is one.
    plain = re.sub(r"\\([0-7]{3}|u[0-9a-fA-F]{4}|[abfnrtv\\\"])", c_octet, text)
    return folded(plain.encode("utf-8", "surrogatepass"))


def tshark_data(pairs, type_number):
    if type_number not in DATA:
        return None
    text = value_of(pairs, DATA[type_number][0])
    if text is None:
        return None
    return str(ipaddress.ip_address(text)) if type_number in (1, 28) else tshark_name(text)


def tshark_record(pairs, section):
    type_number = number(pairs, "dns.resp.type")
    if type_number == OPT:
        return (section, OPT)
    owner = value_of(pairs, "dns.resp.name")
    if owner is None:  # SRV: in three parts
        owner = ".".join(value_of(pairs, "dns.srv." + part) or "" for part in ("service", "proto", "name"))
    return (section, tshark_name(owner), type_number, number(pairs, "dns.resp.class"),
            number(pairs, "dns.resp.ttl"), tshark_data(pairs, type_number))


def parts_of(dns, field):
    """The questions or records of a message: what stands two levels down and has this field."""
    return [part for _, section in dns if isinstance(section, list)
            for _, part in section if isinstance(part, list) and value_of(part, field) is not None]


def extended(parts):
    """The upper bits of the response code, from OPT."""
    opt = next((p for p in parts if number(p, "dns.resp.type") == OPT), None)
    return (number(opt, "dns.resp.ext_rcode") or 0) << 4 if opt else 0


def tshark_message(dns):
    flags = number(dns, "dns.flags")
    update = flags >> 11 & 15 == OPCODES["UPDATE"]
    names = ("prerequisites", "updates", "add_rr") if update else ("answers", "auth_rr", "add_rr")
    counts = [number(dns, "dns.count." + name) or 0 for name in names]
    sections = [s for s, count in zip(SECTIONS, counts) for _ in range(count)]
    parts = parts_of(dns, "dns.resp.type")
    question = (parts_of(dns, "dns.qry.type") or [[]])[0]
    return {
        "id": number(dns, "dns.id"),
        "response": bool(flags & 0x8000),
        "opcode": flags >> 11 & 15,
        "rcode": flags & 15 | extended(parts) if flags & 0x8000 else None,
        "flags": [name for name, bit in FLAGS if flags & bit],
        "qname": tshark_name(value_of(question, "dns.qry.name")),
        "qtype": number(question, "dns.qry.type"),
        "qclass": number(question, "dns.qry.class"),
        "records": [tshark_record(part, s) for part, s in zip(parts, sections)],
    }


def is_malformed(frame, message):
    """By tshark's own judgement, which for a name is what it shows in its place."""
    names = [message["qname"]] + [text for record in message["records"] for text in record[1:]]
    return value_of(frame, "_ws.malformed") or any(
        isinstance(name, str) and name.startswith("<") for name in names)


def reason_of(frame, message):
    """What is special about a message, in case only tshark has it."""
    about = value_of(frame, "frame")
    layers = value_of(about, "frame.protocols").split(":")
    before = layers[: layers.index("dns")]
    if is_malformed(frame, message):
        return "malformed"
    if number(about, "frame.cap_len") < number(about, "frame.len"):
        return "cut by the snapshot length"
    inside = [t for t in TUNNELS if t in before]
    if before.count("ip") + before.count("ipv6") > 1 and not inside:
        inside = ["ip in ip"]
    if inside:
        return "inside " + " ".join(inside)
    if any(key.endswith(".fragments") for ip in ("ip", "ipv6")
           for key, _ in value_of(frame, ip) or ()):
        return "in fragments"
    return "tcp" if "tcp" in before else "udp"


def tshark_frame(frame):
    """The messages of one frame that travel to or from the DNS port, each with its ends."""
    found, vlans, ip, ports, time = [], [], None, None, None
    for layer, pairs in frame:
        if layer == "frame":
            seconds, _, fraction = value_of(pairs, "frame.time_epoch").partition(".")
            time = int(seconds) * 10**9 + int(fraction.ljust(9, "0"))
            if "icmp" in value_of(pairs, "frame.protocols"):  # quotes a message: not one
                return []
        elif layer == "vlan":
            vlans.append(number(pairs, "vlan.id"))
        elif layer in ("ip", "ipv6"):
            ip = [str(ipaddress.ip_address(value_of(pairs, layer + end))) for end in (".src", ".dst")]
        elif layer in ("udp", "tcp"):
            ports = [number(pairs, layer + end) for end in (".srcport", ".dstport")] + [layer]
        elif layer == "dns" and ports and ip and PORT in ports and number(pairs, "dns.flags") is not None:
            message = tshark_message(pairs)
            message["ts"], message["vlan"], message["reason"] = time, vlans, reason_of(frame, message)
            message["key"] = (ip[0], ports[0], ip[1], ports[1], ports[2],
                              message["id"], message["response"])
            found.append(message)
    return found


def tshark_messages(capture):
    """One run; its output is taken packet by packet, since the whole of it can be large."""
    command = ["tshark", "-n", "-r", capture, "-Y", "dns", "-T", "json", "-J", SHOWN,
               "-o", "tcp.reassemble_out_of_order:TRUE"]
    found, packet = [], []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as tshark:
        for line in tshark.stdout:
            if line.startswith(b"  {"):
                packet = []
            packet.append(line)
            if line.startswith(b"  }"):
                text = b"".join(packet).rstrip().rstrip(b",").decode("utf-8", "replace")
                source = value_of(json.loads(text, object_pairs_hook=list), "_source")
                found += tshark_frame(value_of(source, "layers"))
    return found


@functools.cache
def tshark_version():
    return subprocess.run(["tshark", "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          check=True).stdout


def fingerprint(capture):
    """Of all that what tshark reads depends on: the capture, tshark, and this file."""
    digest = hashlib.sha256(tshark_version())
    for path in (__file__, capture):
        with open(path, "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def kept_tshark_messages(capture, folder):
    """tshark_messages, or what is kept of them."""
    if not folder:
        return tshark_messages(capture)
    path = os.path.join(folder, fingerprint(capture))
    try:
        with open(path, "rb") as file:
            return pickle.load(file)
    except FileNotFoundError:
        pass
    found = tshark_messages(capture)
    os.makedirs(folder, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
        pickle.dump(found, file)
    os.rename(file.name, path)
    return found


# --- comparing ------------------------------------------------------------------------------


def match(ours, theirs, key_of):
    """Pair messages of equal keys, in order; returns pairs and what is left of both."""
    waiting = collections.defaultdict(collections.deque)
    for message in ours:
        waiting[key_of(message)].append(message)
    pairs, left = [], []
    for message in theirs:
        queue = waiting.get(key_of(message))
        if queue:
            pairs.append((queue.popleft(), message))
        else:
            left.append(message)
    return pairs, [m for queue in waiting.values() for m in queue], left


def is_copy(message, pairs_by_key):
    """Was the same message matched just before?"""
    return any(abs(message["ts"] - other["ts"]) <= COPY_NS and message["records"] == other["records"]
               and message["qname"] == other["qname"] for other in pairs_by_key.get(message["key"], ()))


def differences(ours, theirs):
    """Counter of what differs, and one example of each."""
    count, example = collections.Counter(), {}

    def note(what, our, their):
        count[what] += 1
        example.setdefault(what, (our, their))

    pairs, ours, theirs = match(ours, theirs, lambda m: (m["ts"],) + m["key"])
    later, ours, theirs = match(ours, theirs, lambda m: m["key"])
    known = collections.defaultdict(list)
    for our, their in pairs + later:
        known[their["key"]].append(their)
        for field in ("ts", "vlan", "opcode", "rcode", "flags", "qname", "qtype", "qclass", "records"):
            if our[field] != their[field]:
                note(field, our[field], their[field])
    for message in theirs:
        reason = "copy" if is_copy(message, known) else message["reason"]
        note("only tshark: " + reason, None, message)
    for message in ours:
        note("only dynwatch", message, None)
    return count, example


def compare(dynwatch, capture, kept):
    with tempfile.TemporaryDirectory(prefix="dynwatch-tshark.") as folder:
        ours = our_messages(dynwatch, capture, folder)
    theirs = kept_tshark_messages(capture, kept)
    return len(ours), len(theirs), differences(ours, theirs)


# --- the table ------------------------------------------------------------------------------


def read_table(path):
    """(capture, what) -> ([count of one version of tshark...], why), and the comment lines at the top."""
    rows, head = {}, []
    with open(path, encoding="utf-8") as table:
        for line in table:
            if line.startswith("#"):
                head.append(line)
                continue
            capture, what, count, why = line.rstrip("\n").split("\t")
            rows[capture, what] = ([int(c) for c in count.split("|")], why)
    return rows, head


def shown(counts):
    return "|".join(str(count) for count in counts)


def write_table(path, rows, head):
    with open(path, "w", encoding="utf-8") as table:
        table.writelines(head)
        for (capture, what), (counts, why) in rows.items():
            table.write("%s\t%s\t%s\t%s\n" % (capture, what, shown(counts), why))


def report(number, name, found, rows):
    """One TAP line; what went wrong follows as comments."""
    our_count, their_count, (count, example) = found
    wrong = []
    for what in sorted(count):
        expected, why = rows.get((name, what), ([0], "?"))
        if count[what] not in expected or why == "?":
            wrong.append("%s: %d, the table has %s (%s)" % (what, count[what], shown(expected), why))
            wrong.append("  dynwatch: %.600s" % (example[what][0],))
            wrong.append("  tshark:   %.600s" % (example[what][1],))
    for (capture, what), (expected, _) in rows.items():
        if capture == name and what not in count:
            wrong.append("%s: none, the table has %s" % (what, shown(expected)))
    print("%s %d - %s: %d messages, tshark %d, %s" % (
        "not ok" if wrong else "ok", number, name, our_count, their_count,
        "%d explained differences" % sum(count.values()) if count else "all fields equal"))
    for line in wrong:
        print("# " + line, file=sys.stderr)
    sys.stdout.flush()


def main(arguments):
    accept, everything = "--accept" in arguments, "--all" in arguments
    kept = next((a.split("=", 1)[1] for a in arguments if a.startswith("--kept=")), None)
    dynwatch, path, *captures = [a for a in arguments if not a.startswith("--")]
    captures = dict(c.split("=", 1) for c in captures)
    rows, head = read_table(path)
    accepted = {row: value for row, value in rows.items() if row[0] not in captures}
    # Two at a time: tshark spends most of its time on reading its own tables.
    with ThreadPoolExecutor(max_workers=2) as pool:
        work = {name: pool.submit(compare, dynwatch, capture, kept) for name, capture in captures.items()}
        for number, (name, found) in enumerate(work.items(), 1):
            found = found.result()
            count = found[2][0]
            if accept:
                for what in sorted(count):
                    known, why = rows.get((name, what), ([], "?"))
                    accepted[name, what] = (known if count[what] in known else [count[what]], why)
                    rows[name, what] = accepted[name, what]
                rows = {row: v for row, v in rows.items() if row[0] != name or row[1] in count}
            report(number, name, found, rows)
    if everything:
        unknown = sorted({capture for capture, _ in rows if capture not in captures})
        print("%s %d - every row is of a capture that is there" % ("not ok" if unknown else "ok", number + 1))
        for capture in unknown:
            print("# no such capture: " + capture, file=sys.stderr)
    print("1..%d" % (len(captures) + everything))
    if accept:
        write_table(path, accepted, head)


if __name__ == "__main__":
    main(sys.argv[1:])
