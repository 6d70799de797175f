import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from '../../kernel/clock.ts'
import { silentLogger } from '../../kernel/logger.ts'
import type { ProgramReport } from '../../kernel/supervised-program.ts'
import { Program, type ProgramOptions } from './program.ts'
import type { ProgramProcess } from './program-process.ts'

/** Processes and time under the test's control: a wait ends when the test says so, and what was waited for is kept. */
function stage(options: Partial<ProgramOptions> = {}) {
  const waits: { ms: number; end: () => void }[] = []
  let now = 0
  const clock: Clock = {
    now: () => new Date(now),
    monotonicMs: () => now,
    wait: (ms, signal) =>
      new Promise((resolve, reject) => {
        waits.push({ ms, end: resolve })
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
      }),
  }
  const processes: ReturnType<typeof fakeProcess>[] = []
  const program = new Program({
    name: 'router',
    start: async () => {
      const next = fakeProcess(processes.length + 1)
      processes.push(next)
      return next.process
    },
    cleanUp: () => undefined,
    overlap: true,
    readyTimeoutMs: 1,
    drainMs: 2,
    clock,
    log: silentLogger,
    ...options,
  })
  const pass = (ms: number) => {
    now += ms
  }
  return { program, processes, waits, pass }
}

function fakeProcess(pid: number) {
  const report = Promise.withResolvers<ProgramReport | undefined>()
  const ended = Promise.withResolvers<string>()
  const signals: string[] = []
  const process: ProgramProcess = {
    pid,
    startedAt: new Date(0),
    report: report.promise,
    ended: ended.promise,
    signal(name) {
      signals.push(name)
      end(`was ended by ${name}`)
    },
  }
  const end = (how: string) => {
    report.resolve(undefined)
    ended.resolve(how)
  }
  return { process, signals, end, serve: () => report.resolve({ ready: true }) }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

async function started(options: Partial<ProgramOptions> = {}) {
  const it = stage(options)
  const start = it.program.start()
  await settled()
  it.processes[0]?.serve()
  await start
  it.waits.length = 0
  return it
}

test('a program that ends is started again at once, then with growing pauses, and at once when it had recovered', async () => {
  const { program, processes, waits, pass } = await started()
  const pauses: number[] = []
  for (let i = 0; i < 10; i++) {
    processes.at(-1)?.end('ended with status 1')
    await settled()
    const pause = waits.shift()
    pauses.push(pause?.ms ?? -1)
    assert.equal(program.status().state, 'waiting')
    pause?.end()
    await settled()
    waits.length = 0 // of the limit for readiness
  }
  assert.deepEqual(pauses, [0, 100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000])
  assert.equal(program.status().restarts, 10)
  processes.at(-1)?.serve()
  await settled()
  pass(10_001)
  processes.at(-1)?.end('ended with status 1')
  await settled()
  assert.equal(waits[0]?.ms, 0)
})

test('with overlap the old process goes when the new one serves, and stays when it does not', async () => {
  const { program, processes } = await started()
  const failing = program.replace()
  await settled()
  processes[1]?.end('ended with status 1')
  await assert.rejects(failing, /status 1 before it was ready/)
  assert.deepEqual(processes[0]?.signals, [])
  assert.equal(program.status().pid, 1)
  const replacing = program.replace()
  await settled()
  assert.deepEqual(processes[0]?.signals, [])
  processes[2]?.serve()
  await replacing
  assert.deepEqual(processes[0]?.signals, ['SIGTERM'])
  assert.equal(program.status().pid, 3)
})

test('without overlap the old process is gone before the new one starts, and a new one that fails is tried again', async () => {
  const { program, processes, waits } = await started({ overlap: false })
  const replacing = program.replace()
  await settled()
  assert.deepEqual(processes[0]?.signals, ['SIGTERM'])
  await settled()
  waits.length = 0
  processes[1]?.end('ended with status 1')
  await assert.rejects(replacing, /status 1/)
  waits[0]?.end()
  await settled()
  processes[2]?.serve()
  await settled()
  assert.deepEqual([program.status().pid, program.status().state], [3, 'running'])
})

test('a program that is stopped while it waits stays stopped', async () => {
  const { program, processes, waits } = await started()
  processes[0]?.end('ended with status 1')
  await settled()
  await program.stop(0)
  waits[0]?.end()
  await settled()
  assert.equal(processes.length, 1)
  assert.equal(program.status().state, 'stopped')
})
