/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * conf - the two configuration files, read once, checked as a whole.
 *
 * siptlsd.conf tells about this server, topology.conf about the network. A *snapshot* holds the
 * bytes of both and of every file they name (certificates, keys, CAs) in one sealed memory file, so
 * that the daemon and all its workers see the same bytes until the next reload, a worker needs no
 * file system, and private keys pass through the daemon as a descriptor it never maps (the kernel
 * copies them from file to snapshot).
 *
 * Called by the mains, session (reload) and worker processes. Uses libconfuse, which no other
 * module includes. A mistake is reported as file, line, what was expected and what was found.
 */

#include <siptls/base.h>
#include <siptls/dns.h>
#include <siptls/net.h>
#include <siptls/trust.h>

#define CONF_DEFAULT_PATH  "/etc/siptls/siptlsd.conf"
#define CONF_DEFAULT_STATE "/var/lib/siptls"

enum {
	CONF_E_INVALID = 1, /* the files are wrong; struct conf_error tells where and why */
};

struct conf_error {
	char file[256];
	uint32_t line; /* 0: the file as a whole */
	char text[512];
};

void conf_error_set(struct conf_error *error, const char *file, uint32_t line, const char *format,
		    ...) _printf_(4, 5);

/* ---- snapshot ---- */

struct conf_snapshot;

/* Read @path, the topology it names and all files these name. 0, CONF_E_INVALID or -errno. */
int conf_snapshot_take(const char *path, struct conf_snapshot **ret,
		       struct conf_error *reterr) _must_check_;
/* Map the snapshot behind @fd (a worker's start); takes the descriptor over on success. */
int conf_snapshot_open(int fd, struct conf_snapshot **ret) _must_check_;
int conf_snapshot_fd(const struct conf_snapshot *snapshot); /* borrowed; sealed; pass to a worker */
struct conf_snapshot *conf_snapshot_free(struct conf_snapshot *snapshot); /* NULL is fine */

/*
 * The bytes of one file of the snapshot, not terminated, valid while the snapshot lives.
 * false: not in it. In the daemon only configuration files may be asked for (the only ones it
 * maps).
 */
bool conf_snapshot_file(const struct conf_snapshot *snapshot, const char *path, const char **ret,
			size_t *ret_size);

/*
 * The last configuration that was put in force, kept in @folder: the topology and every file that
 * it names (CAs; no key is ever among them), and siptlsd.conf. conf_last_good_take() makes a
 * snapshot of it in the place of files that are broken now; keys and certificates of ours still
 * come from where the configuration says. The new copy replaces the old one as a whole.
 */
int conf_last_good_save(const struct conf_snapshot *snapshot, const char *folder) _must_check_;
int conf_last_good_take(const char *path, const char *folder, struct conf_snapshot **ret,
			struct conf_error *reterr) _must_check_;
/* The state folder that @path says, or the default when it cannot be read. */
int conf_state_find(const char *path, char **ret) _must_check_;

/* ---- configuration ---- */

enum conf_kernel { CONF_KERNEL_PREFER, CONF_KERNEL_REQUIRE, _CONF_KERNEL_MAX };

/* mutual: servers, matched against the topology. client: phones, which only check us. */
enum conf_listener_kind { CONF_LISTENER_MUTUAL, CONF_LISTENER_CLIENT, _CONF_LISTENER_KIND_MAX };

struct conf_identity {
	char *name;
	char *certificate; /* PEM file: leaf first, then intermediates */
	char *key;	   /* PEM file */
	char *ocsp;	   /* DER file: the response to staple; NULL: none */
	uint32_t line_certificate, line_key, line_ocsp;
};

struct conf_listener {
	char *name;
	enum conf_listener_kind kind;
	struct net_addr *addresses;
	size_t n_addresses;
	uint32_t *identities; /* indices; SNI chooses among them, the first is the default */
	size_t n_identities;
	struct net_addr backend;
	enum net_proxy proxy;
	bool tls12; /* kind client only: peers' entries say it for mutual listeners */
	uint32_t line;
};

struct conf_dial {
	char *name;
	struct net_addr *addresses; /* local plain ports */
	size_t n_addresses;
	uint32_t identity;
	uint32_t entry;	    /* of the topology */
	uint32_t member;    /* of the entry; where SRV decides it is 0 and means the entry */
	struct net_addr to; /* len 0: look up @lookup */
	struct dns_question lookup;
	uint32_t line;
};

struct conf_limits {
	uint32_t handshake_timeout_ms;	/* from accept/connect to verdict */
	uint32_t connect_timeout_ms;	/* TCP, to peer or backend */
	uint32_t half_close_timeout_ms; /* from one side's end to the other's */
	uint32_t unauthenticated;	/* connections in handshake */
	uint32_t unauthenticated_per_source;
	uint32_t sessions;
	uint64_t session_age_ms;    /* longest life of a session; 0: none */
	uint64_t identity_drain_ms; /* how long sessions may go on after our certificate they rest
				       on was replaced; CONF_NEVER: as long as they like */
	uint64_t trust_grace_ms;    /* how long a session may go on that lost its trust */
	uint64_t expiry_warning_s;  /* warn so long before a certificate or a CRL ends */
};

#define CONF_NEVER UINT64_MAX

struct conf {
	char *path, *topology_path;
	enum conf_kernel kernel;
	uint32_t workers; /* handshake processes */
	uint32_t relay_threads;
	char *state; /* folder of what outlives the daemon: last good copy, fetched CRLs */
	struct dns_config dns;
	char *control_path;  /* of the control socket */
	char *control_group; /* may look and operate; NULL: only root and the daemon's user */
	struct conf_limits limits;
	struct conf_identity *identities;
	size_t n_identities;
	struct conf_listener *listeners;
	size_t n_listeners;
	struct conf_dial *dials;
	size_t n_dials;
	struct trust_policy trust;
};

/* Parse and check. 0, CONF_E_INVALID with *reterr, or -errno. */
int conf_load(const struct conf_snapshot *snapshot, struct conf **ret,
	      struct conf_error *reterr) _must_check_;
struct conf *conf_free(struct conf *conf); /* NULL is fine */

/*
 * How to dial @peer, an entry or member of the topology, as a dial section without `connect` would:
 * everything of *ret but name and addresses. false: there is no such peer, or none to dial.
 */
bool conf_dial_find(const struct conf *conf, const char *peer, struct conf_dial *ret);

/*
 * What changes from @old (NULL: nothing) to @new, one line each: "adds pool x", "removes server y",
 * "changes z: profile rfc5922 to rfc9525", listeners, dial-outs, identities, anchors, limits.
 */
typedef void (*conf_line_fn)(void *userdata, const char *line);
void conf_diff(const struct conf *old, const struct conf *new, conf_line_fn fn, void *userdata);

/* What a configuration needs of this machine: the control socket's group. 0 or CONF_E_INVALID. */
int conf_machine_check(const struct conf *conf, struct conf_error *reterr) _must_check_;

/*
 * What is allowed and probably not meant: a listed name that is blocked, an entry that nobody can
 * dial, kernel = "require" without TLS in the kernel (@kernel false), a dial to an inbound-only
 * entry, revocation without a source... One line each, with file and line.
 */
void conf_warnings(const struct conf *conf, bool kernel, conf_line_fn fn, void *userdata);
