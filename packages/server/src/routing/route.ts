import type { RouteEntry, TableUpdate } from '../router/protocol.ts'

/** What a caller says about an environment's route; the room adds the revision. */
export type RouteContent = Omit<RouteEntry, 'revision' | 'environmentId'>

/** A row of the table. `content` null: the environment has no route any more. What is not well formed counts as null. */
export interface RouteRow {
  readonly environmentId: string
  readonly revision: number
  /** The boot of the machine whose addresses the targets are. */
  readonly bootId: string
  readonly content: RouteContent | null
}

export interface TablePosition {
  readonly epoch: string
  readonly bootId: string
  /** The highest revision ever given to a row. */
  readonly revision: number
}

/**
 * What to read for a router that has revision `after` of `epoch`: nothing, the rows above a revision, or everything.
 * A router that is ahead of this table knows a history that was lost (a restored database).
 */
export function planRead(position: TablePosition, asked: { epoch: string; after: number }): ReadPlan {
  if (asked.epoch !== position.epoch) return { kind: 'full' }
  if (asked.after > position.revision) return { kind: 'history_lost' }
  if (asked.after === position.revision) return { kind: 'nothing' }
  return { kind: 'delta', after: asked.after }
}

export type ReadPlan =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'delta'; readonly after: number }
  | { readonly kind: 'full' }
  | { readonly kind: 'history_lost' }

/** Whether a stored route is one that routers can take: they refuse a whole table for one entry that is not. */
export function isWellFormed(content: unknown): content is RouteContent {
  if (typeof content !== 'object' || content === null) return false
  const { hosts, releaseId, mode, targets } = content as Partial<Record<keyof RouteContent, unknown>>
  const isMode = mode === 'serve' || mode === 'hold'
  const areHosts = Array.isArray(hosts) && hosts.every((host) => typeof host === 'string')
  return areHosts && isMode && typeof releaseId === 'string' && Array.isArray(targets) && targets.every(isTarget)
}

function isTarget(target: unknown): boolean {
  if (typeof target !== 'object' || target === null) return false
  const { instanceId, startedAt, address } = target as Record<string, unknown>
  const areTexts = typeof instanceId === 'string' && typeof startedAt === 'string'
  return areTexts && typeof address === 'object' && address !== null && isAddress(address)
}

function isAddress(address: object): boolean {
  const { kind, host, port, path } = address as Record<string, unknown>
  if (kind === 'unix') return typeof path === 'string'
  const isPort = typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536
  return kind === 'tcp' && typeof host === 'string' && isPort
}

/** The update for a router, from the rows that were read. Rows above the position belong to the next update. */
export function toUpdate(position: TablePosition, rows: readonly RouteRow[], full: boolean): TableUpdate {
  const entries: RouteEntry[] = []
  const removed: string[] = []
  for (const row of rows) {
    if (row.revision > position.revision) continue
    if (isWellFormed(row.content)) entries.push(toEntry(row, row.content, position.bootId))
    else if (!full) removed.push(row.environmentId)
  }
  return { ...position, full, entries, removed }
}

/** An address of an earlier boot may belong to anybody now: such a route has no target until its environment is set again. */
function toEntry(row: RouteRow, content: RouteContent, bootId: string): RouteEntry {
  const { hosts, releaseId, mode, targets } = content
  return {
    environmentId: row.environmentId,
    hosts,
    releaseId,
    revision: row.revision,
    mode,
    targets: row.bootId === bootId ? targets : [],
  }
}
