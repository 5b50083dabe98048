"""Programs with windows, under Xvfb, and a browser without any."""
from program import WORKLOADS, row, steps

PAGE = """<!doctype html><ul id=list></ul><script>
for (let i = 0; i < 3000; i++) {
  const item = document.createElement('li');
  item.textContent = 'item ' + i * 7919 % 3001;
  list.append(item);
  if (i % 3) list.firstChild.remove();
}
document.title = list.children.length;
</script>"""


def windowed(*words):
    return "xvfb-run -a -s '-screen 0 800x600x24' sh -c 'exec 2> /dev/null; " + " ".join(map(str, words)) + "'"


def printed(sandbox, before=""):
    """A page that a script has written, once as text and once on paper."""
    browser = f"chromium --headless --disable-gpu {sandbox} --user-data-dir=home/profile"
    return steps(
        f"sh -c '{before} {browser} --dump-dom file://$PWD/page.html 2> /dev/null'",
        f"sh -c '{before} {browser} --print-to-pdf=home/page.pdf file://$PWD/page.html 2> /dev/null; "
        "head -c 5 home/page.pdf'",
        written=[("page.html", PAGE)], ignored="home/* .config/* .cache/* .pki/*")


AS_NOBODY = "install -d -o nobody home; HOME=$PWD/home exec runuser -u nobody --"
OWN_MALLOC = "has a malloc of its own: the library sees what other libraries allocate before that"
NEEDS = "/usr/bin/xvfb-run /usr/bin/python3"

PROGRAMS = [
    row("xterm and xclock under Xvfb", "xterm x11-apps xvfb xauth", steps(windowed(
        "xclock -update 1 & xterm -e \"seq 30000; ls / > "
        "out.txt; xwininfo -root -children | grep -c xclock >> out.txt\"; kill $!; wait $!; echo $?")),
        "/usr/bin/xvfb-run /usr/bin/xterm /usr/bin/xclock"),
    row("GTK 3 by python3-gi under Xvfb", "libgtk-3-0 gir1.2-gtk-3.0 python3-gi python3-gi-cairo xvfb xauth",
        steps(windowed("python3", WORKLOADS / "gtk_work.py")), NEEDS, threshold="2m"),
    row("Qt 5 by python3-pyqt5 under Xvfb", "libqt5widgets5 python3-pyqt5 xvfb xauth",
        steps(windowed("python3", WORKLOADS / "qt_work.py")), NEEDS, threshold="2m"),
    row("chromium --no-sandbox", "chromium", printed("--no-sandbox", "mkdir -p home;"), collections=0, remark=OWN_MALLOC,
        needs="/usr/bin/chromium"),
    row("chromium in its sandbox, as nobody", "chromium", printed("", AS_NOBODY), collections=0, remark=OWN_MALLOC,
        needs="/usr/bin/chromium /usr/sbin/runuser"),
]
