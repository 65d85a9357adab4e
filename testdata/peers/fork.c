// What the operating system alone charges for two workers, to be measured
// against: fork N N children at once (2 without an argument), take one byte from
// each over a pipe, wait for all of them.
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void die(const char *what) {
	perror(what);
	exit(1);
}

int main(int argc, char **argv) {
	int n = argc > 1 ? atoi(argv[1]) : 2, *from = calloc(n, sizeof *from);
	for (int i = 0; i < n; i++) {
		int ends[2];
		if (pipe(ends))
			die("pipe");
		switch (fork()) {
		case -1:
			die("fork");
		case 0:
			_exit(write(ends[1], "x", 1) != 1);
		}
		close(ends[1]);
		from[i] = ends[0];
	}
	for (int i = 0; i < n; i++) {
		char c;
		if (read(from[i], &c, 1) != 1)
			die("read");
	}
	while (wait(NULL) > 0)
		;
	return 0;
}
