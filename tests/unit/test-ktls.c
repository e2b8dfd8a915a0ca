/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What exactly is handed to the kernel, and what becomes of each of its answers. The kernel is a
 * recording here; test-ktls-kernel asks a real one.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <linux/tls.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <siptls/ktls.h>
#include <sys/mman.h>
#include <sys/socket.h>

#ifndef SOL_TLS
#define SOL_TLS 282
#endif

#define FD	   7
#define CALLS_MAX  16
#define VALUE_MAX  64
#define STACK_SIZE (2 * 1024 * 1024)

/* ---- the recording kernel ---- */

struct call {
	bool set;
	int level, name;
	unsigned int len;
	uint8_t value[VALUE_MAX]; /* set only */
};

static struct {
	struct call calls[CALLS_MAX];
	size_t n_calls;
	size_t fail_at; /* index of the call that fails with @error; CALLS_MAX: none */
	int error;
	struct {
		uint8_t value[VALUE_MAX];
		unsigned int len;
	} installed[_KTLS_DIRECTION_MAX];
	void (*forge)(int option, uint8_t *value); /* what is read back */
} kernel;

static struct call *record(bool set, int fd, int level, int name, unsigned int len)
{
	struct call *call = &kernel.calls[kernel.n_calls];

	assert_int_equal(fd, FD);
	assert_true(kernel.n_calls < CALLS_MAX && len <= VALUE_MAX);
	*call = (struct call){ .set = set, .level = level, .name = name, .len = len };
	return call;
}

static bool fails(void)
{
	if (kernel.n_calls++ != kernel.fail_at)
		return false;
	errno = kernel.error;
	return true;
}

static size_t direction_of(int option)
{
	return option == TLS_TX ? KTLS_TX : KTLS_RX;
}

static int fake_setsockopt(int fd, int level, int name, const void *value, unsigned int len)
{
	struct call *call = record(true, fd, level, name, len);

	memcpy(call->value, value, len);
	if (fails())
		return -1;
	if (level == SOL_TLS) {
		memcpy(kernel.installed[direction_of(name)].value, value, len);
		kernel.installed[direction_of(name)].len = len;
	}
	return 0;
}

/* As the kernel does: the header alone or the whole structure, no other size. */
static int fake_getsockopt(int fd, int level, int name, void *value, unsigned int *len)
{
	uint8_t answer[VALUE_MAX];

	(void)record(false, fd, level, name, *len);
	if (fails())
		return -1;
	if (*len != sizeof(struct tls_crypto_info) &&
	    *len != kernel.installed[direction_of(name)].len) {
		errno = EINVAL;
		return -1;
	}
	memcpy(answer, kernel.installed[direction_of(name)].value, sizeof(answer));
	if (kernel.forge)
		kernel.forge(name, answer);
	memcpy(value, answer, *len);
	explicit_bzero(answer, sizeof(answer));
	return 0;
}

static int kernel_start(void **state)
{
	static const struct ktls_kernel fake = { fake_setsockopt, fake_getsockopt };

	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	kernel.fail_at = CALLS_MAX;
	ktls_kernel_replace(&fake);
	return 0;
}

static int kernel_stop(void **state)
{
	(void)state;
	ktls_kernel_replace(NULL);
	return 0;
}

/* Bytes that tell where they come from: key 0x10.., iv 0xa0.., number 0x01020304050607.. */
static struct traffic_keys keys_of(uint8_t salt)
{
	struct traffic_keys keys = { .seq = UINT64_C(0x0102030405060700) + salt };

	for (uint8_t i = 0; i < sizeof(keys.key); i++)
		keys.key[i] = (uint8_t)(0x10 + i + salt);
	for (uint8_t i = 0; i < sizeof(keys.iv); i++)
		keys.iv[i] = (uint8_t)(0xa0 + i + salt);
	return keys;
}

static void fail_call(size_t index, int error)
{
	kernel.n_calls = 0;
	kernel.fail_at = index;
	kernel.error = error;
}

/* ---- ULP ---- */

