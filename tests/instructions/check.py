"""Counts the instructions of malloc and free by callgrind, and fails where there are more than agreed.

    check.py VALGRIND LIBRARY PROGRAM

What a step costs is the difference between a long and a short run, loop and calls included. Lower a
limit when the code got shorter; raise one only with a measurement that says what it buys.
"""
import os
import re
import subprocess
import sys

# KIND: most instructions for one step, a few more than counted. (mimalloc 2.0.9 preloaded; glibc 2.36)
LIMITS = {
    "pair16": 105,  # 115; 139
    "pair48": 108,  # 116; 139
    "pair1000": 180,  # 158; 139
    "pair16384": 470,  # 264; 324
    "calloc48": 140,  # 142; 257
    "ring": 118,  # 80; 152
}
SHORT, LONG = 5_000, 25_000


def instructions(valgrind, library, program, kind, count):
    run = subprocess.run(
        [valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null", program, kind, str(count)],
        env=dict(os.environ, LD_PRELOAD=library), capture_output=True, text=True, timeout=120)
    found = re.search(r"Collected : (\d+)", run.stderr)
    if run.returncode or not found:
        sys.exit(f"callgrind failed:\n{run.stderr}")
    return int(found[1])


def main():
    valgrind, library, program = sys.argv[1:]
    too_many = 0
    for kind, limit in LIMITS.items():
        counts = [instructions(valgrind, library, program, kind, count) for count in (SHORT, LONG)]
        step = round((counts[1] - counts[0]) / (LONG - SHORT))
        print(f"{kind:10} {step:4} instructions, at most {limit}")
        too_many += step > limit
    sys.exit(1 if too_many else 0)


if __name__ == "__main__":
    main()
