"""The real programs: what each needs, and what it is made to do.

A workload is a function of a Session. Everything that it observes (status, output, files) must be
the same under heaprake; so it prints no times, addresses or process ids.
"""
import random
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import servers

WORKLOADS = Path(__file__).resolve().parent / "workloads"


@dataclass
class Program:
    name: str
    needs: list  # executables
    version: list  # a command whose first line of output tells it
    workload: Callable
    short: bool = False  # part of the short suite
    threshold: str = "64k"  # larger for big heaps, so that a run ends: each collection scans it all


def script(interpreter, name, *arguments, env=None):
    def workload(session):
        session.run(interpreter, WORKLOADS / name, *arguments, env=env)
    return workload


def sqlite(session):
    session.run("/usr/bin/sqlite3", "work.db", stdin=(WORKLOADS / "work.sql").read_bytes())
    session.run("/usr/bin/sqlite3", "work.db", ".schema", "select count(*) from item")


GIT_IDENTITY = {
    "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org", "GIT_CONFIG_NOSYSTEM": "1",
}


def git(session):
    rng = random.Random(3)

    def call(*arguments, date=1_700_000_000):
        env = GIT_IDENTITY | {"GIT_AUTHOR_DATE": f"{date} +0000", "GIT_COMMITTER_DATE": f"{date} +0000"}
        session.run("/usr/bin/git", *arguments, env=env)

    call("init", "-q", "-b", "main")
    files = [session.directory / f"file{i}.txt" for i in range(12)]
    for commit in range(25):
        for path in rng.sample(files, 4):
            lines = path.read_text().splitlines() if path.exists() else []
            lines[rng.randrange(len(lines) + 1):0] = [f"line {rng.random()}" for _ in range(40)]
            path.write_text("\n".join(lines) + "\n")
        call("add", "-A")
        call("commit", "-q", "-m", f"Commit {commit}", date=1_700_000_000 + commit * 1000)
    call("checkout", "-q", "-b", "side", "HEAD~5")
    files[0].write_text("side\n")
    call("commit", "-q", "-a", "-m", "Side", date=1_700_100_000)
    call("merge", "-q", "-X", "ours", "-m", "Merge", "main", date=1_700_200_000)
    call("log", "-p", "--stat")
    call("log", "--graph", "--oneline", "--all")
    call("blame", "file3.txt")
    call("diff", "main~10", "main")
    call("grep", "-n", "line 0.1")
    call("repack", "-a", "-d", "-q")
    call("fsck", "--no-progress")
    call("rev-parse", "HEAD")


def c_source(functions):
    rng = random.Random(5)
    lines = ["#include <stdio.h>", "struct item { int key; double value; struct item *next; };"]
    for i in range(functions):
        lines += [
            f"static double f{i}(struct item *list, int n) {{",
            "  double sum = 0;",
            f"  for (int i = 0; i < n; ++i) {{",
            f"    if (list[i].key % {rng.randrange(2, 9)} == 1) sum += list[i].value * {rng.randrange(100)};",
            f"    else sum -= list[(i * {rng.randrange(1, 9)}) % n].value / {rng.randrange(1, 50)}.5;",
            "    switch (list[i].key & 3) {",
            f"      case 0: sum *= 1.{rng.randrange(100)}; break;",
            f"      case 1: sum += {rng.randrange(1000)}; break;",
            "      default: sum = -sum;",
            "    }",
            "  }",
            "  return sum;",
            "}",
        ]
    lines += ["int main(void) {", "  struct item list[4] = {{1, 2, 0}, {2, 3, 0}, {3, 4, 0}};",
              "  double sum = 0;"]
    lines += [f"  sum += f{i}(list, 4);" for i in range(functions)]
    lines += ['  printf("%.6g\\n", sum);', "  return 0;", "}"]
    return "\n".join(lines) + "\n"


