#!/usr/bin/python3
"""A parent in Python: computes pi with one procpool worker.

    client.py [--open] [--chunks N] [--terms N] COMMAND [ARGS]...

COMMAND starts the worker: `procpool child`, or any Go program that calls
child.Main, with the argument procpool-child. Only python3-msgpack is needed.
"""
import argparse
import math
import subprocess
import sys

import msgpack


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--open", action="store_true", help="open and end the conversation in so many words")
    p.add_argument("--chunks", type=int, default=4)
    p.add_argument("--terms", type=int, default=100_000_000)
    p.add_argument("command", nargs=argparse.REMAINDER)
    args = p.parse_args()

    worker = subprocess.Popen(args.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    replies = messages(worker.stdout)

    kind, hello = next(replies, ("nothing", None))
    check(kind == "hello", f"the worker's first message is {kind}")
    check(hello["protocol"] == 1, f"the worker speaks protocol {hello['protocol']}")
    check("pi" in hello["tasks"], f"the worker has no task pi, only {hello['tasks']}")

    intervals = split(args.terms, args.chunks)
    if args.open:
        send(worker, "open", {"protocol": 1, "heartbeat_seconds": 0, "max_message_bytes": 1 << 20})
    pi, sent = 0.0, 0
    for id, (start, end) in enumerate(intervals):
        # A window of requests on the way: who sends all of them before reading
        # an answer waits for a worker that waits for somebody to read.
        while sent < len(intervals) and sent < id + 100:
            send(worker, "request", {"id": sent, "task": "pi", "arg": interval(intervals[sent])})
            sent += 1
            if sent == len(intervals):
                if args.open:
                    send(worker, "end", {})
                worker.stdin.close()  # without open, this says the same as end
        pi += answer(replies, id, start, end)

    kind, bye = next(replies, ("nothing", None))
    check(kind == "bye", f"the last message is {kind}")
    check(bye["user_seconds"] >= 0 and bye["peak_rss_bytes"] != 0, f"the account is {bye}")
    kind, _ = next(replies, ("nothing", None))
    check(kind == "nothing", f"{kind} after bye")
    check(worker.wait() == 0, f"the worker's exit code is {worker.returncode}")

    print(f"PI is approximately {pi:.16f}, Error is {abs(pi - math.pi):.16f}")


def answer(replies, id, start, end):
    """The value of the oldest request that has none."""
    kind, body = next(replies, ("nothing", None))
    while kind == "beat":
        kind, body = next(replies, ("nothing", None))
    check(kind != "fail", f"request {id} failed: {body and body.get('error')}")
    check(kind == "result", f"instead of result {id} came {kind}")
    echo = (body["id"], body["start"], body["end"])
    check(echo == (id, start, end), f"a result for {echo}, the oldest request is {(id, start, end)}")
    check(type(body["value"]) is float, f"the partial is {body['value']!r}")
    return body["value"]


def interval(bounds):
    return {"start": bounds[0], "end": bounds[1]}


def split(n, parts):
    """The tutorial's rule: n // parts each, and the last one takes the rest."""
    chunk = n // parts
    bounds = [i * chunk for i in range(parts)] + [n]
    return list(zip(bounds, bounds[1:]))


def send(worker, kind, body):
    worker.stdin.write(msgpack.packb({kind: body}))
    worker.stdin.flush()


def messages(stream):
    """Yields (kind, body) of every message."""
    unpacker = msgpack.Unpacker(raw=False)
    while data := stream.read1(1 << 16):  # as much as has come
        unpacker.feed(data)
        for message in unpacker:
            if message == 10:  # the newline that a worker writes behind each
                continue
            check(isinstance(message, dict) and len(message) == 1, f"not a message: {message!r}")
            yield from message.items()


def check(ok, otherwise):
    if not ok:
        sys.exit(f"client.py: {otherwise}")


if __name__ == "__main__":
    main()
