"""Servers under a load: the clients run natively, the server under heaprake."""
import hashlib
import os
import random
import signal
import subprocess
import threading
import urllib.request

from harness import free_port, wait_for_port
from program import row

NGINX_CONFIGURATION = """
daemon off;
{user}
worker_processes 2;
pid {dir}/nginx.pid;
error_log {dir}/error.log notice;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
  gzip on; gzip_types text/plain; gzip_min_length 10;
  default_type text/plain;
  upstream self {{ server 127.0.0.1:{port}; keepalive 4; }}
  server {{
    listen 127.0.0.1:{port};
    root {dir}/www;
    location /proxy/ {{ proxy_pass http://self/; proxy_http_version 1.1; proxy_set_header Connection ""; }}
    location ~ ^/rewrite/(.*)$ {{ rewrite ^/rewrite/(.*)$ /$1 last; }}
    location /list/ {{ alias {dir}/www/; autoindex on; autoindex_format json; }}
  }}
}}
"""


def nginx_fetch(port, paths, digests, index):
    """Keeps no connection open; compressed and not, in turn."""
    digest = hashlib.sha256()
    for i, path in enumerate(paths):
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}")
        if i % 2:
            request.add_header("Accept-Encoding", "gzip")
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                digest.update(b"%d" % reply.status + reply.read())
        except urllib.error.HTTPError as error:
            digest.update(b"%d" % error.code)
        except OSError as error:
            digest.update(repr(error).encode())
    digests[index] = digest.hexdigest()


