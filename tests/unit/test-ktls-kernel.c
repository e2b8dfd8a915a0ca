/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The kernel's side of the bargain: known keys on a loopback connection, both ends ours. On a
 * kernel without the tls protocol every test is counted as skipped; tests/kernel/run has kernels
 * with it.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <poll.h>
#include <siptls/ktls.h>
#include <sys/socket.h>

#define WAIT_MS 10000
#define STEP_MS 10

static struct ktls_support support;

/* ---- a connection with ourselves ---- */

struct pair {
	int a, b;
};

static struct pair pair_make(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct pair pair = { .a = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };

	assert_true(listener >= 0 && pair.a >= 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
	assert_int_equal(connect(pair.a, (struct sockaddr *)&address, len), 0);
	pair.b = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(pair.b >= 0);
	close(listener);
	return pair;
}

static void pair_close(struct pair *pair)
{
	pair->a = fd_close(pair->a);
	pair->b = fd_close(pair->b);
}

/* Number @generation of the keys from one end to the other. TLS 1.2 counts on in the iv's end. */
static struct traffic_keys keys_of(bool from_a, uint8_t generation, uint64_t seq)
{
	struct traffic_keys keys = { .seq = seq };

	for (uint8_t i = 0; i < sizeof(keys.key); i++)
		keys.key[i] = (uint8_t)(i * 7 + generation * 31 + from_a);
	for (uint8_t i = 0; i < 4; i++)
		keys.iv[i] = (uint8_t)(i + from_a);
	for (uint8_t i = 0; i < 8; i++)
		keys.iv[4 + i] = (uint8_t)(seq >> (56 - 8 * i));
	return keys;
}

static void pair_install(const struct pair *pair, enum ktls_version version,
			 enum ktls_cipher cipher, uint64_t seq)
{
	struct traffic_keys from_a = keys_of(true, 0, seq), from_b = keys_of(false, 0, seq);

	assert_int_equal(ktls_ulp_set(pair->a), 0);
	assert_int_equal(ktls_ulp_set(pair->b), 0);
	assert_int_equal(ktls_install(pair->a, version, cipher, &from_a, &from_b), 0);
	assert_int_equal(ktls_install(pair->b, version, cipher, &from_b, &from_a), 0);
}

static struct pair pair_secure(void)
{
	struct pair pair = pair_make();

	pair_install(&pair, KTLS_TLS13, KTLS_AES_128_GCM, 0);
	return pair;
}

static void wait_readable(int fd)
{
	struct pollfd poller = { .fd = fd, .events = POLLIN | POLLRDHUP };

	assert_int_equal(poll(&poller, 1, WAIT_MS), 1);
}

static void send_data(int fd, const char *data)
{
	assert_int_equal(send(fd, data, strlen(data), MSG_NOSIGNAL), strlen(data));
}

static void assert_receives(int fd, uint8_t type, const void *data, size_t len)
{
	uint8_t buf[256], found;
	size_t n;
	int r;

	/* Not by poll: it does not tell of a KeyUpdate that was decrypted behind data. */
	for (int i = 0; (r = ktls_recv(fd, buf, sizeof(buf), &n, &found)) == KTLS_E_AGAIN; i++) {
		assert_true(i < WAIT_MS / STEP_MS);
		usleep(STEP_MS * 1000);
	}
	assert_int_equal(r, 0);
	assert_int_equal(found, type);
	assert_int_equal(n, len);
	assert_memory_equal(buf, data, len);
}

static void assert_data(int fd, const char *data)
{
	assert_receives(fd, KTLS_RECORD_DATA, data, strlen(data));
}

static int recv_outcome(int fd)
{
	uint8_t buf[256], type;
	size_t n;

	return ktls_recv(fd, buf, sizeof(buf), &n, &type);
}

static void need_ulp(void)
{
	if (!support.ulp) {
		print_message("skipped: this kernel has no tls protocol\n");
		skip();
	}
}

/* ---- keys and data ---- */

/* What the probe has not found must not work. */
static void assert_no_cipher(enum ktls_version version, enum ktls_cipher cipher)
{
	struct traffic_keys keys = keys_of(true, 0, 0);
	struct pair pair = pair_make();

	assert_int_equal(ktls_ulp_set(pair.a), 0);
	assert_int_equal(ktls_install(pair.a, version, cipher, &keys, &keys), KTLS_E_NO_CIPHER);
	pair_close(&pair);
}

static void test_data(void **state)
{
	static const uint64_t numbers[] = { 0, 1, UINT64_C(0x0123456789abcdef) };

	(void)state;
	need_ulp();
	for (enum ktls_version version = 0; version < _KTLS_VERSION_MAX; version++) {
		for (enum ktls_cipher cipher = 0; cipher < _KTLS_CIPHER_MAX; cipher++) {
			if (!(support.ciphers[version] & 1 << cipher)) {
				assert_no_cipher(version, cipher);
				continue;
			}
			for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
				struct pair pair = pair_make();
				uint64_t seq;

				pair_install(&pair, version, cipher, numbers[i]);
				send_data(pair.a, "INVITE");
				assert_data(pair.b, "INVITE");
				send_data(pair.b, "200");
				send_data(pair.b, " OK");
				assert_int_equal(ktls_sequence(pair.b, KTLS_TX, &seq), 0);
				assert_true(seq == numbers[i] + 2);
				assert_data(pair.a, "200 OK");
				assert_int_equal(ktls_sequence(pair.a, KTLS_RX, &seq), 0);
				assert_true(seq == numbers[i] + 2);
				assert_int_equal(ktls_sequence(pair.a, KTLS_TX, &seq), 0);
				assert_true(seq == numbers[i] + 1);
				assert_int_equal(ktls_sequence(pair.b, KTLS_RX, &seq), 0);
				assert_true(seq == numbers[i] + 1);
				pair_close(&pair);
			}
		}
	}
}

