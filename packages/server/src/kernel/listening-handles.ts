import * as net from 'node:net'
import { getSystemErrorName } from 'node:util'

/**
 * Listening sockets as file descriptors that no process accepts on yet, and their way from one running process to
 * another (SCM_RIGHTS). Node has no public call for either, so this file, and no other, uses the internal bindings that
 * `node:cluster` and `node:child_process` are made of (`lib/net.js`, `lib/internal/child_process.js`).
 *
 * HAZARD: these are not promised by Node. Gantry brings its own Node binary at an exact version, and the tests beside this file
 * run every call for real; read them before changing that version.
 */

/** A bound address: `host` as it was asked for. */
export interface BoundAddress {
  readonly host: string
  readonly port: number
}

/** A socket that this process holds and others listen on. */
export interface HeldSocket {
  readonly fd: number
  readonly address: BoundAddress
  /** Node's own object for it. */
  readonly handle: TcpHandle
  close(): void
}

/** `code` is the system's: EADDRINUSE, EADDRNOTAVAIL, EACCES, … */
export class BindFailed extends Error {
  override readonly name = 'BindFailed'
  readonly code: string
  readonly address: BoundAddress
  constructor(code: string, address: BoundAddress) {
    super(`cannot bind ${address.host} port ${address.port}: ${code}`)
    this.code = code
    this.address = address
  }
}

interface TcpHandle {
  readonly fd: number
  open(fd: number): number
  close(): void
  getsockname(into: { address?: string; port?: number }): number
}

interface PipeHandle {
  readonly fd: number
  onconnection: (status: number, client: PipeHandle) => void
  onread: (this: PipeHandle, chunk: ArrayBuffer | undefined) => void
  pendingHandle: TcpHandle | null
  bind(path: string): number
  listen(backlog: number): number
  open(fd: number): number
  connect(request: object, path: string): number
  readStart(): number
  close(): void
  unref(): void
  writeUtf8String(request: object, text: string, handle: TcpHandle): number
}

interface Bindings {
  readonly tcp: { TCP: new (type: number) => TcpHandle; constants: { SERVER: number } }
  readonly pipe: {
    Pipe: new (type: number) => PipeHandle
    PipeConnectWrap: new () => { oncomplete?: (status: number) => void }
    constants: { SERVER: number; IPC: number }
  }
  readonly stream: {
    WriteWrap: new () => { oncomplete?: (status: number) => void }
    streamBaseState: Int32Array
    kReadBytesOrError: number
  }
}

function bindings(): Bindings {
  const binding = (process as unknown as { binding(name: string): unknown }).binding.bind(process)
  return {
    tcp: binding('tcp_wrap') as Bindings['tcp'],
    pipe: binding('pipe_wrap') as Bindings['pipe'],
    stream: binding('stream_wrap') as Bindings['stream'],
  }
}

/**
 * Binds a TCP address without listening: the first process that listens on the descriptor makes connections queue, and
 * from then on they queue whoever lives. Port 0 takes a free one. Throws `BindFailed`.
 */
export function bindSocket(wanted: BoundAddress): HeldSocket {
  const create = (net as unknown as { _createServerHandle(...args: unknown[]): TcpHandle | number })._createServerHandle
  const handle = create(wanted.host, wanted.port, net.isIPv6(wanted.host) ? 6 : 4, undefined, 0)
  if (typeof handle === 'number') throw new BindFailed(getSystemErrorName(handle), wanted)
  const bound: { port?: number } = {}
  const status = handle.getsockname(bound) // libuv keeps EADDRINUSE of bind() back until somebody asks
  if (status === 0 && bound.port !== undefined) return held(handle, { host: wanted.host, port: bound.port })
  handle.close()
  throw new BindFailed(getSystemErrorName(status), wanted)
}

/** Takes over a descriptor that was inherited. Call before anything listens on it in this process. */
export function holdSocket(fd: number): HeldSocket {
  const { tcp } = bindings()
  const handle = new tcp.TCP(tcp.constants.SERVER)
  const status = handle.open(fd)
  if (status !== 0) throw new Error(`descriptor ${fd} is no TCP socket: ${getSystemErrorName(status)}`)
  return held(handle, addressOf(handle))
}

function addressOf(handle: TcpHandle): BoundAddress {
  const bound: { address?: string; port?: number } = {}
  handle.getsockname(bound)
  return { host: bound.address ?? '', port: bound.port ?? 0 }
}

function held(handle: TcpHandle, address: BoundAddress): HeldSocket {
  return { fd: handle.fd, address, handle, close: () => handle.close() }
}

/**
 * Gives `sockets` to whoever connects to the Unix socket at `path` (0600: the owner and root), once each, then ends the
 * connection. `begin` makes it answer; until then a connection is refused.
 */
export function lendSockets(path: string, sockets: readonly HeldSocket[]): { begin(): void; close(): void } {
  const { pipe } = bindings()
  const server = new pipe.Pipe(pipe.constants.SERVER)
  const umask = process.umask(0o177)
  const bound = server.bind(path)
  process.umask(umask)
  if (bound !== 0) throw new Error(`cannot bind ${path}: ${getSystemErrorName(bound)}`)
  server.onconnection = (status, client) => {
    if (status !== 0) return
    // An accepted pipe cannot carry descriptors, one opened for IPC can. Both wrap the same descriptor, so the first must
    // never be read or closed: it stays, one small object for each supervisor that ever asked.
    const channel = new pipe.Pipe(pipe.constants.IPC)
    if (channel.open(client.fd) === 0) sendSockets(channel, sockets)
  }
  server.unref()
  return { begin: () => void server.listen(4), close: () => server.close() }
}

function sendSockets(channel: PipeHandle, sockets: readonly HeldSocket[]): void {
  const [socket, ...rest] = sockets
  if (socket === undefined) {
    channel.close()
    return
  }
  const { stream } = bindings()
  const request = new stream.WriteWrap()
  request.oncomplete = (status) => (status === 0 ? sendSockets(channel, rest) : channel.close())
  const status = channel.writeUtf8String(request, '\n', socket.handle)
  if (status !== 0) channel.close()
}

/** Asks the process behind `path` for its listening sockets. Rejects when nobody answers within `timeoutMs`. */
export function borrowSockets(path: string, timeoutMs: number): Promise<readonly HeldSocket[]> {
  const { pipe, stream } = bindings()
  return new Promise((resolve, reject) => {
    const channel = new pipe.Pipe(pipe.constants.IPC)
    const sockets: HeldSocket[] = []
    const end = (failure?: string) => {
      clearTimeout(timer)
      channel.close()
      if (failure === undefined) return resolve(sockets)
      for (const socket of sockets) socket.close()
      reject(new Error(`${path} lends no sockets: ${failure}`))
    }
    const timer = setTimeout(end, timeoutMs, `no answer in ${timeoutMs} ms`)
    channel.pendingHandle = null
    channel.onread = () => {
      const count = stream.streamBaseState[stream.kReadBytesOrError] ?? -1
      const handle = channel.pendingHandle
      channel.pendingHandle = null
      if (handle) sockets.push(held(handle, addressOf(handle)))
      if (count < 0) end(getSystemErrorName(count) === 'EOF' ? undefined : getSystemErrorName(count))
    }
    const request = new pipe.PipeConnectWrap()
    request.oncomplete = (status) => (status === 0 ? channel.readStart() : end(getSystemErrorName(status)))
    const status = channel.connect(request, path)
    if (status !== 0) end(getSystemErrorName(status))
  })
}
