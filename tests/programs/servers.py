"""Servers under a load: the clients run natively, the server under heaprake."""
import hashlib
import os
import random
import signal
import socket
import threading
import urllib.request

from harness import free_port, wait_for_port


class RedisClient:
    """As much of the protocol as the workload speaks."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.file = self.socket.makefile("rb")

    def close(self):
        self.file.close()
        self.socket.close()

    def call(self, *words):
        self.send(*words)
        return self.receive()

    def send(self, *words):
        words = [str(word).encode() for word in words]
        self.socket.sendall(b"*%d\r\n" % len(words) + b"".join(
            b"$%d\r\n%s\r\n" % (len(word), word) for word in words))

    def receive(self):
        line = self.file.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"$":
            return None if rest == b"-1" else self.file.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return [self.receive() for _ in range(int(rest))]
        return rest if kind in (b"+", b"-") else int(rest)


def redis_commands(rng):
    for i in range(6000):
        key = f"key{rng.randrange(800)}"
        yield rng.choice([
            ("set", key, "v" * rng.randrange(2000)), ("get", key), ("append", key, "tail"),
            ("strlen", key), ("del", key), ("lpush", "l" + key, i, "x" * rng.randrange(300)),
            ("lrange", "l" + key, 0, 20), ("rpop", "l" + key), ("sadd", "s" + key, i, i + 1),
            ("scard", "s" + key), ("zadd", "z", i, key), ("zrange", "z", 0, 10),
            ("hset", "h" + key, f"field{i}", i), ("hlen", "h" + key),
            ("eval", "return redis.call('strlen', KEYS[1]) + #ARGV[1]", 1, "k", "abc"),
        ])


def redis(session):
    port = free_port()
    server = session.start("/usr/bin/redis-server", "--port", port, "--save", "", "--appendonly",
                           "no", "--dir", session.directory, "--io-threads", "2")
    if not wait_for_port(port, server):
        session.observe("start", "redis-server", "did not listen")
    else:
        client = RedisClient(port)
        digest = hashlib.sha256()
        for command in redis_commands(random.Random(11)):
            digest.update(repr(client.call(*command)).encode())
        session.observe("replies", "redis-server", digest.hexdigest())
        load = session.run("/usr/bin/redis-benchmark", "-p", port, "-q", "-n", "20000", "-c", "20",
                           "-d", "100", "-t", "set,get,lpush,lpop,sadd,hset", native=True, record=False)
        session.observe("status", "redis-benchmark", load.returncode)
        session.observe("save", "redis-server", client.call("save"))  # by this process
        session.observe("bgsave", "redis-server", client.call("bgsave"))  # by a forked one
        session.observe("flush", "redis-server", client.call("flushall"))
        client.close()
    session.stop(server)


NGINX_CONFIGURATION = """
daemon off;
{user}
worker_processes 2;
pid {dir}/nginx.pid;
error_log {dir}/error.log notice;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
  gzip on; gzip_types text/plain; gzip_min_length 10;
  default_type text/plain;
  upstream self {{ server 127.0.0.1:{port}; keepalive 4; }}
  server {{
    listen 127.0.0.1:{port};
    root {dir}/www;
    location /proxy/ {{ proxy_pass http://self/; proxy_http_version 1.1; proxy_set_header Connection ""; }}
    location ~ ^/rewrite/(.*)$ {{ rewrite ^/rewrite/(.*)$ /$1 last; }}
    location /list/ {{ alias {dir}/www/; autoindex on; autoindex_format json; }}
  }}
}}
"""


def nginx_fetch(port, paths, digests, index):
    """Keeps no connection open; compressed and not, in turn."""
    digest = hashlib.sha256()
    for i, path in enumerate(paths):
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}")
        if i % 2:
            request.add_header("Accept-Encoding", "gzip")
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                digest.update(b"%d" % reply.status + reply.read())
        except urllib.error.HTTPError as error:
            digest.update(b"%d" % error.code)
        except OSError as error:
            digest.update(repr(error).encode())
    digests[index] = digest.hexdigest()


def nginx(session):
    port = free_port()
    www = session.directory / "www"
    www.mkdir()
    rng = random.Random(13)
    for i in range(20):
        path = www / f"page{i}.txt"
        path.write_text("".join(f"line {rng.random()}\n" for _ in range(rng.randrange(3000))))
        os.utime(path, (1_700_000_000, 1_700_000_000))
    (session.directory / "nginx.conf").write_text(NGINX_CONFIGURATION.format(
        dir=session.directory, port=port, user="user root;" if os.geteuid() == 0 else ""))
    server = session.start("/usr/sbin/nginx", "-p", session.directory, "-c", "nginx.conf")
    if not wait_for_port(port, server):
        session.observe("start", "nginx", "did not listen")
    else:
        paths = [f"/{prefix}page{rng.randrange(21)}.txt" for _ in range(60)
                 for prefix in ("", "proxy/", "rewrite/")] + ["/list/"] * 20
        digests = [None] * 4
        clients = [threading.Thread(target=nginx_fetch, args=(port, paths, digests, i))
                   for i in range(4)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        session.observe("bodies", "nginx", digests)
        load = session.run("/usr/bin/ab", "-q", "-k", "-n", "4000", "-c", "16",
                           f"http://127.0.0.1:{port}/proxy/page1.txt", native=True, record=False)
        failed = [line.split()[-1] for line in load.stdout.splitlines()
                  if line.startswith((b"Failed requests", b"Complete requests"))]
        session.observe("load", "nginx", failed)
        os.kill(server.pid, signal.SIGHUP)  # new workers; the old ones end when idle
        nginx_fetch(port, paths, digests, 0)
        session.observe("after reload", "nginx", digests[0])
    session.stop(server, signal.SIGQUIT)