def cxx_source(classes):
    rng = random.Random(6)
    lines = ["#include <algorithm>", "#include <map>", "#include <memory>", "#include <string>",
             "#include <vector>", "#include <cstdio>",
             "struct Base { virtual ~Base() = default; virtual int run(int) const = 0; };"]
    for i in range(classes):
        n = rng.randrange(1, 50)
        lines += [
            f"template <class T, int N> struct Box{i} {{",
            "  std::vector<T> items;",
            "  void fill() { for (int i = 0; i < N; ++i) items.push_back(static_cast<T>(i * N)); }",
            "  T sum() const { T s{}; for (const T& t : items) s += t; return s; }",
            "};",
            f"struct Class{i} : Base {{",
            f"  std::map<std::string, Box{i}<long, {n}>> boxes;",
            "  int run(int x) const override {",
            f"    Box{i}<int, {n}> box; box.fill();",
            "    std::sort(box.items.begin(), box.items.end(), [x](int a, int b) { return a % (x + 1) < b % (x + 1); });",
            "    return box.sum() + x;",
            "  }",
            "};",
        ]
    for i in range(classes * 24):  # plain code, which is compiled sooner
        lines += [
            f"static int plain{i}(const std::vector<int>& v) {{",
            f"  int sum = {rng.randrange(1000)};",
            f"  for (int x : v) sum = sum * {rng.randrange(2, 9)} + (x ^ {rng.randrange(1000)});",
            "  return sum;",
            "}",
            f"int (*const pointer{i})(const std::vector<int>&) = plain{i};",
        ]
    lines += ["int main() {", "  std::vector<std::unique_ptr<Base>> all;"]
    lines += [f"  all.push_back(std::make_unique<Class{i}>());" for i in range(classes)]
    lines += ["  int sum = 0;", "  for (auto& one : all) sum += one->run(3);",
              '  std::printf("%d\\n", sum);', "}"]
    return "\n".join(lines) + "\n"


def compiler(command, name, source, functions):
    def workload(session):
        (session.directory / name).write_text(source(functions))
        session.run(command, "-O1", "-g", "-S", "-o", "out.s", name)
        session.observe_file("out.s")
        session.run(command, "-O1", "-o", "program", "out.s")
        session.run("./program", native=True)
    return workload


CMAKE_PROJECT = """
cmake_minimum_required(VERSION 3.20)
project(work C)
set(sum 0)
foreach(i RANGE 1 3000)
  math(EXPR sum "(${sum} * 31 + ${i}) % 1000003")
  list(APPEND all "item${sum}")
  string(REGEX REPLACE "([0-9])([0-9])" "\\\\2\\\\1" swapped "item${sum}")
  set_property(GLOBAL APPEND PROPERTY swapped "${swapped}")
endforeach()
list(SORT all)
list(REMOVE_DUPLICATES all)
list(LENGTH all length)
get_property(swapped GLOBAL PROPERTY swapped)
string(SHA256 digest "${swapped};${all}")
message(STATUS "sum ${sum} length ${length} digest ${digest}")
foreach(i RANGE 1 150)
  file(WRITE ${CMAKE_BINARY_DIR}/gen${i}.c "int f${i}(void) { return ${i}; }\\n")
  add_library(lib${i} STATIC ${CMAKE_BINARY_DIR}/gen${i}.c)
endforeach()
"""


def cmake(session):
    (session.directory / "src").mkdir()
    (session.directory / "src/CMakeLists.txt").write_text(CMAKE_PROJECT)
    result = session.run("/usr/bin/cmake", "-S", "src", "-B", "out", "-G", "Unix Makefiles",
                         record=False)
    # All of its output but how long it took.
    lines = [line for line in result.stdout.splitlines() if b" done (" not in line]
    directory = str(session.directory).encode()
    session.observe("stdout", "cmake", b"\n".join(lines).replace(directory, b"DIR"))
    session.observe("stderr", "cmake", result.stderr)
    session.observe("status", "cmake", result.returncode)
    targets = session.run("/usr/bin/cmake", "--build", "out", "--target", "help", record=False)
    session.observe("stdout", "cmake --build", targets.stdout)