/* What travels is a record, and the words are not in it. */
static void test_ciphertext(void **state)
{
	struct pair pair;
	struct traffic_keys tx = keys_of(true, 0, 0), rx = keys_of(false, 0, 0);
	uint8_t wire[256];
	ssize_t n;

	(void)state;
	need_ulp();
	pair = pair_make();
	assert_int_equal(ktls_ulp_set(pair.a), 0);
	assert_int_equal(ktls_install(pair.a, KTLS_TLS13, KTLS_AES_256_GCM, &tx, &rx), 0);
	send_data(pair.a, "a secret word");
	wait_readable(pair.b);
	n = recv(pair.b, wire, sizeof(wire), 0);
	assert_int_equal(n, 5 + 13 + 1 + 16);
	assert_memory_equal(wire, "\x17\x03\x03", 3);
	assert_null(memmem(wire, (size_t)n, "secret", 6));
	pair_close(&pair);
}

/* Records that came before the keys are decrypted with them. */
static void test_early_records(void **state)
{
	struct traffic_keys from_a = keys_of(true, 0, 0), from_b = keys_of(false, 0, 0);
	struct pair pair;

	(void)state;
	need_ulp();
	pair = pair_make();
	assert_int_equal(ktls_ulp_set(pair.a), 0);
	assert_int_equal(ktls_ulp_set(pair.b), 0);
	assert_int_equal(ktls_install(pair.a, KTLS_TLS13, KTLS_AES_128_GCM, &from_a, &from_b), 0);
	send_data(pair.a, "early");
	wait_readable(pair.b);
	assert_int_equal(ktls_install(pair.b, KTLS_TLS13, KTLS_AES_128_GCM, &from_b, &from_a), 0);
	assert_data(pair.b, "early");
	pair_close(&pair);
}

/* ---- records of other types ---- */

static void test_control(void **state)
{
	static const uint8_t close_notify[] = { 1, 0 };
	struct pair pair;

	(void)state;
	need_ulp();
	for (enum ktls_version version = 0; version < _KTLS_VERSION_MAX; version++) {
		pair = pair_make();
		pair_install(&pair, version, KTLS_AES_256_GCM, 1);
		send_data(pair.a, "one");
		send_data(pair.a, "two");
		assert_int_equal(ktls_send_control(pair.a, KTLS_RECORD_HANDSHAKE, "\x04", 1), 0);
		send_data(pair.a, "three");
		assert_int_equal(ktls_send_control(pair.a, KTLS_RECORD_ALERT, close_notify, 2), 0);
		/* Data of one run may be merged, types never are. */
		assert_data(pair.b, "onetwo");
		assert_receives(pair.b, KTLS_RECORD_HANDSHAKE, "\x04", 1);
		assert_data(pair.b, "three");
		assert_receives(pair.b, KTLS_RECORD_ALERT, close_notify, 2);
		pair_close(&pair);
	}
}

