"""Databases: the clients run natively, the server under heaprake."""
import hashlib
import os
import random
import re
import socket
import subprocess

from harness import free_port, wait_for_port
from program import WORKLOADS, row, steps


def sqlite(session):
    session.run("/usr/bin/sqlite3", "work.db", stdin=(WORKLOADS / "work.sql").read_bytes())
    session.run("/usr/bin/sqlite3", "work.db", ".schema", "select count(*) from item")


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
        load = session.run("/usr/bin/redis-benchmark", "-p", port, "-q", "-n", "3000", "-c", "20",
                           "-d", "100", "-t", "set,get,lpush,lpop,sadd,hset", native=True, record=False)
        session.observe("status", "redis-benchmark", load.returncode)
        session.observe("save", "redis-server", client.call("save"))  # by this process
        session.observe("bgsave", "redis-server", client.call("bgsave"))  # by a forked one
        session.observe("flush", "redis-server", client.call("flushall"))
        client.close()
    session.stop(server)


MEMCACHED_KEYS = 3000


def memcached(session):
    port = free_port()
    server = session.start("/usr/bin/memcached", "-l", "127.0.0.1", "-p", port, "-m", "8", "-t", "3",
                           *(["-u", "root"] if os.geteuid() == 0 else []))
    if not wait_for_port(port, server):
        session.observe("start", "memcached", "did not listen")
    digest, rng = hashlib.sha256(), random.Random(4)
    clients = [socket.create_connection(("127.0.0.1", port), timeout=60) for _ in range(20)]
    files = [client.makefile("rb") for client in clients]

    def reply(i, end):
        while True:
            line = files[i].readline()
            digest.update(line)
            if line.startswith(end) or not line:
                return
    for n in range(MEMCACHED_KEYS):
        i, value = n % 20, b"v" * rng.randrange(2000)
        clients[i].sendall(b"set k%d %d 0 %d\r\n%s\r\n" % (n % 900, n, len(value), value))
        reply(i, b"STORED")
        clients[i].sendall(b"get k%d k%d\r\n" % (rng.randrange(n + 1) % 900, n % 900))
        reply(i, b"END")
        if n % 7 == 0:
            clients[i].sendall(b"incr k1 3\r\n")
            reply(i, b"")
    session.observe("replies", "memcached", digest.hexdigest())
    for client in clients + files:
        client.close()
    session.stop(server)


def as_owner(session):
    """PostgreSQL does not run as root: the directories are another's, and so are the processes."""
    if os.geteuid() != 0:
        return []
    subprocess.run(["chown", "postgres", session.directory], check=True)
    session.stats.chmod(0o777)
    return ["/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]


POSTGRES = "/usr/lib/postgresql/15/bin/"


def postgres(session):
    """initdb, a server, pgbench natively and under us, psql, a dump, and a clean end."""
    port, owner = str(free_port()), as_owner(session)
    made = session.run(*owner, POSTGRES + "initdb", "-D", "data", "-A", "trust", "-U", "a", "--no-sync",
                       "--no-locale", "-E", "UTF8", record=False)
    session.observe("status", "initdb", made.returncode)
    server = session.start(*owner, POSTGRES + "postgres", "-D", "data", "-p", port, "-k", session.directory,
                           "-c", "fsync=off", "-c", "max_connections=20", "-c", "max_parallel_workers=2")
    if not wait_for_port(int(port), server):
        session.observe("start", "postgres", "did not listen")
    for _ in range(240):  # it listens before it lets anyone in
        ready = session.run(POSTGRES + "pg_isready", "-q", "-h", "127.0.0.1", "-p", port, native=True, record=False)
        if ready.returncode == 0 or server.poll() is not None:
            break
        session.run("/usr/bin/sleep", "0.25", native=True, record=False)
    login = ["-h", "127.0.0.1", "-p", port, "-U", "a", "postgres"]
    bench = session.run(POSTGRES + "pgbench", "-q", "-i", "-s", "1", *login, record=False)
    session.observe("status", "pgbench -i", bench.returncode)
    load = session.run(POSTGRES + "pgbench", "-n", "-c", "4", "-j", "2", "-t", "300", "--random-seed=4", *login,
                       record=False)
    session.observe("load", "pgbench", [line for line in load.stdout.splitlines() if b"number of" in line])
    session.run(POSTGRES + "psql", "-X", "-v", "ON_ERROR_STOP=1", *login, stdin=(WORKLOADS / "postgres.sql").read_bytes())
    session.run(POSTGRES + "pg_dump", "-t", "item", *login, mask=lambda text: re.sub(rb"\\(un)?restrict .*", b"", text))
    session.stop(server)


def mariadb(session):
    """The embedded start-up of --bootstrap is run by one process; then a server on a socket."""
    user = ["--user=root"] if os.geteuid() == 0 else []
    base = ["--no-defaults", f"--datadir={session.directory}/data", f"--socket={session.directory}/s",
            "--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M", "--innodb-flush-log-at-trx-commit=0"]
    (session.directory / "data/mysql").mkdir(parents=True)
    made = session.run("/usr/sbin/mariadbd", *base, *user, "--bootstrap", record=False,
                       stdin=b"create database if not exists work;\n")
    session.observe("status", "mariadbd --bootstrap", made.returncode)
    server = session.start("/usr/sbin/mariadbd", *base, *user, "--skip-grant-tables", "--skip-networking",
                           f"--pid-file={session.directory}/pid")
    call = ["/usr/bin/mariadb", "--no-defaults", f"--socket={session.directory}/s", "-t"]
    for _ in range(240):
        if server.poll() is not None or session.run(*call, "-e", "select 1", native=True, record=False).returncode == 0:
            break
        session.run("/usr/bin/sleep", "0.25", native=True, record=False)
    session.run(*call, "work", stdin=(WORKLOADS / "mariadb.sql").read_bytes())
    session.stop(server)


PROGRAMS = [
    row("sqlite3", "sqlite3", sqlite, short=True),
    row("sqlite3, full text", "sqlite3", steps(f"sqlite3 fts.db < {WORKLOADS}/fts.sql", "sqlite3 fts.db .dump"),
        "/usr/bin/sqlite3"),
    row("redis-server", "redis-server redis-tools", redis, "/usr/bin/redis-server /usr/bin/redis-benchmark",
        threshold="256k"),
    row("memcached", "memcached", memcached, collections=3),
    row("PostgreSQL, pgbench, psql", "postgresql-15 postgresql-client-15", postgres, POSTGRES + "postgres",
        threshold="1m"),
    row("mariadbd", "mariadb-server-core mariadb-client-core", mariadb, "/usr/sbin/mariadbd /usr/bin/mariadb",
        threshold="1m"),
]
