/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The life of one handshake, from the socket to the keys. */

#include <stdio.h>
#include <tls/handshake.h>
#include <tls/hello.h>
#include <tls/presented.h>

int tls_direction_want(const struct tls_handshake *hs)
{
	return gnutls_record_get_direction(hs->session) ? TLS_E_WANT_WRITE : TLS_E_WANT_READ;
}

/* ---- what GnuTLS tells while it runs ---- */

static int on_certificate(struct tls_handshake *hs, const gnutls_datum_t *message)
{
	char buf[128] = "";
	struct text why = TEXT_INIT(buf);
	bool tls13 = gnutls_protocol_get_version(hs->session) == GNUTLS_TLS1_3;
	enum reason reason = tls_presented_check(message->data, message->size, tls13, &why);

	if (reason == REASON_OK)
		return 0;
	(void)!tls_refuse(hs, reason, "%s", buf);
	return GNUTLS_E_CERTIFICATE_ERROR;
}

static int on_message(gnutls_session_t session, unsigned int type, unsigned int when,
		      unsigned int incoming, const gnutls_datum_t *message)
{
	struct tls_handshake *hs = gnutls_session_get_ptr(session);
	struct text offer = TEXT_INIT(hs->offer);
	size_t limit;

	(void)when;
	if (incoming && type == TLS_PRESENTED_MESSAGE)
		return on_certificate(hs, message);
	if (!incoming || (type != TLS_HELLO_CLIENT && type != TLS_HELLO_SERVER &&
			  type != TLS_HELLO_ENCRYPTED_EXTENSIONS))
		return 0;
	hs->hello = true;
	limit = tls_hello_record_limit((uint8_t)type, message->data, message->size);
	if (limit > 0)
		hs->record_limit = limit;
	if (type == TLS_HELLO_CLIENT) {
		tls_hello_describe_client(message->data, message->size, &offer);
		/* GnuTLS would go on to look for a cipher suite and blame that. */
		if (!tls_hello_offers(message->data, message->size, hs->suites.versions))
			return GNUTLS_E_UNSUPPORTED_VERSION_PACKET;
	} else if (type == TLS_HELLO_SERVER) {
		tls_hello_describe_server(message->data, message->size, &offer);
	}
	return 0;
}

static void keep_secret(struct secret *ret, const void *bytes, size_t size)
{
	if (!bytes || size > SECRET_MAX)
		return;
	memcpy(ret->bytes, bytes, size);
	ret->len = (uint8_t)size;
}

/* TLS 1.3, once for each direction and level; only the application's secrets are of use later. */
static int on_secret(gnutls_session_t session, gnutls_record_encryption_level_t level,
		     const void *read, const void *write, size_t size)
{
	struct tls_handshake *hs = gnutls_session_get_ptr(session);

	if (level != GNUTLS_ENCRYPTION_LEVEL_APPLICATION || hs->state != TLS_STATE_RUNNING)
		return 0;
	keep_secret(&hs->secrets[KTLS_RX], read, size);
	keep_secret(&hs->secrets[KTLS_TX], write, size);
	return 0;
}

/* ---- making ---- */

static const char *dialled_name(const struct tls_handshake *hs)
{
	const struct trust_policy *policy = &hs->store->conf->trust;

	return policy->entries[hs->job.entry].members[hs->job.member].name;
}

static bool job_is_valid(const struct tls_store *store, const struct tls_job *job)
{
	const struct trust_policy *policy = &store->conf->trust;

	if (!job->dial)
		return job->listener < store->conf->n_listeners &&
		       store->conf->listeners[job->listener].n_identities > 0;
	return job->identity < store->n_identities && job->entry < policy->n_entries &&
	       job->member < policy->entries[job->entry].n_members;
}

static int session_set_client(struct tls_handshake *hs)
{
	const char *name = dialled_name(hs);

	/* The name the administrator listed, whatever address was dialled. */
	if (gnutls_server_name_set(hs->session, GNUTLS_NAME_DNS, name, strlen(name)) < 0)
		return -EINVAL;
	snprintf(hs->sni, sizeof(hs->sni), "%s", name);
	hs->identity = hs->job.identity;
	return 0;
}

