import { closeSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs'
import type { WireListener } from '../protocol.ts'

/** TCP sockets in LISTEN that these processes hold open: proc_pid_net(5), proc_pid_fd(5). */
export function listenersOf(pids: readonly number[]): WireListener[] {
  const inodes = new Set(pids.flatMap(socketInodes))
  if (inodes.size === 0) return []
  const found = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) => parseListeners(readListeners(path)))
  const seen = new Map<string, WireListener>()
  for (const { inode, host, port } of found) {
    if (inodes.has(inode)) seen.set(`${host} ${port}`, { host, port })
  }
  return [...seen.values()]
}

function socketInodes(pid: number): string[] {
  const folder = `/proc/${pid}/fd`
  try {
    return readdirSync(folder).flatMap((name) => inodeOf(`${folder}/${name}`) ?? [])
  } catch {
    return [] // ended meanwhile
  }
}

function inodeOf(link: string): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(link))?.[1]
  } catch {
    return undefined // closed meanwhile
  }
}

/**
 * The kernel lists listeners first, and after them every connection there is and was a minute ago: thousands on a machine
 * that serves, at 5 µs each, and none of them is read. A connection that is only being opened may stand between listeners.
 */
function readListeners(path: string): string {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch {
    return '' // a kernel without IPv6
  }
  try {
    const buffer = Buffer.alloc(4096)
    let text = ''
    for (;;) {
      const size = readSync(file, buffer)
      text += buffer.toString('latin1', 0, size)
      if (size === 0 || hasConnection(text)) return text
    }
  } finally {
    closeSync(file)
  }
}

const listening = '0A'
const opening = ['03', '0C']

function hasConnection(table: string): boolean {
  const last = table.slice(0, table.lastIndexOf('\n')).split('\n').at(-1) ?? ''
  const state = last.trim().split(/\s+/)[3]
  return state !== undefined && /^[0-9A-F]{2}$/.test(state) && state !== listening && !opening.includes(state)
}

export function parseListeners(table: string): { inode: string; host: string; port: number }[] {
  return table.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/)
    const [address, portHex] = (fields[1] ?? '').split(':')
    const inode = fields[9]
    if (fields[3] !== listening || !address || !portHex || inode === undefined) return []
    return [{ inode, host: parseAddress(address), port: Number.parseInt(portHex, 16) }]
  })
}

/** The kernel prints an address as 32-bit words in the machine's order, which is little-endian on both supported ones. */
function parseAddress(hex: string): string {
  const bytes = (hex.toLowerCase().match(/.{8}/g) ?? []).flatMap((word) => (word.match(/../g) ?? []).reverse())
  if (bytes.length === 4) return bytes.map((byte) => Number.parseInt(byte, 16)).join('.')
  const groups: string[] = []
  for (let i = 0; i < bytes.length; i += 2) groups.push(`${bytes[i]}${bytes[i + 1]}`.replace(/^0{1,3}/, ''))
  const mapped = groups.slice(0, 5).every((group) => group === '0') && groups[5] === 'ffff'
  if (mapped)
    return bytes
      .slice(12)
      .map((byte) => Number.parseInt(byte, 16))
      .join('.')
  const text = groups.join(':')
  const zeros = (text.match(/(?:^|:)0(?::0)+(?=:|$)/g) ?? []).sort((a, b) => b.length - a.length)[0]
  return zeros
    ? text
        .replace(zeros, ':')
        .replace(/^:(?!:)|(?<!:):$/g, '::')
        .replace(/^$/, '::')
    : text
}
