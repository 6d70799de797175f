import { maxTextBytes, oneLine } from './log-format.ts'

const newline = 0x0a

/**
 * Cuts a stream of bytes into lines. Holds at most `maxTextBytes` of an unfinished line; a longer one is cut, at the
 * beginning of a character. Invalid UTF-8 becomes U+FFFD.
 */
export interface LineSplitter {
  /** The lines that end in this chunk. */
  push(chunk: Buffer): string[]
  /** The unfinished line, if there is one, as a line. */
  flush(): string[]
  readonly pending: boolean
}

export function createLineSplitter(): LineSplitter {
  let rest: Buffer = Buffer.alloc(0)
  return {
    push(chunk) {
      const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
      const lines: string[] = []
      let start = 0
      for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
        for (const piece of pieces(bytes.subarray(start, end))) lines.push(text(piece))
        start = end + 1
      }
      const tail = pieces(bytes.subarray(start))
      for (const piece of tail.slice(0, -1)) lines.push(text(piece))
      rest = Buffer.from(tail.at(-1) ?? [])
      return lines
    },
    flush() {
      const last = rest
      rest = Buffer.alloc(0)
      return last.length > 0 ? [text(last)] : []
    },
    get pending() {
      return rest.length > 0
    },
  }
}

function text(bytes: Buffer): string {
  return oneLine(bytes.toString('utf8'))
}

function pieces(bytes: Buffer): Buffer[] {
  const result: Buffer[] = []
  let start = 0
  while (bytes.length - start > maxTextBytes) {
    let end = start + maxTextBytes
    // A continuation byte (10xxxxxx) cannot begin a piece; a character is at most 4 bytes long.
    for (let back = 0; back < 3 && ((bytes[end] ?? 0) & 0xc0) === 0x80; back++) end--
    result.push(bytes.subarray(start, end))
    start = end
  }
  result.push(bytes.subarray(start))
  return result
}
