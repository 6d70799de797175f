/**
 * git's framing of its wire protocol (gitprotocol-common(5), "pkt-line"): four hexadecimal digits with the length of the
 * whole packet, then its payload; lengths 0 to 2 are signals without one. Pure: bytes in, packets out.
 */
export type Packet =
  | { readonly kind: 'data'; readonly payload: Buffer }
  | { readonly kind: 'flush' }
  | { readonly kind: 'delimiter' }
  | { readonly kind: 'end' }

/** Longest packet, length digits included (LARGE_PACKET_MAX). */
export const maxPacketBytes = 65_520

export class PktLineError extends Error {
  override readonly name = 'PktLineError'
}

export const flushPacket: Buffer = Buffer.from('0000')

export function encodePacket(payload: string | Uint8Array): Buffer {
  const bytes = Buffer.from(payload)
  const length = bytes.length + 4
  if (length > maxPacketBytes) throw new RangeError(`a packet holds at most ${maxPacketBytes - 4} bytes`)
  return Buffer.concat([Buffer.from(length.toString(16).padStart(4, '0')), bytes])
}

export interface ParsedPacket {
  readonly packet: Packet
  /** Offset behind the packet. */
  readonly next: number
}

/** The packet at an offset; undefined when more bytes are needed. Throws `PktLineError` on what is not a packet. */
export function parsePacket(bytes: Buffer, offset: number): ParsedPacket | undefined {
  const available = bytes.length - offset
  const digits = bytes.toString('latin1', offset, offset + 4)
  if (!/^[0-9a-fA-F]*$/.test(digits)) throw new PktLineError(`not a packet length: ${JSON.stringify(digits)}`)
  if (available < 4) return undefined
  const length = Number.parseInt(digits, 16)
  if (length < 4) {
    const kind = (['flush', 'delimiter', 'end'] as const)[length]
    if (!kind) throw new PktLineError('a packet of length 3')
    return { packet: { kind }, next: offset + 4 }
  }
  if (length > maxPacketBytes) throw new PktLineError(`a packet of ${length} bytes`)
  if (available < length) return undefined
  return { packet: { kind: 'data', payload: bytes.subarray(offset + 4, offset + length) }, next: offset + length }
}

/** Collects chunks and gives the packets that are whole. Holds at most one packet and one chunk. */
export interface PacketSplitter {
  push(chunk: Buffer): readonly Packet[]
  /** Bytes of an unfinished packet. */
  rest(): Buffer
}

export function createPacketSplitter(): PacketSplitter {
  let held: Buffer = Buffer.alloc(0)
  return {
    push(chunk) {
      const bytes = held.length > 0 ? Buffer.concat([held, chunk]) : chunk
      const packets: Packet[] = []
      let offset = 0
      for (let parsed = parsePacket(bytes, offset); parsed; parsed = parsePacket(bytes, offset)) {
        packets.push(parsed.packet)
        offset = parsed.next
      }
      held = bytes.subarray(offset)
      return packets
    },
    rest: () => held,
  }
}
