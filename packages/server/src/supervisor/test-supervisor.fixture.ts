import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createSupervisorClient, type SupervisorClient } from '../clients/supervisor/supervisor-client.ts'
import { systemClock } from '../kernel/clock.ts'
import { parseLine } from './output/log-format.ts'
import type { SpawnSpec, Status } from './protocol.ts'

export const isRoot = process.getuid?.() === 0
/** Of this test file alone: a supervisor ends everything that runs under a uid, also what another file started. */
export const appUid = isRoot ? 300_000 + 2 * process.pid : (process.getuid?.() ?? 0)
export const otherUid = isRoot ? appUid + 1 : appUid

/** A real supervisor in a process of its own, over a home of its own. */
export interface TestSupervisor {
  readonly home: string
  readonly client: SupervisorClient
  readonly pid: number
  /** kill -9, and a new one over the same home. */
  restart(meanwhile?: () => Promise<void>): Promise<void>
  /** A sealed artifact with these files; returns its path. A value of `{link}` is a symbolic link. */
  artifact(name: string, files: Record<string, string | { link: string }>): string
  lines(stream: string): { source: string; text: string }[]
  close(): Promise<void>
}

export async function startTestSupervisor(bytesPerSecond?: number): Promise<TestSupervisor> {
  const home = mkdtempSync(join(tmpdir(), 'gantry-test-supervisor-'))
  chmodSync(home, 0o711)
  for (const folder of ['run', 'artifacts', 'builds', 'layers', 'toolchains'])
    mkdirSync(join(home, folder), { mode: 0o711 })
  let child = await startChild(home, bytesPerSecond)
  const client = createSupervisorClient({ path: join(home, 'run/supervisor.sock'), clock: systemClock })
  return {
    home,
    client,
    get pid() {
      return child.pid ?? 0
    },
    async restart(meanwhile) {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
      await meanwhile?.()
      child = await startChild(home, bytesPerSecond)
    },
    artifact(name, files) {
      const folder = join(home, 'artifacts', name)
      writeTree(folder, files)
      return folder
    },
    lines: (stream) => readLines(join(home, 'logs', stream)),
    async close() {
      client.close()
      const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined
      child.kill('SIGTERM')
      await ended
      rmSync(home, { recursive: true, force: true })
    },
  }
}

async function startChild(home: string, bytesPerSecond: number | undefined): Promise<ChildProcess> {
  const fixture = fileURLToPath(new URL('./instance-verbs.fixture.ts', import.meta.url))
  const args = ['--conditions=gantry-source', fixture, home, ...(bytesPerSecond ? [String(bytesPerSecond)] : [])]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  await Promise.race([
    once(child.stdout ?? child, 'data'),
    once(child, 'exit').then(() => Promise.reject(new Error('the supervisor did not start'))),
  ])
  return child
}

export function writeTree(folder: string, files: Record<string, string | { link: string }>): void {
  mkdirSync(folder, { recursive: true, mode: 0o750 })
  if (isRoot) chownSync(folder, 199_999, appUid)
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name)
    if (dirname(path) !== folder) writeTree(dirname(path), {})
    if (typeof content !== 'string') {
      symlinkSync(content.link, path)
      continue
    }
    writeFileSync(path, content, { mode: content.startsWith('#!') ? 0o550 : 0o440 })
    if (isRoot) chownSync(path, 199_999, appUid)
  }
}

function readLines(folder: string): { source: string; text: string }[] {
  let names: string[]
  try {
    names = readdirSync(folder).sort()
  } catch {
    return []
  }
  const text = names.map((name) => readFileSync(join(folder, name), 'utf8')).join('')
  return text.split('\n').flatMap((line) => {
    const parts = parseLine(line)
    return parts ? [{ source: parts.source, text: parts.text }] : []
  })
}

/** Waits for a condition with a deadline that only a fault reaches. */
export async function eventually<T>(
  what: string,
  check: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  for (const deadline = Date.now() + 20_000; ; await sleep(10)) {
    const result = await check()
    if (result !== undefined && result !== false) return result
    if (Date.now() > deadline) throw new Error(`it did not happen: ${what}`)
  }
}

export async function untilEnded(supervisor: TestSupervisor, id: string): Promise<Status> {
  return await eventually(`${id} ends`, async () => {
    const [status] = await supervisor.client.call('observe', { ids: [id] })
    return status?.state === 'ended' && status
  })
}

/** Pids of living processes with this mark in their command line or environment. */
export function processesWith(mark: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) return []
    try {
      const state = readFileSync(`/proc/${name}/stat`, 'latin1').split(') ')[1]?.[0]
      const text = ['cmdline', 'environ'].map((file) => readFileSync(`/proc/${name}/${file}`, 'latin1')).join('\0')
      return state !== 'Z' && text.includes(mark) ? [Number(name)] : []
    } catch {
      return []
    }
  })
}

export const fence = { scope: 'env-test', number: 1 }

export function specOf(supervisor: TestSupervisor, overrides: Partial<SpawnSpec> & { id: string }): SpawnSpec {
  return {
    kind: 'instance',
    labels: { app: 'app-test' },
    command: { kind: 'shell', line: 'sleep 600' },
    env: {},
    runAs: { uid: appUid, gid: appUid },
    limits: {},
    output: { stream: `app/app-test/${overrides.id}`, source: 'web.1', maxStreamBytes: 10_000_000 },
    place: { kind: 'copy', path: join(supervisor.home, 'artifacts/empty'), links: {} },
    ...overrides,
  }
}
