#!/usr/bin/env python3
"""Real programs, natively and under heaprake: the same output, the same exit status, collections
that happen, and no block condemned that the program used afterwards.

    run.py --build DIR [--short | --all] [--markdown FILE] [NAME...]
    run.py --packages

Passes: oracle (condemn instead of free, count what is later used), collect, poison (fill what is
reclaimed, never reuse it), and once with the options' defaults, for the time ratio.
Exit status: 0 if everything that is installed passed; --all wants everything installed.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from harness import Figures, Session, first_difference, fresh_directory  # noqa: E402
from programs import PROGRAMS, missing, packages  # noqa: E402

def run_pass(program, root, library, options, measure=False):
    """Returns (session, figures, seconds)."""
    # Every pass has the same path, since programs print it and sizes depend on its length.
    directory = fresh_directory(root / "work")
    stats = fresh_directory(root / "stats")
    session = Session(directory, library, options, stats, measure)
    start = time.monotonic()
    try:
        program.workload(session)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        session.observe("failure", program.name, f"{type(error).__name__}: {error}")
    return session, Figures.read(stats), time.monotonic() - start


def version_of(program):
    """The package's, as Debian numbers it, without what Debian adds."""
    result = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", program.packages[0]],
                            capture_output=True, text=True, check=False)
    return re.sub(r"^\d+:|[-+~].*", "", result.stdout) or "?"


def judge(program, root, library):
    """One row of the table, and a list of what is wrong."""
    native, _, _ = run_pass(program, root, library, None)
    base = f"threshold={program.threshold}:growth=0"
    passes = {
        "oracle": f"{base}:mode=oracle",
        "collect": base,
        "poison": f"{base}:poison=1",
        "defaults": "mode=collect",
    }
    problems, figures, seconds = [], {}, {}
    for name, options in passes.items():
        session, figures[name], seconds[name] = run_pass(program, root, library, options,
                                                         measure=name == "defaults")
        difference = first_difference(native.seen, session.seen)
        if difference:
            problems.append(f"{name}: {difference}")
        if name != "defaults" and figures[name].collections < program.collections:
            problems.append(f"{name}: only {figures[name].collections} collections")
    # Only now, when files and caches are as warm for the native run as for the others.
    warm, _, native_seconds = run_pass(program, root, library, None, measure=True)
    if difference := first_difference(native.seen, warm.seen):
        problems.append(f"native, a second time: {difference}")
    if figures["oracle"].mistakes:
        problems.append(f"oracle: {figures['oracle'].mistakes} mistakes")
    row = {
        "program": program.name,
        "version": version_of(program),
        "processes": figures["collect"].processes,
        "collections": sum(figures[name].collections for name in ("oracle", "collect", "poison")),
        "blocks": figures["collect"].blocks,
        "KiB": figures["collect"].bytes // 1024,
        "mistakes": figures["oracle"].mistakes,
        "time ratio": f"{seconds['defaults'] / native_seconds:.2f}",
        "memory ratio": f"{session.peak / warm.peak:.2f}" if warm.peak else "?",
        "result": "pass" + (f" ({program.remark})" if program.remark else "") if not problems else f"FAIL: {program.cause or problems[0]}",
    }
    return row, problems


def markdown(rows):
    names = list(rows[0])
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(str(row[name]) for name in names) + " |" for row in rows]
    return "\n".join(lines)


DOCUMENT = """# Programs that run unmodified under heaprake

Written by `tests/programs/run.py --all` (part of `scripts/heavy`) on Debian 12. Every program runs
natively and then with `libheaprake.so` preloaded, with thresholds so low that it collects all the
time: in oracle mode, collecting, and collecting with poison. Output, exit status and written files
are compared with the native run's.

- *collections*: in these three passes, over all processes; *processes*, *blocks*, *KiB*: reclaimed in
  the second, memory that the program itself had lost;
- *mistakes*: blocks that the collector called unreachable and the program used afterwards;
- *time ratio*, *memory ratio* (the fattest process): to native, with the options' defaults; one run.

{table}
"""


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--packages", action="store_true", help="print Debian's packages for --all")
    parser.add_argument("--build", default=Path("build"), type=Path, help="where libheaprake.so is")
    parser.add_argument("--short", action="store_true", help="only what ends soon")
    parser.add_argument("--all", action="store_true", help="what is not installed is a failure")
    parser.add_argument("--markdown", type=Path, help="write the table there, too")
    parser.add_argument("names", nargs="*", help="only these programs")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    if arguments.packages:
        print("\n".join(packages()))
        return
    library = (arguments.build / "libheaprake.so").resolve()
    if not library.exists():
        sys.exit(f"run.py: {library} does not exist: build first")
    chosen = [p for p in PROGRAMS if (not arguments.short or p.short)
              and (not arguments.names or p.name in arguments.names)]
    rows, failures = [], 0
    with tempfile.TemporaryDirectory(prefix="heaprake-programs-") as root:
        os.chmod(root, 0o755)
        for program in chosen:
            if absent := missing(program):
                print(f"{program.name}: not installed: {', '.join(absent)}", flush=True)
                failures += arguments.all
                continue
            row, problems = judge(program, Path(root), library)
            rows.append(row)
            failures += bool(problems)
            print(", ".join(f"{name} {value}" for name, value in row.items()), flush=True)
            for problem in problems:
                print(f"    {problem}", flush=True)
    if rows:
        print("\n" + markdown(rows))
    if rows and arguments.markdown:
        arguments.markdown.write_text(DOCUMENT.format(table=markdown(rows)))
    print(f"\nprograms: {len(rows) - failures if failures <= len(rows) else 0} passed, {failures} failed")
    sys.exit(1 if failures or not rows else 0)


if __name__ == "__main__":
    main()
