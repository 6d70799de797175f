import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import type { RouteEntry, TableUpdate } from './protocol.ts'
import { createSavedTable, loadSavedTable } from './saved-table.ts'

let folder: string
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'gantry-test-')), 'routing')
})
afterEach(() => rmSync(join(folder, '..'), { recursive: true }))

const entry = (environmentId: string, revision: number): RouteEntry => ({
  environmentId,
  hosts: [`${environmentId}.test`],
  releaseId: 'rel-1',
  revision,
  mode: 'serve',
  targets: [],
})

const update = (revision: number, more: Partial<TableUpdate> = {}): TableUpdate => ({
  epoch: 'one',
  bootId: 'boot',
  revision,
  full: false,
  entries: [entry(`env-${revision}`, revision)],
  removed: [],
  ...more,
})

const whole = (revision: number) => update(revision, { full: true })
const saver = (routerId = 'a') => createSavedTable({ folder, routerId, isGone: (id) => id === 'gone' })
const revisions = async () => (await loadSavedTable(folder, 'boot')).map(({ revision }) => revision)

test('what was saved comes back in its order', async () => {
  const saved = saver()
  await saved.save(whole(1), () => whole(1))
  await saved.save(update(2), () => whole(2))
  await saved.save(update(3, { entries: [], removed: ['env-1'] }), () => whole(3))
  const loaded = await loadSavedTable(folder, 'boot')
  assert.deepEqual(loaded, [whole(1), update(2), update(3, { entries: [], removed: ['env-1'] })])
})

test('a file begins with a whole table although an update was saved', async () => {
  await saver().save(update(5), () => whole(5))
  assert.deepEqual(await loadSavedTable(folder, 'boot'), [whole(5)])
})

test('nothing saved is nothing', async () => {
  assert.deepEqual(await loadSavedTable(folder, 'boot'), [])
})

test('a table of another boot is refused', async () => {
  await saver().save(whole(1), () => whole(1))
  assert.deepEqual(await loadSavedTable(folder, 'another boot'), [])
})

test('a line that a crash cut off is left out', async () => {
  const saved = saver()
  await saved.save(whole(1), () => whole(1))
  await saved.save(update(2), () => whole(2))
  const file = join(folder, readdirSync(folder)[0] ?? '')
  appendFileSync(file, JSON.stringify(update(3)).slice(0, 20))
  assert.deepEqual(await revisions(), [1, 2])
  appendFileSync(file, `\n${JSON.stringify(update(4))}\n`)
  assert.deepEqual(await revisions(), [1, 2])
})

test('a lower revision and a part of another history end a file', async () => {
  const saved = saver()
  await saved.save(whole(4), () => whole(4))
  await saved.save(update(3), () => whole(3))
  assert.deepEqual(await revisions(), [4])
  await saved.save(whole(4), () => whole(4))
  await saved.save(update(9, { epoch: 'two' }), () => whole(9))
  assert.deepEqual(await revisions(), [4])
})

test('the newest of several routers’ tables counts, and those of ended routers are removed', async () => {
  await saver('gone').save(whole(7), () => whole(7))
  await saver('alive').save(whole(6), () => whole(6))
  const saved = saver('mine')
  assert.deepEqual(await revisions(), [7])
  await saved.save(whole(8), () => whole(8))
  await saved.removeOthers()
  assert.deepEqual(readdirSync(folder).sort(), ['table-alive.jsonl', 'table-mine.jsonl'])
})

test('a file that has outgrown the table is written anew', async () => {
  const saved = saver()
  await saved.save(whole(1), () => whole(1))
  const large = (revision: number) =>
    update(revision, { entries: [{ ...entry('env-1', revision), hosts: ['x'.repeat(200_000)] }] })
  for (let revision = 2; revision < 20; revision++) await saved.save(large(revision), () => whole(revision))
  const file = join(folder, readdirSync(folder)[0] ?? '')
  assert.ok(readFileSync(file).length < 2_000_000)
  assert.equal((await revisions()).at(-1), 19)
})

test('a file that holds no table at all is nothing', async () => {
  await saver().save(whole(1), () => whole(1))
  writeFileSync(join(folder, 'table-broken.jsonl'), 'no JSON\n')
  assert.deepEqual(await revisions(), [1])
})
