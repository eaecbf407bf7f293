/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A filesystem from scratch: see newfs.h. */
#include "tests/lib/newfs.h"

#include "libxfsfmt/crc32c.h"
#include "libxfsfmt/logitem_fmt.h"
#include "libxlog/trans/busy.h"
#include "libxlog/trans/counters.h"
#include "libxlog/trans/inode_item.h"

enum {
	CHUNK = 64,
	FREE_LIST = 6,
	LOG_BYTES = 16 << 20,
	SECTOR_MAX_BYTES = 32768,
	MAX_RECS = 16,
};

/* --- superblock --- */

static uint8_t log2_up(uint32_t n)
{
	uint8_t log = 0;

	while ((uint32_t)1 << log < n)
		log++;
	return log;
}

static void features(struct xfs_sb *sb, const struct newfs_options *o)
{
	sb->sb_versionnum = XFS_SB_VERSION_NLINKBIT |
			    XFS_SB_VERSION_ALIGNBIT | XFS_SB_VERSION_LOGV2BIT |
			    XFS_SB_VERSION_EXTFLGBIT |
			    XFS_SB_VERSION_DIRV2BIT |
			    XFS_SB_VERSION_MOREBITSBIT | (o->v4 ? 4 : 5);
	if (o->unaligned)
		sb->sb_versionnum &= (uint16_t)~XFS_SB_VERSION_ALIGNBIT;
	if (o->sectlog > 9)
		sb->sb_versionnum |= XFS_SB_VERSION_SECTORBIT;
	sb->sb_features2 = XFS_SB_VERSION2_ATTR2BIT |
			   XFS_SB_VERSION2_PROJID32BIT;
	if (!o->no_lazycount)
		sb->sb_features2 |= XFS_SB_VERSION2_LAZYSBCOUNTBIT;
	if (o->v4)
		return;
	sb->sb_features2 |= XFS_SB_VERSION2_CRCBIT;
	sb->sb_features_ro_compat =
		(o->finobt ? XFS_SB_RO_COMPAT_FINOBT : 0) |
		(o->rmapbt ? XFS_SB_RO_COMPAT_RMAPBT : 0) |
		(o->reflink ? XFS_SB_RO_COMPAT_REFLINK : 0) |
		(o->inobtcount ? XFS_SB_RO_COMPAT_INOBTCNT : 0);
	sb->sb_features_incompat = XFS_SB_INCOMPAT_FTYPE |
		(o->holemask ? XFS_SB_INCOMPAT_SPINODES : 0) |
		(o->nrext64 ? XFS_SB_INCOMPAT_NREXT64 : 0) |
		(o->bigtime ? XFS_SB_INCOMPAT_BIGTIME : 0);
}

static void superblock(struct newfs *n)
{
	const struct newfs_options *o = &n->opts;
	uint32_t chunk_bytes = (uint32_t)CHUNK << o->inodelog;
	struct xfs_sb *sb = &n->sb;

	*sb = (struct xfs_sb){
		.sb_magicnum = XFS_SB_MAGIC,
		.sb_blocklog = o->blocklog,
		.sb_blocksize = (uint32_t)1 << o->blocklog,
		.sb_sectlog = o->sectlog,
		.sb_sectsize = (uint16_t)(1 << o->sectlog),
		.sb_inodelog = o->inodelog,
		.sb_inodesize = (uint16_t)(1 << o->inodelog),
		.sb_inopblog = (uint8_t)(o->blocklog - o->inodelog),
		.sb_inopblock = (uint16_t)(1 << (o->blocklog - o->inodelog)),
		.sb_dirblklog = o->dirblklog,
		.sb_agblocks = o->agblocks,
		.sb_agcount = o->agcount,
		.sb_agblklog = log2_up(o->agblocks),
		.sb_dblocks = (uint64_t)o->agblocks * o->agcount,
		.sb_rextsize = 1,
		.sb_logblocks = o->log_bytes >> o->blocklog,
		.sb_logsunit = 1,
		.sb_inoalignmt = o->unaligned ? 0 :
				 chunk_bytes >> o->blocklog ?
				 chunk_bytes >> o->blocklog : 1,
		.sb_spino_align = o->holemask ?
				  chunk_bytes / 2 >> o->blocklog : 0,
		.sb_imax_pct = 25,
	};
	memset(sb->sb_uuid, 0x5a, sizeof(sb->sb_uuid));
	features(sb, o);
}

