"""Blocks of the C heap that Python knows as integers alone, and callbacks out of C."""
import ctypes
import gc

libc = ctypes.CDLL(None)
libc.malloc.restype = libc.strdup.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]

addresses = []
for i in range(20000):
    address = libc.malloc(16 + 8 * (i % 60))
    words = (ctypes.c_int64 * 2).from_address(address)
    words[0], words[1] = i, i * i
    addresses.append(address)
for _ in range(20):
    gc.collect()
    libc.free(libc.malloc(100000))
    [str(i) for i in range(20000)]
total = 0
for i, address in enumerate(addresses):
    words = (ctypes.c_int64 * 2).from_address(address)
    assert words[0] == i, i
    total += words[1]
    libc.free(address)
print(total)

copies = [libc.strdup(b"text number %d" % i) for i in range(5000)]
handles = {id(copies): copies}
del copies
gc.collect()
print(sum(len(ctypes.string_at(copy)) for copies in handles.values() for copy in copies))
for copy in next(iter(handles.values())):
    libc.free(copy)

COMPARE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
numbers = (ctypes.c_int * 2000)(*(i * 7919 % 2003 for i in range(2000)))
libc.qsort(numbers, len(numbers), 4, COMPARE(lambda a, b: a[0] - b[0]))
print(numbers[:5], list(numbers) == sorted(numbers))


class Node(ctypes.Structure):
    pass


Node._fields_ = [("next", ctypes.POINTER(Node)), ("number", ctypes.c_long)]
first = None
for i in range(3000):
    node = ctypes.pointer(Node(first, i))
    first = node
gc.collect()
count = 0
while first:
    count += first.contents.number
    first = first.contents.next
print(count)
