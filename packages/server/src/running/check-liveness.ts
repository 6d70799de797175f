import { systemScope } from '../access/index.ts'
import type { Instance } from './instance.ts'
import { instancesInService, recordCheck } from './instance-store.ts'
import type { RunningDeps } from './running-deps.ts'

const everyMs = 10_000
const failuresAllowed = 3
/** Checks under way at once: enough for thousands of instances a round, few enough to stay in the background. */
const width = 32

/** GET of every instance in service, every 10 s; the third failure in a row makes it unhealthy, and it is replaced. */
export async function checkLiveness(deps: RunningDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await deps.clock.wait(everyMs, signal)
    const instances = await instancesInService(deps.db)
    const queue = instances.values()
    const lanes = Array.from({ length: Math.min(width, instances.length) }, async () => {
      for (const instance of queue) await checkOne(deps, instance, signal)
    })
    await Promise.all(lanes)
  }
}

async function checkOne(deps: RunningDeps, instance: Instance, signal: AbortSignal): Promise<void> {
  if (!instance.address) return
  const result = await deps.probe(instance.address, 'localhost', signal)
  const check = { id: instance.id, passed: result.kind === 'healthy', limit: failuresAllowed }
  await deps.db.transaction(async (tx) => {
    const turned = await recordCheck(tx, systemScope(instance.teamId), check)
    if (turned) await deps.work.enqueue(tx, 'environment', instance.environmentId)
  })
}
