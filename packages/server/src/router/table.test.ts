import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultLimits } from './limits.ts'
import type { RouteEntry, RouteTarget, TableUpdate } from './protocol.ts'
import { createTable, judgeUpdate } from './table.ts'
import { trustedIdleMs } from './target.ts'

const target = (instanceId: string, port = 1): RouteTarget => ({
  instanceId,
  startedAt: '2026-01-01T00:00:00Z',
  address: { kind: 'tcp', host: '127.0.0.1', port },
})

const entry = (environmentId: string, revision: number, more: Partial<RouteEntry> = {}): RouteEntry => ({
  environmentId,
  hosts: [`${environmentId}.test`],
  releaseId: `rel-${environmentId}`,
  revision,
  mode: 'serve',
  targets: [target(`ins-${environmentId}`)],
  ...more,
})

const update = (revision: number, entries: readonly RouteEntry[], more: Partial<TableUpdate> = {}): TableUpdate => ({
  epoch: 'one',
  bootId: 'boot',
  revision,
  full: false,
  entries,
  removed: [],
  ...more,
})

function aTable() {
  let now = 0
  const drained: string[] = []
  const table = createTable({
    limits: defaultLimits,
    nowMs: () => now,
    onDrained: ({ instanceId }) => drained.push(instanceId),
  })
  return { table, drained, passMs: (ms: number) => (now += ms) }
}

test('an update is judged by boot, history and revision', () => {
  const known = { epoch: 'one', revision: 5 }
  assert.equal(judgeUpdate(undefined, update(1, [], { full: true }), 'boot'), 'apply')
  assert.notEqual(judgeUpdate(undefined, update(1, []), 'boot'), 'apply')
  assert.equal(judgeUpdate(known, update(6, []), 'boot'), 'apply')
  assert.match(judgeUpdate(known, update(4, []), 'boot'), /lower/)
  assert.match(judgeUpdate(known, update(4, [], { full: true }), 'boot'), /lower/)
  assert.match(judgeUpdate(known, update(6, []), 'another'), /boot/)
  assert.equal(judgeUpdate(known, update(1, [], { epoch: 'two', full: true }), 'boot'), 'apply')
  assert.match(judgeUpdate(known, update(9, [], { epoch: 'two' }), 'boot'), /history/)
})

test('a part changes what it names, the whole replaces everything', () => {
  const { table, drained } = aTable()
  table.apply(update(2, [entry('a', 1), entry('b', 2)], { full: true }))
  table.apply(update(3, [entry('b', 3, { hosts: ['other.test'] })]))
  assert.ok(table.find('a.test'))
  assert.equal(table.find('b.test'), undefined)
  assert.equal(table.find('other.test')?.entry.revision, 3)
  table.apply(update(4, [], { removed: ['a'] }))
  assert.equal(table.find('a.test'), undefined)
  assert.deepEqual(drained, ['ins-a'])
  table.apply(update(9, [entry('c', 9)], { full: true }))
  assert.deepEqual(
    table.entries().map(({ environmentId }) => environmentId),
    ['c'],
  )
  assert.deepEqual(table.position, { epoch: 'one', revision: 9 })
})

test('an entry that is older than the known one changes nothing', () => {
  const { table } = aTable()
  table.apply(update(5, [entry('a', 5)], { full: true }))
  table.apply(update(6, [entry('a', 4, { hosts: ['old.test'] })], { full: true }))
  assert.ok(table.find('a.test'))
  assert.equal(table.find('old.test'), undefined)
})

test('a name that moves from one environment to another in one update belongs to the new one', () => {
  const { table } = aTable()
  table.apply(update(1, [entry('a', 1, { hosts: ['name.test'] })], { full: true }))
  table.apply(update(3, [entry('b', 2, { hosts: ['name.test'] }), entry('a', 3)]))
  assert.equal(table.find('name.test')?.entry.environmentId, 'b')
  assert.equal(table.find('a.test')?.entry.environmentId, 'a')
})

test('an instance keeps its connections as long as it is the same life at the same address', () => {
  const { table } = aTable()
  table.apply(update(1, [entry('a', 1)], { full: true }))
  const [first] = table.find('a.test')?.targets ?? []
  table.apply(update(2, [entry('a', 2)]))
  assert.equal(table.find('a.test')?.targets[0], first)
  table.apply(update(3, [entry('a', 3, { targets: [{ ...target('ins-a'), startedAt: '2026-01-02T00:00:00Z' }] })]))
  assert.notEqual(table.find('a.test')?.targets[0], first)
  assert.equal(first?.isRetired, true)
})

test('targets take turns, and those with fewer open requests come first', () => {
  const { table } = aTable()
  table.apply(update(1, [entry('a', 1, { targets: [target('x'), target('y'), target('z')] })], { full: true }))
  const route = table.find('a.test')
  assert.ok(route)
  const chosen = () => route.choose([])?.instanceId
  assert.deepEqual(new Set([chosen(), chosen(), chosen()]), new Set(['x', 'y', 'z']))
  for (const each of route.targets.slice(0, 2)) each.enter()
  assert.deepEqual([chosen(), chosen(), chosen()], ['z', 'z', 'z'])
  route.targets[2]?.avoid()
  assert.notEqual(chosen(), 'z')
  assert.equal(route.choose(route.targets), undefined)
})

test('open requests are reported by instance until the last one ends', () => {
  const { table, drained } = aTable()
  table.apply(update(1, [entry('a', 1)], { full: true }))
  const [old] = table.find('a.test')?.targets ?? []
  old?.enter()
  table.apply(update(2, [entry('a', 2, { releaseId: 'rel-2', targets: [target('next')] })]))
  const open = () => table.takeReport('changed').map(({ releaseId, openByInstance }) => [releaseId, openByInstance])
  assert.deepEqual(open(), [['rel-a', { 'ins-a': 1 }]])
  assert.deepEqual(drained, [])
  old?.leave()
  assert.deepEqual(drained, ['ins-a'])
  assert.deepEqual(open(), [['rel-a', {}]])
  assert.deepEqual(open(), [])
})

test('counters of a release that is long out of the table are forgotten, others are kept', () => {
  const { table, passMs } = aTable()
  table.apply(update(1, [entry('a', 1), entry('b', 1)], { full: true }))
  for (const host of ['a.test', 'b.test']) table.find(host)?.counters.answered('2xx', 1)
  table.apply(update(2, [entry('a', 2, { releaseId: 'rel-2' })]))
  const releases = () => table.takeReport('all').map(({ releaseId }) => releaseId)
  table.sweep()
  assert.deepEqual(releases(), ['rel-a', 'rel-b'])
  passMs(3_600_000)
  table.sweep()
  assert.deepEqual(releases(), ['rel-b'])
})

test('an idle connection is trusted less for what cannot be repeated, and as long as the app says', () => {
  assert.ok(trustedIdleMs(undefined, false) < trustedIdleMs(undefined, true))
  assert.ok(trustedIdleMs(undefined, true) < 5000, 'Node closes idle connections after 5 s')
  assert.equal(trustedIdleMs(5000, false), 4000)
  assert.ok(trustedIdleMs(1000, true) <= 0)
  assert.equal(trustedIdleMs(3_600_000, true), 60_000)
})
