// Package journal keeps the finished chunks of a run in a file, so that a run
// that was killed can be continued, and runs that each computed a share can be
// added up. It knows files, checksums and intervals. It does not know what the
// partials mean: they are bytes to it, and adding them up is the caller's.
//
//   - [Create] and [Resume] give a [Writer], to which a run appends its chunks.
//   - [ReadHeader] and [ReadCoverage] look at a journal, also while it is written.
//   - [Open] reads many journals as one [Set], which proves that together they
//     cover the input exactly once, folds the partials in interval order, and
//     can be written to a journal again, so that a tree of merges is possible.
//   - [Share] is one of N parts of a run that are computed apart.
//
// Errors that a user can do something about have a method Hint() string.
//
// # Format
//
// A journal is JSON Lines: UTF-8, one object a line, each line ended by one
// newline. Programs that keep integers as float64 (jq before 1.7) round the
// bounds above 2^53. The first line is the header:
//
//	{"procpool_journal":1,"task":"pi","task_version":"1","interval":{"start":0,"end":100},
//	 "grain":1,"exact":false,"chunk_size":25,"chunks":4,"procs":4,"share":"2/4",
//	 "build":"v1.0.0","created":"2026-01-02T03:04:05.6Z",
//	 "key":"0f3c…","sum":"9a41…"}
//
// procpool_journal is the version of this format and always comes first. The
// interval is that of the whole input, also in a share. Chunk p of the grid is
// [start+p*chunk_size, start+(p+1)*chunk_size), and the last one ends with the
// interval. procs, share, build and merged (the number of journals that a
// merge added up) are left out when zero. Every other line is a finished chunk:
//
//	{"interval":{"start":25,"end":50},"partial":"y0AJIftU…","value":3.14,
//	 "worker":0,"pid":4711,"host":"n1","started":"2026-01-02T03:04:05.7Z",
//	 "seconds":0.25,"attempts":1,"sum":"77b0…"}
//
// partial is the exact encoding of the partial result, in base64 (RFC 4648,
// with padding); value is the same for human eyes. Lines stand in the order in
// which chunks finished. For an exact task, an interval may span several
// chunks: such a line was added up by a merge, and the fields from worker to
// attempts, which say who computed a chunk and when, are left out. Otherwise
// an interval is one chunk of the grid.
//
// key is what the sum depends on, and nothing else: the 128-bit FNV-1a hash, as
// 32 hexadecimal digits, of the text that fmt.Sprintf makes with
// "procpool journal 1\n%q\n%q\n%d %d\n%d\n%d %d\n%t\n" from task, task_version,
// start, end, grain, chunk_size, chunks and exact. Journals can be added up if
// their keys are equal.
//
// sum is always last, exactly `,"sum":"` and 16 lower-case hexadecimal digits
// and `"}`. It is the CRC-64 with the ECMA-182 polynomial as xz uses it (all
// bits inverted before and after), of the bytes of the line before `,"sum"`; in
// a chunk line the 32 digits of the key come before these bytes, so that a line
// from another journal does not fit.
//
// # Damage
//
// Chunks reach the disk in batches, about twice a second, so a journal that
// lost its writer may end in the middle of a line. Bytes behind the last
// newline are therefore not part of the journal: readers skip them and
// [Resume] cuts them off. Everything else that is wrong, a complete line with a
// wrong checksum or an interval that comes twice, did not come about by a
// kill, and is a [DamageError].
package journal
