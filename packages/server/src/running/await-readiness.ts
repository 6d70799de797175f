import type { Observed } from '../engines/engine.ts'
import { type Instance, instanceName } from './instance.ts'
import { markReady } from './instance-store.ts'
import type { RunningDeps } from './running-deps.ts'
import type { Workload } from './workload.ts'

export interface ReadinessWatch {
  readonly workload: Workload
  readonly instance: Instance
  readonly observe: () => Observed | undefined
  /** Told what the latest failed check found. */
  readonly onFailedCheck: (message: string) => void
}

const firstPauseMs = 10
const longestPauseMs = 250

/**
 * Probes a starting instance, every 10 ms at first and slower later, until it passes or the signal aborts. A pass counts
 * only when the listener is the instance's own: a stranger on the port must never get an app's requests.
 */
export async function awaitReadiness(deps: RunningDeps, watch: ReadinessWatch, signal: AbortSignal): Promise<void> {
  const { instance, workload } = watch
  const host = workload.hosts[0] ?? 'localhost'
  let pauseMs = firstPauseMs
  while (instance.address && watch.observe()?.state !== 'ended') {
    const result = await deps.probe(instance.address, host, signal)
    if (result.kind === 'healthy') {
      if (await ownsListener(deps, instance, signal)) {
        return await markReady(deps.db, workload.scope, instance.id, deps.clock.now())
      }
      watch.onFailedCheck(`another process answers on the port of ${instanceName(instance)}`)
    } else if (result.kind === 'unhealthy') watch.onFailedCheck(result.message)
    await deps.clock.wait(pauseMs, signal)
    pauseMs = Math.min(pauseMs * 1.25, longestPauseMs)
  }
}

async function ownsListener(deps: RunningDeps, instance: Instance, signal: AbortSignal): Promise<boolean> {
  const { address } = instance
  if (address?.kind !== 'tcp' || !deps.engine.capabilities.assignsPorts) return true
  const listeners = await deps.engine.listeners(instance.id, signal)
  return listeners.some((listener) => listener.port === address.port)
}
