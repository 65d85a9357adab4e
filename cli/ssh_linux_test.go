package cli_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A sshServer is a real sshd on the loopback interface, whose sessions print
// noise before the command, as login scripts do.
type sshServer struct {
	port     string
	launcher string // leads to {host}, without the command
}

func (b *bench) sshServer() *sshServer {
	b.Helper()
	sshd, keygen, client := program(b.T, "sshd"), program(b.T, "ssh-keygen"), program(b.T, "ssh")
	dir := b.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
		return path
	}
	for _, key := range []string{"host", "user"} {
		if out, err := exec.Command(keygen, "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, key)).CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
	}
	if os.Getuid() == 0 {
		os.MkdirAll("/run/sshd", 0o755) // where sshd leaves its privileges; Debian's service makes it
	}
	s := &sshServer{port: freePort(b.T)}
	config := file("sshd_config", fmt.Sprintf(`ListenAddress 127.0.0.1
Port %s
HostKey %s/host
AuthorizedKeysFile %s/user.pub
PidFile none
StrictModes no
UsePAM no
PrintMotd no
ForceCommand echo noise before the stream; eval "$SSH_ORIGINAL_COMMAND"
`, s.port, dir, dir))
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		b.Fatal(err)
	}
	server := exec.Command(sshd, "-D", "-e", "-f", config)
	server.Stderr = log
	server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} // should this test be killed
	if err := server.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { server.Process.Signal(syscall.SIGTERM); server.Wait(); log.Close() })
	s.launcher = fmt.Sprintf("%s -T -F none -p %s -i %s/user -oBatchMode=yes -oIdentitiesOnly=yes -oStrictHostKeyChecking=no -oUserKnownHostsFile=/dev/null -oLogLevel=ERROR -oServerAliveInterval=10 -oServerAliveCountMax=3 {host}", client, s.port, dir)
	b.until("sshd listens", func() bool {
		c, err := net.DialTimeout("tcp", "127.0.0.1:"+s.port, time.Second)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return s
}

// freePort is one that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

func TestSSH(t *testing.T) {
	engine(t)
	t.Parallel()
	b := newBench(t)
	s := b.sshServer()
	want := b.undisturbed(work...)
	launched := func(more ...string) []string {
		return append([]string{b.exe, "run", "--json", "--launcher", s.launcher + " {cmd}", "--hosts", "127.0.0.1,localhost"}, more...)
	}
	t.Run("same bits behind noise", func(t *testing.T) {
		r := b.run(launched(work...)...).report(b)
		if r.Status != "done" || r.Value.String() != want || r.Procs != 2 || r.Limits.By != "hosts" {
			t.Errorf("%+v, want %s", r, want)
		}
	})
	t.Run("more starts at once than sshd takes", func(t *testing.T) {
		r := b.run(launched(append([]string{"--procs", "24"}, work...)...)...).report(b)
		if r.Status != "done" || r.Value.String() != want || len(r.Workers) != 24 {
			t.Errorf("%+v, want %s", r, want)
		}
	})
	t.Run("a killed worker is replaced", func(t *testing.T) {
		_, end := b.start(launched(append([]string{"--journal", "killed"}, work...)...)...)
		b.working("killed", 2)
		pid := b.workers()[0]
		syscall.Kill(pid, syscall.SIGKILL)
		said := end()
		if r := said.report(b); r.Status != "done" || r.Value.String() != want || !strings.Contains(said.stderr, fmt.Sprintf("pid %d", pid)) {
			t.Errorf("%+v, want %s", said, want)
		}
	})
	t.Run("a killed parent leaves nobody", func(t *testing.T) {
		cmd, end := b.start(launched("--journal", "orphans", "--heartbeat", "2s", "--task", "pi-fast", "--chunk-size", "10_000_000", "1e15")...)
		b.working("orphans", 2)
		cmd.Process.Kill()
		end()
		t.Logf("workers were gone after %v", b.until("workers gone", b.noWorkers))
	})
	t.Run("nobody there", func(t *testing.T) {
		elsewhere := strings.Replace(s.launcher, "-p "+s.port, "-p "+freePort(t), 1)
		said := b.run(b.exe, "run", "--launcher", elsewhere+" {cmd}", "--hosts", "127.0.0.1", "10")
		if said.code != 1 || !strings.Contains(said.stderr, "Connection refused") {
			t.Errorf("%+v", said)
		}
	})
	t.Run("a key that opens nothing", func(t *testing.T) {
		said := b.run(b.exe, "run", "--launcher", strings.Replace(s.launcher, "/user ", "/nosuchkey ", 1)+" {cmd}", "--hosts", "127.0.0.1", "10")
		if said.code != 1 || !strings.Contains(said.stderr, "hint: ssh was refused") || strings.Contains(said.stderr, "same path") {
			t.Errorf("%+v", said)
		}
	})
	t.Run("a host that ssh does not know", func(t *testing.T) {
		strict := strings.Replace(s.launcher, "StrictHostKeyChecking=no", "StrictHostKeyChecking=yes", 1)
		said := b.run(b.exe, "run", "--launcher", strict+" {cmd}", "--hosts", "127.0.0.1", "10")
		if said.code != 1 || !strings.Contains(said.stderr, "hint: ssh does not know that host") {
			t.Errorf("%+v", said)
		}
	})
	t.Run("a question at a terminal", func(t *testing.T) { // which nobody would see
		asking := strings.NewReplacer("StrictHostKeyChecking=no", "StrictHostKeyChecking=ask", "-oBatchMode=yes ", "").Replace(s.launcher)
		asks := b.job(t, "asks")
		if err := os.WriteFile(filepath.Join(asks.dir, "run.sh"), []byte("exec procpool run --launcher '"+asking+" {cmd}' --hosts 127.0.0.1 10\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		said := asks.run(program(t, "script"), "-qec", "sh run.sh", "/dev/null")
		if said.code != 1 || !strings.Contains(said.stdout, "hint: ssh does not know that host") {
			t.Errorf("%+v", said)
		}
	})
	t.Run("words that are not quoted", func(t *testing.T) {
		said := b.run(b.exe, "run", "--launcher", s.launcher, "--hosts", "127.0.0.1", "10")
		if said.code != 1 || !strings.Contains(said.stderr, "end the launcher with {cmd}") {
			t.Errorf("%+v", said)
		}
	})
	t.Run("doctor", func(t *testing.T) {
		said := b.run(b.exe, "doctor", "--launcher", s.launcher+" {cmd}", "--hosts", "127.0.0.1")
		if said.code != 0 || !strings.Contains(said.stdout, "round trip") {
			t.Errorf("%+v", said)
		}
		t.Log(said.stdout[strings.Index(said.stdout, "launcher"):])
	})
}
