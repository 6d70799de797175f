import { closeSync, existsSync, rmSync, writeSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { join } from 'node:path'
import { UserError } from './errors.ts'
import { type BoundAddress, type HeldSocket, holdSocket, lendSockets } from './listening-handles.ts'

/**
 * What the supervisor and a program of its (control plane, router) agree on. The program gets, in its environment:
 *
 * - `GANTRY_INSTANCE_ID` = `program:<name>:<key of the home>`, `GANTRY_PROGRAM_BUILD`: by which a next supervisor finds it.
 * - `GANTRY_LISTEN_FDS`: descriptors of listening sockets that nobody accepts on, separated by commas.
 * - `GANTRY_READY_FD`: takes one line of JSON, `ProgramReport`, and is closed.
 * - `GANTRY_RUN`: the folder of Unix sockets.
 * - `GANTRY_RUN_AS`: uid and gid to become, when started as root; `GANTRY_RUN_GROUPS`: further groups, separated by commas.
 *
 * SIGTERM: stop listening, finish what is open, exit 0. The program is the leader of its own process group; what is left
 * of the group when it has ended is killed. When the supervisor dies, it goes on.
 */
export type ProgramReport =
  | { readonly ready: true }
  | { readonly ready: false; readonly code: string; readonly message: string }

export interface ProgramSocket extends BoundAddress {
  /** For `server.listen({ fd })`. */
  readonly fd: number
}

export interface SupervisedProgram {
  readonly sockets: readonly ProgramSocket[]
  /** Serving: the process that this one replaces may go. Call once, when listening. */
  ready(): void
  /** Cannot serve and is about to exit; a `UserError` reaches the user with its code. */
  failed(error: unknown): void
  /** Call when SIGTERM arrives: a draining program lends its sockets to nobody. */
  draining(): void
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Joins the supervisor that started this process; undefined when none did. Root's rights end here, so every module must
 * be loaded before (the checkout may lie where other users cannot look), and no input read. The socket for a next supervisor
 * is made first: only root may use it.
 */
export function joinSupervisor(environment: Environment): SupervisedProgram | undefined {
  const run = environment.GANTRY_RUN
  const name = environment.GANTRY_INSTANCE_ID?.split(':')[1]
  const readyFd = Number(environment.GANTRY_READY_FD ?? Number.NaN)
  if (run === undefined || name === undefined || Number.isNaN(readyFd)) return undefined
  const sockets = (environment.GANTRY_LISTEN_FDS ?? '').split(',').filter(Boolean).map(Number).map(holdSocket)
  const lending = lendSockets(lendingPath(run, name, process.pid), sockets)
  flushCompileCache()
  becomeUser(environment)
  return {
    sockets: sockets.map((it: HeldSocket) => ({ fd: it.fd, ...it.address })),
    ready: () => {
      lending.begin()
      report(readyFd, { ready: true })
    },
    failed: (error) =>
      report(readyFd, {
        ready: false,
        code: error instanceof UserError ? error.code : 'internal_error',
        message: error instanceof Error ? error.message : String(error),
      }),
    draining: () => lending.close(),
  }
}

/** Where a running program lends its listening sockets to a supervisor that has lost them. */
export function lendingPath(run: string, name: string, pid: number): string {
  const path = join(run, `${name}-${pid}.sock`)
  if (pid === process.pid && existsSync(path)) rmSync(path) // of a process long gone that had this pid
  return path
}

function becomeUser({ GANTRY_RUN_AS: uid, GANTRY_RUN_GROUPS: groups = '' }: Environment): void {
  if (uid === undefined || process.getuid?.() !== 0) return
  process.setgroups?.(groups.split(',').filter(Boolean).map(Number))
  process.setgid?.(Number(uid))
  process.setuid?.(Number(uid))
}

function report(fd: number, message: ProgramReport): void {
  try {
    writeSync(fd, `${JSON.stringify(message)}\n`)
    closeSync(fd)
  } catch {
    // the supervisor has died meanwhile; the next one finds this process without it
  }
}
