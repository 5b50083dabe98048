"""Version control, keys, networks."""
import random

import inputs
from program import row, steps

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


# Under a tmux server of its own: a shell writes, and is told what to write by the command.
TMUX = "tmux -L heaprake -f /dev/null"
SVN = r"^(Checked out|Committed|Updated|Transmitting).*|.*(Date|UUID|Checksum).*|^r[0-9]+ .*"

NAMED = """options { directory "DIR"; listen-on port 17053 { 127.0.0.1; }; listen-on-v6 { none; };
  pid-file none; session-keyfile none; recursion no; dnssec-validation no; allow-transfer { any; }; };
controls { };
zone "example.org" { type primary; file "DIR/zone"; };
"""
ZONE = """$TTL 300
@ IN SOA ns hostmaster 1 3600 600 86400 300
@ IN NS ns
ns IN A 127.0.0.1
$GENERATE 1-200 a$ IN A 10.0.0.$
"""


def with_tree(workload, files=120):
    def run(session):
        inputs.tree(session.directory / "tree", files)
        workload(session)
    return run


PROGRAMS = [
    row("git", "git", git, short=True),
    row("openssl", "openssl", steps(
        "openssl genrsa -out key.pem 2048", "openssl req -new -x509 -key key.pem -subj /CN=a -days 9 -out cert.pem",
        "openssl x509 -in cert.pem -noout -subject -issuer", "openssl enc -aes-256-cbc -pbkdf2 -k x -nosalt "
        "-in text.txt -out text.enc", "openssl enc -d -aes-256-cbc -pbkdf2 -k x -nosalt -in text.enc",
        "openssl dgst -sha512 text.txt", "openssl cms -encrypt -in text.txt -out text.cms cert.pem",
        "openssl cms -decrypt -in text.cms -inkey key.pem -recip cert.pem", "openssl ciphers -v ALL",
        "openssl verify -CAfile cert.pem cert.pem", "sh -c 'openssl s_time -help 2>&1; openssl list -commands'",
        given="text.txt", ignored="*.pem *.cms")),
    row("ssh-keygen", "openssh-client", steps(
        "ssh-keygen -q -t ed25519 -N x -C c -f id", "ssh-keygen -q -t rsa -b 2048 -N '' -C c -f id2",
        "ssh-keygen -q -s id2 -I name -n user -V always:forever id.pub", "ssh-keygen -Y sign -f id2 -n file text.txt",
        "ssh-keygen -p -P x -N y -f id", "ssh-keygen -c -P y -C d -f id", given="text.txt",
        ignored="id* *.sig"), collections=3),
    row("gpg", "gpg gpg-agent", steps(
        "gpg --batch --passphrase '' --quick-gen-key a@example.org rsa2048 default never",
        "gpg --batch -r a@example.org --trust-model always -o text.gpg -e text.txt",
        "gpg --batch -d text.gpg", "gpg --batch --detach-sign --armor text.txt",
        "gpg --batch --verify text.txt.asc text.txt", "gpgconf --kill all", given="text.txt",
        ignored="*.gpg *.asc *.rev *.key *.kbx* S.*", env={"GNUPGHOME": "."},
        mask=r"^gpg: .*|.*[0-9A-F]{16}.*"), "/usr/bin/gpg /usr/bin/gpg-agent", collections=3),
    row("curl", "curl", steps(
        "!sh -c 'openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -keyout k -out c 2>&1'",
        "sh -c 'openssl s_server -quiet -accept 127.0.0.1:17443 -key k -cert c -WWW > /dev/null 2>&1 & p=$!; sleep 1; "
        "curl -sS --no-progress-meter --cacert c --retry 5 --retry-connrefused --parallel --resolve localhost:17443:127.0.0.1 "
        "https://localhost:17443/text.txt https://localhost:17443/numbers.txt -o one -o two; echo $?; kill $p'",
        "curl -s file:///etc/passwd", given="text.txt numbers.txt", ignored="k c"), "/usr/bin/curl /usr/bin/openssl"),
    row("rsync", "rsync", with_tree(steps(
        "rsync -a --stats --no-h tree/ copy/", "!sh -c 'for i in 1 2 3; do cp text.txt tree/new$i; done; rm -r tree/dir3; touch -d @1700000000 tree'",
        "rsync -ac --delete -i --compress tree/ copy/", "rsync -n -acv tree/ copy/", "diff -r tree copy",
        given="text.txt", mask=r"^(sent|total|Total|File list|.*seconds).*")), collections=3),
    row("subversion", "subversion", with_tree(steps(
        "svnadmin create repo", "sh -c 'svn import -q -m one tree file://$PWD/repo'", "sh -c 'svn co -q file://$PWD/repo work'",
        "!cp text.txt work/dir1/new.txt", "svn add -q work/dir1/new.txt", "svn ci -q -m two work", "svn log -q work",
        "svn update -q work", "svn ls -R work", "svn diff -r 1:2 work", "svnadmin verify -q repo", "svn status work",
        given="text.txt", ignored="repo/* work/.svn/*", mask=SVN), 40), "/usr/bin/svn /usr/bin/svnadmin",
        threshold="256k"),
    row("mercurial", "mercurial", with_tree(steps(
        "hg init -q .", "hg add -q", "hg ci -q -m one -u a -d '0 0'", "!rm text.txt", "hg rm -q text.txt",
        "hg ci -q -m two -u a -d '1 0'", "hg log -p", "hg bundle -q --all out.hg", "hg verify -q", "hg update -q 0",
        "hg manifest --debug", given="text.txt", ignored=".hg/*"), 50), "/usr/bin/hg", threshold="1m"),
    row("tmux", "tmux", steps(
        f"{TMUX} new-session -d -s one -x 100 -y 40 'seq 20000; echo ready; sleep 60'", f"{TMUX} split-window -h 'seq 9000; sleep 60'",
        f"{TMUX} resize-pane -L 10", f"{TMUX} list-panes -F '#{{pane_width}}x#{{pane_height}}'", "sleep 2",
        f"{TMUX} capture-pane -p -t one.0 -S -2000", f"{TMUX} kill-server", env={"TMUX_TMPDIR": "."})),
    row("strace", "strace", steps(
        "strace -f -e trace=openat,execve -o trace.txt sh -c 'ls / | sort | wc -l'", "sh -c 'grep -c exited trace.txt'",
        ignored="trace.txt"), collections=1),
    row("dig and named (BIND)", "bind9 bind9-dnsutils", steps(
        "named-checkconf -z named.conf", "sh -c 'named -g -n 2 -c named.conf > named.log 2>&1 & p=$!; sleep 3; for i in $(seq "
        "200); do echo a$i.example.org; done > names; dig +noall +answer +short -p 17053 @127.0.0.1 -f names; dig +tcp +short -p "
        "17053 @127.0.0.1 example.org AXFR | sort; kill $p; wait $p; echo $?'", ignored="named.log *.jnl",
        written=(("named.conf", NAMED), ("zone", ZONE))),
        "/usr/sbin/named /usr/bin/dig", threshold="256k", collections=3),
]