/* --- blocks --- */

static void put(struct newfs *n, xfs_agnumber_t agno, uint64_t off_bytes,
		uint8_t *raw, size_t len, size_t crc_off)
{
	const struct xfs_geom *g = &n->fs.geom;

	if (g->v5)
		put_le32(raw + crc_off, xfs_crc_block(raw, len, crc_off));
	cr_assert_eq(dev_write(n->data, ((uint64_t)agno * g->agblocks <<
					 g->blocklog) + off_bytes, raw, len),
		     0);
}

/* The root of a tree, which is all of it. */
struct leaf {
	enum xfs_btree_kind kind;
	unsigned int	count;
	union btree_rec	rec[MAX_RECS];
};

static void encode(const struct newfs *n, const struct leaf *l, uint8_t *at,
		   const union btree_rec *rec)
{
	switch (l->kind) {
	case XFS_BTREE_BNO:
	case XFS_BTREE_CNT:
		xfs_alloc_rec_encode(at, &rec->alloc, 0, XFS_BE);
		break;
	case XFS_BTREE_INO:
	case XFS_BTREE_FINO:
		xfs_inobt_rec_encode(at, &rec->ino, n->fs.geom.sparse ?
				     XFS_INOBT_SPARSE : 0, XFS_BE);
		break;
	default:
		xfs_rmap_rec_encode(at, &rec->rmap, XFS_RMAP_SPECIAL_OWNER,
				    XFS_BE);
	}
}

static void put_leaf(struct newfs *n, xfs_agnumber_t agno, xfs_agblock_t agbno,
		     const struct leaf *l)
{
	const struct xfs_geom *g = &n->fs.geom;
	const struct xfs_btree_ops *ops = &xfs_btree_ops[l->kind];
	uint8_t *raw = calloc(1, g->blocksize);
	size_t hdr = xfs_btree_hdr_bytes(l->kind, g->v5);
	struct xfs_btree_short head = {
		.bb_magic = g->v5 ? ops->crc_magic : ops->magic,
		.bb_numrecs = (uint16_t)l->count,
		.bb_leftsib = XFS_NULL_AGBLOCK,
		.bb_rightsib = XFS_NULL_AGBLOCK,
		.bb_blkno = xfs_agb_to_daddr(g, agno, agbno),
		.bb_owner = agno,
	};

	cr_assert_not_null(raw);
	memcpy(head.bb_uuid, g->meta_uuid, sizeof(head.bb_uuid));
	xfs_btree_short_encode(raw, &head, g->v5 ? XFS_BTREE_V5 : 0, XFS_BE);
	for (unsigned int i = 0; i < l->count; i++)
		encode(n, l, raw + hdr + i * ops->rec_bytes, &l->rec[i]);
	put(n, agno, (uint64_t)agbno << g->blocklog, raw, g->blocksize,
	    XFS_BTREE_SHORT_CRC_OFF);
	free(raw);
}

/* --- groups --- */

/* Where the first blocks of a group are; the same in all. */
struct layout {
	uint32_t	headers;	/* blocks */
	xfs_agblock_t	root[XFS_BTREE_REFC + 1], agfl, chunk, free;
	uint32_t	chunk_blocks;
	uint32_t	inodes;		/* of all chunks */
};

static uint32_t chunk_inodes(const struct newfs *n)
{
	return n->sb.sb_inopblock > CHUNK ? n->sb.sb_inopblock : CHUNK;
}

static void lay_out(const struct newfs *n, struct layout *l)
{
	const struct newfs_options *o = &n->opts;
	const uint32_t sectors = 4;
	const uint32_t align = o->unaligned ? 1 : n->sb.sb_inoalignmt;
	const bool has[] = {
		[XFS_BTREE_BNO] = true, [XFS_BTREE_CNT] = true,
		[XFS_BTREE_INO] = true, [XFS_BTREE_FINO] = o->finobt,
		[XFS_BTREE_RMAP] = o->rmapbt, [XFS_BTREE_REFC] = o->reflink,
	};
	xfs_agblock_t next;

	memset(l, 0, sizeof(*l));
	l->headers = ((sectors << o->sectlog) + n->sb.sb_blocksize - 1) >>
		     o->blocklog;
	next = l->headers;
	for (unsigned int kind = 0; kind <= XFS_BTREE_REFC; kind++)
		if (has[kind])
			l->root[kind] = next++;
	l->agfl = next;
	next += FREE_LIST;
	l->chunk = (next + align - 1) / align * align;
	if (o->unaligned)
		l->chunk |= 1;
	l->inodes = chunk_inodes(n) * o->chunks;
	l->chunk_blocks = (chunk_inodes(n) << o->inodelog) >> o->blocklog;
	l->free = l->chunk + l->chunk_blocks * o->chunks;
	cr_assert_lt(l->free, o->agblocks / 2);
}

