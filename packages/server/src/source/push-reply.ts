import type { ServerResponse } from 'node:http'
import { encodePacket, flushPacket, maxPacketBytes } from '../clients/git/index.ts'
import type { PushCapabilities } from './push.ts'

/** What the client is told of each ref; `undefined` is `ok`. */
export interface PushReport {
  /** Why no object was taken. */
  readonly unpackFault?: string | undefined
  readonly refs: readonly { readonly ref: string; readonly refusal: string | undefined }[]
}

/** The answer to a push while it is written. After the client is gone everything is ignored. */
export interface PushReply {
  /** Lines for people; git puts `remote: ` before each. */
  say(text: string): void
  /** git's own progress, as it comes. */
  forward(bytes: Buffer): void
  /** Something without content, so that nobody between here and the client takes the connection for dead. */
  keepAlive(): void
  finish(report: PushReport): void
}

const bandData = 1
const bandProgress = 2
const largestChunk = maxPacketBytes - 5

/** Writes side-band-64k packets where the client can take them apart, else the bare report (gitprotocol-pack(5)). */
export function openPushReply(response: ServerResponse, capabilities: PushCapabilities): PushReply {
  const send = (bytes: Buffer): void => {
    if (!response.headersSent) response.writeHead(200, pushReplyHeaders)
    if (response.writable) response.write(bytes)
  }
  const sendBand = (band: number, bytes: Buffer): void => {
    for (let start = 0; start < bytes.length; start += largestChunk) {
      send(encodePacket(Buffer.concat([Buffer.of(band), bytes.subarray(start, start + largestChunk)])))
    }
  }
  const { sideBand, reportStatus } = capabilities
  return {
    say(text) {
      if (sideBand) sendBand(bandProgress, Buffer.from(`${cleanText(text)}\n`))
    },
    forward(bytes) {
      if (sideBand) sendBand(bandProgress, bytes)
    },
    keepAlive() {
      if (sideBand) send(encodePacket(Buffer.of(bandData)))
    },
    finish(report) {
      const bytes = reportStatus ? formatReport(report) : Buffer.alloc(0)
      if (sideBand) sendBand(bandData, bytes)
      else send(bytes)
      if (sideBand) send(flushPacket)
      response.end()
    },
  }
}

const pushReplyHeaders = {
  'content-type': 'application/x-git-receive-pack-result',
  'cache-control': 'no-cache, max-age=0, must-revalidate',
  // Asks a proxy that buffers answers not to: the progress is for now.
  'x-accel-buffering': 'no',
}

function formatReport({ unpackFault, refs }: PushReport): Buffer {
  const unpack = encodePacket(`unpack ${unpackFault === undefined ? 'ok' : oneLine(unpackFault)}\n`)
  const lines = refs.map(({ ref, refusal }) =>
    encodePacket(refusal === undefined ? `ok ${ref}\n` : `ng ${ref} ${oneLine(refusal)}\n`),
  )
  return Buffer.concat([unpack, ...lines, flushPacket])
}

const maxReasonLength = 1000

function oneLine(text: string): string {
  const line = cleanText(text)
    .replace(/\x1b\[[0-9;]*m/g, '')
    .replace(/\s+/g, ' ')
    .trim()
  return line.length > maxReasonLength ? `${line.slice(0, maxReasonLength - 1)}…` : line || 'no reason given'
}

const obeyed = /\x1b\[[0-9;]*m|[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g

/**
 * Takes out what a terminal would obey, changes of direction too, but for colours: output of a build is shown to whoever
 * pushed.
 */
function cleanText(text: string): string {
  return text.replace(obeyed, (found) => (found.length > 1 ? found : ''))
}
