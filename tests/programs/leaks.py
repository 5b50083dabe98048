#!/usr/bin/env python3
"""Stock programs hunted: what heaprake calls lost, beside what valgrind does.

    leaks.py --build DIR [--markdown FILE] [NAME...]

Each program of the compatibility table that a short command shows runs natively, under `heaprake hunt` and
under `valgrind --leak-check=full`, one process of it. It must print the same and end the same; where the
lost blocks or bytes differ (valgrind: definitely and indirectly lost), a reason must be written down here.
Exit status: 0 if all did, and every difference has a reason.
"""
import argparse
import json
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import inputs  # noqa: E402
from harness import Session, fresh_directory  # noqa: E402
from programs import PROGRAMS, missing  # noqa: E402

PATIENCE = 60  # seconds under valgrind
CC1 = "/usr/lib/gcc/x86_64-linux-gnu/12"
C = "struct s { int a[3]; }; int f(struct s *p, int n) { int t = 0; for (int i = 0; i < n; i++) t += p->a[i % 3]; return t; }\n"
CXX = "template <class T> struct list { T v; list *n; }; int f(list<int> *l) { return l ? l->v + f(l->n) : 0; }\n"
ASM = ".globl f\nf:\n  lea 1(%rdi), %eax\n  ret\n"
WRITTEN = {
    "x.c": C, "x.cc": CXX, "x.s": ASM, "x.asm": "section .text\nglobal f\nf: mov eax, 1\n ret\n",
    "x.y": "%token N\n%%\ne: N | e '+' N;\n%%\n", "x.l": "%option noyywrap\n%%\n[a-z]+ { return 1; }\n%%\n",
    "x.smt2": "(declare-const a Int)\n(assert (and (> a 3) (< (* a a) 30)))\n(check-sat)\n(get-value (a))\n",
    "x.mk": "all: a b\na b:\n\t@:\n", "x.cmake": "set(l 1 2 3)\nlist(APPEND l 4)\nmessage(STATUS \"${l}\")\n",
    "build.ninja": "rule t\n  command = :\nbuild a: t\nbuild b: t a\n",
    "a.lua": "t = {} for i = 1, 99 do t[i] = tostring(i) end print(#table.concat(t))\n",
}
# Name of the compatibility table: a line of words, the inputs that it reads. `! line ; line` runs the first one
# natively before.
COMMANDS = {
    "python3": "python3 -S -c 'import json; print(json.dumps({str(i): [i] for i in range(9)}))'",
    "perl": "perl -e 'my %h = map { $_ => [1..9] } 1..99; print scalar(keys %h), qq(\\n); my $r; $r = \\$r'",
    "bash": "bash -c 'a=(1 2 3); f() { local x=${a[@]/2/4}; echo $x; }; f; [[ abc =~ b ]] && echo yes'",
    "dash": "dash -c 'x=1; f() { echo $x $#; }; f a b; for i in 1 2; do :; done'",
    "gawk": "gawk '{ n[$1]++ } END { for (w in n) c++; print c, toupper(\"a\") }' short.txt",
    "node": "node -e 'console.log([1, 2, 3].map(String).join())'",
    "ruby": "ruby --disable-gems -e 'puts (1..9).map { |i| i.to_s * 2 }.join'",
    "php": "php -n -r '$a = range(1, 99); usort($a, fn($x, $y) => $y - $x); echo json_encode(array_slice($a, 0, 3));'",
    "lua": "lua5.4 a.lua",
    "luajit": "luajit a.lua",
    "tclsh": "tclsh", "gp (PARI)": "gp -q -f", "z3": "z3 x.smt2",
    "gcc": f"{CC1}/cc1 -quiet -O2 x.c -o out.s",
    "g++": f"{CC1}/cc1plus -quiet -O2 x.cc -o out.s",
    "as, ld, binutils": "as x.s -o out.o",
    "nasm": "nasm -felf64 x.asm -o out.o",
    "make": "make -f x.mk", "ninja": "ninja", "cmake": "cmake -P x.cmake",
    "bison": "bison x.y -o out.c", "flex": "flex -o out.c x.l",
    "gdb": "gdb -nx -batch -ex 'print 6 * 7' -ex 'info line'",
    "sqlite3": "sqlite3 :memory: 'create table t(a, b); insert into t values (1, 2), (3, 4); select sum(a), max(b) from t;'",
    "git": "! git init -q . ; git -c user.name=A -c user.email=a@example.org commit -q --allow-empty -m one",
    "openssl": "openssl dgst -sha512 short.txt",
    "ssh-keygen": "ssh-keygen -l -f id.pub -E md5",
    "gpg": "gpg --batch --homedir . --no-tty --quiet --dearmor -o out.gpg short.txt",
    "curl": "curl -sS file:///etc/hostname",
    "rsync": "rsync -r --list-only short.txt",
    "subversion": "svn --version -q", "dig and named (BIND)": "named-checkzone example.org zone",
    "tar -I 'gzip -9n'": "gzip -9nc short.txt", "tar -I 'bzip2 -9'": "bzip2 -9c short.txt",
    "tar -I 'xz -T2'": "xz -1c short.txt", "tar -I 'zstd -T2'": "zstd -1qc short.txt",
    "tar -I 'lz4 -9'": "lz4 -qc short.txt", "tar -I 'brotli -q 8'": "brotli -q 4 -c short.txt",
    "zip": "zip -q -X - short.txt", "jq": "jq -c '[.[] | .id] | length' data.json",
    "xmllint": "xmllint --xpath 'count(//item)' data.xml", "xsltproc": "xsltproc --version",
    "tidy": "tidy -q --show-warnings no page.html",
    "vim": "vim -u NONE -i NONE -es -N -c '%s/heap/HEAP/g' -c 'w! out.txt' -c 'qa!' short.txt",
    "sort": "sort -u short.txt", "coreutils": "ls -la /etc/alternatives", "sed": "sed -n 's/heap/HEAP/gp' short.txt",
    "grep": "grep -nE 'heap (root|block)' short.txt", "find": "find /usr/share/doc -maxdepth 1 -name 'a*'",
    "mawk": "mawk '{ n[$1]++ } END { for (w in n) c++; print c }' short.txt",
    "original-awk": "original-awk '{ n[$1]++ } END { for (w in n) c++; print c }' short.txt",
    "diff": "diff short.txt /etc/hostname", "file": "file short.txt /bin/true",
    "bc": "bc -q", "dc": "dc -e '2 200 ^ p'", "units": "units -1 -t '6 feet' m", "m4": "m4 /etc/hostname",
    "qpdf": "qpdf --version", "flac": "flac --version", "sox": "sox -n -r 8000 out.wav synth 0.1 sine 440",
    "cwebp": "cwebp -version", "gnuplot": "gnuplot -e 'set terminal dumb; plot [0:1] x*x'",
    "dot (Graphviz)": "dot -Tplain small.dot", "convert (ImageMagick)": "convert -size 8x8 xc:red out.png",
    "ffmpeg": "ffmpeg -hide_banner -version", "doxygen": "doxygen -v",
}
GIVEN = "short.txt data.json data.xml page.html"
WRITTEN["zone"] = ("$TTL 300\n@ IN SOA ns hostmaster 1 3600 600 86400 300\n@ IN NS ns\nns IN A 127.0.0.1\n"
                   "$GENERATE 1-20 a$ IN A 10.0.0.$\n")
