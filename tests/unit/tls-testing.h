/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the tests of module tls share: certificates made on the spot, a configuration in memory, and
 * two ends of a TCP connection on the loopback. Each test uses a part of it.
 */

#include <fcntl.h>
#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <tls/handshake.h>

#include <cmocka.h>

#define DAY 86400

/* ---- certificates ---- */

struct test_cert {
	gnutls_x509_crt_t crt;
	gnutls_x509_privkey_t key;
	gnutls_datum_t der; /* only of a certificate that GnuTLS cannot read */
};

struct test_spec {
	const struct test_cert *issuer; /* NULL: self-signed */
	const char *cn;
	const char *dns[4];
	const char *uri;
	const char *purposes[3];
	gnutls_pk_algorithm_t pk; /* 0: ECDSA */
	unsigned int bits;	  /* 0: P-256 or 2048 */
	gnutls_digest_algorithm_t digest;
	bool ca;
	int path_length;  /* with @ca; 0: none */
	int version;	  /* 0: 3 */
	int64_t from, to; /* days from now; both 0: -1 and 30 */
	const char *permitted_dns, *excluded_dns;
	const char *extension_oid; /* with @extension */
	const void *extension;
	size_t extension_size;
	bool extension_critical;
	const void *serial;
	size_t serial_size;
	const struct test_cert *same_key; /* as this certificate: cross-signed CAs */
	unsigned int key_usage;		  /* 0: what fits */
};

static _unused_ gnutls_x509_privkey_t test_key_make(const struct test_spec *spec)
{
	gnutls_pk_algorithm_t pk = spec->pk ? spec->pk : GNUTLS_PK_ECDSA;
	unsigned int bits = spec->bits;
	gnutls_x509_privkey_t key;

	if (!bits)
		bits = pk == GNUTLS_PK_ECDSA ? GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1)
					     : 2048;
	assert_int_equal(gnutls_x509_privkey_init(&key), 0);
	if (spec->same_key)
		assert_int_equal(gnutls_x509_privkey_cpy(key, spec->same_key->key), 0);
	else
		assert_int_equal(gnutls_x509_privkey_generate(key, pk, bits, 0), 0);
	return key;
}

static _unused_ void test_cert_fill(gnutls_x509_crt_t crt, const struct test_spec *spec)
{
	static uint8_t counter;
	uint8_t serial[] = { 0x0a, 0, 0, ++counter };
	unsigned int usage = spec->ca ? GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN
				      : GNUTLS_KEY_DIGITAL_SIGNATURE;
	time_t now = time(NULL);

	assert_int_equal(gnutls_x509_crt_set_version(crt,
						     spec->version ? (unsigned)spec->version : 3),
			 0);
	assert_int_equal(gnutls_x509_crt_set_serial(crt, spec->serial ? spec->serial : serial,
						    spec->serial ? spec->serial_size
								 : sizeof(serial)),
			 0);
	gnutls_x509_crt_set_activation_time(crt,
					    now + DAY * (spec->from || spec->to ? spec->from : -1));
	gnutls_x509_crt_set_expiration_time(crt,
					    now + DAY * (spec->from || spec->to ? spec->to : 30));
	if (spec->cn)
		assert_int_equal(gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0,
							       spec->cn,
							       (unsigned)strlen(spec->cn)),
				 0);
	if (spec->version == 1)
		return;
	gnutls_x509_crt_set_basic_constraints(crt, spec->ca,
					      spec->path_length ? spec->path_length : -1);
	gnutls_x509_crt_set_key_usage(crt, spec->key_usage ? spec->key_usage : usage);
	for (size_t i = 0; i < ARRAY_SIZE(spec->dns) && spec->dns[i]; i++)
		gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, spec->dns[i],
						     (unsigned)strlen(spec->dns[i]),
						     GNUTLS_FSAN_APPEND);
	if (spec->uri)
		gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_URI, spec->uri,
						     (unsigned)strlen(spec->uri),
						     GNUTLS_FSAN_APPEND);
	for (size_t i = 0; i < ARRAY_SIZE(spec->purposes) && spec->purposes[i]; i++)
		gnutls_x509_crt_set_key_purpose_oid(crt, spec->purposes[i], 0);
	if (spec->extension)
		assert_int_equal(gnutls_x509_crt_set_extension_by_oid(crt, spec->extension_oid,
								      spec->extension,
								      spec->extension_size,
								      spec->extension_critical),
				 0);
	if (spec->permitted_dns || spec->excluded_dns) {
		gnutls_x509_name_constraints_t constraints;
		gnutls_datum_t name;

		gnutls_x509_name_constraints_init(&constraints);
		if (spec->permitted_dns) {
			name = tls_datum(spec->permitted_dns, strlen(spec->permitted_dns));
			gnutls_x509_name_constraints_add_permitted(constraints, GNUTLS_SAN_DNSNAME,
								   &name);
		}
		if (spec->excluded_dns) {
			name = tls_datum(spec->excluded_dns, strlen(spec->excluded_dns));
			gnutls_x509_name_constraints_add_excluded(constraints, GNUTLS_SAN_DNSNAME,
								  &name);
		}
		assert_int_equal(gnutls_x509_crt_set_name_constraints(crt, constraints, 1), 0);
		gnutls_x509_name_constraints_deinit(constraints);
	}
}

