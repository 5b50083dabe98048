"""Runs commands natively or under heaprake, and reads what the library says about each process.

A Session is one pass of one program: its own empty directory, its own environment, and the
statistics of every process that ran in it.
"""
import fnmatch
import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

TIMEOUT = 600  # seconds for one command; a hang is a failure, not a measurement
TIME = "/usr/bin/time"


@dataclass
class Figures:
    """What the library reported, summed over all processes of a pass."""

    processes: int = 0
    collections: int = 0
    blocks: int = 0
    bytes: int = 0
    mistakes: int = 0

    @staticmethod
    def read(directory):
        total = Figures()
        for path in directory.glob("stats.*"):
            text = path.read_text(errors="replace")
            summary = re.match(
                r"heaprake: (\d+) collections, (\d+) blocks \((\d+) bytes\) reclaimed", text)
            if summary is None:
                continue
            total.processes += 1
            total.collections += int(summary[1])
            total.blocks += int(summary[2])
            total.bytes += int(summary[3])
            oracle = re.search(r"^heaprake: oracle: (\d+) mistakes", text, re.MULTILINE)
            total.mistakes += int(oracle[1]) if oracle else 0
        return total


@dataclass
class Session:
    """One pass. `options` is None for a native one. What a workload observes goes to `seen`."""

    directory: Path
    library: Path
    options: str | None
    stats: Path
    measure: bool = False  # also find `peak`; costs a process for each command
    seen: list = field(default_factory=list)
    peak: int = 0  # KiB, resident, of the fattest process so far

    def environment(self, extra=None, native=False):
        env = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(self.directory), "LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "0",
            "TERM": "dumb", "SOURCE_DATE_EPOCH": "1700000000",
        }
        if self.options is not None and not native:
            env["LD_PRELOAD"] = str(self.library)
            env["HEAPRAKE_OPTIONS"] = f"{self.options}:stats={self.stats}/stats.%p"
        env.update(extra or {})
        return env

    def run(self, *argv, stdin=None, env=None, native=False, record=True, mask=lambda text: text):
        """Runs a command to its end; records exit status and both streams."""
        argv = [str(a) for a in argv]
        peak = self.stats / "peak"
        measured = self.measure and not native and os.path.exists(TIME)
        prefix = [TIME, "-q", "-f", "%M", "-o", str(peak)] if measured else []
        # A session of its own, so that a hang can be ended with all its children.
        process = subprocess.Popen(
            prefix + argv, cwd=self.directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            env=self.environment(env, native), start_new_session=True)
        try:
            stdout, stderr = process.communicate(stdin, timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise
        if measured and peak.exists():
            self.peak = max(self.peak, int(peak.read_text().split()[-1]))
        result = subprocess.CompletedProcess(argv, process.returncode, stdout, stderr)
        if record:
            self.observe("status", argv[0], result.returncode)
            self.observe("stdout", argv[0], mask(result.stdout))
            self.observe("stderr", argv[0], mask(result.stderr))
        return result

    def start(self, *argv, env=None):
        """Starts a server; stop() ends it."""
        with open(self.directory / "server.log", "wb") as log:
            return subprocess.Popen(
                [str(a) for a in argv], cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, env=self.environment(env),
                start_new_session=True)  # some end their process group

    def stop(self, server, sig=signal.SIGTERM, expected=0):
        self.peak = max(self.peak, peak_of_tree(server.pid))
        server.send_signal(sig)
        try:
            status = server.wait(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()
            status = "did not end"
        self.observe("status", "server", status)
        if status != expected:
            self.observe("log", "server", (self.directory / "server.log").read_bytes())

    def observe(self, kind, name, value):
        self.seen.append((kind, str(name), value))

    def observe_file(self, name, mask=lambda text: text):
        path = self.directory / name
        digest = hashlib.sha256(mask(path.read_bytes())).hexdigest() if path.exists() else "missing"
        self.observe("file", name, digest)

    def observe_files(self, ignored=(), mask=lambda text: text):
        """All that there are, but those whose path matches one of the patterns."""
        for path in sorted(self.directory.rglob("*")):
            name = str(path.relative_to(self.directory))
            if path.is_file() and not any(fnmatch.fnmatch(name, p) for p in ignored):
                self.observe_file(name, mask)


def peak_of_tree(pid):
    """KiB, resident, of the fattest process among pid and its descendants."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0
    own = re.search(r"VmHWM:\s+(\d+)", text)
    return max([int(own[1]) if own else 0] + [peak_of_tree(child) for child in children])


def wait_for_port(port, server):
    """Until something listens; False if the server ended before."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return True
        except OSError:
            time.sleep(0.05)
    return False


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def first_difference(native, ours):
    """One line that says how two lists of observations differ; empty if they do not."""
    for left, right in zip(native, ours):
        if left == right:
            continue
        kind, name, value = right
        if isinstance(value, bytes):
            old, new = left[2].splitlines(), value.splitlines()
            for a, b in zip(old + [b"(end)"], new + [b"(end)"]):
                if a != b:
                    return f"{kind} of {name}: {a[:160]!r} natively, {b[:160]!r} here"
        return f"{kind} of {name}: {left[2]!r:.160} natively, {value!r:.160} here"
    if len(native) != len(ours):
        return f"{len(native)} observations natively, {len(ours)} here"
    return ""


def fresh_directory(path):
    # A process of the pass before may still be writing there as it ends.
    for _ in range(50):
        shutil.rmtree(path, ignore_errors=True)
        if not path.exists():
            break
        time.sleep(0.1)
    os.makedirs(path)
    return path