static uint16_t holemask_of(const struct newfs *n, unsigned int chunk)
{
	return chunk % 2 ? n->opts.holemask : 0;
}

/* Has block @i of chunk @c no inodes? */
static bool is_hole(const struct newfs *n, unsigned int c, uint32_t i)
{
	return holemask_of(n, c) >> i * n->sb.sb_inopblock / 4 & 1;
}

/* Call @fn for each run of blocks of chunk @c that are holes, or are not. */
static void each_run(struct newfs *n, const struct layout *l, unsigned int c,
		     bool holes, struct leaf *f,
		     void (*fn)(struct leaf *f, xfs_agblock_t at, uint32_t len))
{
	xfs_agblock_t at = l->chunk + c * l->chunk_blocks;
	uint32_t i = 0, first;

	while (i < l->chunk_blocks) {
		for (first = i; i < l->chunk_blocks &&
		     is_hole(n, c, i) == holes; i++)
			;
		if (i > first)
			fn(f, at + first, i - first);
		else
			i++;
	}
}

static void add_extent(struct leaf *f, xfs_agblock_t at, uint32_t len)
{
	cr_assert_lt(f->count, MAX_RECS);
	f->rec[f->count++].alloc = (struct xfs_alloc_rec){ at, len };
}

/* The space of a group that inodes, holes and all, do not take. */
static void add_free(struct newfs *n, const struct layout *l, struct leaf *f)
{
	xfs_agblock_t before = l->agfl + FREE_LIST;

	if (l->chunk > before)
		add_extent(f, before, l->chunk - before);
	for (unsigned int c = 0; c < n->opts.chunks; c++)
		each_run(n, l, c, true, f, add_extent);
	add_extent(f, l->free, n->opts.agblocks - l->free);
}

static int by_size(const void *a, const void *b)
{
	const struct xfs_alloc_rec *x = &((const union btree_rec *)a)->alloc;
	const struct xfs_alloc_rec *y = &((const union btree_rec *)b)->alloc;

	if (x->ar_blockcount != y->ar_blockcount)
		return x->ar_blockcount < y->ar_blockcount ? -1 : 1;
	return x->ar_startblock < y->ar_startblock ? -1 : 1;
}

static void add_inodes(struct newfs *n, const struct layout *l,
		       struct leaf *f)
{
	uint32_t first = l->chunk << n->sb.sb_inopblog;

	for (uint32_t i = 0; i < l->inodes; i += CHUNK) {
		uint16_t holes = holemask_of(n, i / chunk_inodes(n));
		struct xfs_inobt_rec *rec = &f->rec[f->count++].ino;

		cr_assert_lt(f->count, MAX_RECS);
		*rec = (struct xfs_inobt_rec){
			.ir_startino = first + i, .ir_holemask = holes,
			.ir_count = CHUNK,
		};
		for (unsigned int b = 0; b < 16; b++)
			if (holes >> b & 1) {
				rec->ir_free |= (uint64_t)0xf << 4 * b;
				rec->ir_count -= 4;
			}
	}
}

static void add_owner(struct leaf *f, xfs_agblock_t at, uint32_t len,
		      uint64_t owner)
{
	struct xfs_rmap_rec *last = f->count ? &f->rec[f->count - 1].rmap :
					       NULL;

	if (last && last->rm_owner == owner &&
	    last->rm_startblock + last->rm_blockcount == at) {
		last->rm_blockcount += len;
		return;
	}
	cr_assert_lt(f->count, MAX_RECS);
	f->rec[f->count++].rmap = (struct xfs_rmap_rec){
		.rm_startblock = at, .rm_blockcount = len, .rm_owner = owner,
	};
}