static void test_ends(void **state)
{
	const struct linger at_once = { .l_onoff = 1 };
	struct pair pair;

	(void)state;
	need_ulp();
	pair = pair_secure();
	assert_int_equal(recv_outcome(pair.b), KTLS_E_AGAIN);
	send_data(pair.a, "last");
	assert_int_equal(shutdown(pair.a, SHUT_WR), 0);
	assert_data(pair.b, "last");
	wait_readable(pair.b);
	assert_int_equal(recv_outcome(pair.b), KTLS_E_EOF);
	assert_int_equal(recv_outcome(pair.b), KTLS_E_EOF);
	/* The other direction still works. */
	send_data(pair.b, "answer");
	assert_data(pair.a, "answer");
	pair_close(&pair);

	/* A reset is told once, to whoever comes first: afterwards the kernel takes records again.
	 */
	for (int sends = 0; sends < 2; sends++) {
		pair = pair_secure();
		assert_int_equal(setsockopt(pair.a, SOL_SOCKET, SO_LINGER, &at_once,
					    sizeof(at_once)),
				 0);
		pair.a = fd_close(pair.a);
		wait_readable(pair.b);
		assert_int_equal(sends ? ktls_send_control(pair.b, KTLS_RECORD_ALERT, "\1\0", 2)
				       : recv_outcome(pair.b),
				 KTLS_E_RESET);
		pair_close(&pair);
	}
}

/* Nobody reads: sending blocks in the end and says so. */
static void test_send_blocks(void **state)
{
	static const uint8_t record[16000];
	struct pair pair;
	int r = 0;

	(void)state;
	need_ulp();
	pair = pair_secure();
	for (int i = 0; i < 10000 && r == 0; i++)
		r = ktls_send_control(pair.a, KTLS_RECORD_HANDSHAKE, record, sizeof(record));
	assert_int_equal(r, KTLS_E_AGAIN);
	pair_close(&pair);
}

/* ---- what must not pass ---- */

static void test_wrong_key(void **state)
{
	struct traffic_keys from_a = keys_of(true, 0, 0), from_b = keys_of(false, 0, 0), other;
	struct pair pair;

	(void)state;
	need_ulp();
	for (enum ktls_version version = 0; version < _KTLS_VERSION_MAX; version++) {
		for (int what = 0; what < 3; what++) {
			pair = pair_make();
			other = from_a;
			if (what == 0)
				other.key[15] ^= 1;
			else if (what == 1)
				other.iv[0] ^= 1;
			else
				other.seq++;
			assert_int_equal(ktls_ulp_set(pair.a), 0);
			assert_int_equal(ktls_ulp_set(pair.b), 0);
			assert_int_equal(ktls_install(pair.a, version, KTLS_AES_128_GCM, &other,
						      &from_b),
					 0);
			assert_int_equal(ktls_install(pair.b, version, KTLS_AES_128_GCM, &from_b,
						      &from_a),
					 0);
			send_data(pair.a, "INVITE");
			wait_readable(pair.b);
			assert_int_equal(recv_outcome(pair.b), KTLS_E_CORRUPT);
			assert_int_equal(recv_outcome(pair.b), KTLS_E_CORRUPT);
			pair_close(&pair);
		}
	}
}

static void test_garbage(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} rows[] = {
		{ "OPTIONS sip:x SIP/2.0\r\n\r\n", 25 },
		{ "\x17\x03\x03\xff\xff"
		  "too long",
		  13 },
		{ "\x17\x03\x01\x00\x18"
		  "a version of another age",
		  29 },
		{ "\x17\x03\x03\x00\x01"
		  "s",
		  6 },
	};

	(void)state;
	need_ulp();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct traffic_keys tx = keys_of(false, 0, 0), rx = keys_of(true, 0, 0);
		struct pair pair = pair_make();

		assert_int_equal(ktls_ulp_set(pair.b), 0);
		assert_int_equal(ktls_install(pair.b, KTLS_TLS13, KTLS_AES_128_GCM, &tx, &rx), 0);
		assert_int_equal(send(pair.a, rows[i].bytes, rows[i].len, MSG_NOSIGNAL),
				 rows[i].len);
		wait_readable(pair.b);
		assert_int_equal(recv_outcome(pair.b), KTLS_E_CORRUPT);
		pair_close(&pair);
	}
}

