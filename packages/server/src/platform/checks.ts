import { statfs } from 'node:fs/promises'
import type { Queryable } from '../db/database.ts'
import type { Clock } from '../kernel/clock.ts'
import type { SupervisorStatus } from '../supervisor/protocol.ts'
import { judgeMasterKey, type MasterKeyFacts } from './key-rotation.ts'
import type { HealthCheck } from './platform.ts'
import { countRouters, selectServerVersion } from './platform-store.ts'

const gibibyte = 1024 ** 3

export function databaseCheck(db: Queryable, clock: Clock): HealthCheck {
  return {
    name: 'database',
    run: async () => {
      const from = clock.monotonicMs()
      const version = await selectServerVersion(db)
      const tookMs = Math.max(1, Math.round(clock.monotonicMs() - from))
      return { status: 'ok', message: `PostgreSQL ${version} answers in ${tookMs} ms` }
    },
  }
}

/** Warns below 2 GiB or a twentieth, and fails below 200 MiB: builds need room, and PostgreSQL stops without any. */
export function diskCheck(home: string, sizeOf: typeof statfs = statfs): HealthCheck {
  return {
    name: 'disk_space',
    run: async () => {
      const { bavail, blocks, bsize } = await sizeOf(home)
      const free = bavail * bsize
      const share = blocks === 0 ? 1 : bavail / blocks
      const message = `${(free / gibibyte).toFixed(1)} GiB are free below GANTRY_HOME`
      if (free < 0.2 * gibibyte) return { status: 'failed', message: `${message}: make room, or nothing can be built` }
      if (free < 2 * gibibyte || share < 0.05) return { status: 'warning', message: `${message}: make room soon` }
      return { status: 'ok', message }
    },
  }
}

/** The supervisor, and that the programs it keeps do not fall over again and again. */
export function supervisorCheck(status: (signal: AbortSignal) => Promise<SupervisorStatus>): HealthCheck {
  return {
    name: 'supervisor',
    run: async (signal) => {
      const { pid, programs } = await status(signal)
      const down = programs.filter((program) => program.state !== 'running')
      const words = (list: typeof programs) =>
        list.map(({ name, message }) => (message ? `${name} (${message})` : name)).join(', ')
      if (down.length > 0) return { status: 'warning', message: `not running: ${words(down)}` }
      const restarted = programs.filter((program) => program.restarts > 0)
      if (restarted.length > 0) return { status: 'ok', message: `process ${pid}; has restarted ${words(restarted)}` }
      return { status: 'ok', message: `process ${pid} keeps ${programs.map(({ name }) => name).join(', ')} running` }
    },
  }
}

/** The master key, and how far its rotation is. */
export function masterKeyCheck(facts: () => Promise<MasterKeyFacts>): HealthCheck {
  return { name: 'master_key', run: async () => judgeMasterKey(await facts()) }
}

/** Routers with a live lease, and whether they have the newest table. */
export function routersCheck(db: Queryable): HealthCheck {
  return {
    name: 'routers',
    run: async () => {
      const { live, behind } = await countRouters(db)
      if (live === 0) return { status: 'failed', message: 'no router is connected: apps may not be reachable' }
      const count = live === 1 ? 'one router' : `${live} routers`
      if (behind > 0)
        return { status: 'warning', message: `${count}, of which ${behind} still take the newest routes over` }
      return { status: 'ok', message: `${count}, with the newest routes` }
    },
  }
}