static void test_ulp(void **state)
{
	static const struct {
		int error, result;
	} rows[] = {
		{ ENOENT, KTLS_E_NO_ULP },
		{ ENOPROTOOPT, KTLS_E_NO_ULP },
		{ ENOTCONN, KTLS_E_NOT_CONNECTED },
		{ EEXIST, -EEXIST },
		{ ENOMEM, -ENOMEM },
		{ EPERM, -EPERM },
	};

	(void)state;
	assert_int_equal(ktls_ulp_set(FD), 0);
	assert_int_equal(kernel.n_calls, 1);
	assert_true(kernel.calls[0].set);
	assert_int_equal(kernel.calls[0].level, SOL_TCP);
	assert_int_equal(kernel.calls[0].name, TCP_ULP);
	assert_memory_equal(kernel.calls[0].value, "tls", 3);
	assert_in_range(kernel.calls[0].len, 3, 4);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fail_call(0, rows[i].error);
		assert_int_equal(ktls_ulp_set(FD), rows[i].result);
		assert_int_equal(kernel.n_calls, 1);
	}
}

/* ---- install ---- */

/* The kernel's structures, field for field, as <linux/tls.h> lays them out. */
static const struct {
	enum ktls_cipher cipher;
	uint16_t id;
	unsigned int size, iv, iv_size, key, key_size, salt, salt_size, seq;
} layouts[] = {
	{ KTLS_AES_128_GCM, 51, 40, 4, 8, 12, 16, 28, 4, 32 },
	{ KTLS_AES_256_GCM, 52, 56, 4, 8, 12, 32, 44, 4, 48 },
	{ KTLS_CHACHA20_POLY1305, 54, 56, 4, 12, 16, 32, 48, 0, 48 },
};

static void assert_installs(const struct call *call, enum ktls_version version, size_t layout,
			    const struct traffic_keys *keys)
{
	uint16_t header[2] = { version == KTLS_TLS13 ? 0x0304 : 0x0303, layouts[layout].id };
	const uint8_t *value = call->value;

	assert_int_equal(call->len, layouts[layout].size);
	assert_memory_equal(value, header, sizeof(header));
	assert_memory_equal(value + layouts[layout].key, keys->key, layouts[layout].key_size);
	assert_memory_equal(value + layouts[layout].salt, keys->iv, layouts[layout].salt_size);
	assert_memory_equal(value + layouts[layout].iv, keys->iv + layouts[layout].salt_size,
			    layouts[layout].iv_size);
	for (unsigned int i = 0; i < 8; i++)
		assert_int_equal(value[layouts[layout].seq + i], keys->seq >> (56 - 8 * i) & 0xff);
}

static void test_install_bytes(void **state)
{
	struct traffic_keys tx = keys_of(1), rx = keys_of(2);

	for (enum ktls_version version = 0; version < _KTLS_VERSION_MAX; version++) {
		for (size_t i = 0; i < ARRAY_SIZE(layouts); i++) {
			bool read_back[_KTLS_DIRECTION_MAX] = { false };

			kernel_start(state);
			assert_int_equal(ktls_install(FD, version, layouts[i].cipher, &tx, &rx), 0);
			assert_true(kernel.n_calls >= 4);
			for (size_t k = 0; k < kernel.n_calls; k++) {
				const struct call *call = &kernel.calls[k];

				assert_int_equal(call->level, SOL_TLS);
				assert_int_equal(call->set, k < 2);
				if (k >= 2 && call->len == layouts[i].size)
					read_back[direction_of(call->name)] = true;
			}
			assert_int_equal(kernel.calls[0].name, TLS_TX);
			assert_int_equal(kernel.calls[1].name, TLS_RX);
			assert_installs(&kernel.calls[0], version, i, &tx);
			assert_installs(&kernel.calls[1], version, i, &rx);
			assert_true(read_back[KTLS_TX] && read_back[KTLS_RX]);
		}
	}
}