/* The protocol is set and the keys are missing: the kernel would hand out plaintext, we do not. */
static void test_plaintext(void **state)
{
	struct pair pair;

	(void)state;
	need_ulp();
	pair = pair_make();
	assert_int_equal(ktls_ulp_set(pair.b), 0);
	send_data(pair.a, "plain");
	wait_readable(pair.b);
	assert_int_equal(recv_outcome(pair.b), KTLS_E_CORRUPT);
	pair_close(&pair);
}

static void test_second_install(void **state)
{
	struct traffic_keys tx = keys_of(true, 1, 0), rx = keys_of(false, 1, 0);
	struct pair pair;

	(void)state;
	need_ulp();
	pair = pair_make();
	pair_install(&pair, KTLS_TLS12, KTLS_AES_128_GCM, 1);
	assert_int_equal(ktls_install(pair.a, KTLS_TLS12, KTLS_AES_128_GCM, &tx, &rx), -EBUSY);
	assert_true(ktls_ulp_set(pair.a) < 0);
	pair_close(&pair);
}

static void test_missing(void **state)
{
	struct traffic_keys tx = keys_of(true, 0, 0), rx = keys_of(false, 0, 0);
	struct pair pair;
	uint64_t seq;

	(void)state;
	need_ulp();
	pair = pair_make();
	/* Without the protocol there is no such option. */
	assert_true(ktls_install(pair.a, KTLS_TLS13, KTLS_AES_128_GCM, &tx, &rx) < 0);
	assert_true(ktls_sequence(pair.a, KTLS_TX, &seq) < 0);
	/* Without keys there is no number. */
	assert_int_equal(ktls_ulp_set(pair.a), 0);
	assert_true(ktls_sequence(pair.a, KTLS_TX, &seq) < 0);
	pair_close(&pair);
}

static void test_not_connected(void **state)
{
	struct traffic_keys from_a = keys_of(true, 0, 0), from_b = keys_of(false, 0, 0);
	struct pair pair;
	int fd;

	(void)state;
	need_ulp();
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(ktls_ulp_set(fd), KTLS_E_NOT_CONNECTED);
	close(fd);

	pair = pair_make();
	assert_int_equal(shutdown(pair.a, SHUT_WR), 0);
	wait_readable(pair.b);
	assert_int_equal(ktls_ulp_set(pair.b), KTLS_E_NOT_CONNECTED);
	pair_close(&pair);

	/* Set in time, it takes keys after the peer's FIN and reads what came before it. */
	pair = pair_make();
	assert_int_equal(ktls_ulp_set(pair.a), 0);
	assert_int_equal(ktls_ulp_set(pair.b), 0);
	assert_int_equal(ktls_install(pair.a, KTLS_TLS13, KTLS_AES_128_GCM, &from_a, &from_b), 0);
	send_data(pair.a, "bye");
	assert_int_equal(shutdown(pair.a, SHUT_WR), 0);
	wait_readable(pair.b);
	assert_int_equal(ktls_install(pair.b, KTLS_TLS13, KTLS_AES_128_GCM, &from_b, &from_a), 0);
	assert_data(pair.b, "bye");
	pair_close(&pair);
}

/* ---- key change ---- */

static const uint8_t key_update[] = { 24, 0, 0, 1, 0 };

static void test_rekey(void **state)
{
	static const uint8_t rounds = 3;
	struct pair pair;
	uint64_t seq;

	(void)state;
	need_ulp();
	if (!support.rekey) {
		print_message("skipped: this kernel cannot change keys\n");
		skip();
	}
	for (enum ktls_cipher cipher = 0; cipher < _KTLS_CIPHER_MAX; cipher++) {
		pair = pair_make();
		pair_install(&pair, KTLS_TLS13, cipher, 0);
		for (uint8_t i = 1; i <= rounds; i++) {
			struct traffic_keys next = keys_of(true, i, 0);

			send_data(pair.a, "old");
			assert_int_equal(ktls_send_control(pair.a, KTLS_RECORD_HANDSHAKE,
							   key_update, sizeof(key_update)),
					 0);
			assert_int_equal(ktls_rekey(pair.a, KTLS_TX, cipher, &next), 0);
			send_data(pair.a, "new");
			assert_int_equal(ktls_sequence(pair.a, KTLS_TX, &seq), 0);
			assert_true(seq == 1);

			assert_data(pair.b, "old");
			assert_receives(pair.b, KTLS_RECORD_HANDSHAKE, key_update,
					sizeof(key_update));
			assert_int_equal(recv_outcome(pair.b), KTLS_E_KEY_EXPIRED);
			assert_int_equal(ktls_rekey(pair.b, KTLS_RX, cipher, &next), 0);
			wait_readable(pair.b);
			assert_data(pair.b, "new");
			assert_int_equal(ktls_sequence(pair.b, KTLS_RX, &seq), 0);
			assert_true(seq == 1);
			/* The other direction keeps its key. */
			send_data(pair.b, "ok");
			assert_data(pair.a, "ok");
		}
		pair_close(&pair);
	}
}

