"""The table of real programs, which is made of one table for each kind."""
import shutil

import compilers
import databases
import desktop
import documents
import interpreters
import servers
import system_tools
import text_tools

PROGRAMS = (interpreters.PROGRAMS + compilers.PROGRAMS + databases.PROGRAMS + servers.PROGRAMS
            + system_tools.PROGRAMS + text_tools.PROGRAMS + documents.PROGRAMS
            + desktop.PROGRAMS)

# What the harness itself uses.
PACKAGES = ["python3", "time", "util-linux", "valgrind"]


def missing(program):
    return [path for path in program.needs if shutil.which(path) is None]


def packages():
    """All that Debian must have installed for --all."""
    return sorted(set(PACKAGES).union(*(program.packages for program in PROGRAMS)))
