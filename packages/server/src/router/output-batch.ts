import type { Socket } from 'node:net'

/** Up to here copying into one buffer is cheaper than a write of several. */
const maxCopiedBytes = 16 * 1024

/** Gathers what one turn wants to write, so that head and body leave in one system call and one packet. */
export class OutputBatch {
  readonly #socket: Socket
  #pieces: (string | Buffer)[] = []
  #size = 0

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /** Strings are latin1. */
  add(piece: string | Buffer): void {
    this.#pieces.push(piece)
    this.#size += piece.length
  }

  get isEmpty(): boolean {
    return this.#size === 0
  }

  /** Writes what was gathered; false: wait for the socket's `drain` before adding more. */
  flush(): boolean {
    if (this.#size === 0) return !this.#socket.writableNeedDrain
    const pieces = this.#pieces
    const size = this.#size
    this.#pieces = []
    this.#size = 0
    const first = pieces[0] ?? ''
    if (pieces.length === 1)
      return typeof first === 'string' ? this.#socket.write(first, 'latin1') : this.#socket.write(first)
    return size <= maxCopiedBytes ? this.#socket.write(join(pieces, size)) : this.#writeAll(pieces)
  }

  #writeAll(pieces: readonly (string | Buffer)[]): boolean {
    const socket = this.#socket
    let isReady = true
    socket.cork()
    for (const piece of pieces)
      isReady = typeof piece === 'string' ? socket.write(piece, 'latin1') : socket.write(piece)
    socket.uncork()
    return isReady
  }
}

function join(pieces: readonly (string | Buffer)[], size: number): Buffer {
  const whole = Buffer.allocUnsafe(size)
  let at = 0
  for (const piece of pieces) {
    if (typeof piece === 'string') at += whole.write(piece, at, 'latin1')
    else {
      whole.set(piece, at)
      at += piece.length
    }
  }
  return whole
}

/** Adds body data in the chunked coding or as it is. */
export function addBody(batch: OutputBatch, data: Buffer, isChunked: boolean): void {
  if (!isChunked) return void batch.add(data)
  batch.add(`${data.length.toString(16)}\r\n`)
  batch.add(data)
  batch.add('\r\n')
}

export const lastChunk = '0\r\n\r\n'
