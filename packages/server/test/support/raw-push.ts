import { createHash } from 'node:crypto'
import { deflateSync } from 'node:zlib'
import { encodePacket, flushPacket } from '../../src/clients/git/index.ts'
import type { RawReply } from './source.ts'

/** Pushes written by hand, byte for byte, for what git itself would never send. */

export const oid = 'a'.repeat(40)
const caps = 'report-status side-band-64k push-options atomic object-format=sha1 agent=test'

type ObjectKind = 'commit' | 'tree' | 'blob' | 'tag'
export interface RawObject {
  readonly kind: ObjectKind
  readonly content: Buffer
  readonly oid: string
}

export function object(kind: ObjectKind, content: string | Buffer): RawObject {
  const bytes = Buffer.from(content)
  const oid = createHash('sha1').update(`${kind} ${bytes.length}\0`).update(bytes).digest('hex')
  return { kind, content: bytes, oid }
}

export function tree(...entries: readonly [mode: string, name: string | Buffer, oid: string][]): RawObject {
  const parts = entries.map(([mode, name, id]) =>
    Buffer.concat([Buffer.from(`${mode} `), Buffer.from(name), Buffer.of(0), Buffer.from(id, 'hex')]),
  )
  return object('tree', Buffer.concat(parts))
}

export function commit(root: RawObject): RawObject {
  const who = 'Test <t@example.com> 1700000000 +0000'
  return object('commit', `tree ${root.oid}\nauthor ${who}\ncommitter ${who}\n\nhostile\n`)
}

/** gitformat-pack(5), without deltas. */
export function pack(...objects: readonly RawObject[]): Buffer {
  const types = { commit: 1, tree: 2, blob: 3, tag: 4 }
  const head = Buffer.alloc(12)
  head.write('PACK')
  head.writeUInt32BE(2, 4)
  head.writeUInt32BE(objects.length, 8)
  const body = objects.map(({ kind, content }) => {
    const bytes: number[] = []
    let size = content.length
    let byte = (types[kind] << 4) | (size & 15)
    for (size >>= 4; size > 0; size >>>= 7) {
      bytes.push(byte | 0x80)
      byte = size & 0x7f
    }
    return Buffer.concat([Buffer.of(...bytes, byte), deflateSync(content)])
  })
  const whole = Buffer.concat([head, ...body])
  return Buffer.concat([whole, createHash('sha1').update(whole).digest()])
}

export function pushBody(
  commands: readonly string[],
  packed: Uint8Array = Buffer.alloc(0),
  capabilities = caps,
): Buffer {
  const lines = commands.map((line, index) => encodePacket(index === 0 ? `${line}\0 ${capabilities}` : line))
  const options = capabilities.includes('push-options') ? [flushPacket] : []
  return Buffer.concat([...lines, flushPacket, ...options, packed])
}

export const blob = object('blob', 'content\n')
export const goodTree = tree(['100644', 'a.txt', blob.oid])
export const goodCommit = commit(goodTree)
export const goodPack = pack(blob, goodTree, goodCommit)

export function varint(value: number): Buffer {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.of(...bytes, rest)
    bytes.push((rest % 128) | 0x80)
  }
}

export function header(type: number, size: number): Buffer {
  const first = (type << 4) | (size & 15)
  return size < 16 ? Buffer.of(first) : Buffer.concat([Buffer.of(first | 0x80), varint(size >> 4)])
}

/** The report of a reply: what band 1 holds, its packets taken apart into lines. */
export function reportOf(reply: RawReply): string {
  const lines = (bytes: Buffer): Buffer[] => {
    const found: Buffer[] = []
    for (let offset = 0; offset < bytes.length; ) {
      const length = Number.parseInt(bytes.toString('latin1', offset, offset + 4), 16)
      if (length > 4) found.push(bytes.subarray(offset + 4, offset + length))
      offset += Math.max(length, 4)
    }
    return found
  }
  const band = Buffer.concat(
    lines(reply.body)
      .filter((line) => line[0] === 1)
      .map((line) => line.subarray(1)),
  )
  return lines(band).join('')
}
