/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Lookups against a real name server: order and failover of SRV targets, what DNSSEC says of the
 * answer, deadlines, how long what was found is remembered, and what a hostile zone can say.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <net/if.h>
#include <sched.h>
#include <siptls/dns.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#include "dns-testing.h"

#define TIMEOUT_MS 15000 /* generous: only the tests of the deadline wait for it */

static struct name_server server;

static const char signed_zone[] =
	"a A 127.0.0.1\na A 127.0.0.2\na AAAA ::1\n"
	"b A 127.0.0.3\n"
	"c 7 A 127.0.0.4\n"
	"alias CNAME a\n"
	"broken A 127.0.0.9\n"
	"half A 127.0.0.8\nhalf AAAA ::8\n"
	"v6 AAAA ::1\n"
	"nobody TXT x\n"
	"wrong A 0.0.0.0\nwrong A 224.0.0.1\nwrong A 255.255.255.255\nwrong AAAA ff02::1\n"
	"wrong AAAA ::\n"
	"_list._tcp SRV 10 1 5061 a\n_list._tcp SRV 10 3 5062 b\n_list._tcp SRV 20 0 5063 c\n"
	"_fail._tcp SRV 1 0 5061 missing\n_fail._tcp SRV 2 0 5061 broken\n"
	"_fail._tcp SRV 3 0 5062 b\n_fail._tcp SRV 4 0 5062 nobody\n"
	"_allbad._tcp SRV 1 0 5061 missing\n_allbad._tcp SRV 2 0 5061 broken\n"
	"_gone._tcp SRV 1 0 5061 missing\n"
	"_none._tcp SRV 0 0 0 .\n"
	"_hostile._tcp SRV 1 0 5061 a\\032b\n_hostile._tcp SRV 1 0 5061 \\027[2J\n"
	"_hostile._tcp SRV 1 0 0 a\n_hostile._tcp SRV 2 0 5061 b\n"
	"_onlyhostile._tcp SRV 1 0 5061 a\\000b\n"
	"_mixed._tcp SRV 1 0 5061 a\n_mixed._tcp SRV 2 0 5061 x.plain.test.\n"
	"child NS ns\n";

static const char plain_zone[] = "x A 127.0.0.5\nlong A 127.0.0.6\nshort 1 A 127.0.0.7\n"
				 "_s._tcp 30 SRV 1 0 5061 x\n";

static char *many_records(void)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	for (int i = 0; i < 100; i++)
		fprintf(f,
			"_many._tcp SRV %d 0 5061 a-host-with-a-rather-long-name-%d\n"
			"a-host-with-a-rather-long-name-%d A 127.0.1.%d\n",
			i, i, i, i);
	fclose(f);
	return text;
}

static int start(void **state _unused_)
{
	_cleanup_free_ char *zone = NULL, *many = NULL;

	if (!name_server_available())
		return 0;
	many = many_records();
	assert_true(asprintf(&zone, "%s%s", signed_zone, many) > 0);
	name_server_init(&server);
	name_server_zone(&server, "signed.test", zone,
			 &(struct zone_signing){ .broken = "broken A" });
	name_server_break(&server, "signed.test", "half AAAA");
	name_server_zone(&server, "expired.test", "a A 127.0.0.1\n",
			 &(struct zone_signing){ .inception = "20200101",
						 .expiration = "20200201" });
	name_server_zone(&server, "plain.test", plain_zone, NULL);
	name_server_zone(&server, "child.signed.test", "a A 127.0.0.1\n", NULL);
	name_server_start(&server);
	return 0;
}

static int stop(void **state _unused_)
{
	name_server_stop(&server);
	return 0;
}

/* ---- lookups ---- */

struct fixture {
	struct loop *loop;
	struct dns *dns;
	struct dns_answer answer;
	unsigned int answers;
	/* Called with each answer; false: that was the last. NULL: the first is the last. */
	bool (*each)(struct fixture *f);
	unsigned int count;
	struct loop_source *timer;
	struct dns_query *cancelled;
};

static void on_answer(void *userdata, const struct dns_answer *answer)
{
	struct fixture *f = userdata;

	f->answer = *answer;
	f->answers++;
	if (!f->each || !f->each(f))
		loop_exit(f->loop, 0);
}

