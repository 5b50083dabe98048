#!/usr/bin/env python3
"""usage: chat_clients.py PORT COUNT

COUNT clients of examples/chat_server, one after another: each says a line and hangs up without a
word. Ends when the server has served them all."""
import socket
import sys

port, count = map(int, sys.argv[1:])
listener = socket.create_connection(("127.0.0.1", port))
for _ in range(count):
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"a line that is too long for any short string..\n")
        line = b""
        while not line.endswith(b"\n"):
            line += listener.recv(1)
listener.sendall(b"/quit\n")
while listener.recv(4096):
    pass
