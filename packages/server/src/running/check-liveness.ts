import { messageOf } from '../kernel/errors.ts'
import { recordCheck } from './instance-store.ts'
import { type CheckedInstance, instancesToCheck } from './platform-instance-store.ts'
import type { RunningDeps } from './running-deps.ts'
import type { Wakes } from './wakes.ts'

const everyMs = 10_000
/** Checks under way at once: enough for thousands of instances a round, few enough to stay in the background. */
const width = 64

/**
 * GET of every instance in service, every 10 s. What passes as before writes nothing. Whether so many failures make it
 * unhealthy is decided where the environment is worked on, with the route that follows from it.
 */
export async function checkLiveness(deps: RunningDeps & { readonly wakes: Wakes }, signal: AbortSignal): Promise<void> {
  let pauseMs = everyMs
  while (!signal.aborted) {
    await deps.clock.wait(pauseMs, signal).catch(() => undefined)
    const beganAtMs = deps.clock.monotonicMs()
    if (!signal.aborted) await checkAll(deps, signal)
    pauseMs = Math.max(everyMs - (deps.clock.monotonicMs() - beganAtMs), 0)
  }
}

async function checkAll(deps: RunningDeps & { readonly wakes: Wakes }, signal: AbortSignal): Promise<void> {
  try {
    const queue = (await instancesToCheck(deps.db)).values()
    const lane = async () => {
      for (const checked of queue) await checkOne(deps, checked, signal)
    }
    await Promise.all(Array.from({ length: width }, lane))
  } catch (error) {
    if (!signal.aborted) deps.log.warn({ error: messageOf(error) }, 'instances could not be checked')
  }
}

/** One that cannot be checked, for whatever reason, keeps no other from being checked. */
async function checkOne(
  deps: RunningDeps & { readonly wakes: Wakes },
  checked: CheckedInstance,
  signal: AbortSignal,
): Promise<void> {
  const { instance } = checked
  try {
    await recordChange(deps, checked, await passes(deps, checked, signal))
  } catch (error) {
    if (!signal.aborted) deps.log.warn({ instance: instance.id, error: messageOf(error) }, 'a health check went wrong')
  }
}

async function passes(deps: RunningDeps, checked: CheckedInstance, signal: AbortSignal): Promise<boolean> {
  const { instance, appName, environmentName } = checked
  if (!instance.address) return true
  const result = await deps.probe(instance.address, deps.environments.host(appName, environmentName), signal)
  return result.kind === 'healthy'
}

async function recordChange(
  deps: RunningDeps & { readonly wakes: Wakes },
  { instance, scope }: CheckedInstance,
  passed: boolean,
): Promise<void> {
  if (passed && instance.failedChecks === 0) return
  const limit = deps.policy.failuresAllowed
  const turns = passed ? instance.failedChecks >= limit : instance.failedChecks + 1 === limit
  await deps.db.transaction(async (tx) => {
    await recordCheck(tx, scope, { id: instance.id, passed })
    if (!turns) return
    await deps.work.enqueue(tx, 'environment', instance.environmentId)
    tx.afterCommit(() => deps.wakes.wake(instance.environmentId))
  })
}
