import type { Address, Observed } from '../engines/engine.ts'
import { type Instance, instanceName } from './instance.ts'
import type { Readiness } from './instance-store.ts'
import type { ProbeResult, RunningDeps } from './running-deps.ts'
import type { Workload } from './workload.ts'

export interface ReadinessWatch {
  readonly workload: Workload
  readonly instance: Instance
  readonly observe: () => Observed | undefined
  /** Told after every check that did not pass what it found; nothing listening is no finding. */
  readonly onFailedCheck: (message: string | undefined) => void
}

const shortestPauseMs = 10
const longestPauseMs = 250

/**
 * Probes a starting instance until it passes; `undefined` when it has ended. The pauses are a tenth of what it took so far,
 * from 10 to 250 ms. A pass counts only when the listener is the instance's own: a stranger on the port must never get an
 * app's requests.
 */
export async function awaitReadiness(
  deps: RunningDeps,
  watch: ReadinessWatch,
  signal: AbortSignal,
): Promise<Readiness | undefined> {
  const { instance, workload } = watch
  const host = workload.hosts[0] ?? 'localhost'
  const beganAtMs = deps.clock.monotonicMs()
  while (instance.address && watch.observe()?.state !== 'ended') {
    const result = await deps.probe(instance.address, host, signal)
    if (result.kind === 'healthy' && (await ownsListener(deps, instance, result.reached, signal))) {
      return { at: deps.clock.now(), address: result.reached }
    }
    watch.onFailedCheck(findingOf(result, instance))
    const tookMs = deps.clock.monotonicMs() - beganAtMs
    await deps.clock.wait(Math.min(Math.max(tookMs / 10, shortestPauseMs), longestPauseMs), signal)
  }
  return undefined
}

function findingOf(result: ProbeResult, instance: Instance): string | undefined {
  if (result.kind === 'healthy') return `another process answers on the port of ${instanceName(instance)}`
  return result.kind === 'unhealthy' ? result.message : undefined
}

async function ownsListener(
  deps: RunningDeps,
  instance: Instance,
  reached: Address,
  signal: AbortSignal,
): Promise<boolean> {
  if (reached.kind !== 'tcp' || !deps.engine.capabilities.assignsPorts) return true
  const listeners = await deps.engine.listeners(instance.id, signal)
  return listeners.some(({ host, port }) => port === reached.port && covers(host, reached.host))
}

/** Another process may have the port at the other address. `::` takes IPv4 in, unless told otherwise. */
function covers(listening: string, reached: string): boolean {
  return listening === reached || listening === '::' || (listening === '0.0.0.0' && !reached.includes(':'))
}