WRITTEN["id.pub"] = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8sR5YfQ0k0b1mKQvT1J0lNq3b2n0cE6yq7m5t4s3r2 c\n"
WRITTEN["small.dot"] = "digraph { a -> b -> c; a -> c }\n"

# Why the figures differ.
FONTS = "libfontconfig finds parts of its blocks by distances, which valgrind does not follow: to it they look lost"
REASONS = {
    "ruby": "the interpreter's stack of values, 1 MiB, leads to the rest. Valgrind finds a word that leads into its "
            "middle (\"possibly lost\"); here nothing outside does, once main has returned",
    "dot (Graphviz)": FONTS,
    "gdb": "a few of the lost strings, of seven to eleven bytes, are held by others of them: the end of a string and "
           "what the reused memory had behind it look like an address together. Valgrind does not reuse memory. How many "
           "depends on the environment's size",
}


class Hunted(Session):
    """One pass of one program under a tool's words."""

    tool = ()

    def run_tool(self, *argv):
        return super().run(*self.tool, *argv, record=False)


def in_session(root, tool, line):
    """The last command's result, of a directory with all inputs."""
    session = Hunted(fresh_directory(root / "work"), Path("/nowhere"), None, fresh_directory(root / "stats"))
    inputs.write(session.directory, GIVEN.split())
    for name, text in WRITTEN.items():
        (session.directory / name).write_text(text)
    before, _, line = line.rpartition(" ; ")
    if before:
        session.run(*shlex.split(before.lstrip("! ")), record=False)
    session.tool = tool
    return session.run_tool(*shlex.split(line))


