/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ATTRI items: an extended attribute will be set, removed or replaced; its
 * name and value are regions of their own. XMI items: two files will exchange
 * mappings.
 */
#include "libxfsfmt/attr.h"
#include "libxfsfmt/logitem_priv.h"

XFS_DEFINE(xfs_attri_log_format, XFS_ATTRI_LOG_FORMAT_ROWS)
XFS_DEFINE_ENCODE(xfs_attri_log_format, XFS_ATTRI_LOG_FORMAT_ROWS)
XFS_DEFINE(xfs_attrd_log_format, XFS_ATTRD_LOG_FORMAT_ROWS)
XFS_DEFINE(xfs_xmi_log_format, XFS_XMI_LOG_FORMAT_ROWS)
XFS_DEFINE_ENCODE(xfs_xmi_log_format, XFS_XMI_LOG_FORMAT_ROWS)
XFS_DEFINE(xfs_xmd_log_format, XFS_XMD_LOG_FORMAT_ROWS)

const struct xfs_name xfs_attri_op_names[] = {
	{ XFS_ATTRI_SET, "set" },
	{ XFS_ATTRI_REMOVE, "remove" },
	{ XFS_ATTRI_REPLACE, "replace" },
	{ XFS_ATTRI_PPTR_SET, "pptr_set" },
	{ XFS_ATTRI_PPTR_REMOVE, "pptr_remove" },
	{ XFS_ATTRI_PPTR_REPLACE, "pptr_replace" },
	{ .name = NULL },
};

const struct xfs_name xfs_attri_filter_names[] = {
	{ XFS_ATTRI_FILTER_ROOT, "root" },
	{ XFS_ATTRI_FILTER_SECURE, "secure" },
	{ XFS_ATTRI_FILTER_PARENT, "parent" },
	{ XFS_ATTRI_FILTER_INCOMPLETE, "incomplete" },
	{ .name = NULL },
};

const struct xfs_name xfs_exchmaps_flag_names[] = {
	{ XFS_EXCHMAPS_ATTR_FORK, "attr_fork" },
	{ XFS_EXCHMAPS_SET_SIZES, "set_sizes" },
	{ XFS_EXCHMAPS_INO1_WRITTEN, "ino1_written" },
	{ XFS_EXCHMAPS_CLEAR_INO1_REFLINK, "clear_ino1_reflink" },
	{ XFS_EXCHMAPS_CLEAR_INO2_REFLINK, "clear_ino2_reflink" },
	{ .name = NULL },
};

enum { ATTRI_BYTES = xfs_attri_log_format_size };

static bool has_two_names(const struct xfs_attri_log_format *fmt)
{
	return fmt->alfi_op_flags == XFS_ATTRI_PPTR_REPLACE;
}

static bool is_parent_op(uint32_t op)
{
	return op >= XFS_ATTRI_PPTR_SET && op <= XFS_ATTRI_PPTR_REPLACE;
}

/* The next region as a string of @len bytes and its padding. */
static const char *take(const struct xfs_logitem_view *v, unsigned int *next,
			uint32_t len_bytes, const uint8_t **data,
			uint32_t *out_bytes)
{
	const struct xfs_log_region *r = logitem_region(v, *next);

	if (!r)
		return "region of a name or value missing";
	if (len_bytes > XFS_ATTRI_VALUE_MAX ||
	    r->len_bytes != logitem_padded(len_bytes))
		return "region not as long as its name or value";
	*data = r->data;
	*out_bytes = len_bytes;
	(*next)++;
	return NULL;
}

static const char *take_strings(const struct xfs_logitem_view *v,
				struct xfs_logitem_attri *a)
{
	uint32_t name_bytes = a->fmt.alfi_name_len;
	uint32_t value_bytes = a->fmt.alfi_value_len;
	unsigned int next = 1;
	const char *why;

