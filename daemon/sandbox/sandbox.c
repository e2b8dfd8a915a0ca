/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Process memory and the sandboxes: a Landlock rule set, then a list of the system calls that the
 * process needs. For a handshake process that is the loop, the sockets it was given and an
 * allocator; for the fetch process it is what libcurl, libunbound and the C library's resolver do
 * besides: sockets, threads, files.
 *
 * What is not listed fails with EPERM: libraries try things in passing (a time zone, the number of
 * processors) and cope. What only an intruder calls ends the process.
 */

#include <siptls/sandbox.h>

#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

int sandbox_protect_memory(void)
{
	static const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) < 0)
		return -errno;
	if (SANDBOX_AVAILABLE && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

/* LANDLOCK_ACCESS_FS_REFER and _TRUNCATE, from Linux 5.19 and 6.2 on. */
#define RIGHT_REFER    (UINT64_C(1) << 13)
#define RIGHT_TRUNCATE (UINT64_C(1) << 14)

#define RIGHTS_ALL  (((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1) | RIGHT_REFER | RIGHT_TRUNCATE)
#define RIGHTS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
/* To write files into a folder, beside it and in the place of others. */
#define RIGHTS_KEEP                                                                                \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |                             \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | RIGHT_TRUNCATE)

#define RIGHTS_OF_FILES                                                                            \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |                              \
	 LANDLOCK_ACCESS_FS_READ_FILE | RIGHT_TRUNCATE)

/* Rights that each version of the Landlock interface knows: 5.13, 5.19, 6.2. */
static uint64_t landlock_known(long abi)
{
	return RIGHTS_ALL & ~(abi < 2 ? RIGHT_REFER : 0) & ~(abi < 3 ? RIGHT_TRUNCATE : 0);
}

/* Beneath a folder, or of one file, to which what concerns folders cannot be allowed. */
static int landlock_allow(int ruleset, const char *path, uint64_t rights)
{
	_cleanup_fd_ int fd = open(path, O_PATH | O_CLOEXEC);
	struct landlock_path_beneath_attr attr = { .parent_fd = fd };
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	attr.allowed_access = S_ISDIR(st.st_mode) ? rights : rights & RIGHTS_OF_FILES;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &attr, 0) < 0)
		return -errno;
	return 0;
}

/* What a process may go on to do with files: nothing that is not said here. */
struct files {
	const char *kept_in; /* a folder; NULL: none */
	const char *const *read;
	size_t n_read;
};

static int landlock_allow_all(int ruleset, uint64_t known, const struct files *files)
{
	int r = 0;

	if (files->kept_in)
		r = landlock_allow(ruleset, files->kept_in, (RIGHTS_KEEP | RIGHTS_READ) & known);
	/* What cannot be opened now (it is not there, or not for this user) stays forbidden. */
	for (size_t i = 0; r == 0 && i < files->n_read; i++) {
		r = landlock_allow(ruleset, files->read[i], RIGHTS_READ & known);
		if (r != -ENOMEM && r != -EMFILE && r != -ENFILE)
			r = 0;
	}
	return r;
}

/*
 * Give up all rights on files but those in @files. Without Landlock in the kernel the system call
 * filter alone stands against what it can tell apart.
 */
static int enter_landlock(const struct files *files)
{
	struct landlock_ruleset_attr attr = {};
	_cleanup_fd_ int ruleset = -1;
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	int r;

	if (abi < 1)
		return 0;
	attr.handled_access_fs = landlock_known(abi);
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (ruleset < 0)
		return -errno;
	r = landlock_allow_all(ruleset, attr.handled_access_fs, files);
	if (r == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		r = -errno;
	return r;
}

/* Every process of ours. */
static const int allowed[] = {
	/* the loop */
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_pwait2),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(timerfd_create),
	SCMP_SYS(timerfd_settime),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(read),
	SCMP_SYS(restart_syscall),
	/* sockets that were given, and their ends */
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(sendmsg),
	SCMP_SYS(shutdown),
	SCMP_SYS(getsockopt),
	SCMP_SYS(fcntl),
	SCMP_SYS(fcntl64),
	SCMP_SYS(fstat),
	SCMP_SYS(close),
	/* words of the libraries on stderr */
	SCMP_SYS(write),
	SCMP_SYS(writev),
	/* memory */
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(futex),
	/* time and chance; most of it needs no system call where there is a vDSO */
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_getres),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(getrandom),
	SCMP_SYS(getrusage),
	SCMP_SYS(sysinfo),
	/* itself */
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

