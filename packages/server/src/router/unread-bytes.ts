import { readSync } from 'node:fs'
import type { Socket } from 'node:net'

/**
 * What the kernel still holds of a socket's input when a write has just failed. An app may answer and close before it has
 * read the request's body (413): the write fails then although the answer is there, and Node destroys the socket
 * without reading on.
 *
 * HAZARD: `_handle.fd` is Node's own. Without it nothing is found, and the client gets a 502 for the app's answer. Call in
 * the same turn as the write: the descriptor is closed after it.
 */
export function readUnread(socket: Socket): Buffer {
  const fd = (socket as { _handle?: { fd?: number } })._handle?.fd
  const parts: Buffer[] = []
  while (fd !== undefined && fd >= 0) {
    const part = Buffer.allocUnsafe(64 * 1024)
    const length = tryRead(fd, part)
    if (length === 0) break
    parts.push(part.subarray(0, length))
  }
  return Buffer.concat(parts)
}

/** 0 at the end, on an error, and when there is nothing (the descriptor does not block). */
function tryRead(fd: number, into: Buffer): number {
  try {
    return readSync(fd, into)
  } catch {
    return 0
  }
}
