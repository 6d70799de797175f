import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultLimits, fitDescriptors, readLimits } from './limits.ts'

test('the environment sets limits in seconds', () => {
  assert.deepEqual(readLimits({}), defaultLimits)
  assert.equal(readLimits({ GANTRY_ROUTER_RESPONSE_TIMEOUT: '120' }).responseHeadMs, 120_000)
  assert.equal(readLimits({ GANTRY_ROUTER_DRAIN: '0.5' }).drainMs, 500)
  assert.throws(() => readLimits({ GANTRY_ROUTER_HOLD: 'long' }), /GANTRY_ROUTER_HOLD.*"long"/)
  assert.throws(() => readLimits({ GANTRY_ROUTER_HOLD: '0' }), /positive/)
})

test('there are never more clients than descriptors for them', () => {
  const limits = (soft: string) =>
    `Limit  Soft Limit  Hard Limit  Units\nMax open files            ${soft}   20000   files\n`
  assert.equal(fitDescriptors(defaultLimits, limits('1024')).maxConnections, 412)
  assert.equal(fitDescriptors(defaultLimits, limits('1048576')).maxConnections, defaultLimits.maxConnections)
  assert.equal(fitDescriptors(defaultLimits, limits('unlimited')).maxConnections, defaultLimits.maxConnections)
})
