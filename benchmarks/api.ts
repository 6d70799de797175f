/**
 * `npm run bench:api`: list and show with 10 and with 10,000 apps. The rows are made by SQL, the times are of requests over
 * one kept connection. Prints and asserts nothing.
 */
import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { parseArgs } from 'node:util'
import { startPlatform } from '../e2e/support/platform.ts'
import { openDatabase } from '../packages/server/src/db/open-database.ts'
import { systemClock } from '../packages/server/src/kernel/clock.ts'
import { createIds } from '../packages/server/src/kernel/ids.ts'
import { silentLogger } from '../packages/server/src/kernel/logger.ts'
import { median, table } from './report.ts'

const { values } = parseArgs({
  options: { apps: { type: 'string', default: '10000' }, requests: { type: 'string', default: '300' } },
})
const many = Number(values.apps)

const platform = await startPlatform({ env: { GANTRY_REQUESTS_PER_MINUTE: '1000000' } })
const agent = new Agent({ keepAlive: true, maxSockets: 1 })
const token = await platform.token()
const db = openDatabase({ url: await databaseUrl(), clock: systemClock, logger: silentLogger })
const newId = createIds(() => Date.now(), randomBytes)
try {
  const rows: string[][] = []
  let made = 0
  for (const count of [10, many]) {
    await makeApps(made, count)
    made = count
    rows.push(
      [`${count} apps`, 'show an app', ...(await time(`/v1/apps/app${count - 1}`))],
      [`${count} apps`, 'show an environment', ...(await time(`/v1/environments/app${count - 1}`))],
      [`${count} apps`, 'list, 10 a page', ...(await time('/v1/apps?limit=10'))],
      [`${count} apps`, 'list, 100 a page', ...(await time('/v1/apps?limit=100'))],
      [`${count} apps`, 'list environments, 50 a page', ...(await time('/v1/environments?limit=50'))],
    )
  }
  table(['rows', 'request', 'median', 'p99'], rows)
} finally {
  agent.destroy()
  await db.close()
  await platform.destroy()
}

/** From the environment of the platform's own control plane. */
async function databaseUrl(): Promise<string> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
    const variables = environment.split('\0')
    const url = variables.find((line) => line.startsWith('DATABASE_URL='))
    if (url && variables.includes(`GANTRY_HOME=${platform.home}`)) return url.slice('DATABASE_URL='.length)
  }
  throw new Error('the control plane was not found')
}

async function makeApps(from: number, to: number): Promise<void> {
  const [team] = await db.query<{ id: string }>('select id from teams limit 1')
  for (let n = from; n < to; n++) {
    const [repository, app, environment] = [newId('repository'), newId('app'), newId('environment')]
    await db.query('insert into repositories (id, team_id, created_at) values ($1, $2, now())', [repository, team?.id])
    await db.query(
      `insert into apps (id, team_id, repository_id, name, created_at, updated_at)
       values ($1, $2, $3, $4, date_trunc('milliseconds', now()), now())`,
      [app, team?.id, repository, `app${n}`],
    )
    await db.query(
      `insert into environments (id, team_id, app_id, name, created_at, updated_at)
       values ($1, $2, $3, 'production', date_trunc('milliseconds', now()), now())`,
      [environment, team?.id, app],
    )
  }
  await db.query('analyze')
}

async function time(path: string): Promise<string[]> {
  for (let warm = 0; warm < 20; warm++) await get(path)
  const times: number[] = []
  for (let n = 0; n < Number(values.requests); n++) times.push(await get(path))
  const sorted = times.sort((a, b) => a - b)
  const p99 = sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN
  return [`${median(times).toFixed(2)} ms`, `${p99.toFixed(2)} ms`]
}

function get(path: string): Promise<number> {
  const start = performance.now()
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` }
    const asked = request({ host: '127.0.0.1', port: platform.apiPort, path, agent, headers }, (response) => {
      response.resume()
      response.once('end', () => {
        if (response.statusCode === 200) resolve(performance.now() - start)
        else reject(new Error(`${path} answered ${response.statusCode}`))
      })
    })
    asked.once('error', reject)
    asked.end()
  })
}