/* A certificate that was just made keeps half of its old encoding: read it anew. */
static _unused_ void test_cert_reread(struct test_cert *cert)
{
	gnutls_datum_t der;

	assert_int_equal(gnutls_x509_crt_export2(cert->crt, GNUTLS_X509_FMT_DER, &der), 0);
	gnutls_x509_crt_deinit(cert->crt);
	assert_int_equal(gnutls_x509_crt_init(&cert->crt), 0);
	/* what cannot be read again is a test's bad certificate, which is sent as it is */
	if (gnutls_x509_crt_import(cert->crt, &der, GNUTLS_X509_FMT_DER) < 0)
		cert->der = der;
	else
		gnutls_free(der.data);
}

static _unused_ struct test_cert test_cert_make(struct test_spec spec)
{
	struct test_cert cert = { 0 };
	gnutls_digest_algorithm_t digest = spec.digest ? spec.digest : GNUTLS_DIG_SHA256;
	uint8_t id[20];
	size_t size = sizeof(id);

	cert.key = test_key_make(&spec);
	assert_int_equal(gnutls_x509_crt_init(&cert.crt), 0);
	assert_int_equal(gnutls_x509_crt_set_key(cert.crt, cert.key), 0);
	test_cert_fill(cert.crt, &spec);
	if (spec.version != 1) {
		gnutls_x509_crt_get_key_id(cert.crt, 0, id, &size);
		gnutls_x509_crt_set_subject_key_id(cert.crt, id, size);
	}
	if (spec.issuer &&
	    gnutls_x509_privkey_get_pk_algorithm(spec.issuer->key) == GNUTLS_PK_EDDSA_ED25519)
		digest = GNUTLS_DIG_SHA512;
	assert_int_equal(gnutls_x509_crt_sign2(cert.crt, spec.issuer ? spec.issuer->crt : cert.crt,
					       spec.issuer ? spec.issuer->key : cert.key, digest,
					       0),
			 0);
	test_cert_reread(&cert);
	return cert;
}

static _unused_ void test_cert_done(struct test_cert *cert)
{
	gnutls_x509_crt_deinit(cert->crt);
	gnutls_x509_privkey_deinit(cert->key);
	gnutls_free(cert->der.data);
}

/* The caller frees. */
static _unused_ gnutls_datum_t test_cert_der(const struct test_cert *cert)
{
	gnutls_datum_t der;

	if (cert->der.data) {
		der.data = gnutls_malloc(cert->der.size);
		der.size = cert->der.size;
		memcpy(der.data, cert->der.data, der.size);
	} else {
		assert_int_equal(gnutls_x509_crt_export2(cert->crt, GNUTLS_X509_FMT_DER, &der), 0);
	}
	return der;
}

/* ---- files in memory ---- */

#define TEST_FILES_MAX 64

struct test_files {
	struct {
		char path[64];
		char *bytes;
		size_t size;
	} files[TEST_FILES_MAX];
	size_t n;
};