static void add_chunk(struct leaf *f, xfs_agblock_t at, uint32_t len)
{
	add_owner(f, at, len, XFS_RMAP_OWN_INODES);
}

static void add_owners(struct newfs *n, const struct layout *l,
		       struct leaf *f)
{
	static const uint64_t own[] = {
		XFS_RMAP_OWN_AG, XFS_RMAP_OWN_AG, XFS_RMAP_OWN_INOBT,
		XFS_RMAP_OWN_INOBT, XFS_RMAP_OWN_AG, XFS_RMAP_OWN_REFC,
	};

	add_owner(f, 0, l->headers, XFS_RMAP_OWN_FS);
	for (unsigned int kind = 0; kind <= XFS_BTREE_REFC; kind++)
		if (l->root[kind])
			add_owner(f, l->root[kind], 1, own[kind]);
	add_owner(f, l->agfl, FREE_LIST, XFS_RMAP_OWN_AG);
	for (unsigned int c = 0; c < n->opts.chunks; c++)
		each_run(n, l, c, false, f, add_chunk);
}

static uint32_t put_trees(struct newfs *n, const struct layout *l,
			  xfs_agnumber_t agno, uint32_t *longest)
{
	struct leaf f = { .kind = XFS_BTREE_BNO };
	uint32_t blocks = 0;

	*longest = 0;
	add_free(n, l, &f);
	put_leaf(n, agno, l->root[XFS_BTREE_BNO], &f);
	qsort(f.rec, f.count, sizeof(f.rec[0]), by_size);
	f.kind = XFS_BTREE_CNT;
	put_leaf(n, agno, l->root[XFS_BTREE_CNT], &f);
	for (unsigned int i = 0; i < f.count; i++) {
		*longest = f.rec[i].alloc.ar_blockcount;
		blocks += *longest;
	}
	f = (struct leaf){ .kind = XFS_BTREE_INO };
	add_inodes(n, l, &f);
	put_leaf(n, agno, l->root[XFS_BTREE_INO], &f);
	f = (struct leaf){ .kind = XFS_BTREE_FINO };
	if (n->opts.finobt)
		put_leaf(n, agno, l->root[XFS_BTREE_FINO], &f);
	f.kind = XFS_BTREE_RMAP;
	add_owners(n, l, &f);
	if (n->opts.rmapbt)
		put_leaf(n, agno, l->root[XFS_BTREE_RMAP], &f);
	f = (struct leaf){ .kind = XFS_BTREE_REFC };
	if (n->opts.reflink)
		put_leaf(n, agno, l->root[XFS_BTREE_REFC], &f);
	return blocks;
}

static unsigned int version(const struct newfs *n)
{
	return n->opts.v4 ? 0 : XFS_AG_V5;
}

