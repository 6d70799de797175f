import type { TeamScope } from '../access/index.ts'
import type { Queryable } from '../db/database.ts'
import { type Page, type PageRequest, queryPage } from '../db/keyset-page.ts'
import { type AppId, isId, type RepositoryId, type TeamId } from '../kernel/ids.ts'
import type { AppRow } from './app.ts'

interface AppRecord {
  id: AppId
  team_id: TeamId
  repository_id: RepositoryId
  name: string
  root: string
  branch: string
  run_uid: number
  build_uid: number
  created_at: Date
  updated_at: Date
}

const columns =
  'a.id, a.team_id, a.repository_id, a.name, a.root, a.branch, a.run_uid, a.build_uid, a.created_at, a.updated_at'
/** Parameters 1 and 2 of every query: what the caller may see. */
const inScope = 'a.team_id = $1 and ($2::text is null or a.id = $2)'
const scopeOf = (scope: TeamScope) => [scope.team, scope.app ?? null]

function toApp(row: AppRecord): AppRow {
  return {
    id: row.id,
    teamId: row.team_id,
    repositoryId: row.repository_id,
    name: row.name,
    root: row.root,
    branch: row.branch,
    runUid: row.run_uid,
    buildUid: row.build_uid,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

export async function insertRepository(db: Queryable, scope: TeamScope, id: RepositoryId, at: Date): Promise<void> {
  await db.query('insert into repositories (id, team_id, created_at) values ($1, $2, $3)', [id, scope.team, at])
}

export interface NewApp {
  readonly id: AppId
  readonly repositoryId: RepositoryId
  readonly name: string
  readonly root: string
  readonly branch: string
  readonly at: Date
}

/** `undefined` when another app of this installation has the name. */
export async function insertApp(db: Queryable, scope: TeamScope, app: NewApp): Promise<AppRow | undefined> {
  const rows = await db.query<AppRecord>(
    `insert into apps as a (id, team_id, repository_id, name, root, branch, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $7)
     on conflict (name) where deleted_at is null do nothing
     returning ${columns}`,
    [app.id, scope.team, app.repositoryId, app.name, app.root, app.branch, app.at],
  )
  return rows[0] && toApp(rows[0])
}

export async function selectApp(db: Queryable, scope: TeamScope, idOrName: string): Promise<AppRow | undefined> {
  const column = isId('app', idOrName) ? 'a.id' : 'a.name'
  const rows = await db.query<AppRecord>(
    `select ${columns} from apps a where ${inScope} and ${column} = $3 and a.deleted_at is null`,
    [...scopeOf(scope), idOrName],
  )
  return rows[0] && toApp(rows[0])
}

/** Locks the row until the transaction ends. */
export async function lockApp(db: Queryable, scope: TeamScope, id: AppId): Promise<AppRow | undefined> {
  const rows = await db.query<AppRecord>(
    `select ${columns} from apps a where ${inScope} and a.id = $3 and a.deleted_at is null for no key update`,
    [...scopeOf(scope), id],
  )
  return rows[0] && toApp(rows[0])
}

export interface AppFilters {
  readonly name?: string | undefined
}

export async function selectApps(
  db: Queryable,
  scope: TeamScope,
  filters: AppFilters,
  page: PageRequest,
): Promise<Page<AppRow>> {
  const parameters: unknown[] = scopeOf(scope)
  let sql = `select ${columns} from apps a where ${inScope} and a.deleted_at is null`
  if (filters.name !== undefined) sql += ` and a.name = $${parameters.push(filters.name)}`
  const bound = { name: filters.name }
  const found = await queryPage<AppRecord>(db, { sql, parameters, alias: 'a', page, filters: bound })
  return { ...found, rows: found.rows.map(toApp) }
}

/** Apps that a repository feeds, whatever team: the caller has been let into the repository already. */
export async function selectAppsByRepository(db: Queryable, id: RepositoryId): Promise<readonly AppRow[]> {
  const rows = await db.query<AppRecord>(
    `select ${columns} from apps a where a.repository_id = $1 and a.deleted_at is null order by a.created_at, a.id`,
    [id],
  )
  return rows.map(toApp)
}

export async function updateAppRow(db: Queryable, scope: TeamScope, app: AppRow): Promise<void> {
  await db.query(`update apps a set root = $4, branch = $5, updated_at = $6 where ${inScope} and a.id = $3`, [
    ...scopeOf(scope),
    app.id,
    app.root,
    app.branch,
    app.updatedAt,
  ])
}

export async function markAppDeleted(db: Queryable, scope: TeamScope, id: AppId, at: Date): Promise<void> {
  await db.query(`update apps a set deleted_at = $4 where ${inScope} and a.id = $3`, [...scopeOf(scope), id, at])
}

/** The app that deletion work is about: one whose row is marked. The work row names no team. */
export async function selectDeletedApp(db: Queryable, id: string): Promise<AppRow | undefined> {
  const rows = await db.query<AppRecord>(`select ${columns} from apps a where a.id = $1 and a.deleted_at is not null`, [
    id,
  ])
  return rows[0] && toApp(rows[0])
}

/** Deletes the app's rows and, when it feeds no other app, those of its repository. */
export async function deleteAppRows(db: Queryable, app: AppRow): Promise<void> {
  await db.query('delete from apps where id = $1', [app.id])
  await db.query(
    `with unused as (select r.id from repositories r where r.id = $1
       and not exists (select 1 from apps a where a.repository_id = r.id)),
     forgotten as (delete from pushes p using unused u where p.repository_id = u.id)
     delete from repositories r using unused u where r.id = u.id`,
    [app.repositoryId],
  )
}

/** Whether another app that is not being deleted lives in the repository. */
export async function isRepositoryShared(db: Queryable, app: AppRow): Promise<boolean> {
  const rows = await db.query('select 1 from apps where repository_id = $1 and id <> $2 limit 1', [
    app.repositoryId,
    app.id,
  ])
  return rows.length > 0
}

/** Repositories of living apps, in pages by id: what has to have a folder. */
export async function selectRepositories(
  db: Queryable,
  after: string,
  limit: number,
): Promise<readonly RepositoryId[]> {
  const rows = await db.query<{ id: RepositoryId }>(
    `select r.id from repositories r where r.id > $1
       and exists (select 1 from apps a where a.repository_id = r.id and a.deleted_at is null)
     order by r.id limit $2`,
    [after, limit],
  )
  return rows.map((row) => row.id)
}
