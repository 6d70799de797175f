import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { systemClock } from '../../kernel/clock.ts'
import { EngineUnavailable, type InstanceSpec, SpecRejected } from '../engine.ts'
import { type Behaviour, describeEngineContract } from '../engine-contract.ts'
import { fakeCommand } from './fake-behaviour.ts'
import { createFakeEngine } from './fake-engine.ts'

let nextPort = 20_000

function commandOf(behaviour: Behaviour) {
  if (behaviour.does === 'exit') return fakeCommand({ exit: { code: behaviour.code, afterMs: 0 } })
  if (behaviour.does === 'print') return fakeCommand({ print: behaviour.lines, exit: { code: 0, afterMs: 0 } })
  if (behaviour.does === 'not exist') return fakeCommand({ startFailure: 'no such program' })
  return fakeCommand({})
}

describeEngineContract('the fake engine', async () => {
  const engine = createFakeEngine(systemClock)
  return {
    engine,
    artifact: { kind: 'slug', path: '/nowhere', links: {} },
    runAs: { uid: 200_000 },
    command: commandOf,
    lines: (stream) => engine.lines(stream),
    freePort: async () => nextPort++,
    close: async () => undefined,
  }
})

describe('the levers of the fake engine', () => {
  const signal = new AbortController().signal
  const fence = { scope: 'env-1', number: 1 }
  const spec: InstanceSpec = {
    id: 'ins-1',
    labels: {},
    command: fakeCommand({}),
    env: {},
    runAs: { uid: 200_000 },
    limits: {},
    output: { stream: 'app/a/b', source: 'web.1', maxStreamBytes: 1 },
    artifact: { kind: 'slug', path: '/nowhere', links: {} },
    address: { kind: 'tcp', host: '127.0.0.1', port: 20_001 },
  }

  test('an outage fails every call and loses nothing', async () => {
    const engine = createFakeEngine(systemClock)
    await engine.start(spec, fence, signal)
    engine.levers.outage = true
    await assert.rejects(engine.observe('all', signal), EngineUnavailable)
    await assert.rejects(engine.start(spec, fence, signal), EngineUnavailable)
    assert.equal((await engine.check(signal)).ok, false)
    engine.levers.outage = false
    assert.equal((await engine.observe('all', signal))[0]?.state, 'running')
  })

  test('starting can be refused or fail, crash, and never listen', async () => {
    const engine = createFakeEngine(systemClock)
    engine.levers.specRejection = 'no'
    await assert.rejects(engine.start(spec, fence, signal), SpecRejected)
    engine.levers.specRejection = undefined
    engine.levers.startFailure = 'broken'
    await engine.start(spec, fence, signal)
    assert.equal((await engine.observe('all', signal))[0]?.exit?.message, 'broken')
    engine.levers.startFailure = undefined
    engine.levers.listensAfterMs = undefined
    await engine.start({ ...spec, id: 'ins-2' }, fence, signal)
    assert.deepEqual(await engine.listeners('ins-2', signal), [])
    engine.crash('ins-2', { signal: 'SIGSEGV' })
    assert.deepEqual((await engine.observe(['ins-2'], signal))[0]?.exit?.reason, 'signal')
  })

  test('a stop can hang, and what hangs can be aborted', async () => {
    const engine = createFakeEngine(systemClock)
    await engine.start(spec, fence, signal)
    engine.levers.hangOnStop = true
    const abort = new AbortController()
    const stopping = engine.stop(spec.id, { graceMs: 1 }, fence, abort.signal)
    abort.abort(new Error('enough'))
    await assert.rejects(stopping, /enough/)
    assert.equal((await engine.observe('all', signal))[0]?.state, 'running')
    engine.levers.hangOnStop = false
    await engine.stop(spec.id, { graceMs: 1 }, fence, signal)
    assert.equal((await engine.observe('all', signal))[0]?.exit?.reason, 'stopped')
  })
})
