import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createHandClock } from '../../test/support/hand-clock.ts'
import { UserError } from '../kernel/errors.ts'
import { createWhileReachable } from './while-reachable.ts'

const isUnavailable = (error: unknown) => error instanceof UserError && error.code === 'service_unavailable'

describe('waiting for the database', () => {
  test('what is done in time is never in question, and its failure is its own', async () => {
    const clock = createHandClock()
    const whileReachable = createWhileReachable({ clock, checkHealth: () => Promise.reject(new Error('asked')) })
    assert.equal(await whileReachable(Promise.resolve(7)), 7)
    await assert.rejects(whileReachable(Promise.reject(new Error('its own'))), /its own/)
  })

  test('what takes long goes on while the database answers, and ends when it does not', async () => {
    const clock = createHandClock()
    let asked = 0
    const answers = [true, true, false]
    const askedAgain = [Promise.withResolvers<void>(), Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const checkHealth = async () => {
      const answer = answers[asked]
      askedAgain[asked++]?.resolve()
      if (!answer) await new Promise<void>(() => undefined)
    }
    const whileReachable = createWhileReachable({ clock, checkHealth })
    const waits = [whileReachable(new Promise(() => undefined)), whileReachable(new Promise(() => undefined))]
    const ended = Promise.all(waits.map((wait) => assert.rejects(wait, isUnavailable)))
    for (const { promise } of askedAgain) {
      clock.move(1_000)
      await promise
      await new Promise((resolve) => setImmediate(resolve))
    }
    clock.move(600)
    await ended
    assert.equal(asked, 3, 'whoever waits asks together')
  })

  test('a database that refuses ends the wait at once', async () => {
    const clock = createHandClock()
    const whileReachable = createWhileReachable({ clock, checkHealth: () => Promise.reject(new Error('refused')) })
    const wait = whileReachable(new Promise(() => undefined))
    clock.move(1_000)
    await assert.rejects(wait, /refused/)
  })
})
