import type { Clock } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import type { ControlPlaneClient } from './control-plane-client.ts'
import type { TableUpdate } from './protocol.ts'
import type { Reporter } from './report-metrics.ts'
import type { SavedTable } from './saved-table.ts'
import { judgeUpdate, type RoutingTable, type TablePosition } from './table.ts'

export interface FollowDeps {
  readonly table: RoutingTable
  readonly saved: SavedTable
  readonly client: ControlPlaneClient
  readonly reporter: Reporter
  readonly clock: Clock
  readonly logger: Logger
  readonly routerId: string
  readonly bootId: string
}

/** How soon a lost control plane is asked again; it counts on this (routing/routing.ts). */
const lookAgainMs = 250

/** Takes the whole table once, so that the control plane knows this router. Returns when it has come, or at the signal. */
export async function joinTable(deps: FollowDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      return await takeUpdate(deps, undefined, signal)
    } catch (error) {
      deps.logger.warn({ reason: messageOf(error) }, 'no routing table yet')
      await deps.clock.wait(lookAgainMs, signal).catch(() => undefined)
    }
  }
}

/** Fetches, saves, applies and acknowledges update after update until aborted. While the control plane is away nothing changes. */
export async function followTable(deps: FollowDeps, signal: AbortSignal): Promise<void> {
  let isAway = false
  while (!signal.aborted) {
    try {
      await takeUpdate(deps, deps.table.position, signal)
      if (isAway) deps.logger.info({}, 'the control plane is back')
      isAway = false
    } catch (error) {
      if (signal.aborted) return
      if (!isAway) deps.logger.warn({ reason: messageOf(error) }, 'the control plane is away; the table stays as it is')
      isAway = true
      await deps.clock.wait(lookAgainMs, signal).catch(() => undefined)
    }
  }
}

async function takeUpdate(deps: FollowDeps, known: TablePosition | undefined, signal: AbortSignal): Promise<void> {
  const { table, saved, client, routerId } = deps
  const update = await client.fetchTable(known, signal)
  if (!update) return
  const verdict = judgeUpdate(table.position, update, deps.bootId)
  if (verdict !== 'apply') throw new Error(`a table was refused: ${verdict}`)
  await saved.save(update, () => wholeTable(deps, update))
  table.apply(update)
  await deps.reporter.report() // before the acknowledgement, as router/protocol.ts says
  await client.acknowledge({ routerId, epoch: update.epoch, revision: update.revision })
  await saved.removeOthers()
}

/** The table with the update in it, before it is applied. */
function wholeTable({ table }: FollowDeps, update: TableUpdate): TableUpdate {
  const changed = new Set([...update.entries.map((entry) => entry.environmentId), ...update.removed])
  const kept = table.entries().filter((entry) => !changed.has(entry.environmentId))
  return { ...update, full: true, entries: [...kept, ...update.entries], removed: [] }
}