static struct net_addr loopback(uint16_t port)
{
	struct net_addr addr = { .in4 = { .sin_family = AF_INET,
					  .sin_port = htons(port),
					  .sin_addr = { htonl(INADDR_LOOPBACK) } },
				 .len = sizeof(addr.in4) };

	return addr;
}

static void setup(struct fixture *f, const struct dns_config *options)
{
	struct dns_config config = *options;

	if (server.pid == 0)
		skip();
	if (config.n_servers == 0)
		config.servers[config.n_servers++] = loopback(server.port);
	if (config.timeout_ms == 0)
		config.timeout_ms = TIMEOUT_MS;
	assert_int_equal(loop_new(&f->loop), 0);
	assert_int_equal(dns_new(f->loop, &config, &f->dns), 0);
}

static void teardown(struct fixture *f)
{
	f->timer = loop_source_free(f->timer);
	f->dns = dns_free(f->dns);
	f->loop = loop_free(f->loop);
}

static struct dns_query *ask(struct fixture *f, enum dns_kind kind, const char *name)
{
	struct dns_question question = { .kind = kind, .port = 5061 };
	struct dns_query *query = NULL;
	unsigned int before = f->answers;

	snprintf(question.name, sizeof(question.name), "%s", name);
	assert_int_equal(dns_resolve(f->dns, &question, on_answer, f, &query), 0);
	assert_int_equal(f->answers, before);
	return query;
}

static int resolve_with(const struct dns_config *config, enum dns_kind kind, const char *name,
			struct dns_answer *ret)
{
	struct fixture f = {};

	setup(&f, config);
	ask(&f, kind, name);
	assert_int_equal(loop_run(f.loop), 0);
	*ret = f.answer;
	teardown(&f);
	return (int)ret->reason;
}

static int resolve(enum dns_kind kind, const char *name, struct dns_answer *ret)
{
	struct dns_config config = { .trust_anchor = server.anchors };

	return resolve_with(&config, kind, name, ret);
}

static void check_target(const struct dns_answer *answer, size_t i, const char *host,
			 const char *address)
{
	char text[NET_ADDR_STRLEN];

	assert_true(i < answer->n_targets);
	assert_string_equal(answer->targets[i].host, host);
	assert_string_equal(net_addr_format(&answer->targets[i].addr, text), address);
}

/* ---- hosts ---- */

static void test_host(void **state _unused_)
{
	struct dns_answer a;

	assert_int_equal(resolve(DNS_HOST, "a.signed.test", &a), REASON_OK);
	assert_int_equal(a.n_targets, 3);
	check_target(&a, 0, "a.signed.test", "[::1]:5061");
	assert_true(a.secure);
	assert_in_range(a.ttl, 3500, 3600);
	assert_string_equal(a.detail, "");

	assert_int_equal(resolve(DNS_HOST, "alias.signed.test", &a), REASON_OK);
	assert_int_equal(a.n_targets, 3);
	assert_true(a.secure);
	assert_int_equal(resolve(DNS_HOST, "v6.signed.test.", &a), REASON_OK);
	assert_int_equal(a.n_targets, 1);
}

static void test_no_host(void **state _unused_)
{
	static const struct {
		const char *name, *detail;
	} cases[] = {
		{ "missing.signed.test", "missing.signed.test: the name does not exist" },
		{ "nobody.signed.test",
		  "nobody.signed.test: no AAAA record; nobody.signed.test: no A record" },
		{ "wrong.signed.test", "wrong.signed.test: its addresses are not a host's" },
		{ "elsewhere.test", "elsewhere.test: the name server failed (rcode 2)" },
		{ "a..signed.test", "a..signed.test: syntax error" },
		{ "a\\032.signed.test", "not a DNS name" },
		{ "a\033.signed.test", "not a DNS name" },
	};
	struct dns_answer a;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(resolve(DNS_HOST, cases[i].name, &a), REASON_DNS_FAILED);
		assert_string_equal(a.detail, cases[i].detail);
		assert_int_equal(a.n_targets, 0);
		assert_int_equal(a.ttl, 0);
	}
}

/* ---- SRV ---- */

#define ROUNDS 200

