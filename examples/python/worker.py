#!/usr/bin/python3
"""A worker of procpool in Python: the tutorial's approx_pi, in as many processes as wanted.

    procpool run --worker './worker.py' --procs 4 100000000

It needs python3-msgpack. docs/wire.md explains the messages. Put your own functions into TASKS.
"""
import os, queue, resource, signal, socket, sys, threading, time, traceback
import msgpack


def approx_pi(start, end):
    pi = 0.0
    for i in range(start, end):
        pi += (4 - 8 * (i % 2)) / float(2 * i + 1)
    return pi


TASKS = {"pi": approx_pi}

out = os.fdopen(os.dup(1), "wb")
os.dup2(2, 1)  # what tasks print goes to stderr, not into the stream
writing = threading.Lock()  # more than one thread says something
waiting, order = {}, queue.SimpleQueue()  # requests by id, and their ids in order; None is the end
silent = 0  # quarters of the heartbeat without a byte from the parent


def say(kind, body):
    with writing:
        out.write(msgpack.packb({kind: body}, default=str) + b"\n")  # str: integers of more than 64 bits
        out.flush()


def read(opened=False):
    global silent
    for message in msgpack.Unpacker(os.fdopen(0, "rb", buffering=0)):
        silent = 0
        for kind, body in message.items() if message != 10 else ():  # 10 is a newline
            if kind == "request":
                waiting[body["id"]] = body
                order.put(body["id"])
            elif kind == "cancel" and waiting.pop(body["id"], None):
                say("fail", {"id": body["id"], "error": "cancelled", "stack": "", "begun": False})
            elif kind == "open":
                opened = True
                threading.Thread(target=beat, args=(body["heartbeat_seconds"],), daemon=True).start()
            elif kind == "end":
                return order.put(None)
    os._exit(1) if opened else order.put(None)  # after open, the parent is lost


def beat(limit):
    global silent
    while limit and silent <= 4:
        say("beat", {})
        time.sleep(limit / 4)
        silent += 1
    os._exit(1) if limit else None


def answer(id, task, arg, **_):
    begin = time.monotonic()
    try:
        value = TASKS[task](**arg)
        say("result", {"id": id, "seconds": time.monotonic() - begin, "value": value, **arg})
    except Exception as e:
        say("fail", {"id": id, "error": repr(e), "stack": traceback.format_exc()})


for name in signal.SIGINT, signal.SIGTERM:
    signal.signal(name, signal.SIG_IGN)  # the parent decides what they mean
say("hello", {"protocol": 1, "build": sys.version.split()[0], "pid": os.getpid(), "host": socket.gethostname(), "cpus": "",
              "tasks": list(TASKS), "about": {"pi": {"version": "1"}}, "beats": True})
threading.Thread(target=read, daemon=True).start()
while (id := order.get()) is not None:
    if request := waiting.pop(id, None):  # else it was cancelled
        answer(**request)
u = resource.getrusage(resource.RUSAGE_SELF)
say("bye", {"user_seconds": u.ru_utime, "system_seconds": u.ru_stime, "peak_rss_bytes": u.ru_maxrss * 1024, "minor_faults": u.ru_minflt,
            "major_faults": u.ru_majflt, "voluntary_switches": u.ru_nvcsw, "involuntary_switches": u.ru_nivcsw, "migrations": None})
