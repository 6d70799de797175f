import { randomUUID } from 'node:crypto'
import { chmod, mkdir, readdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { checkout, type Platform } from '../platform.ts'
import type { Bait } from './payloads.ts'

/** A canary and a callback server: what tells that a payload was obeyed. */
export interface Traps extends Bait {
  /** Connections to the callback server so far. */
  calls(): number
  /** Every file of the canary's name, wherever a program of the platform may have made it. */
  canaries(): Promise<readonly string[]>
  close(): Promise<void>
}

export async function setTraps(platform: Platform): Promise<Traps> {
  const folder = join(platform.work, 'canaries')
  await mkdir(folder)
  await chmod(platform.work, 0o711)
  await chmod(folder, 0o777) // whoever obeys a payload can make the file, whatever its uid
  const canaryName = `canary${randomUUID().replaceAll('-', '')}`
  let calls = 0
  const server = createServer((socket) => {
    calls++
    socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    canaryName,
    canaryPath: join(folder, canaryName),
    callbackUrl: `http://127.0.0.1:${address.port}`,
    calls: () => calls,
    canaries: () => findNamed(canaryName, dirname(platform.home)),
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}

async function findNamed(name: string, root: string): Promise<readonly string[]> {
  const below = await readdir(root, { recursive: true, withFileTypes: true })
  const beside = await Promise.all(
    ['/', tmpdir(), process.cwd(), checkout].map((folder) => readdir(folder, { withFileTypes: true })),
  )
  const named = [...below, ...beside.flat()].filter((entry) => entry.name === name)
  return named.map((entry) => join(entry.parentPath, entry.name)).filter((path) => !isRef(path))
}

/** git keeps a branch whose name ends on the canary's as a file of that name. */
function isRef(path: string): boolean {
  return /\/refs\/(?:heads|remotes|gantry)\//.test(path)
}