static bool each_order(struct fixture *f)
{
	const struct dns_answer *a = &f->answer;
	bool a_first;

	assert_int_equal(a->reason, REASON_OK);
	assert_int_equal(a->n_targets, 5);
	a_first = strcmp(a->targets[0].host, "a.signed.test") == 0;
	f->count += a_first;
	check_target(a, a_first ? 3 : 0, "b.signed.test", "127.0.0.3:5062");
	check_target(a, 4, "c.signed.test", "127.0.0.4:5063");
	assert_true(a->secure);
	assert_in_range(a->ttl, 0, 7);
	if (f->answers == ROUNDS)
		return false;
	ask(f, DNS_SRV, "_list._tcp.signed.test");
	return true;
}

static void test_srv_order(void **state _unused_)
{
	struct dns_config config = { .trust_anchor = server.anchors };
	struct fixture f = { .each = each_order };

	setup(&f, &config);
	ask(&f, DNS_SRV, "_list._tcp.signed.test");
	assert_int_equal(loop_run(f.loop), 0);
	/* RFC 2782 with weights 1 and 3, in either order: a number from 0 to 4 gives the first
	 * record 2 of 5 if it is a, the last 1 of 5. Three tenths, within 6 sigma. */
	assert_in_range(f.count, ROUNDS * 3 / 10 - 39, ROUNDS * 3 / 10 + 39);
	teardown(&f);
}

static void test_srv_failover(void **state _unused_)
{
	struct dns_answer a;

	assert_int_equal(resolve(DNS_SRV, "_fail._tcp.signed.test", &a), REASON_OK);
	assert_int_equal(a.n_targets, 1);
	check_target(&a, 0, "b.signed.test", "127.0.0.3:5062");
	assert_true(a.secure);
	assert_non_null(strstr(a.detail, "missing.signed.test: the name does not exist"));
	assert_non_null(strstr(a.detail, "broken.signed.test: "));

	assert_int_equal(resolve(DNS_SRV, "_gone._tcp.signed.test", &a), REASON_DNS_FAILED);
	assert_string_equal(a.detail, "missing.signed.test: the name does not exist");
	assert_int_equal(resolve(DNS_SRV, "_allbad._tcp.signed.test", &a), REASON_DNS_BOGUS);
}

static void test_srv_none(void **state _unused_)
{
	struct dns_answer a;

	assert_int_equal(resolve(DNS_SRV, "_none._tcp.signed.test", &a), REASON_DNS_FAILED);
	assert_string_equal(a.detail, "_none._tcp.signed.test: no such service (SRV target \".\")");
	assert_int_equal(resolve(DNS_SRV, "_missing._tcp.signed.test", &a), REASON_DNS_FAILED);
	assert_string_equal(a.detail, "_missing._tcp.signed.test: the name does not exist");
	assert_int_equal(resolve(DNS_SRV, "a.signed.test", &a), REASON_DNS_FAILED);
	assert_string_equal(a.detail, "a.signed.test: no SRV record");
	assert_int_equal(resolve(DNS_SRV, "..", &a), REASON_DNS_FAILED);
	assert_string_equal(a.detail, "..: syntax error");
}

static void test_srv_hostile(void **state _unused_)
{
	struct dns_answer a;

	assert_int_equal(resolve(DNS_SRV, "_hostile._tcp.signed.test", &a), REASON_OK);
	assert_int_equal(a.n_targets, 1);
	check_target(&a, 0, "b.signed.test", "127.0.0.3:5061");
	assert_non_null(strstr(a.detail, "a b.signed.test: not a host name"));
	assert_non_null(strstr(a.detail, "\\x1b[2j.signed.test: not a host name"));
	assert_non_null(strstr(a.detail, "a.signed.test: port 0"));
	assert_int_equal(resolve(DNS_SRV, "_onlyhostile._tcp.signed.test", &a), REASON_DNS_FAILED);
	assert_non_null(strstr(a.detail, "no usable SRV record"));
}

/* More than fit: the first ones by priority, which come over TCP. */
static void test_srv_many(void **state _unused_)
{
	struct dns_answer a;

	assert_int_equal(resolve(DNS_SRV, "_many._tcp.signed.test", &a), REASON_OK);
	assert_int_equal(a.n_targets, DNS_TARGETS_MAX);
	check_target(&a, 0, "a-host-with-a-rather-long-name-0.signed.test", "127.0.1.0:5061");
	check_target(&a, 31, "a-host-with-a-rather-long-name-31.signed.test", "127.0.1.31:5061");
	assert_true(a.secure);
}

