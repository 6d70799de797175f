import type { Clock } from '../kernel/clock.ts'
import type { ControlPlaneClient } from './control-plane-client.ts'
import type { RoutingTable } from './table.ts'

/** Tells the control plane what was counted. */
export interface Reporter {
  /** Resolves when it has been taken; rejects when the control plane is away. */
  report(): Promise<void>
}

export interface ReporterDeps {
  readonly table: RoutingTable
  readonly client: ControlPlaneClient
  readonly routerId: string
}

/** Now and then everything is told again, so that the control plane forgets what this router has forgotten. */
const reportsBetweenFull = 3600

export function createReporter({ table, client, routerId }: ReporterDeps): Reporter {
  let untilFull = 0
  let last: Promise<void> = Promise.resolve()
  const send = async (full: boolean): Promise<boolean> => {
    // a report that is lost took its changes with it: until one is answered, the next one is full
    const next = full ? reportsBetweenFull : untilFull - 1
    untilFull = 0
    const isTaken = await client.report({ routerId, full, releases: table.takeReport(full ? 'all' : 'changed') })
    if (isTaken) untilFull = next
    return isTaken
  }
  return {
    report() {
      last = last
        .catch(() => undefined)
        .then(async () => {
          if (!(await send(untilFull === 0))) await send(true)
        })
      return last
    },
  }
}

const reportEveryMs = 1000

/** Reports each second, and at once when `nudge` is called, until aborted. */
export function keepReporting(
  { reporter, clock }: { reporter: Reporter; clock: Clock },
  signal: AbortSignal,
): { nudge(): void; ended: Promise<void> } {
  let wake = new AbortController()
  const run = async () => {
    while (!signal.aborted) {
      await clock.wait(reportEveryMs, AbortSignal.any([signal, wake.signal])).catch(() => undefined)
      if (wake.signal.aborted) wake = new AbortController()
      await reporter.report().catch(() => undefined) // followTable says that the control plane is away
    }
  }
  return { nudge: () => wake.abort(), ended: run() }
}
