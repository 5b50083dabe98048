"""Interpreters and virtual machines, provers included."""
from program import WORKLOADS, Program, row, script, steps

PYTHON_MALLOC = {"PYTHONMALLOC": "malloc"}


def evaluated(*words, name, env=None):
    """An interpreter with options, and one of the scripts."""
    return steps(" ".join(words) + f" {WORKLOADS}/{name}", env=env)


PROGRAMS = [
    row("python3", "python3", script("/usr/bin/python3", "work.py", "16"), short=True, threshold="512k"),
    row("python3, every object by malloc", "python3", script("/usr/bin/python3", "work.py", "2", env=PYTHON_MALLOC),
        "/usr/bin/python3", threshold="512k"),
    row("python3, blocks held by ctypes", "python3", script("/usr/bin/python3", "handles.py"), "/usr/bin/python3",
        threshold="512k"),
    row("python3's own tests", "python3 libpython3.11-testsuite", steps(
        "sh -c '/usr/bin/python3 -m test test_json test_threading test_gc test_ctypes test_mmap test_pickle test_weakref "
        "test_struct test_queue test_subprocess > log 2>&1; echo $?; grep -e tests.OK -e result: log'", ignored="log"),
        "/usr/bin/python3", threshold="4m"),
    row("perl", "perl", script("/usr/bin/perl", "work.pl"), short=True, threshold="1m"),
    row("bash", "bash", script("/usr/bin/bash", "work.sh"), short=True),
    row("dash", "dash", script("/usr/bin/dash", "work.dash"), collections=1),
    row("gawk", "gawk", lambda s: s.run("/usr/bin/gawk", "-f", WORKLOADS / "work.awk"), short=True),
    row("node", "nodejs", script("/usr/bin/node", "work.js"), threshold="256k"),
    row("ruby", "ruby", script("/usr/bin/ruby", "work.rb"), threshold="1m"),
    row("ruby, blocks held by Fiddle", "ruby", script("/usr/bin/ruby", "fiddle.rb"), "/usr/bin/ruby", threshold="1m"),
    row("php", "php-cli", script("/usr/bin/php", "work.php")),
    row("php with opcache's JIT", "php-cli", evaluated(
        "php -d opcache.enable_cli=1 -d opcache.jit=tracing -d opcache.jit_buffer_size=16M", name="work.php"), "/usr/bin/php"),
    row("lua", "lua5.4", script("/usr/bin/lua5.4", "work.lua"), "/usr/bin/lua5.4", threshold="512k"),
    row("luajit", "luajit", script("/usr/bin/luajit", "work.lua"), collections=0),
    row("java", "openjdk-17-jre-headless", steps(f"java -Xmx256m {WORKLOADS}/Work.java"), threshold="2m"),
    row("guile", "guile-3.0", evaluated("guile --no-auto-compile", name="work.scm"), threshold="256k", collections=3),
    row("tclsh", "tcl8.6", script("/usr/bin/tclsh8.6", "work.tcl"), "/usr/bin/tclsh8.6", threshold="4m"),
    row("R", "r-base-core", evaluated("Rscript --vanilla", name="work.R"), "/usr/bin/Rscript", threshold="4m"),
    row("octave", "octave", evaluated("octave-cli --norc --quiet", name="work.m"), "/usr/bin/octave-cli", threshold="4m"),
    row("erl (BEAM)", "erlang-base", evaluated("escript", name="work.erl"), "/usr/bin/escript", collections=1),
    row("sbcl", "sbcl", evaluated("sbcl --script", name="work.lisp"), collections=0),
    row("sbcl, blocks held as integers", "sbcl", evaluated("sbcl --script", name="alien.lisp"), "/usr/bin/sbcl",
        collections=1),
    row("racket", "racket", evaluated("racket", name="work.rkt"), collections=1),
    row("raku (MoarVM)", "rakudo", evaluated("raku", name="work.raku"), "/usr/bin/raku", threshold="4m"),
    row("gforth", "gforth", steps("gforth -e ': fib dup 2 < if else dup 1- recurse swap 2 - recurse + then ; 27 fib . "
                                  ": f 3000 0 do i 64 * allocate throw free throw loop ; f f bye'"), collections=1),
    row("gp (PARI)", "pari-gp", evaluated("gp -q -f", name="work.gp"), "/usr/bin/gp", collections=1),
    row("swipl", "swi-prolog-nox", evaluated("swipl -q", name="work.prolog"), "/usr/bin/swipl", threshold="128k",
        collections=0,
        remark="reclaims nothing: libswipl keeps pointers as distances"),
    row("z3", "z3", evaluated("z3 -smt2", name="work.smt2"), threshold="256k"),
]
