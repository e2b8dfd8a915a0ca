/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Facts of files on disk: what a handshake would find, without a peer. */

#include <fcntl.h>
#include <sys/stat.h>
#include <tls/store.h>

#define FILE_SIZE_MAX (16 * 1024 * 1024)

struct disk {
	char *bytes; /* of the file that was read last */
};

static void disk_done(struct disk *disk)
{
	free(disk->bytes);
}

static bool read_whole(int fd, char *buf, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = read(fd, buf + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

static bool read_disk(void *userdata, const char *path, const char **ret, size_t *ret_size)
{
	struct disk *disk = userdata;
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_SIZE_MAX)
		return false;
	free(disk->bytes);
	disk->bytes = malloc((size_t)st.st_size + 1);
	if (!disk->bytes || !read_whole(fd, disk->bytes, (size_t)st.st_size))
		return false;
	*ret = disk->bytes;
	*ret_size = (size_t)st.st_size;
	return true;
}

struct der_list {
	gnutls_datum_t ders[TRUST_CHAIN_MAX];
	size_t n;
};

static void der_list_done(struct der_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		gnutls_free(list->ders[i].data);
}

static int add_chain_file(struct der_list *list, struct tls_files files, const char *path,
			  struct text *why)
{
	_cleanup_(tls_pem_done) struct tls_pem pem = {};
	int r;

	r = tls_pem_load(&pem, files, path, why);
	if (r != 0)
		return r;
	if (pem.n > TRUST_CHAIN_MAX - list->n) {
		text_addf(why, "more than " STR(TRUST_CHAIN_MAX) " certificates in the chain");
		return CONF_E_INVALID;
	}
	for (unsigned int i = 0; i < pem.n; i++) {
		if (gnutls_x509_crt_export2(pem.crts[i], GNUTLS_X509_FMT_DER,
					    &list->ders[list->n]) < 0)
			return -ENOMEM;
		list->n++;
	}
	return 0;
}

static int read_chain(struct tls_files files, const char *const *paths, size_t n,
		      struct der_list *list, struct conf_error *reterr)
{
	char buf[sizeof(reterr->text)] = "";
	struct text why = TEXT_INIT(buf);
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		r = add_chain_file(list, files, paths[i], &why);
		if (r == CONF_E_INVALID)
			conf_error_set(reterr, paths[i], 0, "%s", buf);
	}
	return r;
}

/* ---- revocation ---- */

static int add_issuer(struct revocation_store *store, gnutls_x509_crt_t crt)
{
	gnutls_datum_t der;
	int r;

	if (gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der) < 0)
		return -ENOMEM;
	r = revocation_store_add_issuer(store, der.data, der.size);
	gnutls_free(der.data);
	return r < 0 ? r : 0;
}

static int add_anchors(struct revocation_store *store, const struct tls_anchors *sets, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n; i++) {
		for (unsigned int place = 0; r == 0 && place < sets[i].n; place++)
			r = add_issuer(store, sets[i].crts[place]);
	}
	return r;
}

/* Does certificate @index of the list lead to an anchor, with the help of the others? */
static int leads_to_anchor(const struct tls_anchors *sets, size_t n, const struct der_list *list,
			   size_t index, bool *ret)
{
	_cleanup_(tls_chain_done) struct tls_chain chain = {};
	_cleanup_(trust_facts_done) struct trust_facts facts = {};
	gnutls_datum_t ders[TRUST_CHAIN_MAX];
	char buf[256];
	struct text ignored = TEXT_INIT(buf);
	bool found = false;
	int r;

	memcpy(ders, list->ders, sizeof(ders));
	ders[0] = list->ders[index];
	ders[index] = list->ders[0];
	r = tls_facts_read(ders, list->n, &facts, &chain, &ignored);
	for (size_t i = 0; r == 0 && !found && i < n; i++) {
		struct tls_paths paths;

		r = tls_path_find(&sets[i], (uint32_t)i, &facts, &chain, &paths);
		if (r == 0) {
			found = paths.list[0].outcome == TRUST_CHAIN_OK;
			tls_paths_done(&paths);
		}
	}
	*ret = found;
	return r < 0 ? r : 0;
}

/* Whoever may have signed CRLs: a CA may have a certificate of its own for that, off the path. */
static int add_presented(struct revocation_store *store, const struct tls_anchors *sets, size_t n,
			 const struct der_list *list)
{
	for (size_t i = 1; i < list->n; i++) {
		bool verified = false;
		int r;

		r = leads_to_anchor(sets, n, list, i, &verified);
		if (r == 0 && verified)
			r = revocation_store_add_issuer(store, list->ders[i].data,
							list->ders[i].size);
		if (r < 0)
			return r;
	}
	return 0;
}

static int fill_links(struct revocation_store *store, struct trust_facts *facts)
{
	_cleanup_fd_ int fd = -1;
	struct revocation_board *board;
	int r;

	r = revocation_store_publish(store, &fd);
	if (r < 0)
		return r;
	r = revocation_board_open(fd, &board);
	if (r != 0)
		return r < 0 ? r : -EBADMSG;
	steal_fd(&fd); /* the board's */
	revocation_facts_fill(board, facts);
	revocation_board_unref(board);
	return 0;
}

/* ---- both ---- */

static int make_facts(const struct trust_policy *policy, const struct tls_anchors *sets,
		      const struct der_list *list, const char *file, struct trust_facts *ret,
		      struct conf_error *reterr)
{
	_cleanup_(tls_chain_done) struct tls_chain chain = {};
	char buf[sizeof(reterr->text)] = "";
	struct text why = TEXT_INIT(buf);
	struct trust_facts facts = {};
	int r;

	r = tls_facts_read(list->ders, list->n, &facts, &chain, &why);
	if (r > 0) {
		conf_error_set(reterr, file, 0, "%s", buf);
		return CONF_E_INVALID;
	}
	if (r == 0)
		r = tls_facts_verify(policy, sets, TRUST_ENTRY_ANY, &chain, &facts);
	if (r == 0)
		*ret = facts;
	else
		trust_facts_done(&facts);
	return r;
}

static int look_up(struct revocation_store *store, const struct tls_anchors *sets, size_t n,
		   const struct der_list *list, struct trust_facts *facts)
{
	int r;

	r = add_anchors(store, sets, n);
	if (r == 0)
		r = add_presented(store, sets, n, list);
	return r == 0 ? fill_links(store, facts) : r;
}

int tls_facts_from_files(const struct trust_policy *policy, const char *const *chain_files,
			 size_t n_chain_files, struct revocation_store *store,
			 struct trust_facts *ret, struct conf_error *reterr)
{
	_cleanup_(disk_done) struct disk disk = {};
	struct tls_files files = { .read = read_disk, .userdata = &disk };
	_cleanup_(der_list_done) struct der_list list = {};
	struct trust_facts facts = {};
	struct tls_anchors *sets;
	int r;

	r = tls_anchors_load_all(policy, files, &sets, reterr);
	if (r != 0)
		return r;
	r = read_chain(files, chain_files, n_chain_files, &list, reterr);
	if (r == 0)
		r = make_facts(policy, sets, &list, n_chain_files > 0 ? chain_files[0] : "", &facts,
			       reterr);
	if (r == 0 && store)
		r = look_up(store, sets, policy->n_anchors, &list, &facts);
	if (r == 0)
		*ret = facts;
	else
		trust_facts_done(&facts);
	tls_anchors_free_all(sets, policy->n_anchors);
	return r;
}
