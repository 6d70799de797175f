import type { TeamScope } from '../access/index.ts'
import type { Queryable } from '../db/database.ts'
import type { PushId, RepositoryId, TeamId } from '../kernel/ids.ts'
import type { RefCommand } from './push.ts'

/** `received` and `reverting` are open: a ref may move at any moment, or have moved. */
export type PushStatus = 'received' | 'accepted' | 'rejected' | 'reverting' | 'reverted'

/** A ref's update on its way. */
export interface PushRow {
  readonly id: PushId
  readonly command: RefCommand
}

export interface PushFacts {
  readonly repositoryId: RepositoryId
  readonly options: readonly string[]
  readonly createdBy: string
  readonly at: Date
}

/** Writes down what is about to happen, in one statement however many refs there are. */
export async function insertPushes(
  db: Queryable,
  scope: TeamScope,
  rows: readonly PushRow[],
  facts: PushFacts,
): Promise<void> {
  await db.query(
    `insert into pushes (id, team_id, repository_id, ref, old_sha, new_sha, status, options, created_by, created_at, updated_at)
     select p.id, $1, $2, p.ref, p.old_sha, p.new_sha, 'received', $3::text[], $4, $5, $5
     from unnest($6::text[], $7::text[], $8::text[], $9::text[]) as p (id, ref, old_sha, new_sha)`,
    [
      scope.team,
      facts.repositoryId,
      facts.options,
      facts.createdBy,
      facts.at,
      rows.map((row) => row.id),
      rows.map((row) => row.command.ref),
      rows.map((row) => row.command.from),
      rows.map((row) => row.command.to),
    ],
  )
}

export async function updatePushes(
  db: Queryable,
  scope: TeamScope,
  ids: readonly PushId[],
  change: { readonly status: PushStatus; readonly at: Date },
): Promise<void> {
  await db.query('update pushes set status = $3, updated_at = $4 where team_id = $1 and id = any($2::text[])', [
    scope.team,
    ids,
    change.status,
    change.at,
  ])
}

export interface OpenPush extends PushRow {
  readonly teamId: TeamId
  readonly repositoryId: RepositoryId
  readonly status: 'received' | 'reverting'
  readonly options: readonly string[]
  readonly createdBy: string
}

interface OpenPushRecord {
  id: PushId
  status: OpenPush['status']
  team_id: TeamId
  repository_id: RepositoryId
  ref: string
  old_sha: string
  new_sha: string
  options: string[]
  created_by: string
}

/** Of all teams: pushes that were being received, or put back, when the process ended. Oldest first. */
export async function selectOpenPushes(db: Queryable): Promise<readonly OpenPush[]> {
  const rows = await db.query<OpenPushRecord>(
    `select id, team_id, repository_id, ref, old_sha, new_sha, status, options, created_by
     from pushes where status in ('received', 'reverting') order by created_at, id`,
  )
  return rows.map((row) => ({
    id: row.id,
    status: row.status,
    teamId: row.team_id,
    repositoryId: row.repository_id,
    command: { ref: row.ref, from: row.old_sha, to: row.new_sha },
    options: row.options,
    createdBy: row.created_by,
  }))
}
