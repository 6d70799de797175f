/**
 * Settings for a server that shares a small machine with the apps it serves: one platform's rows, few connections. They
 * are written to `db/gantry.conf` at every start; `postgresql.conf` includes it first and may overrule it.
 */
export const smallServer: Readonly<Record<string, string>> = {
  shared_buffers: '16MB',
  max_connections: '40',
  jit: 'off',
  io_method: 'sync', // the other methods keep worker processes
  autovacuum_max_workers: '1',
  autovacuum_worker_slots: '1',
  max_worker_processes: '0',
  max_parallel_workers: '0',
  max_parallel_workers_per_gather: '0',
  max_parallel_maintenance_workers: '0',
  max_logical_replication_workers: '0',
  max_wal_senders: '0',
  max_replication_slots: '0',
  wal_level: 'replica', // a hot backup (pg_backup_start) needs it
  min_wal_size: '32MB',
  max_wal_size: '256MB',
  maintenance_work_mem: '16MB',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
  log_line_prefix: '%m [%p] ',
}

/** One `name = 'value'` a line, quoted as postgresql.conf wants it. */
export function formatSettings(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`)
    .join('')
}
