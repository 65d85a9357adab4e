// Package pipe makes pipes wider for large messages.
package pipe

// Size is what Widen asks for, in bytes: what an unprivileged process may have
// on Linux, and 16 times what a pipe begins with.
const Size = 1 << 20
