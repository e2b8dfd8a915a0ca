/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * libcurl's multi interface on our loop. The server is a stranger even when it is the right one:
 * what it sends is bounded while it is read, it gets no credentials of ours, and it cannot send us
 * anywhere but to another http: or https: server.
 */

#include <revocation/http.h>

#include <curl/curl.h>
#include <siptls/revocation.h>
#include <siptls/version.h>
#include <stdio.h>

#define CONNECT_TIMEOUT_MS 10000L
#define REDIRECTS_MAX	   3L
#define BUFFER_MIN	   (16 * 1024)

struct revocation_http {
	struct loop *loop;
	struct http_rules rules;
	CURLM *multi;
	struct loop_source *timer;
	struct list waiting, running;
	size_t n_running, n_learned; /* n_learned of n_running */
};

struct http_request {
	struct list node;
	struct revocation_http *http;
	CURL *easy;
	struct curl_slist *headers;
	char *host;
	bool runs;
	bool learned; /* as of when it was started */
	http_fn fn;
	void *userdata;
	char *data;
	size_t size, capacity;
	bool too_large;
	char etag[HTTP_TAG_MAX], modified[HTTP_TAG_MAX];
	char error[CURL_ERROR_SIZE];
};

/* ---- what comes in ---- */

static size_t on_data(char *bytes, size_t one, size_t n, void *userdata)
{
	struct http_request *request = userdata;
	size_t need = request->size + n * one;

	if (need > REVOCATION_CRL_SIZE_MAX) {
		request->too_large = true;
		return CURL_WRITEFUNC_ERROR;
	}
	if (need > request->capacity) {
		size_t capacity = request->capacity ? request->capacity : BUFFER_MIN;
		char *data;

		while (capacity < need)
			capacity *= 2;
		data = realloc(request->data, capacity);
		if (!data)
			return CURL_WRITEFUNC_ERROR;
		request->data = data;
		request->capacity = capacity;
	}
	memcpy(request->data + request->size, bytes, n * one);
	request->size = need;
	return n * one;
}

/* The value of a header that is to be sent back one day: printable, or not at all. */
static bool header_is(const char *line, size_t len, const char *name, char ret[HTTP_TAG_MAX])
{
	size_t skip = strlen(name);

	if (len < skip || strncasecmp(line, name, skip) != 0)
		return false;
	while (skip < len && line[skip] == ' ')
		skip++;
	while (len > skip && (line[len - 1] == '\n' || line[len - 1] == '\r'))
		len--;
	ret[0] = '\0';
	if (len - skip >= HTTP_TAG_MAX)
		return true;
	for (size_t i = skip; i < len; i++) {
		if (line[i] < ' ' || line[i] > '~')
			return true;
	}
	memcpy(ret, line + skip, len - skip);
	ret[len - skip] = '\0';
	return true;
}

static size_t on_header(char *line, size_t one, size_t n, void *userdata)
{
	struct http_request *request = userdata;
	size_t len = one * n;

	if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) /* of this answer, not of a redirect */
		request->etag[0] = request->modified[0] = '\0';
	else if (!header_is(line, len, "ETag:", request->etag))
		(void)header_is(line, len, "Last-Modified:", request->modified);
	return len;
}

/* ---- the end ---- */

static void request_free(struct http_request *request)
{
	struct revocation_http *http = request->http;

	list_remove(&request->node);
	if (request->runs) {
		http->n_running--;
		http->n_learned -= request->learned;
		(void)curl_multi_remove_handle(http->multi, request->easy);
	}
	curl_easy_cleanup(request->easy);
	curl_slist_free_all(request->headers);
	free(request->host);
	free(request->data);
	free(request);
}

static void judge(struct http_request *request, CURLcode code, struct http_result *ret)
{
	long status = 0;

	*ret = (struct http_result){ .etag = request->etag, .modified = request->modified };
	(void)curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
	if (request->too_large || code == CURLE_FILESIZE_EXCEEDED) {
		snprintf(request->error, sizeof(request->error), "more than %d bytes",
			 REVOCATION_CRL_SIZE_MAX);
		ret->error = request->error;
	} else if (code != CURLE_OK) {
		ret->error = request->error[0] ? request->error : curl_easy_strerror(code);
	} else if (status == 304 && request->headers) {
		ret->unchanged = true;
	} else if (status != 200) {
		snprintf(request->error, sizeof(request->error), "HTTP status %ld", status);
		ret->error = request->error;
	} else {
		ret->data = request->data ? request->data : "";
		ret->size = request->size;
	}
}

static void start_waiting(struct revocation_http *http);

