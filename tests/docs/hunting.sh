# What the blocks of docs/hunting.md do between their lines.

# The server is found by what was started, since others of that name may be running. `heaprake hunt`
# is its parent.
cat >bin/pidof <<'PIDOF'
#!/bin/sh
pgrep -P "$(cat started)" || cat started
PIDOF
chmod +x bin/pidof
ln -sf build/examples/chat_server .

# start COMMAND...: in the background, until its first line is there.
start() {
  rm -f output status
  (
    "$@" >output 2>report &
    echo $! >started
    wait $!
    echo $? >status
  ) >/dev/null 2>&1 &
  until grep -qs listening output; do sleep 0.05; done
}

# Two hundred clients come and go; the server has noticed when the last one is answered.
clients() {
  python3 "$TOOLS/chat_clients.py" "$1" 200
}

# Tells it to end, as the document says that it does.
stop() {
  kill "$(cat started)"
  until [ -s status ]; do sleep 0.05; done
  [ "$(cat status)" = 143 ]
}

# Tests of a program of yours, one that loses memory and one that does not.
cat >tests <<'TESTS'
#!/bin/sh
exec build/examples/circular_leak 64k
TESTS
chmod +x tests