/* Every call may fail: none of it may end in "installed", and nothing is tried after it. */
static void test_install_failures(void **state)
{
	static const int errors[] = { ENOENT, EINVAL, EBUSY, ENOMEM, ENOTCONN, ENOPROTOOPT };
	struct traffic_keys tx = keys_of(1), rx = keys_of(2);
	size_t n_calls;

	(void)state;
	assert_int_equal(ktls_install(FD, KTLS_TLS13, KTLS_AES_256_GCM, &tx, &rx), 0);
	n_calls = kernel.n_calls;
	for (size_t call = 0; call < n_calls; call++) {
		for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
			/* Only before anything is installed may another way be looked for. */
			bool no_cipher = call == 0 && (errors[i] == ENOENT || errors[i] == EINVAL);

			fail_call(call, errors[i]);
			assert_int_equal(ktls_install(FD, KTLS_TLS13, KTLS_AES_256_GCM, &tx, &rx),
					 no_cipher ? KTLS_E_NO_CIPHER : -errors[i]);
			assert_int_equal(kernel.n_calls, call + 1);
		}
	}
}

static void forge_version(int option, uint8_t *value)
{
	if (option == TLS_RX)
		value[0] = 3;
}

static void forge_cipher(int option, uint8_t *value)
{
	if (option == TLS_TX)
		value[2] = 51;
}

static void forge_unknown_cipher(int option, uint8_t *value)
{
	(void)option;
	value[2] = 58;
}

static void forge_tx_behind(int option, uint8_t *value)
{
	if (option == TLS_TX)
		value[55]--;
}

static void forge_rx_behind(int option, uint8_t *value)
{
	if (option == TLS_RX)
		value[55]--;
}

static void test_read_back(void **state)
{
	static void (*const forgeries[])(int option, uint8_t *value) = {
		forge_version, forge_cipher, forge_unknown_cipher, forge_tx_behind, forge_rx_behind,
	};
	struct traffic_keys tx = keys_of(1), rx = keys_of(2);

	for (size_t i = 0; i < ARRAY_SIZE(forgeries); i++) {
		kernel_start(state);
		kernel.forge = forgeries[i];
		assert_true(ktls_install(FD, KTLS_TLS13, KTLS_AES_256_GCM, &tx, &rx) < 0);
	}
}

/* ---- rekey and sequence ---- */

static void test_rekey(void **state)
{
	static const struct {
		enum ktls_direction direction;
		int option;
	} rows[] = { { KTLS_TX, TLS_TX }, { KTLS_RX, TLS_RX } };
	struct traffic_keys next = keys_of(3);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(layouts); k++) {
			kernel_start(state);
			assert_int_equal(ktls_rekey(FD, rows[i].direction, layouts[k].cipher,
						    &next),
					 0);
			assert_int_equal(kernel.calls[0].level, SOL_TLS);
			assert_int_equal(kernel.calls[0].name, rows[i].option);
			assert_installs(&kernel.calls[0], KTLS_TLS13, k, &next);
		}
		fail_call(0, EBUSY);
		assert_int_equal(ktls_rekey(FD, rows[i].direction, KTLS_AES_128_GCM, &next),
				 KTLS_E_NO_REKEY);
		fail_call(0, EINVAL);
		assert_int_equal(ktls_rekey(FD, rows[i].direction, KTLS_AES_128_GCM, &next),
				 -EINVAL);
	}
}

static void test_sequence(void **state)
{
	struct traffic_keys tx = keys_of(1), rx = keys_of(2);
	uint64_t seq = 99;

	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++) {
		kernel_start(state);
		rx.seq = UINT64_MAX;
		assert_int_equal(ktls_install(FD, KTLS_TLS12, layouts[i].cipher, &tx, &rx), 0);
		assert_int_equal(ktls_sequence(FD, KTLS_TX, &seq), 0);
		assert_true(seq == tx.seq);
		assert_int_equal(ktls_sequence(FD, KTLS_RX, &seq), 0);
		assert_true(seq == UINT64_MAX);
	}
	seq = 99;
	fail_call(0, EBUSY);
	assert_int_equal(ktls_sequence(FD, KTLS_TX, &seq), -EBUSY);
	fail_call(1, EBADF);
	assert_int_equal(ktls_sequence(FD, KTLS_TX, &seq), -EBADF);
	assert_true(seq == 99);
}

/* ---- wiping ---- */