static _unused_ void test_files_add(struct test_files *files, const char *path, const void *bytes,
				    size_t size)
{
	assert_true(files->n < TEST_FILES_MAX);
	snprintf(files->files[files->n].path, sizeof(files->files[0].path), "%s", path);
	files->files[files->n].bytes = malloc(size + 1);
	memcpy(files->files[files->n].bytes, bytes, size);
	files->files[files->n].size = size;
	files->n++;
}

/* The chain as PEM, in the order given, NULL at its end. */
static _unused_ void test_files_add_certs(struct test_files *files, const char *path,
					  const struct test_cert *cert, ...)
{
	char buf[64 * 1024];
	struct text text = TEXT_INIT(buf);
	va_list args;

	va_start(args, cert);
	for (; cert; cert = va_arg(args, const struct test_cert *)) {
		gnutls_datum_t pem;

		assert_int_equal(gnutls_x509_crt_export2(cert->crt, GNUTLS_X509_FMT_PEM, &pem), 0);
		text_addf(&text, "%s", (const char *)pem.data);
		gnutls_free(pem.data);
	}
	va_end(args);
	test_files_add(files, path, buf, text.len);
}

static _unused_ void test_files_add_key(struct test_files *files, const char *path,
					const struct test_cert *cert)
{
	gnutls_datum_t pem;

	assert_int_equal(gnutls_x509_privkey_export2_pkcs8(cert->key, GNUTLS_X509_FMT_PEM, NULL,
							   GNUTLS_PKCS_PLAIN, &pem),
			 0);
	test_files_add(files, path, pem.data, pem.size);
	gnutls_free(pem.data);
}

static _unused_ bool test_files_read(void *userdata, const char *path, const char **ret,
				     size_t *ret_size)
{
	struct test_files *files = userdata;

	for (size_t i = 0; i < files->n; i++) {
		if (strcmp(files->files[i].path, path) == 0) {
			*ret = files->files[i].bytes;
			*ret_size = files->files[i].size;
			return true;
		}
	}
	return false;
}

static _unused_ void test_files_done(struct test_files *files)
{
	for (size_t i = 0; i < files->n; i++)
		free(files->files[i].bytes);
	*files = (struct test_files){ 0 };
}

/* ---- configuration ---- */

#define TEST_MAX 24

/* Filled by hand: every string is borrowed, conf_free() is never called. */
struct test_conf {
	struct conf conf;
	struct test_files files;
	struct conf_identity identities[TEST_MAX];
	struct conf_listener listener;
	uint32_t listener_identities[TEST_MAX];
	struct trust_anchors anchors[TEST_MAX];
	char *anchor_files[TEST_MAX];
	struct trust_entry entries[TEST_MAX];
	struct trust_member members[TEST_MAX];
	struct tls_store *store;
};

static _unused_ void test_conf_init(struct test_conf *t)
{
	static char path[] = "siptlsd.conf", topology[] = "topology.conf", name[] = "in";

	*t = (struct test_conf){
		.conf = { .path = path, .topology_path = topology, .n_listeners = 1 },
		.listener = { .name = name },
	};
	t->conf.identities = t->identities;
	t->conf.listeners = &t->listener;
	t->listener.identities = t->listener_identities;
	t->conf.trust = (struct trust_policy){
		.serial = 1,
		.anchors = t->anchors,
		.entries = t->entries,
		.depth = 5,
	};
}

#define WRITABLE(string) ((char *)(uintptr_t)(string))

/* Every identity is offered on the listener too. */
static _unused_ uint32_t test_conf_identity(struct test_conf *t, const char *name,
					    const char *certificate, const char *key)
{
	uint32_t i = (uint32_t)t->conf.n_identities++;

	assert_true(i < TEST_MAX);
	t->identities[i] = (struct conf_identity){
		.name = WRITABLE(name),
		.certificate = WRITABLE(certificate),
		.key = WRITABLE(key),
		.line_certificate = 11,
		.line_key = 12,
		.line_ocsp = 13,
	};
	t->listener_identities[t->listener.n_identities++] = i;
	return i;
}

static _unused_ uint32_t test_conf_anchors(struct test_conf *t, const char *name, bool internal,
					   const char *file)
{
	uint32_t i = (uint32_t)t->conf.trust.n_anchors++;

	assert_true(i < TEST_MAX);
	t->anchor_files[i] = WRITABLE(file);
	t->anchors[i] = (struct trust_anchors){
		.name = WRITABLE(name),
		.internal = internal,
		.files = &t->anchor_files[i],
		.n_files = 1,
	};
	return i;
}