static void session_set_server(struct tls_handshake *hs)
{
	gnutls_certificate_server_set_request(hs->session, hs->job.mutual ? GNUTLS_CERT_REQUIRE
									  : GNUTLS_CERT_IGNORE);
	/* A list of CAs would tell each partner who the others are. */
	gnutls_certificate_send_x509_rdn_sequence(hs->session, 1);
}

static bool must_judge(const struct tls_handshake *hs)
{
	return hs->job.dial || hs->job.mutual;
}

static int session_make(struct tls_handshake *hs, gnutls_priority_t priority)
{
	unsigned int flags = GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | GNUTLS_NO_TICKETS;
	int r = 0;

	if (gnutls_init(&hs->session, flags | (hs->job.dial ? GNUTLS_CLIENT : GNUTLS_SERVER)) < 0)
		return -ENOMEM;
	gnutls_session_set_ptr(hs->session, hs);
	tls_io_attach(hs);
	if (gnutls_priority_set(hs->session, priority) < 0 ||
	    gnutls_credentials_set(hs->session, GNUTLS_CRD_CERTIFICATE, hs->store->credentials) < 0)
		return -ENOMEM;
	gnutls_handshake_set_max_packet_length(hs->session, TLS_HANDSHAKE_MESSAGE_MAX);
	gnutls_handshake_set_hook_function(hs->session, GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_PRE,
					   on_message);
	gnutls_handshake_set_secret_function(hs->session, on_secret);
	if (hs->job.dial)
		r = session_set_client(hs);
	else
		session_set_server(hs);
	if (must_judge(hs))
		gnutls_session_set_verify_function(hs->session, tls_handshake_verify);
	return r;
}

int tls_handshake_new(struct tls_store *store, const struct tls_job *job, int fd,
		      struct tls_handshake **ret)
{
	_cleanup_(tls_handshake_freep) struct tls_handshake *hs = NULL;
	gnutls_priority_t priority;
	int r;

	if (!job_is_valid(store, job))
		return -EINVAL;
	hs = calloc(1, sizeof(*hs));
	if (!hs)
		return -ENOMEM;
	hs->store = store;
	hs->job = *job;
	hs->fd = fd;
	hs->alert_received = hs->alert_in_clear = ALERT_NONE;
	hs->suites = tls_suites_choose(job);
	if (tls_store_priority(store, hs->suites, &priority) == 0) {
		r = session_make(hs, priority);
		if (r < 0)
			return r;
	} /* else the first step refuses */
	*ret = steal_ptr(hs);
	return 0;
}

struct tls_handshake *tls_handshake_free(struct tls_handshake *hs)
{
	if (!hs)
		return NULL;
	if (hs->session)
		gnutls_deinit(hs->session);
	trust_facts_done(&hs->facts);
	memory_wipe(hs, sizeof(*hs));
	free(hs);
	return NULL;
}

/* ---- running ---- */

static int refuse_sniffed(struct tls_handshake *hs, enum reason reason, int error)
{
	char buf[4 * TLS_SNIFF_SIZE + 1] = "";
	struct text bytes = TEXT_INIT(buf);

	if (error != 0)
		return tls_refuse(hs, reason, "%s", strerror(error));
	if (hs->sniff.len == 0)
		return tls_refuse(hs, reason, "before the first byte");
	text_add_foreign(&bytes, (const char *)hs->sniff.bytes, hs->sniff.len);
	return tls_refuse(hs, reason, "first bytes: %s", buf);
}

/* When we dialled, the peer has nothing to say before it has our ClientHello. */
static int sniff(struct tls_handshake *hs)
{
	enum reason reason = REASON_INTERNAL;
	int r, error = 0;

	/* What follows the first record is GnuTLS's matter, also when it came before we could look.
	 */
	if (hs->received)
		return 0;
	if (hs->job.dial && (!hs->started || gnutls_record_get_direction(hs->session)))
		return 0;
	r = tls_sniff_step(&hs->sniff, hs->fd, hs->job.dial, &reason, &error);
	return r == TLS_E_REFUSED ? refuse_sniffed(hs, reason, error) : r;
}

