import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type pg from 'pg'
import { connectDatabase } from './support/database.ts'
import { eventually } from './support/eventually.ts'
import { ask } from './support/http.ts'
import { askLifecycle } from './support/lifecycle.ts'
import { type Platform, startPlatform } from './support/platform.ts'
import { anApp, createProject, type Project } from './support/project.ts'

let platform: Platform
let healthy: Project
let database: pg.Client
before(async () => {
  platform = await startPlatform()
  healthy = await createProject(platform, 'healthy', anApp('v1'))
  const poisoned = await createProject(platform, 'poisoned', anApp('v1'))
  for (const project of [healthy, poisoned]) assert.equal((await project.push()).exitCode, 0)
  database = await connectDatabase(platform)
})
after(async () => {
  await database.end()
  await platform.destroy()
})

interface Column {
  readonly table_name: string
  readonly column_name: string
  readonly data_type: string
}

/** Columns that say whose row it is, or which: a row that is another app's is no poisoned one. */
const identities = ['id', 'team_id', 'app_id', 'environment_id', 'repository_id', 'name', 'run_uid', 'build_uid']
/** The place of a change in the history of the whole routing table: a fact of the platform's, not of the app's. */
const platforms = ['revision']

/** Every column of the rows of one app. */
async function columnsOfApps(): Promise<Column[]> {
  const { rows } = await database.query<Column>(
    `select c.table_name, c.column_name, c.data_type from information_schema.columns c
     join information_schema.tables t using (table_schema, table_name)
     where c.table_schema = 'public' and t.table_type = 'BASE TABLE' and not c.column_name = any($1)
       and (c.table_name in ('apps', 'routes', 'work') or exists (select 1 from information_schema.columns own
         where own.table_schema = 'public' and own.table_name = c.table_name and own.column_name = 'app_id'))
     order by c.table_name, c.ordinal_position`,
    [[...identities, ...platforms]],
  )
  return rows
}

const poisons: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  nothing: { any: ['null'] },
  'too much': {
    text: ["repeat('x', 1000000)"],
    jsonb: [`jsonb_build_object('web', repeat('x', 1000000))`],
    integer: ['2147483647'],
    bigint: ['9223372036854775807'],
  },
  'another time': { 'timestamp with time zone': ["'infinity'", "'294276-01-01'"], integer: ['-1'], bigint: ['-1'] },
  'another version': {
    jsonb: [`'"x"'`, `'[7]'`, `'{"web": null}'`, `'{"kind": "quic", "host": {}, "port": "x"}'`],
    text: ["'v2:unknown'", "''", "E'\\u0001\\n'"],
  },
}

/** Writes it into every column that takes it. Returns into how many. */
async function poison(
  columns: readonly Column[],
  values: Readonly<Record<string, readonly string[]>>,
): Promise<number> {
  const own = `(select id from apps where name = 'poisoned')`
  const environments = `(select id from environments where app_id = ${own})`
  let taken = 0
  for (const { table_name: table, column_name: column, data_type: type } of columns) {
    const whose =
      table === 'apps'
        ? `id = ${own}`
        : table === 'routes'
          ? `environment_id in ${environments}`
          : table === 'work'
            ? `subject in ${environments}`
            : `app_id = ${own}`
    for (const value of values.any ?? values[type] ?? []) {
      const sql = `update ${table} set ${column} = ${value} where ${whose}`
      taken += await database.query(sql).then(
        ({ rowCount }) => rowCount ?? 0,
        () => 0, // the schema refuses it: as good
      )
    }
  }
  return taken
}

async function killControlPlane(): Promise<void> {
  const pidOf = async () =>
    (await askLifecycle(platform.home)).programs.find((program) => program.name === 'control-plane')?.pid
  const pid = await pidOf()
  assert.ok(pid)
  process.kill(pid, 'SIGKILL')
  await eventually('another control plane runs', async () => {
    const next = await pidOf()
    assert.ok(next !== undefined && next !== pid)
  })
}

let version = 1
for (const [what, values] of Object.entries(poisons)) {
  test(`${what} in every column of one app's rows: the platform starts, and the other app is served and deployed`, async (t) => {
    const taken = await poison(await columnsOfApps(), values)
    t.diagnostic(`${taken} values taken`)
    assert.ok(taken > 0)
    await killControlPlane()
    const killedAt = performance.now()
    await eventually('the platform answers', async () => {
      assert.equal((await platform.api('GET', '/v1/apps/healthy')).status, 200)
    })
    t.diagnostic(`answers after ${(performance.now() - killedAt).toFixed(0)} ms`)
    const next = `v${++version}`
    const pushed = await healthy.release(anApp(next))
    assert.equal(pushed.exitCode, 0, pushed.output)
    assert.equal((await ask(platform.httpPort, 'healthy.localhost')).body, next)
    const handed = await platform.gantry(['restart', 'router'])
    assert.equal(handed.exitCode, 0, handed.output)
    assert.equal((await ask(platform.httpPort, 'healthy.localhost')).body, next)
  })
}
