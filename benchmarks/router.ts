import type { ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, createServer as createNetServer } from 'node:net'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { bindSocket } from '../packages/server/src/kernel/listening-handles.ts'
import { runArgv, spawnArgv } from '../packages/server/src/kernel/spawn-argv.ts'
import type { TableUpdate } from '../packages/server/src/router/protocol.ts'

/**
 * Gantry's router against HAProxy with the same duties: one core for the proxy, the other for load and app, 64
 * connections that are kept, rounds in turn. See benchmarks/README.md.
 */
const rounds = Number(process.env.BENCH_ROUNDS ?? 7)
const seconds = Number(process.env.BENCH_SECONDS ?? 5)
const proxyCore = '0'
const loadCore = '1'
const host = 'app.localhost'

interface Sample {
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly errors: number
  /** Of the proxy, user and system: comparable even when the machine is busy with something else. */
  readonly cpuMicroseconds: number
}

const started: ChildProcess[] = []
const folder = mkdtempSync(join(tmpdir(), 'gantry-bench-'))

try {
  await main()
} finally {
  for (const child of started) child.kill('SIGKILL')
  rmSync(folder, { recursive: true })
}
process.exit()

async function main(): Promise<void> {
  const appPort = await freePort()
  const haproxyPort = await freePort()
  pinned(loadCore, ['haproxy', '-db', '-f', 'benchmarks/haproxy-app.cfg'], { BENCH_APP_PORT: String(appPort) })
  const ports = { BENCH_APP_PORT: String(appPort), BENCH_PROXY_PORT: String(haproxyPort) }
  const haproxy = pinned(proxyCore, ['haproxy', '-db', '-f', 'benchmarks/haproxy.cfg'], ports)
  const router = await startRouter(appPort)
  await listening(appPort)
  await listening(haproxyPort)
  console.log(
    `${cpus()[0]?.model ?? 'unknown CPU'}, ${availableParallelism()} cores; ${await haproxyVersion()}; Node.js ${process.version}`,
  )
  console.log(
    `proxy on core ${proxyCore}, wrk and the app on core ${loadCore}; 64 connections, 1 KiB, ${rounds} rounds of ${seconds} s`,
  )
  console.log(`the app without a proxy: ${show(await measure(appPort))}`)
  const measured = { haproxy: { port: haproxyPort, pid: haproxy.pid }, router }
  await measure(router.port) // warms the router's compiler up
  const samples = { haproxy: [] as Sample[], router: [] as Sample[] }
  for (let round = 1; round <= rounds; round++) {
    samples.haproxy.push(await measure(measured.haproxy.port, measured.haproxy.pid))
    samples.router.push(await measure(measured.router.port, measured.router.pid))
    console.log(`round ${round}: haproxy ${show(samples.haproxy.at(-1))} | router ${show(samples.router.at(-1))}`)
  }
  conclude(samples, { haproxy: haproxy.pid, router: router.pid })
}

function conclude(
  samples: Record<'haproxy' | 'router', Sample[]>,
  pids: Record<'haproxy' | 'router', number | undefined>,
): void {
  const middle = (name: 'haproxy' | 'router', of: (sample: Sample) => number) => median(samples[name].map(of))
  const rates = {
    haproxy: middle('haproxy', (it) => it.requestsPerSecond),
    router: middle('router', (it) => it.requestsPerSecond),
  }
  for (const name of ['haproxy', 'router'] as const) {
    const times = `p50 ${middle(name, (it) => it.p50Ms).toFixed(2)} ms, p99 ${middle(name, (it) => it.p99Ms).toFixed(2)} ms`
    console.log(
      `${name}: median ${rates[name].toFixed(0)} requests/s, ${times}, ` +
        `${middle(name, (it) => it.cpuMicroseconds).toFixed(1)} µs of CPU a request, PSS ${pssMiB(pids[name])} MiB`,
    )
  }
  const p99 = middle('router', (it) => it.p99Ms) / middle('haproxy', (it) => it.p99Ms)
  console.log(
    `router / haproxy: ${(rates.router / rates.haproxy).toFixed(2)} of the requests per second, ${p99.toFixed(2)} of the p99`,
  )
}

