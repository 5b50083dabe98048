"""What a row of the table of real programs consists of, and the usual ways to write its workload.

A workload is a function of a Session. Everything that it observes (status, output, files) must be
the same under heaprake; so it prints no times, addresses or process ids.
"""
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import inputs

WORKLOADS = Path(__file__).resolve().parent / "workloads"


@dataclass
class Program:
    name: str
    packages: list  # of Debian; the first one's version is the program's
    needs: list  # executables
    workload: Callable
    short: bool = False  # part of the short suite
    threshold: str = "64k"  # larger for big heaps, so that a run ends: each collection scans it all
    collections: int = 10  # in each pass at least; fewer where little is allocated
    cause: str = ""  # why it fails; only of a failure that is known
    remark: str = ""  # on how it passes


def row(name, packages, workload, needs="", **more):
    """The usual row: strings are lists of words; what it needs is what it is called."""
    executables = needs.split() or ["/usr/bin/" + name]
    return Program(name, packages.split(), executables, workload, **more)


def script(interpreter, name, *arguments, env=None):
    def workload(session):
        session.run(interpreter, WORKLOADS / name, *arguments, env=env)
    return workload


def steps(*lines, given="", ignored="", mask="", env=None, written=()):
    """Runs lines of words, one after the other, and compares all that they print and write.

    `a b < c` reads the file c; a line that begins with ! runs natively and is not compared. `given`
    names inputs (inputs.py) that exist beforehand, `written` has (name, text) of others; `ignored` has patterns of files, and `mask` is a
    pattern of text, that differ from run to run.
    """
    def workload(session):
        def masked(text):
            return re.sub(mask.encode(), b"", text, flags=re.MULTILINE) if mask else text
        inputs.write(session.directory, given.split())
        for name, content in written:
            (session.directory / name).write_text(content.replace("DIR", str(session.directory)))
        for line in lines:
            native = line.startswith("!")
            words, source = re.fullmatch(r"!?(.*?)(?: < (\S+))?", line).groups()
            stdin = (session.directory / source).read_bytes() if source else None
            session.run(*shlex.split(words), stdin=stdin, env=env, native=native,
                        record=not native, mask=masked)
        session.observe_files(ignored.split(), masked)
    return workload
