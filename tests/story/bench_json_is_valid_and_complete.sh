#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# xlog-bench --json: every line is an object with a type; the first is the
# header, the last the result; values have the types that the manual promises.
. "$ROOT/tests/lib/story.sh"
need_command jq

# shellcheck disable=SC2016 # $ is jq's
rules='
def uuid: test("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$");
def numbers(o; keys): [o[keys[]]] | all(type == "number" and . >= 0);
def line(n): length == n and all(type == "number");
def check(name; ok): if ok then empty else "\(name): \(.)" end;
[inputs] as $all |
($all[0] | check("header first"; .type == "header" and .schema == "xlog" and
	.version == 1 and .tool == "xlog-bench" and (.toolversion | length) > 0 and
	(.device | length) > 0 and (.uuid | uuid))),
($all[] | check("known types"; .type | IN("header", "run", "sample",
	"reservation", "finding", "result"))),
($all[] | select(.type == "run") | check("run";
	numbers(.; ["jobs", "seed", "bbs", "logversion", "logbufs", "logbsize",
		    "fsync_every"]) and
	(.workload | IN("setattr", "relog", "bigtx", "fsync-probe")) and
	(.on | IN("overlay", "device", "memory")) and
	(.policy | IN("delaylog", "nodelaylog")) and
	(.sync | IN("fua", "flush", "dsync", "none")) and
	(.crash | IN(null, "torn", "clean", "drop", "reorder")))),
($all[] | select(.type == "sample") | check("sample";
	numbers(.; ["seconds", "tx", "checkpoints", "log_records", "log_bytes"]))),
($all[] | select(.type == "reservation") | check("reservation";
	numbers(.; ["logres", "logcount", "unit"]) and .unit > .logres and
	(.used == null or (.used > 0 and .used <= .unit)) and
	(.permanent | type) == "boolean" and (.name | test("^tr_[a-z_]+$")))),
($all[-1] | check("result last"; .type == "result" and .exit == $exit and
	(.wrote | type) == "boolean" and
	.findings == ($all | map(select(.type == "finding")) | length))),
($all[-1] | select(has("tx")) | check("result";
	numbers(.; ["inodes", "ops", "tx", "changes", "seconds",
		    "unmount_seconds", "forces", "checkpoints", "vectors",
		    "regions", "checkpoint_bytes", "most_vectors", "most_bytes",
		    "log_records", "log_bytes", "formatted_bytes",
		    "relogged_bytes"]) and
	(.log | line(5)) and (.trans | line(3)) and (.push_ail | line(10)) and
	([.latency_ns, .force_ns, .checkpoint_ns, .record_ns] |
		all(all(type == "number")) and (map(keys) | unique | length == 1)) and
	(.waits | keys == ["ail", "cil", "force", "grant", "iclog"] and
		all(numbers(.; ["sleeps", "ns"]))) and
	(.crashed | type) == "boolean" and (.verified | type) == "boolean" and
	(if .verified then numbers(.; ["forced", "recovered", "mismatches"])
	 else true end)))
'

check() {	# <exit status> <argument>...
	local want=$1 rc=0

	shift
	timeout 60 "$XLOG_BENCH" -J "$@" >lines 2>err || rc=$?
	[ $rc = "$want" ] || { cat err lines >&2; fail "$*: exit status $rc"; }
	[ "$(wc -l <lines)" = "$(grep -c '^{"type":"[a-z-]*".*}$' lines)" ] ||
		fail "$*: a line is no object"
	jq -rn --argjson exit $rc "$rules" lines >broken || fail "$*: jq fails"
	[ ! -s broken ] || { head -n 5 broken | cut -c -400 >&2; fail "$*"; }
	jq -c . lines | cmp -s lines - || fail "$*: jq does not give back what it read"
}

has() {	# <jq condition on the array of objects>
	jq -se "$1" lines >/dev/null || { cat lines >&2; fail "not: $1"; }
}

check 0 --mem=400m -j2 -n 5000
[ ! -s err ] || { cat err >&2; fail 'text as well'; }
has 'map(.type) == ["header", "run", "result"]'
has '.[1].on == "memory" and .[1].jobs == 2 and .[1].bbs == 131072'
has '.[-1] | .tx == 5000 and .ops == 5000 and .changes == 5000 and
	.inodes == 62 and .formatted_bytes >= 5000 * 256 and
	.relogged_bytes > .formatted_bytes * 0.9 and
	(.latency_ns | keys_unsorted) == ["p50", "p90", "p99", "p99.9", "max"]'
# all that is formatted is in a checkpoint, or was replaced
has '.[-1] | .checkpoint_bytes == .formatted_bytes - .relogged_bytes and
	.vectors == 62 + 2 and .regions == 2 * .vectors and
	.most_vectors == 62 and .most_bytes == 62 * 256 and
	.checkpoint_ns.max > 0'
# all 10 counters add up: what was pushed is what was changed
has '.[-1] | .log[0] == .log_records and .log[1] * 512 == .log_bytes and
	.push_ail[3] == 62 + 2 and .trans[0] + .trans[1] == .tx + 2'

# without relogging, what was formatted was written
check 0 --mem=400m -j1 -n 1000 -o nodelaylog,logbufs=4,logbsize=64k --percentiles=5,100
has '.[1].policy == "nodelaylog" and .[1].logbufs == 4 and .[1].logbsize == 65536'
has '.[-1] | .relogged_bytes == 0 and .checkpoints == 1000 + 2 and
	.vectors == 1000 + 2 and .regions == 2 * (1000 + 2) and
	.most_vectors == 1 and .checkpoint_bytes == .formatted_bytes and
	.checkpoint_ns.max == 0 and .record_ns.max > 0 and .log_bytes > .formatted_bytes and
	(.latency_ns | keys_unsorted) == ["p5", "max"]'
check 0 --mem=400m -w bigtx,set=50 -j1 -n 100
has '.[-1] | .tx == 100 and .changes > .tx'
check 0 --mem=400m -w fsync-probe -j4 -n 400
has '.[-1] | .forces == 400 and .trans[0] == 400 + 2 and .force_ns.max > 0'
check 0 --mem=400m -T 2s -j2 --interval=1s
has 'map(select(.type == "sample")) | length > 0'
check 0 --mem=400m --reservations
has 'map(select(.type == "reservation")) | length == 27 and all(.used == null)'
check 0 --mem=400m --crash-after=5iclogs --crash=drop --fsync-every=20
has '.[1].crash == "drop" and .[-1].crashed and .[-1].verified'
# what cannot be is told, and there is a result
check 16 --mem=400m -w bigtx,set=100000
has '.[-1] | has("tx") | not'
# a failure in opening is text, and no JSON
expect_exit 8 "$XLOG_BENCH" -J nothing
[ ! -s out ] && [ -s err ]