	if (has_two_names(&a->fmt))
		name_bytes = a->fmt.alfi_old_name_len;
	why = take(v, &next, name_bytes, &a->name, &a->name_bytes);
	if (why)
		return why;
	if (has_two_names(&a->fmt)) {
		why = take(v, &next, a->fmt.alfi_new_name_len, &a->new_name,
			   &a->new_name_bytes);
		if (why)
			return why;
	}
	if (value_bytes) {
		why = take(v, &next, value_bytes, &a->value, &a->value_bytes);
		if (why)
			return why;
	}
	if (has_two_names(&a->fmt) && value_bytes) {
		why = take(v, &next, value_bytes, &a->new_value,
			   &a->new_value_bytes);
		if (why)
			return why;
	}
	return next < v->nregions ? "more regions than names and values" : NULL;
}

const char *xfs_logitem_attri(const struct xfs_logitem_view *v,
			      struct xfs_logitem_attri *attri)
{
	uint32_t bytes = logitem_fmt_bytes(v);

	*attri = (struct xfs_logitem_attri){ .name = NULL };
	if (bytes)
		xfs_attri_log_format_decode(&attri->fmt, v->regions[0].data,
					    bytes, v->order);
	if (bytes < ATTRI_BYTES)
		return "attribute intent too short";
	return take_strings(v, attri);
}

/* Names of files, which parent pointers hold, have no slash either. */
static const char *check_name(const uint8_t *name, uint32_t len_bytes,
			      bool parent)
{
	if (!len_bytes || len_bytes > XFS_ATTRI_NAME_MAX)
		return "attribute name length out of range";
	if (memchr(name, 0, len_bytes) ||
	    (parent && memchr(name, '/', len_bytes)))
		return "attribute name with an impossible character";
	return NULL;
}

static const char *check_lengths(const struct xfs_attri_log_format *fmt)
{
	if (is_parent_op(fmt->alfi_op_flags))
		return fmt->alfi_value_len == xfs_parent_rec_size ? NULL :
		       "parent pointer of a wrong length";
	if (fmt->alfi_op_flags == XFS_ATTRI_REMOVE && fmt->alfi_value_len)
		return "value for an attribute to be removed";
	return fmt->alfi_value_len > XFS_ATTRI_VALUE_MAX ?
	       "attribute value too long" : NULL;
}

static const char *attri_verify(const struct xfs_logitem_view *v)
{
	uint32_t filter = XFS_ATTRI_FILTER_ROOT | XFS_ATTRI_FILTER_SECURE |
			  XFS_ATTRI_FILTER_PARENT |
			  XFS_ATTRI_FILTER_INCOMPLETE;
	struct xfs_logitem_attri a;
	const char *strings = xfs_logitem_attri(v, &a);
	bool parent = a.fmt.alfi_attr_filter & XFS_ATTRI_FILTER_PARENT;
	const char *why;

	if (logitem_fmt_bytes(v) != ATTRI_BYTES)
		return "length is not that of an attribute intent";
	if (a.fmt.alfi_op_flags < XFS_ATTRI_SET ||
	    a.fmt.alfi_op_flags > XFS_ATTRI_PPTR_REPLACE)
		return "unknown operation on an attribute";
	if (a.fmt.alfi_attr_filter & ~filter)
		return "unknown attribute name space";
	if (is_parent_op(a.fmt.alfi_op_flags) && !parent)
		return "parent pointer outside its name space";
	why = check_lengths(&a.fmt);
	if (why)
		return why;
	if (strings)
		return strings;
	why = check_name(a.name, a.name_bytes, parent);
	if (!why && has_two_names(&a.fmt))
		why = check_name(a.new_name, a.new_name_bytes, parent);
	return why ? why : xfs_logitem_check_ino(v->geom, a.fmt.alfi_ino);
}

static void show_string(const struct xfs_walk *w, const char *name,
			enum xfs_field_kind kind, const uint8_t *data,
			uint32_t len_bytes)
{
	if (data)
		w->ops->bytes(w->ctx, name, kind, data, len_bytes);
}

/* The value of a parent pointer is a structure. */
static void show_value(const struct xfs_walk *w, const char *name,
		       bool parent, const uint8_t *data, uint32_t len_bytes)
{
	struct xfs_walk value = *w;

	if (!parent || !data) {
		show_string(w, name, XFS_KIND_BYTES, data, len_bytes);
		return;
	}
	value.base = data;
	value.len_bytes = len_bytes;
	xfs_walk_group(&value, name, -1, xfs_parent_rec_fields, 0, 0);
}

