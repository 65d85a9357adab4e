// The tutorial's loop as a C programmer would write it, to be measured against:
// pi N prints the sum of N terms and the seconds that the loop took.
// The flags decide what it is; see bench/build.go for the three that count.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + 1e-9 * t.tv_nsec;
}

int main(int argc, char **argv) {
	char *end;
	long n = argc == 2 ? strtol(argv[1], &end, 10) : -1;
	if (n < 0 || *end != '\0') {
		fprintf(stderr, "usage: pi N (a whole number of terms)\n");
		return 2;
	}
	double pi = 0, start = now();
#pragma omp parallel for reduction(+ : pi)
	for (long i = 0; i < n; i++)
		pi += (4 - 8 * (i % 2)) / (double)(2 * i + 1);
	printf("%.16f %.9f\n", pi, now() - start);
}
