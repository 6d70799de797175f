import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemdUnit } from './systemd-unit.ts'

test('paths with spaces and characters that systemd reads are quoted', () => {
  const unit = systemdUnit({
    file: '/opt/my node/node',
    args: ['--conditions=x', '/srv/100%/$HOME/main.js'],
    home: '/var/lib/a "b"',
    env: { GANTRY_API_PORT: '80', OTHER: 'secret' },
  })
  assert.match(
    unit,
    /^ExecStart="\/opt\/my node\/node" "--conditions=x" "\/srv\/100%%\/\$\$HOME\/main\.js" "supervisor"$/m,
  )
  assert.match(unit, /^Environment="GANTRY_HOME=\/var\/lib\/a \\"b\\""$/m)
  assert.match(unit, /^Environment="GANTRY_API_PORT=80"$/m)
  assert.doesNotMatch(unit, /secret/)
})
