"""Programs that read and write text, data and archives."""
import inputs
from program import WORKLOADS, row, steps


def archive(*lines):
    """Packs, tests and unpacks a tree of files."""
    def workload(session):
        inputs.tree(session.directory / "tree", 150)
        steps(*lines, given="text.txt", ignored="*.tar* *.7z *.zip",
              mask=r"^(Date|Modified|Created).*|[0-9]{4}-[0-9-]+ [0-9:]+|Archives with.*|"
                   r"^p7zip.*|^64-bit.*|.*cpu.*|.*CPU.*|.*Size = .*|.*bytes.*|Compressed: .*")(session)
    return workload


def tar(compressor):
    """--sort and --mtime: the archive is the same every time, so that its digest can be compared."""
    name = f"out.tar.{compressor.split()[0]}"
    workload = steps(
        f"tar --sort=name --mtime=@0 --owner=0 --group=0 -I '{compressor}' -cf {name} tree text.txt",
        f"tar -I '{compressor.split()[0]}' -xf {name} --one-top-level=copy",
        f"tar -I '{compressor.split()[0]}' -df {name} --warning=no-timestamp", "diff -r tree copy/tree",
        given="text.txt", mask=".*(Mod time|Uid|Gid|Mode) differs.*\n|tar: .*time.*\n")

    def with_tree(session):
        inputs.tree(session.directory / "tree", 100)
        workload(session)
    return with_tree


COMPRESSORS = [
    row(f"tar -I '{command}'", f"{package} tar", tar(command), f"/usr/bin/{command.split()[0]}", **more)
    for command, package, more in (
        ("gzip -9n", "gzip", {"collections": 1}), ("bzip2 -9", "bzip2", {"collections": 3}),
        ("xz -T2", "xz-utils", {}), ("zstd -T2", "zstd", {}), ("lz4 -9", "lz4", {"collections": 3}),
        ("brotli -q 8", "brotli", {}))
]

VIM = ("vim -u NONE -i NONE -es -N -c 'set nomore' -c '%s/\\v(\\w+) (\\w+)/\\2 \\1/g' -c 'g/heap/m0' -c 'sort u' "
       "-c 'let l = map(getline(1, \"$\"), {i, s -> i . \":\" . toupper(s)}) | call setline(1, l)' "
       "-c 'normal gg=G' -c 'w! out.txt' -c 'qa!' short.txt")
EMACS = ("emacs-nox -Q --batch short.txt --eval '(progn (while (re-search-forward \"heap\" nil t) "
         "(replace-match \"HEAP\")) (sort-lines nil (point-min) (point-max)) (fill-region (point-min) "
         "(point-max)) (garbage-collect) (let ((h (make-hash-table :test (quote equal)))) (dolist (w "
         "(split-string (buffer-string))) (puthash w (1+ (gethash w h 0)) h)) (message \"%d words\" "
         "(hash-table-count h))) (write-file \"out.txt\"))'")

