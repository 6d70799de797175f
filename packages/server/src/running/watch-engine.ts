import type { Observed } from '../engines/engine.ts'
import { messageOf } from '../kernel/errors.ts'
import { takeFence, unendedInstances } from './instance-store.ts'
import type { ReconcileDeps } from './reconcile-environment.ts'

const fullLookMs = 30_000
const retryMs = 1_000

/** Follows the engine's hints, and looks at everything at start and every 30 s in case a hint was lost. */
export async function watchEngine(deps: ReconcileDeps, signal: AbortSignal): Promise<void> {
  await Promise.all([followHints(deps, signal), lookAtEverything(deps, signal)])
}

async function followHints(deps: ReconcileDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const id of deps.engine.hints(signal)) {
        await deps.observations.refresh([id], signal)
        await wakeOwner(deps, [id])
      }
    } catch (error) {
      if (!signal.aborted) deps.log.warn({ error: messageOf(error) }, 'engine hints interrupted')
    }
    if (!signal.aborted) await deps.clock.wait(retryMs, signal).catch(() => undefined)
  }
}

async function wakeOwner(deps: ReconcileDeps, ids: readonly string[]): Promise<void> {
  const owners = await unendedInstances(deps.db, ids)
  for (const { environmentId } of owners.values()) {
    deps.wakes.wake(environmentId)
    await deps.work.enqueue(deps.db, 'environment', environmentId)
  }
}

async function lookAtEverything(deps: ReconcileDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await deps.observations.refreshAll(signal)
      await endStrays(deps, signal)
      for (const environmentId of await deps.environments.occupied()) {
        await deps.work.enqueue(deps.db, 'environment', environmentId)
      }
    } catch (error) {
      if (!signal.aborted) deps.log.warn({ error: messageOf(error) }, 'engine not observed')
    }
    await deps.clock.wait(fullLookMs, signal).catch(() => undefined)
  }
}

/** Instances of ours without a row that wants them: left by a crash between the end of a row and the end of a process. */
async function endStrays(deps: ReconcileDeps, signal: AbortSignal): Promise<void> {
  const instances = [...deps.observations.all()].filter((observed) => observed.kind === 'instance')
  const known = await unendedInstances(
    deps.db,
    instances.map(({ id }) => id),
  )
  for (const stray of instances.filter(({ id }) => !known.has(id))) await endStray(deps, stray, signal)
}

async function endStray(deps: ReconcileDeps, stray: Observed, signal: AbortSignal): Promise<void> {
  const fence = { scope: stray.labels.environment ?? stray.id, number: await takeFence(deps.db) }
  deps.log.info({ instance: stray.id }, 'stray instance ended')
  if (stray.state !== 'ended') await deps.engine.stop(stray.id, { graceMs: 1_000 }, fence, signal)
  await deps.engine.forget(stray.id, fence, signal)
}
