// Package journal records the finished chunks of a run in a file. A run that was
// killed can continue from its journal, and the journals of runs that each computed a
// share can be added up. The package handles files, checksums and intervals. Partials
// are bytes to it, and the caller adds them up.
//
//   - [Create] and [Resume] return a [Writer], to which a run appends its chunks.
//   - [ReadHeader] and [ReadCoverage] read a journal, even while it is written.
//   - [Open] reads several journals as a [Set]. A Set proves that together they cover
//     the input exactly once, and returns the partials in the order of their
//     intervals. It can be written to a new journal, so merges can form a tree.
//   - A [Share] is one of N parts of a run that are computed separately.
//
// Errors that a user can correct have a method Hint() string.
//
// # Format
//
// A journal consists of JSON Lines: UTF-8 text with a JSON object and a newline in each
// line. Programs that read integers as float64 (jq before 1.7) round bounds above
// 2^53. The first line is the header:
//
//	{"procpool_journal":1,"task":"pi","task_version":"1","interval":{"start":0,"end":100},
//	 "grain":1,"exact":false,"chunk_size":25,"chunks":4,"procs":4,"share":"2/4",
//	 "build":"v1.0.0","created":"2026-01-02T03:04:05.6Z",
//	 "key":"0f3c…","sum":"9a41…"}
//
// procpool_journal is the version of this format and always comes first. interval is
// that of the whole input, also in the journal of a share. Chunk p of the grid is
// [start+p*chunk_size, start+(p+1)*chunk_size), except that the last one ends with the
// interval. If there is a number longer, each of the first longer chunks has one grain
// more, and the others start so much later. A share K/N has consecutive chunks, or with
// "deal":"cyclic" the chunks K, K+N and so on, counted from 1. A share of what another
// journal lacks has "part", the list of intervals that it consists of. The journal of a user's
// command also has "command", its words quoted for a shell, "reduce", and "input" if it
// reads lines. procs, longer, share, deal,
// build and merged (the number of journals that a merge added up) are omitted if they are
// zero. Every other line is a finished chunk:
//
//	{"interval":{"start":25,"end":50},"partial":"y0AJIftU…","value":3.14,
//	 "worker":0,"pid":4711,"host":"n1","started":"2026-01-02T03:04:05.7Z",
//	 "seconds":0.25,"attempts":1,"sum":"77b0…"}
//
// partial is the encoding of the partial result, in base64 (RFC 4648, with padding).
// value is the same number for people to read. Lines are in the order in which chunks
// finished. Each interval is a chunk of the grid, unless the task is exact. Then it may
// also be several chunks that a merge has added up, and the fields from worker to
// attempts are omitted.
//
// key identifies everything that the sum depends on. It is the 128-bit FNV-1a hash, as
// 32 hexadecimal digits, of the text that fmt.Sprintf returns for the format
// "procpool journal 1\n%q\n%q\n%d %d\n%d\n%d %d\n%t\n" and the arguments task,
// task_version, start, end, grain, chunk_size, chunks and exact; of "foreign\n" if
// "foreign":true stands after exact: workers of another program computed the chunks, and
// their partials are numbers; if there is a command then also of that for
// "%q\n%q\n%q\n" and command, reduce and input; and if there is longer of that for
// "%d\n" and longer. Journals with equal keys can be added up.
//
// sum is a checksum and always comes last: exactly `,"sum":"`, 16 lower-case hexadecimal
// digits and `"}`. It is the CRC-64 with the ECMA-182 polynomial as in xz (all bits
// inverted before and after) of the bytes of the line before `,"sum"`. In the line of
// a chunk, the 32 digits of the key precede these bytes, so that lines of other
// journals have a wrong checksum.
//
// # Damage
//
// Each line is written at once, so a kill loses no chunk that was recorded, and may at
// most leave half of the last line. Bytes after the last newline are not part of the
// journal: readers skip them, and [Resume] removes them. The lines are brought to the
// disk about twice a second, so a loss of power may cost the last half second.
//
// A line that was changed costs its chunk, and nothing else: readers leave it out and
// tell it ([Set.Damage], [Writer.Damage]). That holds for one with a wrong checksum or
// interval, and for one whose interval an earlier line has. Only a damaged header costs
// the journal, as a [DamageError]. A kill leaves no part of a header: the file gets its
// name when the header is on disk. Empty lines mean nothing.
//
// One process at a time writes to a journal. It holds a lock (flock), or where the file
// system has none, a file with .lock behind the journal's name that names the process
// and its host. Writers on machines without common locks notice each other within a
// second by the size of the file, and both end with a [SharedError].
//
// If a write fails, for want of room, the lines that fitted stay, and the run can
// continue when there is room. If an fsync fails, nothing tells which lines reached
// the disk. That is a [SyncError].
//
// A checksum finds what a disk or an editor did to a line. It is no seal: whoever can
// write to the file can also compute the checksum of what he writes.
package journal
