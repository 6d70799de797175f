import type { Queryable } from '../db/database.ts'
import type { WorkKind } from './work.ts'

/** What is to be done, for the loops of the platform: a row names its subject, and only the subject's row has a team. */

/** A row as claimed: it stays this runner's while the fence is unchanged and the lease is renewed. */
export interface ClaimedWork {
  readonly kind: WorkKind
  readonly subject: string
  readonly fence: number
  readonly attempts: number
  /** The row's counter of requests when it was claimed, as text: whatever a row holds, others are claimed beside it. */
  readonly requested: string
}

/** While a row is leased its `run_at` is `infinity`, unless somebody asked again: then it is when to run next. */
export async function enqueueWork(db: Queryable, kind: WorkKind, subject: string, runAt?: Date): Promise<void> {
  await db.query(
    `with row as (
       insert into work (kind, subject, run_at) values ($1, $2, coalesce($3, now()))
       on conflict (kind, subject) do update
         set requested = work.requested % 4611686018427387904 + 1, run_at = least(work.run_at, excluded.run_at)
       returning run_at)
     select pg_notify('work', $1 || ' ' || $2) from row where run_at <= now()`,
    [kind, subject, runAt ?? null],
  )
}

/** Claims up to `free[i]` due rows of `kinds[i]`, the longest due first. */
export async function claimWork(
  db: Queryable,
  kinds: readonly WorkKind[],
  free: readonly number[],
  lease: { readonly seat: string; readonly ms: number },
): Promise<ClaimedWork[]> {
  return await db.query<ClaimedWork>(
    `with due as (
       select w.kind, w.subject from unnest($1::text[], $2::int[]) as wanted(kind, free)
       cross join lateral (
         select kind, subject from work
         where work.kind = wanted.kind and lease_until is null and run_at <= now()
         order by run_at limit wanted.free for update skip locked) w)
     update work set fence = nextval('fences'), lease_until = now() + $4 * interval '1 millisecond', leased_by = $3,
       attempts = least(attempts, 1000000) + 1, run_at = 'infinity'
     from due where work.kind = due.kind and work.subject = due.subject
     returning work.kind, work.subject, work.fence, work.attempts, work.requested::text as requested`,
    [kinds, free, lease.seat, lease.ms],
  )
}

/** Makes rows claimable whose lease has ended. */
export async function freeExpiredWork(db: Queryable): Promise<void> {
  await db.query('update work set lease_until = null, run_at = now() where lease_until < now()', [])
}

/**
 * Makes rows claimable that are leased to a seat and that nobody in it works on: an earlier process left them, or the
 * answer to a claim was lost. `held` are the fences of those that are worked on.
 */
export async function freeWorkOfSeat(db: Queryable, seat: string, held: readonly number[]): Promise<void> {
  await db.query(
    `update work set lease_until = null, run_at = now()
     where leased_by = $1 and lease_until is not null and fence <> all($2::bigint[])`,
    [seat, held],
  )
}

/** Renews leases; returns the fences that are still ours. */
export async function renewWork(db: Queryable, fences: readonly number[], leaseMs: number): Promise<Set<number>> {
  const rows = await db.query<{ fence: number }>(
    `update work set lease_until = now() + $2 * interval '1 millisecond'
     where fence = any($1::bigint[]) and lease_until is not null returning fence`,
    [fences, leaseMs],
  )
  return new Set(rows.map((row) => row.fence))
}

/** Removes the row, or makes it claimable when somebody asked again since it was claimed. */
export async function finishWork(db: Queryable, work: ClaimedWork): Promise<void> {
  const key = [work.kind, work.subject, work.fence]
  const removed = await db.query(
    `delete from work where kind = $1 and subject = $2 and fence = $3 and requested = $4 and lease_until is not null
     returning 1`,
    [...key, work.requested],
  )
  if (removed.length > 0) return
  await db.query(
    `update work set lease_until = null, leased_by = null, attempts = 0, last_error = null
     where kind = $1 and subject = $2 and fence = $3 and lease_until is not null`,
    key,
  )
}

/** Gives the row back to be run after `afterMs`, or earlier when somebody asked for that. `error` keeps the count of attempts. */
export async function postponeWork(db: Queryable, work: ClaimedWork, afterMs: number, error?: string): Promise<void> {
  await db.query(
    `update work set lease_until = null, leased_by = null, run_at = least(run_at, now() + $4 * interval '1 millisecond'),
       attempts = case when $5::text is null then 0 else attempts end, last_error = $5
     where kind = $1 and subject = $2 and fence = $3 and lease_until is not null`,
    [work.kind, work.subject, work.fence, afterMs, error ?? null],
  )
}

/** Gives back what was not finished because this process stops: not a failure, and due at once. */
export async function returnWork(db: Queryable, work: ClaimedWork): Promise<void> {
  await db.query(
    `update work set lease_until = null, leased_by = null, run_at = now(), attempts = attempts - 1
     where kind = $1 and subject = $2 and fence = $3 and lease_until is not null`,
    [work.kind, work.subject, work.fence],
  )
}
