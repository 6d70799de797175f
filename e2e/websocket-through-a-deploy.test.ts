import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ask } from './support/http.ts'
import { type Platform, startPlatform } from './support/platform.ts'
import { anApp, createProject } from './support/project.ts'
import { openEvents, openWebSocket } from './support/streams.ts'

let platform: Platform
before(async () => {
  platform = await startPlatform()
})
after(() => platform.destroy())

test('a WebSocket and an event stream stay on the old release through a deploy, up to the drain limit', async () => {
  const project = await createProject(platform, 'shop', anApp('one'))
  const first = await project.push()
  assert.equal(first.exitCode, 0, first.output)
  const socket = await openWebSocket(platform.httpPort, 'shop.localhost')
  const events = await openEvents(platform.httpPort, 'shop.localhost', '/events')
  assert.equal(await socket.echo('hello'), 'one:hello')
  const second = await project.release(anApp('two'))
  assert.equal(second.exitCode, 0, second.output)
  assert.equal((await ask(platform.httpPort, 'shop.localhost')).body, 'two')
  assert.equal(await socket.echo('still here'), 'one:still here')
  const fresh = await openWebSocket(platform.httpPort, 'shop.localhost')
  assert.equal(await fresh.echo('hello'), 'two:hello')
  const [socketEnd, eventsEnd] = await Promise.all([socket.ended, events.ended])
  for (const end of [socketEnd, eventsEnd])
    assert.ok(end.endedAtMs - end.openedAtMs > 25_000, `${end.endedAtMs - end.openedAtMs} ms`)
  assert.ok(eventsEnd.received.every((event) => event === 'data: one'))
  fresh.close()
})
