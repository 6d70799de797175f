import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { EventStreamParser, type RawEvent } from './event-stream.ts'

function eventsIn(pieces: readonly string[]): RawEvent[] {
  const parser = new EventStreamParser()
  return pieces
    .flatMap((piece) => parser.push(piece))
    .flatMap((reading) => (reading.kind === 'event' ? [reading.event] : []))
}

test('reads fields as the standard says', () => {
  const stream =
    '\ufeff: comment\nid: 1\nevent: log\ndata:  two\ndata:lines\n\ndata\n\nevent: none\n\nid: 2\ndata: x\nignored: y\n\ndata: cut off'
  assert.deepEqual(eventsIn([stream]), [
    { id: '1', event: 'log', data: ' two\nlines' },
    { event: 'message', data: '' },
    { id: '2', event: 'message', data: 'x' },
  ])
})

test('says how long to wait before connecting again', () => {
  assert.deepEqual(new EventStreamParser().push('retry: 1500\nretry: soon\n'), [{ kind: 'retry', ms: 1500 }])
})

test('it does not matter where the stream is cut, nor how its lines end', () => {
  const field = fc.constantFrom('data: a', 'data:b: c', 'id: 7', 'event: log', ': hi', 'data', '', '')
  const end = fc.constantFrom('\n', '\r\n', '\r')
  fc.assert(
    fc.property(fc.array(field, { maxLength: 20 }), end, fc.array(fc.nat(200)), (lines, lineEnd, cuts) => {
      const text = lines.map((line) => line + lineEnd).join('')
      const at = [0, ...cuts.filter((cut) => cut <= text.length).sort((a, b) => a - b), text.length]
      const pieces = at.slice(1).map((to, index) => text.slice(at[index], to))
      // an event after a last CR waits for what may be the other half of its line end
      const whole = eventsIn([`${lines.join('\n')}\n`])
      assert.deepEqual(eventsIn([...pieces, 'x']), lines.length === 0 ? [] : whole)
    }),
    { numRuns: 2000 },
  )
})
