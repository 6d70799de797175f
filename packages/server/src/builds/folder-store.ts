import type { TeamScope } from '../access/index.ts'
import type { Queryable } from '../db/database.ts'
import type { AppId, BuildId } from '../kernel/ids.ts'

/**
 * The folders that builds make. A row is there before its folder and until the folder is gone. A folder is in use while
 * its build is open, or while a layer or artifact names it.
 */
export interface BuildFolder {
  readonly path: string
  readonly appId: AppId
  readonly buildId: BuildId
  readonly kind: 'workspace' | 'layer' | 'artifact'
  /** The id of the layer or artifact, or of the build for a workspace. */
  readonly subjectId: string
  readonly key: string
}

/** Records a folder, or finds the one that this build recorded for the same before it was interrupted. */
export async function claimFolder(
  db: Queryable,
  scope: TeamScope,
  folder: BuildFolder & { readonly now: Date },
): Promise<{ path: string; subjectId: string }> {
  const [row] = await db.query<{ path: string; subject_id: string }>(
    `insert into build_folders (path, team_id, app_id, build_id, kind, subject_id, key, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (build_id, kind, key) do update set created_at = build_folders.created_at
     returning path, subject_id`,
    [folder.path, scope.team, folder.appId, folder.buildId, folder.kind, folder.subjectId, folder.key, folder.now],
  )
  return row ? { path: row.path, subjectId: row.subject_id } : folder
}

const isUnused = `
  not exists (select 1 from layers l where l.path = f.path)
  and not exists (select 1 from artifacts t where t.location = f.path and t.removed_at is null)`

/** Folders of one build that nothing names. Only for a build that nobody works on. */
export async function foldersLeftBy(db: Queryable, scope: TeamScope, buildId: BuildId): Promise<string[]> {
  const rows = await db.query<{ path: string }>(
    `select f.path from build_folders f where f.team_id = $1 and f.build_id = $2 and ${isUnused} order by f.path`,
    [scope.team, buildId],
  )
  return rows.map((row) => row.path)
}

/** Folders of an app that nothing names and whose build is over. */
export async function foldersLeftIn(db: Queryable, scope: TeamScope, appId: AppId): Promise<string[]> {
  const rows = await db.query<{ path: string }>(
    `select f.path from build_folders f where f.team_id = $1 and f.app_id = $2 and ${isUnused}
       and not exists (select 1 from builds b where b.id = f.build_id and b.status in ('queued', 'building'))
     order by f.path`,
    [scope.team, appId],
  )
  return rows.map((row) => row.path)
}

export async function foldersOf(db: Queryable, scope: TeamScope, appId: AppId): Promise<string[]> {
  const rows = await db.query<{ path: string }>(
    'select path from build_folders where team_id = $1 and app_id = $2 order by path',
    [scope.team, appId],
  )
  return rows.map((row) => row.path)
}

export async function forgetFolder(db: Queryable, scope: TeamScope, path: string): Promise<void> {
  await db.query('delete from build_folders where team_id = $1 and path = $2', [scope.team, path])
}