/* The fetch process besides. */
static const int allowed_fetch[] = {
	/* connections of its own; what they are asked for is restricted by socket() */
	SCMP_SYS(connect),
	SCMP_SYS(bind),
	SCMP_SYS(setsockopt),
	SCMP_SYS(getsockname),
	SCMP_SYS(getpeername),
	SCMP_SYS(sendmmsg),
	SCMP_SYS(recvmmsg),
	SCMP_SYS(select),
	SCMP_SYS(pselect6),
	SCMP_SYS(epoll_create),
	SCMP_SYS(epoll_create1),
	SCMP_SYS(eventfd2),
	SCMP_SYS(pipe),
	SCMP_SYS(pipe2),
	SCMP_SYS(dup),
	/* files: read and written where Landlock lets it */
	SCMP_SYS(open),
	SCMP_SYS(openat),
	SCMP_SYS(stat),
	SCMP_SYS(stat64),
	SCMP_SYS(fstat),
	SCMP_SYS(fstat64),
	SCMP_SYS(lstat),
	SCMP_SYS(lstat64),
	SCMP_SYS(statx),
	SCMP_SYS(newfstatat),
	SCMP_SYS(fstatat64),
	SCMP_SYS(statfs),
	SCMP_SYS(fstatfs),
	SCMP_SYS(access),
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),
	SCMP_SYS(getdents),
	SCMP_SYS(getdents64),
	SCMP_SYS(lseek),
	SCMP_SYS(_llseek),
	SCMP_SYS(pread64),
	SCMP_SYS(pwrite64),
	SCMP_SYS(readv),
	SCMP_SYS(fadvise64),
	SCMP_SYS(ftruncate),
	SCMP_SYS(ftruncate64),
	SCMP_SYS(fallocate),
	SCMP_SYS(fsync),
	SCMP_SYS(fdatasync),
	SCMP_SYS(fchmod),
	SCMP_SYS(mkdir),
	SCMP_SYS(mkdirat),
	SCMP_SYS(rename),
	SCMP_SYS(renameat),
	SCMP_SYS(renameat2),
	SCMP_SYS(unlink),
	SCMP_SYS(unlinkat),
	SCMP_SYS(inotify_init1),
	SCMP_SYS(inotify_add_watch),
	SCMP_SYS(inotify_rm_watch),
	/* boards */
	SCMP_SYS(memfd_create),
	/* threads */
	SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep),
	/* who and where it is */
	SCMP_SYS(uname),
	SCMP_SYS(getcwd),
	SCMP_SYS(getppid),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
};

/* Nothing in the process has a use for these. */
static const int fatal[] = {
	SCMP_SYS(execve),	    SCMP_SYS(execveat),		 SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(bpf),
};

/* A call that is harmless if its arguments, one or two, are so. */
struct condition {
	int call;
	struct scmp_arg_cmp arguments[2];
};

/* clang-format off */
#define IS(n, value)	     { .arg = (n), .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)(value) }
#define HAS(n, mask, value)  { .arg = (n), .op = SCMP_CMP_MASKED_EQ, .datum_a = (mask), \
			       .datum_b = (value) }
/* clang-format on */

/* The type of a socket without its flags, as the kernel has it. */
#define SOCKET_TYPES 0xf

