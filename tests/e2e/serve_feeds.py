#!/usr/bin/env python3
"""A web server of feeds that is good or bad in the way that the path says.

  serve_feeds.py FOLDER PORT_FILE LOG [CERTIFICATE KEY]

Serves the files of FOLDER on a port of 127.0.0.1 that it writes into PORT_FILE, over TLS when there is a
certificate, and writes each request as a JSON line into LOG. It is a proxy, too.
Paths are /HOW/FILE; the method how_HOW says what happens. Every answer ends within 20 seconds.
"""
import email.utils
import gzip
import hashlib
import http.server
import json
import os
import select
import socket
import ssl
import sys
import threading
import time
import urllib.parse

folder, port_file, log_path = sys.argv[1:4]
log_lock = threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
  protocol_version = "HTTP/1.1"

  def log_message(self, *_):
    pass

  def head(self, status=200, **headers):
    self.send_response(status)
    for name, value in headers.items():
      self.send_header(name.replace("_", "-"), value)
    self.end_headers()

  def whole(self, body, status=200, **headers):
    self.head(status, Content_Length=len(body), **headers)
    self.wfile.write(body)

  def chunk(self, body):
    self.wfile.write(b"%x\r\n%s\r\n" % (len(body), body))

  def write_log(self):
    with log_lock, open(log_path, "a") as log:
      headers = {k.lower(): v for k, v in self.headers.items()}
      log.write(json.dumps({"target": self.path, "headers": headers}) + "\n")

  def do_CONNECT(self):
    """As a proxy of TLS: octets go both ways until either side ends."""
    self.write_log()
    self.close_connection = True
    host, port = self.path.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=5) as server:
      self.head()
      other = {self.connection: server, server: self.connection}
      end = time.monotonic() + 20
      while time.monotonic() < end:
        for side in select.select(list(other), [], [], 1)[0]:
          octets = side.recv(65536)
          if not octets:
            return
          other[side].sendall(octets)

  def do_GET(self):
    self.write_log()
    target = urllib.parse.urlsplit(self.path)
    _, how, name = (target.path + "//").split("/")[:3]
    path = os.path.join(folder, name)
    self.body = open(path, "rb").read() if name and os.path.isfile(path) else b""
    self.date = email.utils.formatdate(os.path.getmtime(path), usegmt=True) if self.body else ""
    self.query = target.query
    self.name = name
    self.close_connection = how not in ("ok", "etag", "date")
    try:
      getattr(self, "how_" + how.replace("-", "_"))()
    except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
      pass

  def how_ok(self):
    self.whole(self.body)

  def how_etag(self):
    tag = '"%s"' % hashlib.sha256(self.body).hexdigest()[:16]
    if self.headers.get("If-None-Match") == tag:
      self.head(304, ETag=tag)
    else:
      self.whole(self.body, ETag=tag)

  def how_date(self):
    if self.headers.get("If-Modified-Since") == self.date:
      self.head(304)
    else:
      self.whole(self.body, Last_Modified=self.date)

  def how_old(self):
    self.whole(self.body, Last_Modified="Mon, 01 Jan 2024 00:00:00 GMT")

  def how_gzip(self):
    assert "gzip" in self.headers["Accept-Encoding"]
    self.whole(gzip.compress(self.body, mtime=0), Content_Encoding="gzip")

  def how_gzip_cut(self):
    packed = gzip.compress(self.body, mtime=0)
    self.whole(packed[: len(packed) * 2 // 3], Content_Encoding="gzip")

  def how_gzip_not(self):
    self.whole(self.body, Content_Encoding="gzip")

  def how_brotli(self):
    self.whole(self.body, Content_Encoding="br")

  def how_bomb(self):
    self.whole(gzip.compress(b"\n" * (8 << 20)), Content_Encoding="gzip")

  def how_packed(self):
    """A file that is packed itself."""
    self.whole(gzip.compress(self.body, mtime=0))

  def how_packed_cut(self):
    packed = gzip.compress(self.body, mtime=0)
    self.whole(packed[: len(packed) * 2 // 3])

  def how_packed_bomb(self):
    self.whole(gzip.compress(b"\n" * (8 << 20)))

  def how_cut(self):
    self.head(Content_Length=len(self.body))
    self.wfile.write(self.body[: len(self.body) // 2])

  def how_cut_chunked(self):
    self.head(Transfer_Encoding="chunked")
    self.chunk(self.body[: len(self.body) // 2])

  def how_cut_unsaid(self):
    self.head(Connection="close")
    self.wfile.write(self.body[:-3])

  def how_unsaid(self):
    self.head(Connection="close")
    self.wfile.write(self.body)

  def how_status(self):
    self.whole(b"<html>sorry</html>", int(self.name))

  def how_unasked_304(self):
    self.head(304)

  def how_endless(self):
    self.head(Transfer_Encoding="chunked")
    for i in range(4096):
      self.chunk(b"".join(b"name%d-%d.example\n" % (i, k) for k in range(1000)))

  def how_headers(self):
    """A head that does not end."""
    self.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for i in range(1 << 20):
      self.wfile.write(b"X-%d: %s\r\n" % (i, b"x" * 1000))

  def how_junk(self):
    self.wfile.write(b"a.example\nb.example\n" * 1000)

  def how_told(self):
    """Says at once that it is too large."""
    self.head(Content_Length=1 << 40)

  def how_slow(self):
    self.head(Content_Length=len(self.body))
    for i in range(60):
      self.wfile.write(self.body[i : i + 1])
      self.wfile.flush()
      time.sleep(0.3)

  def how_hang(self):
    time.sleep(20)

  def how_loop(self):
    self.whole(b"", 302, Location="/loop/" + str(int(self.name or 0) + 1))

  def how_to(self):
    self.whole(b"", 302, Location=urllib.parse.unquote(self.query))

  def how_key(self):
    if "s3cret-key" in (self.headers.get("Auth-Key"), self.headers.get("Authorization")):
      self.whole(self.body)
    else:
      self.whole(b"your key %s is wrong" % self.headers.get("Auth-Key", "").encode(), 403)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
if len(sys.argv) > 4:
  context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
  context.load_cert_chain(sys.argv[4], sys.argv[5])
  server.socket = context.wrap_socket(server.socket, server_side=True)
with open(port_file + ".part", "w") as f:
  f.write(str(server.server_address[1]))
os.rename(port_file + ".part", port_file)
server.serve_forever()