static struct traffic_keys secret_tx, secret_rx;

static void *use_keys(void *arg)
{
	uint64_t seq;

	kernel.n_calls = 0;
	if (!arg) {
		(void)!ktls_install(FD, KTLS_TLS13, KTLS_AES_256_GCM, &secret_tx, &secret_rx);
		kernel.n_calls = 0;
		(void)!ktls_rekey(FD, KTLS_TX, KTLS_AES_256_GCM, &secret_tx);
		(void)!ktls_sequence(FD, KTLS_RX, &seq);
		return NULL;
	}
	kernel.fail_at = *(const size_t *)arg;
	kernel.error = ENOMEM;
	(void)!ktls_install(FD, KTLS_TLS13, KTLS_AES_256_GCM, &secret_tx, &secret_rx);
	return NULL;
}

/* Run on a stack of our own, then look for what was left behind on it. */
static void assert_leaves_nothing(size_t *fail_at)
{
	uint8_t *stack =
		mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_attr_t attr;
	pthread_t thread;

	assert_ptr_not_equal(stack, MAP_FAILED);
	assert_int_equal(pthread_attr_init(&attr), 0);
	assert_int_equal(pthread_attr_setstack(&attr, stack, STACK_SIZE), 0);
	assert_int_equal(pthread_create(&thread, &attr, use_keys, fail_at), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_null(memmem(stack, STACK_SIZE, secret_tx.key, 16));
	assert_null(memmem(stack, STACK_SIZE, secret_rx.key, 16));
	assert_null(memmem(stack, STACK_SIZE, secret_tx.key + 16, 16));
	assert_null(memmem(stack, STACK_SIZE, secret_rx.key + 16, 16));
	pthread_attr_destroy(&attr);
	munmap(stack, STACK_SIZE);
}

static void test_wiped(void **state)
{
	(void)state;
	secret_tx = keys_of(0x40);
	secret_rx = keys_of(0x80);
	assert_leaves_nothing(NULL);
	for (size_t i = 0; i < 6; i++)
		assert_leaves_nothing(&i);
}

/* ---- names ---- */

static void test_ciphers(void **state)
{
	static const struct ktls_cipher_info rows[_KTLS_CIPHER_MAX] = {
		[KTLS_AES_128_GCM] = { "AES-128-GCM", "TLS_AES_128_GCM_SHA256", 51, 16, 32 },
		[KTLS_AES_256_GCM] = { "AES-256-GCM", "TLS_AES_256_GCM_SHA384", 52, 32, 48 },
		[KTLS_CHACHA20_POLY1305] = { "CHACHA20-POLY1305", "TLS_CHACHA20_POLY1305_SHA256",
					     54, 32, 32 },
	};

	(void)state;
	for (enum ktls_cipher cipher = 0; cipher < _KTLS_CIPHER_MAX; cipher++) {
		const struct ktls_cipher_info *info = ktls_cipher_info(cipher);

		assert_string_equal(info->name, rows[cipher].name);
		assert_string_equal(info->suite13, rows[cipher].suite13);
		assert_int_equal(info->kernel_id, rows[cipher].kernel_id);
		assert_int_equal(info->key_size, rows[cipher].key_size);
		assert_int_equal(info->hash_size, rows[cipher].hash_size);
	}
	assert_string_equal(ktls_version_name(KTLS_TLS12), "TLS 1.2");
	assert_string_equal(ktls_version_name(KTLS_TLS13), "TLS 1.3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ulp, kernel_start, kernel_stop),
		cmocka_unit_test_setup_teardown(test_install_bytes, kernel_start, kernel_stop),
		cmocka_unit_test_setup_teardown(test_install_failures, kernel_start, kernel_stop),
		cmocka_unit_test_setup_teardown(test_read_back, kernel_start, kernel_stop),
		cmocka_unit_test_setup_teardown(test_rekey, kernel_start, kernel_stop),
		cmocka_unit_test_setup_teardown(test_sequence, kernel_start, kernel_stop),
		cmocka_unit_test_setup_teardown(test_wiped, kernel_start, kernel_stop),
		cmocka_unit_test(test_ciphers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
