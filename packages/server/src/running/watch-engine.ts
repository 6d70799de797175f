import { isDatabaseUnavailable } from '../db/open-database.ts'
import type { Observed } from '../engines/engine.ts'
import { messageOf } from '../kernel/errors.ts'
import type { EnvironmentId } from '../kernel/ids.ts'
import type { ReconcileDeps } from './claim.ts'
import { environmentsMissing, type InstanceOwner, ownersOf, strayIds, takeFence } from './platform-instance-store.ts'

const fullLookMs = 30_000
const sweepMs = 10 * 60_000
const retryMs = 1_000

/**
 * Follows the engine's hints, and looks at everything at start, when hints were lost, and every 30 s all the same. An environment is
 * worked on only where what runs and its rows disagree; every ten minutes each gets a look all the same, spread over them.
 */
export async function watchEngine(deps: ReconcileDeps, signal: AbortSignal): Promise<void> {
  await Promise.all([
    untilAborted(deps, signal, { what: 'engine hints interrupted', body: followHints, pauseMs: retryMs }),
    untilAborted(deps, signal, { what: 'engine not observed', body: lookAtEverything, pauseMs: fullLookMs }),
    untilAborted(deps, signal, { what: 'environments not swept', body: createSweep(), pauseMs: sweepMs }),
  ])
}

interface Loop {
  readonly what: string
  readonly body: (deps: ReconcileDeps, signal: AbortSignal) => Promise<void>
  readonly pauseMs: number
}

async function untilAborted(deps: ReconcileDeps, signal: AbortSignal, { what, body, pauseMs }: Loop): Promise<void> {
  while (!signal.aborted) {
    let waitMs = pauseMs
    try {
      await body(deps, signal)
    } catch (error) {
      if (!signal.aborted) deps.log.warn({ error: messageOf(error) }, what)
      waitMs = Math.min(pauseMs, retryMs)
    }
    await deps.clock.wait(waitMs, signal).catch(() => undefined)
  }
}

/** Hints that come while the last ones are being looked at are looked at together. */
async function followHints(deps: ReconcileDeps, outerSignal: AbortSignal): Promise<void> {
  const broken = new AbortController()
  const signal = AbortSignal.any([outerSignal, broken.signal])
  const changed = new Set<string | undefined>()
  let looking: Promise<void> | undefined
  const look = async () => {
    while (changed.size > 0) {
      const ids = [...changed]
      changed.clear()
      const named = ids.filter((id) => id !== undefined)
      if (named.length < ids.length) await lookAtEverything(deps, signal)
      else await lookAt(deps, named, signal)
    }
  }
  try {
    for await (const id of deps.engine.hints(signal)) {
      changed.add(id)
      looking ??= look()
        .catch((error: unknown) => broken.abort(error))
        .finally(() => {
          looking = undefined
        })
    }
    broken.signal.throwIfAborted()
  } finally {
    broken.abort()
    await looking
  }
}

async function lookAt(deps: ReconcileDeps, ids: readonly string[], signal: AbortSignal): Promise<void> {
  await deps.observations.refresh(ids, signal)
  const owners = await ownersOf(deps.db, ids)
  const unattended = owners.filter((owner) => !deps.wakes.wake(owner.environmentId) && disagrees(deps, owner))
  for (const id of new Set(unattended.map((owner) => owner.environmentId))) await enqueue(deps, id)
}

function disagrees({ observations }: ReconcileDeps, { id, status }: InstanceOwner): boolean {
  return observations.get(id)?.state !== 'running' || status === 'starting' || status === 'stopping'
}

async function lookAtEverything(deps: ReconcileDeps, signal: AbortSignal): Promise<void> {
  await deps.observations.refreshAll(signal)
  const instances = [...deps.observations.all()].filter((observed) => observed.kind === 'instance')
  const running = instances.filter(({ state }) => state !== 'ended').map(({ id }) => id)
  for (const id of await environmentsMissing(deps.db, running)) {
    if (!deps.wakes.wake(id)) await enqueue(deps, id)
  }
  await endStrays(deps, instances, signal)
}

/** Instances of ours without a row that wants them: left by a crash between the end of a row and the end of a process. */
async function endStrays(deps: ReconcileDeps, instances: readonly Observed[], signal: AbortSignal): Promise<void> {
  const isIdle = ({ labels }: Observed) => !labels.environment || !deps.wakes.isWorkedOn(labels.environment)
  const strays = await strayIds(
    deps.db,
    instances.filter(isIdle).map(({ id }) => id),
  )
  await Promise.all(instances.filter(({ id }) => strays.has(id)).map((stray) => endStray(deps, stray, signal)))
}

/** The fence is for this instance alone: whoever works on its environment must not find it raised. */
async function endStray(deps: ReconcileDeps, stray: Observed, signal: AbortSignal): Promise<void> {
  const fence = { scope: stray.id, number: await takeFence(deps.db) }
  deps.log.info({ instance: stray.id }, 'stray instance ended')
  if (stray.state !== 'ended') await deps.engine.stop(stray.id, { graceMs: 1_000 }, fence, signal)
  await deps.engine.forget(stray.id, fence, signal)
}

/** The first sweep adopts what a process before this one left, at once; later ones find what no other look does. */
function createSweep(): Loop['body'] {
  let isFirst = true
  return async (deps) => {
    const ids = await deps.environments.occupied()
    const now = deps.clock.now().getTime()
    for (const [index, id] of ids.entries()) {
      await enqueue(deps, id, isFirst ? undefined : new Date(now + (index * sweepMs) / ids.length))
    }
    isFirst = false
  }
}

/** One that cannot be asked for, whatever its rows hold, keeps no other from being looked at. */
async function enqueue(deps: ReconcileDeps, id: EnvironmentId, at?: Date): Promise<void> {
  try {
    await deps.work.enqueue(deps.db, 'environment', id, at)
  } catch (error) {
    if (isDatabaseUnavailable(error)) throw error
    deps.log.error({ environment: id, err: error }, 'an environment cannot be worked on')
  }
}
