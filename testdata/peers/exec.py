#!/usr/bin/env python3
"""The same jobs by procpool exec, xargs -P and GNU parallel, in turn.

    go build . && python3 testdata/peers/exec.py ./procpool [CHUNKS [ROUNDS]]

Prints a Markdown table: time a chunk of a program that does nothing, a sum, and what a
kill -9 in the middle costs.
"""
import os, platform, shutil, signal, statistics, subprocess, sys, tempfile, time

procpool = os.path.abspath(sys.argv[1])
chunks = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
procs = str(len(os.sched_getaffinity(0)))
numbers = "".join(f"{i}\n" for i in range(chunks))

peers = {"procpool exec": procpool, "xargs -P": "xargs", "GNU parallel": "parallel"}
peers = {name: program for name, program in peers.items() if shutil.which(program)}


def command(name, words, *options):
    """One run of words for each chunk; its start is the last word."""
    if name == "procpool exec":
        return [procpool, "exec", "-q", "-n", procs, "--chunk-size", "1", *options, str(chunks), "--", *words, "{start}"]
    if name == "xargs -P":
        return ["xargs", "-P", procs, "-n", "1", *options, *words]
    return ["parallel", "--will-cite", "-P", procs, *options, *words, "{}"]


def run(args, **more):
    begin = time.perf_counter()
    done = subprocess.run(args, input=numbers, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **more)
    return time.perf_counter() - begin, done.stdout


def nothing():
    """Seconds that each takes for a chunk of true, round by round."""
    times = {name: [] for name in peers}
    for _ in range(rounds):
        for name in peers:
            options = ["--reduce", "none"] if name == "procpool exec" else []
            times[name].append(run(command(name, ["true"], *options))[0] / chunks)
    return times


def sums():
    """The sum of what the chunks print, 0.1 each."""
    results = {}
    for name in peers:
        args = command(name, ["sh", "-c", "echo 0.1"] if name != "GNU parallel" else ["echo 0.1 #"])
        if name != "procpool exec":
            args = ["sh", "-c", '"$@" | awk \'{ s += $1 } END { printf "%.17g\\n", s }\'', "sh", *args]
        results[name] = run(args)[1].split("\n")[0].split("= ")[-1]
    return results


def killed():
    """A run is killed in the middle, and the same command is given again."""
    results = {}
    for name in peers:
        with tempfile.TemporaryDirectory() as dir:
            note = os.path.join(dir, "done")
            script = f'echo $1 >>{note}; sleep 0.002; echo 1' if name != "GNU parallel" else f"echo {{}} >>{note}; sleep 0.002; echo 1 #"
            options = {"procpool exec": ["--journal", "j", "--resume"], "xargs -P": [], "GNU parallel": ["--joblog", "j", "--resume"]}[name]
            args = command(name, ["sh", "-c", script, "sh"] if name != "GNU parallel" else [script], *options)
            first = subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True, cwd=dir)
            if name != "procpool exec":
                first.stdin.write(numbers)
            try:
                first.stdin.close()
            except BrokenPipeError:
                pass
            while not os.path.exists(note) or sum(1 for _ in open(note)) < chunks / 2:
                time.sleep(0.01)
            first.send_signal(signal.SIGKILL)
            first.wait()
            time.sleep(1)
            out = run(args, cwd=dir)[1]
            lines = open(note).read().split()
            right = f"= {chunks}" in out if name == "procpool exec" else None
            results[name] = (len(lines) - len(set(lines)), chunks - len(set(lines)), right, out.count("\n"))
    return results


def version(program):
    return subprocess.run([program, "--version"], capture_output=True, text=True).stdout.split("\n")[0]


load = os.getloadavg()
times, total, resumed = nothing(), sums(), killed()
ours = times["procpool exec"]
print(f"| {chunks} chunks, {procs} at a time | " + " | ".join(peers) + " |")
print("|---|" + "---|" * len(peers))


def row(what, cell):
    print(f"| {what} | " + " | ".join(cell(name) for name in peers) + " |")


row("`true`, time a chunk", lambda n: f"{statistics.median(times[n]) * 1e3:.3f} ms [{min(times[n]) * 1e3:.3f} .. {max(times[n]) * 1e3:.3f}]")
row("procpool's time by that", lambda n: f"{statistics.median(a / b for a, b in zip(ours, times[n])):.2f}" if n != "procpool exec" else "")
row("the sum of what `echo 0.1` prints", lambda n: total[n])
row("after `kill -9` and the same command: chunks done twice", lambda n: str(resumed[n][0]))
row("chunks never done", lambda n: str(resumed[n][1]))
row("the result", lambda n: {True: "right", False: "wrong", None: f"{resumed[n][3]} of {chunks} lines of output"}[resumed[n][2]])
print()
print(", ".join(version(p) for n, p in peers.items()) + f". {platform.system()} {platform.release()}, "
      f"{os.cpu_count()} CPUs; load when it began {load[0]:.1f}, when it ended {os.getloadavg()[0]:.1f}.")
