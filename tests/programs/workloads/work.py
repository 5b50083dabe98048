"""json, sqlite3, threading, re, zlib: what a script does, with everything it finds printed."""
import collections
import hashlib
import json
import queue
import random
import re
import sqlite3
import sys
import threading
import zlib

scale = int(sys.argv[1])
rng = random.Random(7)


def document(depth):
    if depth == 0:
        return [rng.random(), rng.randrange(10**9), "x" * rng.randrange(40), None, True]
    return {f"key{i}": document(depth - 1) for i in range(6)}


def digest(data):
    return hashlib.sha256(data).hexdigest()[:16]


texts = [json.dumps(document(3), sort_keys=True) for _ in range(2 * scale)]
for text in texts:
    assert json.dumps(json.loads(text), sort_keys=True) == text
print("json", len(texts), digest("".join(texts).encode()))

db = sqlite3.connect("work.db")
db.execute("create table t (id integer primary key, word text, n integer)")
db.executemany("insert into t (word, n) values (?, ?)",
               ((f"word{rng.randrange(500)}", rng.randrange(1000)) for _ in range(1500 * scale)))
db.execute("create index i on t (word)")
db.commit()
rows = db.execute("select word, count(*), sum(n) from t group by word order by word").fetchall()
print("sqlite3", len(rows), digest(repr(rows).encode()))
db.close()

tasks, results = queue.Queue(8), queue.Queue()


def work():
    while (item := tasks.get()) is not None:
        data = zlib.compress(texts[item % len(texts)].encode(), 6)
        words = collections.Counter(re.findall(r"[a-z]+\d*", zlib.decompress(data).decode()))
        results.put((item, len(data), sum(words.values())))


threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
for item in range(10 * scale):
    tasks.put(item)
for _ in threads:
    tasks.put(None)
for thread in threads:
    thread.join()
print("threads", digest(repr(sorted(results.get() for _ in range(10 * scale))).encode()))


class Node:
    def __init__(self, other):
        self.other = other


for _ in range(5000 * scale):
    node = Node(None)
    node.other = Node(node)
print("cycles", sum(range(5000 * scale)))