static _unused_ uint32_t test_conf_entry(struct test_conf *t, const char *name, uint32_t anchors)
{
	uint32_t i = (uint32_t)t->conf.trust.n_entries++;

	assert_true(i < TEST_MAX);
	t->members[i] = (struct trust_member){ .name = WRITABLE(name) };
	t->entries[i] = (struct trust_entry){
		.name = WRITABLE(name),
		.kind = TRUST_SERVER,
		.anchors = anchors,
		.members = &t->members[i],
		.n_members = 1,
		.port = 5061,
		.rate = TRUST_RATE_NONE,
		.profile = TRUST_RFC9525,
		.usage = TRUST_USAGE_TLS,
		.tls12 = true,
		.directions = TRUST_INBOUND | TRUST_OUTBOUND,
	};
	return i;
}

static _unused_ void test_conf_build(struct test_conf *t)
{
	struct tls_files files = { test_files_read, &t->files };
	struct conf_error error;
	int r = tls_store_build(&t->conf, files, &t->store, &error);

	if (r == CONF_E_INVALID)
		fail_msg("%s:%u: %s", error.file, error.line, error.text);
	assert_int_equal(r, 0);
}

static _unused_ void test_conf_done(struct test_conf *t)
{
	t->store = tls_store_free(t->store);
	test_files_done(&t->files);
}

/* ---- connections ---- */

static _unused_ void test_connect(int fds[2])
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(listener, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&addr, &len), 0);
	fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fds[0], (struct sockaddr *)&addr, len), 0);
	fds[1] = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_true(fds[1] >= 0);
	close(listener);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	for (int i = 0; i < 2; i++) /* as net_tune() does */
		assert_int_equal(setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &(int){ 1 },
					    sizeof(int)),
				 0);
}

/* ---- a network of one listener and two peers ---- */

struct test_net {
	struct test_conf conf;
	struct test_cert ca, cert_a, cert_b;
	uint32_t anchors, entry_a, entry_b;
};

/* Our identity is b; a.example and b.example are listed. What a test adds comes before the build.
 */
static _unused_ void test_net_init(struct test_net *n)
{
	struct test_conf *t = &n->conf;

	assert_int_equal(tls_global_init(), 0);
	n->ca = test_cert_make((struct test_spec){ .cn = "Test CA", .ca = true });
	n->cert_a = test_cert_make((struct test_spec){ .issuer = &n->ca, .dns = { "a.example" } });
	n->cert_b = test_cert_make((struct test_spec){ .issuer = &n->ca, .dns = { "b.example" } });
	test_conf_init(t);
	test_files_add_certs(&t->files, "ca.pem", &n->ca, NULL);
	test_files_add_certs(&t->files, "b.pem", &n->cert_b, NULL);
	test_files_add_key(&t->files, "b.key", &n->cert_b);
	test_conf_identity(t, "b", "b.pem", "b.key");
	n->anchors = test_conf_anchors(t, "test", false, "ca.pem");
	n->entry_a = test_conf_entry(t, "a.example", n->anchors);
	n->entry_b = test_conf_entry(t, "b.example", n->anchors);
}

static _unused_ void test_net_done(struct test_net *n)
{
	test_conf_done(&n->conf);
	test_cert_done(&n->ca);
	test_cert_done(&n->cert_a);
	test_cert_done(&n->cert_b);
}

static _unused_ struct tls_job test_net_job(const struct test_net *n, bool dial)
{
	return (struct tls_job){
		.dial = dial,
		.mutual = true,
		.tls12 = true,
		.kernel_ciphers = { 7, 7 },
		.entry = dial ? n->entry_b : TRUST_ENTRY_ANY,
	};
}

/* ---- ours against a session of plain GnuTLS ---- */

static const char *const test_versions[] _unused_ = { "NORMAL:-VERS-ALL:+VERS-TLS1.3",
						      "NORMAL:-VERS-ALL:+VERS-TLS1.2" };

