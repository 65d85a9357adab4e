"""Python's own process pools, to be measured against, with two workers:

pool.py start fork|spawn   a whole program that starts a pool and has it do two empty tasks
pool.py imap N             prints the seconds that N empty tasks took, one at a time, in any order
pool.py executor N         the same by concurrent.futures
"""
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor


def null(i):
    return 1


def timed(results, n):
    start = time.perf_counter()
    if sum(results) != n:
        sys.exit("pool.py: a result is missing")
    print(time.perf_counter() - start)


def main():
    what, arg = sys.argv[1:]
    if what == "start":
        multiprocessing.set_start_method(arg)
        with multiprocessing.Pool(2) as pool:
            return pool.map(null, range(2))
    n = int(arg)
    if what == "imap":
        with multiprocessing.Pool(2) as pool:
            pool.map(null, range(2))  # its start does not count
            timed(pool.imap_unordered(null, range(n), chunksize=1), n)
    else:
        with ProcessPoolExecutor(2) as pool:
            list(pool.map(null, range(2)))
            timed(pool.map(null, range(n)), n)


if __name__ == "__main__":
    main()
