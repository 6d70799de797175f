import { join } from 'node:path'
import type { Clock } from '../../kernel/clock.ts'
import { type BoundAddress, borrowSockets, type HeldSocket } from '../../kernel/listening-handles.ts'
import { lendingPath } from '../../kernel/supervised-program.ts'
import type { FoundProgram } from './find-programs.ts'
import type { Program } from './program.ts'
import { adoptProgram } from './program-process.ts'

/** A program that outlived its supervisor, with the listening sockets that it lent; none when it did not answer. */
export interface Survivor extends FoundProgram {
  readonly sockets: readonly HeldSocket[]
  readonly addresses: readonly BoundAddress[]
}

const lendTimeoutMs = 2000

/** Asks every program that was found for its listening sockets. */
export async function askSurvivors(found: readonly FoundProgram[], home: string): Promise<Survivor[]> {
  return await Promise.all(
    found.map(async (program) => {
      const path = lendingPath(join(home, 'run'), program.name, program.pid)
      const sockets = await borrowSockets(path, lendTimeoutMs).catch(() => [])
      return { ...program, sockets, addresses: sockets.map((socket) => socket.address) }
    }),
  )
}

export interface BringUp {
  /** The newest first. */
  readonly survivors: readonly Survivor[]
  /** What the program must listen on. */
  readonly sockets: readonly HeldSocket[]
  readonly build: string
  /** Whether a survivor is replaced even when it runs this build. */
  readonly replace: boolean
  readonly clock: Clock
}

/**
 * Has a program serving: the newest survivor that serves is kept, and replaced when it runs another build or listens elsewhere;
 * what else was found was about to end, and is ended; where none serves, one is started.
 */
export async function bringUp(program: Program, given: BringUp): Promise<void> {
  const { survivors, sockets, build, clock } = given
  const own = survivors.filter((survivor) => survivor.name === program.name)
  const current = own.find((survivor) => survivor.sockets.length > 0)
  for (const stray of own) {
    if (stray !== current) program.endStray(adoptProgram(stray.pid, stray.startTicks, clock))
  }
  if (current === undefined) return await program.start()
  program.adopt(adoptProgram(current.pid, current.startTicks, clock))
  if (given.replace || current.build !== build || !sameAddresses(current.addresses, sockets)) await program.replace()
}

function sameAddresses(listened: readonly BoundAddress[], wanted: readonly HeldSocket[]): boolean {
  const text = ({ host, port }: BoundAddress) => `${host} ${port}`
  const wantedTexts = new Set(wanted.map((socket) => text(socket.address)))
  return listened.length === wantedTexts.size && listened.every((address) => wantedTexts.has(text(address)))
}
