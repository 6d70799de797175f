import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { UserError } from '../kernel/errors.ts'
import { parseProcfile } from './procfile.ts'

const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,30}$/)
const command = fc.stringMatching(/^[!-~]([ -~]{0,40}[!-~])?$/)
const blank = fc.constantFrom('', ' ', '\t', '  \t')

describe('a Procfile', () => {
  it('gives back what it was written from, whatever blanks, comments and line ends stand between', () => {
    const filler = fc.array(fc.constantFrom('', '   ', '# web: no', '\t#'), { maxLength: 2 })
    const lines = fc.uniqueArray(fc.tuple(name, command, blank, blank, filler), {
      selector: ([n]) => n,
      minLength: 1,
      maxLength: 10,
    })
    fc.assert(
      fc.property(lines, fc.constantFrom('\n', '\r\n'), fc.boolean(), (entries, end, bom) => {
        const text = entries.flatMap(([n, c, before, after, extra]) => [
          ...extra,
          `${before}${n}${before}:${after}${c}${after}`,
        ])
        const parsed = parseProcfile((bom ? '\uFEFF' : '') + text.join(end))
        const expected = entries.map(([n, c]) => [n, { command: c, overlap: n !== 'clock' }])
        assert.deepEqual(Object.entries(parsed), Object.entries(Object.fromEntries(expected)))
      }),
    )
  })

  it('is parsed or refused with a place inside it, whatever it holds', () => {
    const text = fc.string({ unit: fc.constantFrom('web', ':', ' ', '\n', '#', '-', '\u0000', 'é', '\r', 'node x') })
    fc.assert(
      fc.property(text, (content) => {
        try {
          parseProcfile(content)
        } catch (error) {
          assert.ok(error instanceof UserError)
          assert.equal(error.code, 'procfile_invalid')
          const place = /line (\d+), column (\d+)/.exec(error.message)
          if (!place) return assert.match(error.message, /no process type/)
          const line = content.split('\n')[Number(place[1]) - 1]
          assert.ok(line !== undefined && Number(place[2]) <= line.length + 1, error.message)
        }
      }),
      { numRuns: 1000 },
    )
  })

  for (const [text, message] of [
    ['web: a\nworker b\n', 'line 2, column 9: expected ":" after the process type'],
    ['web: a\n\n  we b: c', 'line 3, column 5: "we b" is not a process type'],
    ['1web: a', 'line 1, column 1: "1web" is not a process type'],
    ['web:  ', 'line 1, column 5: expected a command after "web:"'],
    [': a', 'line 1, column 1: expected the name'],
    ['web: a\nweb: b', 'line 2, column 1: the process type "web" is already on line 1'],
    ['web: a\u0000b', 'line 1, column 7: a control character'],
    ['# nothing\n', 'it has no process type'],
    [`${'a'.repeat(64)}: x`, 'line 1, column 1: a process type has at most 63 characters'],
  ] as const) {
    it(`is refused: ${JSON.stringify(text.slice(0, 30))}`, () => {
      assert.throws(
        () => parseProcfile(text),
        (error: Error) => error.message.includes(message) || assert.fail(error.message),
      )
    })
  }
})
