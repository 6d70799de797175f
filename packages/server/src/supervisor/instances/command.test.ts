import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commandArgv, isSimpleCommand, launchArgv } from './command.ts'

const tools = {
  prlimit: '/usr/bin/prlimit',
  setpriv: '/usr/bin/setpriv',
  maxOpenFiles: 4096,
  limitProcessesByUid: false,
}

test('exec goes before a simple command and nothing else', () => {
  for (const line of [
    'node server.js',
    '  bin/web --port $PORT',
    './start',
    '/usr/bin/env node "my file.js" $EXTRA',
    'python3 -m http.server',
    "gunicorn app:app --bind '0.0.0.0'",
  ]) {
    assert.equal(isSimpleCommand(line), true, line)
  }
  for (const line of [
    'node a.js & node b.js',
    'npm run migrate && node server.js',
    'a; b',
    'a | b',
    'PORT=1 node server.js',
    'exec node server.js',
    'cd app',
    'echo hello',
    'node $(cat x)',
    'node `cat x`',
    'node < in',
    'node > out',
    'if true; then x; fi',
    '{ node x; }',
    '(node x)',
    '! node x',
    '"node" x',
    '$CMD x',
    'node x\nnode y',
    'node \\\n x',
    '. ./env',
    'while',
    '',
    ' ',
    'trap x TERM',
  ]) {
    assert.equal(isSimpleCommand(line), false, line)
  }
})

test('a line is given to the shell as one argument', () => {
  assert.deepEqual(commandArgv({ kind: 'shell', line: 'a "b c"; d' }), { file: '/bin/sh', args: ['-c', 'a "b c"; d'] })
  assert.deepEqual(commandArgv({ kind: 'shell', line: ' node x ' }), { file: '/bin/sh', args: ['-c', 'exec node x'] })
})

test('limits come first, then no_new_privs, then the command', () => {
  const { argv } = launchArgv(
    { kind: 'argv', file: 'x', args: ['-y'] },
    { openFiles: 100, fileBytes: 5, processes: 9 },
    {},
    tools,
  )
  assert.equal(argv.file, '/usr/bin/prlimit')
  assert.deepEqual(argv.args, [
    '--core=0',
    '--nofile=100',
    '--fsize=5',
    '--',
    '/usr/bin/setpriv',
    '--no-new-privs',
    '--',
    'x',
    '-y',
  ])
  const bare = launchArgv(
    { kind: 'argv', file: 'x', args: [] },
    {},
    {},
    { ...tools, prlimit: undefined, setpriv: undefined },
  )
  assert.deepEqual(bare.argv, { file: 'x', args: [] })
})

test('open files are never more than the machine allows', () => {
  const { argv } = launchArgv({ kind: 'argv', file: 'x', args: [] }, { openFiles: 1_000_000 }, {}, tools)
  assert.ok(argv.args.includes('--nofile=4096'))
})

test('variables of the dynamic loader do not reach the programs that set the limits', () => {
  const { argv, env } = launchArgv({ kind: 'argv', file: 'x', args: [] }, {}, { LD_PRELOAD: '/a.so', A: '1' }, tools)
  assert.deepEqual(env, { A: '1' })
  assert.deepEqual(argv.args.slice(-4), ['/usr/bin/env', '--', 'LD_PRELOAD=/a.so', 'x'])
})
