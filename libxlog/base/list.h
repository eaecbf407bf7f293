/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Intrusive doubly linked list: the links live in the members, so that an
 * insertion cannot fail and a member finds its neighbours. A struct list is a
 * head or a link; an empty head, and a link that is in no list, point to
 * themselves. No locking: the owner says which lock guards it.
 */
#ifndef LIBXLOG_BASE_LIST_H
#define LIBXLOG_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The structure of type @type whose member @member is at @ptr. */
#define container_of(ptr, type, member) \
	((type *)(void *)((char *)(ptr) - offsetof(type, member)))

struct list {
	struct list	*next;
	struct list	*prev;
};

static inline void list_init(struct list *head)
{
	head->next = head;
	head->prev = head;
}

static inline bool list_is_empty(const struct list *head)
{
	return head->next == head;
}

/* Insert @link, which is in no list, in front of @pos. */
static inline void list_insert_before(struct list *link, struct list *pos)
{
	link->prev = pos->prev;
	link->next = pos;
	pos->prev->next = link;
	pos->prev = link;
}

static inline void list_insert_first(struct list *link, struct list *head)
{
	list_insert_before(link, head->next);
}

static inline void list_insert_last(struct list *link, struct list *head)
{
	list_insert_before(link, head);
}

/* Take @link out of its list, if it is in one. */
static inline void list_remove(struct list *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	list_init(link);
}

/* All links of @from behind those of @head; @from is empty then. */
static inline void list_splice_last(struct list *from, struct list *head)
{
	if (from->next == from)
		return;
	from->next->prev = head->prev;
	head->prev->next = from->next;
	from->prev->next = head;
	head->prev = from->prev;
	list_init(from);
}

/* The first link of @head, or NULL. */
static inline struct list *list_first(const struct list *head)
{
	return head->next == head ? NULL : head->next;
}

static inline uint32_t list_length(const struct list *head)
{
	uint32_t n = 0;

	for (const struct list *l = head->next; l != head; l = l->next)
		n++;
	return n;
}

/* The link behind @link in the list of @head, or NULL. */
static inline struct list *list_next(const struct list *link,
				     const struct list *head)
{
	return link->next == head ? NULL : link->next;
}

#endif
