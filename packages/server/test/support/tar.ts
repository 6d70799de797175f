/** Tar archives written by hand, for what no tar program would make. */

/** An entry as it stands in the archive, whatever it says. */
export interface TarEntry {
  readonly name: string | Buffer
  readonly type?: string
  readonly content?: string | Buffer
  readonly link?: string
  readonly mode?: number
  readonly size?: number
  readonly prefix?: string
}

/** A tar header as it stands on tape (POSIX ustar), whatever it says. */
export function header({
  name,
  type = '0',
  content = '',
  link = '',
  mode = 0o644,
  size,
  prefix = '',
}: TarEntry): Buffer {
  const block = Buffer.alloc(512)
  Buffer.from(name).copy(block, 0, 0, 100)
  block.write(`${mode.toString(8).padStart(7, '0')}\0`, 100)
  block.write('0000000\x000000000\x00', 108)
  block.write(`${(size ?? Buffer.byteLength(content)).toString(8).padStart(11, '0')}\0`, 124)
  block.write('14000000000\0        ', 136)
  block.write(type, 156)
  block.write(link, 157, 100)
  block.write('ustar\x0000', 257)
  block.write(prefix, 345, 155)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

export function entry(item: TarEntry): Buffer {
  const content = Buffer.from(item.content ?? '')
  return Buffer.concat([header(item), content, Buffer.alloc(-content.length & 511)])
}

export const end = Buffer.alloc(1024)
export const tar = (...items: readonly TarEntry[]): Buffer => Buffer.concat([...items.map(entry), end])

export function pax(records: Record<string, string>, type = 'x'): TarEntry {
  const lines = Object.entries(records).map(([key, value]) => {
    const rest = ` ${key}=${value}\n`
    let length = Buffer.byteLength(rest)
    for (let digits = 0; digits !== String(length).length; ) {
      digits = String(length).length
      length = Buffer.byteLength(rest) + digits
    }
    return `${length}${rest}`
  })
  return { name: 'PaxHeader', type, content: lines.join('') }
}

export const file = (name: string, content = 'x'): TarEntry => ({ name, content })
export const link = (name: string, target: string): TarEntry => ({ name, type: '2', link: target })
export const folder = (name: string): TarEntry => ({ name, type: '5', mode: 0o755 })

export function breakSize(bytes: Buffer, size: string): Buffer {
  const broken = Buffer.from(bytes)
  broken.write(size, 124, 12, 'latin1')
  broken.fill(' ', 148, 156)
  const sum = broken.subarray(0, 512).reduce((total, byte) => total + byte, 0)
  broken.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return broken
}

export function damaged(bytes: Buffer): Buffer {
  const broken = Buffer.from(bytes)
  broken.fill(0xa5, Math.floor(broken.length / 2))
  return broken
}
