"""Python's own process pools, to be measured against, with two workers:

pool.py start fork|spawn           a whole program that starts a pool and has it do two empty tasks
pool.py imap N                     prints the seconds that N empty tasks took, one at a time, in any order
pool.py executor N                 the same by concurrent.futures
pool.py ints METHOD CHUNKSIZE N    prints the seconds that N ints took there and back, by a Pool's map,
                                   imap or imap_unordered; CHUNKSIZE 0 is its own
pool.py payloads METHOD CHUNKSIZE N  the same for N times 32 MiB
"""
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor

PAYLOAD = 32 << 20


def null(i):
    return 1


def increment(i):
    return i + 1


def echo(b):
    return b


def timed(job, expected, value=lambda result: result):
    """Prints how long the results of job took that are worth expected together."""
    start = time.perf_counter()
    if sum(value(result) for result in job()) != expected:
        sys.exit("pool.py: a result is missing")
    print(time.perf_counter() - start)


def mapped(what, method, chunksize, n):
    with multiprocessing.Pool(2) as pool:
        pool.map(null, range(2))  # its start does not count
        options = {"chunksize": chunksize} if chunksize else {}
        run = getattr(pool, method)
        if what == "ints":
            timed(lambda: run(increment, range(n), **options), n * (n + 1) // 2)
        else:
            data = bytes(PAYLOAD)
            timed(lambda: run(echo, [data] * n, **options), n * PAYLOAD, len)


def main():
    what, *args = sys.argv[1:]
    if what == "start":
        multiprocessing.set_start_method(args[0])
        with multiprocessing.Pool(2) as pool:
            return pool.map(null, range(2))
    if what in ("ints", "payloads"):
        return mapped(what, args[0], int(args[1]), int(args[2]))
    n = int(args[0])
    if what == "imap":
        with multiprocessing.Pool(2) as pool:
            pool.map(null, range(2))
            timed(lambda: pool.imap_unordered(null, range(n), chunksize=1), n)
    else:
        with ProcessPoolExecutor(2) as pool:
            list(pool.map(null, range(2)))
            timed(lambda: pool.map(null, range(n)), n)


if __name__ == "__main__":
    main()
