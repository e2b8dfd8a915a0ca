/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The calling side of the control socket. */

#include "client.h"

#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "options.h"

#define PATIENCE_MS	 60000 /* for each answer; a reload reads every certificate before it */
#define ANSWER_SIZE_MAX	 (16 * 1024 * 1024)
#define REQUEST_SIZE_MAX (64 * 1024)

struct ctl_client {
	int fd;
	struct control_input in;
};

/* ---- connection ---- */

static int connect_failed(const char *path, int error)
{
	switch (error) {
	case ENOENT:
	case ECONNREFUSED:
		ctl_complain("nobody answers at %s: is siptlsd running?", path);
		return CTL_FAILED;
	case EACCES:
	case EPERM:
		ctl_complain("permission denied on %s: it is for root, the daemon's user and the "
			     "members of control { group }",
			     path);
		return CTL_FAILED;
	case EAGAIN:
		ctl_complain("siptlsd does not take connections on %s", path);
		return CTL_FAILED;
	}
	return -error;
}

int ctl_client_open(const char *path, struct ctl_client **ret)
{
	_cleanup_(ctl_client_freep) struct ctl_client *client = calloc(1, sizeof(*client));
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (!client)
		return -ENOMEM;
	client->in.max = ANSWER_SIZE_MAX;
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (client->fd < 0)
		return -errno;
	if (strlen(path) >= sizeof(address.sun_path)) {
		ctl_complain("the path of the socket is too long: %s", path);
		return CTL_FAILED;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (connect(client->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return connect_failed(path, errno);
	*ret = steal_ptr(client);
	return 0;
}

struct ctl_client *ctl_client_free(struct ctl_client *client)
{
	if (!client)
		return NULL;
	control_input_done(&client->in);
	fd_close(client->fd);
	free(client);
	return NULL;
}

void ctl_client_freep(struct ctl_client **client)
{
	ctl_client_free(*client);
}

int ctl_client_server(const struct ctl_client *client, uid_t *ret)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(client->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return -errno;
	*ret = peer.uid;
	return 0;
}

/* 0 when ready, CTL_FAILED when the time is up, -errno. */
static int wait_for(const struct ctl_client *client, short events, uint64_t deadline_ms)
{
	struct pollfd pollfd = { .fd = client->fd, .events = events };
	uint64_t now = time_monotonic_ms();
	int n = poll(&pollfd, 1, deadline_ms > now ? (int)(deadline_ms - now) : 0);

	if (n > 0 || (n < 0 && errno == EINTR))
		return 0;
	if (n < 0)
		return -errno;
	ctl_complain("siptlsd does not answer in time");
	return CTL_FAILED;
}

static int lost(void)
{
	ctl_complain("siptlsd has closed the connection");
	return CTL_FAILED;
}

static int not_an_answer(void)
{
	ctl_complain("this is not an answer of siptlsd");
	return CTL_FAILED;
}

static int send_all(const struct ctl_client *client, struct control_output *out)
{
	uint64_t deadline = time_monotonic_ms() + PATIENCE_MS;
	int r = 0;

	while (r == 0 && !control_output_empty(out)) {
		size_t len;
		const char *bytes = control_output_peek(out, &len);
		ssize_t n = send(client->fd, bytes, len, MSG_NOSIGNAL);

		if (n >= 0)
			control_output_written(out, (size_t)n);
		else if (errno == EAGAIN)
			r = wait_for(client, POLLOUT, deadline);
		else
			r = errno == EPIPE || errno == ECONNRESET ? lost() : -errno;
	}
	return r;
}

static int receive_some(struct ctl_client *client, uint64_t deadline)
{
	char buf[16384];
	ssize_t n = recv(client->fd, buf, sizeof(buf), 0);

	if (n > 0)
		return control_input_push(&client->in, buf, (size_t)n);
	if (n < 0 && errno == EAGAIN)
		return wait_for(client, POLLIN, deadline);
	return n == 0 || errno == ECONNRESET ? lost() : -errno;
}

static int receive(struct ctl_client *client, json_t **ret)
{
	uint64_t deadline = time_monotonic_ms() + PATIENCE_MS;
	int r;

	while ((r = control_input_next(&client->in, ret)) == CONTROL_E_INCOMPLETE) {
		r = receive_some(client, deadline);
		if (r == CONTROL_E_TOO_LARGE)
			break;
		if (r != 0)
			return r;
	}
	if (r <= 0)
		return r;
	return not_an_answer();
}

/* ---- answers ---- */

static const char *text_of(const json_t *parameters, const char *key)
{
	const char *text = json_string_value(json_object_get(parameters, key));

	return text ? text : "?";
}

static void tell_not_permitted(const json_t *parameters _unused_, const char *method)
{
	static const char *const operate[] = { "CloseSessions", "Probe", "RefreshRevocation" };
	const char *who = "root or the daemon's user";

	for (size_t i = 0; i < ARRAY_SIZE(operate); i++) {
		if (strcmp(operate[i], method) == 0)
			who = "root, the daemon's user or a member of control { group }";
	}
	ctl_complain("%s is not permitted: it takes %s", method, who);
}

static void tell_not_found(const json_t *parameters, const char *method)
{
	const json_t *id = json_object_get(parameters, "id");

	if (!json_is_integer(id))
		ctl_complain(
			"no session is behind %s; of a connection that the SIP server dialled, "
			"its own address is asked for",
			text_of(parameters, "address"));
	else
		ctl_complain("there is no session%s %lld",
			     strcmp(method, "Explain") == 0 ? " and no refusal that is remembered "
							      "under"
							    : "",
			     (long long)json_integer_value(id));
}

static void tell_no_peer(const json_t *parameters, const char *method)
{
	ctl_complain("the topology has no entry \"%s\"%s; siptlsctl topology lists them",
		     text_of(parameters, "peer"),
		     strcmp(method, "Probe") == 0 ? ", or nothing to dial for it" : "");
}

static void tell_nothing_staged(const json_t *parameters _unused_, const char *method _unused_)
{
	ctl_complain("nothing is staged; siptlsctl stage prepares what the files say");
}

static void tell_preview(const json_t *parameters, const char *method _unused_)
{
	ctl_complain("no preview: %s", text_of(parameters, "text"));
}

static void tell_unknown_method(const json_t *parameters _unused_, const char *method)
{
	ctl_complain("siptlsd does not know %s: it is older than siptlsctl, restart it", method);
}

static void tell_configuration(const json_t *parameters, const char *method _unused_)
{
	json_int_t line = json_integer_value(json_object_get(parameters, "line"));
	const char *file = text_of(parameters, "file");
	char number[32] = "";

	if (line > 0)
		snprintf(number, sizeof(number), ":%lld", (long long)line);
	ctl_complain("%s%s%s%s", file, number, *file ? ": " : "", text_of(parameters, "text"));
	ctl_complain("nothing has changed, the configuration in force stays");
}

static int complain_about_error(const struct control_answer *answer, const char *method)
{
	static const struct {
		const char *error;
		void (*tell)(const json_t *parameters, const char *method);
	} known[] = {
		{ "org.varlink.service.PermissionDenied", tell_not_permitted },
		{ "org.siptls.SessionNotFound", tell_not_found },
		{ "org.siptls.ConfigurationInvalid", tell_configuration },
		{ "org.siptls.PeerNotFound", tell_no_peer },
		{ "org.siptls.NothingStaged", tell_nothing_staged },
		{ "org.siptls.PreviewFailed", tell_preview },
		{ "org.varlink.service.MethodNotFound", tell_unknown_method },
	};
	_cleanup_free_ char *parameters = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(known[i].error, answer->error) == 0) {
			known[i].tell(answer->parameters, method);
			return CTL_FAILED;
		}
	}
	if (answer->parameters)
		parameters = json_dumps(answer->parameters, JSON_COMPACT);
	ctl_complain("%s: siptlsd answers %s %s", method, answer->error,
		     parameters ? parameters : "");
	return CTL_FAILED;
}

/* ---- calls ---- */

static int call_send(const struct ctl_client *client, const char *method, json_t *parameters,
		     bool more)
{
	_cleanup_json_ json_t *message = NULL;
	struct control_output out = { .max = REQUEST_SIZE_MAX };
	char name[128];
	int r;

	snprintf(name, sizeof(name), "org.siptls.%s", method);
	if (!parameters)
		return -ENOMEM;
	message = json_pack("{s:s, s:o, s:b}", "method", name, "parameters", parameters, "more",
			    (int)more);
	if (!message)
		return -ENOMEM;
	r = control_output_push(&out, message);
	if (r == CONTROL_E_TOO_LARGE) {
		ctl_complain("too much for one call");
		r = CTL_FAILED;
	}
	if (r == 0)
		r = send_all(client, &out);
	control_output_done(&out);
	return r;
}

/* One answer, or one part; its parameters are the caller's. */
static int answer_take(struct ctl_client *client, const char *method, json_t **ret,
		       bool *ret_continues)
{
	_cleanup_json_ json_t *message = NULL;
	struct control_answer answer;
	int r = receive(client, &message);

	if (r != 0)
		return r;
	if (control_answer_parse(message, &answer) != 0 || (!answer.error && !answer.parameters))
		return not_an_answer();
	if (answer.error)
		return complain_about_error(&answer, method);
	*ret = json_incref(answer.parameters);
	*ret_continues = answer.continues;
	return 0;
}

int ctl_call(struct ctl_client *client, const char *method, json_t *parameters, json_t **ret)
{
	bool continues;
	int r = call_send(client, method, parameters, /* more= */ false);

	return r == 0 ? answer_take(client, method, ret, &continues) : r;
}

/* An object with an empty array for each of @names. */
static json_t *lists_make(const char *const *names)
{
	_cleanup_json_ json_t *lists = json_object();

	for (size_t i = 0; names[i]; i++) {
		if (json_object_set_new(lists, names[i], json_array()) < 0)
			return NULL;
	}
	return steal_ptr(lists);
}

static int lists_extend(json_t *lists, const json_t *part, const char *const *names)
{
	for (size_t i = 0; names[i]; i++) {
		json_t *more = json_object_get(part, names[i]);

		if (!json_is_array(more))
			return not_an_answer();
		if (json_array_extend(json_object_get(lists, names[i]), more) < 0)
			return -ENOMEM;
	}
	return 0;
}

int ctl_call_lists(struct ctl_client *client, const char *method, json_t *parameters,
		   const char *const *names, json_t **ret)
{
	_cleanup_json_ json_t *lists = lists_make(names);
	bool continues = true;
	int r = call_send(client, method, parameters, /* more= */ true);

	if (r == 0 && !lists)
		r = -ENOMEM;
	while (r == 0 && continues) {
		_cleanup_json_ json_t *part = NULL;

		r = answer_take(client, method, &part, &continues);
		if (r == 0)
			r = lists_extend(lists, part, names);
	}
	if (r == 0)
		*ret = steal_ptr(lists);
	return r;
}

int ctl_call_list(struct ctl_client *client, const char *method, json_t *parameters,
		  const char *name, json_t **ret)
{
	const char *const names[] = { name, NULL };
	_cleanup_json_ json_t *lists = NULL;
	int r = ctl_call_lists(client, method, parameters, names, &lists);

	if (r == 0)
		*ret = json_incref(json_object_get(lists, name));
	return r;
}