struct test_peer {
	const struct test_cert *chain[20]; /* what the peer shows; none: no certificate */
	const char *priority;		   /* NULL: NORMAL */
	bool server;
	gnutls_certificate_credentials_t credentials; /* instead of @chain */
};

struct test_duel {
	int fds[2]; /* theirs, ours */
	struct tls_handshake *ours;
	gnutls_session_t theirs;
	gnutls_certificate_credentials_t credentials;
	int their_error;
};

static _unused_ void test_peer_credentials(const struct test_peer *peer,
					   gnutls_certificate_credentials_t *ret)
{
	gnutls_x509_crt_t chain[20];
	int n = 0;

	assert_int_equal(gnutls_certificate_allocate_credentials(ret), 0);
	for (; n < 20 && peer->chain[n]; n++)
		chain[n] = peer->chain[n]->crt;
	if (n > 0)
		assert_int_equal(gnutls_certificate_set_x509_key(*ret, chain, n,
								 peer->chain[0]->key),
				 0);
}

static _unused_ void test_duel_new(struct test_duel *d, struct tls_store *store, struct tls_job job,
				   struct test_peer peer)
{
	*d = (struct test_duel){ 0 };
	test_connect(d->fds);
	assert_int_equal(tls_handshake_new(store, &job, d->fds[1], &d->ours), 0);
	if (!peer.credentials)
		test_peer_credentials(&peer, &d->credentials);
	assert_int_equal(gnutls_init(&d->theirs,
				     GNUTLS_NONBLOCK | GNUTLS_FORCE_CLIENT_CERT |
					     (peer.server ? GNUTLS_SERVER : GNUTLS_CLIENT)),
			 0);
	assert_int_equal(gnutls_priority_set_direct(d->theirs,
						    peer.priority ? peer.priority : "NORMAL", NULL),
			 0);
	gnutls_credentials_set(d->theirs, GNUTLS_CRD_CERTIFICATE,
			       peer.credentials ? peer.credentials : d->credentials);
	gnutls_transport_set_int(d->theirs, d->fds[0]);
}

static _unused_ void test_duel_done(struct test_duel *d)
{
	d->ours = tls_handshake_free(d->ours);
	gnutls_deinit(d->theirs);
	if (d->credentials)
		gnutls_certificate_free_credentials(d->credentials);
	fd_close(d->fds[0]);
	fd_close(d->fds[1]);
}

/* Until ours is over; what theirs came to is in their_error. */
static _unused_ int test_duel_run(struct test_duel *d)
{
	int r = TLS_E_WANT_READ, theirs = GNUTLS_E_AGAIN;

	for (int i = 0; i < 200 && (r == TLS_E_WANT_READ || theirs == GNUTLS_E_AGAIN); i++) {
		if (theirs == GNUTLS_E_AGAIN)
			theirs = gnutls_handshake(d->theirs);
		if (r == TLS_E_WANT_READ)
			r = tls_handshake_step(d->ours);
	}
	d->their_error = theirs;
	return r;
}

/* ---- two ends of ours ---- */

struct test_pair {
	int fds[2];
	struct tls_handshake *dial, *accept;
	int dialled, accepted; /* what the last steps came to */
};

static _unused_ void test_pair_new(struct test_pair *p, struct tls_store *store,
				   struct tls_job dial, struct tls_job accept)
{
	*p = (struct test_pair){ 0 };
	test_connect(p->fds);
	assert_int_equal(tls_handshake_new(store, &dial, p->fds[0], &p->dial), 0);
	assert_int_equal(tls_handshake_new(store, &accept, p->fds[1], &p->accept), 0);
}

static _unused_ void test_pair_done(struct test_pair *p)
{
	p->dial = tls_handshake_free(p->dial);
	p->accept = tls_handshake_free(p->accept);
	close(p->fds[0]);
	close(p->fds[1]);
}

/* Until both are over; a dialling end that is refused at the last moment is told so by an alert. */
static _unused_ void test_pair_run(struct test_pair *p)
{
	p->dialled = p->accepted = TLS_E_WANT_READ;
	for (int i = 0;
	     i < 1000 && (p->dialled == TLS_E_WANT_READ || p->accepted == TLS_E_WANT_READ); i++) {
		p->dialled = tls_handshake_step(p->dial);
		p->accepted = tls_handshake_step(p->accept);
	}
}
