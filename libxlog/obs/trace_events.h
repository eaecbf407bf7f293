/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All trace events by name, and what each one tells: "key:kind ...", in the
 * order of the arguments of TRACE(). Kinds: u decimal, d the same with a sign,
 * x hexadecimal, l an LSN, s a static word, q the same of several.
 *
 * Names are those of the tracepoints of Linux where it has one for the same;
 * those marked with "ours" it has not.
 */
#ifndef LIBXLOG_OBS_TRACE_EVENTS_H
#define LIBXLOG_OBS_TRACE_EVENTS_H

#define TRACE_TICKET_KEYS						\
	"tid:x ocnt:u cnt:u curr_res:d unit_res:u "			\
	"grant_reserve:u grant_write:u"
#define TRACE_GRANT_KEYS	"tid:x head:s need:u used:u waiters:u"
#define TRACE_ITEM_KEYS		"type:s id:x"
#define TRACE_AIL_KEYS		"type:s id:x lsn:l"
#define TRACE_MOVE_KEYS		"type:s id:x old:l new:l"
#define TRACE_ICLOG_KEYS	"iclog:u state:s refs:u offset:u lsn:l flags:x"
#define TRACE_TRANS_KEYS	"tid:x res:s"
#define TRACE_DEFER_KEYS	"type:s id:x count:u"
#define TRACE_BUSY_KEYS		"agno:u agbno:x len:u"
#define TRACE_BUF_KEYS		"daddr:x bbs:u pins:u"
#define TRACE_INODE_KEYS	"ino:x pins:u"

/* In the order of their names. */
#define TRACE_ALL(E)							\
	E(xfs_ail_delete,		TRACE_MOVE_KEYS)		\
	E(xfs_ail_flushing,		TRACE_AIL_KEYS)		\
	E(xfs_ail_insert,		TRACE_MOVE_KEYS)		\
	E(xfs_ail_locked,		TRACE_AIL_KEYS)		\
	E(xfs_ail_move,			TRACE_MOVE_KEYS)		\
	E(xfs_ail_pinned,		TRACE_AIL_KEYS)		\
	E(xfs_ail_push,			TRACE_AIL_KEYS)		\
	E(xfs_buf_item_format,		TRACE_BUF_KEYS)			\
	E(xfs_buf_item_pin,		TRACE_BUF_KEYS)			\
	E(xfs_buf_item_push,		TRACE_BUF_KEYS)			\
	E(xfs_buf_item_release,		TRACE_BUF_KEYS)			\
	E(xfs_buf_item_size,		TRACE_BUF_KEYS)			\
	E(xfs_buf_item_unpin,		TRACE_BUF_KEYS)			\
	E(xfs_cil_whiteout_mark,	TRACE_ITEM_KEYS)		\
	E(xfs_cil_whiteout_skip,	TRACE_ITEM_KEYS)		\
	E(xfs_cil_whiteout_unpin,	TRACE_ITEM_KEYS)		\
	E(xfs_defer_add_item,		"type:s count:u")		\
	E(xfs_defer_create_intent,	TRACE_DEFER_KEYS)		\
	E(xfs_defer_finish,		TRACE_TRANS_KEYS)		\
	E(xfs_defer_finish_done,	TRACE_TRANS_KEYS)		\
	E(xfs_defer_finish_error,	"tid:x res:s rc:d")		\
	E(xfs_defer_pending_abort,	TRACE_DEFER_KEYS)		\
	E(xfs_defer_pending_finish,	TRACE_DEFER_KEYS)		\
	E(xfs_defer_relog_intent,	TRACE_DEFER_KEYS)		\
	E(xfs_extent_busy,		TRACE_BUSY_KEYS)		\
	E(xfs_extent_busy_clear,	TRACE_BUSY_KEYS)		\
	E(xfs_extent_busy_force,	TRACE_BUSY_KEYS)		\
	E(xfs_extent_busy_reuse,	TRACE_BUSY_KEYS)		\
	E(xfs_extent_busy_trim,		"agno:u agbno:x len:u tbno:x tlen:u") \
	E(xfs_force_shutdown,		"how:s why:q")			\
	E(xfs_inode_pin,		TRACE_INODE_KEYS)		\
	E(xfs_inode_push_pinned,	TRACE_INODE_KEYS)		\
	E(xfs_inode_unpin,		TRACE_INODE_KEYS)		\
	E(xfs_log_assign_tail_lsn,	"old:l new:l head:l")		\
	E(xfs_log_cil_wait,		"seq:u used:d")			\
	E(xfs_log_force,		"seq:u wait:u")			\
	E(xfs_log_grant_sleep,		TRACE_GRANT_KEYS)		\
	E(xfs_log_grant_wake,		TRACE_GRANT_KEYS)		\
	E(xfs_log_grant_wake_up,	TRACE_GRANT_KEYS)		\
	E(xfs_log_regrant,		TRACE_TICKET_KEYS)		\
	E(xfs_log_regrant_exit,		TRACE_TICKET_KEYS)		\
	E(xfs_log_reserve,		TRACE_TICKET_KEYS)		\
	E(xfs_log_reserve_exit,		TRACE_TICKET_KEYS)		\
	E(xfs_log_ticket_regrant,	TRACE_TICKET_KEYS)		\
	E(xfs_log_ticket_regrant_exit,	TRACE_TICKET_KEYS)		\
	E(xfs_log_ticket_ungrant,	TRACE_TICKET_KEYS)		\
	E(xfs_log_umount_write,		"tid:x")			\
	E(xfs_trans_add_item,		TRACE_ITEM_KEYS)		\
	E(xfs_trans_alloc,		TRACE_TRANS_KEYS)		\
	E(xfs_trans_cancel,		TRACE_TRANS_KEYS)		\
	E(xfs_trans_commit,		TRACE_TRANS_KEYS)		\
	E(xfs_trans_roll,		TRACE_TRANS_KEYS)		\
	E(xlog_ail_insert_abort,	TRACE_ITEM_KEYS)		\
	E(xlog_cil_commit,		"tid:x seq:u bytes:d headers:d") /* ours */ \
	E(xlog_cil_committed,		"seq:u lsn:l commit:l abort:u")	/* ours */ \
	E(xlog_cil_push,		"seq:u tid:x vectors:u bytes:u") /* ours */ \
	E(xlog_iclog_activate,		TRACE_ICLOG_KEYS)		\
	E(xlog_iclog_callback,		TRACE_ICLOG_KEYS)		\
	E(xlog_iclog_callbacks_done,	TRACE_ICLOG_KEYS)		\
	E(xlog_iclog_callbacks_start,	TRACE_ICLOG_KEYS)		\
	E(xlog_iclog_flush,		"what:s lsn:l")	/* ours */	\
	E(xlog_iclog_force,		TRACE_ICLOG_KEYS)		\
	E(xlog_iclog_force_lsn,		TRACE_ICLOG_KEYS)		\
	E(xlog_iclog_get_space,		TRACE_ICLOG_KEYS)		\
	E(xlog_iclog_release,		TRACE_ICLOG_KEYS)		\
	E(xlog_iclog_switch,		TRACE_ICLOG_KEYS)		\
	E(xlog_iclog_sync,		TRACE_ICLOG_KEYS)		\
	E(xlog_iclog_sync_done,		TRACE_ICLOG_KEYS)		\
	E(xlog_iclog_syncing,		TRACE_ICLOG_KEYS)		\
	E(xlog_iclog_wait_on,		TRACE_ICLOG_KEYS)		\
	E(xlog_iclog_write,		TRACE_ICLOG_KEYS)

#endif
