import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { createSupervisorClient } from '../../clients/supervisor/supervisor-client.ts'
import { systemClock } from '../../kernel/clock.ts'
import { appUid, startTestSupervisor } from '../../supervisor/test-supervisor.fixture.ts'
import { type Command, EngineUnavailable } from '../engine.ts'
import { type Behaviour, describeEngineContract } from '../engine-contract.ts'
import { createLocalEngine } from './local-engine.ts'

const listen = `require('node:http').createServer().listen(Number(process.env.PORT), '127.0.0.1')`

function commandOf(behaviour: Behaviour): Command {
  if (behaviour.does === 'run') return { kind: 'shell', line: 'sleep 600' }
  if (behaviour.does === 'exit') return { kind: 'shell', line: `exit ${behaviour.code}` }
  if (behaviour.does === 'print') return { kind: 'argv', file: 'printf', args: ['%s\\n', ...behaviour.lines] }
  if (behaviour.does === 'not exist') return { kind: 'argv', file: 'gantry-no-such-program', args: [] }
  return { kind: 'argv', file: process.execPath, args: ['-e', listen] }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}

describeEngineContract('the local engine', async () => {
  const supervisor = await startTestSupervisor()
  const path = supervisor.artifact('app-1/art-1', { 'package.json': '{}' })
  return {
    engine: createLocalEngine({ client: supervisor.client, clock: systemClock }),
    artifact: { kind: 'slug', path, links: {} },
    runAs: { uid: appUid },
    command: commandOf,
    lines: (stream) => supervisor.lines(stream).map(({ text }) => text),
    freePort,
    close: () => supervisor.close(),
  }
})

test('without a supervisor the engine is unavailable, and says so', async () => {
  const client = createSupervisorClient({ path: '/nonexistent/supervisor.sock', clock: systemClock })
  const engine = createLocalEngine({ client, clock: systemClock })
  const { signal } = new AbortController()
  await assert.rejects(engine.observe('all', signal), EngineUnavailable)
  const health = await engine.check(signal)
  assert.equal(health.ok, false)
  assert.match(health.message ?? '', /supervisor/)
  client.close()
})
