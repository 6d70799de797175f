import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ControlPlaneClient } from './control-plane-client.ts'
import { defaultLimits } from './limits.ts'
import { createReporter } from './report-metrics.ts'
import { createTable } from './table.ts'

/** A control plane that answers as told. */
function aReporter(answers: (boolean | 'away')[]) {
  const reports: { full: boolean; requests: number[] }[] = []
  const client: Pick<ControlPlaneClient, 'report'> = {
    async report({ full, releases }) {
      reports.push({ full, requests: releases.map(({ requests }) => requests) })
      const answer = answers.shift() ?? true
      if (answer === 'away') throw new Error('away')
      return answer
    },
  }
  const table = createTable({ limits: defaultLimits, nowMs: () => 0, onDrained: () => undefined })
  const target = { instanceId: 'i', startedAt: '', address: { kind: 'tcp', host: '127.0.0.1', port: 1 } } as const
  const entry = {
    environmentId: 'e',
    hosts: ['a'],
    releaseId: 'r',
    revision: 1,
    mode: 'serve',
    targets: [target],
  } as const
  table.apply({ epoch: 'one', revision: 1, bootId: 'b', full: true, entries: [entry], removed: [] })
  const reporter = createReporter({ table, client: client as ControlPlaneClient, routerId: 'a' })
  return { reporter, reports, count: () => table.find('a')?.counters.answered('2xx', 1) }
}

test('everything is told first, and then what changed', async () => {
  const { reporter, reports, count } = aReporter([])
  count()
  await reporter.report()
  await reporter.report()
  count()
  await reporter.report()
  assert.deepEqual(reports, [
    { full: true, requests: [1] },
    { full: false, requests: [] },
    { full: false, requests: [2] },
  ])
})

test('a report that was lost is made good by a full one', async () => {
  const { reporter, reports, count } = aReporter([true, 'away', true])
  await reporter.report()
  count()
  await assert.rejects(reporter.report())
  await reporter.report()
  assert.deepEqual(reports.at(-1), { full: true, requests: [1] })
})

test('a control plane that knows nothing gets everything at once', async () => {
  const { reporter, reports, count } = aReporter([true, false, true])
  count()
  await reporter.report()
  await reporter.report()
  assert.deepEqual(reports, [
    { full: true, requests: [1] },
    { full: false, requests: [] },
    { full: true, requests: [1] },
  ])
})
