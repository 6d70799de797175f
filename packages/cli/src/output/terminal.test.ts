import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordTerminal } from '../../test/support/run-command.ts'
import { printable, printableCell } from './printable.ts'

test('colours are shown on a terminal, and nowhere else', () => {
  const shown = (screen: Parameters<typeof recordTerminal>[0]) => {
    const { terminal, stdout } = recordTerminal(screen)
    terminal.print(`${terminal.style('red', 'no')} ${printable('\u001b[32mapp\u001b[0m')}`)
    return stdout()
  }
  assert.equal(shown({ isTTY: true }), '\u001b[31mno\u001b[39m \u001b[32mapp\u001b[0m\u001b[0m\n')
  assert.equal(shown({}), 'no app\n')
  assert.equal(shown({ isTTY: true, env: { NO_COLOR: '1' } }), 'no app\n')
  assert.equal(shown({ isTTY: true, env: { TERM: 'dumb' } }), 'no app\n')
})

test('a status line is replaced by what is said next, fits the terminal, and is on a terminal only', () => {
  const { terminal, stderr } = recordTerminal({ isTTY: true, columns: 10, env: { NO_COLOR: '1' } })
  terminal.status('waiting for ever')
  terminal.say('done')
  assert.equal(stderr(), 'waiting f\r\u001b[2Kdone\n')
  const file = recordTerminal()
  file.terminal.status('waiting')
  assert.equal(file.stderr(), '')
})

test('JSON has no character that a terminal obeys, and stays the same JSON', () => {
  const { terminal, stdout } = recordTerminal({ isTTY: true })
  const value = { message: 'a\u009b2J\u202e\u001b[31m' }
  terminal.json(value)
  assert.match(stdout(), /^[ -~]+\n$/)
  assert.deepEqual(JSON.parse(stdout()), value)
})

test('of what others wrote only text, tabs and colours reach the terminal, and colours end with it', () => {
  const hostile: readonly [string, string][] = [
    ['plain\ttext', 'plain\ttext'],
    ['\u001b[31mred', '\u001b[31mred\u001b[0m'],
    ['\u001b[2J\u001b[1;1H', '\\u001b[2J\\u001b[1;1H'],
    ['\u001b]52;c;cm0=\u0007', '\\u001b]52;c;cm0=\\u0007'],
    ['\u009b31m', '\\u009b31m'],
    ['safe\rhidden', 'safe\\u000dhidden'],
    ['abc\u202etxt', 'abc\\u202etxt'],
    ['\u0000\u007f', '\\u0000\\u007f'],
  ]
  for (const [text, shown] of hostile) assert.equal(printable(text), shown)
})

test('a cell has one line and no colour', () => {
  assert.equal(printableCell('a\nb\t\u001b[31mc'), 'a\\nb\\t\\u001b[31mc')
})

test('a line that names what others wrote brings no control to the terminal, whoever prints it', () => {
  const screen = recordTerminal({ isTTY: true })
  const { terminal } = screen
  terminal.print(`  branch  ${terminal.style('bold', 'x\u009b2J')}`)
  terminal.say('Made the token \u202eic\u202c\u009d0;title\u009c.')
  terminal.say(JSON.stringify({ error: { message: '\u0090q' } }))
  assert.equal(screen.stdout(), '  branch  \u001b[1mx\\u009b2J\u001b[22m\n')
  const [said, json] = screen.stderr().split('\n')
  assert.equal(said, 'Made the token \\u202eic\\u202c\\u009d0;title\\u009c.')
  assert.deepEqual(JSON.parse(json ?? ''), { error: { message: '\u0090q' } })
})