static void test_rekey_wrong(void **state)
{
	struct traffic_keys next = keys_of(true, 1, 0), other = keys_of(true, 2, 0);
	struct pair pair;

	(void)state;
	need_ulp();
	if (!support.rekey) {
		print_message("skipped: this kernel cannot change keys\n");
		skip();
	}
	pair = pair_secure();
	assert_int_equal(ktls_send_control(pair.a, KTLS_RECORD_HANDSHAKE, key_update,
					   sizeof(key_update)),
			 0);
	assert_int_equal(ktls_rekey(pair.a, KTLS_TX, KTLS_AES_128_GCM, &next), 0);
	send_data(pair.a, "new");
	assert_receives(pair.b, KTLS_RECORD_HANDSHAKE, key_update, sizeof(key_update));
	assert_int_equal(ktls_rekey(pair.b, KTLS_RX, KTLS_AES_128_GCM, &other), 0);
	wait_readable(pair.b);
	assert_int_equal(recv_outcome(pair.b), KTLS_E_CORRUPT);
	/* A cipher cannot change. */
	assert_true(ktls_rekey(pair.a, KTLS_TX, KTLS_AES_256_GCM, &next) < 0);
	pair_close(&pair);
}

/* Before Linux 6.14 the old key stays in force, and we are told. */
static void test_no_rekey(void **state)
{
	struct traffic_keys next = keys_of(true, 1, 0);
	struct pair pair;

	(void)state;
	need_ulp();
	if (support.rekey) {
		print_message("skipped: this kernel can change keys\n");
		skip();
	}
	pair = pair_secure();
	assert_int_equal(ktls_rekey(pair.a, KTLS_TX, KTLS_AES_128_GCM, &next), KTLS_E_NO_REKEY);
	assert_int_equal(ktls_rekey(pair.b, KTLS_RX, KTLS_AES_128_GCM, &next), KTLS_E_NO_REKEY);
	send_data(pair.a, "as before");
	assert_data(pair.b, "as before");
	pair_close(&pair);
}

/* ---- probe ---- */

/* Runs on every kernel: whatever it can do, the answer has to be whole. */
static void test_probe(void **state)
{
	struct ktls_support found;
	struct pair pair = pair_make();

	(void)state;
	assert_int_equal(ktls_probe(&found), 0);
	assert_memory_equal(&found, &support, sizeof(found));
	assert_int_equal(ktls_ulp_set(pair.a), found.ulp ? 0 : KTLS_E_NO_ULP);
	if (!found.ulp) {
		assert_false(found.rekey);
		assert_int_equal(found.ciphers[KTLS_TLS12] | found.ciphers[KTLS_TLS13], 0);
	}
	if (found.rekey)
		assert_true(found.ciphers[KTLS_TLS13] != 0);
	pair_close(&pair);
}

static int probe(void **state)
{
	(void)state;
	return ktls_probe(&support);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_data),	      cmocka_unit_test(test_ciphertext),
		cmocka_unit_test(test_early_records), cmocka_unit_test(test_control),
		cmocka_unit_test(test_ends),	      cmocka_unit_test(test_send_blocks),
		cmocka_unit_test(test_wrong_key),     cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_plaintext),     cmocka_unit_test(test_second_install),
		cmocka_unit_test(test_missing),	      cmocka_unit_test(test_not_connected),
		cmocka_unit_test(test_rekey),	      cmocka_unit_test(test_rekey_wrong),
		cmocka_unit_test(test_no_rekey),      cmocka_unit_test(test_probe),
	};

	return cmocka_run_group_tests(tests, probe, NULL);
}
