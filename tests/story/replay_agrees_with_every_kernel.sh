#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Replay does to every block what the kernel did that recovered the same image:
# also where that went on after replay, with unfinished intents, unlinked inodes
# or files to trim, which its log tells. See tests/agree/agree.c.
# shellcheck disable=SC2154 # each_image sets the columns
. "$ROOT/tests/lib/story.sh"
need_command zstd xz

recovered() {	# <dirty> <compressed original> <to>: the kernel's recovery
	local base=${2%.img.zst}

	if [ -e "$base.recovered.zpatch" ]; then
		unpack_recovered "$base" "$1" "$3"
	else
		cp --sparse=always "$1" "$3"
	fi
}

compare() {
	local base=${image%.img.zst} logs=()

	[ "$state" = dirty ] || return 0
	if [ ! -e "$base.recovered.zpatch" ] && [ ! -e "$base.kernel.xz" ]; then
		count without
		return 0
	fi
	ln -s "$(unpacked "$image")" dirty.img
	recovered dirty.img "$image" kernel.img
	if [ "$logdev" != - ]; then
		ln -s "$(unpacked "$logdev")" dirty.log
		recovered dirty.log "$logdev" kernel.log
		logs=(dirty.log kernel.log)
	fi
	if [ -e "$base.kernel.xz" ]; then
		xz -dc "$base.kernel.xz" | "$BUILD/tests/truth/apply_delta" \
			kernel.img ${logs[1]:+"${logs[1]}"}
	fi
	"$BUILD/tests/agree/agree" dirty.img kernel.img "${logs[@]}" >out ||
		{ cat out >&2; fail "$name: replay is not what its kernel did"; }
	count images
	count checkpoints "$(sed -nE '$ s/^([0-9]+) checkpoints.*/\1/p' out)"
	for class in flushiter dquot count unused freed; do
		count $class "$(sed -nE "$ s/.*$class ([0-9]+).*/\1/p" out)"
	done
}

each_image compare
images=$(counted images)
[ "$images" -ge 10 ] || fail "only $images images compared"
echo "$images images, $(counted checkpoints) checkpoints: every block equal; unlogged by the kernel:" \
	"$(counted flushiter) flush counters, $(counted dquot) quota stamps," \
	"$(counted count) quota counts, $(counted unused) with unused bytes," \
	"$(counted freed) freed"
