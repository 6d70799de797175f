import type { TeamScope } from '../access/index.ts'
import type { Queryable, Transaction } from '../db/database.ts'
import type { Address } from '../engines/engine.ts'
import type { EnvironmentId, InstanceId, TeamId } from '../kernel/ids.ts'
import type { Instance, InstanceStatus } from './instance.ts'

/** A row of `instances`, as the database gives it. */
export interface InstanceRow {
  id: string
  team_id: string
  app_id: string
  environment_id: string
  release_id: string
  process_type: string
  slot: number
  generation: number
  status: InstanceStatus
  address: Address | null
  crashes: number
  failed_checks: number
  end_reason: string | null
  created_at: Date
  started_at: Date | null
  healthy_at: Date | null
  draining_at: Date | null
  drain_revision: number | null
  ended_at: Date | null
}

export function instanceFromRow(row: InstanceRow): Instance {
  return {
    id: row.id as InstanceId,
    teamId: row.team_id as TeamId,
    appId: row.app_id as Instance['appId'],
    environmentId: row.environment_id as EnvironmentId,
    releaseId: row.release_id as Instance['releaseId'],
    processType: row.process_type,
    slot: row.slot,
    generation: row.generation,
    status: row.status,
    crashes: row.crashes,
    failedChecks: row.failed_checks,
    createdAt: row.created_at,
    ...(row.address && { address: row.address }),
    ...(row.end_reason && { endReason: row.end_reason }),
    ...(row.started_at && { startedAt: row.started_at }),
    ...(row.healthy_at && { healthyAt: row.healthy_at }),
    ...(row.draining_at && { drainingAt: row.draining_at }),
    ...(row.drain_revision !== null && { drainRevision: row.drain_revision }),
    ...(row.ended_at && { endedAt: row.ended_at }),
  }
}

/** Ended rows kept an environment: enough for `ps` and a look at what went wrong. The back-off has its own, one a slot. */
const endedRowsKept = 20

/** All instances that have not ended, and of the ended ones the newest. */
export async function instancesOf(db: Queryable, scope: TeamScope, environmentId: EnvironmentId): Promise<Instance[]> {
  const rows = await db.query<InstanceRow>(
    `select * from instances where team_id = $1 and ($2::text is null or app_id = $2) and environment_id = $3
     order by created_at, id`,
    [scope.team, scope.app ?? null, environmentId],
  )
  return rows.map(instanceFromRow)
}

/**
 * Locks the environment until the transaction's end and says whether this fence is still the newest that was given out for
 * it: whoever takes over finds everything written, or nothing. The environment is locked before anything else, as
 * everywhere.
 */
export async function holdsClaim(tx: Transaction, environmentId: EnvironmentId, fence: number): Promise<boolean> {
  const locked = await tx.query('select 1 from environments where id = $1 for no key update', [environmentId])
  if (locked.length === 0) return false
  // a statement of its own: it sees what was committed while the first one waited
  const newer = await tx.query(`select 1 from work where kind = 'environment' and subject = $1 and fence > $2`, [
    environmentId,
    fence,
  ])
  return newer.length === 0
}

/** Writes the intent: the row is there before the engine is asked. */
export async function insertInstance(db: Queryable, scope: TeamScope, instance: Instance): Promise<void> {
  await db.query(
    `insert into instances (id, team_id, app_id, environment_id, release_id, process_type, slot, generation, status,
       address, crashes, created_at, started_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, 'starting', $9, $10, $11, $11)`,
    [
      instance.id,
      scope.team,
      instance.appId,
      instance.environmentId,
      instance.releaseId,
      instance.processType,
      instance.slot,
      instance.generation,
      instance.address ? JSON.stringify(instance.address) : null,
      instance.crashes,
      instance.createdAt,
    ],
  )
}

export interface Readiness {
  readonly at: Date
  /** Where it answered, for one that has an address. */
  readonly address?: Address
}

export async function markReady(db: Queryable, scope: TeamScope, id: InstanceId, ready: Readiness): Promise<void> {
  await db.query(
    `update instances set healthy_at = $3, address = coalesce($4, address)
     where team_id = $1 and id = $2 and status = 'starting' and healthy_at is null`,
    [scope.team, id, ready.at, ready.address ? JSON.stringify(ready.address) : null],
  )
}

/** It is asked for anew: its boot limit counts from now, and what it passed before does not count. */
export async function restartBoot(db: Queryable, scope: TeamScope, id: InstanceId, at: Date): Promise<void> {
  await db.query(
    `update instances set started_at = $3, healthy_at = null where team_id = $1 and id = $2 and status = 'starting'`,
    [scope.team, id, at],
  )
}

