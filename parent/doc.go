// Package parent starts one worker process and talks to it: it reads the worker's hello,
// sends requests, takes answers, watches for silence, kills the process, and reports how
// it ended and what it used. It knows neither pools nor tasks: the caller decides what to
// send, and what a lost worker means.
//
//	spawner := parent.NewSpawner(parent.SpawnerConfig{Env: os.Environ()})
//	defer spawner.Close()
//	process, err := spawner.Start(parent.Config{Worker: 0, MaxMessage: 1 << 20}, handler)
//	...
//	exit := process.Run() // calls handler until the worker has ended
//
// Read process.go first: a [Process] from its start to its [Exit]. talk.go reads
// what the worker says, send.go writes to it, watch.go keeps the limits of time,
// stderr.go passes its standard error on. spawn*.go starts processes on one
// thread, env.go makes their environment. launcher.go and template.go make the
// command lines of workers that another program starts, launched_process.go
// ends those. system.go is the seam to the operating system, of which package
// parenttest has a fake.
package parent
