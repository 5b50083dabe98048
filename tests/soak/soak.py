#!/usr/bin/python3
"""Redis and PostgreSQL under heaprake, under load, collected every second: soak.py --seconds N.

Redis answers to a model of its data; PostgreSQL's balances must add up. Resident memory may not grow once
the load is steady. Ends with 0 if all held.
"""
import argparse
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "programs"))
from databases import POSTGRES, RedisClient, as_owner  # noqa: E402
from harness import Figures, Session, free_port, fresh_directory, wait_for_port  # noqa: E402

GROWTH = 1.15  # of the medians of the last and the second quarter
SLACK_KIB = 16384


def tree_of(pid):
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid] + [member for child in children for member in tree_of(int(child))]


def resident_kib(pid):
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmRSS:\s+(\d+)", text)
    return int(found[1]) if found else 0


class Collector(threading.Thread):
    """Collects every process of a server once a second until stop()."""

    def __init__(self, heaprake, pid):
        super().__init__(daemon=True)
        self.heaprake, self.pid = heaprake, pid
        self.asked, self.refused, self.resident = 0, [], []
        self.ended = threading.Event()

    def run(self):
        while not self.ended.wait(1):
            members = tree_of(self.pid)
            for pid in members:
                done = subprocess.run([self.heaprake, "collect", str(pid)], capture_output=True, text=True,
                                      timeout=120)
                self.asked += 1
                # A process that has ended meanwhile is nobody's fault.
                if done.returncode != 0 and Path(f"/proc/{pid}").exists():
                    self.refused.append(done.stderr.strip())
            self.resident.append(resident_kib(self.pid))

    def stop(self):
        self.ended.set()
        self.join()

    def growth(self):
        quarter = len(self.resident) // 4
        if quarter == 0:
            return 1.0
        before = statistics.median(self.resident[quarter:2 * quarter])
        after = statistics.median(self.resident[-quarter:])
        return (after - SLACK_KIB) / before if after > before + SLACK_KIB else 1.0


def check_redis(client, model, key):
    got = client.call("get", key)
    want = model.get(key)
    if got != (None if want is None else want.encode()):
        raise SystemExit(f"redis: {key} is {got!r:.80}, not {want!r:.80}")


def load_redis(client, seconds):
    rng, model = random.Random(5), {}
    end, operations = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        for _ in range(200):
            key = f"key{rng.randrange(20000)}"
            kind = rng.randrange(4)
            if kind == 0:
                model[key] = chr(97 + rng.randrange(26)) * rng.randrange(1500)
                client.call("set", key, model[key])
            elif kind == 1:
                model[key] = model.get(key, "")[:3000] + "tail"
                client.call("set", key, model[key])
            elif kind == 2 and rng.randrange(4) == 0:
                client.call("del", key)
                model.pop(key, None)
            else:
                check_redis(client, model, key)
            operations += 1
    for key in model:
        check_redis(client, model, key)
    return operations


def soak_redis(session, heaprake, seconds):
    port = free_port()
    server = session.start("/usr/bin/redis-server", "--port", port, "--save", "", "--appendonly", "no", "--dir",
                           session.directory, "--io-threads", "2")
    if not wait_for_port(port, server):
        raise SystemExit("redis-server did not listen")
    collector = Collector(heaprake, server.pid)
    collector.start()
    client = RedisClient(port)
    noise = subprocess.Popen(["/usr/bin/redis-benchmark", "-p", str(port), "-q", "-l", "-c", "10", "-r", "5000", "-d",
                              "200", "-t", "lpush,lpop,sadd,spop,hset,zadd,zpopmin"], stdout=subprocess.DEVNULL)
    try:
        operations = load_redis(client, seconds)
    finally:
        noise.terminate()
        noise.wait()
        collector.stop()
    client.close()
    session.stop(server)
    return collector, f"{operations} operations checked"


def balances(session, login):
    query = ("select (select sum(abalance) from pgbench_accounts), (select sum(tbalance) from pgbench_tellers), "
             "(select sum(bbalance) from pgbench_branches), (select sum(delta) from pgbench_history), "
             "(select count(*) from pgbench_history)")
    done = session.run(POSTGRES + "psql", "-X", "-A", "-t", "-c", query, *login, native=True, record=False)
    return done.stdout.decode().strip().split("|")


def soak_postgres(session, heaprake, seconds):
    port, owner = str(free_port()), as_owner(session)
    session.run(*owner, POSTGRES + "initdb", "-D", "data", "-A", "trust", "-U", "a", "--no-sync", "--no-locale",
                record=False)
    server = session.start(*owner, POSTGRES + "postgres", "-D", "data", "-p", port, "-k", session.directory,
                           "-c", "fsync=off")
    if not wait_for_port(int(port), server):
        raise SystemExit("postgres did not listen")
    login = ["-h", "127.0.0.1", "-p", port, "-U", "a", "postgres"]
    for _ in range(240):
        ready = session.run(POSTGRES + "pg_isready", "-q", *login[:4], native=True, record=False)
        if ready.returncode == 0:
            break
        time.sleep(0.25)
    session.run(POSTGRES + "pgbench", "-q", "-i", "-s", "2", *login, native=True, record=False)
    collector = Collector(heaprake, server.pid)
    collector.start()
    load = subprocess.run([POSTGRES + "pgbench", "-n", "-c", "4", "-j", "2", "-T", str(int(seconds)), *login],
                          capture_output=True, text=True, env=session.environment(native=True))
    collector.stop()
    accounts, tellers, branches, history, count = balances(session, login)
    if load.returncode != 0 or not accounts == tellers == branches == history:
        raise SystemExit(f"postgres: {load.stderr.strip()!r}, balances {accounts} {tellers} {branches} {history}")
    session.stop(server)
    return collector, f"{count} transactions add up"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument("--seconds", type=float, default=60, help="for each server")
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    failed = False
    for name, soak in (("redis", soak_redis), ("PostgreSQL", soak_postgres)):
        with tempfile.TemporaryDirectory(prefix="heaprake-soak.", ignore_cleanup_errors=True) as place:
            Path(place).chmod(0o755)
            session = Session(fresh_directory(Path(place) / "work"), build / "libheaprake.so", "growth=0",
                              fresh_directory(Path(place) / "stats"))
            collector, done = soak(session, str(build / "heaprake"), arguments.seconds)
            figures = Figures.read(session.stats)
        growth = collector.growth()
        ended = [value for kind, what, value in session.seen if kind == "status" and what == "server"]
        bad = collector.refused or growth > GROWTH or ended != [0] or figures.collections < collector.asked / 2
        failed = failed or bool(bad)
        print(f"soak: {name}: {done}; {figures.collections} collections, {collector.asked} asked for, "
              f"{len(collector.refused)} refused, {figures.blocks} blocks reclaimed, growth x{growth:.2f}, "
              f"server ended with {ended}" + (f"; {collector.refused[0]}" if collector.refused else ""), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