static int reap(struct revocation_http *http)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(http->multi, &left))) {
		struct http_request *request = NULL;
		struct http_result result;
		int r;

		if (message->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &request);
		judge(request, message->data.result, &result);
		r = request->fn(request->userdata, &result);
		request_free(request);
		if (r)
			return r;
	}
	start_waiting(http);
	return 0;
}

/* ---- libcurl's events on the loop ---- */

static int on_io(void *userdata, int fd, unsigned int events)
{
	struct revocation_http *http = userdata;
	int mask = ((events & LOOP_READ) ? CURL_CSELECT_IN : 0) |
		   ((events & LOOP_WRITE) ? CURL_CSELECT_OUT : 0),
	    running;

	(void)curl_multi_socket_action(http->multi, fd, mask, &running);
	return reap(http);
}

static int on_timer(void *userdata)
{
	struct revocation_http *http = userdata;
	int running;

	(void)curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	return reap(http);
}

static int on_want_io(CURL *easy _unused_, curl_socket_t fd, int what, void *userdata,
		      void *assigned)
{
	struct revocation_http *http = userdata;
	struct loop_source *source = assigned;
	unsigned int events = 0;
	int r;

	if (what == CURL_POLL_REMOVE) {
		loop_source_free(source);
		return 0;
	}
	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		events |= LOOP_READ;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		events |= LOOP_WRITE;
	if (source)
		return loop_io_set(source, events) < 0 ? -1 : 0;
	r = loop_io_add(http->loop, fd, events, on_io, http, &source);
	if (r < 0)
		return -1;
	(void)curl_multi_assign(http->multi, fd, source);
	return 0;
}

static int on_want_timer(CURLM *multi _unused_, long ms, void *userdata)
{
	struct revocation_http *http = userdata;

	/* -1: no timer. One that fires for nothing does no harm. */
	if (ms < 0)
		ms = HTTP_TIMEOUT_MS;
	return loop_timer_set(http->timer, (uint64_t)ms) < 0 ? -1 : 0;
}

/* ---- requests ---- */

static int add_header(struct http_request *request, const char *name, const char *value)
{
	char line[HTTP_TAG_MAX + 32];
	struct curl_slist *headers;

	if (!value[0])
		return 0;
	snprintf(line, sizeof(line), "%s: %s", name, value);
	headers = curl_slist_append(request->headers, line);
	if (!headers)
		return -ENOMEM;
	request->headers = headers;
	return 0;
}

static bool set_options(struct http_request *request, const char *url)
{
	const struct {
		CURLoption option;
		long value;
	} longs[] = {
		{ CURLOPT_NOSIGNAL, 1 },
		{ CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS },
		{ CURLOPT_FOLLOWLOCATION, 1 },
		{ CURLOPT_MAXREDIRS, REDIRECTS_MAX },
		{ CURLOPT_FORBID_REUSE, 1 }, /* the next time is hours away */
		{ CURLOPT_SSL_VERIFYPEER, 1 },
		{ CURLOPT_SSL_VERIFYHOST, 2 },
		{ CURLOPT_NETRC, CURL_NETRC_IGNORED },
	};
	const struct {
		CURLoption option;
		const char *value;
	} strings[] = {
		{ CURLOPT_URL, url },
		{ CURLOPT_PROTOCOLS_STR, "http,https" },
		{ CURLOPT_REDIR_PROTOCOLS_STR, "http,https" },
		{ CURLOPT_DEFAULT_PROTOCOL, "http" },
		{ CURLOPT_PROXY, "" }, /* also none of the environment */
		{ CURLOPT_USERAGENT, "siptlsd/" SIPTLS_VERSION },
	};
	CURL *easy = request->easy;
	bool ok = true;

	for (size_t i = 0; i < ARRAY_SIZE(longs); i++)
		ok = ok && curl_easy_setopt(easy, longs[i].option, longs[i].value) == CURLE_OK;
	for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
		ok = ok && curl_easy_setopt(easy, strings[i].option, strings[i].value) == CURLE_OK;
	return ok &&
	       curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE,
				(curl_off_t)REVOCATION_CRL_SIZE_MAX) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HTTPHEADER, request->headers) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, request->error) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PRIVATE, request) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEDATA, request) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HEADERDATA, request) == CURLE_OK;
}

/* As libcurl will read it. */
static int find_host(const char *url, char **ret)
{
	CURLU *parts = curl_url();
	char *host = NULL;

	if (!parts)
		return -ENOMEM;
	if (curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK)
		(void)curl_url_get(parts, CURLUPART_HOST, &host, CURLU_URLDECODE);
	*ret = strdup(host ? host : ""); /* what cannot be read fails when it is started */
	curl_free(host);
	curl_url_cleanup(parts);
	return *ret ? 0 : -ENOMEM;
}

