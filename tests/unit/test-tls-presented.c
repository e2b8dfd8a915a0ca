/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Certificate messages as a stranger may send them, looked at before GnuTLS works on them. */

#include <tls/presented.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define MESSAGE_MAX (128 * 1024)

struct bytes {
	uint8_t p[MESSAGE_MAX];
	size_t len;
};

static void add(struct bytes *b, const void *p, size_t len)
{
	assert_true(b->len + len <= sizeof(b->p));
	memcpy(b->p + b->len, p, len);
	b->len += len;
}

static void add_number(struct bytes *b, size_t n, size_t size)
{
	while (size-- > 0)
		add(b, &(uint8_t){ (uint8_t)(n >> (8 * size)) }, 1);
}

static void add_element(struct bytes *b, uint8_t tag, const void *p, size_t len)
{
	size_t size = len < 0x80 ? 0 : len < 0x100 ? 1 : len < 0x10000 ? 2 : 3;

	add(b, &tag, 1);
	if (size > 0)
		add_number(b, 0x80 | size, 1);
	add_number(b, len, size > 0 ? size : 1);
	add(b, p, len);
}

/* A certificate of which only the frame is right, with a public key and a name of these sizes. */
static void make_certificate(size_t key_size, size_t name_size, struct bytes *ret)
{
	static uint8_t zeros[64 * 1024];
	static struct bytes tbs, spki, body;

	tbs.len = spki.len = body.len = ret->len = 0;
	add_element(&tbs, 0xa0, "\x02\x01\x02", 3);
	add_element(&tbs, 0x02, "\x01", 1);
	add_element(&tbs, 0x30, "", 0);
	add_element(&tbs, 0x30, zeros, name_size);
	add_element(&tbs, 0x30, "", 0);
	add_element(&tbs, 0x30, "", 0);
	add_element(&spki, 0x30, "", 0);
	add_element(&spki, 0x03, zeros, key_size);
	add_element(&tbs, 0x30, spki.p, spki.len);
	add_element(&body, 0x30, tbs.p, tbs.len);
	add_element(&body, 0x30, "", 0);
	add_element(&body, 0x03, "", 0);
	add_element(ret, 0x30, body.p, body.len);
}

/* A message with @n certificates of which the last has these sizes, the others are small. */
static void make_message(bool tls13, int n, size_t key_size, size_t name_size, struct bytes *ret)
{
	static struct bytes list, certificate;

	list.len = ret->len = 0;
	for (int i = 1; i <= n; i++) {
		make_certificate(i == n ? key_size : 65, i == n ? name_size : 100, &certificate);
		add_number(&list, certificate.len, 3);
		add(&list, certificate.p, certificate.len);
		if (tls13)
			add_number(&list, 0, 2);
	}
	if (tls13)
		add_number(ret, 0, 1);
	add_number(ret, list.len, 3);
	add(ret, list.p, list.len);
}

static enum reason check(const struct bytes *message, size_t len, bool tls13)
{
	char buf[128] = "";
	struct text why = TEXT_INIT(buf);
	/* exactly as large as it says, so that a sanitizer sees a step beyond it */
	uint8_t *copy = malloc(len ? len : 1);
	enum reason reason;

	assert_non_null(copy);
	memcpy(copy, message->p, len);
	reason = tls_presented_check(copy, len, tls13, &why);
	free(copy);
	assert_int_equal(reason == REASON_OK, buf[0] == '\0');
	return reason;
}

static void sizes_are_judged(void **state _unused_)
{
	static const struct {
		int n;
		size_t key_size, name_size;
		enum reason want;
	} rows[] = {
		{ 1, 65, 100, REASON_OK },
		{ 3, 65, 100, REASON_OK },
		{ 1, TLS_PRESENTED_KEY_MAX, 100, REASON_OK },
		{ 1, TLS_PRESENTED_KEY_MAX + 1, 100, REASON_WEAK_KEY },
		{ 3, 16 * 1024, 100, REASON_WEAK_KEY },
		{ 1, 65, TLS_PRESENTED_DER_MAX - 200, REASON_OK },
		{ 1, 65, TLS_PRESENTED_DER_MAX, REASON_CERTIFICATE_TOO_LARGE },
		{ 4, 65, TLS_PRESENTED_DER_MAX, REASON_CERTIFICATE_TOO_LARGE },
	};
	static struct bytes message;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (int tls13 = 0; tls13 <= 1; tls13++) {
			make_message(tls13, rows[i].n, rows[i].key_size, rows[i].name_size,
				     &message);
			if (check(&message, message.len, tls13) != rows[i].want)
				fail_msg("row %zu, tls13 %d", i, tls13);
		}
	}
}

static void what_is_cut_off_is_left_to_others(void **state _unused_)
{
	static struct bytes message;

	for (int tls13 = 0; tls13 <= 1; tls13++) {
		make_message(tls13, 2, TLS_PRESENTED_KEY_MAX + 1, 10, &message);
		for (size_t len = 0; len < message.len; len++)
			assert_int_equal(check(&message, len, tls13), REASON_OK);
		assert_int_equal(check(&message, message.len, tls13), REASON_WEAK_KEY);
	}
}

/* A length in more bytes than it needs is BER: a laxer reader would find the key behind it. */
static void no_way_around(void **state _unused_)
{
	static const uint8_t outer[] = { 0, 0, 0, 12, 0, 0, 7, 0x30, 0x83, 0, 0, 3, 2, 1, 0, 0 };
	static struct bytes message;

	message.len = 0;
	add(&message, outer, sizeof(outer));
	assert_int_equal(check(&message, message.len, true), REASON_CERTIFICATE_MALFORMED);
}

static void odd_bytes_do_no_harm(void **state _unused_)
{
	static struct bytes message, bent;

	make_message(true, 1, 300, 10, &message);
	for (size_t at = 0; at < message.len && at < 200; at++) {
		for (int value = 0; value < 256; value += 17) {
			bent = message;
			bent.p[at] = (uint8_t)value;
			(void)check(&bent, bent.len, true);
			(void)check(&bent, bent.len, false);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_judged),
		cmocka_unit_test(what_is_cut_off_is_left_to_others),
		cmocka_unit_test(no_way_around),
		cmocka_unit_test(odd_bytes_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