static void put_headers(struct newfs *n, const struct layout *l,
			xfs_agnumber_t agno, uint32_t freeblks,
			uint32_t longest)
{
	const struct newfs_options *o = &n->opts;
	size_t sect = n->sb.sb_sectsize;
	uint8_t *raw = calloc(1, sect);
	struct xfs_agf agf = {
		.agf_magicnum = XFS_AGF_MAGIC, .agf_versionnum = 1,
		.agf_seqno = agno, .agf_length = o->agblocks,
		.agf_bnoroot = l->root[XFS_BTREE_BNO], .agf_bnolevel = 1,
		.agf_cntroot = l->root[XFS_BTREE_CNT], .agf_cntlevel = 1,
		.agf_rmaproot = l->root[XFS_BTREE_RMAP],
		.agf_rmaplevel = o->rmapbt, .agf_rmap_blocks = o->rmapbt,
		.agf_refcount_root = l->root[XFS_BTREE_REFC],
		.agf_refcount_level = o->reflink,
		.agf_refcount_blocks = o->reflink,
		.agf_fllast = FREE_LIST - 1, .agf_flcount = FREE_LIST,
		.agf_freeblks = freeblks, .agf_longest = longest,
	};
	struct xfs_agi agi = {
		.agi_magicnum = XFS_AGI_MAGIC, .agi_versionnum = 1,
		.agi_seqno = agno, .agi_length = o->agblocks,
		.agi_count = newfs_inodes(n),
		.agi_root = l->root[XFS_BTREE_INO], .agi_level = 1,
		.agi_newino = XFS_NULL_AGINO, .agi_dirino = XFS_NULL_AGINO,
		.agi_free_root = l->root[XFS_BTREE_FINO],
		.agi_free_level = o->finobt,
		.agi_iblocks = o->inobtcount,
		.agi_fblocks = o->inobtcount && o->finobt,
	};
	struct xfs_agfl agfl = {
		.agfl_magicnum = XFS_AGFL_MAGIC, .agfl_seqno = agno,
	};
	uint8_t *bno = raw + (o->v4 ? 0 : xfs_agfl_size);

	cr_assert_not_null(raw);
	memcpy(agf.agf_uuid, n->sb.sb_uuid, 16);
	memcpy(agi.agi_uuid, n->sb.sb_uuid, 16);
	memcpy(agfl.agfl_uuid, n->sb.sb_uuid, 16);
	xfs_agf_encode(raw, &agf, version(n), XFS_BE);
	put(n, agno, sect, raw, sect, XFS_AGF_CRC_OFF);
	memset(raw, 0, sect);
	memset(agi.agi_unlinked, 0xff, sizeof(agi.agi_unlinked));
	xfs_agi_encode(raw, &agi, version(n), XFS_BE);
	put(n, agno, 2 * sect, raw, sect, XFS_AGI_CRC_OFF);
	memset(raw, 0, sect);
	memset(bno, 0xff, 4 * (size_t)xfs_agfl_entries(&n->fs.geom));
	if (!o->v4)
		xfs_agfl_encode(raw, &agfl, 0, XFS_BE);
	for (uint32_t i = 0; i < FREE_LIST; i++)
		put_be32(bno + (size_t)4 * i, l->agfl + i);
	put(n, agno, 3 * sect, raw, sect, XFS_AGFL_CRC_OFF);
	free(raw);
}

/* --- inodes --- */

static void put_inode(struct newfs *n, xfs_agnumber_t agno, xfs_agino_t agino)
{
	const struct xfs_geom *g = &n->fs.geom;
	uint8_t raw[XFS_DINODE_MAX_BYTES] = { 0 };
	struct xfs_dinode di = {
		.di_magic = XFS_DINODE_MAGIC, .di_mode = XFS_MODE_REG | 0600,
		.di_version = g->v5 ? 3 : 2,
		.di_format = XFS_DINODE_FMT_EXTENTS,
		.di_aformat = XFS_DINODE_FMT_EXTENTS,
		.di_gen = 7, .di_next_unlinked = XFS_NULL_AGINO,
		.di_ino = xfs_ino_make(g, agno, agino),
		.di_flags2 = (g->nrext64 ? XFS_DIFLAG2_NREXT64 : 0) |
			     (g->bigtime ? XFS_DIFLAG2_BIGTIME : 0),
	};

	memcpy(di.di_uuid, g->meta_uuid, 16);
	xfs_dinode_encode(raw, &di, xfs_dinode_variant(&di), XFS_BE);
	put(n, agno, (uint64_t)agino << g->inodelog, raw, g->inodesize,
	    XFS_DINODE_CRC_OFF);
}

/* The agino of inode @i of those that there are. */
static xfs_agino_t agino_of(const struct newfs *n, unsigned int i)
{
	xfs_agino_t agino = n->chunk0 << n->sb.sb_inopblog;

	for (unsigned int slot = 0;; slot++, agino++) {
		uint16_t holes = holemask_of(n, slot / chunk_inodes(n));

		if (holes >> (slot % CHUNK / 4) & 1)
			continue;
		if (!i--)
			return agino;
	}
}

unsigned int newfs_inodes(const struct newfs *n)
{
	unsigned int count = 0;

	for (unsigned int c = 0; c < n->opts.chunks; c++) {
		count += chunk_inodes(n);
		for (unsigned int b = 0; b < 16; b++)
			if (holemask_of(n, c) >> b & 1)
				count -= 4;
	}
	return count;
}

xfs_ino_t newfs_ino(const struct newfs *n, xfs_agnumber_t agno, unsigned int i)
{
	return xfs_ino_make(&n->fs.geom, agno, agino_of(n, i));
}

/* --- all of it --- */

static void put_group(struct newfs *n, const struct layout *l,
		      xfs_agnumber_t agno)
{
	uint32_t longest, freeblks = put_trees(n, l, agno, &longest);

	put_headers(n, l, agno, freeblks, longest);
	for (unsigned int i = 0; i < newfs_inodes(n); i++)
		put_inode(n, agno, agino_of(n, i));
	n->sb.sb_fdblocks += freeblks + FREE_LIST;
	n->sb.sb_icount += newfs_inodes(n);
}

