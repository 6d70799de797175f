import type { TeamScope } from '../access/index.ts'
import type { Queryable } from '../db/database.ts'
import type { AppId, LayerId } from '../kernel/ids.ts'

/** A read-only folder that several artifacts of one app share. The row is written when the folder is whole and sealed. */
export interface Layer {
  readonly id: LayerId
  readonly name: string
  readonly path: string
  readonly sizeBytes: number
}

interface Row {
  id: string
  name: string
  path: string
  size_bytes: string
  last_used_at: Date
}

function toLayer(row: Row): Layer {
  return { id: row.id as LayerId, name: row.name, path: row.path, sizeBytes: Number(row.size_bytes) }
}

/** The app's layer with this key, marked as used now so that it is not collected. */
export async function takeLayer(
  db: Queryable,
  scope: TeamScope,
  wanted: { readonly appId: AppId; readonly key: string; readonly now: Date },
): Promise<Layer | undefined> {
  const [row] = await db.query<Row>(
    'update layers set last_used_at = $4 where team_id = $1 and app_id = $2 and key = $3 returning *',
    [scope.team, wanted.appId, wanted.key, wanted.now],
  )
  return row && toLayer(row)
}

/** Another's layer when somebody was faster: then the caller's folder is nobody's. */
export async function insertLayer(
  db: Queryable,
  scope: TeamScope,
  layer: Layer & { readonly appId: AppId; readonly key: string; readonly now: Date },
): Promise<Layer> {
  const [row] = await db.query<Row>(
    `insert into layers (id, team_id, app_id, name, key, path, size_bytes, created_at, last_used_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
     on conflict (app_id, key) do update set last_used_at = excluded.last_used_at returning *`,
    [layer.id, scope.team, layer.appId, layer.name, layer.key, layer.path, layer.sizeBytes, layer.now],
  )
  return row ? toLayer(row) : layer
}

export async function layersOf(
  db: Queryable,
  scope: TeamScope,
  appId: AppId,
): Promise<{ id: LayerId; name: string; lastUsedAt: Date }[]> {
  const rows = await db.query<Row>('select * from layers where team_id = $1 and app_id = $2', [scope.team, appId])
  return rows.map((row) => ({ id: row.id as LayerId, name: row.name, lastUsedAt: row.last_used_at }))
}

/** Deletes rows, but for layers used since `unusedSince` or named by an artifact that is there. */
export async function deleteLayers(
  db: Queryable,
  scope: TeamScope,
  ids: readonly LayerId[],
  unusedSince: Date,
): Promise<number> {
  const rows = await db.query(
    `delete from layers l where l.team_id = $1 and l.id = any($2) and l.last_used_at < $3
       and not exists (select 1 from artifacts t, jsonb_each_text(t.layers) n
         where t.app_id = l.app_id and t.removed_at is null and n.value = l.id)
     returning l.id`,
    [scope.team, ids, unusedSince],
  )
  return rows.length
}
