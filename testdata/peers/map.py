"""Python's process pools on the same work as BenchmarkMapTinyInputs and
BenchmarkLargePayload of package parent: what an input costs beyond its work.

    /usr/bin/python3 testdata/peers/map.py [ROUNDS]

Prints, for each pool, the median of ROUNDS and the range.
"""

import concurrent.futures
import multiprocessing
import statistics
import sys
import time

PAYLOAD = 64 << 20


def increment(n):
    return n + 1


def reverse(b):
    return b[-1:] + b[1:-1] + b[:1]


def tiny(name, results, n):
    """results(n) computes the sum of increment over range(n)."""
    begin = time.perf_counter()
    total = results(n)
    took = time.perf_counter() - begin
    assert total == n * (n + 1) // 2, total
    return name, took / n * 1e9, "ns an input"


def large(name, results, n):
    payload = bytes(PAYLOAD)
    begin = time.perf_counter()
    for out in results([payload] * n):
        assert len(out) == PAYLOAD
    took = time.perf_counter() - begin
    return name, 2 * n * PAYLOAD / took / 1e6, "MB/s both ways"


def measure():
    with multiprocessing.Pool(2) as pool:
        pool.map(increment, range(1000))
        yield tiny("Pool.map, its own chunksize", lambda n: sum(pool.map(increment, range(n))), 1_000_000)
        yield tiny("Pool.imap, chunksize 1", lambda n: sum(pool.imap(increment, range(n))), 20_000)
        yield tiny("Pool.imap, chunksize 1000", lambda n: sum(pool.imap(increment, range(n), 1000)), 1_000_000)
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        list(pool.map(increment, range(1000)))
        yield tiny("ProcessPoolExecutor.map", lambda n: sum(pool.map(increment, range(n))), 10_000)
        yield tiny("ProcessPoolExecutor.map, chunksize 1000", lambda n: sum(pool.map(increment, range(n), chunksize=1000)), 1_000_000)
    with multiprocessing.Pool(1) as pool:
        yield large("Pool.imap, 64 MiB", lambda items: pool.imap(reverse, items), 4)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    samples = {}
    for _ in range(rounds):
        for name, value, unit in measure():
            samples.setdefault((name, unit), []).append(value)
    print("Python", sys.version.split()[0])
    for (name, unit), values in samples.items():
        print(f"{name:42} {statistics.median(values):9.0f} {unit}, {min(values):.0f} to {max(values):.0f}")


if __name__ == "__main__":
    main()
