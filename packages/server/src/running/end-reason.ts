import type { ExitStatus } from '../engines/engine.ts'
import type { Instance } from './instance.ts'

/** In words, for `ps` and for the log: `exit code 1`, `signal SIGKILL`, `out of memory`. */
export function describeExit(exit: ExitStatus | undefined): string {
  if (!exit) return 'lost'
  switch (exit.reason) {
    case 'exit':
      return `exit code ${exit.code}`
    case 'signal':
      return `signal ${exit.signal}`
    case 'memory':
      return 'out of memory'
    case 'start_failed':
      return `could not be started: ${exit.message ?? 'unknown reason'}`
    case 'timeout':
    case 'output':
    case 'disk':
      return `stopped for its ${exit.reason} limit`
    case 'stopped':
      return 'stopped'
    case 'lost':
      return 'lost'
  }
}

/**
 * Crashes in a row with this end counted in. An end that Gantry or the machine brought about is none; one after
 * `resetMs` of health starts the count anew.
 */
export function countCrashes(instance: Instance, exit: ExitStatus | undefined, endedAt: Date): number {
  if (instance.status === 'stopping') return instance.crashes // decided when it was asked to
  if (instance.status === 'draining' || !exit || exit.reason === 'stopped' || exit.reason === 'lost') return 0
  const healthyMs = instance.healthyAt ? endedAt.getTime() - instance.healthyAt.getTime() : 0
  return healthyMs >= healthyResetMs ? 1 : instance.crashes + 1
}

const healthyResetMs = 10 * 60_000
