"""PostgreSQL's settings for a machine: the formulas, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_MB_A_GB = 1024

# Settings that do not depend on the machine.
_DISKS = """
# Solid disks: a random page costs little more than the next one, and many can be read at once.
random_page_cost = 1.1
effective_io_concurrency = 200
""".strip()

_WAL = """
checkpoint_timeout = 15min
checkpoint_completion_target = 0.9
wal_compression = on
# What FaceQueue promises rests on these (docs/durability.md): never turn them off.
fsync = on
synchronous_commit = on
full_page_writes = on
""".strip()

_AUTOVACUUM = """
# Rows of jobs, items, shards, deliveries and idempotency keys change often and go soon. Those are
# the hot tables; their partitions come monthly, so the thresholds are everybody's: a twentieth of
# dead rows is cleared, in small turns.
autovacuum_naptime = 15s
autovacuum_vacuum_scale_factor = 0.05
autovacuum_vacuum_insert_scale_factor = 0.1
autovacuum_analyze_scale_factor = 0.02
autovacuum_vacuum_cost_limit = 2000
""".strip()

_LOGGING = """
# No personal data in the log: statements, their values, and the rows that errors quote (DETAIL)
# stay out of it.
log_statement = none
log_min_duration_statement = -1
log_min_error_statement = panic
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
log_error_verbosity = terse
log_line_prefix = '%m [%p] %q%u@%d %a '
log_checkpoints = on
log_lock_waits = on
log_autovacuum_min_duration = 10s
""".strip()

_WATCHING = """
# Slow statements are found here instead, without their values, once a superuser has done
# CREATE EXTENSION pg_stat_statements.
shared_preload_libraries = 'pg_stat_statements'
pg_stat_statements.track = top
pg_stat_statements.track_utility = off
track_io_timing = on
""".strip()

_ACCESS = """
password_encryption = scram-sha-256
# A host that leaves the network does not hold its locks for hours.
tcp_keepalives_idle = 60
tcp_keepalives_interval = 10
tcp_keepalives_count = 3
# TLS, where the file lies beside this one (deploy/postgres/tls.conf).
include_if_exists = 'tls.conf'
""".strip()

_ARCHIVE = """
archive_mode = on
archive_command = '/opt/facequeue/scripts/archive_wal.sh %p %f'
# At most this much is lost with the machine.
archive_timeout = 60s
""".strip()


@dataclass(frozen=True)
class Machine:
    """What PostgreSQL may use: a whole machine, or its share of one."""

    memory_mb: int
    cores: int
    connections: int = 200

    @property
    def shared_buffers_mb(self) -> int:
        """A quarter: the rest serves as the system's cache."""
        return max(128, self.memory_mb // 4)

    @property
    def effective_cache_mb(self) -> int:
        """Three quarters: what the planner may expect to find in memory."""
        return max(256, self.memory_mb * 3 // 4)

    @property
    def work_mem_mb(self) -> int:
        """A quarter, shared by all connections; 4 to 64 MB."""
        return min(64, max(4, self.memory_mb // 4 // self.connections))

    @property
    def maintenance_mb(self) -> int:
        """A sixteenth, 64 MB to 2 GB: indexes, also of vectors, are built in it."""
        return min(2 * _MB_A_GB, max(64, self.memory_mb // 16))

    @property
    def max_wal_mb(self) -> int:
        """A quarter, 1 to 16 GB: checkpoints come by time and not by size."""
        return min(16 * _MB_A_GB, max(_MB_A_GB, self.memory_mb // 4))

    @property
    def gather_workers(self) -> int:
        """Half of the cores, four at most: a large count must not take all."""
        return max(1, min(4, self.cores // 2))


def configuration(machine: Machine, *, archive: bool) -> str:
    """A postgresql.conf for it, to be put into conf.d or included."""
    return "\n\n".join(_sections(machine, archive=archive)) + "\n"


def _sections(machine: Machine, *, archive: bool) -> Iterator[str]:
    yield (
        f"# FaceQueue: PostgreSQL on {machine.memory_mb} MB of memory and {machine.cores} cores, "
        "of its own.\n# Printed by scripts/tune_postgres.py: print it for your machine."
    )
    yield (
        f"max_connections = {machine.connections}\n"
        f"shared_buffers = {machine.shared_buffers_mb}MB\n"
        f"effective_cache_size = {machine.effective_cache_mb}MB\n"
        f"work_mem = {machine.work_mem_mb}MB\n"
        f"maintenance_work_mem = {machine.maintenance_mb}MB"
    )
    yield (
        f"max_worker_processes = {max(8, machine.cores)}\n"
        f"max_parallel_workers = {max(2, machine.cores)}\n"
        f"max_parallel_workers_per_gather = {machine.gather_workers}\n"
        f"max_parallel_maintenance_workers = {machine.gather_workers}"
    )
    yield _DISKS
    yield f"wal_level = replica\nmax_wal_size = {machine.max_wal_mb}MB\n{_WAL}"
    yield f"{_AUTOVACUUM}\nautovacuum_max_workers = {max(3, min(8, machine.cores // 2))}"
    yield _LOGGING
    yield _WATCHING
    yield _ACCESS
    why = "# WAL archiving, for recovery to any moment (docs/backup.md)"
    if archive:
        yield f"{why}.\n{_ARCHIVE}"
    else:
        commented = "\n".join(f"# {line.removeprefix('# ')}" for line in _ARCHIVE.splitlines())
        yield f"{why}: print it with --archive.\n{commented}"
