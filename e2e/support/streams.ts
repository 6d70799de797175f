/** Long-lived clients: server-sent events and a WebSocket, as plain sockets so that every byte and end is seen. */
import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { connect } from 'node:net'

export interface StreamEnd {
  /** `server`: ended in an orderly way by the other side; `reset`: cut. */
  readonly by: 'server' | 'reset' | 'client'
  readonly received: readonly string[]
  readonly openedAtMs: number
  readonly endedAtMs: number
}

export interface OpenStream {
  readonly received: readonly string[]
  readonly ended: Promise<StreamEnd>
  close(): void
}

export function openEvents(port: number, host: string, path: string): Promise<OpenStream> {
  return new Promise((resolve, reject) => {
    const received: string[] = []
    const openedAtMs = performance.now()
    const asked = request({ host: '127.0.0.1', port, path, headers: { host }, agent: false })
    asked.once('error', reject)
    asked.once('response', (response) => {
      if (response.statusCode !== 200) return reject(new Error(`events answered ${response.statusCode}`))
      let closing = false
      const ended = new Promise<StreamEnd>((end) => {
        const finish = (by: StreamEnd['by']) =>
          end({ by: closing ? 'client' : by, received, openedAtMs, endedAtMs: performance.now() })
        response.once('end', () => finish('server'))
        response.once('error', () => finish('reset'))
        response.once('close', () => finish('reset'))
      })
      response
        .setEncoding('utf8')
        .on('data', (text: string) => void received.push(...text.split('\n\n').filter(Boolean)))
      asked.on('error', () => undefined)
      const close = () => {
        closing = true
        asked.destroy()
      }
      resolve({ received, ended, close })
    })
    asked.end()
  })
}

export interface OpenWebSocket extends OpenStream {
  /** Sends a text of at most 125 bytes; resolves with the answer. */
  echo(text: string): Promise<string>
}

export function openWebSocket(port: number, host: string): Promise<OpenWebSocket> {
  return new Promise((resolve, reject) => {
    const received: string[] = []
    const openedAtMs = performance.now()
    const socket = connect(port, '127.0.0.1')
    const waiting: ((text: string) => void)[] = []
    let [opened, closing, buffer] = [false, false, Buffer.alloc(0)]
    let finish: (end: StreamEnd) => void = () => undefined
    const ended = new Promise<StreamEnd>((end) => {
      finish = end
    })
    const over = (by: StreamEnd['by']) =>
      finish({ by: closing ? 'client' : by, received, openedAtMs, endedAtMs: performance.now() })
    socket.once('error', (error) => (opened ? over('reset') : reject(error)))
    socket.once('end', () => over('server'))
    socket.once('close', () => over('reset'))
    const key = randomBytes(16).toString('base64')
    socket.write(
      `GET /socket HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    )
    const takeFrames = () => {
      while (buffer.length >= 2 && buffer.length >= 2 + ((buffer[1] ?? 0) & 127)) {
        const length = (buffer[1] ?? 0) & 127
        const text = buffer.subarray(2, 2 + length).toString()
        buffer = buffer.subarray(2 + length)
        received.push(text)
        waiting.shift()?.(text)
      }
    }
    socket.on('data', (chunk: Buffer) => {
      buffer = Buffer.concat([buffer, chunk])
      if (!opened) {
        const end = buffer.indexOf('\r\n\r\n')
        if (end < 0) return
        if (!buffer.subarray(0, 12).equals(Buffer.from('HTTP/1.1 101')))
          return reject(new Error(buffer.subarray(0, end).toString()))
        opened = true
        buffer = buffer.subarray(end + 4)
        resolve({ received, ended, echo, close })
      }
      takeFrames()
    })
    const echo = (text: string) =>
      new Promise<string>((answer, fail) => {
        waiting.push(answer)
        void ended.then(() => fail(new Error('the WebSocket has ended')))
        const payload = Buffer.from(text)
        const mask = randomBytes(4)
        const masked = payload.map((byte, i) => byte ^ (mask[i % 4] ?? 0))
        socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | payload.length]), mask, masked]))
      })
    const close = () => {
      closing = true
      socket.destroy()
    }
  })
}
