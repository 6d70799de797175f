/**
 * `npm run bench:push`: from `git push` until the new version answers. Prints and asserts nothing.
 *
 * A client polls the app every 2 ms on one connection; the time is from the start of the git process to the first answer
 * of the new version. Steps come from the deploy's own history.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ask } from '../e2e/support/http.ts'
import { type Platform, run, startPlatform } from '../e2e/support/platform.ts'
import { anApp, createProject, type Project } from '../e2e/support/project.ts'
import { median, ms, table } from './report.ts'

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '11' } },
})
const rounds = Number(values.rounds)
const host = (project: Project) => `${project.name}.localhost`

const platform = await startPlatform()
try {
  const small = await createProject(platform, 'small', anApp('0'))
  const cold = await timePush(platform, small, '1')
  const warm = await repeat(platform, small)
  const large = await createProject(platform, 'large', {
    ...anApp('0'),
    ...(await manyDependencies()),
  })
  const largeCold = await timePush(platform, large, '1')
  const largeWarm = await repeat(platform, large)
  table(
    ['push until the new version answers', 'first', 'warm median', 'min', 'max', 'failed requests'],
    [
      ['small Node.js app', ms(cold.totalMs), ...spread(warm)],
      ['with over 10,000 dependency files', ms(largeCold.totalMs), ...spread(largeWarm)],
    ],
  )
  printSteps('small Node.js app, warm', warm)
  printSteps('with many dependency files, warm', largeWarm)
} finally {
  await platform.destroy()
}

interface Timed {
  readonly totalMs: number
  /** Until git had ended. */
  readonly gitMs: number
  readonly failed: number
  readonly steps: readonly (readonly [name: string, ms: number])[]
}

async function repeat(on: Platform, project: Project): Promise<Timed[]> {
  const runs: Timed[] = []
  for (let round = 0; round < rounds; round++) runs.push(await timePush(on, project, `${round + 2}`))
  return runs
}

async function timePush(on: Platform, project: Project, version: string): Promise<Timed> {
  await project.write({ 'version.js': `module.exports = ${JSON.stringify(version)}\n` })
  await project.commit(`Version ${version}`)
  const start = performance.now()
  const pushed = project.push()
  const seen = waitForVersion(on, project, version)
  const finished = await pushed
  const gitMs = performance.now() - start
  if (finished.exitCode !== 0) throw new Error(finished.output)
  const { at, failed } = await seen
  return { totalMs: at - start, gitMs, failed, steps: await readSteps(on, project) }
}

async function waitForVersion(
  on: Platform,
  project: Project,
  version: string,
): Promise<{ at: number; failed: number }> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  let failed = 0
  let served = version !== '1'
  for (;;) {
    const answer = await ask(on.httpPort, host(project), { agent }).catch(() => undefined)
    if (answer?.status === 200 && answer.body === version) break
    if (answer?.status === 200) served = true
    else if (served) failed++
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  agent.destroy()
  return { at: performance.now(), failed }
}

interface EventView {
  readonly at: string
  readonly to_status: string
}

/** How long the newest deploy was in each status. */
async function readSteps(on: Platform, project: Project): Promise<(readonly [string, number])[]> {
  const list = await on.api<{ deploys: { id: string }[] }>('GET', `/v1/deploys?app_id=${project.name}&limit=1`)
  const page = await on.api<{ events: EventView[] }>('GET', `/v1/deploys/${list.body.deploys[0]?.id}/events`)
  const events = page.body.events.toSorted((a, b) => (a.at < b.at ? -1 : 1))
  return events.slice(0, -1).map((event, index) => {
    const next = events[index + 1]
    return [event.to_status, Date.parse(next?.at ?? event.at) - Date.parse(event.at)] as const
  })
}

function spread(runs: readonly Timed[]): string[] {
  const times = runs.map((run) => run.totalMs)
  const failed = runs.reduce((sum, run) => sum + run.failed, 0)
  return [ms(median(times)), ms(Math.min(...times)), ms(Math.max(...times)), String(failed)]
}

function printSteps(title: string, runs: readonly Timed[]): void {
  const names = [...new Set(runs.flatMap((run) => run.steps.map(([name]) => name)))]
  const rows = names.map((name) => [
    name,
    ms(median(runs.flatMap((run) => run.steps.filter(([step]) => step === name).map(([, time]) => time)))),
  ])
  const all = median(runs.map((run) => run.steps.reduce((sum, [, time]) => sum + time, 0)))
  rows.push(['all of the deploy', ms(all)], ['git push itself, to its end', ms(median(runs.map((run) => run.gitMs)))])
  table([title, 'median'], rows)
}

/** Real packages with more than 10,000 files together, and their lockfile as npm writes it. */
async function manyDependencies(): Promise<Record<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-bench-'))
  try {
    const dependencies = { 'core-js': '3.38.1', 'date-fns': '3.6.0', lodash: '4.17.21', rxjs: '7.8.1' }
    const manifest = { name: 'large', private: true, scripts: { start: 'node server.js' }, dependencies }
    await writeFile(join(folder, 'package.json'), JSON.stringify(manifest, null, 2))
    const env = Object.fromEntries(
      Object.entries(process.env).flatMap(([name, value]) => (value ? [[name, value]] : [])),
    )
    const locked = await run('npm', ['install', '--package-lock-only', '--ignore-scripts'], { cwd: folder, env })
    if (locked.exitCode !== 0) throw new Error(locked.output)
    const read = async (name: string) => [name, await readFile(join(folder, name), 'utf8')] as const
    return Object.fromEntries(await Promise.all(['package.json', 'package-lock.json'].map(read)))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
