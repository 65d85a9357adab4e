// Package parent is the parent's end of one worker process: it starts the
// process, reads its hello, sends it requests, takes its answers, watches over
// it, kills it, and says how it ended and what it had used. It knows nothing of a
// pool and nothing of tasks: whoever owns a [Process] decides what is sent, and
// what a loss means.
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
