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
// the worker's messages, send.go writes to it, watch.go enforces the limits of time,
// stderr.go passes its standard error on. spawn.go starts processes on one thread,
// env.go makes their environment. launcher.go and template.go make the command lines of
// launched workers, launched_process.go ends those. system.go is the interface to the
// operating system; package parenttest has a fake of it.
package parent
