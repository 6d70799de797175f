import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createKeyedLock } from './keyed-lock.ts'

const never = new AbortController().signal

it('bodies of one key run one after another, whatever becomes of them; those of others do not wait', async () => {
  const lock = createKeyedLock()
  const gate = Promise.withResolvers<void>()
  const order: string[] = []
  const first = lock.run('a', never, async () => {
    order.push('first begins')
    await gate.promise
    order.push('first ends')
    throw new Error('broken')
  })
  const second = lock.run('a', never, async () => void order.push('second'))
  await lock.run('b', never, async () => void order.push('other'))
  gate.resolve()
  await assert.rejects(first, /broken/)
  await second
  assert.deepEqual(order, ['first begins', 'other', 'first ends', 'second'])
})

it('who waits can be aborted, and those behind still wait for who is inside', async () => {
  const lock = createKeyedLock()
  const gate = Promise.withResolvers<void>()
  const order: string[] = []
  const first = lock.run('a', never, async () => {
    await gate.promise
    order.push('first')
  })
  const leaving = new AbortController()
  const second = lock.run('a', leaving.signal, async () => void order.push('second'))
  const third = lock.run('a', never, async () => void order.push('third'))
  leaving.abort(new Error('left'))
  await assert.rejects(second, /left/)
  gate.resolve()
  await Promise.all([first, third])
  assert.deepEqual(order, ['first', 'third'])
})