static void attri_walk(const struct xfs_logitem_view *v,
		       const struct xfs_walk *w)
{
	struct xfs_logitem_attri a;
	bool parent;

	/* what could be told before a fault is shown, the fault is verify's */
	(void)xfs_logitem_attri(v, &a);
	xfs_walk_fields(w, xfs_attri_log_format_fields, 0,
			has_two_names(&a.fmt) ? XFS_ATTRI_TWO_NAMES : 0);
	show_string(w, "name", XFS_KIND_CHARS, a.name, a.name_bytes);
	show_string(w, "new_name", XFS_KIND_CHARS, a.new_name,
		    a.new_name_bytes);
	parent = is_parent_op(a.fmt.alfi_op_flags);
	show_value(w, "value", parent, a.value, a.value_bytes);
	show_value(w, "new_value", parent, a.new_value, a.new_value_bytes);
}

/* A parent pointer's value begins with the inode of the directory. */
static void touch_parent(const struct touch_sink *sink, const uint8_t *value,
			 uint32_t len_bytes)
{
	if (value && len_bytes == xfs_parent_rec_size)
		xfs_touch_inodes(sink, get_be64(value), 1);
}

static void attri_touches(const struct xfs_logitem_view *v,
			  const struct touch_sink *sink)
{
	struct xfs_logitem_attri a;

	(void)xfs_logitem_attri(v, &a);
	if (logitem_fmt_bytes(v) < ATTRI_BYTES)
		return;
	xfs_touch_inodes(sink, a.fmt.alfi_ino, 1);
	if (is_parent_op(a.fmt.alfi_op_flags)) {
		touch_parent(sink, a.value, a.value_bytes);
		touch_parent(sink, a.new_value, a.new_value_bytes);
	}
}

const struct xfs_logitem_ops xfs_logitem_attri_ops = {
	2, 5, attri_verify, attri_walk, attri_touches,
};

/* --- XMI --- */

static const char *xmi_verify(const struct xfs_logitem_view *v)
{
	uint64_t flags = XFS_EXCHMAPS_ATTR_FORK | XFS_EXCHMAPS_SET_SIZES |
			 XFS_EXCHMAPS_INO1_WRITTEN |
			 XFS_EXCHMAPS_CLEAR_INO1_REFLINK |
			 XFS_EXCHMAPS_CLEAR_INO2_REFLINK;
	struct xfs_xmi_log_format fmt;
	const char *why;

	if (logitem_fmt_bytes(v) != xfs_xmi_log_format_size)
		return "length is not that of an exchange intent";
	xfs_xmi_log_format_decode(&fmt, v->regions[0].data,
				  xfs_xmi_log_format_size, v->order);
	if (fmt.xmi_pad)
		return "padding of an exchange intent not zero";
	if (fmt.xmi_flags & ~flags)
		return "unknown flags of an exchange intent";
	why = xfs_logitem_check_ino(v->geom, fmt.xmi_inode1);
	return why ? why : xfs_logitem_check_ino(v->geom, fmt.xmi_inode2);
}

static void xmi_walk(const struct xfs_logitem_view *v,
		     const struct xfs_walk *w)
{
	(void)v;
	xfs_walk_fields(w, xfs_xmi_log_format_fields, 0, 0);
}

static void xmi_touches(const struct xfs_logitem_view *v,
			const struct touch_sink *sink)
{
	struct xfs_xmi_log_format fmt;

	if (logitem_fmt_bytes(v) < xfs_xmi_log_format_size)
		return;
	xfs_xmi_log_format_decode(&fmt, v->regions[0].data,
				  xfs_xmi_log_format_size, v->order);
	xfs_touch_inodes(sink, fmt.xmi_inode1, 1);
	xfs_touch_inodes(sink, fmt.xmi_inode2, 1);
}

const struct xfs_logitem_ops xfs_logitem_xmi_ops = {
	1, 1, xmi_verify, xmi_walk, xmi_touches,
};