/* ---- DNSSEC ---- */

static void test_bogus(void **state _unused_)
{
	struct dns_answer a;

	assert_int_equal(resolve(DNS_HOST, "broken.signed.test", &a), REASON_DNS_BOGUS);
	assert_non_null(strstr(a.detail, "broken.signed.test: "));
	assert_non_null(strstr(a.detail, "signature"));
	assert_int_equal(a.n_targets, 0);
	assert_int_equal(resolve(DNS_HOST, "a.expired.test", &a), REASON_DNS_BOGUS);
	assert_non_null(strstr(a.detail, "expired"));
	/* what is left of a host holds */
	assert_int_equal(resolve(DNS_HOST, "half.signed.test", &a), REASON_OK);
	assert_int_equal(a.n_targets, 1);
	check_target(&a, 0, "half.signed.test", "127.0.0.8:5061");
	assert_true(a.secure);
	assert_true(strlen(a.detail) > 0);
}

static void test_insecure(void **state _unused_)
{
	struct dns_config require = { .trust_anchor = server.anchors, .require = true };
	struct dns_config nothing = {}, nothing_require = { .require = true };
	struct dns_answer a;

	assert_int_equal(resolve(DNS_HOST, "x.plain.test", &a), REASON_OK);
	assert_false(a.secure);
	/* a delegation that is proven to be unsigned */
	assert_int_equal(resolve(DNS_HOST, "a.child.signed.test", &a), REASON_OK);
	assert_false(a.secure);
	/* signed servers, one of whose addresses is not */
	assert_int_equal(resolve(DNS_SRV, "_mixed._tcp.signed.test", &a), REASON_OK);
	assert_int_equal(a.n_targets, 4);
	assert_false(a.secure);

	assert_int_equal(resolve_with(&require, DNS_HOST, "x.plain.test", &a), REASON_DNS_INSECURE);
	assert_non_null(strstr(a.detail, "x.plain.test: the answer is not protected by DNSSEC"));
	assert_int_equal(resolve_with(&require, DNS_SRV, "_s._tcp.plain.test", &a),
			 REASON_DNS_INSECURE);
	assert_int_equal(resolve_with(&require, DNS_SRV, "_mixed._tcp.signed.test", &a), REASON_OK);
	assert_int_equal(a.n_targets, 3);
	assert_true(a.secure);
	assert_int_equal(resolve_with(&require, DNS_HOST, "a.signed.test", &a), REASON_OK);
	assert_int_equal(resolve_with(&require, DNS_HOST, "missing.plain.test", &a),
			 REASON_DNS_FAILED);

	/* without an anchor nothing is secure, and nothing is found to be bogus */
	assert_int_equal(resolve_with(&nothing, DNS_HOST, "broken.signed.test", &a), REASON_OK);
	assert_false(a.secure);
	assert_int_equal(resolve_with(&nothing_require, DNS_HOST, "a.signed.test", &a),
			 REASON_DNS_INSECURE);
}

static void test_bad_anchor(void **state _unused_)
{
	struct dns_config config = { .timeout_ms = 1000 };
	char missing[128], garbage[128];
	struct loop *loop;
	struct dns *dns = NULL;

	if (server.pid == 0)
		skip();
	snprintf(missing, sizeof(missing), "%s/no-such-file", server.dir);
	snprintf(garbage, sizeof(garbage), "%s/garbage", server.dir);
	name_server_write(&server, "garbage", "this is no key\n");
	assert_int_equal(loop_new(&loop), 0);
	config.trust_anchor = missing;
	assert_int_equal(dns_new(loop, &config, &dns), -ENOENT);
	config.trust_anchor = server.dir;
	assert_int_equal(dns_new(loop, &config, &dns), -EINVAL);
	config.trust_anchor = garbage;
	assert_int_equal(dns_new(loop, &config, &dns), -EBADMSG);
	name_server_write(&server, "garbage", "; all of it is comment\n\n");
	assert_int_equal(dns_new(loop, &config, &dns), -EBADMSG);
	assert_null(dns);
	loop_free(loop);
}