def hunted(build, root, line):
    """(result, lost blocks, lost bytes, doubtful blocks)."""
    report = root / "report.json"
    report.unlink(missing_ok=True)
    words = (build / "heaprake", "hunt", "--exit-code=0", "--json", report, "--report", root / "text", "--force", "--")
    result = in_session(root, words, line)
    told = json.loads(report.read_text())
    if not told["complete"]:
        raise ValueError("incomplete: " + "; ".join(told["incomplete_because"]))
    summary = told["summary"]
    return result, summary["leaked_blocks"], summary["leaked_bytes"], summary["uncertain_blocks"]


def under_valgrind(root, line):
    """The same by valgrind: definitely and indirectly lost; possibly lost."""
    log = root / "valgrind.log"
    words = ("timeout", PATIENCE, "valgrind", "--leak-check=full", "--show-leak-kinds=none", "--undef-value-errors=no",
             "--child-silent-after-fork=yes", f"--log-file={log}")
    result = in_session(root, words, line)
    if result.returncode == 124:
        return None
    lost = {kind: (int(blocks.replace(",", "")), int(bytes_.replace(",", ""))) for kind, bytes_, blocks in re.findall(
        r"(definitely|indirectly|possibly) lost: ([\d,]+) bytes in ([\d,]+) blocks", log.read_text())}
    definitely, indirectly, possibly = (lost.get(kind, (0, 0)) for kind in ("definitely", "indirectly", "possibly"))
    return result, definitely[0] + indirectly[0], definitely[1] + indirectly[1], possibly[0]


def compare(name, build, root):
    """A row of the table, and what is wrong with it."""
    line = COMMANDS[name]
    problems = []
    native = in_session(root, (), line)
    ours = hunted(build, root, line)
    if (native.returncode, native.stdout) != (ours[0].returncode, ours[0].stdout):
        problems.append(f"status {native.returncode}, {ours[0].returncode} hunted; output {len(native.stdout)}, "
                        f"{len(ours[0].stdout)} bytes: {ours[0].stderr[-300:]!r}")
    theirs = under_valgrind(root, line)
    same = theirs is not None and ours[1:3] == theirs[1:3]
    reason = "" if same else REASONS.get(name, "")
    if not same and not reason:
        problems.append("the figures differ, and no reason is known")
    row = {"program": name, "command": f"`{line}`".replace("|", "\\|"),
           "lost, heaprake": f"{ours[1]:,} ({ours[2]:,})",
           "lost, valgrind": f"{theirs[1]:,} ({theirs[2]:,})" if theirs else f"longer than {PATIENCE} s",
           "doubtful": f"{ours[3]:,} / {theirs[3]:,}" if theirs else f"{ours[3]:,}",
           "difference": reason}
    return row, problems


DOCUMENT = """# Stock programs, hunted

Written by `tests/programs/leaks.py --markdown` on Debian 12: programs of the
[compatibility table](compatibility.md) with a short command each, under `heaprake hunt` and under
`valgrind --leak-check=full`. *Lost* is blocks (bytes), valgrind's definitely and indirectly lost together;
*doubtful* is what ours lists apart (held by the middle or by a dead frame) beside valgrind's possibly
lost. None crashed, and all printed the same as natively.

{same} of {all} agree to the byte.

{table}
"""


def markdown(rows):
    names = list(rows[0])
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    return "\n".join(lines + ["| " + " | ".join(row.values()) + " |" for row in rows])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=Path("build"), type=Path, help="where heaprake is")
    parser.add_argument("--markdown", type=Path, help="write the table there, too")
    parser.add_argument("names", nargs="*", help="only these programs")
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    installed = {program.name for program in PROGRAMS if not missing(program)}
    rows, failures = [], 0
    with tempfile.TemporaryDirectory(prefix="heaprake-leaks-") as root:
        for name in arguments.names or COMMANDS:
            if name not in installed:
                print(f"{name}: not installed", flush=True)
                continue
            try:
                row, problems = compare(name, build, Path(root))
            except (OSError, ValueError, subprocess.SubprocessError) as error:
                row, problems = None, [f"{type(error).__name__}: {error}"]
            rows += [row] if row else []
            failures += bool(problems)
            print(name, *(f"{key} {value}," for key, value in (row or {}).items() if key not in ("program", "command")),
                  *problems, flush=True)
    if rows and arguments.markdown:
        agree = sum(row["difference"] == "" for row in rows)
        arguments.markdown.write_text(DOCUMENT.format(table=markdown(rows), same=agree, all=len(rows)))
    print(f"programs: {len(rows)} hunted, {failures} failed")
    sys.exit(1 if failures or not rows else 0)


if __name__ == "__main__":
    main()
