/** One server-sent event as it came: https://html.spec.whatwg.org/multipage/server-sent-events.html */
export interface RawEvent {
  readonly id?: string
  readonly event: string
  readonly data: string
}

/** What reading says: an event, a comment or another sign of life, or how long to wait before connecting again. */
export type Reading =
  | { readonly kind: 'event'; readonly event: RawEvent }
  | { readonly kind: 'retry'; readonly ms: number }

/** Turns the text of an event stream, in pieces of any size, into events. An event cut off at the end is dropped. */
export class EventStreamParser {
  #rest = ''
  #first = true
  #data: string[] = []
  #event = ''
  #id: string | undefined

  push(piece: string): Reading[] {
    let text = this.#rest + piece
    if (this.#first && text.length > 0) {
      this.#first = false
      if (text.startsWith('\ufeff')) text = text.slice(1)
    }
    const readings: Reading[] = []
    let from = 0
    for (;;) {
      const end = lineEnd(text, from)
      if (!end) break
      this.#line(text.slice(from, end.at), readings)
      from = end.next
    }
    this.#rest = text.slice(from)
    return readings
  }

  #line(line: string, readings: Reading[]): void {
    if (line === '') {
      this.#dispatch(readings)
      return
    }
    if (line.startsWith(':')) return
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'data') this.#data.push(value)
    else if (field === 'event') this.#event = value
    else if (field === 'id' && !value.includes('\u0000')) this.#id = value
    else if (field === 'retry' && /^[0-9]+$/.test(value)) readings.push({ kind: 'retry', ms: Number(value) })
  }

  #dispatch(readings: Reading[]): void {
    if (this.#data.length > 0) {
      const event = { event: this.#event || 'message', data: this.#data.join('\n') }
      readings.push({ kind: 'event', event: this.#id === undefined ? event : { ...event, id: this.#id } })
    }
    this.#data = []
    this.#event = ''
    this.#id = undefined
  }
}

/** The next line end at or after `from`. A CR that is last may be half of a CRLF and has to wait for the next piece. */
function lineEnd(text: string, from: number): { at: number; next: number } | undefined {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\n') return { at, next: at + 1 }
    if (text[at] !== '\r') continue
    if (at + 1 === text.length) return undefined
    return { at, next: text[at + 1] === '\n' ? at + 2 : at + 1 }
  }
  return undefined
}
