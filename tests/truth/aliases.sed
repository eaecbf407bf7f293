# SPDX-License-Identifier: LGPL-2.1-or-later
#
# From xfs_db's paths to those of libxfsfmt, for lines of
#	PLACE <tab> PATH <tab> VALUE
# A place begins with the version of the filesystem and the type: "v5 inode
# 131". Values stay as they are. "A|B": whichever of these fields there is.

# --- headers of groups: the prefix of the structure is left out ---
/^v. sb /s/\t/\tsb_/
/^v. agi /{
	s/\tino_blocks\t/\tiblocks\t/
	s/\tfino_blocks\t/\tfblocks\t/
	s/\t/\tagi_/
}
/^v. agf /{
	s/\trefcntblocks\t/\trefcount_blocks\t/
	s/\trefcntroot\t/\trefcount_root\t/
	s/\trefcntlevel\t/\trefcount_level\t/
	s/\trmapblocks\t/\trmap_blocks\t/
	s/\t/\tagf_/
}
/^v. agfl /{
	s/\t/\tagfl_/
}

# --- btrees, and roots of those of realtime groups in inodes ---
/^v. (bnobt|cntbt|inobt|finobt|rmapbt|refcntbt|bmapbt[ad]|rtrmapbt|rtrefcntbt) /{
	/\t(recs|keys|ptrs)\[/!{
		s/\tbno\t/\tblkno\t/
		s/\t/\thdr.bb_/
	}
	s/\t(ptrs\[[0-9]+\])\t/\t\1.ptr\t/
}
/^v. inode /{
	s/\tu3\.rtrefcbt\./\tu.rtrefcountbt./
	s/\tu3\.rtrmapbt\./\tu.rtrmapbt./
	s/(\tu\.rt(rmap|refcount)bt\.)(level|numrecs)\t/\1bb_\3\t/
}
/^v. (bnobt|cntbt) /s/(\t(recs|keys)\[[0-9]+\])\./\1.ar_/
/^v. f?inobt /s/(\t(recs|keys)\[[0-9]+\])\./\1.ir_/
/^v. (rtrefcntbt|refcntbt) |\tu\.rtrefcountbt\./{
	s/\.cowflag(_hi)?\t/.cow\1\t/
	s/([.\t](recs|keys)\[[0-9]+\])\./\1.rc_/
}
/^v. (rtrmapbt|rmapbt) |\tu\.rtrmapbt\./{
	s/\.extentflag(_hi)?\t/.unwritten\1\t/
	s/\.attrfork(_hi)?\t/.attr_fork\1\t/
	s/\.bmbtblock(_hi)?\t/.bmbt_block\1\t/
	s/([.\t](recs|keys)\[[0-9]+\])\./\1.rm_/
}

# --- inodes, and the extents in them and in their btrees ---
/^v. (free_)?inode /{
	s/\tu3\./\tu./
	# bits of di_flags and di_flags2, one by one
	s/\tcore\.extsz\t/\tcore.extsize_flag\t/
	s/\tcore\.(newrtbm|prealloc|realtime|immutable|append|sync|noatime|nodump|rtinherit|projinherit|nosymlinks|extsize_flag|extszinherit|nodefrag|filestream)\t/\tcore.flags.\1\t/
	s/\.extsize_flag\t/.extsize\t/
	s/\tv3\.cowextsz\t/\tv3.flags2.cowextsize\t/
	s/\tv3\.(reflink|dax|bigtime|nrext64|metadata)\t/\tv3.flags2.\1\t/
	s/\tcore\.nlinkv1\t/\tcore.onlink\t/
	s/\tcore\.nlinkv2\t/\tcore.nlink\t/
	s/\tcore\.naextents\t/\tcore.anextents\t/
	s/\tv3\.change_count\t/\tv3.changecount\t/
	s/\tv3\.inumber\t/\tv3.ino\t/
	s/\tv3\./\tcore./
	s/\tnext_unlinked\t/\tcore.next_unlinked\t/
	s/\tcore\./\tcore.di_/
	# the same bytes, or the same meaning, by version and flags
	s/\tcore\.di_onlink\t/\tcore.di_onlink|core.di_pad3|core.di_metatype\t/
	s/\tcore\.di_nextents\t/\tcore.di_nextents|core.di_big_nextents\t/
	s/\tcore\.di_anextents\t/\tcore.di_anextents|core.di_big_anextents\t/
	# a directory in the inode
	s/\tu\.sfdir[23]\./\tu.sfdir./
	s/\.(parent|inumber)\.i[48]\t/.\1\t/
	s/\.filetype\t/.ftype\t/
	# roots of btrees
	s/(\t[ua]\.bmbt\.)(level|numrecs)\t/\1bb_\2\t/
	s/(\.ptrs\[[0-9]+\])\t/\1.ptr\t/
}
/^v. (inode|free_inode|bmapbt[ad]) /{
	s/\.extentflag\t/.state\t/
	s/(\t(|[ua]\.bmbt\.)(recs|keys)\[[0-9]+\])\./\1.br_/
	s/(\t[ua]\.bmx\[[0-9]+\])\./\1.br_/
}

# --- directories and attributes ---
/^v. (dir_|da_node|attr_leaf)/{
	# an array of one element is none to us
	s/\t([lf]bests)\[0\]\t/\t\1[0]|\1\t/
	# xfs_db shows a node once as that of attributes, once as of directories
	s/\tnhdr\./\thdr./
	s/\tnbtree\[/\tbtree[/
	# what is a structure in a structure there is one here
	s/(hdr)\.info\.hdr\./\1./
	s/(hdr)\.info\./\1./
	s/([bdf]hdr)\.hdr\./\1./
	s/(hdr)\.bno\t/\1.blkno\t/
	s/\.filetype\t/.ftype\t/
}
# bits of the flags of an attribute, one by one
/^v. (attr_leaf|inode|free_inode) /s/\t((a\.sfattr\.list|entries)\[[0-9]+\])\.(incomplete|root|secure|local|parent)\t/\t\1.flags.\3\t/
/^v. (attr_leaf|inode|free_inode) /{
	s/\.parent_dir\.inumber\t/.parent.p_ino\t/
	s/\.parent_dir\.gen\t/.parent.p_gen\t/
}
/^v. attr_rmt /{
	s/\thdr\.bno\t/\thdr.blkno\t/
	s/\thdr\./\thdr.rm_/
}

# --- links ---
/^v. (long_)?symlink /{
	s/\tbno\t/\tblkno\t/
	s/\tdata\t/\ttarget\t/
	# version 4 has no header; xfs_db prints the target alone
	s/\t\?\t/\ttarget\t/
	/\ttarget\t/!s/\t/\thdr.sl_/
}

# --- quota ---
/^v. dquot /{
	s/\tdiskdq\./\td_/
	/\td_/!s/\t/\tdd_/
}

# --- realtime ---
/^v. rg(bitmap|summary) /{
	s/\tmagicnum\t/\tmagic\t/
	s/\tbno\t/\tblkno\t/
	s/\t(rtwords|suminfo)\[/\twords[0].rt_word[/
	/\twords\[/!s/\t/\trt_/
}
/^v. rtsb /s/\t/\trsb_/
