/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>

#include "libxlog/base/list.h"

struct thing {
	int		number;
	struct list	link;
};

static int number(const struct list *link)
{
	return container_of(link, struct thing, link)->number;
}

Test(list, starts_empty)
{
	struct list head;

	list_init(&head);
	cr_assert(list_is_empty(&head));
	cr_assert_null(list_first(&head));
}

Test(list, keeps_the_order_of_insertions_at_both_ends)
{
	struct thing a = { .number = 1 }, b = { .number = 2 };
	struct thing c = { .number = 3 };
	struct list head, *at;

	list_init(&head);
	list_insert_last(&b.link, &head);
	list_insert_last(&c.link, &head);
	list_insert_first(&a.link, &head);
	at = list_first(&head);
	cr_assert_eq(number(at), 1);
	at = list_next(at, &head);
	cr_assert_eq(number(at), 2);
	at = list_next(at, &head);
	cr_assert_eq(number(at), 3);
	cr_assert_null(list_next(at, &head));
}

Test(list_remove, closes_the_gap_and_may_be_repeated)
{
	struct thing a = { .number = 1 }, b = { .number = 2 };
	struct list head;

	list_init(&head);
	list_insert_last(&a.link, &head);
	list_insert_last(&b.link, &head);
	list_remove(&a.link);
	cr_assert_eq(number(list_first(&head)), 2);
	cr_assert(list_is_empty(&a.link));
	list_remove(&a.link);
	list_remove(&b.link);
	cr_assert(list_is_empty(&head));
}