static const struct condition conditions[] = {
	{ SCMP_SYS(mmap), { HAS(2, PROT_EXEC, 0) } },
	{ SCMP_SYS(mmap2), { HAS(2, PROT_EXEC, 0) } },
	{ SCMP_SYS(mprotect), { HAS(2, PROT_EXEC, 0) } },
	/* one of datagrams could be connected to somebody else's socket afterwards */
	{ SCMP_SYS(socketpair), { IS(0, AF_UNIX), HAS(1, SOCKET_TYPES, SOCK_STREAM) } },
	/* fstat() of newer C libraries: a board that the daemon sends is measured */
	{ SCMP_SYS(newfstatat), { IS(3, AT_EMPTY_PATH) } },
};

/* The C library calls clone() for threads where clone3() is unknown, which hides its flags. */
#if defined(__s390__) || defined(__s390x__)
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif

static const struct condition conditions_fetch[] = {
	/*
	 * Not AF_UNIX: services of this host, the daemon's own control socket first of all, take
	 * the user who connects for somebody to be trusted. The C library's resolver does without
	 * those that it asks that way.
	 */
	{ SCMP_SYS(socket), { IS(0, AF_INET) } },
	{ SCMP_SYS(socket), { IS(0, AF_INET6) } },
	{ SCMP_SYS(clone), { HAS(CLONE_FLAGS, CLONE_THREAD, CLONE_THREAD) } },
	{ SCMP_SYS(ioctl), { IS(1, FIONREAD) } },
	{ SCMP_SYS(ioctl), { IS(1, FIONBIO) } },
	{ SCMP_SYS(prctl), { IS(0, PR_SET_NAME) } },
	{ SCMP_SYS(prlimit64), { IS(2, 0) } }, /* to read its own limits */
};

/* What one kind of process may do. */
struct profile {
	const int *calls[2];
	size_t n_calls[2];
	const struct condition *conditions[2];
	size_t n_conditions[2];
};

static const struct profile handshake = {
	.calls = { allowed },
	.n_calls = { ARRAY_SIZE(allowed) },
	.conditions = { conditions },
	.n_conditions = { ARRAY_SIZE(conditions) },
};

static const struct profile fetch = {
	.calls = { allowed, allowed_fetch },
	.n_calls = { ARRAY_SIZE(allowed), ARRAY_SIZE(allowed_fetch) },
	.conditions = { conditions, conditions_fetch },
	.n_conditions = { ARRAY_SIZE(conditions), ARRAY_SIZE(conditions_fetch) },
};

static void filter_freep(scmp_filter_ctx *filter)
{
	if (*filter)
		seccomp_release(*filter);
}

static int add_rules(scmp_filter_ctx filter, const struct profile *profile, size_t part)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < profile->n_calls[part]; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, profile->calls[part][i], 0);
	for (size_t i = 0; r == 0 && i < profile->n_conditions[part]; i++) {
		const struct condition *condition = &profile->conditions[part][i];

		r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, condition->call,
					   condition->arguments[1].op != _SCMP_CMP_MIN ? 2 : 1,
					   condition->arguments);
	}
	return r;
}

static int enter_seccomp(const struct profile *profile)
{
	_cleanup_(filter_freep) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	const struct scmp_arg_cmp self = IS(0, getpid());
	int r = 0;

	if (!filter)
		return -ENOMEM;
	for (size_t part = 0; r == 0 && part < ARRAY_SIZE(profile->calls); part++)
		r = add_rules(filter, profile, part);
	/* abort() */
	if (r == 0)
		r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, &self);
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(fatal); i++)
		r = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, fatal[i], 0);
	return r == 0 ? seccomp_load(filter) : r;
}

/* Both Landlock and the filter demand PR_SET_NO_NEW_PRIVS, unless the process is privileged. */
static int enter(const struct profile *profile, const struct files *files)
{
	int r;

	if (!SANDBOX_AVAILABLE)
		return 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	r = enter_landlock(files);
	return r == 0 ? enter_seccomp(profile) : r;
}

int sandbox_enter_handshake(void)
{
	return enter(&handshake, &(struct files){});
}

int sandbox_enter_fetch(const char *folder, const char *const *read, size_t n_read)
{
	return enter(&fetch, &(struct files){ folder, read, n_read });
}