GDB_TARGET = """
#include <stdlib.h>
struct tree { struct tree *left, *right; int key; };
static struct tree *insert(struct tree *t, int key) {
  if (!t) { t = calloc(1, sizeof *t); t->key = key; return t; }
  if (key < t->key) t->left = insert(t->left, key); else t->right = insert(t->right, key);
  return t;
}
int main(void) {
  struct tree *root = 0;
  for (int i = 0; i < 200; ++i) root = insert(root, i * 7919 % 1009);
  return root->key + 3;
}
"""

GDB_COMMANDS = [
    "set confirm off", "set pagination off", "set width 0", "set print address off",
    "set debuginfod enabled off", "info functions insert", "ptype struct tree", "break insert if key > 1000",
    "run", "bt 3", "info locals", "print *t", "python print(sum(i * i for i in range(20000)))",
    "python print(len([gdb.parse_and_eval('%d + 1' % i) for i in range(2000)]))",
    "delete", "continue", "info line main", "list insert", "quit",
]


def gdb(session):
    (session.directory / "target.c").write_text(GDB_TARGET)
    session.run("/usr/bin/gcc", "-g", "-O0", "-o", "target", "target.c", native=True)
    argv = ["/usr/bin/gdb", "-q", "-batch", "-nx"]
    for command in GDB_COMMANDS:
        argv += ["-ex", command]
    result = session.run(*argv, "./target", record=False)
    session.observe("status", "gdb", result.returncode)
    # The process id changes from run to run.
    lines = [line for line in result.stdout.splitlines() if not line.startswith(b"[Inferior")]
    session.observe("stdout", "gdb", b"\n".join(lines))
    session.observe("stderr", "gdb", result.stderr)


PYTHON_MALLOC = {"PYTHONMALLOC": "malloc"}

PROGRAMS = [
    Program("python3", ["/usr/bin/python3"], ["/usr/bin/python3", "--version"],
            script("/usr/bin/python3", "work.py", "16"), short=True),
    Program("python3, every object by malloc", ["/usr/bin/python3"],
            ["/usr/bin/python3", "--version"],
            script("/usr/bin/python3", "work.py", "2", env=PYTHON_MALLOC), threshold="512k"),
    Program("perl", ["/usr/bin/perl"], ["/usr/bin/perl", "-e", "print \"perl $^V\\n\""],
            script("/usr/bin/perl", "work.pl"), short=True, threshold="1m"),
    Program("sqlite3", ["/usr/bin/sqlite3"], ["/usr/bin/sqlite3", "--version"], sqlite, short=True),
    Program("git", ["/usr/bin/git"], ["/usr/bin/git", "--version"], git, short=True),
    Program("gcc", ["/usr/bin/gcc"], ["/usr/bin/gcc", "--version"],
            compiler("/usr/bin/gcc", "work.c", c_source, 770), threshold="4m"),
    Program("g++", ["/usr/bin/g++"], ["/usr/bin/g++", "--version"],
            compiler("/usr/bin/g++", "work.cpp", cxx_source, 50), threshold="16m"),
    Program("bash", ["/usr/bin/bash"], ["/usr/bin/bash", "--version"],
            script("/usr/bin/bash", "work.sh"), short=True),
    Program("gawk", ["/usr/bin/gawk"], ["/usr/bin/gawk", "--version"],
            lambda s: s.run("/usr/bin/gawk", "-f", WORKLOADS / "work.awk"), short=True),
    Program("cmake", ["/usr/bin/cmake", "/usr/bin/make"], ["/usr/bin/cmake", "--version"], cmake,
            threshold="256k"),
    Program("gdb", ["/usr/bin/gdb", "/usr/bin/gcc"], ["/usr/bin/gdb", "--version"], gdb,
            threshold="1m"),
    Program("node", ["/usr/bin/node"], ["/usr/bin/node", "--version"],
            script("/usr/bin/node", "work.js"), threshold="256k"),
    Program("redis-server", ["/usr/bin/redis-server", "/usr/bin/redis-benchmark"],
            ["/usr/bin/redis-server", "--version"], servers.redis, threshold="256k"),
    Program("nginx", ["/usr/sbin/nginx", "/usr/bin/ab"], ["/usr/sbin/nginx", "-v"], servers.nginx),
]


def missing(program):
    return [path for path in program.needs if shutil.which(path) is None]