PROGRAMS = COMPRESSORS + [
    row("7z", "p7zip-full", archive("7z a -mmt=2 out.7z tree text.txt", "7z t out.7z",
                                    "7z x -oseven out.7z"), threshold="1m", collections=3),
    row("zip", "zip unzip", archive("zip -q -r -9 out.zip tree text.txt", "unzip -q out.zip -d copy",
                                    "unzip -Z1 out.zip"), "/usr/bin/zip /usr/bin/unzip", collections=1),
    row("jq", "jq", steps(
        "jq -S . data.json", "jq 'group_by(.price % 17) | map({k: (.[0].price % 17), n: length})' data.json",
        "jq -r '.[] | [.id, .name, (.tags | join(\"+\")), .nested.x] | @csv' data.json",
        "jq '[.[] | .name | ascii_upcase | gsub(\"O\"; \"0\")] | unique' data.json", given="data.json"),
        threshold="2m"),
    row("xmllint", "libxml2-utils", steps(
        "xmllint --format data.xml", "xmllint --xpath 'sum(//item[@kind=\"heap\"]/price)' data.xml",
        "xmllint --html --xmlout page.html", given="data.xml page.html"), threshold="512k"),
    row("xsltproc", "xsltproc", steps("xsltproc style.xsl data.xml", given="data.xml style.xsl"),
        threshold="512k"),
    row("tidy", "tidy", steps("tidy -q -indent page.html", given="page.html"), threshold="128k"),
    row("pandoc", "pandoc", steps("pandoc -s --toc book.md -o book.html", "pandoc book.md -t latex",
                                  "pandoc book.md -t docx -o book.docx", given="book.md",
                                  ignored="*.docx"), collections=1),
    row("vim", "vim", steps(VIM, given="short.txt"), threshold="256k"),
    row("emacs", "emacs-nox", steps(EMACS, given="short.txt"), "/usr/bin/emacs-nox", threshold="512k"),
    row("sort", "coreutils", steps(
        "sort -k3,3 -k2,2n numbers.txt", "sort -R --random-source=numbers.txt numbers.txt",
        "sort -n -u --parallel=2 -S 1M numbers.txt", "sort -c numbers.txt", given="numbers.txt"),
        collections=3),
    row("coreutils", "coreutils", steps(
        "uniq -c text.txt", "cut -d ' ' -f 2,4 text.txt", "tr a-z A-Z < text.txt", "fmt -w 50 text.txt",
        "factor 600851475143 18446744073709551617", "split -l 500 text.txt part.",
        "cp -r . ../copy", "ls -R --color=always", "sha256sum text.txt numbers.txt", "tac numbers.txt",
        "shuf --random-source=numbers.txt numbers.txt", "join text.txt text.txt", "tsort /dev/null",
        "pr -2 -D today text.txt", "comm text.txt numbers.txt", "od -An -tx1 text.txt", "rm -r ../copy",
        given="text.txt numbers.txt"), "/usr/bin/factor", collections=3),
    row("sed", "sed", steps(
        "sed -E 's/(heap|root) (\\w+)/\\2 \\1/g; /stack$/d; y/abc/xyz/' text.txt",
        "sed -n 'H;${x;s/\\n/,/g;p}' text.txt", "sed -E -e ':a' -e '$!N;s/\\n/ /;ta' short.txt",
        given="text.txt short.txt"), collections=3),
    row("grep", "grep", steps(
        "grep -nE '(heap|leak).*\\b(\\w+) \\2' text.txt", "grep -ciw -e sweep -e mark text.txt",
        "grep -oP '(?<=root )\\w+(?= stack)' text.txt", "grep -vF heap text.txt", "grep -rl leak .",
        given="text.txt"), collections=3),
    row("find", "findutils", steps(
        "find /usr/lib/python3.11 -xdev -type f -name '*.py' -size +1k -printf '%P %s\\n'",
        "find /usr/lib -xdev -regextype egrep -regex '.*/lib[a-m]+[.]so.*'", "xargs -n 40 echo < text.txt",
        given="text.txt"), collections=3),
    row("mawk", "mawk", steps(
        "mawk '{ n[$3] += $1; s[$3] = s[$3] substr($2, 3, 1) } END { for (w in n) print w, n[w], "
        "length(s[w]) | \"sort\" }' numbers.txt",
        "mawk '{ a[NR] = $0; gsub(/[aeiou]+/, \"<&>\"); print; split($0, p, \" \") } END { print "
        "length(a) }' text.txt", given="numbers.txt text.txt"), collections=3),
    row("original-awk", "original-awk", steps(
        "original-awk '{ n[$3] += $1; s[$3] = s[$3] substr($2, 3, 1) } END { for (w in n) print w, n[w], "
        "length(s[w]) | \"sort\" }' numbers.txt",
        "original-awk '{ gsub(/[aeiou]+/, \"<&>\"); print toupper($1), index($0, \"x\") }' text.txt",
        given="numbers.txt text.txt")),
    row("busybox", "busybox", steps(
        "busybox awk '{ n[$3]++ } END { for (w in n) print w, n[w] | \"busybox sort\" }' numbers.txt",
        "busybox sed 's/heap/HEAP/g' text.txt", "busybox sort -k2 numbers.txt", "busybox gzip -k text.txt",
        "busybox tar cf out.tar text.txt", "busybox ash -c 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); "
        "x=\"$x$i\"; x=${x#??????}; done; echo $x'", given="numbers.txt text.txt", ignored="out.tar"),
        collections=3),
    row("diff", "diffutils patch", steps(
        "!sh -c 'sed \"s/heap/HEAP/;s/^Lock.*//\" text.txt > new.txt'", "diff -u --label a --label b text.txt new.txt",
        "diff -y -W 80 text.txt new.txt", "diff -d -e text.txt numbers.txt",
        "!sh -c 'diff -u text.txt new.txt > change.patch'", "patch -o patched.txt text.txt change.patch",
        "cmp patched.txt new.txt", "diff3 text.txt new.txt patched.txt", "sdiff -s text.txt new.txt",
        given="text.txt numbers.txt", ignored="change.patch"), "/usr/bin/diff /usr/bin/patch",
        collections=3),
    row("file", "file", steps("file -z -k /usr/bin/jq /usr/bin/git /usr/share/perl /etc/passwd",
                              "file -i --mime-type text.txt", "sh -c 'file -b /usr/lib/x86_64-linux-gnu/lib*'",
                              given="text.txt"), collections=3),
    row("bc", "bc", steps("bc -l < " + str(WORKLOADS / "work.bc")), collections=3),
    row("dc", "dc", steps("dc -e '[la1+dsa*pla2000>y]sy 1sa 1 lyx' -e '2 9999^ p 3 2000^ 7 1000^ % p'"),
        collections=1),
    row("units", "units", steps("units -t '3 miles + 2 km' ft", "units -t '5 kWh/day' watts",
                                "units --check"), collections=3),
    row("m4", "m4", steps(f"m4 -DN=4000 {WORKLOADS}/work.m4")),
    row("gnuplot", "gnuplot-nox", steps(
        "gnuplot -e 'set term svg; set output \"out.svg\"; set samples 2000; splot sin(x*y), x**2-y**2'",
        "gnuplot -e 'set term dumb; set datafile separator \",\"; plot \"data.csv\" using 1:3 smooth bezier'",
        given="data.csv"), "/usr/bin/gnuplot"),
]
