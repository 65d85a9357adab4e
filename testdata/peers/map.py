"""Python's process pools on the same work as BenchmarkMapTinyInputs and
BenchmarkLargePayload of package parent: what an input costs beyond its work.

    /usr/bin/python3 testdata/peers/map.py [ROUNDS]

Prints, for each pool, the median of ROUNDS, the range, and the CPU time of all
processes, which a busy machine changes less.
"""

import concurrent.futures
import multiprocessing
import resource
import statistics
import sys
import time

PAYLOAD = 64 << 20


def increment(n):
    return n + 1


def reverse(b):
    return b[-1:] + b[1:-1] + b[:1]


def pool(procs):
    return multiprocessing.Pool(procs)


def executor(procs):
    return concurrent.futures.ProcessPoolExecutor(procs)


def cpu():
    """CPU seconds of this process and of those that it has waited for."""
    return sum(u.ru_utime + u.ru_stime for u in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def measure(make, procs, n, inputs, check, job):
    """Seconds and CPU seconds an input; the CPU time has the pool's start and end."""
    before = cpu()
    with make(procs) as p:
        list(p.map(increment, range(100)))
        begin = time.perf_counter()
        check(n, job(p, inputs(n)))
        took = time.perf_counter() - begin
        if make is pool:
            p.close()
            p.join()
    return took / n, (cpu() - before) / n


def adds_up(n, results):
    assert sum(results) == n * (n + 1) // 2


def all_there(n, results):
    assert [len(b) for b in results] == [PAYLOAD] * n


def payloads(n):
    return [bytes(PAYLOAD)] * n


RUNS = {
    "Pool.map, its own chunksize": (pool, 2, 1_000_000, range, adds_up, lambda p, xs: p.map(increment, xs)),
    "Pool.imap, chunksize 1": (pool, 2, 20_000, range, adds_up, lambda p, xs: p.imap(increment, xs)),
    "Pool.imap, chunksize 1000": (pool, 2, 1_000_000, range, adds_up, lambda p, xs: p.imap(increment, xs, 1000)),
    "ProcessPoolExecutor.map": (executor, 2, 10_000, range, adds_up, lambda p, xs: p.map(increment, xs)),
    "ProcessPoolExecutor.map, chunksize 1000": (executor, 2, 1_000_000, range, adds_up, lambda p, xs: p.map(increment, xs, chunksize=1000)),
    "Pool.imap, 64 MiB there and back": (pool, 1, 4, payloads, all_there, lambda p, xs: p.imap(reverse, xs)),
}


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    samples = {name: [] for name in RUNS}
    for _ in range(rounds):
        for name, run in RUNS.items():
            samples[name].append(measure(*run))
    print("Python", sys.version.split()[0])
    for name, values in samples.items():
        wall, used = (sorted(v) for v in zip(*values))
        print(f"{name:40} {statistics.median(wall) * 1e9:12.0f} ns an input ({wall[0] * 1e9:.0f} to {wall[-1] * 1e9:.0f}), "
              f"{statistics.median(used) * 1e9:12.0f} ns of CPU")


if __name__ == "__main__":
    main()