static bool may_learn_from(const struct revocation_http *http, const char *host)
{
	if (http->n_learned >= HTTP_LEARNED_PARALLEL_MAX)
		return false;
	list_foreach (node, &http->running) {
		const struct http_request *other = container_of(node, struct http_request, node);

		if (other->learned && strcasecmp(other->host, host) == 0)
			return false;
	}
	return true;
}

/*
 * The next to start: servers that strangers name may never answer, and must not hold up those that
 * the administrator named, nor one another more than need be. NULL: none may be started now.
 */
static struct http_request *choose(const struct revocation_http *http, bool *ret_learned)
{
	struct http_request *best = NULL;
	uint32_t best_rank = UINT32_MAX;

	list_foreach (node, &http->waiting) {
		struct http_request *request = container_of(node, struct http_request, node);
		uint32_t rank = http->rules.rank(request->userdata);

		if (best && rank >= best_rank)
			continue;
		if (rank > 0 && !may_learn_from(http, request->host))
			continue;
		best = request;
		best_rank = rank;
		if (rank == 0)
			break;
	}
	*ret_learned = best_rank > 0;
	return best;
}

/* What cannot be started stays waiting and is tried again when another one ends. */
static void start_waiting(struct revocation_http *http)
{
	while (http->n_running < HTTP_PARALLEL_MAX) {
		bool learned;
		struct http_request *request = choose(http, &learned);
		uint32_t ms = learned ? http->rules.learned_timeout_ms : http->rules.timeout_ms;

		if (!request ||
		    curl_easy_setopt(request->easy, CURLOPT_TIMEOUT_MS, (long)ms) != CURLE_OK ||
		    curl_multi_add_handle(http->multi, request->easy) != CURLM_OK)
			return;
		list_remove(&request->node);
		list_append(&http->running, &request->node);
		request->runs = true;
		request->learned = learned;
		http->n_running++;
		http->n_learned += learned;
	}
}

int revocation_http_get(struct revocation_http *http, const char *url, const char *etag,
			const char *modified, http_fn fn, void *userdata, struct http_request **ret)
{
	struct http_request *request = calloc(1, sizeof(*request));
	int r;

	if (!request)
		return -ENOMEM;
	*request = (struct http_request){ .http = http, .fn = fn, .userdata = userdata };
	list_init(&request->node);
	request->easy = curl_easy_init();
	r = request->easy ? find_host(url, &request->host) : -ENOMEM;
	if (r == 0)
		r = add_header(request, "If-None-Match", etag);
	if (r == 0)
		r = add_header(request, "If-Modified-Since", modified);
	if (r == 0 && !set_options(request, url))
		r = -ENOMEM;
	if (r) {
		request_free(request);
		return r;
	}
	list_append(&http->waiting, &request->node);
	start_waiting(http);
	*ret = request;
	return 0;
}

struct http_request *revocation_http_cancel(struct http_request *request)
{
	struct revocation_http *http;

	if (!request)
		return NULL;
	http = request->http;
	request_free(request);
	start_waiting(http);
	return NULL;
}

/* ---- the whole ---- */

static void http_freep(struct revocation_http **http)
{
	*http = revocation_http_free(*http);
}

int revocation_http_new(struct loop *loop, const struct http_rules *rules,
			struct revocation_http **ret)
{
	_cleanup_(http_freep) struct revocation_http *http = calloc(1, sizeof(*http));
	int r;

	if (!http)
		return -ENOMEM;
	http->loop = loop;
	http->rules = *rules;
	list_init(&http->waiting);
	list_init(&http->running);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return -EIO;
	http->multi = curl_multi_init();
	if (!http->multi) {
		curl_global_cleanup();
		return -ENOMEM;
	}
	r = loop_timer_add(loop, HTTP_TIMEOUT_MS, on_timer, http, &http->timer);
	if (r)
		return r;
	if (curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_want_io) != CURLM_OK ||
	    curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http) != CURLM_OK ||
	    curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_want_timer) != CURLM_OK ||
	    curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http) != CURLM_OK)
		return -EIO;
	*ret = steal_ptr(http);
	return 0;
}

struct revocation_http *revocation_http_free(struct revocation_http *http)
{
	if (!http)
		return NULL;
	list_foreach_safe (node, &http->waiting)
		request_free(container_of(node, struct http_request, node));
	list_foreach_safe (node, &http->running)
		request_free(container_of(node, struct http_request, node));
	if (http->multi) {
		curl_multi_cleanup(http->multi);
		curl_global_cleanup();
	}
	loop_source_free(http->timer);
	free(http);
	return NULL;
}
