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
		      struct trust_facts *facts, struct tls_chain *chain, struct conf_error *reterr)
{
	_cleanup_(der_list_done) struct der_list list = {};
	char buf[sizeof(reterr->text)] = "";
	struct text why = TEXT_INIT(buf);
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		r = add_chain_file(&list, files, paths[i], &why);
		if (r == CONF_E_INVALID)
			conf_error_set(reterr, paths[i], 0, "%s", buf);
	}
	if (r != 0)
		return r;
	r = tls_facts_read(list.ders, list.n, facts, chain, &why);
	if (r <= 0)
		return r;
	conf_error_set(reterr, n > 0 ? paths[0] : "", 0, "%s", buf);
	return CONF_E_INVALID;
}

int tls_facts_from_files(const struct trust_policy *policy, const char *const *chain_files,
			 size_t n_chain_files, struct trust_facts *ret, struct conf_error *reterr)
{
	_cleanup_(disk_done) struct disk disk = {};
	struct tls_files files = { .read = read_disk, .userdata = &disk };
	_cleanup_(tls_chain_done) struct tls_chain chain = {};
	struct trust_facts facts = {};
	struct tls_anchors *sets;
	int r;

	r = tls_anchors_load_all(policy, files, &sets, reterr);
	if (r != 0)
		return r;
	r = read_chain(files, chain_files, n_chain_files, &facts, &chain, reterr);
	if (r == 0)
		r = tls_facts_verify(policy, sets, TRUST_ENTRY_ANY, &chain, &facts);
	if (r == 0)
		*ret = facts;
	else
		trust_facts_done(&facts);
	tls_anchors_free_all(sets, policy->n_anchors);
	return r;
}