/* ---- time ---- */

static int mute_socket(struct net_addr *ret)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	*ret = loopback(0);
	assert_int_equal(bind(fd, &ret->any, ret->len), 0);
	assert_int_equal(getsockname(fd, &ret->any, &ret->len), 0);
	return fd;
}

static void test_deadline(void **state _unused_)
{
	struct dns_config config = { .n_servers = 1, .timeout_ms = 300 };
	_cleanup_fd_ _unused_ int fd = mute_socket(&config.servers[0]);
	uint64_t before = time_monotonic_ms();
	struct dns_answer a;

	assert_int_equal(resolve_with(&config, DNS_HOST, "a.signed.test", &a), REASON_DNS_FAILED);
	assert_string_equal(a.detail, "a.signed.test: no answer in time");
	assert_int_equal(resolve_with(&config, DNS_SRV, "_s._tcp.signed.test", &a),
			 REASON_DNS_FAILED);
	assert_string_equal(a.detail, "_s._tcp.signed.test: no answer in time");
	assert_in_range(time_monotonic_ms() - before, 600, 5000);
}

/* A server that does not answer does not hold up one that does. */
static void test_second_server(void **state _unused_)
{
	struct dns_config config = { .n_servers = 2 };
	_cleanup_fd_ _unused_ int fd = mute_socket(&config.servers[0]);
	struct dns_answer a;

	config.servers[1] = loopback(server.port);
	assert_int_equal(resolve_with(&config, DNS_HOST, "b.signed.test", &a), REASON_OK);
}

#define SHORT "short.plain.test"
#define LONG  "long.plain.test"

static int on_ask_again(void *userdata)
{
	ask(userdata, DNS_HOST, SHORT);
	return 0;
}

static const char *address(const struct fixture *f)
{
	static char text[NET_ADDR_STRLEN];

	assert_int_equal(f->answer.reason, REASON_OK);
	return net_addr_format(&f->answer.targets[0].addr, text);
}

/* What lives one second is seen to change; what lives an hour is remembered. */
static bool each_ttl(struct fixture *f)
{
	if (f->answers == 1) {
		assert_string_equal(address(f), "127.0.0.6:5061");
		ask(f, DNS_HOST, SHORT);
	} else if (f->answers == 2) {
		assert_string_equal(address(f), "127.0.0.7:5061");
		assert_in_range(f->answer.ttl, 0, 1);
		name_server_zone(&server, "plain.test", "long A 127.0.0.60\nshort 1 A 127.0.0.70\n",
				 NULL);
		name_server_reload(&server);
		assert_int_equal(loop_timer_add(f->loop, 200, on_ask_again, f, &f->timer), 0);
	} else if (strcmp(f->answer.targets[0].host, LONG) == 0) {
		assert_string_equal(address(f), "127.0.0.6:5061");
		return false;
	} else if (strcmp(address(f), "127.0.0.70:5061") == 0) {
		ask(f, DNS_HOST, LONG);
	} else {
		assert_true(f->answers < 200);
		assert_int_equal(loop_timer_set(f->timer, 200), 0);
	}
	return true;
}

static void test_ttl(void **state _unused_)
{
	struct fixture f = { .each = each_ttl };
	struct dns_config config = {};

	setup(&f, &config);
	ask(&f, DNS_HOST, LONG);
	assert_int_equal(loop_run(f.loop), 0);
	teardown(&f);
}

/* ---- ends ---- */

static bool each_free(struct fixture *f)
{
	f->dns = dns_free(f->dns);
	return false;
}

static void test_free_inside(void **state _unused_)
{
	struct dns_config config = {};
	struct fixture f = { .each = each_free };

	setup(&f, &config);
	ask(&f, DNS_SRV, "_list._tcp.signed.test");
	ask(&f, DNS_SRV, "_many._tcp.signed.test");
	assert_int_equal(loop_run(f.loop), 0);
	assert_int_equal(f.answers, 1);
	teardown(&f);
}

static int on_cancel(void *userdata)
{
	struct fixture *f = userdata;

	f->cancelled = dns_cancel(f->cancelled);
	assert_null(dns_cancel(NULL));
	return 0;
}

