/**
 * `npm run bench:idle`: memory of all processes of an idle platform (PSS: a page that several share counts once), and the
 * time from the command to `ready`, on a new home and again. Prints and asserts nothing.
 */
import { readdir, readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { startPlatform } from '../e2e/support/platform.ts'
import { mb, ms, table } from './report.ts'

const { values } = parseArgs({ options: { settle: { type: 'string', default: '20' } } })

const firstStart = performance.now()
const platform = await startPlatform()
const firstMs = performance.now() - firstStart
try {
  await platform.down()
  const starts: number[] = []
  for (let round = 0; round < 5; round++) {
    const start = performance.now()
    const up = await platform.gantry(['up', '--detach', '--no-sample'])
    if (up.exitCode !== 0) throw new Error(up.output)
    starts.push(performance.now() - start)
    if (round < 4) await platform.gantry(['down'])
  }
  table(
    ['start to ready', 'time'],
    [
      ['first, on a new home', ms(firstMs)],
      ['again (5 times)', starts.map(ms).join(', ')],
    ],
  )
  await new Promise((resolve) => setTimeout(resolve, Number(values.settle) * 1000))
  const processes = await processesOf(platform.home)
  const rows = processes.map(({ name, count, pss }) => [name, String(count), mb(pss)])
  rows.push([
    'all',
    String(processes.reduce((sum, p) => sum + p.count, 0)),
    mb(processes.reduce((sum, p) => sum + p.pss, 0)),
  ])
  table([`idle for ${values.settle} s`, 'processes', 'PSS'], rows)
} finally {
  await platform.gantry(['down'])
  await platform.destroy()
}

interface Memory {
  readonly name: string
  readonly count: number
  readonly pss: number
}

/** Every process that belongs to this home: by its environment or its arguments. */
async function processesOf(home: string): Promise<Memory[]> {
  const found = new Map<string, Memory>()
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)) {
    const [environment, command] = await Promise.all(
      ['environ', 'cmdline'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')),
    )
    const isOurs =
      environment?.includes(`GANTRY_HOME=${home}\0`) || command?.includes(home) || (await parentIsPostgresOf(pid, home))
    if (!isOurs) continue
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '')
    const pss = Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) * 1024
    const name = nameOf(command ?? '')
    const before = found.get(name) ?? { name, count: 0, pss: 0 }
    found.set(name, { name, count: before.count + 1, pss: before.pss + pss })
  }
  return [...found.values()]
}

async function parentIsPostgresOf(pid: string, home: string): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const parent = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]
  const command = await readFile(`/proc/${parent}/cmdline`, 'utf8').catch(() => '')
  return command.includes('postgres') && command.includes(home)
}

function nameOf(command: string): string {
  for (const name of ['supervisor', 'server', 'router']) if (command.split('\0').includes(name)) return name
  return command.includes('postgres') ? 'postgres' : (command.split('\0')[0] ?? '?')
}