static void put_superblock(struct newfs *n)
{
	uint8_t raw[SECTOR_MAX_BYTES] = { 0 };
	const char *why;

	xfs_sb_encode(raw, &n->sb, n->opts.v4 ? 0 : XFS_SB_V5, XFS_BE);
	put(n, 0, 0, raw, n->sb.sb_sectsize, XFS_SB_CRC_OFF);
	xfs_sb_decode(&n->sb, raw, xfs_sb_size, XFS_BE);
	why = xfs_sb_verify(&n->sb, raw, n->sb.sb_sectsize);
	cr_assert_null(why, "%s", why);
}

static void set_defaults(struct newfs_options *o)
{
	o->blocklog = o->blocklog ? o->blocklog : 12;
	o->sectlog = o->sectlog ? o->sectlog : 9;
	o->inodelog = o->inodelog ? o->inodelog : o->v4 ? 8 : 9;
	o->agcount = o->agcount ? o->agcount : 2;
	o->agblocks = o->agblocks ? o->agblocks : 4096;
	o->chunks = o->chunks ? o->chunks : 1;
	o->log_bytes = o->log_bytes ? o->log_bytes : LOG_BYTES;
}

static void open_log(struct newfs *n)
{
	struct log_config c = {
		.flags = LOG_NO_THREADS,
		.dev = n->logdev, .data = n->data,
		.sunit_bytes = 1, .sector_bytes = n->sb.sb_sectsize,
		.head = xfs_lsn_make(++n->cycle, 0), .prev_block = UINT32_MAX,
		.seed = 1,
		.write_back = trans_write_back, .write_back_ctx = &n->fs,
		.busy_done = busy_done, .busy_ctx = n->fs.busy,
		.sink = n->fs.sink,
	};

	if (n->opts.recovered)
		c.tail = c.head;
	memcpy(c.uuid, n->sb.sb_uuid, 16);
	cr_assert_eq(log_open(&c, &n->fs.log), 0, "%s", n->said.text);
}

static void begin(struct newfs *n)
{
	const struct sink sink = reports_sink(&n->said);

	cr_assert_eq(trans_fs_init(&n->fs, &n->sb, n->data, 0, &sink), 0);
	cr_assert_eq(perags_new(&n->fs), 0);
	open_log(n);
}

static void end(struct newfs *n)
{
	log_close(n->fs.log);
	perags_free(&n->fs);
	trans_fs_fini(&n->fs);
}

struct newfs *newfs_new(const struct newfs_options *opts)
{
	struct newfs *n = calloc(1, sizeof(*n));
	struct sink sink;
	struct layout l;

	cr_assert_not_null(n);
	sink = reports_sink(&n->said);
	n->opts = *opts;
	set_defaults(&n->opts);
	superblock(n);
	xfs_geom_init(&n->fs.geom, &n->sb);
	n->data = memdev_zeros(n->sb.sb_dblocks << n->opts.blocklog, &sink);
	n->logdev = memdev_zeros(n->opts.log_bytes, &sink);
	lay_out(n, &l);
	n->chunk0 = l.chunk;
	n->free0 = l.free;
	for (xfs_agnumber_t agno = 0; agno < n->opts.agcount; agno++)
		put_group(n, &l, agno);
	put_superblock(n);
	begin(n);
	return n;
}

void newfs_free(struct newfs *n)
{
	end(n);
	dev_close(n->logdev);
	dev_close(n->data);
	free(n);
}

void newfs_settle(struct newfs *n)
{
	cr_assert_eq(log_quiesce(n->fs.log), 0, "%s", n->said.text);
}

static uint64_t counter(const struct newfs *n, enum trans_sb_field field)
{
	return (uint64_t)counters_read(&n->fs, field);
}

void newfs_forget(struct newfs *n)
{
	newfs_settle(n);
	n->sb.sb_icount = counter(n, TRANS_SB_ICOUNT);
	n->sb.sb_ifree = counter(n, TRANS_SB_IFREE);
	n->sb.sb_fdblocks = counter(n, TRANS_SB_FDBLOCKS);
	end(n);
	begin(n);
}
