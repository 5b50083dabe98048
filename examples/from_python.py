#!/usr/bin/env python3
"""The API from Python, by ctypes, in a process that runs under the library:

    LD_PRELOAD=build/libheaprake.so python3 examples/from_python.py

The dynamic symbols are heaprake_NAME for gc_NAME, since a preloaded library must not take names that
others use. Python's integers hold no addresses as such (30 bits a digit), so these keep nothing.
"""
import ctypes
from ctypes import CFUNCTYPE, POINTER, Structure, c_bool, c_char_p, c_int, c_size_t, c_uint, c_void_p

process = ctypes.CDLL(None)


def function(name, result, *arguments):
    f = getattr(process, name)
    f.restype, f.argtypes = result, arguments
    return f


calloc = function("calloc", c_void_p, c_size_t, c_size_t)
insque = function("insque", None, c_void_p, c_void_p)
collect = function("heaprake_collect", c_size_t)
object_id = function("heaprake_id", c_size_t, c_void_p)
object_exists = function("heaprake_object_exists", c_bool, c_size_t)
set_type = function("heaprake_set_type", c_bool, c_void_p, c_char_p)
type_of = function("heaprake_type", c_char_p, c_void_p)
weak_new = function("heaprake_weak_new", c_void_p, c_void_p)
weak_get = function("heaprake_weak_get", c_void_p, c_void_p)


class Info(Structure):
    _fields_ = [("collected", c_size_t), ("collected_bytes", c_size_t), ("finalizers", c_size_t),
                ("automatic", c_uint)]


Callback = CFUNCTYPE(None, c_int, POINTER(Info), c_void_p)
add_callback = function("heaprake_add_callback", c_bool, Callback, c_void_p)
remove_callback = function("heaprake_remove_callback", c_bool, Callback, c_void_p)


def cycle():
    """Two blocks of C's that refer to each other, and to which nothing else refers."""
    a, b = calloc(1, 64), calloc(1, 64)
    insque(a, None)
    insque(b, a)  # a's next is b, b's previous is a
    set_type(a, b"Parent")
    return object_id(a), weak_new(a), type_of(a).decode()


def main():
    seen = []
    callback = Callback(lambda phase, info, arg: seen.append((phase, info.contents.collected)))
    cycles = [cycle() for _ in range(100)]
    print("types:", {name for _, _, name in cycles})
    print("exist:", sum(object_exists(identity) for identity, _, _ in cycles))
    add_callback(callback, None)
    collect()
    remove_callback(callback, None)
    # Not all: copies of addresses that ctypes has handled are left in CPython's own free memory.
    gone = sum(not object_exists(identity) for identity, _, _ in cycles)
    print("many gone:", gone > 10)
    print("and so say the weak references:", sum(not weak_get(weak) for _, weak, _ in cycles) == gone)
    print("phases:", [phase for phase, _ in seen], "collected so many:", seen[1][1] >= 2 * gone)


main()