def nginx(session):
    port = free_port()
    www = session.directory / "www"
    www.mkdir()
    rng = random.Random(13)
    for i in range(20):
        path = www / f"page{i}.txt"
        path.write_text("".join(f"line {rng.random()}\n" for _ in range(rng.randrange(3000))))
        os.utime(path, (1_700_000_000, 1_700_000_000))
    (session.directory / "nginx.conf").write_text(NGINX_CONFIGURATION.format(
        dir=session.directory, port=port, user="user root;" if os.geteuid() == 0 else ""))
    server = session.start("/usr/sbin/nginx", "-p", session.directory, "-c", "nginx.conf")
    if not wait_for_port(port, server):
        session.observe("start", "nginx", "did not listen")
    else:
        paths = [f"/{prefix}page{rng.randrange(21)}.txt" for _ in range(60)
                 for prefix in ("", "proxy/", "rewrite/")] + ["/list/"] * 20
        digests = [None] * 4
        clients = [threading.Thread(target=nginx_fetch, args=(port, paths, digests, i))
                   for i in range(4)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        session.observe("bodies", "nginx", digests)
        load = session.run("/usr/bin/ab", "-q", "-k", "-n", "4000", "-c", "16",
                           f"http://127.0.0.1:{port}/proxy/page1.txt", native=True, record=False)
        failed = [line.split()[-1] for line in load.stdout.splitlines()
                  if line.startswith((b"Failed requests", b"Complete requests"))]
        session.observe("load", "nginx", failed)
        os.kill(server.pid, signal.SIGHUP)  # new workers; the old ones end when idle
        nginx_fetch(port, paths, digests, 0)
        session.observe("after reload", "nginx", digests[0])
    session.stop(server, signal.SIGQUIT)


def web(command, configuration, sig=signal.SIGTERM, backend=False, expected=0):
    """A web server and as many fetches at once as nginx gets; `backend` is served natively beside it."""
    def workload(session):
        port, other = free_port(), free_port()
        www = session.directory / "www"
        www.mkdir()
        rng = random.Random(13)
        for i in range(20):
            path = www / f"page{i}.txt"
            path.write_text("".join(f"line {rng.random()}\n" for _ in range(rng.randrange(3000))))
            os.utime(path, (1_700_000_000, 1_700_000_000))
        (session.directory / "server.conf").write_text(
            configuration.replace("DIR", str(session.directory)).replace("PORT", str(port)).replace("OTHER", str(other)))
        session.directory.chmod(0o777)
        origin = None
        if backend:
            origin = subprocess.Popen(["/usr/bin/python3", "-m", "http.server", "-b", "127.0.0.1", "-d", www, str(other)],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            wait_for_port(other, origin)
        server = session.start(*command.replace("DIR", str(session.directory)).split())
        try:
            if not wait_for_port(port, server):
                session.observe("start", command, "did not listen")
            paths = [f"/page{rng.randrange(21)}.txt" for _ in range(40 if backend else 120)]
            digests = [None] * 4
            clients = [threading.Thread(target=nginx_fetch, args=(port, paths, digests, i)) for i in range(4)]
            for client in clients:
                client.start()
            for client in clients:
                client.join()
            session.observe("bodies", command, digests)
            load = session.run("/usr/bin/ab", "-q", "-n", "400" if backend else "2000", "-c", "12",
                               f"http://127.0.0.1:{port}/page1.txt", native=True, record=False)
            session.observe("load", command, [line.split()[-1] for line in load.stdout.splitlines()
                                              if line.startswith((b"Failed requests", b"Complete requests"))])
        finally:
            session.stop(server, sig, expected)
            if origin:
                origin.kill()
                origin.wait()
    return workload


MODULES = "/usr/lib/apache2/modules/mod_"


def apache(mpm):
    modules = [mpm, "authz_core", "mime", "dir", "deflate", "filter", "rewrite", "headers", "status"]
    return "".join(f"LoadModule {m}_module {MODULES}{m}.so\n" for m in modules) + """
ServerName localhost
ServerRoot DIR
PidFile DIR/pid
Listen 127.0.0.1:PORT
DocumentRoot DIR/www
ErrorLog DIR/error.log
TypesConfig /etc/mime.types
RewriteEngine on
RewriteRule ^/page(3|4).txt$ /page5.txt
Header set X-Test "%D"
AddOutputFilterByType DEFLATE text/plain
<IfModule mpm_prefork_module>
User www-data
Group www-data
</IfModule>
MaxConnectionsPerChild 200
"""


LIGHTTPD = """server.document-root = "DIR/www"
server.port = PORT
server.bind = "127.0.0.1"
server.modules = ("mod_deflate", "mod_rewrite", "mod_expire")
url.rewrite = ("^/page(3|4).txt$" => "/page5.txt")
deflate.mimetypes = ("text/plain")
deflate.allowed-encodings = ("gzip")
mimetype.assign = (".txt" => "text/plain")
"""
HAPROXY = """global
  nbthread 3
defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 60s
frontend f
  bind 127.0.0.1:PORT
  compression algo gzip
  compression type text/plain
  http-request set-header X-Test %[rand,hex]
  acl five path_reg ^/page[34].txt$
  http-request set-path /page5.txt if five
  default_backend b
backend b
  server s 127.0.0.1:OTHER
"""
SSHD = """ListenAddress 127.0.0.1
Port PORT
HostKey DIR/host
PidFile DIR/pid
AuthorizedKeysFile DIR/me.pub
StrictModes no
UsePAM no
PermitRootLogin yes
Subsystem sftp internal-sftp
"""


def sshd(session):
    """Logins at once, commands, a copy through sftp and back. Client and server under heaprake."""
    port = free_port()
    for name in ("host", "me"):
        session.run("/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", name, native=True, record=False)
    os.makedirs("/run/sshd", exist_ok=True)
    (session.directory / "sshd.conf").write_text(SSHD.replace("DIR", str(session.directory)).replace("PORT", str(port)))
    (session.directory / "data").write_bytes(random.Random(2).randbytes(3_000_000))
    server = session.start("/usr/sbin/sshd", "-D", "-e", "-f", session.directory / "sshd.conf")
    if not wait_for_port(port, server):
        session.observe("start", "sshd", "did not listen")
    common = ["-F", "none", "-i", "me", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o",
              "LogLevel=ERROR"]
    for i in range(4):
        session.run("/usr/bin/ssh", *common, "-p", port, "127.0.0.1", f"sort; echo {i}; exit {i}",
                    stdin=b"b\na\n" * 20000)
    session.run("/usr/bin/scp", *common, "-q", "-P", port, f"127.0.0.1:{session.directory}/data", "copy")
    session.run("/usr/bin/sftp", *common, "-q", "-P", port, "-b", "-", "127.0.0.1",
                stdin=f"put {session.directory}/copy {session.directory}/back\nls /etc/passwd\n".encode())
    session.observe_file("copy")
    session.observe_file("back")
    session.stop(server)


def mosquitto(session):
    """Ten subscribers at once get all that is published."""
    port = free_port()
    server = session.start("/usr/sbin/mosquitto", "-p", port)
    if not wait_for_port(port, server):
        session.observe("start", "mosquitto", "did not listen")
    session.run("/usr/bin/sh", "-c", f"for i in 1 2 3 4 5; do mosquitto_sub -p {port} -t a/# -q 1 -C 3000 > out$i & done; "
                f"sleep 1; seq 3000 | mosquitto_pub -p {port} -t a/b -q 1 -l; wait")
    session.observe_files(["server.log"])
    session.stop(server)


AB = " /usr/bin/ab"
PROGRAMS = [
    row("nginx", "nginx-light apache2-utils", nginx, "/usr/sbin/nginx" + AB),
    row("apache2, event", "apache2 apache2-utils media-types", web("apache2 -f DIR/server.conf -D FOREGROUND", apache(
        "mpm_event")), "/usr/sbin/apache2" + AB),
    row("apache2, prefork", "apache2 apache2-utils media-types", web("apache2 -f DIR/server.conf -D FOREGROUND", apache(
        "mpm_prefork")), "/usr/sbin/apache2" + AB, collections=1),
    row("lighttpd", "lighttpd apache2-utils", web("lighttpd -D -f DIR/server.conf", LIGHTTPD), "/usr/sbin/lighttpd" + AB,
        collections=3),
    row("haproxy", "haproxy apache2-utils", web("haproxy -f DIR/server.conf", HAPROXY, signal.SIGUSR1, backend=True),
        "/usr/sbin/haproxy" + AB, collections=3),
    row("sshd, ssh, scp, sftp", "openssh-server openssh-client", sshd, "/usr/sbin/sshd /usr/bin/sftp"),
    row("mosquitto", "mosquitto mosquitto-clients", mosquitto, "/usr/sbin/mosquitto /usr/bin/mosquitto_sub"),
]
