/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of log item types; see print_type.h.
 */
#include <stdio.h>
#include <string.h>

#include "cmd/print_opts.h"
#include "cmd/print_type.h"

const struct item_type item_types[] = {
	{ 0x123c, DETAIL_BUF, "buf", "BUF",
	  "changed parts of a metadata block" },
	{ 0x123b, DETAIL_INODE, "inode", "INODE",
	  "an inode: core, extents, inline data" },
	{ 0x123d, DETAIL_QUOTA, "dquot", "DQUOT",
	  "a quota record" },
	{ 0x123e, DETAIL_QUOTA, "quotaoff", "QUOTAOFF",
	  "quota being turned off" },
	{ 0x123f, DETAIL_OTHER, "icreate", "ICREATE",
	  "a chunk of new inodes" },
	{ 0x1236, DETAIL_OTHER, "efi", "EFI",
	  "intent to free extents" },
	{ 0x1237, DETAIL_OTHER, "efd", "EFD",
	  "extents freed" },
	{ 0x1240, DETAIL_OTHER, "rui", "RUI",
	  "intent to update reverse mappings" },
	{ 0x1241, DETAIL_OTHER, "rud", "RUD",
	  "reverse mappings updated" },
	{ 0x1242, DETAIL_OTHER, "cui", "CUI",
	  "intent to update reference counts" },
	{ 0x1243, DETAIL_OTHER, "cud", "CUD",
	  "reference counts updated" },
	{ 0x1244, DETAIL_OTHER, "bui", "BUI",
	  "intent to map or unmap file blocks" },
	{ 0x1245, DETAIL_OTHER, "bud", "BUD",
	  "file blocks mapped or unmapped" },
	{ 0x1246, DETAIL_OTHER, "attri", "ATTRI",
	  "intent to change an extended attribute" },
	{ 0x1247, DETAIL_OTHER, "attrd", "ATTRD",
	  "extended attribute changed" },
	{ 0x1248, DETAIL_OTHER, "xmi", "XMI",
	  "intent to exchange file mappings" },
	{ 0x1249, DETAIL_OTHER, "xmd", "XMD",
	  "file mappings exchanged" },
	{ 0x124a, DETAIL_OTHER, "efi_rt", "EFI_RT",
	  "efi on the realtime device" },
	{ 0x124b, DETAIL_OTHER, "efd_rt", "EFD_RT",
	  "efd on the realtime device" },
	{ 0x124c, DETAIL_OTHER, "rui_rt", "RUI_RT",
	  "rui on the realtime device" },
	{ 0x124d, DETAIL_OTHER, "rud_rt", "RUD_RT",
	  "rud on the realtime device" },
	{ 0x124e, DETAIL_OTHER, "cui_rt", "CUI_RT",
	  "cui on the realtime device" },
	{ 0x124f, DETAIL_OTHER, "cud_rt", "CUD_RT",
	  "cud on the realtime device" },
	{ .name = NULL },
};

int item_type_index(uint16_t type)
{
	for (int i = 0; item_types[i].name; i++)
		if (item_types[i].type == type)
			return i;
	return -1;
}

int item_type_find(const char *name)
{
	for (int i = 0; item_types[i].name; i++)
		if (!strcmp(item_types[i].name, name))
			return i;
	return -1;
}

void item_type_list(void)
{
	for (const struct item_type *t = item_types; t->name; t++)
		printf("%-9s 0x%x  %s\n", t->name, (unsigned int)t->type,
		       t->meaning);
}
