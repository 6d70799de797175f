import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BodyDecoder, MalformedMessage } from './body-decoder.ts'
import { chunkedBody } from './header-fields.ts'

/** Decodes `input` cut at `cuts`; returns the body and what follows it. */
function decode(input: Buffer, cuts: readonly number[]): { body: string; rest: string; isDone: boolean } {
  const decoder = new BodyDecoder(chunkedBody)
  const parts: Buffer[] = []
  let rest = ''
  const edges = [...new Set([0, ...cuts.map((cut) => cut % (input.length + 1)), input.length])].sort((a, b) => a - b)
  for (const [i, from] of edges.slice(0, -1).entries()) {
    const piece = input.subarray(from, edges[i + 1])
    const used = decoder.isDone ? 0 : decoder.decode(piece, { onBodyData: (data) => parts.push(data) })
    rest += piece.toString('latin1', used)
  }
  return { body: Buffer.concat(parts).toString('latin1'), rest, isDone: decoder.isDone }
}

const chunk = fc.record({
  data: fc.string({ minLength: 1, maxLength: 300 }).map((text) => Buffer.from(text).toString('latin1')),
  extension: fc.constantFrom('', ';a', ';a=b', ';a="c d"'),
  isUpper: fc.boolean(),
})

test('a chunked body is the same however it is cut, and what follows it is left', () => {
  const messages = fc.record({
    chunks: fc.array(chunk, { maxLength: 5 }),
    trailers: fc.array(fc.constantFrom('A: b', 'X-Sum: 1'), { maxLength: 3 }),
    after: fc.constantFrom('', 'GET / HTTP/1.1\r\n', '0\r\n\r\n'),
    cuts: fc.array(fc.nat(), { maxLength: 10 }),
  })
  fc.assert(
    fc.property(messages, ({ chunks, trailers, after, cuts }) => {
      let text = ''
      for (const { data, extension, isUpper } of chunks) {
        const size = data.length.toString(16)
        text += `${isUpper ? size.toUpperCase() : size}${extension}\r\n${data}\r\n`
      }
      text += `0\r\n${trailers.map((trailer) => `${trailer}\r\n`).join('')}\r\n`
      const decoded = decode(Buffer.from(text + after, 'latin1'), cuts)
      assert.deepEqual(decoded, { body: chunks.map(({ data }) => data).join(''), rest: after, isDone: true })
    }),
  )
})

const malformed = [
  'x\r\n',
  '\r\n',
  ';a\r\n',
  '-1\r\n',
  '+1\r\n',
  '0x1\r\n',
  ' 1\r\n',
  '1 \r\n',
  '1\n',
  '1\r\r',
  '1;\0\r\n',
  '1;a\nb\r\n',
  '1\r\nab\r\n',
  '1\r\na\n',
  '0\r\nA: b\n\n',
  'fffffffffffff\r\n',
  `1;${'a'.repeat(20_000)}`,
  `0\r\n${'A: b\r\n'.repeat(5000)}`,
]
for (const text of malformed) {
  test(`refuses ${JSON.stringify(text.slice(0, 20))}`, () => {
    assert.throws(() => decode(Buffer.from(text, 'latin1'), []), MalformedMessage)
    assert.throws(() => decode(Buffer.from(text, 'latin1'), [1, 2, 3, 4]), MalformedMessage)
  })
}
