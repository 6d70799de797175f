import type { TeamScope } from '../access/index.ts'
import type { Queryable } from '../db/database.ts'
import type { AppId, SourceId } from '../kernel/ids.ts'

/** An uploaded tree. */
export interface SourceRow {
  readonly id: SourceId
  readonly appId: AppId
  readonly appName: string
  readonly commitSha: string
  readonly sizeBytes: number
  readonly fileCount: number
  readonly createdAt: Date
}

export interface NewSource {
  readonly id: SourceId
  readonly appId: AppId
  readonly commitSha: string
  readonly sizeBytes: number
  readonly fileCount: number
  readonly createdBy: string
  readonly createdAt: Date
}

export async function insertSource(db: Queryable, scope: TeamScope, source: NewSource): Promise<void> {
  await db.query(
    `insert into sources (id, team_id, app_id, commit_sha, size_bytes, file_count, created_by, created_at)
     values ($2, $1, $3, $4, $5, $6, $7, $8)`,
    [
      scope.team,
      source.id,
      source.appId,
      source.commitSha,
      source.sizeBytes,
      source.fileCount,
      source.createdBy,
      source.createdAt,
    ],
  )
}

interface SourceRecord {
  id: SourceId
  app_id: AppId
  app_name: string
  commit_sha: string
  size_bytes: number
  file_count: number
  created_at: Date
}

/** Undefined when there is none in scope. */
export async function selectSource(db: Queryable, scope: TeamScope, id: string): Promise<SourceRow | undefined> {
  const [row] = await db.query<SourceRecord>(
    `select s.id, s.app_id, a.name as app_name, s.commit_sha, s.size_bytes, s.file_count, s.created_at
     from sources s join apps a on a.id = s.app_id
     where s.team_id = $1 and ($2::text is null or s.app_id = $2) and s.id = $3 and a.deleted_at is null`,
    [scope.team, scope.app ?? null, id],
  )
  if (!row) return undefined
  return {
    id: row.id,
    appId: row.app_id,
    appName: row.app_name,
    commitSha: row.commit_sha,
    sizeBytes: row.size_bytes,
    fileCount: row.file_count,
    createdAt: row.created_at,
  }
}
