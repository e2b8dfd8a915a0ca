/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the cache of verified chains saves: whole mutual handshakes between two ends in this
 * process, each end with a chain of three certificates, with the cache emptied before every
 * handshake and without. Time is the processor's, of both ends together.
 * usage: bench-chain [HANDSHAKES]
 */

#include "../unit/tls-testing.h"

#define BLOCK 25 /* handshakes of one kind in a row: what else the machine does meets both */

struct network {
	struct test_cert root, middle, issuing, cert_a, cert_b;
	struct test_conf conf;
	uint32_t id_a, entry_b;
};

static struct test_cert make(gnutls_pk_algorithm_t pk, const struct test_cert *issuer,
			     const char *name, bool ca)
{
	return test_cert_make((struct test_spec){
		.issuer = issuer, .cn = name, .dns = { ca ? NULL : name }, .pk = pk, .ca = ca });
}

static void add_identity(struct network *n, const char *name, const char *pem, const char *key,
			 const struct test_cert *cert)
{
	test_files_add_certs(&n->conf.files, pem, cert, &n->issuing, &n->middle, NULL);
	test_files_add_key(&n->conf.files, key, cert);
	n->id_a = test_conf_identity(&n->conf, name, pem, key); /* the last one is a's */
}

static void network_make(struct network *n, gnutls_pk_algorithm_t pk)
{
	uint32_t anchors;

	n->root = make(pk, NULL, "Root", true);
	n->middle = make(pk, &n->root, "Middle", true);
	n->issuing = make(pk, &n->middle, "Issuing", true);
	n->cert_a = make(pk, &n->issuing, "a.example", false);
	n->cert_b = make(pk, &n->issuing, "b.example", false);
	test_conf_init(&n->conf);
	test_files_add_certs(&n->conf.files, "root.pem", &n->root, NULL);
	add_identity(n, "b", "b.pem", "b.key", &n->cert_b);
	add_identity(n, "a", "a.pem", "a.key", &n->cert_a);
	anchors = test_conf_anchors(&n->conf, "bench", true, "root.pem");
	test_conf_entry(&n->conf, "a.example", anchors);
	n->entry_b = test_conf_entry(&n->conf, "b.example", anchors);
	test_conf_build(&n->conf);
}

static void network_done(struct network *n)
{
	test_conf_done(&n->conf);
	test_cert_done(&n->root);
	test_cert_done(&n->middle);
	test_cert_done(&n->issuing);
	test_cert_done(&n->cert_a);
	test_cert_done(&n->cert_b);
}

static double processor_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void handshake(struct network *n)
{
	struct tls_job dial = { .dial = true,
				.mutual = true,
				.kernel_ciphers = { 7, 7 },
				.identity = n->id_a,
				.entry = n->entry_b },
		       accept = { .mutual = true,
				  .kernel_ciphers = { 7, 7 },
				  .entry = TRUST_ENTRY_ANY };
	struct test_pair p = { 0 };

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, p.fds),
			 0);
	assert_int_equal(tls_handshake_new(n->conf.store, &dial, p.fds[0], &p.dial), 0);
	assert_int_equal(tls_handshake_new(n->conf.store, &accept, p.fds[1], &p.accept), 0);
	test_pair_run(&p);
	assert_int_equal(p.dialled, 0);
	assert_int_equal(p.accepted, 0);
	test_pair_done(&p);
}

/* Seconds for BLOCK handshakes. */
static double block(struct network *n, bool cached)
{
	double begin = processor_seconds();

	for (int i = 0; i < BLOCK; i++) {
		if (!cached)
			tls_chain_cache_clear(&n->conf.store->cache);
		handshake(n);
	}
	return processor_seconds() - begin;
}

static void measure(const char *name, gnutls_pk_algorithm_t pk, int handshakes)
{
	double anew = 0, cached = 0;
	struct network n = { 0 };
	int done = 0;

	network_make(&n, pk);
	(void)block(&n, true); /* warm up, and fill the cache */
	for (; done < handshakes; done += BLOCK) {
		anew += block(&n, false);
		handshake(&n); /* fills the cache */
		cached += block(&n, true);
	}
	printf("%-12s %d handshakes each: %6.0f us verified anew, %6.0f us from the cache, "
	       "ratio %.2f, %4.0f us saved per chain\n",
	       name, done, anew / done * 1e6, cached / done * 1e6, anew / cached,
	       (anew - cached) / done / 2 * 1e6);
	network_done(&n);
}

int main(int argc, char **argv)
{
	int handshakes = argc > 1 ? atoi(argv[1]) : 500;

	if (handshakes < 1 || tls_global_init() < 0) {
		fprintf(stderr, "usage: bench-chain [HANDSHAKES]\n");
		return 2;
	}
	measure("RSA-2048", GNUTLS_PK_RSA, handshakes);
	measure("ECDSA P-256", GNUTLS_PK_ECDSA, handshakes);
	return EXIT_SUCCESS;
}
