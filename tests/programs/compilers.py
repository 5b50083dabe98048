"""Compilers, linkers, what drives them, and a debugger."""
import random

from program import row, steps

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


# The name is no other function's, not even of a library that is preloaded.
GDB_TARGET = """
#include <stdlib.h>
struct tree { struct tree *left, *right; int key; };
static struct tree *plant_key(struct tree *t, int key) {
  if (!t) { t = calloc(1, sizeof *t); t->key = key; return t; }
  if (key < t->key) t->left = plant_key(t->left, key); else t->right = plant_key(t->right, key);
  return t;
}
int main(void) {
  struct tree *root = 0;
  for (int i = 0; i < 200; ++i) root = plant_key(root, i * 7919 % 1009);
  return root->key + 3;
}
"""

GDB_COMMANDS = [
    "set confirm off", "set pagination off", "set width 0", "set print address off",
    "set debuginfod enabled off", "info functions plant_key", "ptype struct tree", "break plant_key if key > 1000",
    "run", "bt 3", "info locals", "print *t", "python print(sum(i * i for i in range(20000)))",
    "python print(len([gdb.parse_and_eval('%d + 1' % i) for i in range(2000)]))",
    "delete", "continue", "info line main", "list plant_key", "quit",
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


def build(tool):
    """Generates a project of 60 files, and builds it."""
    def workload(session):
        rng = random.Random(8)
        names = [f"part{i}" for i in range(60)]
        for name in names:
            (session.directory / f"{name}.c").write_text(f"int {name}(int x) {{ return x + {rng.randrange(99)}; }}\n")
        (session.directory / "Makefile").write_text(
            "all := $(sort $(wildcard part*.c))\nlib.a: $(all:.c=.o)\n\tar rcD $@ $^\n%.o: %.c\n\tcc -c -o $@ $<\n"
            + "".join(f"x{i} := $(subst part,p{i},$(foreach f,$(all),$(f:.c=.{i})))\n" for i in range(300))
            + "show:\n\t@echo $(x299) $(words $(x7))\n")
        (session.directory / "build.ninja").write_text(
            "rule cc\n  command = cc -c -o $out $in\nrule ar\n  command = ar rcD $out $in\n"
            + "".join(f"build {name}.o: cc {name}.c\n" for name in names)
            + "build lib.a: ar " + " ".join(f"{name}.o" for name in names) + "\n"
            + "".join(f"build x{i}: phony {names[i % 60]}.o x{i - 1}\n" for i in range(1, 3000)))
        (session.directory / "x0").write_text("")
        steps(*tool, ignored=".ninja_*", mask="^#.*")(session)
    return workload


def generated(name, text, *lines, **more):
    return steps(*lines, written=((name, text),), **more)


RUST = """use std::collections::{BTreeMap, HashMap};
#[derive(Debug, Clone, PartialEq)] enum Shape { Circle(f64), Square(f64), Many(Vec<Shape>) }
trait Area { fn area(&self) -> f64; }
impl Area for Shape { fn area(&self) -> f64 { match self { Shape::Circle(r) => 3.0 * r * r,
  Shape::Square(a) => a * a, Shape::Many(v) => v.iter().map(|s| s.area()).sum() } } }
fn main() {
  let mut m: BTreeMap<String, Vec<Shape>> = BTreeMap::new();
  for i in 0..50 { m.entry(format!("k{}", i % 7)).or_default().push(Shape::Many(vec![Shape::Circle(i as f64); 3])); }
  let h: HashMap<_, f64> = m.iter().map(|(k, v)| (k.clone(), v.iter().map(|s| s.area()).sum())).collect();
  let mut all: Vec<_> = h.into_iter().collect(); all.sort_by(|a, b| a.partial_cmp(b).unwrap());
  println!("{:?} {:?}", all, Shape::Square(1.5));
}
"""
FORTRAN = """program work
  implicit none
  real(8) :: a(60, 60), b(60, 60)
  integer :: i
  call random_seed()
  a = reshape([(sin(real(i, 8)), i = 1, 3600)], [60, 60]); b = a
  do i = 1, 50
    b = matmul(a, transpose(b)) / maxval(abs(b))
  end do
  print '(f12.6)', sum(b) / 3600
end program
"""

PROGRAMS = [
    row("gcc", "gcc", compiler("/usr/bin/gcc", "work.c", c_source, 300), threshold="4m"),
    row("g++", "g++", compiler("/usr/bin/g++", "work.cpp", cxx_source, 15), threshold="16m"),
    row("gcc -O2 -flto", "gcc", generated("work.c", c_source(60), "gcc -O2 -flto=2 -o out work.c", "!./out", ignored="out"),
        "/usr/bin/gcc", threshold="4m"),
    row("clang", "clang", compiler("/usr/bin/clang", "work.c", c_source, 250), threshold="4m"),
    row("clang++ with lld", "clang lld", generated(
        "work.cpp", cxx_source(8), "clang++ -O1 -g -fuse-ld=lld -o out work.cpp", "clang++ -fsyntax-only "
        "-Wall work.cpp"), "/usr/bin/clang++ /usr/bin/ld.lld", threshold="8m"),
    row("gfortran", "gfortran", generated("work.f90", FORTRAN, "gfortran -O2 -o out work.f90", "!./out"), threshold="1m"),
    row("rustc", "rustc", generated("work.rs", RUST, "rustc -O -o out work.rs"), threshold="8m"),
    row("nasm", "nasm", steps("nasm -f elf64 -g -o out.o code.asm", given="code.asm"), threshold="512k"),
    row("as, ld, binutils", "binutils nasm", generated(
        "work.c", c_source(400), "!gcc -O0 -g -S work.c", "as -g -o work.o work.s", "ld -r -o two.o work.o",
        "ld -shared -o lib.so work.o", "objdump -d --no-show-raw-insn lib.so", "readelf -a lib.so", "nm -n lib.so",
        "objcopy --compress-debug-sections work.o small.o", "strip -o stripped.so lib.so", "ar rcD lib.a work.o two.o",
        "addr2line -e lib.so -f 0x1200 0x2300 0x3400"), "/usr/bin/as /usr/bin/ld", threshold="512k"),
    row("make", "make", build(["make -s -j2", "make show", "make -n -B"])),
    row("ninja", "ninja-build", build(["ninja -j1 lib.a", "ninja -t targets all", "ninja -t commands", "ninja -n x2999"]),
        "/usr/bin/ninja"),
    row("cmake", "cmake make", cmake, "/usr/bin/cmake /usr/bin/make", threshold="256k"),
    row("bison", "bison", steps("bison -o out.c -Wno-counterexamples --report=states,itemsets,lookaheads,solved grammar.y", given="grammar.y"), threshold="128k"),
    row("flex", "flex", steps("flex -o out.c scanner.l", "flex -Cf -o two.c scanner.l", given="scanner.l"), threshold="128k"),
    row("gdb", "gdb gcc", gdb, threshold="1m"),
]