static bool each_cancel(struct fixture *f)
{
	/* the deadline of the one that was not cancelled, and no other */
	assert_int_equal(f->answers, 1);
	assert_string_equal(f->answer.detail, "b.test: no answer in time");
	return false;
}

static void test_cancel(void **state _unused_)
{
	struct dns_config config = { .n_servers = 1, .timeout_ms = 300 };
	_cleanup_fd_ _unused_ int fd = mute_socket(&config.servers[0]);
	struct fixture f = { .each = each_cancel };

	setup(&f, &config);
	dns_cancel(ask(&f, DNS_HOST, "c.test"));
	f.cancelled = ask(&f, DNS_SRV, "a.test");
	ask(&f, DNS_HOST, "b.test");
	assert_int_equal(loop_timer_add(f.loop, 50, on_cancel, &f, &f.timer), 0);
	assert_int_equal(loop_run(f.loop), 0);
	teardown(&f);
	/* and with everything under way */
	f = (struct fixture){};
	setup(&f, &config);
	ask(&f, DNS_HOST, "d.test");
	teardown(&f);
}

/* ---- resolv.conf ---- */

static bool each_resolv_conf(struct fixture *f)
{
	assert_int_equal(f->answer.reason, REASON_OK);
	return f->answers < 2;
}

static int on_new_resolv_conf(void *userdata)
{
	name_server_write(&server, "resolv.conf", "# now\nnameserver 127.0.0.1\n");
	ask(userdata, DNS_HOST, "x.plain.test");
	return 0;
}

/* Mounts and networks of our own; false: only root can. */
static bool leave_machine(void)
{
	struct ifreq up = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	_cleanup_fd_ int fd = -1;
	char path[128];

	snprintf(path, sizeof(path), "%s/resolv.conf", server.dir);
	if (unshare(CLONE_NEWNS | CLONE_NEWNET) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount(path, "/etc/resolv.conf", NULL, MS_BIND, NULL) < 0)
		return false;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return ioctl(fd, SIOCSIFFLAGS, &up) == 0;
}

/*
 * First a server that is mute; then, while a question waits for it, the file names another: that
 * question and the next are answered.
 */
static int resolv_conf_child(void)
{
	struct sockaddr_in mute = { .sin_family = AF_INET,
				    .sin_port = htons(53),
				    .sin_addr = { htonl(INADDR_LOOPBACK + 1) } };
	struct dns_config config = { .timeout_ms = TIMEOUT_MS };
	struct fixture f = { .each = each_resolv_conf };
	struct name_server other;
	_cleanup_fd_ int fd = -1;

	name_server_write(&server, "resolv.conf", "nameserver 127.0.0.2\n");
	if (!leave_machine())
		return 77;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(fd, (struct sockaddr *)&mute, sizeof(mute)) < 0)
		return 1;
	name_server_init(&other);
	name_server_zone(&other, "plain.test", plain_zone, NULL);
	other.port = 53;
	name_server_start(&other);
	assert_int_equal(loop_new(&f.loop), 0);
	assert_int_equal(dns_new(f.loop, &config, &f.dns), 0);
	ask(&f, DNS_SRV, "_s._tcp.plain.test");
	assert_int_equal(loop_timer_add(f.loop, 200, on_new_resolv_conf, &f, &f.timer), 0);
	assert_int_equal(loop_run(f.loop), 0);
	teardown(&f);
	name_server_stop(&other);
	return f.answers == 2 ? 0 : 2;
}

static void test_resolv_conf(void **state _unused_)
{
	pid_t pid;
	int status;

	if (server.pid == 0 || access("/etc/resolv.conf", F_OK) < 0)
		skip();
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(resolv_conf_child());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip(); /* only root may mount */
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_host),	    cmocka_unit_test(test_no_host),
		cmocka_unit_test(test_srv_order),   cmocka_unit_test(test_srv_failover),
		cmocka_unit_test(test_srv_none),    cmocka_unit_test(test_srv_hostile),
		cmocka_unit_test(test_srv_many),    cmocka_unit_test(test_bogus),
		cmocka_unit_test(test_insecure),    cmocka_unit_test(test_bad_anchor),
		cmocka_unit_test(test_deadline),    cmocka_unit_test(test_second_server),
		cmocka_unit_test(test_free_inside), cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_resolv_conf), cmocka_unit_test(test_ttl),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