/** The program as the supervisor starts it, with a control plane that knows one route. */
async function startRouter(appPort: number): Promise<{ port: number; pid: number | undefined }> {
  mkdirSync(join(folder, 'run'))
  await startControlPlane(join(folder, 'run/routing.sock'), appPort)
  const socket = bindSocket({ host: '127.0.0.1', port: 0 })
  const program = fileURLToPath(new URL('../packages/server/src/router/router-main.fixture.ts', import.meta.url))
  const argv = [process.execPath, ...process.execArgv, program]
  const child = spawnArgv('taskset', ['-c', proxyCore, ...argv], {
    env: {
      GANTRY_HOME: folder,
      GANTRY_RUN: join(folder, 'run'),
      GANTRY_INSTANCE_ID: 'program:router:bench',
      GANTRY_LISTEN_FDS: '3',
      GANTRY_READY_FD: '4',
    },
    stdio: ['ignore', 'ignore', 'inherit', socket.fd, 'pipe'],
  })
  started.push(child)
  await new Promise<void>((resolve, reject) => {
    ;(child.stdio[4] as Readable).once('data', () => resolve())
    child.once('exit', (code) => reject(new Error(`the router ended with ${code}`)))
  })
  return { port: socket.address.port, pid: child.pid }
}

async function startControlPlane(socketPath: string, appPort: number): Promise<Server> {
  const update: TableUpdate = {
    epoch: 'bench',
    revision: 1,
    bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    full: true,
    entries: [
      {
        environmentId: 'env-1',
        hosts: [host],
        releaseId: 'rel-1',
        revision: 1,
        mode: 'serve',
        targets: [
          {
            instanceId: 'ins-1',
            startedAt: new Date().toISOString(),
            address: { kind: 'tcp', host: '127.0.0.1', port: appPort },
          },
        ],
      },
    ],
    removed: [],
  }
  const server = createServer((call, response) => {
    call.resume()
    if (!call.url?.startsWith('/table')) return void response.writeHead(204).end()
    if (call.url.includes('epoch=bench')) return void setTimeout(() => response.writeHead(204).end(), 20_000).unref()
    response.end(JSON.stringify(update))
  })
  await new Promise<void>((resolve) => server.listen(socketPath, resolve))
  return server
}

function pinned(core: string, argv: readonly string[], env: Record<string, string>): ChildProcess {
  const child = spawnArgv('taskset', ['-c', core, ...argv], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'ignore', 'ignore'],
  })
  started.push(child)
  return child
}

async function measure(port: number, pid?: number): Promise<Sample> {
  const cpuBefore = cpuMicroseconds(pid)
  const args = ['-t1', '-c64', `-d${seconds}`, '--latency', '-H', `Host: ${host}`, `http://127.0.0.1:${port}/`]
  const env = { PATH: process.env.PATH ?? '' }
  const { stdout } = await runArgv(spawnArgv, 'taskset', ['-c', loadCore, 'wrk', ...args], { env })
  const text = stdout.toString('utf8')
  const errors = [...text.matchAll(/(?:connect|read|write|timeout|responses:) (\d+)/g)].map((match) => Number(match[1]))
  return {
    requestsPerSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]),
    p50Ms: milliseconds(/50%\s+([\d.]+)(us|ms|s)/.exec(text)),
    p99Ms: milliseconds(/99%\s+([\d.]+)(us|ms|s)/.exec(text)),
    errors: errors.reduce((sum, count) => sum + count, 0),
    cpuMicroseconds: (cpuMicroseconds(pid) - cpuBefore) / Number(/(\d+) requests in/.exec(text)?.[1]),
  }
}

/** Fields 14 and 15 of /proc/PID/stat, in ticks of 10 ms; the name in field 2 has no space here. */
function cpuMicroseconds(pid: number | undefined): number {
  if (pid === undefined) return Number.NaN
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(' ')
  return (Number(fields[13]) + Number(fields[14])) * 10_000
}

function milliseconds(parts: RegExpExecArray | null): number {
  const factor = { us: 0.001, ms: 1, s: 1000 }[parts?.[2] ?? 'ms'] ?? 1
  return Number(parts?.[1]) * factor
}

function show(sample: Sample | undefined): string {
  if (!sample) return ''
  const errors = sample.errors > 0 ? `, ${sample.errors} ERRORS` : ''
  return `${sample.requestsPerSecond.toFixed(0)}/s (p99 ${sample.p99Ms.toFixed(2)} ms${errors})`
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

function pssMiB(pid: number | undefined): string {
  const kilobytes = /^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]
  return (Number(kilobytes) / 1024).toFixed(0)
}

async function haproxyVersion(): Promise<string> {
  const { stdout } = await runArgv(spawnArgv, 'haproxy', ['-v'], { env: { PATH: process.env.PATH ?? '' } })
  return /HAProxy version \S+/.exec(stdout.toString('utf8'))?.[0] ?? 'HAProxy'
}

async function freePort(): Promise<number> {
  const server = createNetServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function listening(port: number): Promise<void> {
  const deadline = performance.now() + 10_000
  while (!(await isListening(port))) {
    if (performance.now() > deadline)
      throw new Error(`nothing listens on port ${port}; are haproxy, wrk and taskset installed?`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => socket.end(() => resolve(true)))
    socket.on('error', () => resolve(false))
  })
}
