import { type Packet, parsePacket } from './pkt-line.ts'

/** Reads packets one by one off a byte stream, and hands over what follows them untouched. */
export interface PacketStream {
  /** The next packet; undefined at the end of the stream. Throws `PktLineError`, or when a packet is cut off. */
  next(): Promise<Packet | undefined>
  /** Everything behind the last packet taken. To be called once, when no more packets are wanted. */
  rest(): AsyncIterable<Buffer>
}

/** A stream that ended in the middle of a packet. */
export class StreamCutOff extends Error {
  override readonly name = 'StreamCutOff'
}

export function openPacketStream(source: AsyncIterable<Buffer>): PacketStream {
  const chunks = source[Symbol.asyncIterator]()
  let held: Buffer = Buffer.alloc(0)
  let offset = 0
  return {
    async next() {
      for (;;) {
        const parsed = parsePacket(held, offset)
        if (parsed) {
          offset = parsed.next
          return parsed.packet
        }
        const chunk = await chunks.next()
        if (chunk.done) {
          if (offset < held.length) throw new StreamCutOff('the stream ended within a packet')
          return undefined
        }
        held = offset < held.length ? Buffer.concat([held.subarray(offset), chunk.value]) : chunk.value
        offset = 0
      }
    },
    async *rest() {
      try {
        if (offset < held.length) yield held.subarray(offset)
        held = Buffer.alloc(0)
        for (let chunk = await chunks.next(); !chunk.done; chunk = await chunks.next()) yield chunk.value
      } finally {
        await chunks.return?.()
      }
    },
  }
}
