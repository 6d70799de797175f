import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Address,
  type ArtifactRef,
  type Command,
  type Engine,
  type Fence,
  Fenced,
  type InstanceSpec,
  type Observed,
  type TaskSpec,
} from './engine.ts'

/** What a program under test does. */
export type Behaviour =
  | { readonly does: 'run' }
  | { readonly does: 'exit'; readonly code: number }
  | { readonly does: 'print'; readonly lines: readonly string[] }
  | { readonly does: 'listen'; readonly port: number }
  | { readonly does: 'not exist' }

/** An engine and how to make it do something. */
export interface EngineUnderTest {
  readonly engine: Engine
  readonly artifact: ArtifactRef
  readonly runAs: { readonly uid: number }
  command(behaviour: Behaviour): Command
  /** The texts of a stream's lines. */
  lines(stream: string): readonly string[]
  /** A port that is free on 127.0.0.1. */
  freePort(): Promise<number>
  close(): Promise<void>
}

const never = new AbortController().signal

/** The promises of `engine.ts`, held by every engine and the fake. One engine is made for all of them. */
export function describeEngineContract(name: string, make: () => Promise<EngineUnderTest>): void {
  describe(`${name} keeps the engine's promises`, () => {
    let under: EngineUnderTest
    let engine: Engine
    let count = 0
    before(async () => {
      under = await make()
      engine = under.engine
    })
    after(() => under?.close())

    const newId = (): string => `ins-contract${count++}`
    const fenceOf = (id: string, number = 1): Fence => ({ scope: `env-${id}`, number })
    const common = (id: string, behaviour: Behaviour) => ({
      id,
      labels: { app: 'app-contract', environment: `env-${id}` },
      command: under.command(behaviour),
      env: { PORT: behaviour.does === 'listen' ? String(behaviour.port) : '' },
      runAs: under.runAs,
      limits: {},
      output: { stream: `app/app-contract/${id}`, source: 'web.1', maxStreamBytes: 1_000_000 },
    })
    const instance = (id: string, behaviour: Behaviour, address?: Address): InstanceSpec => ({
      ...common(id, behaviour),
      artifact: under.artifact,
      address,
    })
    const task = (id: string, behaviour: Behaviour, timeoutMs = 30_000): TaskSpec => ({
      ...common(id, behaviour),
      place: { kind: 'artifact', artifact: under.artifact },
      timeoutMs,
      maxOutputBytes: 1_000_000,
    })
    const one = async (id: string): Promise<Observed | undefined> => (await engine.observe([id], never))[0]
    const run = async (id: string): Promise<void> => engine.start(instance(id, { does: 'run' }), fenceOf(id), never)
    const end = async (id: string): Promise<void> => {
      await engine.stop(id, { graceMs: 2000 }, fenceOf(id), never)
      await engine.forget(id, fenceOf(id), never)
    }

    test('starting an id twice is one instance', async () => {
      const id = newId()
      await Promise.all([run(id), run(id)])
      const first = await one(id)
      await run(id)
      assert.deepEqual(await one(id), first)
      assert.equal(first?.state, 'running')
      await end(id)
    })

    test('stopping and forgetting an unknown id succeeds', async () => {
      const id = newId()
      await engine.stop(id, { graceMs: 1 }, fenceOf(id), never)
      await engine.forget(id, fenceOf(id), never)
      assert.equal(await one(id), undefined)
    })

    test('a lower fencing number is refused for its scope alone', async () => {
      const [id, other] = [newId(), newId()]
      await engine.start(instance(id, { does: 'run' }), fenceOf(id, 7), never)
      await assert.rejects(engine.start(instance(id, { does: 'run' }), fenceOf(id, 6), never), Fenced)
      await assert.rejects(engine.startTask(task(newId(), { does: 'run' }), fenceOf(id, 6), never), Fenced)
      await assert.rejects(engine.stop(id, { graceMs: 1 }, fenceOf(id, 6), never), Fenced)
      await assert.rejects(engine.forget(id, fenceOf(id, 6), never), Fenced)
      assert.equal((await one(id))?.state, 'running')
      await engine.start(instance(other, { does: 'run' }), fenceOf(other, 1), never)
      await engine.stop(id, { graceMs: 2000 }, fenceOf(id, 7), never)
      await engine.forget(id, fenceOf(id, 8), never)
      await end(other)
    })

    test('observe tells of all, or of the ids that exist', async () => {
      const [a, b] = [newId(), newId()]
      await Promise.all([run(a), run(b)])
      const all = await engine.observe('all', never)
      assert.deepEqual(
        all
          .map(({ id }) => id)
          .filter((id) => id === a || id === b)
          .sort(),
        [a, b].sort(),
      )
      const some = await engine.observe([b, 'ins-unknown'], never)
      assert.deepEqual(
        some.map(({ id }) => id),
        [b],
      )
      assert.deepEqual(some[0]?.labels, instance(b, { does: 'run' }).labels)
      assert.equal(some[0]?.kind, 'instance')
      assert.ok(some[0]?.startedAt)
      await Promise.all([end(a), end(b)])
    })

    test('a non-zero exit is a value', async () => {
      const id = newId()
      await engine.startTask(task(id, { does: 'exit', code: 3 }), fenceOf(id), never)
      const exit = await engine.waitForTask(id, never)
      assert.equal(exit.reason, 'exit')
      assert.equal(exit.code, 3)
      assert.equal(exit.signal, null)
      assert.deepEqual((await one(id))?.exit, exit)
      assert.equal((await one(id))?.kind, 'task')
      await engine.forget(id, fenceOf(id), never)
      assert.equal(await one(id), undefined)
    })

    test('an instance that ends by itself is observed as ended', async () => {
      const id = newId()
      await engine.start(instance(id, { does: 'exit', code: 0 }), fenceOf(id), never)
      const ended = await until(async () => {
        const seen = await one(id)
        return seen?.state === 'ended' ? seen : undefined
      })
      assert.equal(ended.exit?.code, 0)
      await engine.forget(id, fenceOf(id), never)
    })

    test('a program that cannot be started is a value', async () => {
      const id = newId()
      await engine.startTask(task(id, { does: 'not exist' }), fenceOf(id), never)
      const exit = await engine.waitForTask(id, never)
      assert.equal(exit.reason, 'start_failed')
      assert.ok(exit.message)
      await engine.forget(id, fenceOf(id), never)
    })

    test('waiting for an unknown task says that it is lost', async () => {
      assert.equal((await engine.waitForTask(newId(), never)).reason, 'lost')
    })

    test('waiting for a task ends when aborted, and the task goes on', async () => {
      const id = newId()
      await engine.startTask(task(id, { does: 'run' }), fenceOf(id), never)
      const abort = new AbortController()
      const waiting = engine.waitForTask(id, abort.signal)
      abort.abort(new Error('enough'))
      await assert.rejects(waiting, /enough/)
      assert.equal((await one(id))?.state, 'running')
      await end(id)
    })

    test('a task that takes too long is stopped', async () => {
      const id = newId()
      await engine.startTask(task(id, { does: 'run' }, 50), fenceOf(id), never)
      assert.equal((await engine.waitForTask(id, never)).reason, 'timeout')
      await engine.forget(id, fenceOf(id), never)
    })

    test('output is kept before the end shows', async () => {
      const id = newId()
      const lines = ['first line', '  second: ü', '']
      await engine.startTask(task(id, { does: 'print', lines }), fenceOf(id), never)
      await engine.waitForTask(id, never)
      assert.deepEqual(under.lines(`app/app-contract/${id}`), lines)
      await engine.forget(id, fenceOf(id), never)
      assert.deepEqual(under.lines(`app/app-contract/${id}`), lines)
    })

    test('stopping ends it, keeps the status, and can be repeated', async () => {
      const id = newId()
      await run(id)
      await engine.stop(id, { graceMs: 2000 }, fenceOf(id), never)
      const ended = await one(id)
      assert.equal(ended?.state, 'ended')
      assert.equal(ended?.exit?.reason, 'stopped')
      await engine.stop(id, { graceMs: 2000 }, fenceOf(id), never)
      assert.deepEqual(await one(id), ended)
      await engine.start(instance(id, { does: 'run' }), fenceOf(id), never)
      assert.deepEqual(await one(id), ended, 'an ended id is not started again before it is forgotten')
      await engine.forget(id, fenceOf(id), never)
      await run(id)
      assert.equal((await one(id))?.state, 'running')
      await end(id)
    })

    test('an aborted start leaves nothing half-made', async () => {
      const id = newId()
      const abort = new AbortController()
      const starting = engine.start(instance(id, { does: 'run' }), fenceOf(id), abort.signal)
      abort.abort(new Error('enough'))
      await starting.catch((error: Error) => assert.equal(error.message, 'enough')) // or it was quicker
      await run(id)
      assert.equal((await one(id))?.state, 'running')
      await end(id)
      assert.equal(await one(id), undefined)
    })

    test('calls for different ids overlap', async () => {
      const ids = Array.from({ length: 8 }, newId)
      await Promise.all(ids.map(run))
      assert.equal((await engine.observe(ids, never)).filter(({ state }) => state === 'running').length, 8)
      await Promise.all(ids.map(end))
      assert.deepEqual(await engine.observe(ids, never), [])
    })

    test('listeners are those of the instance alone', async () => {
      const [id, other] = [newId(), newId()]
      const port = await under.freePort()
      const address = { kind: 'tcp', host: '127.0.0.1', port } as const
      await engine.start(instance(id, { does: 'listen', port }, address), fenceOf(id), never)
      await run(other)
      const found = await until(async () => {
        const listeners = await engine.listeners(id, never)
        return listeners.length > 0 ? listeners : undefined
      })
      assert.deepEqual(found, [{ host: '127.0.0.1', port }])
      assert.deepEqual(await engine.listeners(other, never), [])
      assert.deepEqual(await engine.listeners('ins-unknown', never), [])
      await Promise.all([end(id), end(other)])
    })

    test('hints wake whoever waits', async () => {
      const id = newId()
      const abort = new AbortController()
      const hints = engine.hints(abort.signal)
      const seen = (async () => {
        for await (const hint of hints) if (hint === id) return true
        return false
      })()
      // Hints may be lost while a connection is young: change something until one arrives.
      let hinted = false
      void seen.then(() => {
        hinted = true
      })
      await until(async () => {
        await run(id)
        await end(id)
        return hinted || undefined
      })
      abort.abort()
      assert.equal(await seen, true)
    })

    test('check says what separates apps', async () => {
      const health = await engine.check(never)
      assert.equal(health.ok, true)
      assert.ok(health.isolation.length > 0)
    })
  })
}

async function until<T>(check: () => Promise<T | undefined>): Promise<T> {
  for (const deadline = Date.now() + 20_000; ; await sleep(10)) {
    const result = await check()
    if (result !== undefined) return result
    if (Date.now() > deadline) throw new Error('it did not happen')
  }
}