/** Puts ready instances in service; one that is already there keeps its status. */
export async function putInService(db: Queryable, scope: TeamScope, ids: readonly InstanceId[]): Promise<void> {
  await db.query(
    `update instances set status = 'healthy', failed_checks = 0
     where team_id = $1 and id = any($2) and status = 'starting' and healthy_at is not null`,
    [scope.team, ids],
  )
}

export interface DrainStart {
  readonly ids: readonly InstanceId[]
  readonly revision: number
  readonly at: Date
}

export async function startDraining(db: Queryable, scope: TeamScope, drain: DrainStart): Promise<void> {
  await db.query(
    `update instances set status = 'draining', draining_at = $3, drain_revision = $4
     where team_id = $1 and id = any($2) and status in ('healthy', 'unhealthy')`,
    [scope.team, drain.ids, drain.at, drain.revision],
  )
}

/** What the end will be called and how many crashes it makes is decided here, whoever sees the end first. */
export async function markStopping(
  db: Queryable,
  scope: TeamScope,
  stop: { readonly id: InstanceId; readonly reason: string; readonly crashes: number },
): Promise<void> {
  await db.query(
    `update instances set status = 'stopping', end_reason = coalesce(end_reason, $3), crashes = $4
     where team_id = $1 and id = $2 and status not in ('stopping', 'ended')`,
    [scope.team, stop.id, stop.reason, stop.crashes],
  )
}

export interface InstanceEnd {
  readonly instance: Instance
  readonly reason: string
  readonly crashes: number
  readonly at: Date
}

/**
 * Closes the row, gives its port back into quarantine, and drops the oldest ended rows of the environment, but not what a
 * slot has to remember of its last crash.
 */
export async function endInstance(db: Queryable, scope: TeamScope, end: InstanceEnd): Promise<void> {
  await db.query(
    `update instances set status = 'ended', ended_at = $3, end_reason = coalesce(end_reason, $4), crashes = $5
     where team_id = $1 and id = $2 and status <> 'ended'`,
    [scope.team, end.instance.id, end.at, end.reason, end.crashes],
  )
  await db.query(`update ports set instance_id = null, free_after = $2 where instance_id = $1`, [
    end.instance.id,
    new Date(end.at.getTime() + portQuarantineMs),
  ])
  await db.query(
    `delete from instances where team_id = $1 and id in (
       select id from (
         select id, crashes, row_number() over (order by ended_at desc) as nth,
           row_number() over (partition by process_type, slot order by ended_at desc) as nth_of_slot
         from instances where environment_id = $2 and status = 'ended') ended
       where nth > $3 and (nth_of_slot > 1 or crashes = 0))`,
    [scope.team, end.instance.environmentId, endedRowsKept],
  )
}

/** Counts a check of an instance in service: a failed one adds up, a passed one clears the count. */
export async function recordCheck(
  db: Queryable,
  scope: TeamScope,
  check: { readonly id: InstanceId; readonly passed: boolean },
): Promise<void> {
  await db.query(
    `update instances set failed_checks = case when $3 then 0 else failed_checks + 1 end
     where team_id = $1 and id = $2 and status in ('healthy', 'unhealthy')`,
    [scope.team, check.id, check.passed],
  )
}

/** Turns each of these in service `unhealthy` or `healthy`, as its failed checks say. */
export async function judgeHealth(
  db: Queryable,
  scope: TeamScope,
  judged: { readonly ids: readonly InstanceId[]; readonly failuresAllowed: number },
): Promise<void> {
  await db.query(
    `update instances set status = case when failed_checks >= $3 then 'unhealthy' else 'healthy' end
     where team_id = $1 and id = any($2) and status in ('healthy', 'unhealthy')`,
    [scope.team, judged.ids, judged.failuresAllowed],
  )
}

/** After its instance a port rests: late packets and stale routers must not meet a stranger there. */
const portQuarantineMs = 60_000
export const firstPort = 20_000
export const portCount = 10_000

/** Takes the port for the instance; false when it is in use or resting. */
export async function takePort(db: Queryable, port: number, id: InstanceId, now: Date): Promise<boolean> {
  const rows = await db.query(
    `insert into ports (port, instance_id) values ($1, $2)
     on conflict (port) do update set instance_id = excluded.instance_id, free_after = null
       where ports.instance_id is null and (ports.free_after is null or ports.free_after < $3)
     returning port`,
    [port, id, now],
  )
  return rows.length > 0
}

/** A port that something outside Gantry listens on: it rests and is tried again later. */
export async function quarantinePort(db: Queryable, port: number, now: Date): Promise<void> {
  await db.query(
    `insert into ports (port, free_after) values ($1, $2)
     on conflict (port) do update set instance_id = null, free_after = excluded.free_after`,
    [port, new Date(now.getTime() + portQuarantineMs)],
  )
}
