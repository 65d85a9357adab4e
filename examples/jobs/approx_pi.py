"""The tutorial's function, for procpool exec:

    procpool exec --chunk-size 1e6 1e8 -- python3 approx_pi.py

Start and end follow the command's words. The last line that is printed counts; repr has all digits of a float.
"""
import sys


def approx_pi(start, end):
    pi = 0.0
    for i in range(start, end):
        pi += (4 - 8 * (i % 2)) / float(2 * i + 1)
    return pi


print(repr(approx_pi(int(sys.argv[1]), int(sys.argv[2]))))
