import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { openPacketStream, StreamCutOff } from './packet-stream.ts'
import {
  createPacketSplitter,
  encodePacket,
  flushPacket,
  maxPacketBytes,
  type Packet,
  PktLineError,
  parsePacket,
} from './pkt-line.ts'

const signals = { flush: '0000', delimiter: '0001', end: '0002' } as const
const aPacket: fc.Arbitrary<Packet> = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((bytes) => ({ kind: 'data', payload: Buffer.from(bytes) }) as const),
  fc.constantFrom({ kind: 'flush' } as const, { kind: 'delimiter' } as const, { kind: 'end' } as const),
)
const encode = (packet: Packet): Buffer =>
  packet.kind === 'data' ? encodePacket(packet.payload) : Buffer.from(signals[packet.kind])

/** Bytes in pieces of any size. */
const cut = (bytes: Buffer, sizes: readonly number[]): Buffer[] => {
  const pieces: Buffer[] = []
  for (let offset = 0, i = 0; offset < bytes.length; i++) {
    const size = sizes.length > 0 ? (sizes[i % sizes.length] ?? 1) : bytes.length
    pieces.push(bytes.subarray(offset, offset + size))
    offset += size
  }
  return pieces
}
const somePackets = fc.array(aPacket, { maxLength: 20 })
const someSizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 10 })

describe('pkt-line', () => {
  it('gives back what was written, in whatever pieces it comes', () => {
    fc.assert(
      fc.property(somePackets, someSizes, (packets, sizes) => {
        const splitter = createPacketSplitter()
        const read = cut(Buffer.concat(packets.map(encode)), sizes).flatMap((piece) => [...splitter.push(piece)])
        assert.deepEqual(read, packets)
        assert.equal(splitter.rest().length, 0)
      }),
    )
  })

  it('hands over what follows the packets untouched', async () => {
    await fc.assert(
      fc.asyncProperty(somePackets, fc.uint8Array({ maxLength: 500 }), someSizes, async (packets, rest, sizes) => {
        const bytes = Buffer.concat([...packets.map(encode), Buffer.from(rest)])
        const source = async function* (): AsyncGenerator<Buffer> {
          yield* cut(bytes, sizes)
        }
        const stream = openPacketStream(source())
        for (const packet of packets) assert.deepEqual(await stream.next(), packet)
        const left: Buffer[] = []
        for await (const chunk of stream.rest()) left.push(chunk)
        assert.deepEqual(Buffer.concat(left), Buffer.from(rest))
      }),
    )
  })

  it('takes any bytes for packets, for something unfinished or for an error, and never for anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          const parsed = parsePacket(Buffer.from(bytes), 0)
          if (!parsed) return
          assert.ok(parsed.next >= 4 && parsed.next <= bytes.length)
          if (parsed.packet.kind === 'data') assert.equal(parsed.packet.payload.length, parsed.next - 4)
        } catch (error) {
          assert.ok(error instanceof PktLineError)
        }
      }),
      { numRuns: 5000 },
    )
  })

  it('takes any four characters for a length or for an error', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 4, maxLength: 4, unit: fc.constantFrom(...'0123456789abcdefABCDEF-+x ') }),
        (digits) => {
          const bytes = Buffer.concat([Buffer.from(digits), Buffer.alloc(maxPacketBytes)])
          const isLength = /^[0-9a-f]{4}$/i.test(digits)
          const length = Number.parseInt(digits, 16)
          if (!isLength || length === 3 || length > maxPacketBytes) {
            assert.throws(() => parsePacket(bytes, 0), PktLineError)
          } else {
            assert.equal(parsePacket(bytes, 0)?.next, Math.max(length, 4))
          }
        },
      ),
      { numRuns: 5000 },
    )
  })

  it('does not wait for more when the first digits are wrong already', () => {
    assert.throws(() => parsePacket(Buffer.from('z'), 0), PktLineError)
    assert.equal(parsePacket(Buffer.from('00'), 0), undefined)
  })

  it('reads and writes the largest packet, and nothing larger', () => {
    const payload = Buffer.alloc(maxPacketBytes - 4, 'x')
    assert.deepEqual(parsePacket(encodePacket(payload), 0)?.packet, { kind: 'data', payload })
    assert.throws(() => encodePacket(Buffer.alloc(maxPacketBytes - 3)), RangeError)
  })

  it('tells the end of a stream from one that is cut off', async () => {
    const of = (text: string) =>
      openPacketStream(
        (async function* () {
          yield Buffer.from(text)
        })(),
      )
    const whole = of(flushPacket.toString())
    await whole.next()
    assert.equal(await whole.next(), undefined)
    await assert.rejects(of('0009ab').next(), StreamCutOff)
  })
})