static int handshake_run(struct tls_handshake *hs)
{
	int r, warnings = 0;

	hs->io_errno = 0;
	hs->pulls = 0;
	hs->started = true;
	do {
		r = gnutls_handshake(hs->session);
	} while (r == GNUTLS_E_INTERRUPTED ||
		 (r == GNUTLS_E_WARNING_ALERT_RECEIVED && ++warnings < TLS_WARNINGS_MAX));
	if (hs->pulled > TLS_PULLED_MAX)
		return tls_refuse(hs, REASON_TLS_PROTOCOL,
				  "more than %d bytes before the end of the handshake",
				  TLS_PULLED_MAX);
	if (r == GNUTLS_E_AGAIN)
		return tls_direction_want(hs);
	return r < 0 ? tls_refuse_error(hs, r) : 0;
}

/*
 * The peer may have bound us to records smaller than the kernel makes (RFC 8449; the limit of
 * TLS 1.3 counts the content type too).
 */
static bool kernel_fits(const struct tls_handshake *hs)
{
	size_t full = hs->version == KTLS_TLS13 ? TLS_EARLY_MAX + 1 : TLS_EARLY_MAX;

	return (hs->job.kernel_ciphers[hs->version] & TLS_CIPHER_BIT(hs->cipher)) &&
	       (hs->record_limit == 0 || hs->record_limit >= full);
}

static int finish(struct tls_handshake *hs)
{
	if (!tls_version_from_gnutls(gnutls_protocol_get_version(hs->session), &hs->version) ||
	    !tls_cipher_from_gnutls(gnutls_cipher_get(hs->session), &hs->cipher))
		return tls_refuse(hs, REASON_INTERNAL, "a suite was agreed on that is not ours");
	if (must_judge(hs) && !hs->judged)
		return tls_refuse(hs, REASON_INTERNAL, "the peer's certificate was not judged");
	if (!hs->job.dial)
		tls_handshake_read_sni(hs);
	/* RFC 8446 lets a server do without our certificate; in this network it has to want it. */
	if (hs->job.dial && !hs->asked)
		return tls_refuse(hs, REASON_NOT_MUTUAL, "the server sent no CertificateRequest");
	hs->kernel = kernel_fits(hs);
	if (!hs->kernel && !hs->job.fallback)
		return tls_refuse(hs, REASON_KERNEL_UNAVAILABLE,
				  "%s with %s and records of at most %zu bytes",
				  ktls_version_name(hs->version),
				  ktls_cipher_info(hs->cipher)->name,
				  gnutls_record_get_max_size(hs->session));
	hs->detail[0] = '\0';
	hs->pulled = 0;
	hs->state = TLS_STATE_DONE;
	return 0;
}

int tls_handshake_step(struct tls_handshake *hs)
{
	int r;

	if (hs->state == TLS_STATE_REFUSED)
		return TLS_E_REFUSED;
	if (hs->state != TLS_STATE_RUNNING)
		return 0;
	if (!hs->session)
		return tls_refuse(hs, REASON_KERNEL_UNAVAILABLE,
				  "no cipher is left that the kernel takes and the crypto policy "
				  "of this system allows");
	r = sniff(hs);
	if (r == 0)
		r = handshake_run(hs);
	return r == 0 ? finish(hs) : r;
}

void tls_handshake_outcome(struct tls_handshake *hs, struct tls_outcome *ret)
{
	*ret = (struct tls_outcome){
		.reason = hs->reason,
		.alert_received = hs->alert_received,
		.cached = hs->cached,
		.detail = hs->detail,
		.facts = hs->has_facts ? &hs->facts : NULL,
		.ders = hs->ders,
		.group = "",
		.sni = hs->sni,
	};
	if (hs->state == TLS_STATE_RUNNING || hs->state == TLS_STATE_REFUSED)
		return;
	ret->version = hs->version;
	ret->cipher = hs->cipher;
	ret->identity = hs->identity;
	ret->kernel = hs->kernel;
	ret->group = gnutls_group_get_name(gnutls_group_get(hs->session));
	if (!ret->group)
		ret->group = "";
}
