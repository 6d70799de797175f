import type { BodyFraming } from './header-fields.ts'

/** A head or body that is not HTTP/1.1 to the letter. */
export class MalformedMessage extends Error {
  override readonly name = 'MalformedMessage'
}

/** Takes a body's bytes as they are decoded. */
export interface BodySink {
  onBodyData(data: Buffer): void
}

type ChunkPart = 'size' | 'extension' | 'size_lf' | 'data' | 'data_cr' | 'data_lf' | 'trailer' | 'trailer_lf' | 'done'

const cr = 13
const lf = 10
const semicolon = 59
/** Chunk extensions and trailers of one body, together. They are read over and dropped. */
const maxIgnoredBytes = 16 * 1024

/**
 * Decodes one body from a stream of buffers (RFC 9112 §6, §7.1), strictly: CRLF and nothing else ends a line. Keeps no
 * bytes; trailers and chunk extensions are dropped.
 */
export class BodyDecoder {
  isDone: boolean
  readonly #kind: BodyFraming['kind']
  /** Bytes left of the body, or of the chunk. */
  #left: number
  #part: ChunkPart = 'size'
  #sizeDigits = 0
  #ignored = 0
  #trailerLength = 0

  constructor(framing: BodyFraming) {
    this.#kind = framing.kind
    this.#left = framing.kind === 'length' ? framing.bytes : 0
    this.isDone = framing.kind === 'none' || (framing.kind === 'length' && framing.bytes === 0)
  }

  /** Whether the connection's end is the body's end. */
  get endsAtClose(): boolean {
    return this.#kind === 'until_close'
  }

  /** Decodes `input` and returns where the body ended in it, or its length. Throws MalformedMessage. */
  decode(input: Buffer, sink: BodySink): number {
    if (this.#kind === 'chunked') return this.#decodeChunks(input, sink)
    if (this.#kind === 'until_close') {
      if (input.length > 0) sink.onBodyData(input)
      return input.length
    }
    const end = this.#emit(input, 0, sink)
    this.isDone = this.#left === 0
    return end
  }

  #emit(input: Buffer, from: number, sink: BodySink): number {
    const end = Math.min(input.length, from + this.#left)
    if (end === from) return from
    this.#left -= end - from
    sink.onBodyData(from === 0 && end === input.length ? input : input.subarray(from, end))
    return end
  }

  #decodeChunks(input: Buffer, sink: BodySink): number {
    let at = 0
    while (at < input.length && !this.isDone) {
      if (this.#part === 'data') {
        at = this.#emit(input, at, sink)
        if (this.#left === 0) this.#part = 'data_cr'
      } else {
        this.#step(input[at] ?? 0)
        at++
      }
    }
    return at
  }

  #step(byte: number): void {
    switch (this.#part) {
      case 'size':
        return void this.#stepSize(byte)
      case 'extension':
        return void this.#stepExtension(byte)
      case 'size_lf':
        expect(byte, lf)
        this.#part = this.#left === 0 ? 'trailer' : 'data'
        return
      case 'data_cr':
        expect(byte, cr)
        this.#part = 'data_lf'
        return
      case 'data_lf':
        expect(byte, lf)
        this.#part = 'size'
        this.#sizeDigits = 0
        return
      case 'trailer':
        return void this.#stepTrailer(byte)
      case 'trailer_lf':
        expect(byte, lf)
        this.isDone = this.#trailerLength === 0
        this.#trailerLength = 0
        this.#part = this.isDone ? 'done' : 'trailer'
    }
  }

  #stepSize(byte: number): void {
    const digit = hexDigit(byte)
    if (digit !== -1) {
      if (++this.#sizeDigits > 12) throw new MalformedMessage('a chunk is too large')
      this.#left = this.#left * 16 + digit
    } else if (this.#sizeDigits > 0 && byte === cr) {
      this.#part = 'size_lf'
    } else if (this.#sizeDigits > 0 && byte === semicolon) {
      this.#part = 'extension'
    } else {
      throw new MalformedMessage('a chunk size is malformed')
    }
  }

  #stepExtension(byte: number): void {
    if (byte === cr) this.#part = 'size_lf'
    else this.#ignore(byte)
  }

  #stepTrailer(byte: number): void {
    if (byte === cr) {
      this.#part = 'trailer_lf'
    } else {
      this.#ignore(byte)
      this.#trailerLength++
    }
  }

  #ignore(byte: number): void {
    if ((byte < 32 && byte !== 9) || byte === 127) throw new MalformedMessage('a control character in a chunked body')
    if (++this.#ignored > maxIgnoredBytes) throw new MalformedMessage('too many chunk extensions or trailers')
  }
}

function expect(byte: number, wanted: number): void {
  if (byte !== wanted) throw new MalformedMessage('a line of a chunked body does not end in CRLF')
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48
  const letter = byte | 32
  return letter >= 97 && letter <= 102 ? letter - 87 : -1
}
