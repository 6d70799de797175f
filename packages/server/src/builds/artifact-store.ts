import type { TeamScope } from '../access/index.ts'
import type { ProcessTypePlan } from '../builders/builder.ts'
import type { Queryable } from '../db/database.ts'
import type { ArtifactKind } from '../engines/engine.ts'
import type { AppId, ArtifactId } from '../kernel/ids.ts'
import { type Artifact, layerContent, type NewArtifact } from './artifact.ts'

interface Row {
  id: string
  app_id: string
  kind: ArtifactKind
  digest: string
  location: string
  process_types: Record<string, ProcessTypePlan>
  run_env: Record<string, string>
  size_bytes: string
  created_at: Date
  /** Paths of its layers by the name under which the app sees them. */
  layer_paths: Record<string, string>
}

/** Of a removed artifact too: its release still names its digest. `undefined` for foreign and missing ones. */
export async function findArtifact(db: Queryable, scope: TeamScope, id: ArtifactId): Promise<Artifact | undefined> {
  const [row] = await db.query<Row>(
    `select t.*, coalesce((select jsonb_object_agg(n.name, l.path) from jsonb_each_text(t.layers) n(name, id)
         join layers l on l.id = n.id), '{}') as layer_paths
     from artifacts t where t.team_id = $1 and ($2::text is null or t.app_id = $2) and t.id = $3`,
    [scope.team, scope.app ?? null, id],
  )
  return row && toArtifact(row)
}

function toArtifact(row: Row): Artifact {
  const linked = Object.entries(row.layer_paths).filter(([name]) => !name.includes(':'))
  return {
    id: row.id as ArtifactId,
    appId: row.app_id as AppId,
    kind: row.kind,
    digest: row.digest,
    location: row.location,
    links: Object.fromEntries(linked.map(([name, path]) => [name, layerContent({ path, name })])),
    processTypes: row.process_types,
    runEnv: row.run_env,
    sizeBytes: Number(row.size_bytes),
    createdAt: row.created_at,
  }
}

/** The artifact with this digest, marked as used now so that it is not collected; `undefined` when there is none. */
export async function takeArtifactByDigest(
  db: Queryable,
  scope: TeamScope,
  wanted: { readonly appId: AppId; readonly digest: string; readonly now: Date },
): Promise<ArtifactId | undefined> {
  const [row] = await db.query<{ id: string }>(
    `update artifacts set last_used_at = $4
     where team_id = $1 and app_id = $2 and digest = $3 and removed_at is null returning id`,
    [scope.team, wanted.appId, wanted.digest, wanted.now],
  )
  return row && (row.id as ArtifactId)
}

/** Marks an artifact as used now, so that it is not collected. False when it has been, or is not there. */
export async function takeArtifact(db: Queryable, scope: TeamScope, id: ArtifactId, now: Date): Promise<boolean> {
  const rows = await db.query(
    `update artifacts set last_used_at = $3 where team_id = $1 and id = $2 and removed_at is null returning id`,
    [scope.team, id, now],
  )
  return rows.length > 0
}

/** Nothing, and `undefined`, when the app has an artifact with this digest. */
export async function insertArtifact(
  db: Queryable,
  scope: TeamScope,
  artifact: NewArtifact,
): Promise<ArtifactId | undefined> {
  const [row] = await db.query<{ id: string }>(
    `insert into artifacts (id, team_id, app_id, kind, digest, location, layers, process_types, run_env, size_bytes,
       created_at, last_used_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)
     on conflict (app_id, digest) where removed_at is null do nothing returning id`,
    [
      artifact.id,
      scope.team,
      artifact.appId,
      artifact.kind,
      artifact.digest,
      artifact.location,
      JSON.stringify(artifact.layers),
      JSON.stringify(artifact.processTypes),
      JSON.stringify(artifact.runEnv),
      artifact.sizeBytes,
      artifact.createdAt,
    ],
  )
  return row && (row.id as ArtifactId)
}

export async function artifactsOf(
  db: Queryable,
  scope: TeamScope,
  appId: AppId,
): Promise<{ id: ArtifactId; layers: readonly string[]; lastUsedAt: Date }[]> {
  const rows = await db.query<{ id: string; layers: Record<string, string>; last_used_at: Date }>(
    'select id, layers, last_used_at from artifacts where team_id = $1 and app_id = $2 and removed_at is null',
    [scope.team, appId],
  )
  return rows.map((row) => ({
    id: row.id as ArtifactId,
    layers: Object.values(row.layers),
    lastUsedAt: row.last_used_at,
  }))
}

/** Marks artifacts as removed, but for those used since `unusedSince`. Their folders may go after the commit. */
export async function markArtifactsRemoved(
  db: Queryable,
  scope: TeamScope,
  ids: readonly ArtifactId[],
  times: { readonly unusedSince: Date; readonly now: Date },
): Promise<number> {
  const rows = await db.query(
    `update artifacts set removed_at = $4
     where team_id = $1 and id = any($2) and last_used_at < $3 and removed_at is null returning id`,
    [scope.team, ids, times.unusedSince, times.now],
  )
  return rows.length
}
