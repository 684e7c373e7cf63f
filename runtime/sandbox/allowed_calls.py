# ruff: noqa: SIM905 - a list a name a line would hide the groups
"""System calls that a sandboxed program may make; every other one is answered "not implemented" (`seccomp.py`).

Names that an architecture does not have are skipped. Left out on purpose, though common allow lists have them:
splice, tee, vmsplice, userfaultfd, io_uring and bpf (histories of kernel exploits), chown, mknod and setxattr (nothing
in a work folder needs them), and everything about System V IPC, keys, tracing, namespaces and other processes.
"""

from __future__ import annotations

FILES = (
    "read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 open openat openat2 creat close "
    "close_range dup dup2 dup3 stat fstat lstat newfstatat statx access faccessat faccessat2 lseek getdents getdents64 "
    "getcwd chdir fchdir mkdir mkdirat rmdir rename renameat renameat2 link linkat unlink unlinkat symlink symlinkat "
    "readlink readlinkat truncate ftruncate fallocate fsync fdatasync umask flock fcntl sendfile copy_file_range "
    "statfs fstatfs fadvise64 readahead memfd_create getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr"
).split()
MEMORY = "mmap mprotect munmap mremap brk madvise mincore msync membarrier rseq".split()
TIME = (
    "clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time times getitimer setitimer alarm "
    "timerfd_create timerfd_settime timerfd_gettime"
).split()
WAITING = (
    "poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd "
    "eventfd2 pipe pipe2 futex futex_waitv pause restart_syscall wait4 waitid"
).split()
SIGNALS_TO_ITSELF = (
    "rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigsuspend rt_sigtimedwait sigaltstack signalfd4"
).split()
SELF = (
    "execve execveat exit exit_group arch_prctl set_tid_address set_robust_list get_robust_list gettid getpid getppid "
    "getuid geteuid getgid getegid getgroups getresuid getresgid getpgrp getpgid getsid uname sysinfo getrlimit "
    "getrusage getrandom getcpu getpriority sched_yield sched_getaffinity sched_getparam sched_getscheduler "
    "sched_get_priority_max sched_get_priority_min"
).split()
# Only a pair of stream sockets can be made (`seccomp.py`), and these calls reach no other.
SOCKET_PAIRS = "sendto recvfrom sendmsg recvmsg shutdown getsockopt setsockopt getsockname getpeername".split()

ALWAYS = (*FILES, *MEMORY, *TIME, *WAITING, *SIGNALS_TO_ITSELF, *SELF, *SOCKET_PAIRS)

SIGNALS = ("kill", "tkill", "tgkill")
"""Allowed where a namespace or Landlock keeps them inside."""
TIMES = ("utime", "utimes", "futimesat", "utimensat")
MODES = {"chmod": 1, "fchmod": 1, "fchmodat": 2}
"""With the place of the mode among the arguments. Landlock guards neither times nor modes: they may be changed where a
namespace hides the person's files, else the calls do nothing."""
FORKING = ("fork", "vfork")
SESSIONS = ("setsid", "setpgid")
"""With forking, where a PID namespace ends them all together."""

REFUSED = ("socket", "ptrace", "mount", "umount2", "unshare", "setns", "chroot", "chown", "mknodat")
"""Answered "not permitted" instead, because people and models read these errors."""
